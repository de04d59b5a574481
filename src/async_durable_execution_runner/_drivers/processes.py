"""One invocation in a fresh interpreter, from its start to what is left of it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._model.errors import ErrorObject
from .lambda_context import LambdaContext
from .outcome import InvocationDied

INVOCATION, BEGUN, ANSWER = "invocation.json", "begun", "answer.json"
_BOOT = (
    "import json, pathlib, sys; "
    f"sys.path[:] = json.loads(pathlib.Path(sys.argv[1], {INVOCATION!r}).read_text(encoding='utf-8'))['path']; "
    "from async_durable_execution_runner._child import main; main(sys.argv[1])"
)
"""The module search path is the parent's before anything of ours or of the handler's is imported."""

_START_SECONDS = 60.0
"""How long an interpreter may take to start and to import the handler."""

_SLICE = 0.1
"""Seconds between looks at whether the time of a child is up."""


class TimeIsUp(Exception):
    """The child has not come back within its invocation timeout, and was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCall:
    """What a child is called with. ``remaining`` in milliseconds, from when it has imported the handler."""

    handler: str
    event: dict[str, Any]
    context: LambdaContext
    remaining: int
    environment: Mapping[str, str]


def run_child(call: ChildCall, at_work: Callable[[Callable[[], None] | None], None]) -> Any:
    """What the handler gives back in a child process. ``at_work`` is given what kills it, and ``None`` once it is gone.

    Its output goes where this process's output goes. Raises ``InvocationDied`` when it raises, exits or is killed, and
    ``TimeIsUp``. The child does not outlive this call, whatever ends it.
    """
    with tempfile.TemporaryDirectory(prefix="durable-invocation-") as folder:
        Path(folder, INVOCATION).write_text(json.dumps(_message(call)), encoding="utf-8")
        sys.stdout.flush()
        sys.stderr.flush()
        child = subprocess.Popen(  # the interpreter is this one, and the folder our own
            [sys.executable, "-c", _BOOT, folder], env=dict(call.environment), stdin=subprocess.DEVNULL
        )
        at_work(child.kill)
        try:
            status = _wait(child, Path(folder, BEGUN), call.remaining / 1000)
        finally:
            at_work(None)
            _end(child)
        return _answer(Path(folder, ANSWER), status, call.context.aws_request_id)


def _message(call: ChildCall) -> dict[str, Any]:
    context = call.context
    return {
        "path": [*sys.path, str(Path.cwd())],
        "handler": call.handler,
        "event": call.event,
        "context": {
            "aws_request_id": context.aws_request_id,
            "function_name": context.function_name,
            "invoked_function_arn": context.invoked_function_arn,
            "log_stream_name": context.log_stream_name,
            "tenant_id": context.tenant_id,
        },
        "remaining": call.remaining,
    }


def _wait(child: subprocess.Popen[bytes], begun: Path, seconds: float) -> int:
    """The exit status. As in Lambda, the time until the handler is imported is not the invocation's."""
    end = time.time() + _START_SECONDS
    waiting = True
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(_SLICE)
        if waiting and begun.exists():
            waiting, end = False, begun.stat().st_mtime + seconds
        if time.time() >= end:
            raise TimeIsUp


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.kill()
    child.wait()


def _answer(path: Path, status: int, request_id: str) -> Any:
    if not path.exists():
        message = f"RequestId: {request_id} Error: {_exit_reason(status)}"
        raise InvocationDied(ErrorObject(type="Runtime.ExitError", message=message))
    answer = json.loads(path.read_text(encoding="utf-8"))
    if "error" in answer:
        error = answer["error"]
        trace = tuple(error["trace"]) if error["trace"] is not None else None
        raise InvocationDied(ErrorObject(type=error["type"], message=error["message"], stack_trace=trace))
    return answer["output"]


def _exit_reason(status: int) -> str:
    """In the words of Lambda's runtime."""
    if status == 0:
        return "Runtime exited without providing a reason"
    if status > 0:
        return f"Runtime exited with error: exit status {status}"
    try:
        name = signal.strsignal(-status) or str(-status)
    except ValueError:
        name = str(-status)
    return f"Runtime exited with error: signal: {name.lower()}"

"""One invocation in a fresh interpreter, from its start to what is left of it."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    "from async_durable_execution_runner._wiring.child import main; main(sys.argv[1])"
)
"""The module search path is the parent's before anything of ours or of the handler's is imported."""

_START_SECONDS = 60.0
"""How long an interpreter may take to start and to import the handler."""

_SLICE = 0.1
"""Seconds between looks at whether the time of a child is up."""


class TimeIsUp(Exception):
    """The child has not come back within its invocation timeout, and was killed."""


class GivenUp(Exception):
    """Nobody waits for the child any more, and it was killed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildCall:
    """What a child is called with. ``remaining`` in milliseconds, from when it has imported the handler.

    ``begun`` is told when that was, in Unix milliseconds; ``given_up`` is asked whether anybody still waits.
    """

    handler: str
    event: Any
    context: LambdaContext
    remaining: int
    environment: Mapping[str, str]
    durable: bool = True
    begun: Callable[[int], None] = lambda _: None
    given_up: Callable[[], bool] = lambda: False


def run_child(call: ChildCall, at_work: Callable[[Callable[[], None] | None], None] = lambda _: None) -> Any:
    """What the handler gives back in a child process. ``at_work`` is given what kills it, and ``None`` once it is gone.

    Its output goes where this process's output goes. Raises ``InvocationDied`` when it raises, exits or is killed,
    ``TimeIsUp`` and ``GivenUp``. The child does not outlive this call, whatever ends it.
    """
    with tempfile.TemporaryDirectory(prefix="durable-invocation-") as folder:
        with _child(folder, _message(call), call.environment) as child:
            at_work(child.kill)
            try:
                status = _wait(child, Path(folder, BEGUN), call)
            finally:
                at_work(None)
        return _answer(Path(folder, ANSWER), status, call.context.aws_request_id)


def look_in_child(handlers: Iterable[str], environment: Mapping[str, str]) -> dict[str, Any]:
    """What each handler is, seen by an interpreter that imports it: whether it is durable, or why it cannot be had.

    Raises ``InvocationDied`` when an import ends the interpreter, or does not end.
    """
    handlers = list(handlers)
    with tempfile.TemporaryDirectory(prefix="durable-invocation-") as folder:
        with _child(folder, {"path": _search_path(), "look": handlers}, environment) as child:
            try:
                status = child.wait(_START_SECONDS)
            except subprocess.TimeoutExpired:
                reason = f"it was not done after {_START_SECONDS:g} seconds"
            else:
                reason = _exit_reason(status)
        answer = Path(folder, ANSWER)
        if not answer.exists():
            raise InvocationDied(ErrorObject(type="Runtime.ExitError", message=reason))
        found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
        return found


@contextlib.contextmanager
def _child(folder: str, message: dict[str, Any], environment: Mapping[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    Path(folder, INVOCATION).write_text(json.dumps(message), encoding="utf-8")
    sys.stdout.flush()
    sys.stderr.flush()
    child = subprocess.Popen(  # the interpreter is this one, and the folder our own
        [sys.executable, "-c", _BOOT, folder], env=dict(environment), stdin=subprocess.DEVNULL
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()


def _search_path() -> list[str]:
    return [*sys.path, str(Path.cwd())]


def _message(call: ChildCall) -> dict[str, Any]:
    context = call.context
    return {
        "path": _search_path(),
        "handler": call.handler,
        "durable": call.durable,
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


def _wait(child: subprocess.Popen[bytes], begun: Path, call: ChildCall) -> int:
    """The exit status. As in Lambda, the time until the handler is imported is not the invocation's."""
    end = time.time() + _START_SECONDS
    waiting = True
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            return child.wait(_SLICE)
        if waiting and begun.exists():
            since = begun.stat().st_mtime_ns // 1_000_000
            waiting, end = False, (since + call.remaining) / 1000
            call.begun(since)
        if time.time() >= end:
            raise TimeIsUp
        if call.given_up():
            raise GivenUp


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

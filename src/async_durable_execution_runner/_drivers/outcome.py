"""What a handler gave back, read as the service reads it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .._engine.functions import InvokeOutcome
from .._engine.inputs import Crashed, InvocationEnd, Returned
from .._model.errors import ErrorObject

ReadError = Callable[[Mapping[str, Any] | None], ErrorObject]
_STATUSES = ("SUCCEEDED", "FAILED", "PENDING")


@dataclass(frozen=True, slots=True)
class InvalidOutput:
    """An answer that is none, and why."""

    problem: str


def read_output(output: Any, read_error: ReadError) -> InvocationEnd:
    """A durable handler's answer. One that is not valid comes back with its ``problem``."""
    if isinstance(output, InvalidOutput):
        return Returned(status=None, problem=output.problem)
    if not isinstance(output, Mapping):
        return Returned(
            status=None,
            problem=f"Invalid invocation output: expected an object with Status, got {type(output).__name__}.",
        )
    status, result, error = output.get("Status"), output.get("Result"), output.get("Error")
    if status not in _STATUSES:
        return Returned(
            status=None,
            problem=f"Invalid invocation output: Status must be one of {', '.join(_STATUSES)}, not {status!r}.",
        )
    if result is not None and not isinstance(result, str):
        return Returned(status=None, problem="Invalid invocation output: Result must be a string.")
    if status == "FAILED" and result is not None:
        return Returned(status=None, problem="Invalid invocation output: FAILED cannot have a Result.")
    if status == "SUCCEEDED" and error is not None:
        return Returned(status=None, problem="Invalid invocation output: SUCCEEDED cannot have an Error.")
    return Returned(status=status, result=result, error=read_error(error) if error is not None else None)


class InvocationDied(Exception):
    """A handler gave no answer, and where it ran its end was told in words already."""

    def __init__(self, error: ErrorObject) -> None:
        super().__init__(error.message)
        self.error = error


def timed_out(request_id: str, seconds: float) -> ErrorObject:
    """What Lambda says of a call that was ended because its time was up."""
    return ErrorObject(
        type="Sandbox.Timedout", message=f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
    )


def closed() -> ErrorObject:
    """What is said of a call that nobody waits for any more."""
    return ErrorObject(type="Runner.Interrupted", message="The runner or endpoint was closed before the answer came.")


def crashed(error: BaseException, request_id: str) -> Crashed:
    """A handler that raised instead of answering. Leaving the process is told as Lambda's runtime tells it."""
    if isinstance(error, InvocationDied):
        return Crashed(error=error.error)
    if isinstance(error, SystemExit | KeyboardInterrupt):
        message = f"RequestId: {request_id} Error: {_exit_status(error)}"
        return Crashed(error=ErrorObject(type="Runtime.ExitError", message=message))
    return Crashed(error=error_of(error))


def _exit_status(error: SystemExit | KeyboardInterrupt) -> str:
    code = error.code if isinstance(error, SystemExit) else 1
    status = code if isinstance(code, int) else int(code is not None)
    how = "sys.exit" if isinstance(error, SystemExit) else "KeyboardInterrupt"
    return f"Runtime exited with error: exit status {status} ({how} in the handler)"


def error_of(error: BaseException) -> ErrorObject:
    """An exception as data."""
    if isinstance(error, InvocationDied):
        return error.error
    if isinstance(error, SystemExit):
        return ErrorObject(type="Runtime.ExitError", message=_exit_status(error))
    return ErrorObject(type=type(error).__name__, message=str(error))


def plain_outcome(call: Callable[[], Any]) -> InvokeOutcome:
    """One call of an ordinary function, as a chained invoke sees it."""
    try:
        return InvokeOutcome(status="SUCCEEDED", result=json.dumps(call()))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is its outcome, also leaving
        return InvokeOutcome(status="FAILED", error=error_of(error))

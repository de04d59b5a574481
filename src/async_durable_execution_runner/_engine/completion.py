"""How an operation ends that something outside completes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._model.enums import OperationStatus as Status
from .._model.errors import ErrorObject
from .._model.operation import CallbackDetails, ChainedInvokeDetails, Operation, WaitDetails

_VERBS = {
    Status.SUCCEEDED: "Succeeded",
    Status.FAILED: "Failed",
    Status.TIMED_OUT: "TimedOut",
    Status.STOPPED: "Stopped",
}


def completed_operation(
    operation: Operation, status: str, result: str | None, error: ErrorObject | None, now: int
) -> tuple[Operation, str, dict[str, Any]]:
    """The operation's last state, and type and data of the event that says so."""
    ended = Status(status)
    details = operation.details
    data: dict[str, Any] = {"result": result} if ended is Status.SUCCEEDED else {"error": error or ErrorObject()}
    if isinstance(details, WaitDetails):
        done = replace(operation, status=ended, ended_at=now)
        return done, f"Wait{_VERBS[ended]}", {"duration": details.duration}
    assert isinstance(details, CallbackDetails | ChainedInvokeDetails)
    kind = "Callback" if isinstance(details, CallbackDetails) else "ChainedInvoke"
    done = replace(operation, status=ended, ended_at=now, details=replace(details, result=result, error=error))
    return done, f"{kind}{_VERBS[ended]}", data

"""What an invocation's end means for its execution."""

from __future__ import annotations

from dataclasses import dataclass

from .._checkpoint.base import size_of
from .._model.enums import ExecutionStatus
from .._model.errors import ErrorObject
from .._model.execution import Execution, Outcome, RunningInvocation
from .._model.limits import ServiceLimits
from .inputs import Crashed, InvocationEnd, Returned


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspend:
    """The execution waits for something outside; ``again`` if that has happened already."""

    again: bool = False
    invocation_error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """The invocation failed and is to be repeated after ``delay`` seconds."""

    delay: int
    invocation_error: ErrorObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Close:
    """The execution is over."""

    status: ExecutionStatus
    result: str | None = None
    error: ErrorObject | None = None
    invocation_error: ErrorObject | None = None


Verdict = Suspend | Retry | Close


def judge(execution: Execution, running: RunningInvocation, end: InvocationEnd, limits: ServiceLimits) -> Verdict:
    """Decide what follows. Counts failures in a row on the execution; success and suspension reset the count."""
    if execution.is_closed:
        return Suspend(invocation_error=end.error if isinstance(end, Crashed) else None)
    if execution.outcome is not None:
        return _said_by_checkpoint(execution.outcome, end.error if isinstance(end, Crashed) else None)
    if isinstance(end, Crashed):
        return _crashed(execution, end, limits)
    if end.problem is not None:
        error = ErrorObject(type="InvalidParameterValueException", message=end.problem)
        return Close(status=ExecutionStatus.FAILED, error=error)
    execution.failures_in_a_row = 0
    if end.status == "PENDING":
        return _pending(execution, running, limits)
    execution.empty_pendings_in_a_row = 0
    return _answered(execution, end, limits)


def _said_by_checkpoint(outcome: Outcome, crash: ErrorObject | None) -> Verdict:
    if outcome.failed:
        return Close(status=ExecutionStatus.FAILED, error=outcome.error or ErrorObject(), invocation_error=crash)
    return Close(status=ExecutionStatus.SUCCEEDED, result=outcome.result, invocation_error=crash)


def _crashed(execution: Execution, end: Crashed, limits: ServiceLimits) -> Verdict:
    execution.failures_in_a_row += 1
    if execution.failures_in_a_row >= limits.crash_limit:
        return Close(status=ExecutionStatus.FAILED, error=end.error, invocation_error=end.error)
    delay = end.again_after if end.again_after is not None else limits.crash_backoff_seconds
    return Retry(delay=delay, invocation_error=end.error)


def _pending(execution: Execution, running: RunningInvocation, limits: ServiceLimits) -> Verdict:
    if running.undelivered or running.is_cut:
        return Suspend(again=True)
    if execution.pending:
        execution.empty_pendings_in_a_row = 0
        return Suspend()
    if running.from_outside:
        # What it was to wait for happened while it ran, too late for the handler to act on it.
        return Suspend(again=True)
    execution.empty_pendings_in_a_row += 1
    error = ErrorObject(
        type="InvalidParameterValueException",
        message="Cannot return PENDING status with no pending operations.",
    )
    if execution.empty_pendings_in_a_row >= limits.empty_pending_limit:
        return Close(status=ExecutionStatus.FAILED, error=error, invocation_error=error)
    return Retry(delay=limits.crash_backoff_seconds, invocation_error=error)


def _answered(execution: Execution, end: Returned, limits: ServiceLimits) -> Verdict:
    if end.status == "FAILED":
        return Close(status=ExecutionStatus.FAILED, error=end.error or ErrorObject())
    synchronous = execution.header.synchronous
    limit = limits.execution_payload_bytes if synchronous else limits.async_execution_payload_bytes
    size = size_of(end.result) if end.result is not None else 0
    if size > limit:
        error = ErrorObject(
            type="Function.ResponseSizeTooLarge",
            message=f"Response payload size ({size} bytes) exceeded maximum allowed payload size ({limit} bytes).",
        )
        return Close(status=ExecutionStatus.FAILED, error=error)
    return Close(status=ExecutionStatus.SUCCEEDED, result=end.result)

"""An execution's record, put together again from what the API tells of it: its events and GetDurableExecution.

What the API does not tell is left at its default: retention, tenant, whether somebody waited for the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from .._model.enums import ExecutionStatus
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import ExecutionHeader, ExecutionRecord, Invocation, Pause
from .._model.history import HistoryEvent
from .._model.ids import ExecutionArn
from .._model.instants import to_millis
from .._model.operation import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    Details,
    ExecutionDetails,
    Operation,
    StepDetails,
    WaitDetails,
)
from .updates import parse_error

Wire = Mapping[str, Any]


def read_record(execution: Wire, events: Sequence[Wire]) -> ExecutionRecord:
    """The record behind an answer of GetDurableExecution and all events of its history, oldest first."""
    history = tuple(read_event(event) for event in events)
    header = _header(execution, history)
    root = _root(header)
    return ExecutionRecord(
        header=header,
        operations=(root, *operations_after(history)),
        events=history,
        invocations=_invocations(history),
    )


def read_event(event: Wire) -> HistoryEvent:
    """An event (API Reference: Event), as the engine keeps it."""
    kind = event["EventType"]
    details = event.get(f"{kind}Details") or {}
    return HistoryEvent(
        event["EventId"],
        kind,
        millis(event["EventTimestamp"]),
        event.get("Id"),
        event.get("Name"),
        event.get("SubType"),
        event.get("ParentId"),
        _data(kind, details),
    )


def millis(moment: Any) -> int:
    """An instant of the wire: a ``datetime`` as boto3 gives it, seconds since the epoch, or ISO text."""
    if isinstance(moment, datetime):
        return to_millis(moment)
    if isinstance(moment, int | float):
        return round(moment * 1000)
    return to_millis(datetime.fromisoformat(moment))


# ------------------------------------------------------------------------------------------------------ events


def _data(kind: str, details: Wire) -> dict[str, Any]:
    data = {key: details[name] for name, key in _AS_IS.items() if details.get(name) is not None}
    data |= {key: millis(details[name]) for name, key in _INSTANTS.items() if details.get(name) is not None}
    if kind == "CallbackStarted":
        data |= {key: details.get(name) or 0 for name, key in _CALLBACK_TIMEOUTS.items()}
    elif kind == "ExecutionStarted":
        data["timeout"] = details.get("ExecutionTimeout") or 0
    for name, key in (("Input", "input"), ("Result", "result"), ("Reason", "reason")):
        if name in details:
            data[key] = (details[name] or {}).get("Payload")
    if "Error" in details:
        data["error"] = _error(details["Error"])
    return data | _retry(details.get("RetryDetails") or {})


def _error(wire: Wire | None) -> ErrorObject | None:
    payload = (wire or {}).get("Payload")
    return parse_error(payload) if payload is not None else None


def _retry(wire: Wire) -> dict[str, Any]:
    data = {"attempt": wire["CurrentAttempt"]} if wire.get("CurrentAttempt") is not None else {}
    # Only its presence says that there will be another attempt.
    return {**data, "delay": wire["NextAttemptDelaySeconds"]} if wire.get("NextAttemptDelaySeconds") else data


_AS_IS = {
    "Duration": "duration",
    "CallbackId": "callback_id",
    "FunctionName": "function_name",
    "TenantId": "tenant_id",
    "ExecutedVersion": "version",
    "DurableExecutionArn": "execution_arn",
    "RequestId": "request_id",
    "ExecutionTimeoutPaused": "timeout_paused",
}
_INSTANTS = {
    "ScheduledEndTimestamp": "scheduled_end_at",
    "StartTimestamp": "started_at",
    "EndTimestamp": "ended_at",
    "PauseRequestTimestamp": "pause_requested_at",
    "ResumeRequestTimestamp": "resume_requested_at",
}
_CALLBACK_TIMEOUTS = {"Timeout": "timeout", "HeartbeatTimeout": "heartbeat_timeout"}


# --------------------------------------------------------------------------------------------------- executions


_STATUS_AFTER = {
    "ExecutionSucceeded": ExecutionStatus.SUCCEEDED,
    "ExecutionFailed": ExecutionStatus.FAILED,
    "ExecutionTimedOut": ExecutionStatus.TIMED_OUT,
    "ExecutionStopped": ExecutionStatus.STOPPED,
}


def _header(execution: Wire, history: Sequence[HistoryEvent]) -> ExecutionHeader:
    arn = execution["DurableExecutionArn"]
    first = next((event.data for event in history if event.event_type == "ExecutionStarted"), {})
    last = next((event for event in history if event.event_type in _STATUS_AFTER), None)
    result, error = _outcome(execution, last)
    return ExecutionHeader(
        arn=arn,
        function_arn=_function_arn(arn),
        name=execution["DurableExecutionName"],
        started_at=millis(execution["StartTimestamp"]),
        input_payload=execution.get("InputPayload") or first.get("input"),
        execution_timeout=first.get("timeout") or None,
        status=_status(execution, last),
        ended_at=_ended_at(execution, last),
        result=result,
        error=error,
        pause=_pause(execution),
    )


def _pause(execution: Wire) -> Pause | None:
    told = execution.get("PauseDetails")
    if not told:
        return None
    requested_at = millis(told["PauseRequestTimestamp"])
    return Pause(requested_at=requested_at, reason=told.get("Reason"), timeout_paused=told["ExecutionTimeoutPaused"])


def _outcome(execution: Wire, last: HistoryEvent | None) -> tuple[str | None, ErrorObject | None]:
    """The answer first: unlike an event's, its payload is never cut short."""
    told = last.data if last is not None else {}
    result = execution.get("Result")
    error = parse_error(execution["Error"]) if execution.get("Error") is not None else told.get("error")
    return (result if result is not None else told.get("result")), error


def _status(execution: Wire, last: HistoryEvent | None) -> ExecutionStatus:
    """The event decides: it may have come after the answer. States of newer releases are not over."""
    if last is not None:
        return _STATUS_AFTER[last.event_type]
    status = execution.get("Status")
    return ExecutionStatus(status) if status in set(ExecutionStatus) else ExecutionStatus.RUNNING


def _ended_at(execution: Wire, last: HistoryEvent | None) -> int | None:
    if execution.get("EndTimestamp") is not None:
        return millis(execution["EndTimestamp"])
    return last.timestamp if last is not None else None


def _function_arn(arn: str) -> str:
    parts = ExecutionArn.parse(arn)
    return parts.function_arn if parts is not None else arn.partition("/")[0].rpartition(":")[0]


def _root(header: ExecutionHeader) -> Operation:
    parts = ExecutionArn.parse(header.arn)
    over = header.status.is_over
    return Operation(
        id=parts.id if parts is not None else header.arn.rpartition("/")[2],
        type=Type.EXECUTION,
        status=Status(header.status) if over else Status.STARTED,
        started_at=header.started_at,
        ended_at=header.ended_at,
        name=header.name,
        details=ExecutionDetails(input_payload=header.input_payload),
    )


def _invocations(history: Sequence[HistoryEvent]) -> tuple[Invocation, ...]:
    """Those that are over: one that runs leaves no trace before it ends."""
    completed = [event for event in history if event.event_type == "InvocationCompleted"]
    return tuple(
        Invocation(
            number=number,
            request_id=event.data.get("request_id", ""),
            started_at=event.data.get("started_at", event.timestamp),
            ended_at=event.data.get("ended_at", event.timestamp),
            error=event.data.get("error"),
        )
        for number, event in enumerate(completed, start=1)
    )


# --------------------------------------------------------------------------------------------------- operations


def operations_after(history: Sequence[HistoryEvent]) -> tuple[Operation, ...]:
    """The operations as they stand after these events, in order of start, without the EXECUTION operation."""
    found: dict[str, Operation] = {}
    for event in history:
        kind = next((each for each in _TYPES if event.event_type.startswith(each)), None)
        if kind is not None and event.operation_id is not None:
            known = found.get(event.operation_id) or _new(kind, event.operation_id, event)
            found[event.operation_id] = _after(known, event, event.event_type.removeprefix(kind))
    return tuple(found.values())


def _new(kind: str, operation_id: str, event: HistoryEvent) -> Operation:
    return Operation(
        id=operation_id,
        type=_TYPES[kind],
        status=Status.STARTED,
        started_at=event.timestamp,
        parent_id=event.parent_id,
        name=event.name,
        sub_type=event.sub_type,
        details=_DETAILS[kind](event.data),
    )


def _after(operation: Operation, event: HistoryEvent, what: str) -> Operation:
    """The operation once an event of its own has happened. Kinds of newer releases change nothing."""
    details = operation.details
    if isinstance(details, StepDetails):
        return _step_after(operation, details, event, what)
    if what not in _ENDS:
        return operation
    ended = replace(operation, status=_ENDS[what], ended_at=event.timestamp)
    if isinstance(details, CallbackDetails | ContextDetails | ChainedInvokeDetails):
        outcome = replace(details, result=event.data.get("result"), error=event.data.get("error"))
        return replace(ended, details=outcome)
    return ended


def _step_after(operation: Operation, details: StepDetails, event: HistoryEvent, what: str) -> Operation:
    """A step may begin and end several times: each attempt does."""
    if what == "Started":
        return replace(operation, status=Status.STARTED, details=replace(details, next_attempt_at=None))
    if what not in _ENDS:
        return operation
    data, delay = event.data, event.data.get("delay")
    after = StepDetails(
        attempt=data.get("attempt", details.attempt + 1),
        next_attempt_at=event.timestamp + delay * 1000 if delay else None,
        result=data.get("result"),
        error=data.get("error"),
    )
    if delay:
        return replace(operation, status=Status.PENDING, details=after)
    return replace(operation, status=_ENDS[what], ended_at=event.timestamp, details=after)


def _wait(data: Wire) -> WaitDetails:
    return WaitDetails(duration=data.get("duration", 0), scheduled_end_at=data.get("scheduled_end_at", 0))


def _callback(data: Wire) -> CallbackDetails:
    return CallbackDetails(
        callback_id=data.get("callback_id", ""),
        timeout=data.get("timeout", 0),
        heartbeat_timeout=data.get("heartbeat_timeout", 0),
    )


def _chained(data: Wire) -> ChainedInvokeDetails:
    return ChainedInvokeDetails(
        function_name=data.get("function_name", ""),
        input_payload=data.get("input"),
        tenant_id=data.get("tenant_id"),
        execution_arn=data.get("execution_arn"),
    )


_TYPES = {
    "Step": Type.STEP,
    "Wait": Type.WAIT,
    "Callback": Type.CALLBACK,
    "Context": Type.CONTEXT,
    "ChainedInvoke": Type.CHAINED_INVOKE,
}
_DETAILS: dict[str, Callable[[Wire], Details]] = {
    "Step": lambda _: StepDetails(),
    "Wait": _wait,
    "Callback": _callback,
    "Context": lambda _: ContextDetails(),
    "ChainedInvoke": _chained,
}
_ENDS = {
    "Succeeded": Status.SUCCEEDED,
    "Failed": Status.FAILED,
    "TimedOut": Status.TIMED_OUT,
    "Stopped": Status.STOPPED,
    "Cancelled": Status.CANCELLED,
}

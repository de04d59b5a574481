"""An execution as the API tells of it, read back into a record, so that it can be drawn as one of a store is."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from .._model.enums import ExecutionStatus
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import ExecutionHeader, ExecutionRecord, Invocation
from .._model.history import HistoryEvent
from .._model.instants import to_millis
from .._model.operation import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    Details,
    Operation,
    StepDetails,
    WaitDetails,
)
from .._wire.updates import parse_error

Wire = dict[str, Any]

_EVENT = re.compile(r"(Context|Wait|Step|ChainedInvoke|Callback)([A-Z]\w+)")
_TYPES = {
    "Context": Type.CONTEXT,
    "Wait": Type.WAIT,
    "Step": Type.STEP,
    "ChainedInvoke": Type.CHAINED_INVOKE,
    "Callback": Type.CALLBACK,
}
_STATUSES = {
    "Started": Status.STARTED,
    "Succeeded": Status.SUCCEEDED,
    "Failed": Status.FAILED,
    "TimedOut": Status.TIMED_OUT,
    "Stopped": Status.STOPPED,
    "Cancelled": Status.CANCELLED,
}


def record_of(execution: Wire, events: Iterable[Wire]) -> ExecutionRecord:
    """What ``GetDurableExecution`` and the history say. Events of kinds that are not known are left out."""
    operations: dict[str, Operation] = {}
    invocations: list[Invocation] = []
    last = _millis(execution["StartTimestamp"])
    told = []
    for event in events:
        told.append(event)
        last = _millis(event["EventTimestamp"])
        if event["EventType"] == "InvocationCompleted":
            invocations.append(_invocation(len(invocations) + 1, event, last))
        elif (found := _EVENT.fullmatch(event["EventType"])) is not None and found[2] in _STATUSES:
            operations[event["Id"]] = _after(operations.get(event["Id"]), event, found[1], found[2])
    return ExecutionRecord(
        header=_header(execution),
        operations=tuple(operations.values()),
        events=_instants(last) if told else (),
        invocations=tuple(invocations),
    )


def _header(execution: Wire) -> ExecutionHeader:
    ended = execution.get("EndTimestamp")
    return ExecutionHeader(
        arn=execution["DurableExecutionArn"],
        function_arn=execution["FunctionArn"],
        name=execution.get("DurableExecutionName", ""),
        started_at=_millis(execution["StartTimestamp"]),
        input_payload=execution.get("InputPayload"),
        status=ExecutionStatus(execution["Status"]),
        ended_at=_millis(ended) if ended is not None else None,
        result=execution.get("Result"),
        error=_error(execution.get("Error")),
    )


def _instants(last: int) -> tuple[HistoryEvent, ...]:
    """One event that tells how far the execution has come: a tree is drawn from operations."""
    return (HistoryEvent(0, "", last, None, None, None, None, {}),)


def _invocation(number: int, event: Wire, now: int) -> Invocation:
    details = event.get("InvocationCompletedDetails", {})
    return Invocation(
        number=number,
        request_id=details.get("RequestId", ""),
        started_at=_millis(details["StartTimestamp"]) if "StartTimestamp" in details else now,
        ended_at=now,
        error=_error(details.get("Error", {}).get("Payload")),
    )


def _after(known: Operation | None, event: Wire, kind: str, what: str) -> Operation:
    """An operation after one of its events."""
    now, details = _millis(event["EventTimestamp"]), event.get(f"{event['EventType']}Details", {})
    operation = known or Operation(
        id=event["Id"],
        type=_TYPES[kind],
        status=Status.STARTED,
        started_at=now,
        parent_id=event.get("ParentId"),
        name=event.get("Name"),
        sub_type=event.get("SubType"),
        details=_begun(kind, details, now),
    )
    if what == "Started":
        return replace(operation, status=Status.STARTED)
    outcome = _outcome(operation.details, details, now)
    if "NextAttemptDelaySeconds" in details.get("RetryDetails", {}):
        return replace(operation, status=Status.PENDING, details=outcome)
    return replace(operation, status=_STATUSES[what], ended_at=now, details=outcome)


def _begun(kind: str, details: Wire, now: int) -> Details:
    match kind:
        case "Wait":
            due = _millis(details["ScheduledEndTimestamp"]) if "ScheduledEndTimestamp" in details else now
            return WaitDetails(duration=details.get("Duration", 0), scheduled_end_at=due)
        case "Callback":
            return CallbackDetails(
                callback_id=details.get("CallbackId", ""),
                timeout=details.get("Timeout", 0),
                heartbeat_timeout=details.get("HeartbeatTimeout", 0),
            )
        case "ChainedInvoke":
            arn = details.get("DurableExecutionArn")
            return ChainedInvokeDetails(function_name=details.get("FunctionName", ""), execution_arn=arn)
        case "Context":
            return ContextDetails()
    return StepDetails()


def _outcome(details: Details, told: Wire, now: int) -> Details:
    """The details of an operation with what an event says of its end, or of the end of an attempt."""
    result, error = told.get("Result", {}).get("Payload"), _error(told.get("Error", {}).get("Payload"))
    if isinstance(details, StepDetails):
        retry = told.get("RetryDetails", {})
        delay = retry.get("NextAttemptDelaySeconds")
        due = now + delay * 1000 if delay is not None else None
        attempt = retry.get("CurrentAttempt", details.attempt + 1)
        return StepDetails(attempt=attempt, next_attempt_at=due, result=result, error=error)
    if isinstance(details, CallbackDetails | ChainedInvokeDetails | ContextDetails):
        return replace(details, result=result, error=error)
    return details


def _error(told: Wire | None) -> ErrorObject | None:
    return parse_error(told) if told else None


def _millis(instant: datetime) -> int:
    return to_millis(instant)

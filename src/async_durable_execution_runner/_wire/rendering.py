"""The engine's data in wire shape."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from .._model.errors import ErrorObject
from .._model.execution import ExecutionHeader, Pause
from .._model.history import HistoryEvent
from .._model.instants import from_millis
from .._model.operation import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    ExecutionDetails,
    Operation,
    StepDetails,
    WaitDetails,
)

Wire = dict[str, Any]
Instant = Callable[[int], Any]

instant = functools.lru_cache(maxsize=2048)(from_millis)


def render_error(error: ErrorObject) -> Wire:
    """API Reference: ErrorObject."""
    wire: Wire = {}
    if error.message is not None:
        wire["ErrorMessage"] = error.message
    if error.type is not None:
        wire["ErrorType"] = error.type
    if error.data is not None:
        wire["ErrorData"] = error.data
    if error.stack_trace is not None:
        wire["StackTrace"] = list(error.stack_trace)
    return wire


# --------------------------------------------------------------------------------------------------- operations


def render_operation(operation: Operation, moment: Instant = instant, shift: int = 0) -> Wire:
    """API Reference: Operation. Instants through ``moment``; deadlines moved by ``shift`` milliseconds."""
    wire: Wire = {"Id": operation.id}
    if operation.parent_id is not None:
        wire["ParentId"] = operation.parent_id
    if operation.name is not None:
        wire["Name"] = operation.name
    wire["Type"] = operation.type._value_  # the property of an enum's member costs a call
    if operation.sub_type is not None:
        wire["SubType"] = operation.sub_type
    wire["StartTimestamp"] = moment(operation.started_at)
    if operation.ended_at is not None:
        wire["EndTimestamp"] = moment(operation.ended_at)
    wire["Status"] = operation.status._value_
    details = operation.details
    name, render = _DETAILS[type(details)]
    wire[name] = render(details, moment, shift)
    return wire


def _execution(details: ExecutionDetails, moment: Instant, shift: int) -> Wire:
    return {"InputPayload": details.input_payload} if details.input_payload is not None else {}


def _step(details: StepDetails, moment: Instant, shift: int) -> Wire:
    wire: Wire = {"Attempt": details.attempt}
    if details.next_attempt_at is not None:
        wire["NextAttemptTimestamp"] = moment(details.next_attempt_at + shift)
    return _outcome(wire, details.result, details.error)


def _wait(details: WaitDetails, moment: Instant, shift: int) -> Wire:
    return {"ScheduledEndTimestamp": moment(details.scheduled_end_at + shift)}


def _callback(details: CallbackDetails, moment: Instant, shift: int) -> Wire:
    return _outcome({"CallbackId": details.callback_id}, details.result, details.error)


def _context(details: ContextDetails, moment: Instant, shift: int) -> Wire:
    wire: Wire = {"ReplayChildren": True} if details.replay_children else {}
    return _outcome(wire, details.result, details.error)


def _chained(details: ChainedInvokeDetails, moment: Instant, shift: int) -> Wire:
    return _outcome({}, details.result, details.error)


def _outcome(wire: Wire, result: str | None, error: ErrorObject | None) -> Wire:
    if result is not None:
        wire["Result"] = result
    if error is not None:
        wire["Error"] = render_error(error)
    return wire


_DETAILS: dict[type, tuple[str, Callable[..., Wire]]] = {
    ExecutionDetails: ("ExecutionDetails", _execution),
    StepDetails: ("StepDetails", _step),
    WaitDetails: ("WaitDetails", _wait),
    CallbackDetails: ("CallbackDetails", _callback),
    ContextDetails: ("ContextDetails", _context),
    ChainedInvokeDetails: ("ChainedInvokeDetails", _chained),
}


# -------------------------------------------------------------------------------------------------- executions


def render_summary(header: ExecutionHeader) -> Wire:
    """API Reference: Execution, as listings have it."""
    wire: Wire = {
        "DurableExecutionArn": header.arn,
        "DurableExecutionName": header.name,
        "FunctionArn": f"{header.function_arn}:{_version(header)}",
        "Status": header.status.value,
        "StartTimestamp": instant(header.started_at),
    }
    if header.ended_at is not None:
        wire["EndTimestamp"] = instant(header.ended_at)
    return wire


def render_execution(header: ExecutionHeader) -> Wire:
    """API Reference: GetDurableExecution."""
    wire = render_summary(header)
    if header.input_payload is not None:
        wire["InputPayload"] = header.input_payload
    wire["Version"] = _version(header)
    if header.pause is not None:
        wire["PauseDetails"] = _pause(header.pause)
    return _outcome(wire, header.result, header.error)


def _pause(pause: Pause) -> Wire:
    wire: Wire = {
        "PauseRequestTimestamp": instant(pause.requested_at),
        "ExecutionTimeoutPaused": pause.timeout_paused,
    }
    return wire if pause.reason is None else {**wire, "Reason": pause.reason}


def _version(header: ExecutionHeader) -> str:
    return header.arn.partition("/")[0].rpartition(":")[2]


# ------------------------------------------------------------------------------------------------------ events


def render_event(event: HistoryEvent, include_data: bool = True) -> Wire:
    """API Reference: Event. Without data, payloads are left out and said to be truncated."""
    wire: Wire = {
        "EventType": event.event_type,
        "EventId": event.event_id,
        "EventTimestamp": instant(event.timestamp),
    }
    if event.sub_type is not None:
        wire["SubType"] = event.sub_type
    if event.operation_id is not None:
        wire["Id"] = event.operation_id
    if event.name is not None:
        wire["Name"] = event.name
    if event.parent_id is not None:
        wire["ParentId"] = event.parent_id
    wire[f"{event.event_type}Details"] = _event_details(event, include_data)
    return wire


def _event_details(event: HistoryEvent, include_data: bool) -> Wire:
    data = event.data
    wire: Wire = {name: data[key] for key, name in _AS_IS.items() if data.get(key) is not None}
    if event.event_type == "ChainedInvokeStarted" or "timeout" not in data:
        pass
    elif event.event_type == "ExecutionStarted":
        wire["ExecutionTimeout"] = data["timeout"]
    else:
        wire |= {name: data[key] for key, name in _CALLBACK_TIMEOUTS.items() if data[key]}
    for key, name in _INSTANTS.items():
        if key in data:
            wire[name] = instant(data[key])
    for key, name in (("input", "Input"), ("result", "Result"), ("reason", "Reason")):
        if key in data:
            wire[name] = _payload(data[key], include_data)
    if "error" in data and not (data["error"] is None and event.event_type in _ERROR_OPTIONAL):
        error = data["error"]
        wire["Error"] = _payload(render_error(error) if error is not None else None, include_data)
    if "attempt" in data:
        wire["RetryDetails"] = {"CurrentAttempt": data["attempt"]}
        if "delay" in data:
            wire["RetryDetails"]["NextAttemptDelaySeconds"] = data["delay"]
    return wire


def _payload(payload: Any, include_data: bool) -> Wire:
    if payload is None:
        return {"Truncated": False}
    return {"Payload": payload, "Truncated": False} if include_data else {"Truncated": True}


_AS_IS = {
    "duration": "Duration",
    "callback_id": "CallbackId",
    "function_name": "FunctionName",
    "tenant_id": "TenantId",
    "version": "ExecutedVersion",
    "execution_arn": "DurableExecutionArn",
    "request_id": "RequestId",
    "timeout_paused": "ExecutionTimeoutPaused",
}
_INSTANTS = {
    "scheduled_end_at": "ScheduledEndTimestamp",
    "started_at": "StartTimestamp",
    "ended_at": "EndTimestamp",
    "pause_requested_at": "PauseRequestTimestamp",
    "resume_requested_at": "ResumeRequestTimestamp",
}
_CALLBACK_TIMEOUTS = {"timeout": "Timeout", "heartbeat_timeout": "HeartbeatTimeout"}
_ERROR_OPTIONAL = frozenset({"InvocationCompleted", "WaitCancelled"})

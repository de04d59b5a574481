"""Results and views, built from an execution's record when somebody asks for them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from . import result as views
from ._bridges.base import Bridge
from ._model.enums import ExecutionStatus
from ._model.enums import OperationType as Type
from ._model.errors import ErrorObject
from ._model.execution import ExecutionRecord
from ._model.operation import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    ExecutionDetails,
    Operation,
    StepDetails,
    WaitDetails,
)
from ._render.canvas import in_encoding
from ._render.page_data import execution_data
from ._render.reading import read_execution
from ._render.timeline import render_timeline
from ._render.tree import render_tree
from ._terminal import Terminal
from ._wire.rendering import render_event
from .clock import from_millis

_INVOCATION_STATUS = {
    **{status: "PENDING" for status in ExecutionStatus if not status.is_over},
    ExecutionStatus.SUCCEEDED: "SUCCEEDED",
}


def build_result(record: ExecutionRecord, bridge: Bridge, now: int) -> views.DurableFunctionTestResult:
    """The result of an execution as it stands."""
    header = record.header
    return views.DurableFunctionTestResult(
        status=bridge.invocation_status(_INVOCATION_STATUS.get(header.status, "FAILED")),
        execution_status=header.status,
        result=header.result,
        error=_error(bridge, header.error),
        execution_arn=header.arn,
        source=RecordSource(record, bridge, now),
    )


class RecordSource:
    """See ``ResultSource``."""

    def __init__(self, record: ExecutionRecord, bridge: Bridge, now: int) -> None:
        self._record, self._bridge, self._now = record, bridge, now

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordSource) and _as_known_to_the_service(self) == _as_known_to_the_service(other)

    def __hash__(self) -> int:
        return hash(self._record.header.arn)

    @property
    def record(self) -> ExecutionRecord:
        """The whole record."""
        return self._record

    def events(self) -> list[dict[str, Any]]:
        """See ``ResultSource.events``."""
        return [render_event(event) for event in self._record.events]

    def invocations(self) -> list[views.InvocationRecord]:
        """See ``ResultSource.invocations``."""
        return [
            views.InvocationRecord(
                number=each.number,
                request_id=each.request_id,
                start_timestamp=from_millis(each.started_at),
                end_timestamp=from_millis(each.ended_at) if each.ended_at is not None else None,
                error=_error(self._bridge, each.error),
            )
            for each in self._record.invocations
        ]

    def execution(self) -> views.ExecutionOperation:
        """See ``ResultSource.execution``."""
        root = next(operation for operation in self._record.operations if operation.type is Type.EXECUTION)
        view = self._view(root, {}, self._events_by_operation())
        assert isinstance(view, views.ExecutionOperation)
        return view

    def operations(self) -> list[views.Operation]:
        """See ``ResultSource.operations``."""
        children: dict[str | None, list[Operation]] = {}
        for operation in self._record.operations:
            if operation.type is not Type.EXECUTION:
                children.setdefault(operation.parent_id, []).append(operation)
        events = self._events_by_operation()
        return [self._view(operation, children, events) for operation in children.get(None, [])]

    def render(self, limit: int | None) -> str:
        """See ``ResultSource.render``. Never raises: what cannot be drawn says why."""
        try:
            return render_tree(self._record, self._now, limit)
        except Exception as error:  # noqa: BLE001 - a report that fails must not hide the test's own failure
            return f"The execution cannot be drawn: {type(error).__name__}: {error}"

    def render_timeline(self, width: int | None, color: bool | None, limit: int) -> str:
        """See ``ResultSource.render_timeline``. Never raises, as ``render``."""
        terminal = Terminal.of_process()
        try:
            text = render_timeline(
                read_execution(self._record, self._now),
                width=width if width is not None else terminal.width,
                colour=color if color is not None else terminal.colour,
                limit=limit,
            )
        except Exception as error:  # noqa: BLE001 - as above
            return f"The timeline cannot be drawn: {type(error).__name__}: {error}"
        return in_encoding(text, terminal.encoding)

    def page_data(self) -> dict[str, Any]:
        """See ``ResultSource.page_data``."""
        return execution_data(self._record, self._now)

    def _events_by_operation(self) -> dict[str | None, list[dict[str, Any]]]:
        found: dict[str | None, list[dict[str, Any]]] = {}
        for event in self._record.events:
            found.setdefault(event.operation_id, []).append(render_event(event))
        return found

    def _view(
        self,
        operation: Operation,
        children: dict[str | None, list[Operation]],
        events: dict[str | None, list[dict[str, Any]]],
    ) -> views.Operation:
        bridge, details = self._bridge, operation.details
        is_root = operation.type is Type.EXECUTION
        common: dict[str, Any] = {
            "operation_id": operation.id,
            "operation_type": bridge.operation_type(operation.type.value),
            "sub_type": _sub_type(bridge, operation.sub_type),
            "status": bridge.operation_status(operation.status.value),
            "parent_id": operation.parent_id,
            "name": operation.name,
            "start_timestamp": from_millis(operation.started_at),
            "end_timestamp": from_millis(operation.ended_at) if operation.ended_at is not None else None,
            "events": [
                event for event in events.get(None if is_root else operation.id, []) if _belongs(event, is_root)
            ],
        }
        if not isinstance(details, ExecutionDetails | WaitDetails):
            common |= {"result": details.result, "error": _error(bridge, details.error)}
        if isinstance(details, StepDetails | ContextDetails):
            # Only these are in the SDK's own format; what comes from outside is plain text or JSON.
            common["decode"] = bridge.decode
        match details:
            case ExecutionDetails():
                return views.ExecutionOperation(**common, input_payload=details.input_payload)
            case StepDetails():
                due = details.next_attempt_at
                return views.StepOperation(
                    **common,
                    attempt=details.attempt,
                    next_attempt_timestamp=from_millis(due) if due is not None else None,
                )
            case WaitDetails():
                end = from_millis(details.scheduled_end_at)
                return views.WaitOperation(**common, duration=details.duration, scheduled_end_timestamp=end)
            case CallbackDetails():
                return views.CallbackOperation(
                    **common,
                    callback_id=details.callback_id,
                    timeout=details.timeout or None,
                    heartbeat_timeout=details.heartbeat_timeout or None,
                )
            case ContextDetails():
                inside = [self._view(child, children, events) for child in children.get(operation.id, [])]
                return views.ContextOperation(**common, child_operations=inside)
            case ChainedInvokeDetails():
                return views.InvokeOperation(
                    **common, function_name=details.function_name, execution_arn=details.execution_arn
                )


def _as_known_to_the_service(source: RecordSource) -> ExecutionRecord:
    """Without the traceback, so that a result from the cloud can equal one from here."""
    return replace(source._record, first_failure=None)  # noqa: SLF001 - for the class above


def _belongs(event: dict[str, Any], is_root: bool) -> bool:
    return not is_root or event["EventType"].startswith("Execution")


def _error(bridge: Bridge, error: ErrorObject | None) -> Any:
    if error is None:
        return None
    trace = list(error.stack_trace) if error.stack_trace is not None else None
    return bridge.error_object(error.message, error.type, error.data, trace)


def _sub_type(bridge: Bridge, text: str | None) -> Any:
    """The SDK's member, or the text where the SDK has none."""
    if text is None:
        return None
    try:
        return bridge.operation_sub_type(text)
    except ValueError:
        return text

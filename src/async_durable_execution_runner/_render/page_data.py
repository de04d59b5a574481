"""What a page is made from: an execution's view as plain data, its payloads shortened."""

from __future__ import annotations

from typing import Any

from .._model.errors import ErrorObject
from .._model.execution import ExecutionRecord
from .._model.failure import FailureNote
from .._model.history import HistoryEvent
from .reading import read_execution
from .scale import positions
from .view import Bar, InvocationSpan, Lane
from .words import duration

PAYLOAD, PAGE, TIGHT = 16_000, 2_000_000, 300
"""Characters of one payload; of all payloads of an execution; and of each payload once those are used up."""
ROOM = 240
"""How many things of one instant stand beside one another before time is compressed for them."""
_HALF = 0.5
"""Where no time passes, a few things do not fill the line: they would look as if they took long."""
_SECONDS = {"delay", "duration", "timeout", "heartbeat_timeout"}
_INSTANTS = {"started_at", "ended_at", "scheduled_end_at"}


def execution_data(record: ExecutionRecord, now: int) -> dict[str, Any]:
    """An execution for a page. Instants in milliseconds since its start, payloads as text of limited length."""
    view, cutter = read_execution(record, now), _Cutter()
    header = record.header
    places = positions(view.moments, room=max(ROOM, len(view.moments)))
    reached = max(*places.values(), 0 if view.end > view.start else _HALF)
    by_operation: dict[str, list[int]] = {}
    for number, event in enumerate(record.events):
        if event.operation_id is not None:
            by_operation.setdefault(event.operation_id, []).append(number)
    return {
        "name": view.name,
        "arn": view.arn,
        "status": view.status.value,
        "start": view.start,
        "end": view.end - view.start,
        "input": cutter.cut(header.input_payload),
        "result": cutter.cut(header.result),
        "error": _error(header.error, cutter),
        "failure": _failure(record.first_failure, cutter),
        "moments": [at - view.start for at in view.moments],
        "places": [round(places[order] / reached, 5) for order in range(len(view.moments))],
        "lanes": [_lane(lane, view.start, by_operation.get(lane.id, [])) for lane in view.lanes],
        "invocations": [_invocation(span) for span in view.invocations],
        "events": [
            _event(event, order, view.start, cutter)
            for event, order in zip(record.events, view.event_orders, strict=True)
        ],
    }


class _Cutter:
    """Shortens payloads, harder once a page is full."""

    def __init__(self) -> None:
        self._left = PAGE

    def cut(self, text: str | None) -> Any:
        """The text, or its beginning with its length in characters."""
        if text is None:
            return None
        limit = PAYLOAD if self._left > 0 else TIGHT
        self._left -= min(len(text), limit)
        return text if len(text) <= limit else {"text": text[:limit], "length": len(text)}


def _lane(lane: Lane, start: int, events: list[int]) -> dict[str, Any]:
    return {
        "id": lane.id,
        "name": lane.name,
        "kind": lane.kind,
        "type": lane.type.value,
        "status": lane.status.value,
        "depth": lane.depth,
        "children": lane.children,
        "start": lane.start - start,
        "end": lane.end - start if lane.end is not None else None,
        "attempts": lane.attempts,
        "facts": list(lane.facts),
        "error": lane.error,
        "pending": lane.pending,
        "bars": [_bar(bar, start) for bar in lane.bars],
        "marks": [{"what": mark.what, "at": mark.moment.order} for mark in lane.marks],
        "events": events,
    }


def _bar(bar: Bar, start: int) -> dict[str, Any]:
    found: dict[str, Any] = {
        "shape": bar.shape.value,
        "from": bar.start.order,
        "to": bar.end.order,
        "outcome": bar.outcome.value,
    }
    if bar.attempt is not None:
        found["attempt"] = bar.attempt
    if bar.due is not None:
        found["due"] = bar.due - start
    if bar.error is not None:
        found["error"] = bar.error
    return found


def _invocation(span: InvocationSpan) -> dict[str, Any]:
    return {
        "number": span.number,
        "request": span.request_id,
        "from": span.start.order,
        "to": span.end.order,
        "ending": span.ending.value,
        "replayed": span.replayed,
        "error": span.error,
    }


def _failure(failure: FailureNote | None, cutter: _Cutter) -> dict[str, Any] | None:
    """The first exception of the execution's own code."""
    if failure is None:
        return None
    trace = cutter.cut("\n".join(failure.traceback))
    return {"operation": failure.operation_id, "place": failure.place, "trace": trace}


def _event(event: HistoryEvent, order: int, start: int, cutter: _Cutter) -> dict[str, Any]:
    details = []
    for key, value in event.data.items():
        if value is None or value == 0:
            continue
        if isinstance(value, ErrorObject):
            details.append([key, _error(value, cutter)])
        elif key in _SECONDS:
            details.append([key, duration(int(value) * 1000)])
        elif key in _INSTANTS and isinstance(value, int):
            details.append([key, {"at": value - start}])
        else:
            details.append([key, cutter.cut(value if isinstance(value, str) else str(value))])
    return {
        "id": event.event_id,
        "type": event.event_type,
        "order": order,
        "operation": event.operation_id,
        "name": event.name,
        "details": details,
    }


def _error(error: ErrorObject | None, cutter: _Cutter) -> Any:
    if error is None:
        return None
    parts = {"type": error.type, "message": error.message, "data": error.data}
    found = {key: cutter.cut(text) for key, text in parts.items() if text is not None}
    if error.stack_trace:
        found["trace"] = cutter.cut("\n".join(error.stack_trace))
    return {"error": found}

"""The bars of operations, from the events of a history in one pass."""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._model.execution import ExecutionRecord
from .._model.history import HistoryEvent
from .ordering import Order
from .tree import error_line
from .view import Bar, Moment, Outcome, Shape

_SHAPES = {
    "StepStarted": Shape.ATTEMPT,
    "WaitStarted": Shape.WAIT,
    "CallbackStarted": Shape.CALLBACK,
    "ChainedInvokeStarted": Shape.INVOKE,
    "ContextStarted": Shape.CONTEXT,
}
_ENDINGS = {
    "Succeeded": Outcome.SUCCEEDED,
    "Failed": Outcome.FAILED,
    "TimedOut": Outcome.TIMED_OUT,
    "Stopped": Outcome.STOPPED,
    "Cancelled": Outcome.CANCELLED,
}


@dataclass(slots=True)
class _Operation:
    """One operation while the pass goes on."""

    bars: list[Bar]
    current: Bar | None = None
    attempts: int = 0

    def begin(self, bar: Bar) -> None:
        self.current = bar

    def end(self, moment: Moment, outcome: Outcome, error: str | None = None) -> None:
        if self.current is not None:
            self.bars.append(replace(self.current, end=moment, outcome=outcome, error=error))
            self.current = None


class Bars:
    """The bars of all operations, by operation id."""

    def __init__(self, record: ExecutionRecord, order: Order) -> None:
        self._order = order
        self._operations: dict[str, _Operation] = {}
        self._running: dict[str, None] = {}
        """Operations with an attempt under way: it dies with its invocation."""
        self._invocation = 0
        for event, moment in zip(record.events, order.events, strict=True):
            self._see(event, moment)
        left = Outcome.OPEN if record.header.ended_at is None else Outcome.LEFT_OPEN
        for operation in self._operations.values():
            operation.end(order.last, left)

    def of(self, operation_id: str) -> tuple[Bar, ...]:
        """The bars of one operation, in order."""
        found = self._operations.get(operation_id)
        return tuple(found.bars) if found is not None else ()

    def _see(self, event: HistoryEvent, moment: Moment) -> None:
        if event.event_type == "InvocationCompleted":
            self._invocation += 1
            for operation_id in self._running:
                self._operations[operation_id].end(moment, Outcome.INTERRUPTED)
            self._running.clear()
        if event.operation_id is None:
            return
        operation = self._operations.setdefault(event.operation_id, _Operation([]))
        shape = _SHAPES.get(event.event_type)
        if shape is not None:
            self._begin(operation, event, shape, moment)
        else:
            self._end(operation, event, moment)

    def _begin(self, operation: _Operation, event: HistoryEvent, shape: Shape, moment: Moment) -> None:
        operation.end(moment, Outcome.AGAIN)
        attempt = None
        if shape is Shape.ATTEMPT:
            assert event.operation_id is not None
            self._running[event.operation_id] = None
            attempt = operation.attempts + 1
        operation.begin(_bar(shape, moment, attempt, _due(event)))

    def _end(self, operation: _Operation, event: HistoryEvent, moment: Moment) -> None:
        if event.event_type.startswith("Step"):
            self._end_attempt(operation, event, moment)
            return
        outcome = next((each for word, each in _ENDINGS.items() if event.event_type.endswith(word)), None)
        if outcome is not None:  # what a newer service tells of an operation leaves it as it is
            operation.end(moment, outcome, _error(event))

    def _end_attempt(self, operation: _Operation, event: HistoryEvent, moment: Moment) -> None:
        assert event.operation_id is not None
        self._running.pop(event.operation_id, None)
        if operation.current is None:
            # It was interrupted, and ran again: an SDK does not report the start of such an attempt a second time.
            began = self._order.began.get(self._invocation + 1, moment)
            operation.begin(_bar(Shape.ATTEMPT, began, operation.attempts + 1))
        operation.attempts = event.data.get("attempt") or operation.attempts + 1
        delay = event.data.get("delay")
        failed = event.event_type == "StepFailed"
        succeeded = Outcome.SUCCEEDED if delay is None else Outcome.AGAIN
        operation.end(moment, Outcome.FAILED if failed else succeeded, _error(event))
        if delay is not None:
            operation.begin(_bar(Shape.RETRY, moment, operation.attempts + 1, moment.at + delay * 1000))


def _bar(shape: Shape, start: Moment, attempt: int | None = None, due: int | None = None) -> Bar:
    return Bar(shape=shape, start=start, end=start, outcome=Outcome.OPEN, attempt=attempt, due=due)


def _due(event: HistoryEvent) -> int | None:
    if event.event_type == "CallbackStarted" and event.data.get("timeout"):
        return event.timestamp + int(event.data["timeout"]) * 1000
    due = event.data.get("scheduled_end_at")
    return int(due) if due is not None else None


def _error(event: HistoryEvent) -> str | None:
    error = event.data.get("error")
    return error_line(error) if error is not None else None

"""The order of everything that happened: events, beginnings of invocations, heartbeats."""

from __future__ import annotations

from dataclasses import dataclass, field

from .._model.execution import ExecutionRecord
from .._model.history import HistoryEvent
from .._model.operation import CallbackDetails
from .view import Moment

# What the world does, as against what a handler reports. At one instant it comes before the invocation that it causes.
_FROM_OUTSIDE = {
    "ExecutionStarted",
    "WaitSucceeded",
    "CallbackSucceeded",
    "CallbackFailed",
    "CallbackTimedOut",
    "ChainedInvokeSucceeded",
    "ChainedInvokeFailed",
    "ChainedInvokeTimedOut",
    "ChainedInvokeStopped",
    "ExecutionTimedOut",
    "ExecutionStopped",
}


@dataclass(slots=True)
class Order:
    """Where each thing stands. Instants never go back, even if the clocks of a service did."""

    instants: list[int] = field(default_factory=list)
    events: list[Moment] = field(default_factory=list)
    began: dict[int, Moment] = field(default_factory=dict)
    """Beginnings of invocations, by number."""
    completed: dict[int, Moment] = field(default_factory=dict)
    heartbeats: dict[str, Moment] = field(default_factory=dict)
    """The last heartbeat of callbacks, by operation id."""

    @property
    def last(self) -> Moment:
        """The last moment so far."""
        return Moment(len(self.instants) - 1, self.instants[-1])

    def add(self, at: int) -> Moment:
        """The next thing."""
        self.instants.append(max(at, self.instants[-1]) if self.instants else at)
        return self.last


def order_of(record: ExecutionRecord, now: int) -> Order:
    """Everything in order; the last moment is the execution's end, or now."""
    order, beats, number = Order(), _heartbeats(record), 0
    starts = [invocation.started_at for invocation in record.invocations]
    for event in record.events:
        while beats and beats[0][0] < event.timestamp:
            at, operation_id = beats.pop(0)
            order.heartbeats[operation_id] = order.add(at)
        idle = number == len(order.completed)
        if idle and number < len(starts) and _begins_before(starts[number], event):
            number += 1
            order.began[number] = order.add(starts[number - 1])
        order.events.append(order.add(event.timestamp))
        if event.event_type == "InvocationCompleted":
            _complete(order, number)
    _rest(order, starts, beats)
    if record.header.ended_at is None or not order.instants:
        order.add(now if record.header.ended_at is None else record.header.ended_at)
    return order


def _complete(order: Order, number: int) -> None:
    """An invocation has ended. In a history without their beginnings it has begun just then."""
    number = max(number, len(order.completed) + 1)
    order.completed[number] = order.last
    order.began.setdefault(number, order.last)


def _begins_before(start: int, event: HistoryEvent) -> bool:
    if event.event_type == "InvocationCompleted":
        return True
    return start < event.timestamp or (start == event.timestamp and event.event_type not in _FROM_OUTSIDE)


def _rest(order: Order, starts: list[int], beats: list[tuple[int, str]]) -> None:
    """What began after the last event."""
    for at, operation_id in beats:
        order.heartbeats[operation_id] = order.add(at)
    for number in range(len(order.began) + 1, len(starts) + 1):
        order.began[number] = order.add(starts[number - 1])


def _heartbeats(record: ExecutionRecord) -> list[tuple[int, str]]:
    found = [
        (operation.details.heartbeat_at, operation.id)
        for operation in record.operations
        if isinstance(operation.details, CallbackDetails) and operation.details.heartbeat_at is not None
    ]
    return sorted(found)

"""One invocation answered from its recording.

Nothing that was recorded is done again. What had ended when the invocation began is known at once; the rest arrives in
the order in which it had ended, one answer whenever the handler can do nothing more without one.
"""

from __future__ import annotations

import heapq
import itertools
import math
import threading
from dataclasses import replace
from types import FrameType
from typing import Any

from .._bridges.asking import Door, Ticket
from .._bridges.asks import Ask
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.operation import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    Details,
    Operation,
    StepDetails,
    WaitDetails,
)
from .._wire.rendering import render_operation
from .matching import Asked, Matcher
from .places import Place, place_of
from .recording import Recording, Window
from .snapshots import as_json, take

_NEVER = math.inf
BATCHES = frozenset({"Map", "Parallel"})
"""Contexts whose branches run side by side."""


class Session:
    """See ``Listener``."""

    answers = True

    def __init__(self, recording: Recording, window: Window, *, in_threads: bool = False) -> None:
        self.recording, self.window = recording, window
        self.start = recording.state(window.start)
        self.end = recording.state(window.end)
        self.asked_for: list[Asked] = []
        self.activity = 0
        """How often anything was asked: whoever waits for quiet looks whether it has grown."""
        self.lock = threading.RLock()
        self.matcher = Matcher(recording)
        self._last = _last_events(recording, window)
        self._by_id: dict[str, Asked] = {}
        self._places: dict[str, Place | None] = {}
        self._open_callbacks: dict[str, tuple[Asked, Door]] = {}
        self._waiting: list[tuple[float, int, Asked, Ticket, Door]] = []
        self._order = itertools.count()
        self._speculates = False
        self._in_threads = in_threads
        self._batches_open = 0

    # ------------------------------------------------------------------------------------------------ listening

    def created(self, operation_id: str, frame: FrameType) -> None:
        """See ``Listener.created``."""
        self._places[operation_id] = place_of(frame)

    def asked(self, ask: Ask, door: Door) -> Ticket | None:
        """See ``Listener.asked``."""
        with self.lock:
            self.activity += 1
            known = self._by_id.get(ask.operation_id)
            if known is None:
                place = self._places.get(ask.operation_id)
                known = self._by_id[ask.operation_id] = self.matcher.match(ask, place)
                known.speculative = self._speculates
                known.inputs = {name: take(value, ask.operation_id) for name, value in ask.inputs.items()}
                known.payload = as_json(ask.inputs.get("payload"))
                self.asked_for.append(known)
            return self._answer(known, door)

    def returned(self, ask: Ask, door: Door) -> Ticket | None:
        """See ``Listener.returned``. Whatever a context gives now, what was recorded goes on: as in a real replay."""
        with self.lock:
            self.activity += 1
            asked = self._by_id[ask.operation_id]
            self._batches_open -= ask.sub_type in BATCHES
            recorded = self.end.get(asked.recorded.id) if asked.recorded is not None else None
            if recorded is None or not recorded.is_terminal or not self._ran(recorded.id) or _runs_again(recorded):
                return None
            return self._wait(self._last.get(recorded.id, 0), asked, door)

    def _answer(self, asked: Asked, door: Door) -> Ticket | None:
        ask, recorded = asked.ask, asked.recorded
        at_start = self.start.get(recorded.id) if recorded is not None else None
        if ask.type is Type.CONTEXT:
            self._batches_open += ask.sub_type in BATCHES
            self._give(door, asked, at_start)
            return None
        if recorded is None:
            return self._wait(_NEVER, asked, door)
        if ask.type is Type.CALLBACK:
            return self._callback(asked, recorded, at_start, door)
        if at_start is not None and at_start.is_terminal:
            self._give(door, asked, at_start)
            return None
        return self._wait(self._when(recorded), asked, door)

    def _callback(self, asked: Asked, recorded: Operation, at_start: Operation | None, door: Door) -> Ticket | None:
        if at_start is None:
            return self._wait(self.recording.started[recorded.id], asked, door)
        if not at_start.is_terminal:
            self._open_callbacks[recorded.id] = asked, door
        self._give(door, asked, at_start)
        return None

    def _give(self, door: Door, asked: Asked, operation: Operation | None) -> None:
        if operation is None:
            door.drop(asked.ask.operation_id)
        else:
            door.put(wire_of(_as_asked(operation, asked.ask)))

    def _when(self, recorded: Operation) -> float:
        """The event after which the handler could go on, or was told to wait."""
        at_end = self.end.get(recorded.id)
        if at_end is None or (at_end.type is Type.STEP and at_end.status is Status.STARTED):
            return _NEVER
        return self._last.get(recorded.id, 0)

    def _wait(self, when: float, asked: Asked, door: Door) -> Ticket:
        ticket = Ticket()
        heapq.heappush(self._waiting, (when, next(self._order), asked, ticket, door))
        if self._in_threads and not self._batches_open:
            self.release_next()  # one thread, and it waits: no need to find out whether all are quiet
        return ticket

    # ------------------------------------------------------------------------------------------------- releasing

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for an answer."""
        return bool(self._waiting)

    def release_next(self) -> bool:
        """The handler can do nothing more: give the answer that came first then. ``False`` if nobody waits for one."""
        with self.lock:
            if not self._waiting:
                return False
            when, _, asked, ticket, door = heapq.heappop(self._waiting)
            self._let_arrive(when)
            self.activity += 1
            ticket.release(suspends=not self._answered(asked, door))
            return True

    def _answered(self, asked: Asked, door: Door) -> bool:
        recorded = asked.recorded
        at_end = self.end.get(recorded.id) if recorded is not None else None
        if recorded is None:
            asked.forced = True
            return self._make_up(asked, door)
        if at_end is not None and asked.ask.type is Type.CALLBACK:
            self._open_callbacks[recorded.id] = asked, door
            self._give(door, asked, _reopened(at_end))
            return True
        if at_end is None or not at_end.is_terminal:
            return False
        self._give(door, asked, at_end)
        return True

    def _let_arrive(self, when: float) -> None:
        """Answers to callbacks that had arrived by then."""
        for key, (asked, door) in list(self._open_callbacks.items()):
            at_end = self.end[key]
            if at_end.is_terminal and self._last.get(key, _NEVER) <= when:
                del self._open_callbacks[key]
                self._give(door, asked, at_end)

    def _make_up(self, asked: Asked, door: Door) -> bool:
        """Go on without an answer, only to learn whether what was recorded still comes, or has been replaced."""
        if not self._left() or self.is_left_behind(asked.scope):
            return False
        self._speculates = True
        door.put(wire_of(_made_up(asked.ask, self.recording.header.started_at)))
        return True

    def _left(self) -> list[Operation]:
        """What was recorded where the handler's code has run, and has not been asked for."""
        taken = self.matcher.taken
        return [
            each
            for key, each in self.end.items()
            if key not in taken and (each.parent_id is None or (each.parent_id in taken and self._ran(each.parent_id)))
        ]

    def is_left_behind(self, scope: str | None) -> bool:
        """Whether a context was still open when what it stands in had ended: it may get further now, or less far."""
        is_open = False
        while scope is not None and scope in self.end:
            is_open = is_open or not self.end[scope].is_terminal
            scope = self.end[scope].parent_id
            if is_open and (self.window.outcome is not None or (scope in self.end and self.end[scope].is_terminal)):
                return True
        return False

    def _ran(self, context: str) -> bool:
        at_start = self.start.get(context)
        return at_start is None or not at_start.is_terminal

    @property
    def may_add(self) -> bool:
        """Whether more may be asked for than was recorded: the invocation was cut, and all of it was asked for."""
        return self.window.is_cut and not self._left()


def wire_of(operation: Operation) -> dict[str, Any]:
    """The operation as an invocation's event has it: instants in Unix milliseconds."""
    return render_operation(operation, int)


def _last_events(recording: Recording, window: Window) -> dict[str, int]:
    events = recording.events[window.start : window.end]
    return {event.operation_id: event.event_id for event in events if event.operation_id is not None}


def _runs_again(context: Operation) -> bool:
    return isinstance(context.details, ContextDetails) and context.details.replay_children


def _as_asked(operation: Operation, ask: Ask) -> Operation:
    """What was recorded, under the identity that the SDK looks for now."""
    return replace(operation, id=ask.operation_id, parent_id=ask.parent_id, name=ask.name, sub_type=ask.sub_type)


def _reopened(callback: Operation) -> Operation:
    details = callback.details
    assert isinstance(details, CallbackDetails)
    return replace(callback, status=Status.STARTED, ended_at=None, details=replace(details, result=None, error=None))


_EMPTY: dict[Type, Details] = {
    Type.STEP: StepDetails(attempt=1),
    Type.WAIT: WaitDetails(duration=1, scheduled_end_at=0),
    Type.CALLBACK: CallbackDetails(callback_id="made-up"),
    Type.CHAINED_INVOKE: ChainedInvokeDetails(function_name=""),
}


def _made_up(ask: Ask, now: int) -> Operation:
    return Operation(
        id=ask.operation_id,
        type=ask.type,
        status=Status.SUCCEEDED,
        started_at=now,
        ended_at=now,
        parent_id=ask.parent_id,
        name=ask.name,
        sub_type=ask.sub_type,
        details=_EMPTY[ask.type],
    )

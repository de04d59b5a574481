"""A recorded history, cut into the invocations that made it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from .._model.enums import ExecutionStatus
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import ExecutionRecord
from .._model.history import HistoryEvent
from .._model.operation import ContextDetails, Operation
from .._wire.history_reader import operations_after

_COMES_FROM_OUTSIDE = ("Wait", "Callback", "ChainedInvoke")
_OUTCOMES = {"ExecutionSucceeded": ExecutionStatus.SUCCEEDED, "ExecutionFailed": ExecutionStatus.FAILED}
_SUMMARIES = ("MapResult", "ParallelResult")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What the handler itself gave in the end."""

    status: ExecutionStatus
    result: str | None
    error: ErrorObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """One invocation: from what was known when it began to what was known when it ended, in numbers of events.

    ``after`` is set where the invocation is taken to have begun later than it did: after a crash at that event.
    """

    number: int
    start: int
    end: int
    after: int | None = None
    outcome: Outcome | None = None
    is_cut: bool = False
    """Whether it ended without saying so: it crashed, timed out, was stopped, or the history ends before it does."""

    @property
    def label(self) -> str:
        """The moment in words."""
        tail = f", begun again after event {self.after}" if self.after is not None else ""
        return f"invocation {self.number}{tail}"


class Recording:
    """An execution's record as a replay needs it."""

    def __init__(self, record: ExecutionRecord) -> None:
        self.header = record.header
        self.events = record.events
        self.root = next(each for each in record.operations if each.type is Type.EXECUTION)
        self._asked_for_children = {each.id for each in record.operations if _replays_children(each)}
        self._states: dict[int, dict[str, Operation]] = {}
        self.operations = self.state(len(self.events))
        self.scopes: dict[str | None, list[str]] = {}
        for operation in self.operations.values():
            self.scopes.setdefault(operation.parent_id, []).append(operation.id)
        self.started: dict[str, int] = {}
        for event in self.events:
            if event.operation_id in self.operations:
                self.started.setdefault(event.operation_id or "", event.event_id)

    def state(self, count: int) -> dict[str, Operation]:
        """The operations after so many events, by id, in order of start."""
        if count not in self._states:
            self._states[count] = {each.id: self._whole(each) for each in operations_after(self.events[:count])}
        return self._states[count]

    def _whole(self, operation: Operation) -> Operation:
        details = operation.details
        if operation.id in self._asked_for_children and operation.is_terminal and isinstance(details, ContextDetails):
            return replace(operation, details=replace(details, replay_children=True))
        return operation

    @property
    def outcome(self) -> Outcome | None:
        """What the execution has ended with, if its handler has ended it."""
        windows = self.windows()
        return windows[-1].outcome if windows else None

    def windows(self) -> list[Window]:
        """The invocations, in order."""
        return list(_windows(self.events, self.header.status))

    def moments(self, window: Window) -> list[Window]:
        """The same invocation begun again after each of its own events, as after a crash or a deploy there."""
        inside = range(window.start + 1, window.end)
        kinds = [self.events[count - 1].event_type for count in inside]
        return [
            replace(window, start=count, after=count)
            for count, kind in zip(inside, kinds, strict=True)
            if kind != "InvocationCompleted" and not kind.startswith("Execution")
        ]


def _replays_children(operation: Operation) -> bool:
    """Whether a finished context runs again to find its result. Events do not tell; what was stored gives it away."""
    details = operation.details
    if not isinstance(details, ContextDetails) or not operation.is_terminal or details.error is not None:
        return False
    # Even nothing is stored as a text, so where there is none the result was too large to be kept.
    return details.replay_children or not details.result or _is_summary(details.result)


def _is_summary(text: str | None) -> bool:
    if text is None or not any(word in text for word in _SUMMARIES):
        return False
    try:
        value = json.loads(text)
    except ValueError:
        return False
    return isinstance(value, dict) and value.get("type") in _SUMMARIES and "totalCount" in value


def _windows(events: Sequence[HistoryEvent], status: ExecutionStatus) -> Iterator[Window]:
    number, begin = 0, 1
    ends = [index for index, event in enumerate(events) if event.event_type == "InvocationCompleted"]
    for index in ends:
        number += 1
        said = events[index].data
        start = _known_at_start(events, begin, index, said.get("started_at"))
        outcome = _outcome(events, index + 1)
        last_of_all = index == ends[-1] and status in {ExecutionStatus.STOPPED, ExecutionStatus.TIMED_OUT}
        is_cut = (said.get("error") is not None and outcome is None) or _was_refused(outcome)
        yield Window(number=number, start=start, end=index + 1, outcome=outcome, is_cut=is_cut or last_of_all)
        begin = index + 1
    rest = [event for event in events[begin:] if not event.event_type.startswith("Execution")]
    if rest and _outcome(events, begin) is None:
        start = _known_at_start(events, begin, len(events), None)
        yield Window(number=number + 1, start=start, end=len(events), is_cut=True)
    elif not ends and status is ExecutionStatus.RUNNING:
        yield Window(number=1, start=1, end=len(events), is_cut=True)


def _was_refused(outcome: Outcome | None) -> bool:
    """Whether the service did not take what the handler asked for, which therefore left no trace."""
    error = outcome.error if outcome is not None else None
    return error is not None and "CheckpointDurableExecution" in (error.message or "")


def _known_at_start(events: Sequence[HistoryEvent], begin: int, end: int, started_at: int | None) -> int:
    """What comes from outside between two invocations is known to the second."""
    start = begin
    while start < end and _is_outside(events[start]) and (started_at is None or events[start].timestamp <= started_at):
        start += 1
    return start


def _is_outside(event: HistoryEvent) -> bool:
    kind = event.event_type
    return kind.startswith(_COMES_FROM_OUTSIDE) and not kind.endswith("Started")


def _outcome(events: Sequence[HistoryEvent], index: int) -> Outcome | None:
    event = events[index] if index < len(events) else None
    if event is None or event.event_type not in _OUTCOMES:
        return None
    data = event.data
    return Outcome(status=_OUTCOMES[event.event_type], result=data.get("result"), error=data.get("error"))

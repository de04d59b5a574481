"""What a store that writes changes one behind the other needs to make a record of them again."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

from .._model.execution import Change, ExecutionHeader, ExecutionRecord, Invocation
from .._model.history import HistoryEvent
from .._model.operation import Operation

__all__ = ["Folded", "Mark"]

_FOLDED = {"events", "operations", "header", "invocation", "invocations"}
# Parts of a change that are neither lists nor known by name replace the part of the record that is called the same.
_OTHERS = tuple(
    sorted(
        (
            {each.name for each in dataclasses.fields(Change)}
            & {each.name for each in dataclasses.fields(ExecutionRecord)}
        )
        - _FOLDED
    )
)


class Mark(NamedTuple):
    """What one change brought: ids of events and operations, and the number of the invocation it began or ended."""

    events: tuple[int, ...]
    operations: tuple[str, ...]
    invocation: int | None

    @classmethod
    def of(cls, change: Change) -> Mark:
        """The mark that a change leaves."""
        return cls(
            tuple([event.event_id for event in change.events]),
            tuple([operation.id for operation in change.operations]),
            change.invocation.number if change.invocation is not None else None,
        )


class Folded:
    """An execution and the changes since, as one. Holds references to immutable parts only."""

    __slots__ = ("_others", "events", "header", "invocations", "marks", "operations")

    def __init__(self, record: ExecutionRecord, marks: list[Mark] | None = None) -> None:
        self.header: ExecutionHeader = record.header
        self.operations: dict[str, Operation] = {operation.id: operation for operation in record.operations}
        self.events: list[HistoryEvent] = list(record.events)
        self.invocations: dict[int, Invocation] = {each.number: each for each in record.invocations}
        self.marks = marks if marks is not None else []
        self._others: dict[str, Any] = {name: getattr(record, name) for name in _OTHERS}

    def apply(self, change: Change) -> None:
        """Fold one more change in."""
        self.events += change.events
        for operation in change.operations:
            self.operations[operation.id] = operation
        if change.header is not None:
            self.header = change.header
        if change.invocation is not None:
            self.invocations[change.invocation.number] = change.invocation
        for name in _OTHERS:
            value = getattr(change, name)
            if value is not None:
                self._others[name] = value
        self.marks.append(Mark.of(change))

    @property
    def is_at_rest(self) -> bool:
        """Whether the execution has ended and no call of its handler is still running."""
        return self.header.ended_at is not None and all(each.ended_at is not None for each in self.invocations.values())

    def record(self) -> ExecutionRecord:
        """Everything so far."""
        return ExecutionRecord(
            header=self.header,
            operations=tuple(self.operations.values()),
            events=tuple(self.events),
            invocations=tuple(self.invocations.values()),
            **self._others,
        )

    def handed_out(self) -> ExecutionRecord:
        """Everything so far, for somebody who may do anything with it: events hold dicts, which can be changed."""
        record = self.record()
        copies = tuple([event._replace(data=dict(event.data)) for event in record.events])
        return dataclasses.replace(record, events=copies)

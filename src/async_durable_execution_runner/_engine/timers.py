"""One heap for every deadline of every execution of a runner."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._model.effects import Deadline

_Key = tuple[Deadline, str, str | None]


@dataclass(frozen=True, slots=True)
class Timer:
    """A deadline. ``payload`` belongs to whoever armed it."""

    kind: Deadline
    execution_arn: str
    due: int
    operation_id: str | None = None
    payload: Any = None


class Timers:
    """Deadlines in order of time, ties in order of creation."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Timer]] = []
        self._live: dict[_Key, int] = {}
        self._count = 0

    def arm(self, timer: Timer) -> None:
        """Add a deadline. One of the same kind for the same operation replaces the earlier one.

        Scripted answers are the exception: a callback may have several, heartbeats before the result.
        """
        self._count += 1
        heapq.heappush(self._heap, (timer.due, self._count, timer))
        if timer.kind is not Deadline.ANSWER:
            self._live[timer.kind, timer.execution_arn, timer.operation_id] = self._count

    def is_armed(self, kind: Deadline, execution_arn: str, operation_id: str | None = None) -> bool:
        """Whether such a deadline is pending."""
        return (kind, execution_arn, operation_id) in self._live

    def cancel(self, kind: Deadline, execution_arn: str, operation_id: str | None = None) -> None:
        """Forget a deadline; the heap drops it when it surfaces."""
        self._live.pop((kind, execution_arn, operation_id), None)

    def cancel_execution(self, execution_arn: str) -> None:
        """Forget every deadline of an execution."""
        for key in [key for key in self._live if key[1] == execution_arn]:
            del self._live[key]
        self._heap = [entry for entry in self._heap if entry[2].execution_arn != execution_arn]
        heapq.heapify(self._heap)

    def earliest(self) -> int | None:
        """When the next deadline is, or ``None`` if there is none."""
        while self._heap and not self._is_live(self._heap[0]):
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def pop_due(self, now: int) -> Timer | None:
        """Take the next deadline that is not later than ``now``."""
        heap = self._heap
        if not heap or heap[0][0] > now:
            return None  # whether the first one still counts or not: none is earlier
        due = self.earliest()
        if due is None or due > now:
            return None
        timer = heapq.heappop(self._heap)[2]
        if timer.kind is not Deadline.ANSWER:
            del self._live[timer.kind, timer.execution_arn, timer.operation_id]
        return timer

    def __iter__(self) -> Iterator[Timer]:
        return (entry[2] for entry in sorted(self._heap, key=lambda entry: entry[:2]) if self._is_live(entry))

    def _is_live(self, entry: tuple[int, int, Timer]) -> bool:
        timer = entry[2]
        if timer.kind is Deadline.ANSWER:
            return True
        return self._live.get((timer.kind, timer.execution_arn, timer.operation_id)) == entry[1]

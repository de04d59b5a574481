"""The clock of a runner. One of the two rooms that may look at real time.

Instants are Unix milliseconds inside and aware ``datetime`` objects (UTC) outside.
"""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from ._model.instants import from_millis, to_millis

__all__ = ["DEFAULT_START", "Clock", "RealClock", "VirtualClock", "from_millis", "to_millis", "to_seconds"]

DEFAULT_START = datetime(2025, 12, 1, tzinfo=UTC)
"""First instant of a virtual clock that was given none: fixed, so that histories repeat byte for byte."""


def to_seconds(duration: float | timedelta, what: str = "duration") -> float:
    """A duration in seconds. Raises ``ValueError`` for a negative one and ``TypeError`` for anything else."""
    if isinstance(duration, timedelta):
        duration = duration.total_seconds()
    if isinstance(duration, bool) or not isinstance(duration, int | float):
        raise TypeError(f"{what} is a number of seconds or a timedelta, not {duration!r}")
    if not duration >= 0:
        raise ValueError(f"{what} cannot be negative: {duration!r}")
    if duration == math.inf:
        raise ValueError(f"{what} must have an end: {duration!r}")
    return duration


@runtime_checkable
class Clock(Protocol):
    """What a runner needs from a clock."""

    @property
    def is_virtual(self) -> bool:
        """Whether time passes only when ``move_to`` says so."""

    def now_millis(self) -> int:
        """The present, in Unix milliseconds."""

    def move_to(self, millis: int) -> None:
        """Let time pass up to an instant. Only a virtual clock can; an instant in the past changes nothing."""


class VirtualClock:
    """Time that passes only when nothing can run. Free of the machine's clock, so every run is the same."""

    is_virtual = True

    def __init__(self, start: datetime | None = None) -> None:
        self._now = to_millis(start if start is not None else DEFAULT_START)

    def now_millis(self) -> int:
        """See ``Clock.now_millis``."""
        return self._now

    def move_to(self, millis: int) -> None:
        """See ``Clock.move_to``."""
        self._now = max(self._now, millis)

    def __repr__(self) -> str:
        return f"VirtualClock({from_millis(self._now).isoformat()})"


class RealClock:
    """The machine's own time: waits wait."""

    is_virtual = False

    def now_millis(self) -> int:
        """See ``Clock.now_millis``."""
        return time.time_ns() // 1_000_000

    def move_to(self, millis: int) -> None:
        """Nothing can hurry the real clock."""

    def __repr__(self) -> str:
        return "RealClock()"

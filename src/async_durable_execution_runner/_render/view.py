"""What an execution looks like, before anybody draws it: lanes, bars, invocations, instants.

All drawings are made from an ``ExecutionView``, so that a terminal and a page show the same.
Instants are integers: Unix milliseconds of the execution's clock. As on a virtual clock many things happen at one
instant, each thing also has its place in the order of all of them: a ``Moment`` is both.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .._model.enums import ExecutionStatus, OperationStatus, OperationType


class Moment(NamedTuple):
    """When something happened: its place in the order of everything, and the instant."""

    order: int
    at: int


class Shape(StrEnum):
    """What went on during a bar."""

    ATTEMPT = "ATTEMPT"
    RETRY = "RETRY"
    WAIT = "WAIT"
    CALLBACK = "CALLBACK"
    INVOKE = "INVOKE"
    CONTEXT = "CONTEXT"


class Outcome(StrEnum):
    """How a bar ended. The first ones are those of operations."""

    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    TIMED_OUT = "TIMED_OUT"
    STOPPED = "STOPPED"
    CANCELLED = "CANCELLED"
    AGAIN = "AGAIN"
    """A condition that was looked at and did not hold; or the delay before the next attempt, which is over."""
    INTERRUPTED = "INTERRUPTED"
    """The invocation ended under it. Another one runs it again."""
    OPEN = "OPEN"
    """It goes on."""
    LEFT_OPEN = "LEFT_OPEN"
    """The execution ended before it did."""


class Ending(StrEnum):
    """How an invocation ended."""

    SUSPENDED = "SUSPENDED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CRASHED = "CRASHED"
    RUNNING = "RUNNING"
    CUT_OFF = "CUT_OFF"
    """Nothing is known of its end, and the execution is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A span of an operation. ``attempt`` counts from 1. ``due`` is when a timer would end it, where there is one."""

    shape: Shape
    start: Moment
    end: Moment
    outcome: Outcome
    attempt: int | None = None
    due: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened to an open operation and left it open, such as a callback's heartbeat."""

    what: str
    moment: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One operation. ``pending`` says in words what it waits for, if it does."""

    id: str
    name: str | None
    kind: str
    type: OperationType
    status: OperationStatus
    parent_id: str | None
    depth: int
    children: int
    start: int
    end: int | None
    attempts: int
    bars: tuple[Bar, ...]
    marks: tuple[Mark, ...]
    facts: tuple[str, ...]
    error: str | None
    pending: str | None

    @property
    def is_open(self) -> bool:
        """Whether the operation is not over."""
        return self.end is None

    @property
    def label(self) -> str:
        """Its name, or what it is."""
        return self.name or self.kind


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationSpan:
    """One call of the handler. ``replayed`` counts operations that were over before it began."""

    number: int
    request_id: str
    start: Moment
    end: Moment
    ending: Ending
    replayed: int
    error: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionView:
    """An execution at one moment. ``moments`` are the instants of everything, in order, the last one the end or now."""

    name: str
    arn: str
    status: ExecutionStatus
    start: int
    end: int
    moments: tuple[int, ...]
    lanes: tuple[Lane, ...]
    invocations: tuple[InvocationSpan, ...]
    event_orders: tuple[int, ...]
    """The place of each event of the history, in the order of the history."""

    @property
    def is_over(self) -> bool:
        """Whether the execution has ended."""
        return self.status.is_over

    @property
    def pending(self) -> tuple[Lane, ...]:
        """The operations that wait for something."""
        return tuple(lane for lane in self.lanes if lane.pending is not None)

"""Operations and the updates that change them.

An operation is immutable; a transition makes a new one. So a snapshot is a reference, a refused batch leaves nothing
behind, and a store may keep what it is given.
Times are integers: Unix milliseconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from .enums import TERMINAL_STATUSES, OperationAction, OperationStatus, OperationType
from .errors import ErrorObject


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionDetails:
    """The root operation's own part."""

    input_payload: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepDetails:
    """A step's own part. ``attempt`` counts finished attempts."""

    attempt: int = 0
    next_attempt_at: int | None = None
    result: str | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitDetails:
    """A wait's own part. ``duration`` in seconds."""

    duration: int
    scheduled_end_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackDetails:
    """A callback's own part. Timeouts in seconds, 0 for none."""

    callback_id: str
    timeout: int = 0
    heartbeat_timeout: int = 0
    heartbeat_at: int | None = None
    """When somebody last said that an answer is being worked on."""
    result: str | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextDetails:
    """A child context's own part."""

    replay_children: bool = False
    result: str | None = None
    error: ErrorObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainedInvokeDetails:
    """A chained invoke's own part. ``execution_arn`` is the child's, where the target is durable."""

    function_name: str
    input_payload: str | None = None
    tenant_id: str | None = None
    execution_arn: str | None = None
    result: str | None = None
    error: ErrorObject | None = None


Details = ExecutionDetails | StepDetails | WaitDetails | CallbackDetails | ContextDetails | ChainedInvokeDetails


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One operation of an execution (API Reference: Operation)."""

    id: str
    type: OperationType
    status: OperationStatus
    started_at: int
    details: Details
    ended_at: int | None = None
    parent_id: str | None = None
    name: str | None = None
    sub_type: str | None = None

    @property
    def is_terminal(self) -> bool:
        """Whether nothing can change this operation any more."""
        return self.status in TERMINAL_STATUSES

    @property
    def label(self) -> str:
        """The operation as a person would name it."""
        return f"'{self.name}'" if self.name else f"{self.type.lower()} {self.id[:8]}…"


class OperationUpdate(NamedTuple):
    """What a checkpoint asks of one operation (API Reference: OperationUpdate). Delays and timeouts in seconds.

    A tuple, because a run reads thousands of them and setting the fields of a frozen object one by one costs more than
    all that is done with them. Fields are given by name.
    """

    id: str
    type: OperationType
    action: OperationAction
    parent_id: str | None = None
    name: str | None = None
    sub_type: str | None = None
    payload: str | None = None
    error: ErrorObject | None = None
    replay_children: bool = False
    next_attempt_delay: int | None = None
    wait_seconds: int | None = None
    callback_timeout: int = 0
    callback_heartbeat_timeout: int = 0
    function_name: str | None = None
    tenant_id: str | None = None
    has_options: frozenset[str] = frozenset()
    """Names of the option structures that were sent (``StepOptions`` …), so that a wrong one can be refused."""

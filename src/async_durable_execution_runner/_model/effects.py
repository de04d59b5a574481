"""What the machine asks the world to do, as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Deadline(StrEnum):
    """What happens when a deadline comes."""

    WAIT = "wait"
    RETRY = "retry"
    CALLBACK_TIMEOUT = "callback timeout"
    CALLBACK_HEARTBEAT = "callback heartbeat"
    EXECUTION_TIMEOUT = "execution timeout"
    INVOCATION_TIMEOUT = "invocation timeout"
    BACKOFF = "crash backoff"
    ANSWER = "scripted answer"
    CHAINED_INVOKE = "chained invoke"


@dataclass(frozen=True, slots=True)
class ArmTimer:
    """Call back at ``due`` (Unix milliseconds)."""

    kind: Deadline
    execution_arn: str
    due: int
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class CancelTimer:
    """Forget a deadline; one that is not armed is no mistake."""

    kind: Deadline
    execution_arn: str
    operation_id: str | None = None


@dataclass(frozen=True, slots=True)
class InvocationReady:
    """The handler is to be invoked as soon as something can run it."""

    execution_arn: str


@dataclass(frozen=True, slots=True)
class CallbackOpened:
    """Somebody may answer this callback from now on."""

    execution_arn: str
    operation_id: str


@dataclass(frozen=True, slots=True)
class ChainedInvokeRequested:
    """A function is to be invoked on behalf of an operation."""

    execution_arn: str
    operation_id: str


@dataclass(frozen=True, slots=True)
class ExecutionClosed:
    """The execution has ended."""

    execution_arn: str


Effect = ArmTimer | CancelTimer | InvocationReady | CallbackOpened | ChainedInvokeRequested | ExecutionClosed

"""What goes into the engine and what comes out of it, as data."""

from __future__ import annotations

from dataclasses import dataclass

from .._model.errors import ErrorObject
from .._model.operation import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """An invocation of a durable function from outside. Timeouts in seconds."""

    function_name: str
    input_payload: str | None
    execution_name: str | None = None
    account_id: str | None = None
    tenant_id: str | None = None
    execution_timeout: int | None = None
    synchronous: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class InvocationInput:
    """What the handler is called with. Instants in Unix milliseconds."""

    execution_arn: str
    function_name: str
    function_arn: str
    number: int
    request_id: str
    token: str
    operations: tuple[Operation, ...]
    next_marker: str | None
    updated_operation_ids: tuple[str, ...] | None
    started_at: int
    deadline: int
    tenant_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The handler gave an answer. ``status`` is ``None`` when what it gave is no valid answer; ``problem`` says why."""

    status: str | None
    result: str | None = None
    error: ErrorObject | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The handler gave no answer: it raised, exited or was killed.

    ``again_after`` is how many seconds pass before it is invoked again; ``None`` for what the service takes.
    """

    error: ErrorObject
    again_after: int | None = None


InvocationEnd = Returned | Crashed


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainCall:
    """One call of an ordinary function on behalf of a chained invoke."""

    execution_arn: str
    operation_id: str
    function_name: str
    payload: str | None
    tenant_id: str | None
    request_id: str

"""One execution as the service keeps it, and the transactions that change it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from .effects import Effect
from .enums import ExecutionStatus, OperationStatus, OperationType
from .errors import ErrorObject
from .failure import FailureNote
from .history import HistoryEvent
from .ids import ExecutionArn, checkpoint_token
from .operation import ExecutionDetails, Operation


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a handler said the execution ends, through a checkpoint of the EXECUTION operation."""

    failed: bool
    result: str | None
    error: ErrorObject | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """That an execution is to be paused, and once it is, since when. Times in Unix milliseconds."""

    requested_at: int
    reason: str | None = None
    timeout_paused: bool = True
    """Whether the time that the execution spends paused does not count towards its timeout."""
    paused_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionHeader:
    """What is known of an execution as a whole. Times in Unix milliseconds, timeouts in seconds."""

    arn: str
    function_arn: str
    name: str
    started_at: int
    input_payload: str | None
    execution_timeout: int | None = None
    retention_period_days: int = 14
    tenant_id: str | None = None
    parent_arn: str | None = None
    parent_operation_id: str | None = None
    depth: int = 0
    synchronous: bool = True
    status: ExecutionStatus = ExecutionStatus.RUNNING
    ended_at: int | None = None
    result: str | None = None
    error: ErrorObject | None = None
    outcome: Outcome | None = None
    """What a handler has said through a checkpoint, before its invocation and with it the execution ended."""
    pause: Pause | None = None
    timeout_extension: int = 0
    """Milliseconds that pauses have added to the timeout."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invocation:
    """One call of the handler. ``ended_at`` is ``None`` while it runs; ``error`` is set when the call itself failed."""

    number: int
    request_id: str
    started_at: int
    ended_at: int | None = None
    error: ErrorObject | None = None
    again: bool = False
    """Whether something had happened meanwhile that calls for another invocation at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What one accepted input changed: the unit a store appends. Single parts are there only if they changed."""

    events: tuple[HistoryEvent, ...]
    operations: tuple[Operation, ...]
    header: ExecutionHeader | None = None
    invocation: Invocation | None = None
    first_failure: FailureNote | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionRecord:
    """Everything about an execution at one moment, safe to keep."""

    header: ExecutionHeader
    operations: tuple[Operation, ...] = ()
    events: tuple[HistoryEvent, ...] = ()
    invocations: tuple[Invocation, ...] = ()
    first_failure: FailureNote | None = None


@dataclass(slots=True)
class RunningInvocation:
    """The service's side of a handler call in progress."""

    record: Invocation
    token: str
    sequence: int = 0
    changed: dict[str, None] = field(default_factory=dict)
    """Operations changed since this invocation last heard, in order of change."""
    from_outside: bool = False
    """Whether something outside completed while it ran."""
    undelivered: bool = False
    """Whether such a completion has not been told yet."""
    is_cut: bool = False
    """Whether a pause has taken its token away."""
    pages: dict[str, tuple[Operation, ...]] = field(default_factory=dict)
    """State that is handed out page by page, by name."""


class Execution:
    """The live state of one execution. It has one owner, the engine; everybody else gets a record."""

    def __init__(self, header: ExecutionHeader, arn: ExecutionArn) -> None:
        self.header = header
        self.arn = arn
        self.id = arn.id
        self.operations: dict[str, Operation] = {}
        self.events: list[HistoryEvent] = []
        self.invocations: list[Invocation] = []
        self.first_failure: FailureNote | None = None
        self.running: RunningInvocation | None = None
        self.updated_outside: dict[str, None] = {}
        self.pending: dict[str, None] = {}
        """Operations that something outside will complete: what an execution may be suspended on."""
        self.failures_in_a_row = 0
        self.empty_pendings_in_a_row = 0
        self.stored_bytes = 0
        self.answers: dict[str, tuple[str, int, Any]] = {}
        self.is_held = False
        """Whether its handler would be invoked if it were not paused."""
        self.requests: dict[str, tuple[Any, int]] = {}
        """Requests to pause and resume, by client token, and when they came."""

    @property
    def outcome(self) -> Outcome | None:
        """How the execution will end, where a handler has said so through a checkpoint."""
        return self.header.outcome

    @property
    def is_closed(self) -> bool:
        """Whether the execution has ended."""
        return self.header.status.is_over

    def begin(self, now: int) -> Transaction:
        """Start changing this execution."""
        return Transaction(self, now)

    def begin_invocation(self, record: Invocation) -> RunningInvocation:
        """Register a call of the handler that starts now."""
        self.invocations.append(record)
        self.running = RunningInvocation(record, checkpoint_token(self.id, record.number, 0))
        return self.running

    def rotate_token(self, running: RunningInvocation) -> str:
        """A new token for the next checkpoint of a running invocation."""
        running.sequence += 1
        running.token = checkpoint_token(self.id, running.record.number, running.sequence)
        return running.token

    def root(self) -> Operation:
        """The EXECUTION operation."""
        return self.operations[self.id]

    def snapshot(self) -> ExecutionRecord:
        """Everything so far, safe to keep."""
        return ExecutionRecord(
            header=self.header,
            operations=tuple(self.operations.values()),
            events=tuple(self.events),
            invocations=tuple(self.invocations),
            first_failure=self.first_failure,
        )


_AWAITED = frozenset({OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE})


class Transaction:
    """Changes of one input, held back until all of it is accepted.

    Nothing of a refused input is seen by anybody, because nothing is written before ``commit``.
    """

    __slots__ = (
        "effects",
        "events",
        "execution",
        "first_failure",
        "header",
        "invocation",
        "now",
        "operations",
        "stored_bytes",
    )

    def __init__(self, execution: Execution, now: int) -> None:
        self.execution = execution
        self.now = now
        self.operations: dict[str, Operation] = {}
        self.events: list[HistoryEvent] = []
        self.effects: list[Effect] = []
        self.header: ExecutionHeader | None = None
        self.invocation: Invocation | None = None
        self.first_failure: FailureNote | None = None
        self.stored_bytes = 0

    def operation(self, operation_id: str) -> Operation | None:
        """The operation as it stands after the updates so far."""
        return self.operations.get(operation_id) or self.execution.operations.get(operation_id)

    @property
    def outcome(self) -> Outcome | None:
        """How the execution will end, after the updates so far."""
        return (self.header or self.execution.header).outcome

    @property
    def new_operations(self) -> int:
        """How many operations this transaction adds."""
        return sum(1 for key in self.operations if key not in self.execution.operations)

    def put(self, operation: Operation) -> None:
        """Stage an operation's new state."""
        self.operations[operation.id] = operation

    def record(self, event_type: str, operation: Operation | None, data: dict[str, Any]) -> None:
        """Append an event of an operation, or of the execution itself.

        The execution's own events have the id of its EXECUTION operation; only InvocationCompleted has none. AWS's
        runners for deployed functions refuse a history in which it is otherwise.
        """
        event_id = len(self.execution.events) + len(self.events) + 1
        if operation is None:
            own = None if event_type == "InvocationCompleted" else self.execution.id
            event = HistoryEvent(event_id, event_type, self.now, own, None, None, None, data)
        else:
            event = HistoryEvent(
                event_id,
                event_type,
                self.now,
                operation.id,
                operation.name,
                operation.sub_type,
                operation.parent_id,
                data,
            )
        self.events.append(event)

    def conclude(self, outcome: Outcome) -> None:
        """Keep how the execution will end once its invocation does."""
        self.header = replace(self.header or self.execution.header, outcome=outcome)

    def close(self, status: ExecutionStatus, *, result: str | None = None, error: ErrorObject | None = None) -> None:
        """End the execution: header and root operation. The event is the caller's to record."""
        execution = self.execution
        header = replace(self.header or execution.header, status=status, ended_at=self.now, pause=None)
        self.header = replace(header, result=result, error=error)
        self.put(replace(execution.root(), status=OperationStatus(status), ended_at=self.now))

    def change(self) -> Change:
        """What the transaction changes, as the unit a store appends."""
        return Change(
            events=tuple(self.events),
            operations=tuple(self.operations.values()),
            header=self.header,
            invocation=self.invocation,
            first_failure=self.first_failure,
        )

    def commit(self) -> None:
        """Make the changes real. To be called once the store has them: what it could not keep has not happened."""
        execution, operations = self.execution, self.operations
        pending = execution.pending
        for key, operation in operations.items():
            if is_pending(operation):
                pending[key] = None
            else:
                pending.pop(key, None)
        execution.operations.update(operations)
        execution.events += self.events
        execution.stored_bytes += self.stored_bytes
        if self.header is not None:
            execution.header = self.header
        if self.first_failure is not None:
            execution.first_failure = self.first_failure
        if self.invocation is not None:
            execution.invocations[self.invocation.number - 1] = self.invocation


def is_pending(operation: Operation) -> bool:
    """Whether something outside will complete the operation."""
    if operation.type is OperationType.STEP:
        return operation.status is OperationStatus.PENDING
    return operation.type in _AWAITED and operation.status is OperationStatus.STARTED


def root_operation(execution: Execution, now: int) -> Operation:
    """The EXECUTION operation of a new execution. Its id is the last segment of the ARN."""
    return Operation(
        id=execution.id,
        type=OperationType.EXECUTION,
        status=OperationStatus.STARTED,
        started_at=now,
        name=execution.header.name,
        details=ExecutionDetails(input_payload=execution.header.input_payload),
    )

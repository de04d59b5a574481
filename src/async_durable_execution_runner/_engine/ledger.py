"""The executions of a runner, what is known of them, and how a change of one is made.

Every change goes the same way: staged in a transaction, kept by the store, committed, then published: observers hear of
its events and its effects are carried out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from .._model.effects import Deadline, Effect
from .._model.enums import ExecutionStatus
from .._model.execution import Execution, ExecutionRecord, Transaction
from .._model.failure import FailureNote
from .._model.history import HistoryEvent
from .._model.operation import CallbackDetails, Operation
from ..exceptions import ResourceConflictException, ResourceNotFoundException
from ..observer import ExecutionNotifier
from ..stores.base import ExecutionStore
from .timers import Timers


class Ledger:
    """Owns live executions, their deadlines, and the queue of those whose handler is to be invoked."""

    def __init__(
        self,
        store: ExecutionStore,
        notifier: ExecutionNotifier,
        render_event: Callable[[HistoryEvent], dict[str, Any]] | None = None,
    ) -> None:
        self.store = store
        self.notifier = notifier
        self.timers = Timers()
        self.ready: deque[str] = deque()
        self.executions: dict[str, Execution] = {}
        self.names: dict[tuple[str, str], str] = {}
        """ARNs by function ARN and execution name."""
        self._render_event = render_event

    def carry_out(self, effect: Effect, execution: Execution, now: int) -> None:
        """Do what a change asks for."""
        raise NotImplementedError

    def get(self, execution_arn: str) -> Execution:
        """The live execution. Raises ``ResourceNotFoundException`` for an unknown ARN."""
        execution = self.executions.get(execution_arn)
        if execution is None:
            raise ResourceNotFoundException(f"Durable execution not found: {execution_arn}")
        return execution

    def stored(self, execution_arn: str) -> ExecutionRecord | None:
        """What the store keeps of an execution, or ``None``."""
        try:
            return self.store.load(execution_arn)
        except ResourceNotFoundException:
            return None

    def record(self, execution_arn: str) -> ExecutionRecord | None:
        """Everything about an execution, live or in the store, or ``None``."""
        execution = self.executions.get(execution_arn)
        return execution.snapshot() if execution is not None else self.stored(execution_arn)

    def adopt(self, execution: Execution) -> None:
        """Own an execution that was made elsewhere."""
        header = execution.header
        self.executions[header.arn] = execution
        self.names[header.function_arn, header.name] = header.arn

    def forget(self, execution_arn: str) -> None:
        """Own an execution no more: its store does not keep it any longer. Its name is free again."""
        execution = self.executions.pop(execution_arn, None)
        if execution is not None:
            name = execution.header.function_arn, execution.header.name
            if self.names[name] == execution_arn:  # a later execution may have taken the name
                del self.names[name]

    def delete(self, execution_arn: str) -> None:
        """Forget an execution that is over, here and in the store.

        Raises ``ResourceNotFoundException``, and ``ResourceConflictException`` for one that is not over.
        """
        record = self.record(execution_arn) or self.get(execution_arn).snapshot()
        header = record.header
        if not header.status.is_over:
            raise ResourceConflictException(
                f"The execution '{header.name}' is {header.status} and cannot be deleted: stop it first."
            )
        self.store.delete(execution_arn)
        self.forget(execution_arn)

    def note(self, execution: Execution, operation: Operation, now: int) -> None:
        """Keep an operation's new state that is nobody's news: no event, nobody woken."""
        transaction = execution.begin(now)
        transaction.put(operation)
        self.commit(execution, transaction, now)

    def note_failure(self, execution_arn: str, failure: FailureNote) -> None:
        """Keep the first exception of an execution's own code for reports; later ones are not told."""
        execution = self.get(execution_arn)
        if execution.first_failure is None:
            transaction = execution.begin(execution.header.started_at)
            transaction.first_failure = failure
            self.keep(transaction)

    def complete(self, execution: Execution, operation: Operation, event: str, data: dict[str, Any], now: int) -> None:
        """Something outside has ended ``operation`` (its new state): write it down and wake the handler."""
        transaction = execution.begin(now)
        transaction.put(operation)
        transaction.record(event, operation, data)
        self._cancel_operation(execution.header.arn, operation)
        self.commit(execution, transaction, now)
        self.touch(execution, operation.id)

    def touch(self, execution: Execution, operation_id: str) -> None:
        """An operation was changed from outside: the running invocation will hear of it, or a new one begins."""
        execution.updated_outside[operation_id] = None
        running = execution.running
        if running is None:
            if not self._is_backing_off(execution.header.arn):
                self.make_ready(execution.header.arn)
            return
        running.changed[operation_id] = None
        running.from_outside = running.undelivered = True

    def _is_backing_off(self, execution_arn: str) -> bool:
        return self.timers.is_armed(Deadline.BACKOFF, execution_arn)

    def _cancel_operation(self, execution_arn: str, operation: Operation) -> None:
        if isinstance(operation.details, CallbackDetails):
            self.timers.cancel(Deadline.CALLBACK_TIMEOUT, execution_arn, operation.id)
            self.timers.cancel(Deadline.CALLBACK_HEARTBEAT, execution_arn, operation.id)

    def make_ready(self, execution_arn: str) -> None:
        """Let a driver invoke the handler next, or once the execution is paused no more."""
        execution = self.get(execution_arn)
        if execution.header.status is ExecutionStatus.PAUSED:
            execution.is_held = True
        elif execution_arn not in self.ready:
            self.ready.append(execution_arn)

    def commit(self, execution: Execution, transaction: Transaction, now: int) -> None:
        """Keep a change and publish it."""
        self.keep(transaction)
        self.publish(execution, transaction.events, transaction.effects, now)

    def keep(self, transaction: Transaction) -> None:
        """The store first: if it cannot keep a change, the live execution must not be ahead of it."""
        self.store.append(transaction.execution.header.arn, transaction.change())
        transaction.commit()

    def publish(
        self, execution: Execution, events: Sequence[HistoryEvent], effects: Sequence[Effect], now: int
    ) -> None:
        """Tell observers of events and carry out effects."""
        if self._render_event is not None and self.notifier.wants("on_event"):
            for event in events:
                self.notifier.notify("on_event", execution.header.arn, self._render_event(event))
        for effect in effects:
            self.carry_out(effect, execution, now)

"""The lifecycle of executions, as a state machine without I/O.

Inputs come with the present instant (Unix milliseconds). Each input stages its changes, commits them, tells the store,
then carries out the effects: timers are armed, children are started, invocations become ready. What is ready waits in
``ready`` and ``calls`` until a driver takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from .._checkpoint.processor import CheckpointAnswer, CheckpointProcessor
from .._model.effects import (
    ArmTimer,
    CallbackOpened,
    CancelTimer,
    ChainedInvokeRequested,
    Deadline,
    Effect,
    ExecutionClosed,
    InvocationReady,
)
from .._model.enums import ExecutionStatus
from .._model.errors import ErrorObject
from .._model.execution import (
    Change,
    Execution,
    ExecutionHeader,
    Invocation,
    Transaction,
    root_operation,
)
from .._model.history import HistoryEvent
from .._model.ids import derived_uuid
from .._model.limits import ServiceLimits
from .._model.operation import CallbackDetails, Operation, OperationUpdate
from ..exceptions import DurableExecutionAlreadyStartedException, ResourceConflictException
from ..observer import ExecutionNotifier
from ..stores.base import ExecutionStore
from .chained import ChainedInvokes
from .deadlines import operation_due
from .functions import FunctionRegistry, InvokeOutcome
from .inputs import Crashed, InvocationEnd, InvocationInput, StartRequest
from .ledger import Ledger
from .pausing import Pausing
from .state import StatePage, first_page, next_page, visible_operations
from .timers import Timer
from .verdict import Close, Retry, Suspend, judge


class Executor(Ledger):
    """Owns every execution of a runner. Not thread-safe: its driver sees to it that one input comes after the other."""

    def __init__(
        self,
        *,
        limits: ServiceLimits,
        store: ExecutionStore,
        functions: FunctionRegistry,
        notifier: ExecutionNotifier,
        invocation_timeout: int = 900,
        retention_period_days: int = 14,
        render_event: Callable[[HistoryEvent], dict[str, Any]] | None = None,
        render_error: Callable[[ErrorObject], dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(store, notifier, render_event)
        self.limits = limits
        self.functions = functions
        self.chained = ChainedInvokes(self, functions, self._create, retention_period_days)
        self.calls = self.chained.calls
        self.callback_opened: Callable[[str, Operation, int], None] = _nobody_answers
        self.pausing = Pausing(self, limits)
        self._processor = CheckpointProcessor(limits, functions)
        self.invocation_timeout = invocation_timeout
        self._retention_days = retention_period_days
        self._render_error = render_error
        self._started = 0

    # -------------------------------------------------------------------------------------------------- start

    def start(self, request: StartRequest, now: int) -> str:
        """Start an execution, or find the one that the same name and payload stand for. Returns its ARN.

        Raises ``DurableExecutionAlreadyStartedException`` when the name is taken with another payload.
        """
        account = self.functions.account
        function_arn = account.function_arn(request.function_name, request.account_id)
        if request.execution_name is not None:
            existing = self._same_name(function_arn, request, now)
            if existing is not None:
                return existing
        stride = 1
        while True:
            try:
                return self._start_next(function_arn, request, now)
            except ResourceConflictException:
                # A store that outlives its runner may know this ARN from an earlier one, and the next thousand as well.
                self._started += stride - 1
                stride *= 2

    def _start_next(self, function_arn: str, request: StartRequest, now: int) -> str:
        self._started += 1
        name = request.execution_name or derived_uuid("execution", function_arn, self._started)
        arn = self.functions.account.execution_arn(request.function_name, name, str(self._started), request.account_id)
        header = ExecutionHeader(
            arn=str(arn),
            function_arn=function_arn,
            name=name,
            started_at=now,
            input_payload=request.input_payload,
            execution_timeout=request.execution_timeout,
            retention_period_days=self._retention_days,
            tenant_id=request.tenant_id,
            synchronous=request.synchronous,
        )
        self._create(Execution(header, arn), now)
        self.names[function_arn, name] = header.arn
        return header.arn

    def _same_name(self, function_arn: str, request: StartRequest, now: int) -> str | None:
        known = self.names.get((function_arn, request.execution_name or ""))
        if known is None:
            return None
        header = self.executions[known].header
        if header.ended_at is not None and now - header.ended_at > header.retention_period_days * 86_400_000:
            return None
        if header.input_payload == request.input_payload:
            return known
        raise DurableExecutionAlreadyStartedException(
            f"The durable execution name '{header.name}' is taken by an execution with another payload, "
            f"which is {header.status}: {known}"
        )

    def _create(self, execution: Execution, now: int) -> None:
        header = execution.header
        transaction = execution.begin(now)
        transaction.put(root_operation(execution, now))
        data = {"input": header.input_payload, "timeout": header.execution_timeout or 0}
        transaction.record("ExecutionStarted", None, data)
        if header.execution_timeout:
            due = now + header.execution_timeout * 1000
            transaction.effects.append(ArmTimer(Deadline.EXECUTION_TIMEOUT, header.arn, due))
        transaction.effects.append(InvocationReady(header.arn))
        transaction.commit()
        self.store.create(execution.snapshot())
        self.executions[header.arn] = execution
        self.notifier.notify("on_execution_started", header.arn, header.input_payload)
        self.publish(execution, transaction.events, transaction.effects, now)

    # -------------------------------------------------------------------------------------------- invocations

    def begin_invocation(self, execution_arn: str, now: int) -> InvocationInput:
        """Take an execution that is ready: everything its handler is called with."""
        execution = self.get(execution_arn)
        header = execution.header
        number = len(execution.invocations) + 1
        record = Invocation(number=number, request_id=derived_uuid("request", execution_arn, number), started_at=now)
        # Kept before the handler runs: whoever reads the store after a crash sees an invocation that never ended.
        self.store.append(execution_arn, Change(events=(), operations=(), invocation=record))
        running = execution.begin_invocation(record)
        page = first_page(running, visible_operations(execution), self.limits.state_page_operations)
        updated = tuple(execution.updated_outside) if number > 1 else None
        execution.updated_outside.clear()
        deadline = now + self.invocation_timeout * 1000
        self.timers.arm(Timer(Deadline.INVOCATION_TIMEOUT, execution_arn, deadline))
        self.notifier.notify("on_invocation_started", execution_arn, number)
        return InvocationInput(
            execution_arn=execution_arn,
            function_name=execution.arn.function_name,
            function_arn=f"{header.function_arn}:{execution.arn.version}",
            number=number,
            request_id=running.record.request_id,
            token=running.token,
            operations=page.operations,
            next_marker=page.next_marker,
            updated_operation_ids=updated or None,
            started_at=now,
            deadline=deadline,
            tenant_id=header.tenant_id,
        )

    def end_invocation(self, execution_arn: str, number: int, end: InvocationEnd, now: int) -> None:
        """A handler has returned or died. It is not heard if its invocation was given up, or its execution deleted."""
        execution = self.executions.get(execution_arn)
        running = execution.running if execution is not None else None
        if execution is None or running is None or running.record.number != number:
            return
        counts = execution.failures_in_a_row, execution.empty_pendings_in_a_row
        verdict = judge(execution, running, end, self.limits)
        error = verdict.invocation_error
        again = isinstance(verdict, Suspend) and verdict.again
        transaction = self._close_invocation(execution, replace(running.record, ended_at=now, error=error, again=again))
        if isinstance(verdict, Close):
            self._close(transaction, verdict.status, result=verdict.result, error=verdict.error)
        elif execution.header.status is ExecutionStatus.PAUSING:
            self.pausing.settle(transaction)
        try:
            self.keep(transaction)
        except BaseException:  # to the store it still runs, and so it will time out
            execution.failures_in_a_row, execution.empty_pendings_in_a_row = counts
            raise
        execution.running = None
        self.timers.cancel(Deadline.INVOCATION_TIMEOUT, execution_arn)
        # Before the effects: an observer hears of the invocation's end first, then of its execution's.
        self._notify_invocation(execution_arn, number, error)
        self.publish(execution, transaction.events, transaction.effects, now)
        if execution.is_closed:
            return
        if isinstance(verdict, Retry):
            due = now + verdict.delay * 1000
            self.timers.arm(Timer(Deadline.BACKOFF, execution_arn, due))
        elif again:
            self.make_ready(execution_arn)

    def is_under_way(self, execution_arn: str, request_id: str) -> bool:
        """Whether this invocation has neither ended nor been given up."""
        execution = self.executions.get(execution_arn)
        running = execution.running if execution is not None else None
        return running is not None and running.record.request_id == request_id

    def extend_invocation(self, execution_arn: str, request_id: str, due: int) -> None:
        """Let an invocation run until ``due``: its time begins when its sandbox is up. One that is over stays so."""
        if self.is_under_way(execution_arn, request_id):
            self.timers.arm(Timer(Deadline.INVOCATION_TIMEOUT, execution_arn, due))

    def _close_invocation(self, execution: Execution, record: Invocation) -> Transaction:
        now = record.ended_at
        assert now is not None
        transaction = execution.begin(now)
        transaction.invocation = record
        data = {
            "started_at": record.started_at,
            "ended_at": now,
            "request_id": record.request_id,
            "error": record.error,
        }
        transaction.record("InvocationCompleted", None, data)
        return transaction

    def _notify_invocation(self, execution_arn: str, number: int, error: ErrorObject | None) -> None:
        if self.notifier.wants("on_invocation_completed"):
            shown = self._render_error(error) if error is not None and self._render_error else None
            self.notifier.notify("on_invocation_completed", execution_arn, number, shown)

    def _close(
        self,
        transaction: Transaction,
        status: ExecutionStatus,
        *,
        result: str | None = None,
        error: ErrorObject | None = None,
    ) -> None:
        transaction.close(status, result=result, error=error)
        kind = _CLOSING_EVENT[status]
        transaction.record(kind, None, {"result": result} if kind == "ExecutionSucceeded" else {"error": error})
        transaction.effects.append(ExecutionClosed(transaction.execution.header.arn))

    # --------------------------------------------------------------------------------------------- checkpoints

    def checkpoint(
        self,
        execution_arn: str,
        token: str,
        updates: Sequence[OperationUpdate],
        client_token: str | None,
        now: int,
    ) -> CheckpointAnswer:
        """Apply what a running invocation reports, and tell it what changed meanwhile.

        Raises ``ResourceNotFoundException`` for an unknown execution and ``InvalidParameterValueException`` for a
        stale token or a batch that cannot be accepted; a refused batch changes nothing.
        """
        execution = self.get(execution_arn)
        processor = self._processor
        known = processor.recall(execution, token, client_token, now)
        if known is not None:
            return known
        running = processor.authorise(execution, token)
        is_pausing = execution.header.status is ExecutionStatus.PAUSING
        if updates or is_pausing:
            transaction = processor.stage(execution, updates, now)
            if is_pausing and transaction.outcome is None:
                self.pausing.settle(transaction)
            self.keep(transaction)
            processor.committed(running, transaction)
            running.is_cut = execution.header.status is ExecutionStatus.PAUSED
            self.publish(execution, transaction.events, transaction.effects, now)
        answer = processor.answer(execution, running)
        processor.remember(execution, token, client_token, answer, now)
        return answer

    def may_checkpoint(self, execution_arn: str, token: str) -> bool:
        """Whether a checkpoint with ``token`` is the next one of the running invocation, which then goes on."""
        execution = self.get(execution_arn)
        running = execution.running
        if execution.header.status is ExecutionStatus.PAUSING:
            return False
        return running is not None and running.token == token

    def state(self, execution_arn: str, token: str, marker: str | None, max_items: int) -> StatePage:
        """A page of the state of a running invocation. ``max_items`` 0 means the default; no marker, the first page."""
        execution = self.get(execution_arn)
        running = self._processor.authorise_reader(execution, token)
        size = min(max_items or self.limits.state_page_operations, self.limits.state_page_operations)
        if not marker:
            return first_page(running, visible_operations(execution), size)
        return next_page(running, marker, size)

    # ---------------------------------------------------------------------------------- completions from outside

    def end_chained_invoke(self, execution_arn: str, operation_id: str, outcome: InvokeOutcome, now: int) -> None:
        """A chained function is done. Nobody is told if the caller has ended meanwhile."""
        self.chained.end(execution_arn, operation_id, outcome, now)

    def stop(self, execution_arn: str, error: ErrorObject | None, now: int) -> int:
        """Stop an execution. Open operations stay as they are. Returns when it stopped; again is no mistake."""
        execution = self.get(execution_arn)
        header = execution.header
        if header.ended_at is not None:
            return header.ended_at
        transaction = execution.begin(now)
        self._close(transaction, ExecutionStatus.STOPPED, error=error or ErrorObject())
        self.commit(execution, transaction, now)
        return now

    # ------------------------------------------------------------------------------------------------- deadlines

    def due(self, timer: Timer, now: int) -> None:
        """A deadline has come. Scripted answers belong to whoever scripted them and never get here."""
        execution = self.executions[timer.execution_arn]
        kind = timer.kind
        if kind is Deadline.EXECUTION_TIMEOUT:
            self._time_out_execution(execution, now)
        elif kind is Deadline.INVOCATION_TIMEOUT:
            self._time_out_invocation(execution, now)
        elif kind is Deadline.BACKOFF:
            self.make_ready(timer.execution_arn)
        elif kind is Deadline.CHAINED_INVOKE:
            self.chained.end(timer.execution_arn, timer.operation_id or "", timer.payload, now)
        else:
            operation_due(self, execution, kind, timer.operation_id or "", now)

    def _time_out_execution(self, execution: Execution, now: int) -> None:
        seconds = execution.header.execution_timeout
        error = ErrorObject(type="Execution.Timeout", message=f"Execution timed out after {seconds} seconds.")
        transaction = execution.begin(now)
        self._close(transaction, ExecutionStatus.TIMED_OUT, error=error)
        self.commit(execution, transaction, now)

    def _time_out_invocation(self, execution: Execution, now: int) -> None:
        running = execution.running
        assert running is not None
        message = (
            f"RequestId: {running.record.request_id} Error: Task timed out after {self.invocation_timeout:.2f} seconds"
        )
        error = ErrorObject(type="Sandbox.Timedout", message=message)
        self.end_invocation(execution.header.arn, running.record.number, Crashed(error=error), now)

    # --------------------------------------------------------------------------------------------------- effects

    def carry_out(self, effect: Effect, execution: Execution, now: int) -> None:
        """See ``Ledger.carry_out``."""
        match effect:
            case ArmTimer():
                self.timers.arm(Timer(effect.kind, effect.execution_arn, effect.due, effect.operation_id))
            case CancelTimer():
                self.timers.cancel(effect.kind, effect.execution_arn, effect.operation_id)
            case InvocationReady():
                self.make_ready(effect.execution_arn)
            case CallbackOpened():
                self._open_callback(execution, effect.operation_id, now)
            case ChainedInvokeRequested():
                self.chained.start(execution, effect.operation_id, now)
            case _:  # ExecutionClosed
                self._execution_closed(execution, now)

    def _open_callback(self, execution: Execution, operation_id: str, now: int) -> None:
        operation = execution.operations[operation_id]
        assert isinstance(operation.details, CallbackDetails)
        arn = execution.header.arn
        self.notifier.notify("on_callback_opened", arn, operation.details.callback_id, operation.name)
        self.callback_opened(arn, operation, now)

    def _execution_closed(self, execution: Execution, now: int) -> None:
        header = execution.header
        self.timers.cancel_execution(header.arn)
        if header.arn in self.ready:
            self.ready.remove(header.arn)
        self.notifier.notify("on_execution_completed", header.arn, str(header.status))
        self.chained.report(execution, now)


def _nobody_answers(_arn: str, _operation: Operation, _now: int) -> None:
    """No answers are scripted."""


_CLOSING_EVENT = {
    ExecutionStatus.SUCCEEDED: "ExecutionSucceeded",
    ExecutionStatus.FAILED: "ExecutionFailed",
    ExecutionStatus.TIMED_OUT: "ExecutionTimedOut",
    ExecutionStatus.STOPPED: "ExecutionStopped",
}

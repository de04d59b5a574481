"""The lifecycle of executions, as a state machine without I/O.

Inputs come with the present instant (Unix milliseconds). Each input stages its changes, commits them, tells the store,
then carries out the effects: timers are armed, children are started, invocations become ready. What is ready waits in
``ready`` and ``calls`` until a driver takes it.
"""

from __future__ import annotations

from collections import deque
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
from .._model.enums import ExecutionStatus, OperationStatus
from .._model.errors import ErrorObject
from .._model.execution import (
    Change,
    Execution,
    ExecutionHeader,
    ExecutionRecord,
    Invocation,
    Transaction,
    root_operation,
)
from .._model.history import HistoryEvent
from .._model.ids import ExecutionArn, derived_uuid
from .._model.limits import ServiceLimits
from .._model.operation import CallbackDetails, Operation, OperationUpdate
from ..exceptions import DurableExecutionAlreadyStartedException, ResourceConflictException, ResourceNotFoundException
from ..observer import ExecutionNotifier
from ..stores.base import ExecutionStore
from .completion import completed_operation
from .functions import DurableFunction, FunctionRegistry, InvokeOutcome, StubbedFunction
from .inputs import Crashed, InvocationEnd, InvocationInput, PlainCall, StartRequest
from .state import StatePage, first_page, next_page, visible_operations
from .timers import Timer, Timers
from .verdict import Close, Retry, Suspend, judge


class Executor:
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
        self.limits = limits
        self.store = store
        self.functions = functions
        self.notifier = notifier
        self.timers = Timers()
        self.ready: deque[str] = deque()
        self.calls: deque[PlainCall] = deque()
        self.executions: dict[str, Execution] = {}
        self.callback_opened: Callable[[str, Operation, int], None] = _nobody_answers
        self._processor = CheckpointProcessor(limits, functions)
        self.invocation_timeout = invocation_timeout
        self._retention_days = retention_period_days
        self._render_event = render_event
        self._render_error = render_error
        self._names: dict[tuple[str, str], str] = {}
        self._started = 0

    # ------------------------------------------------------------------------------------------------- lookup

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
        self._names[header.function_arn, header.name] = header.arn

    def note(self, execution: Execution, operation: Operation, now: int) -> None:
        """Keep an operation's new state that is nobody's news: no event, nobody woken."""
        transaction = execution.begin(now)
        transaction.put(operation)
        self._commit(execution, transaction, now)

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
        self._names[function_arn, name] = header.arn
        return header.arn

    def _same_name(self, function_arn: str, request: StartRequest, now: int) -> str | None:
        known = self._names.get((function_arn, request.execution_name or ""))
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
        self._publish(execution, transaction.events, transaction.effects, now)

    # -------------------------------------------------------------------------------------------- invocations

    def begin_invocation(self, execution_arn: str, now: int) -> InvocationInput:
        """Take an execution that is ready: everything its handler is called with."""
        execution = self.get(execution_arn)
        header = execution.header
        number = len(execution.invocations) + 1
        running = execution.begin_invocation(derived_uuid("request", execution_arn, number), now)
        page = first_page(running, visible_operations(execution), self.limits.state_page_operations)
        updated = tuple(execution.updated_outside) if number > 1 else None
        execution.updated_outside.clear()
        # Kept before the handler runs: whoever reads the store after a crash sees an invocation that never ended.
        self.store.append(execution_arn, Change(events=(), operations=(), invocation=running.record))
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
        """A handler has returned or died. One whose invocation was given up before is not heard."""
        execution = self.get(execution_arn)
        running = execution.running
        if running is None or running.record.number != number:
            return
        verdict = judge(execution, running, end, self.limits)
        error = verdict.invocation_error
        again = isinstance(verdict, Suspend) and verdict.again
        transaction = self._close_invocation(execution, replace(running.record, ended_at=now, error=error, again=again))
        if isinstance(verdict, Close):
            self._close(transaction, verdict.status, result=verdict.result, error=verdict.error)
        self._keep(transaction)
        # Before the effects: an observer hears of the invocation's end first, then of its execution's.
        self._notify_invocation(execution_arn, number, error)
        self._publish(execution, transaction.events, transaction.effects, now)
        if execution.is_closed:
            return
        if isinstance(verdict, Retry):
            due = now + verdict.delay * 1000
            self.timers.arm(Timer(Deadline.BACKOFF, execution_arn, due))
        elif again:
            self.make_ready(execution_arn)

    def _close_invocation(self, execution: Execution, record: Invocation) -> Transaction:
        now = record.ended_at
        assert now is not None
        execution.running = None
        self.timers.cancel(Deadline.INVOCATION_TIMEOUT, execution.header.arn)
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
        if updates:
            transaction = processor.stage(execution, updates, now)
            self._keep(transaction)
            processor.committed(running, transaction)
            self._publish(execution, transaction.events, transaction.effects, now)
        answer = processor.answer(execution, running)
        processor.remember(execution, token, client_token, answer, now)
        return answer

    def may_checkpoint(self, execution_arn: str, token: str) -> bool:
        """Whether ``token`` is the one that the running invocation's next checkpoint needs."""
        running = self.get(execution_arn).running
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

    def complete(self, execution: Execution, operation: Operation, event: str, data: dict[str, Any], now: int) -> None:
        """Something outside has ended ``operation`` (its new state): write it down and wake the handler."""
        transaction = execution.begin(now)
        transaction.put(operation)
        transaction.record(event, operation, data)
        self._cancel_operation(execution.header.arn, operation)
        self._commit(execution, transaction, now)
        self._touch(execution, operation.id)

    def _touch(self, execution: Execution, operation_id: str) -> None:
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

    def end_chained_invoke(self, execution_arn: str, operation_id: str, outcome: InvokeOutcome, now: int) -> None:
        """A chained function is done. Nobody is told if the caller has ended meanwhile."""
        execution = self.get(execution_arn)
        operation = execution.operations[operation_id]
        if execution.is_closed or operation.is_terminal:
            return
        completed, event, data = completed_operation(operation, outcome.status, outcome.result, outcome.error, now)
        self.complete(execution, completed, event, data, now)

    def stop(self, execution_arn: str, error: ErrorObject | None, now: int) -> int:
        """Stop an execution. Open operations stay as they are. Returns when it stopped; again is no mistake."""
        execution = self.get(execution_arn)
        header = execution.header
        if header.ended_at is not None:
            return header.ended_at
        transaction = execution.begin(now)
        self._close(transaction, ExecutionStatus.STOPPED, error=error or ErrorObject())
        self._commit(execution, transaction, now)
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
            self.end_chained_invoke(timer.execution_arn, timer.operation_id or "", timer.payload, now)
        else:
            self._operation_due(execution, kind, timer.operation_id or "", now)

    def _operation_due(self, execution: Execution, kind: Deadline, operation_id: str, now: int) -> None:
        operation = execution.operations[operation_id]
        if kind is Deadline.RETRY:
            transaction = execution.begin(now)
            transaction.put(replace(operation, status=OperationStatus.READY))
            self._commit(execution, transaction, now)
            self._touch(execution, operation_id)
        elif kind is Deadline.WAIT:
            completed, event, data = completed_operation(operation, OperationStatus.SUCCEEDED, None, None, now)
            self.complete(execution, completed, event, data, now)
        else:
            error = _CALLBACK_TIMEOUTS[kind]
            completed, event, data = completed_operation(operation, OperationStatus.TIMED_OUT, None, error, now)
            self.complete(execution, completed, event, data, now)

    def _time_out_execution(self, execution: Execution, now: int) -> None:
        seconds = execution.header.execution_timeout
        error = ErrorObject(type="Execution.Timeout", message=f"Execution timed out after {seconds} seconds.")
        transaction = execution.begin(now)
        self._close(transaction, ExecutionStatus.TIMED_OUT, error=error)
        self._commit(execution, transaction, now)

    def _time_out_invocation(self, execution: Execution, now: int) -> None:
        running = execution.running
        assert running is not None
        message = (
            f"RequestId: {running.record.request_id} Error: Task timed out after {self.invocation_timeout:.2f} seconds"
        )
        error = ErrorObject(type="Sandbox.Timedout", message=message)
        self.end_invocation(execution.header.arn, running.record.number, Crashed(error=error), now)

    # --------------------------------------------------------------------------------------------------- effects

    def _commit(self, execution: Execution, transaction: Transaction, now: int) -> None:
        self._keep(transaction)
        self._publish(execution, transaction.events, transaction.effects, now)

    def _keep(self, transaction: Transaction) -> None:
        """The store first: if it cannot keep a change, the live execution must not be ahead of it."""
        self.store.append(transaction.execution.header.arn, transaction.change())
        transaction.commit()

    def _publish(
        self, execution: Execution, events: Sequence[HistoryEvent], effects: Sequence[Effect], now: int
    ) -> None:
        if self._render_event is not None and self.notifier.wants("on_event"):
            for event in events:
                self.notifier.notify("on_event", execution.header.arn, self._render_event(event))
        for effect in effects:
            self._carry_out(effect, execution, now)

    def _carry_out(self, effect: Effect, execution: Execution, now: int) -> None:
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
                self.invoke_chained(execution, effect.operation_id, now)
            case _:  # ExecutionClosed
                self._execution_closed(execution, now)

    def _open_callback(self, execution: Execution, operation_id: str, now: int) -> None:
        operation = execution.operations[operation_id]
        assert isinstance(operation.details, CallbackDetails)
        arn = execution.header.arn
        self.notifier.notify("on_callback_opened", arn, operation.details.callback_id, operation.name)
        self.callback_opened(arn, operation, now)

    def make_ready(self, execution_arn: str) -> None:
        """Let a driver invoke the handler next."""
        if execution_arn not in self.ready:
            self.ready.append(execution_arn)

    def invoke_chained(self, execution: Execution, operation_id: str, now: int) -> None:
        """Set off what a chained invoke stands for."""
        details: Any = execution.operations[operation_id].details
        arn = execution.header.arn
        function = self.functions.find(details.function_name)
        if isinstance(function, DurableFunction):
            self._start_child(execution, operation_id, details, function, now)
        elif isinstance(function, StubbedFunction):
            due = now + function.after
            self.timers.arm(Timer(Deadline.CHAINED_INVOKE, arn, due, operation_id, function.outcome))
        else:
            self.calls.append(
                PlainCall(
                    execution_arn=arn,
                    operation_id=operation_id,
                    function_name=details.function_name,
                    payload=details.input_payload,
                    tenant_id=details.tenant_id or execution.header.tenant_id,
                    request_id=derived_uuid("call", arn, operation_id),
                )
            )

    def _start_child(
        self, parent: Execution, operation_id: str, details: Any, function: DurableFunction, now: int
    ) -> None:
        arn = ExecutionArn.parse(details.execution_arn)
        assert arn is not None
        header = ExecutionHeader(
            arn=details.execution_arn,
            function_arn=arn.function_arn,
            name=arn.name,
            started_at=now,
            input_payload=details.input_payload,
            execution_timeout=function.execution_timeout,
            retention_period_days=self._retention_days,
            tenant_id=details.tenant_id or parent.header.tenant_id,
            parent_arn=parent.header.arn,
            parent_operation_id=operation_id,
            depth=parent.header.depth + 1,
            synchronous=False,
        )
        self._create(Execution(header, arn), now)

    def _execution_closed(self, execution: Execution, now: int) -> None:
        header = execution.header
        self.timers.cancel_execution(header.arn)
        if header.arn in self.ready:
            self.ready.remove(header.arn)
        self.notifier.notify("on_execution_completed", header.arn, str(header.status))
        self.report_to_parent(execution, now)

    def report_to_parent(self, execution: Execution, now: int) -> None:
        """A child execution has ended: so has its caller's operation."""
        header = execution.header
        if header.parent_arn is not None and header.parent_operation_id is not None:
            error = header.error
            if header.status is ExecutionStatus.TIMED_OUT:
                message = f"CHAINED_INVOKE timed out after {header.execution_timeout} seconds."
                error = ErrorObject(type="ChainedInvoke.Timeout", message=message)
            outcome = InvokeOutcome(status=header.status, result=header.result, error=error)
            self.end_chained_invoke(header.parent_arn, header.parent_operation_id, outcome, now)


def _nobody_answers(_arn: str, _operation: Operation, _now: int) -> None:
    """No answers are scripted."""


_CLOSING_EVENT = {
    ExecutionStatus.SUCCEEDED: "ExecutionSucceeded",
    ExecutionStatus.FAILED: "ExecutionFailed",
    ExecutionStatus.TIMED_OUT: "ExecutionTimedOut",
    ExecutionStatus.STOPPED: "ExecutionStopped",
}
_CALLBACK_TIMEOUTS = {
    Deadline.CALLBACK_TIMEOUT: ErrorObject(type="Callback.Timeout", message="Callback timed out"),
    Deadline.CALLBACK_HEARTBEAT: ErrorObject(type="Callback.Heartbeat", message="Callback heartbeat timed out"),
}

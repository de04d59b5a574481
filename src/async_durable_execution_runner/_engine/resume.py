"""An execution taken up again from its record, in another process than the one that began it."""

from __future__ import annotations

from .._checkpoint.base import size_of
from .._model.effects import Deadline
from .._model.enums import OperationStatus as Status
from .._model.errors import ErrorObject
from .._model.execution import Execution, ExecutionRecord, Invocation, RunningInvocation, is_pending
from .._model.history import HistoryEvent
from .._model.ids import ExecutionArn, checkpoint_token
from .._model.operation import CallbackDetails, ChainedInvokeDetails, Operation, StepDetails, WaitDetails
from .executor import Executor
from .functions import DurableFunction
from .inputs import Crashed
from .timers import Timer


def latest_instant(record: ExecutionRecord) -> int:
    """The last moment a record tells of: no clock may go back behind it."""
    moments = [record.header.started_at, record.header.ended_at or 0]
    moments += [event.timestamp for event in record.events[-1:]]
    moments += [invocation.started_at for invocation in record.invocations[-1:]]
    return max(moments)


def resume(executor: Executor, record: ExecutionRecord, now: int) -> Execution:
    """Make a stored execution live again: deadlines armed, an interrupted invocation counted as crashed.

    Children that it waits for are taken up as well. Nothing runs before a driver goes on.
    """
    execution = _revive(record)
    executor.adopt(execution)
    if execution.is_closed:
        return execution
    _arm(executor, execution)
    for operation in [execution.operations[key] for key in execution.pending]:
        if isinstance(operation.details, ChainedInvokeDetails):
            _take_up_invoke(executor, execution, operation, now)
    _go_on(executor, execution, now)
    return execution


def _revive(record: ExecutionRecord) -> Execution:
    arn = ExecutionArn.parse(record.header.arn)
    assert arn is not None
    execution = Execution(record.header, arn)
    execution.operations.update({operation.id: operation for operation in record.operations})
    execution.events += record.events
    execution.invocations += record.invocations
    execution.first_failure = record.first_failure
    execution.pending.update({op.id: None for op in record.operations if is_pending(op)})
    execution.stored_bytes = sum(_bytes_of(event) for event in record.events)
    for invocation in reversed(record.invocations):
        if invocation.ended_at is not None and invocation.error is None:
            break
        execution.failures_in_a_row += invocation.ended_at is not None
    return execution


def _bytes_of(event: HistoryEvent) -> int:
    """What an accepted update has added to the execution's data. Answers from outside are no updates."""
    if not event.event_type.startswith(_UPDATES):
        return 0
    result, error = event.data.get("result") or event.data.get("input"), event.data.get("error")
    return (size_of(result) if result else 0) + (error.size if error is not None else 0)


_UPDATES = ("Step", "Context", "WaitCancelled", "ChainedInvokeStarted")


def _arm(executor: Executor, execution: Execution) -> None:
    """Deadlines as they were: they follow from what is recorded."""
    header, timers = execution.header, executor.timers
    due = executor.pausing.timeout_due(header)
    if due is not None:
        timers.arm(Timer(Deadline.EXECUTION_TIMEOUT, header.arn, due))
    for key in execution.pending:
        for kind, due in _deadlines(execution.operations[key]):
            timers.arm(Timer(kind, header.arn, due, key))


def _deadlines(operation: Operation) -> list[tuple[Deadline, int]]:
    details = operation.details
    if isinstance(details, WaitDetails):
        return [(Deadline.WAIT, details.scheduled_end_at)]
    if isinstance(details, StepDetails) and details.next_attempt_at is not None:
        return [(Deadline.RETRY, details.next_attempt_at)]
    if not isinstance(details, CallbackDetails):
        return []
    since = details.heartbeat_at if details.heartbeat_at is not None else operation.started_at
    found = [
        (Deadline.CALLBACK_TIMEOUT, operation.started_at, details.timeout),
        (Deadline.CALLBACK_HEARTBEAT, since, details.heartbeat_timeout),
    ]
    return [(kind, start + seconds * 1000) for kind, start, seconds in found if seconds]


def _take_up_invoke(executor: Executor, execution: Execution, operation: Operation, now: int) -> None:
    """A chained function that was under way: a durable one has its own record, another is called again."""
    details = operation.details
    assert isinstance(details, ChainedInvokeDetails)
    known = executor.stored(details.execution_arn) if details.execution_arn else None
    if known is None:
        executor.chained.start(execution, operation.id, now)
        return
    if isinstance(executor.functions.find(details.function_name), DurableFunction):
        child = executor.executions.get(known.header.arn) or resume(executor, known, now)
        if child.is_closed:
            executor.chained.report(child, now)


def _go_on(executor: Executor, execution: Execution, now: int) -> None:
    arn = execution.header.arn
    last = execution.invocations[-1] if execution.invocations else None
    if last is None:
        executor.make_ready(arn)
    elif last.ended_at is None:
        execution.running = RunningInvocation(last, checkpoint_token(execution.id, last.number, 0))
        message = f"RequestId: {last.request_id} Error: Runtime exited during the invocation; it was resumed later"
        error = ErrorObject(type="Runtime.ExitError", message=message)
        executor.end_invocation(arn, last.number, Crashed(error=error), now)
    elif last.error is not None:
        due = last.ended_at + executor.limits.crash_backoff_seconds * 1000
        executor.timers.arm(Timer(Deadline.BACKOFF, arn, due))
    else:
        _invoke_if_something_happened(executor, execution, last)


def _invoke_if_something_happened(executor: Executor, execution: Execution, last: Invocation) -> None:
    """What came after the last invocation has not been told to any handler yet, nor has what came too late in it."""
    told = max(index for index, event in enumerate(execution.events) if event.event_type == "InvocationCompleted")
    news = {event.operation_id for event in execution.events[told + 1 :] if event.operation_id is not None}
    news |= {operation.id for operation in execution.operations.values() if operation.status is Status.READY}
    execution.updated_outside.update(dict.fromkeys(sorted(news)))
    if news or last.again or not execution.pending:
        executor.make_ready(execution.header.arn)

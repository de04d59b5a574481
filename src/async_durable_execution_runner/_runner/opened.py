"""Open callbacks of an execution, found by the names their authors gave them."""

from __future__ import annotations

from .._engine.callbacks import callback_names, fits, open_callbacks
from .._model.execution import Execution, ExecutionRecord, is_pending
from .._model.ids import ExecutionArn
from .._model.operation import CallbackDetails


def open_callback(execution: Execution, name: str | None) -> str | None:
    """The id of the oldest open callback that ``name`` means (``None``: any), or ``None``."""
    for operation in open_callbacks(execution):
        if name is None or fits(name, callback_names(execution, operation)):
            assert isinstance(operation.details, CallbackDetails)
            return operation.details.callback_id
    return None


def no_callback(execution: Execution, name: str | None) -> str:
    """That there is no such callback, and what there is instead."""
    wanted = f"callback {name!r}" if name is not None else "callback"
    callbacks = [operation for operation in execution.operations.values() if operation.type == "CALLBACK"]
    there = ", ".join(f"{operation.name!r} ({operation.status})" for operation in callbacks) or "none at all"
    if execution.is_closed:
        error = execution.header.error
        why = f" with {error.type}: {error.message}" if error is not None else ""
        ended = f"The execution has ended ({execution.header.status}{why})"
        return f"{ended} and no open {wanted} is there. Callbacks: {there}."
    return f"No open {wanted} is there. Callbacks: {there}."


def settled(record: ExecutionRecord) -> Execution:
    """An execution to look at, with the pending operations whose invocation is over.

    A record from a history does not say whether an invocation runs; one that has made an operation and is over has
    left an event behind it.
    """
    arn = ExecutionArn.parse(record.header.arn)
    if arn is None:  # of a kind that is newer than this release; nothing here looks inside
        arn = ExecutionArn(region="", account_id="", function_name="", name=record.header.name, id=record.header.arn)
    execution = Execution(record.header, arn)
    execution.operations.update({operation.id: operation for operation in record.operations})
    ends = [event.event_id for event in record.events if event.event_type == "InvocationCompleted"]
    began = {event.operation_id: event.event_id for event in reversed(record.events)}
    last = max(ends, default=0)
    execution.pending.update({op.id: None for op in record.operations if is_pending(op) and began[op.id] < last})
    return execution

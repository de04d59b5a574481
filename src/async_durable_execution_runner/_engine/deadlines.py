"""What an operation's deadline means for it."""

from __future__ import annotations

from dataclasses import replace

from .._model.effects import Deadline
from .._model.enums import OperationStatus
from .._model.errors import ErrorObject
from .._model.execution import Execution
from .completion import completed_operation
from .ledger import Ledger

_CALLBACK_TIMEOUTS = {
    Deadline.CALLBACK_TIMEOUT: ErrorObject(type="Callback.Timeout", message="Callback timed out"),
    Deadline.CALLBACK_HEARTBEAT: ErrorObject(type="Callback.Heartbeat", message="Callback heartbeat timed out"),
}


def operation_due(ledger: Ledger, execution: Execution, kind: Deadline, operation_id: str, now: int) -> None:
    """The deadline of an operation has come: it ends, or its next attempt may begin."""
    operation = execution.operations[operation_id]
    if kind is Deadline.RETRY:
        transaction = execution.begin(now)
        transaction.put(replace(operation, status=OperationStatus.READY))
        ledger.commit(execution, transaction, now)
        ledger.touch(execution, operation_id)
    elif kind is Deadline.WAIT:
        completed, event, data = completed_operation(operation, OperationStatus.SUCCEEDED, None, None, now)
        ledger.complete(execution, completed, event, data, now)
    else:
        error = _CALLBACK_TIMEOUTS[kind]
        completed, event, data = completed_operation(operation, OperationStatus.TIMED_OUT, None, error, now)
        ledger.complete(execution, completed, event, data, now)

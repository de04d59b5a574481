"""CONTEXT: child contexts, map and parallel with their branches, wait-for-callback."""

from __future__ import annotations

from dataclasses import replace

from .._model.enums import OperationAction as Action
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.execution import Transaction
from .._model.limits import ServiceLimits
from .._model.operation import ContextDetails, Operation, OperationUpdate
from .base import check_outcome, refuse_options, refuse_outcome


class ContextValidator:
    """A context ends with a result or an error."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """See ``Validator.validate``."""
        if update.has_options:
            refuse_options(update, *(("ContextOptions",) if update.action is not Action.START else ()))
        if update.action is Action.START:
            refuse_outcome(update)
        else:
            check_outcome(update, payload_limit=limits.context_payload_bytes, limits=limits)


class ContextProcessor:
    """Opens and closes contexts. ``ReplayChildren`` is kept with the result: it decides what a replay is sent."""

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """See ``Processor.process``."""
        if update.action is Action.START:
            operation = Operation(
                id=update.id,
                type=Type.CONTEXT,
                status=Status.STARTED,
                started_at=transaction.now,
                parent_id=update.parent_id,
                name=update.name,
                sub_type=update.sub_type,
                details=_OPEN,
            )
            transaction.put(operation)
            transaction.record("ContextStarted", operation, {})
            return
        assert current is not None
        succeeded = update.action is Action.SUCCEED
        details = ContextDetails(replay_children=update.replay_children, result=update.payload, error=update.error)
        closed = replace(
            current,
            status=Status.SUCCEEDED if succeeded else Status.FAILED,
            ended_at=transaction.now,
            details=details,
        )
        transaction.put(closed)
        if succeeded:
            transaction.record("ContextSucceeded", closed, {"result": update.payload})
        else:
            transaction.record("ContextFailed", closed, {"error": update.error})


_OPEN = ContextDetails()

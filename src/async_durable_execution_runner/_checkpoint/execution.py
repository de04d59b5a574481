"""EXECUTION: a handler whose result is too large for its answer says it through a checkpoint."""

from __future__ import annotations

from .._model.enums import OperationAction as Action
from .._model.execution import Outcome, Transaction
from .._model.limits import ServiceLimits
from .._model.operation import Operation, OperationUpdate
from .base import check_outcome, refuse_options


class ExecutionValidator:
    """The result of an execution may be larger than that of an operation."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """See ``Validator.validate``."""
        refuse_options(update)
        check_outcome(update, payload_limit=limits.execution_payload_bytes, limits=limits)


class ExecutionProcessor:
    """Keeps the outcome. The execution ends when the invocation does, as its events are ordered that way."""

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """See ``Processor.process``."""
        transaction.conclude(Outcome(update.action is Action.FAIL, update.payload, update.error))

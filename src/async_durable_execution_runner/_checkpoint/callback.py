"""CALLBACK: a question to the outside world. The SDK only opens it; answers come from elsewhere."""

from __future__ import annotations

from .._model.effects import ArmTimer, CallbackOpened, Deadline
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.execution import Transaction
from .._model.ids import callback_id
from .._model.limits import ServiceLimits
from .._model.operation import CallbackDetails, Operation, OperationUpdate
from .base import refuse_options, refuse_outcome


class CallbackValidator:
    """A callback starts with timeouts and nothing else."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """See ``Validator.validate``."""
        refuse_options(update, "CallbackOptions")
        refuse_outcome(update)


class CallbackProcessor:
    """Opens the callback and arms its timeouts."""

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """See ``Processor.process``."""
        arn = transaction.execution.header.arn
        details = CallbackDetails(
            callback_id=callback_id(arn, update.id),
            timeout=update.callback_timeout,
            heartbeat_timeout=update.callback_heartbeat_timeout,
        )
        operation = Operation(
            id=update.id,
            type=Type.CALLBACK,
            status=Status.STARTED,
            started_at=transaction.now,
            parent_id=update.parent_id,
            name=update.name,
            sub_type=update.sub_type,
            details=details,
        )
        transaction.put(operation)
        data = {
            "callback_id": details.callback_id,
            "timeout": details.timeout,
            "heartbeat_timeout": details.heartbeat_timeout,
        }
        transaction.record("CallbackStarted", operation, data)
        for kind, seconds in (
            (Deadline.CALLBACK_TIMEOUT, details.timeout),
            (Deadline.CALLBACK_HEARTBEAT, details.heartbeat_timeout),
        ):
            if seconds:
                transaction.effects.append(ArmTimer(kind, arn, transaction.now + seconds * 1000, operation.id))
        transaction.effects.append(CallbackOpened(arn, operation.id))

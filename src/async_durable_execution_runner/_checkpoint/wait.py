"""WAIT: a timer that somebody asked for."""

from __future__ import annotations

from dataclasses import replace

from .._model.effects import ArmTimer, CancelTimer, Deadline
from .._model.enums import OperationAction as Action
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.execution import Transaction
from .._model.limits import ServiceLimits
from .._model.operation import Operation, OperationUpdate, WaitDetails
from ..exceptions import InvalidParameterValueException
from .base import check_outcome, refuse_options, refuse_outcome


class WaitValidator:
    """A wait needs to know for how long."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """See ``Validator.validate``."""
        refuse_options(update, *(("WaitOptions",) if update.action is Action.START else ()))
        if update.action is Action.START:
            refuse_outcome(update)
            if update.wait_seconds is None:
                raise InvalidParameterValueException(
                    "Invalid WaitOptions for the given action: START needs WaitSeconds."
                )
            return
        if update.payload is not None:
            raise InvalidParameterValueException("Cannot provide a Payload for CANCEL action: WAIT.")
        check_outcome(update, payload_limit=0, limits=limits)


class WaitProcessor:
    """Arms the timer, or gives it up."""

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """See ``Processor.process``."""
        arn = transaction.execution.header.arn
        if update.action is Action.CANCEL:
            assert current is not None
            cancelled = replace(current, status=Status.CANCELLED, ended_at=transaction.now)
            transaction.put(cancelled)
            transaction.record("WaitCancelled", cancelled, {"error": update.error})
            transaction.effects.append(CancelTimer(Deadline.WAIT, arn, cancelled.id))
            return
        seconds = update.wait_seconds
        assert seconds is not None
        due = transaction.now + seconds * 1000
        operation = Operation(
            id=update.id,
            type=Type.WAIT,
            status=Status.STARTED,
            started_at=transaction.now,
            parent_id=update.parent_id,
            name=update.name,
            sub_type=update.sub_type,
            details=WaitDetails(duration=seconds, scheduled_end_at=due),
        )
        transaction.put(operation)
        transaction.record("WaitStarted", operation, {"duration": seconds, "scheduled_end_at": due})
        transaction.effects.append(ArmTimer(Deadline.WAIT, arn, due, operation.id))

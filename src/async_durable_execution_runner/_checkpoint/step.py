"""STEP: attempts, retries, polling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .._model.effects import ArmTimer, Deadline
from .._model.enums import OperationAction as Action
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.execution import Transaction
from .._model.limits import ServiceLimits
from .._model.operation import Operation, OperationUpdate, StepDetails
from ..exceptions import InvalidParameterValueException
from .base import check_outcome, refuse_options, refuse_outcome


class StepValidator:
    """A retry needs its delay; a result and an error exclude each other."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """See ``Validator.validate``."""
        action = update.action
        if update.has_options:
            refuse_options(update, *(("StepOptions",) if action is Action.RETRY else ()))
        if action is Action.START:
            refuse_outcome(update)
            return
        check_outcome(update, payload_limit=limits.step_payload_bytes, limits=limits)
        if action is Action.RETRY:
            if update.next_attempt_delay is None:
                raise InvalidParameterValueException("Invalid StepOptions for the given action: RETRY needs a delay.")
            if update.payload is not None and update.error is not None:
                raise InvalidParameterValueException("Cannot provide both error and payload to RETRY a STEP.")


class StepProcessor:
    """Starts, ends and re-schedules attempts.

    A retry with an error is a failed attempt; one without is a poll that wants to look again, its payload the new
    state. Both end the attempt, so both count.
    """

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """See ``Processor.process``."""
        if update.action is Action.START:
            self._start(update, current, transaction)
            return
        assert current is not None
        details = current.details
        assert isinstance(details, StepDetails)
        attempt = details.attempt + 1
        if update.action is Action.RETRY:
            self._retry(update, current, attempt, transaction)
            return
        succeeded = update.action is Action.SUCCEED
        operation = Operation(
            id=current.id,
            type=Type.STEP,
            status=Status.SUCCEEDED if succeeded else Status.FAILED,
            started_at=current.started_at,
            ended_at=transaction.now,
            parent_id=current.parent_id,
            name=current.name,
            sub_type=current.sub_type,
            details=StepDetails(attempt=attempt, result=update.payload, error=update.error),
        )
        transaction.put(operation)
        if succeeded:
            transaction.record("StepSucceeded", operation, {"result": update.payload, "attempt": attempt})
        else:
            transaction.record("StepFailed", operation, {"error": update.error, "attempt": attempt})

    @staticmethod
    def _start(update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        if current is None:
            operation = Operation(
                id=update.id,
                type=Type.STEP,
                status=Status.STARTED,
                started_at=transaction.now,
                parent_id=update.parent_id,
                name=update.name,
                sub_type=update.sub_type,
                details=_FIRST_ATTEMPT,
            )
        else:
            assert isinstance(current.details, StepDetails)
            details = replace(current.details, next_attempt_at=None)
            operation = replace(current, status=Status.STARTED, details=details)
        transaction.put(operation)
        transaction.record("StepStarted", operation, {})

    @staticmethod
    def _retry(update: OperationUpdate, current: Operation, attempt: int, transaction: Transaction) -> None:
        delay = update.next_attempt_delay
        assert delay is not None
        due = transaction.now + delay * 1000
        details = StepDetails(attempt=attempt, next_attempt_at=due, result=update.payload, error=update.error)
        operation = replace(current, status=Status.PENDING, details=details)
        transaction.put(operation)
        data: dict[str, Any] = {"attempt": attempt, "delay": delay}
        if update.error is not None:
            transaction.record("StepFailed", operation, {"error": update.error, **data})
        else:
            transaction.record("StepSucceeded", operation, {"result": update.payload, **data})
        transaction.effects.append(ArmTimer(Deadline.RETRY, transaction.execution.header.arn, due, operation.id))


_FIRST_ATTEMPT = StepDetails()

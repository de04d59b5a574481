"""CHAINED_INVOKE: another function on this execution's behalf."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from .._model.effects import ChainedInvokeRequested
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import Execution, Transaction
from .._model.limits import ServiceLimits
from .._model.operation import ChainedInvokeDetails, Operation, OperationUpdate
from ..exceptions import InvalidParameterValueException
from .base import check_outcome, refuse_options


@dataclass(frozen=True, slots=True)
class Target:
    """What a function name stands for. Version and execution ARN only where the target is a durable function."""

    version: str | None = None
    execution_arn: str | None = None


class TargetResolver(Protocol):
    """Knows which functions there are."""

    def resolve(self, execution: Execution, update: OperationUpdate) -> Target | ErrorObject:
        """The target of a chained invoke, or why it cannot be invoked. Changes nothing."""


class ChainedInvokeValidator:
    """A chained invoke names its function and carries its input."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """See ``Validator.validate``."""
        refuse_options(update, "ChainedInvokeOptions")
        if update.function_name is None:
            raise InvalidParameterValueException(
                "Invalid ChainedInvokeOptions for the given action: START needs a FunctionName."
            )
        check_outcome(update, payload_limit=limits.chained_invoke_payload_bytes, limits=limits, what="input")


class ChainedInvokeProcessor:
    """Starts the operation. A target that cannot be invoked fails it in the same breath, without suspension."""

    def __init__(self, targets: TargetResolver) -> None:
        self._targets = targets

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """See ``Processor.process``."""
        target = self._targets.resolve(transaction.execution, update)
        refused = isinstance(target, ErrorObject)
        operation = Operation(
            id=update.id,
            type=Type.CHAINED_INVOKE,
            status=Status.FAILED if refused else Status.STARTED,
            started_at=transaction.now,
            ended_at=transaction.now if refused else None,
            parent_id=update.parent_id,
            name=update.name,
            sub_type=update.sub_type,
            details=ChainedInvokeDetails(
                function_name=update.function_name or "",
                input_payload=update.payload,
                tenant_id=update.tenant_id,
                execution_arn=None if isinstance(target, ErrorObject) else target.execution_arn,
                error=target if isinstance(target, ErrorObject) else None,
            ),
        )
        transaction.put(operation)
        data: dict[str, Any] = {"function_name": update.function_name, "tenant_id": update.tenant_id}
        if isinstance(target, ErrorObject):
            transaction.record("ChainedInvokeStarted", operation, data)
            transaction.record("ChainedInvokeFailed", operation, {"error": target})
            return
        data |= {"input": update.payload, "version": target.version, "execution_arn": target.execution_arn}
        transaction.record("ChainedInvokeStarted", operation, data)
        arn = transaction.execution.header.arn
        transaction.effects.append(ChainedInvokeRequested(arn, operation.id))

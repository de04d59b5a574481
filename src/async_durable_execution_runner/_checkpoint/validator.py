"""Rules that concern an update's place: in its batch, under its parent, in its execution."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .._model.enums import OperationAction as Action
from .._model.enums import OperationType as Type
from .._model.execution import Transaction
from .._model.limits import ServiceLimits
from .._model.operation import Operation, OperationUpdate
from ..exceptions import InvalidParameterValueException
from .base import Validator, size_of
from .transitions import TransitionsValidator


class CheckpointValidator:
    """Checks a batch before, and each update while, it is staged."""

    def __init__(self, limits: ServiceLimits, by_type: dict[Type, Validator]) -> None:
        self._limits = limits
        self._by_type = by_type
        self._transitions = TransitionsValidator()

    def validate_batch(self, updates: Sequence[OperationUpdate]) -> None:
        """Refuse a batch that contradicts itself.

        An operation may be started and then ended or retried in one batch; any other repetition is a mistake. The
        execution's own end comes last.
        """
        most = self._limits.max_updates_per_checkpoint
        if most is not None and len(updates) > most:
            raise InvalidParameterValueException(f"A checkpoint can have at most {most} updates, not {len(updates)}.")
        seen: dict[str, Action | None] = {}
        last = len(updates) - 1
        for index, update in enumerate(updates):
            if update.type is Type.EXECUTION:
                if index != last:
                    raise InvalidParameterValueException("EXECUTION checkpoint must be the last update.")
            elif update.id not in seen:
                seen[update.id] = update.action
            elif seen[update.id] is Action.START and update.action is not Action.START:
                seen[update.id] = None
            else:
                raise InvalidParameterValueException(
                    f"Cannot checkpoint multiple updates of the operation {_name(update)} in one request."
                )

    def validate(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """Refuse an update that does not fit what is there."""
        if current is not None and update.type is not Type.EXECUTION:
            _same_identity(update, current)
        self._transitions.validate(update, current)
        self._by_type[update.type].validate(update, self._limits_of(update, transaction))
        if update.parent_id is not None and update.action is Action.START:
            _fits_parent(update, transaction.operation(update.parent_id))
        self._within_execution_limits(update, current, transaction)

    def _limits_of(self, update: OperationUpdate, transaction: Transaction) -> ServiceLimits:
        if update.type is not Type.EXECUTION or transaction.execution.header.synchronous:
            return self._limits
        # Nobody waits on the line for this result, and such results may be less large.
        return replace(self._limits, execution_payload_bytes=self._limits.async_execution_payload_bytes)

    def _within_execution_limits(
        self, update: OperationUpdate, current: Operation | None, transaction: Transaction
    ) -> None:
        execution, limits = transaction.execution, self._limits
        if current is None and limits.max_operations is not None and _is_full(transaction, limits.max_operations):
            raise InvalidParameterValueException(
                f"Operation limit exceeded: an execution can have at most {limits.max_operations} operations; "
                f"{update.type} {_name(update)} is one too many."
            )
        size = (size_of(update.payload) if update.payload is not None else 0) + (
            update.error.size if update.error else 0
        )
        if not size:
            return
        transaction.stored_bytes += size
        total = execution.stored_bytes + transaction.stored_bytes
        if limits.max_execution_bytes is not None and total > limits.max_execution_bytes:
            raise InvalidParameterValueException(
                f"Execution data size must be less than or equal to {limits.max_execution_bytes} bytes; "
                f"{update.type} {_name(update)} would make it {total}."
            )


def _is_full(transaction: Transaction, max_operations: int) -> bool:
    # The root operation is not counted: nobody asked for it.
    before = len(transaction.execution.operations) - 1
    if before + len(transaction.operations) < max_operations:
        return False  # whichever of them are new: most of the time there is no need to look
    return before + transaction.new_operations >= max_operations


def _same_identity(update: OperationUpdate, current: Operation) -> None:
    for what, said, known in (
        ("operation type", update.type, current.type),
        ("operation subtype", update.sub_type, current.sub_type),
        ("operation name", update.name, current.name),
        ("parent operation id", update.parent_id, current.parent_id),
    ):
        if said != known:
            raise InvalidParameterValueException(
                f"Inconsistent {what} of {_name(update)}: "
                f"it was started with {_shown(known)}, the update has {_shown(said)}."
            )


def _fits_parent(update: OperationUpdate, parent: Operation | None) -> None:
    if parent is None:
        problem = "no such operation"
    elif parent.type is not Type.CONTEXT:
        problem = f"it is a {parent.type}, not a CONTEXT"
    elif parent.is_terminal:
        problem = f"it has ended ({parent.status})"
    else:
        return
    raise InvalidParameterValueException(
        f"Invalid parent operation id '{update.parent_id}' of {update.type} {_name(update)}: {problem}."
    )


def _shown(value: str | None) -> str:
    return "none" if value is None else f"'{value}'"


def _name(update: OperationUpdate) -> str:
    return f"'{update.name}' ({update.id})" if update.name else f"'{update.id}'"

"""What validators and processors of all types share."""

from __future__ import annotations

from typing import Protocol

from .._model.enums import OperationAction as Action
from .._model.execution import Transaction
from .._model.limits import ServiceLimits
from .._model.operation import Operation, OperationUpdate
from ..exceptions import InvalidParameterValueException


class Validator(Protocol):
    """Checks what is particular to one type of operation, before anything is changed."""

    def validate(self, update: OperationUpdate, limits: ServiceLimits) -> None:
        """Raise ``InvalidParameterValueException`` if the update makes no sense."""


class Processor(Protocol):
    """Applies one update, known to be valid, to a transaction."""

    def process(self, update: OperationUpdate, current: Operation | None, transaction: Transaction) -> None:
        """Stage the operation's new state, its event, and the effects."""


def size_of(text: str) -> int:
    """Bytes of a payload in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def refuse_options(update: OperationUpdate, *allowed: str) -> None:
    """Refuse option structures that do not belong to this type and action."""
    for name in sorted(update.has_options.difference(allowed)):
        raise InvalidParameterValueException(f"Invalid {name} for the given action: {update.type} {update.action}.")


def check_outcome(update: OperationUpdate, *, payload_limit: int, limits: ServiceLimits, what: str = "output") -> None:
    """Payload and error as the action allows them, and not too large."""
    action = update.action
    if update.payload is not None:
        if action is Action.FAIL:
            raise InvalidParameterValueException(f"Cannot provide a Payload for FAIL action: {update.type}.")
        if size_of(update.payload) > payload_limit:
            raise InvalidParameterValueException(
                f"{update.type} {what} payload size must be less than or equal to {payload_limit} bytes."
            )
    if update.error is not None:
        if action is Action.SUCCEED or action is Action.START:
            raise InvalidParameterValueException(f"Cannot provide an Error for {action} action: {update.type}.")
        if update.error.size > limits.error_bytes:
            raise InvalidParameterValueException(
                f"Error object size must be less than or equal to {limits.error_bytes} bytes."
            )


def refuse_outcome(update: OperationUpdate) -> None:
    """Refuse payload and error where the action carries neither."""
    if update.payload is not None:
        raise InvalidParameterValueException(f"Cannot provide a Payload for {update.action} action: {update.type}.")
    if update.error is not None:
        raise InvalidParameterValueException(f"Cannot provide an Error for {update.action} action: {update.type}.")

"""Which action is allowed in which state, for every type of operation."""

from __future__ import annotations

from .._model.enums import OperationAction as Action
from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.operation import Operation, OperationUpdate
from ..exceptions import InvalidParameterValueException

_Key = tuple[Type, Action]

ALLOWED: dict[_Key, frozenset[Status | None]] = {
    (Type.STEP, Action.START): frozenset({None, Status.READY}),
    (Type.STEP, Action.SUCCEED): frozenset({Status.STARTED, Status.READY}),
    (Type.STEP, Action.FAIL): frozenset({Status.STARTED, Status.READY}),
    (Type.STEP, Action.RETRY): frozenset({Status.STARTED, Status.READY}),
    (Type.CONTEXT, Action.START): frozenset({None}),
    (Type.CONTEXT, Action.SUCCEED): frozenset({Status.STARTED}),
    (Type.CONTEXT, Action.FAIL): frozenset({Status.STARTED}),
    (Type.WAIT, Action.START): frozenset({None}),
    (Type.WAIT, Action.CANCEL): frozenset({Status.STARTED}),
    (Type.CALLBACK, Action.START): frozenset({None}),
    (Type.CHAINED_INVOKE, Action.START): frozenset({None}),
    (Type.EXECUTION, Action.SUCCEED): frozenset({Status.STARTED}),
    (Type.EXECUTION, Action.FAIL): frozenset({Status.STARTED}),
}
"""From which states an action may come; ``None`` stands for an operation that does not exist yet."""


class TransitionsValidator:
    """Refuses an action that the operation's type does not have, or that its state does not allow."""

    def validate(self, update: OperationUpdate, current: Operation | None) -> None:
        """Raise ``InvalidParameterValueException`` unless the update may be applied to ``current``."""
        allowed = ALLOWED.get((update.type, update.action))
        if allowed is None:
            raise InvalidParameterValueException(f"Invalid {update.type} action: {update.action}.")
        if (current.status if current is not None else None) not in allowed:
            raise InvalidParameterValueException(_refusal(update, current))


def _refusal(update: OperationUpdate, current: Operation | None) -> str:
    verb = {Action.START: "start", Action.RETRY: "retry", Action.CANCEL: "cancel"}.get(update.action, "close")
    if current is None:
        return f"Cannot {verb} the {update.type} {_name(update)}: it was never started."
    if verb == "start" and not current.is_terminal:
        return f"Cannot start the {update.type} {_name(update)}: it exists already, in state {current.status}."
    return f"Invalid current {update.type} state to {verb} {_name(update)}: {current.status}."


def _name(update: OperationUpdate) -> str:
    return f"'{update.name}' ({update.id})" if update.name else update.id

"""Operation updates, read from the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._model.enums import OperationAction, OperationType
from .._model.errors import ErrorObject
from .._model.operation import OperationUpdate

_TYPES = {member.value: member for member in OperationType}
_ACTIONS = {member.value: member for member in OperationAction}
_OPTIONS = ("StepOptions", "WaitOptions", "CallbackOptions", "ContextOptions", "ChainedInvokeOptions")
_PLAIN = frozenset({"Id", "ParentId", "Name", "Type", "SubType", "Action", "Payload", "Error"})


def parse_updates(updates: Sequence[Mapping[str, Any]]) -> list[OperationUpdate]:
    """Read a checkpoint's updates, which must have been checked against the API model."""
    return [_parse(update) for update in updates]


def parse_error(error: Mapping[str, Any] | None) -> ErrorObject:
    """Read an error object."""
    error = error or {}
    trace = error.get("StackTrace")
    return ErrorObject(
        message=error.get("ErrorMessage"),
        type=error.get("ErrorType"),
        data=error.get("ErrorData"),
        stack_trace=tuple(trace) if trace is not None else None,
    )


def _parse(update: Mapping[str, Any]) -> OperationUpdate:
    get = update.get
    error = get("Error")
    if update.keys() <= _PLAIN:
        return OperationUpdate(
            id=update["Id"],
            type=_TYPES[update["Type"]],
            action=_ACTIONS[update["Action"]],
            parent_id=get("ParentId"),
            name=get("Name"),
            sub_type=get("SubType"),
            payload=get("Payload"),
            error=None if error is None else parse_error(error),
        )
    given = {name: update[name] for name in _OPTIONS if get(name) is not None}
    callback = given.get("CallbackOptions", {})
    chained = given.get("ChainedInvokeOptions", {})
    return OperationUpdate(
        id=update["Id"],
        type=_TYPES[update["Type"]],
        action=_ACTIONS[update["Action"]],
        parent_id=get("ParentId"),
        name=get("Name"),
        sub_type=get("SubType"),
        payload=get("Payload"),
        error=None if error is None else parse_error(error),
        replay_children=bool(given.get("ContextOptions", {}).get("ReplayChildren")),
        next_attempt_delay=given.get("StepOptions", {}).get("NextAttemptDelaySeconds"),
        wait_seconds=given.get("WaitOptions", {}).get("WaitSeconds"),
        callback_timeout=callback.get("TimeoutSeconds") or 0,
        callback_heartbeat_timeout=callback.get("HeartbeatTimeoutSeconds") or 0,
        function_name=chained.get("FunctionName"),
        tenant_id=chained.get("TenantId"),
        has_options=frozenset(given),
    )

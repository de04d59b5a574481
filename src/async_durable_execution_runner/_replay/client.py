"""The service as a replayed handler sees it: it keeps what contexts end with, and does nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.operation import ContextDetails, Operation
from .._wire.rendering import render_operation
from .._wire.updates import parse_error
from .session import Session

_STATUSES = {"START": Status.STARTED, "SUCCEED": Status.SUCCEEDED, "FAIL": Status.FAILED}


@dataclass(frozen=True, slots=True)
class Ended:
    """What a context, or the execution, has ended with."""

    failed: bool
    result: str | None
    error: ErrorObject | None


class ReplayClient:
    """The two calls that an SDK makes while a handler runs. Safe from any thread."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.ended: dict[str, Ended] = {}
        """By the identifier that the context has now."""
        self.outcome: Ended | None = None
        """What the execution ended with, where that was too large for the handler's answer."""

    def checkpoint_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: CheckpointDurableExecution."""
        with self._session.lock:
            self._session.activity += 1
            updates = params.get("Updates") or ()
            operations = [answer for each in updates if (answer := self._applied(each)) is not None]
        state = {"Operations": [render_operation(each) for each in operations]}
        return {"CheckpointToken": "replay", "NewExecutionState": state}

    def get_durable_execution_state(self, **params: Any) -> dict[str, Any]:
        """API Reference: GetDurableExecutionState. The event has held all of it."""
        del params
        return {"Operations": []}

    def _applied(self, update: Mapping[str, Any]) -> Operation | None:
        kind, action = Type(update["Type"]), str(update["Action"])
        error = parse_error(update["Error"]) if update.get("Error") else None
        ended = Ended(action == "FAIL", update.get("Payload"), error)
        if kind is Type.EXECUTION:
            self.outcome = ended
            return None
        if kind is not Type.CONTEXT:
            raise NotImplementedError(f"a replay does nothing, but was asked to {action} {kind} {update.get('Name')!r}")
        if action != "START":
            self.ended[update["Id"]] = ended
        now = self._session.recording.header.started_at
        return Operation(
            id=update["Id"],
            type=kind,
            status=_STATUSES[action],
            started_at=now,
            ended_at=now if action != "START" else None,
            parent_id=update.get("ParentId"),
            name=update.get("Name"),
            sub_type=update.get("SubType"),
            details=ContextDetails(result=ended.result, error=error),
        )

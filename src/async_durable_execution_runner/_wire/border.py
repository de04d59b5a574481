"""Everything of this room behind the one interface that the engine's client asks for."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .._model.errors import ErrorObject
from .._model.execution import ExecutionHeader
from .._model.history import HistoryEvent
from .._model.instants import to_millis
from .._model.operation import Operation, OperationUpdate
from ..exceptions import ServiceError
from . import errors, rendering, updates, validation


class BotocoreWire:
    """See ``Wire`` in the engine's client."""

    def read_checkpoint(self, params: Mapping[str, Any]) -> list[OperationUpdate]:
        """See ``Wire.read_checkpoint``."""
        validation.check_input("CheckpointDurableExecution", params)
        return updates.parse_updates(params.get("Updates") or ())

    def check(self, operation: str, params: Mapping[str, Any]) -> None:
        """See ``Wire.check``."""
        validation.check_input(operation, params)

    def operation(self, operation: Operation, shift: int) -> dict[str, Any]:
        """See ``Wire.operation``."""
        return rendering.render_operation(operation, shift=shift)

    def event(self, event: HistoryEvent, include_data: bool = True) -> dict[str, Any]:
        """See ``Wire.event``."""
        return rendering.render_event(event, include_data)

    def execution(self, header: ExecutionHeader) -> dict[str, Any]:
        """See ``Wire.execution``."""
        return rendering.render_execution(header)

    def summary(self, header: ExecutionHeader) -> dict[str, Any]:
        """See ``Wire.summary``."""
        return rendering.render_summary(header)

    def error(self, error: Mapping[str, Any] | None) -> ErrorObject:
        """See ``Wire.error``."""
        return updates.parse_error(error)

    def instant(self, millis: int) -> datetime:
        """See ``Wire.instant``."""
        return rendering.instant(millis)

    def millis(self, instant: Any) -> int:
        """See ``Wire.millis``. Also takes seconds since the epoch and ISO text, as boto3 does."""
        if isinstance(instant, datetime):
            return to_millis(instant)
        if isinstance(instant, int | float):
            return int(instant * 1000)
        return to_millis(datetime.fromisoformat(instant))

    def client_error(self, error: ServiceError, operation: str) -> Exception:
        """See ``Wire.client_error``."""
        return errors.client_error(error, operation)

"""An error as the service keeps it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorObject:
    """What failed, as data (API Reference: ErrorObject). Every part is optional."""

    message: str | None = None
    type: str | None = None
    data: str | None = None
    stack_trace: tuple[str, ...] | None = None

    @property
    def size(self) -> int:
        """Bytes of all parts together, as the size limits count them."""
        parts = (self.message, self.type, self.data, *(self.stack_trace or ()))
        return sum(len(part.encode()) for part in parts if part)

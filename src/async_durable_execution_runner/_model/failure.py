"""The first exception that user code raised, as a report tells it. No part of the history, but kept with it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureNote:
    """An exception in words, with the operation that it ended (``None``: the handler itself)."""

    operation_id: str | None
    place: str | None
    """File and line of the innermost frame that is the user's own."""
    traceback: tuple[str, ...]

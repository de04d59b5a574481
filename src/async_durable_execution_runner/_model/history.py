"""The event history: what was accepted, in order, for ever."""

from __future__ import annotations

from typing import Any, NamedTuple


class HistoryEvent(NamedTuple):
    """One event (API Reference: Event). A tuple, because a run writes thousands of them.

    ``timestamp`` is in Unix milliseconds. ``data`` holds what this type of event tells beyond the envelope, in our own
    words; the wire form is made from it at the border.
    """

    event_id: int
    event_type: str
    timestamp: int
    operation_id: str | None
    name: str | None
    sub_type: str | None
    parent_id: str | None
    data: dict[str, Any]

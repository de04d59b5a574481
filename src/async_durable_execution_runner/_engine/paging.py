"""Listings in pages, as every listing of the API has them."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TypeVar

from ..exceptions import InvalidParameterValueException

T = TypeVar("T")
DEFAULT_PAGE = 100


def page_of(items: Sequence[T], marker: str | None, max_items: int | None) -> tuple[Sequence[T], str | None]:
    """The page that ``marker`` stands for, and the marker of the next. 0 or no ``max_items`` means 100.

    Raises ``InvalidParameterValueException`` for a marker that was never handed out.
    """
    start = _offset(marker) if marker else 0
    end = start + (max_items or DEFAULT_PAGE)
    return items[start:end], _marker(end) if end < len(items) else None


def _marker(offset: int) -> str:
    return base64.b64encode(str(offset).encode()).decode()


def _offset(marker: str) -> int:
    try:
        offset = int(base64.b64decode(marker, validate=True))
    except ValueError:
        offset = 0
    if offset <= 0 or _marker(offset) != marker:
        raise InvalidParameterValueException(f"Invalid Marker: '{marker}' was not handed out by this service.")
    return offset

"""Values that may be awaited: in ``async with`` every method can be, also those that have nothing to wait for."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any


class _Awaitable:
    __slots__ = ()

    def __await__(self) -> Generator[Any, None, Any]:
        yield from ()
        return self.plain()

    def plain(self) -> Any:
        """The value itself."""
        return None


class _Text(_Awaitable, str):
    __slots__ = ()

    def plain(self) -> str:
        return str(self)


class _List(_Awaitable, list[Any]):
    def plain(self) -> list[Any]:
        return list(self)


class _Dict(_Awaitable, dict[str, Any]):
    def plain(self) -> dict[str, Any]:
        return dict(self)


_KINDS: dict[type, Any] = {str: _Text, list: _List, dict: _Dict}


def awaitable(value: Any) -> Any:
    """Something that gives ``value`` when awaited; text, lists and dicts are as good without."""
    if value is None:
        return _Awaitable()
    kind = _KINDS.get(type(value))
    return kind(value) if kind is not None else _later(value)


async def _later(value: Any) -> Any:
    return value

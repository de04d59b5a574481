"""Which store a runner uses: an argument, or the environment, or memory."""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from ..exceptions import StoreError
from .base import ExecutionStore, StoreType

__all__ = ["ENTRY_POINTS", "open_store"]

ENTRY_POINTS = "async_durable_execution_runner.stores"
"""The group under which other packages offer stores: callables that take a path, or ``None``, and return a store."""
TYPE_VARIABLE, PATH_VARIABLE = "AWS_DEX_STORE_TYPE", "AWS_DEX_STORE_PATH"


def open_store(store: ExecutionStore | StoreType | str | None, path: str | Path | None = None) -> ExecutionStore:
    """The store that ``store`` names, or itself. ``None`` asks the environment.

    Raises ``StoreError`` for a name that is not known, with those that are, and for a store that cannot be opened.
    """
    if store is not None and not isinstance(store, str):
        return _checked(store, "store=")
    name = store or os.environ.get(TYPE_VARIABLE) or StoreType.MEMORY
    path = path or os.environ.get(PATH_VARIABLE) or None
    own = _OWN.get(name)
    if own is not None:
        return own(path)
    return _foreign(name, path, "" if store else f" ({TYPE_VARIABLE})")


def _memory(_path: str | Path | None) -> ExecutionStore:
    from .memory import MemoryExecutionStore

    return MemoryExecutionStore()


def _filesystem(path: str | Path | None) -> ExecutionStore:
    from .filesystem import FilesystemExecutionStore

    return FilesystemExecutionStore(path)


def _sqlite(path: str | Path | None) -> ExecutionStore:
    from .sqlite import SqliteExecutionStore

    return SqliteExecutionStore(path)


_OWN: dict[str, Callable[[str | Path | None], ExecutionStore]] = {
    StoreType.MEMORY: _memory,
    StoreType.FILESYSTEM: _filesystem,
    StoreType.SQLITE: _sqlite,
}


def _foreign(name: str, path: str | Path | None, source: str) -> ExecutionStore:
    offered = {each.name: each for each in entry_points(group=ENTRY_POINTS)}
    if name not in offered:
        valid = ", ".join(repr(str(each)) for each in [*_OWN, *sorted(offered.keys() - _OWN.keys())])
        raise StoreError(f"unknown store {name!r}{source}; valid: {valid}")
    point = offered[name]
    return _checked(_opened(point, path), f"{point.value} (the entry point {name!r})")


def _opened(point: EntryPoint, path: str | Path | None) -> Any:
    try:
        return point.load()(path)
    except StoreError:
        raise
    except Exception as error:
        raise StoreError(f"the store {point.name!r} ({point.value}) cannot be opened: {error!r}") from error


def _checked(store: Any, source: str) -> ExecutionStore:
    if isinstance(store, ExecutionStore) and not isinstance(store, type):
        return store
    wanted = [name for name in ("create", "append", "load", "list", "delete", "close") if not hasattr(store, name)]
    why = f"it lacks {', '.join(wanted)}" if wanted else "it is a class, not a store"
    raise StoreError(f"{source} gives {store!r}, which is no ExecutionStore: {why}")

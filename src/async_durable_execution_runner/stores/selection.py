"""Which store a runner uses: an argument, or the environment, or memory."""

from __future__ import annotations

import os
from pathlib import Path

from ..exceptions import StoreError
from .base import ExecutionStore, StoreType
from .memory import MemoryExecutionStore

TYPE_VARIABLE, PATH_VARIABLE = "AWS_DEX_STORE_TYPE", "AWS_DEX_STORE_PATH"


def open_store(store: ExecutionStore | StoreType | str | None, path: str | Path | None = None) -> ExecutionStore:
    """The store that ``store`` names, or itself. ``None`` asks the environment.

    Raises ``StoreError`` for a name that is not known, with those that are.
    """
    if store is not None and not isinstance(store, str):
        return store
    name = store or os.environ.get(TYPE_VARIABLE) or StoreType.MEMORY
    path = path or os.environ.get(PATH_VARIABLE)
    if name == StoreType.MEMORY:
        return MemoryExecutionStore()
    if name in set(StoreType):
        raise StoreError(f"the store {name!r} is not part of this release; available: 'memory', or a store of your own")
    valid = ", ".join(repr(str(member)) for member in StoreType)
    source = "" if store else f" ({TYPE_VARIABLE})"
    raise StoreError(f"unknown store {name!r}{source}; valid: {valid}")

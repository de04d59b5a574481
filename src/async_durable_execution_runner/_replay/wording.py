"""Operations in the words of their author."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .._bridges import handler_name, layers, sdk_of
from .._bridges.asks import Ask
from .._model.operation import Operation
from .places import Place
from .recording import Recording


def label_of(operation: Operation | Ask) -> str:
    """Type and name."""
    kind = operation.sub_type or operation.type.value
    return f"{kind} '{operation.name}'" if operation.name else f"an unnamed {kind}"


def labels_of(operations: Sequence[Operation | Ask]) -> str:
    """Type and name of several: the type where it is another one than before, and of many only the first."""
    shown = operations if len(operations) <= _SHOWN + 1 else operations[:_SHOWN]
    words, before = [], None
    for each in shown:
        label = label_of(each)
        kind, quote, name = label.partition("'")
        words.append(f"'{name}" if quote and kind == before else label)
        before = kind
    more = f" and {len(operations) - len(shown)} more" if len(shown) < len(operations) else ""
    return f"{', '.join(words)}{more}"


_SHOWN = 3
"""Names of many operations that are told."""


def words_of(recording: Recording, key: str | None) -> str:
    """A context, and what it stands in."""
    names = []
    while key is not None and key in recording.operations:
        operation = recording.operations[key]
        names.append(label_of(operation))
        key = operation.parent_id
    return " in ".join(names)


def name_of(handler: Any) -> str:
    """The durable function as its author named it, also where a decorator hides it."""
    return handler_name(_own(handler) or handler)


def place_of_handler(handler: Any) -> Place | None:
    """Where the durable function is defined, if that can be known."""
    code = getattr(_own(handler), "__code__", None)
    return (code.co_filename, code.co_firstlineno) if code is not None else None


def _own(handler: Any) -> Any:
    """The user's function below an SDK's wrappers, some of which only close over it."""
    for _ in range(_DEEPEST):
        own = next((layer for layer in layers(handler) if sdk_of(layer) is None), None)
        if own is not None:
            return own
        handler = _closed_over([*layers(handler)][-1])
        if handler is None:
            return None
    return None


_DEEPEST = 10
"""Wrappers that are looked below."""


def _closed_over(wrapper: Any) -> Any:
    names = getattr(getattr(wrapper, "__code__", None), "co_freevars", ())
    cells = dict(zip(names, getattr(wrapper, "__closure__", None) or (), strict=False))
    return next((cells[name].cell_contents for name in ("func", "function", "wrapper") if name in cells), None)

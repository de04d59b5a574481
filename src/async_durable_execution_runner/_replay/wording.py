"""Operations in the words of their author."""

from __future__ import annotations

from types import FunctionType
from typing import Any

from .._bridges import handler_name, layers, sdk_of
from .._model.asks import Ask
from .._model.operation import Operation
from .recording import Recording


def label_of(operation: Operation | Ask) -> str:
    """Type and name."""
    kind = operation.sub_type or operation.type.value
    return f"{kind} '{operation.name}'" if operation.name else f"an unnamed {kind}"


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
    own = next((layer for layer in layers(handler) if sdk_of(layer) is None), None)
    return handler_name(own or _closed_over(handler) or handler)


def _closed_over(wrapper: Any) -> Any:
    names = getattr(getattr(wrapper, "__code__", None), "co_freevars", ())
    cells = dict(zip(names, getattr(wrapper, "__closure__", None) or (), strict=False))
    function = cells["func"].cell_contents if "func" in cells else None
    return function if isinstance(function, FunctionType) else None

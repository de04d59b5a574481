"""What an SDK has made of its models before, for runs that ask it to do the same again and again.

The runs of a crash matrix differ in one place. Everywhere else they write the same updates and read the same
operations, and an SDK spends up to a quarter of its time on turning those into dictionaries and back. Who asks again
gets what was made for an equal one. Whatever a user's code does is done every time.
"""

from __future__ import annotations

import dataclasses
import enum
import inspect
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from .exchanged import Exchange, Exchanged

_PLAIN = frozenset({str, int, bool, type(None), datetime})
"""Kinds of values that nobody can change."""
_MOST = 8192
_LONGEST = 4096
"""Entries, and characters of a text in one: so much at most, whatever the workflow."""


class Memory:
    """What was made so far, for as long as a matrix takes."""

    def __init__(self) -> None:
        self._made: dict[Any, Any] = {}
        self._kinds: dict[tuple[type, ...], tuple[int, tuple[int, ...]] | None] = {}

    def find(self, key: Any) -> Any:
        """What was made for an equal key, or ``None``."""
        return self._made.get(key)

    def keep(self, key: Any, made: Any) -> None:
        """Remember it. Not if there is a lot already."""
        if len(self._made) < _MOST:
            self._made[key] = made

    def key_of_model(self, model: Any) -> tuple[Any, ...] | None:
        """A model's class and values, if all of them are plain."""
        values = list(vars(model).values())
        kinds = tuple(map(type, values))
        if kinds not in self._kinds:
            self._kinds[kinds] = self._look(kinds)
        known = self._kinds[kinds]
        if known is None:
            return None
        number, enums = known
        for index in enums:
            values[index] = values[index]._value_  # its hash is no function of Python's
        return type(model), number, *values

    def _look(self, kinds: tuple[type, ...]) -> tuple[int, tuple[int, ...]] | None:
        """A number for these kinds of values, and where there are enums; ``None`` if one is not plain."""
        enums = tuple(index for index, kind in enumerate(kinds) if issubclass(kind, enum.Enum))
        others = {kind for index, kind in enumerate(kinds) if index not in enums}
        return (len(self._kinds), enums) if others <= _PLAIN else None


def key_of_mapping(data: dict[str, Any]) -> tuple[Any, ...] | None:
    """All that is in a dictionary, if it is plain."""
    key: list[Any] = []
    for name, value in data.items():
        kind = type(value)
        if kind in _PLAIN:
            key += name, value, kind
            continue
        inner = key_of_mapping(value) if kind is dict else None
        if inner is None:
            return None
        key += name, inner
    return tuple(key)


# --------------------------------------------------------------------------------------------- what is exchanged


def async_exchanges(models: Any, state: Any, memory: Memory) -> list[Exchange]:
    """What to exchange in the modules of ``async-durable-execution``; what is built differently is left alone."""
    found = _sizes(state, memory)
    write: Any = getattr(models, "_model_to_mapping", None)
    if _takes(write, "model", "json_mode"):
        found.append((models, "_model_to_mapping", _written(write, memory)))
    read: Any = getattr(models, "_model_from_mapping", None)
    if _takes(read, "model_cls", "data", "json_mode"):
        found.append((models, "_model_from_mapping", _read(read, memory)))
    return found


def aws_exchanges(service: Any, memory: Memory) -> list[Exchange]:
    """The same in AWS's own SDK. Only what a replay begins with is worth it: that is copied before it is read."""
    name = "from_json_dict"
    read: Any = getattr(_attribute(service, "Operation", name), "__func__", None)
    return [(service.Operation, name, classmethod(_read(read, memory)))] if _takes(read, "cls", "data") else []


def _sizes(state: Any, memory: Memory) -> list[Exchange]:
    name = "_calculate_operation_size"
    size: Any = getattr(_attribute(state, "ExecutionState", name), "__func__", None)
    return [(state.ExecutionState, name, staticmethod(_sized(size, memory)))] if _takes(size, "queued_op") else []


def _attribute(module: Any, class_name: str, name: str) -> Any:
    holder = getattr(module, class_name, None)
    return vars(holder).get(name) if isinstance(holder, type) else None


def _takes(function: Any, *names: str) -> bool:
    return inspect.isfunction(function) and tuple(inspect.signature(function).parameters) == names


def _written(own: Callable[..., Any], memory: Memory) -> Callable[..., Any]:
    def write(model: Any, **options: Any) -> Any:
        content = memory.key_of_model(model)
        if content is None:
            return own(model, **options)
        key = own, *options.values(), *content
        found = memory.find(key)
        if found is None:
            found = own(model, **options)
            if type(found) is dict and all(type(each) in _PLAIN and _is_short(each) for each in found.values()):
                memory.keep(key, found)
        return dict(found)

    return write


def _read(own: Callable[..., Any], memory: Memory) -> Callable[..., Any]:
    def read(model_cls: Any, data: Any, **options: Any) -> Any:
        content = key_of_mapping(data) if type(data) is dict else None
        if content is None:
            return own(model_cls, data, **options)
        key = own, model_cls, *options.values(), content
        found = memory.find(key)
        if found is None:
            found = own(model_cls, data, **options)
            if _is_frozen(found) and _is_all_short(data):
                memory.keep(key, found)
        return found

    return read


def _sized(own: Callable[..., Any], memory: Memory) -> Callable[..., Any]:
    def size(queued_op: Any) -> Any:
        update = getattr(queued_op, "operation_update", None)
        content = memory.key_of_model(update) if dataclasses.is_dataclass(update) else None
        if content is None:
            return own(queued_op)
        key = own, *content
        found = memory.find(key)
        if found is None:
            found = own(queued_op)
            if all(map(_is_short, content)):
                memory.keep(key, found)
        return found

    return size


# ------------------------------------------------------------------------------------------- what may be kept


def _is_short(value: Any) -> bool:
    return not isinstance(value, str) or len(value) <= _LONGEST


def _is_all_short(data: dict[str, Any]) -> bool:
    return all(_is_all_short(each) if isinstance(each, dict) else _is_short(each) for each in data.values())


def _is_frozen(value: Any) -> bool:
    """Whether nothing can be changed in what was made."""
    if type(value) in _PLAIN or isinstance(value, enum.Enum):
        return True
    parameters = getattr(type(value), "__dataclass_params__", None)
    return parameters is not None and parameters.frozen and all(map(_is_frozen, vars(value).values()))


# ----------------------------------------------------------------------------------------------------- in use

_exchanged = Exchanged()


def remembered(exchanges: list[Exchange]) -> AbstractContextManager[None]:
    """Let the SDK remember until the block ends.

    For a whole matrix and not for each invocation: Python forgets what it knows of a class that is changed. While
    another matrix is under way its memory is used. It does not matter whose.
    """
    return _exchanged.by(lambda: exchanges)

"""Records as plain JSON data, and back.

Everything is derived from the records' own fields, so a field that is added with a default needs no change here, and
files written before it was added are still read. Parts that hold their default are left out.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from .._model.errors import ErrorObject
from .._model.operation import Details

__all__ = ["SCHEMA_VERSION", "from_data", "from_json", "to_data", "to_json"]

SCHEMA_VERSION = 1
"""Of what is written. It grows when older data can no longer be read as it is."""

T = TypeVar("T")
Convert = Callable[[Any], Any]

# Where a field may hold one of several classes, or anything, the class is written beside the parts.
_TAG = "$type"
_TAGGED: dict[str, type] = {each.__name__: each for each in (ErrorObject, *typing.get_args(Details))}
_REQUIRED: Any = object()

_compact = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
_spaced = json.JSONEncoder(ensure_ascii=False, check_circular=False).encode
_escaped = json.JSONEncoder(check_circular=False).encode


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """How a class is written and read, field by field."""

    fields: tuple[tuple[str, Any, Convert | None], ...]
    """Name, default, and how the value becomes data; ``None`` if it is data as it is."""
    readers: tuple[tuple[str, Convert], ...]
    absent: dict[str, Any]
    """What to assume of fields that are not there, where the class itself says nothing."""


def to_data(record: Any, *, whole: bool = False) -> dict[str, Any]:
    """A record as dicts, lists, strings, numbers and booleans; ``whole`` keeps its own defaults."""
    data = {}
    for name, default, convert in _plan(type(record)).fields:
        value = getattr(record, name)
        if value is not default and value != default:
            data[name] = value if convert is None else convert(value)
        elif whole:
            data[name] = value
    return data


def from_data(cls: type[T], data: Mapping[str, Any]) -> T:
    """The record that ``data`` was made of. Raises ``ValueError``, ``TypeError`` or ``KeyError`` for other data."""
    plan = _plan(cls)
    parts = {**plan.absent, **data}
    for name, convert in plan.readers:
        value = parts.get(name)
        if value is not None:
            parts[name] = convert(value)
    return cls(**parts)


def to_json(data: Any, *, spaced: bool = False) -> bytes:
    """Data on one line, in UTF-8, ``spaced`` for people."""
    try:
        return (_spaced if spaced else _compact)(data).encode()
    except UnicodeEncodeError:  # half of a surrogate pair: no UTF-8, but JSON has a way to write it
        return _escaped(data).encode()


def from_json(text: bytes | str) -> Any:
    """Data from JSON. Raises ``ValueError`` for anything else."""
    return json.loads(text)


# ------------------------------------------------------------------------------------------------------ the plans


def _plan(cls: type) -> _Plan:
    plan = _PLANS.get(cls)
    if plan is None:
        plan = _PLANS[cls] = _made_plan(cls)
    return plan


_PLANS: dict[type, _Plan] = {}


def _made_plan(cls: type) -> _Plan:
    hints = typing.get_type_hints(cls)
    defaults = {name: _default(cls, name, hint) for name, hint in hints.items()}
    return _Plan(
        fields=tuple((name, defaults[name], _writer(hint)) for name, hint in hints.items()),
        readers=tuple((name, reader) for name, hint in hints.items() if (reader := _reader(hint)) is not None),
        absent={name: None for name in hints if defaults[name] is None and not _has_default(cls, name)},
    )


def _default(cls: Any, name: str, hint: Any) -> Any:
    """What a field holds when nothing is said: its default, or nothing where nothing is allowed."""
    if _has_default(cls, name):
        return inspect.signature(cls).parameters[name].default
    return None if types.NoneType in typing.get_args(hint) else _REQUIRED


def _has_default(cls: Any, name: str) -> bool:
    return inspect.signature(cls).parameters[name].default is not inspect.Parameter.empty


def _members(hint: Any) -> list[Any]:
    """The types a field may hold, apart from ``None``."""
    if typing.get_origin(hint) in {types.UnionType, typing.Union}:
        return [each for each in typing.get_args(hint) if each is not types.NoneType]
    return [hint]


def _is_record(hint: Any) -> bool:
    return dataclasses.is_dataclass(hint) or hasattr(hint, "_fields")


def _writer(hint: Any) -> Convert | None:
    members = _members(hint)
    origin = typing.get_origin(members[0]) or members[0]
    if len(members) > 1 and all(map(_is_record, members)):
        return _tagged
    if len(members) > 1 or origin in {dict, Any, Mapping}:
        return _free
    if origin in {tuple, frozenset, list}:
        item = _writer(typing.get_args(members[0])[0])
        return list if item is None else lambda values: [item(each) for each in values]
    return to_data if _is_record(origin) else None


def _reader(hint: Any) -> Convert | None:
    members = _members(hint)
    origin = typing.get_origin(members[0]) or members[0]
    if len(members) > 1 or origin in {dict, Any, Mapping}:
        return _read_free
    if origin in {tuple, frozenset, list}:
        item = _reader(typing.get_args(members[0])[0])
        return origin if item is None else lambda values: origin(map(item, values))
    if _is_record(origin):
        return functools.partial(from_data, origin)
    if isinstance(origin, type) and issubclass(origin, enum.Enum):
        return {member.value: member for member in origin}.__getitem__  # the class itself is ten times as slow
    return None


# -------------------------------------------------------------------------------------------- what may be anything


def _tagged(record: Any) -> dict[str, Any]:
    return {_TAG: type(record).__name__, **to_data(record)}


def _free(value: Any) -> Any:
    if type(value) is dict:
        return {key: each if type(each) in _PLAIN else _free(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_free(each) for each in value]
    return _tagged(value) if type(value).__name__ in _TAGGED else value


_PLAIN = frozenset({str, int, bool, float, types.NoneType})


def _read_free(value: Any) -> Any:
    if type(value) is list:
        return [_read_free(each) for each in value]
    if type(value) is not dict:
        return value
    if _TAG in value:
        return from_data(_TAGGED[value[_TAG]], {key: each for key, each in value.items() if key != _TAG})
    return {key: each if type(each) in _PLAIN else _read_free(each) for key, each in value.items()}

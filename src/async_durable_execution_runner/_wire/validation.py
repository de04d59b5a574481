"""Requests checked against the API model, with the service's own wording for what is wrong.

A check is compiled once per shape into a predicate that only says yes or no; every checkpoint of every run goes
through it. Only a refused request is walked again to say why.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

import botocore.model
import botocore.utils

from ..exceptions import ValidationException
from .model import operation_model, raw_traits

Predicate = Callable[[Any], bool]
_REMEMBERED = 4096


@functools.cache
def input_predicate(operation: str) -> Predicate:
    """A function that says whether parameters fit an operation's input."""
    return _compile(_input_shape(operation))


def check_input(operation: str, params: Mapping[str, Any]) -> None:
    """Raise ``ValidationException`` unless the parameters fit the operation's input."""
    if not input_predicate(operation)(params):
        raise_problems(list(_problems(_input_shape(operation), params, "")))


def raise_problems(problems: list[str]) -> None:
    """Raise a ``ValidationException`` in the service's words."""
    count = len(problems)
    noun = "error" if count == 1 else "errors"
    raise ValidationException(f"{count} validation {noun} detected: " + "; ".join(problems))


def _input_shape(operation: str) -> botocore.model.StructureShape:
    shape = operation_model(operation).input_shape
    assert shape is not None
    return shape


# ----------------------------------------------------------------------------------------------- yes or no


def _compile(shape: botocore.model.Shape) -> Predicate:
    if isinstance(shape, botocore.model.StructureShape):
        return _compile_structure(shape)
    if isinstance(shape, botocore.model.ListShape):
        return _compile_list(shape)
    if isinstance(shape, botocore.model.StringShape):
        return _compile_string(shape, set())
    if shape.type_name in {"integer", "long"}:
        return _compile_integer(shape)
    if shape.type_name == "blob":
        return _compile_blob(shape)
    if shape.type_name == "boolean":
        return lambda value: isinstance(value, bool)
    return is_instant if shape.type_name == "timestamp" else lambda _: True


def _compile_structure(shape: botocore.model.StructureShape) -> Predicate:
    members = {name: _remembering(member) for name, member in shape.members.items()}
    required = tuple(shape.required_members)

    def fits(value: Any) -> bool:
        if type(value) is not dict and not isinstance(value, Mapping):
            return False
        for name in required:
            if value.get(name) is None:
                return False
        for name, item in value.items():
            if item is None or name not in members:
                continue
            member, known = members[name]
            # Most texts are names that have been seen before: they need no call.
            if (type(item) is not str or item not in known) and not member(item):
                return False
        return True

    return fits


def _compile_list(shape: botocore.model.ListShape) -> Predicate:
    member = _compile(shape.member)
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")

    def fits(value: Any) -> bool:
        if not isinstance(value, list | tuple) or len(value) < low or (high is not None and len(value) > high):
            return False
        for item in value:  # noqa: SIM110 - a generator costs as much as the rest
            if not member(item):
                return False
        return True

    return fits


def _remembering(shape: botocore.model.Shape) -> tuple[Predicate, Collection[str]]:
    """A member's predicate, and texts that are known to fit it."""
    if isinstance(shape, botocore.model.StringShape):
        known: set[str] = set(shape.enum)
        return _compile_string(shape, known), known
    return _compile(shape), ()


def _compile_string(shape: botocore.model.StringShape, good: set[str]) -> Predicate:
    """The predicate remembers in ``good`` what has matched the shape's pattern."""
    traits = raw_traits(shape)
    low, high = traits.get("min", 0), traits.get("max")
    enum = frozenset(shape.enum)
    pattern = re.compile(traits["pattern"]) if "pattern" in traits else None
    if enum:
        return lambda value: isinstance(value, str) and value in enum
    if pattern is None:
        return lambda value: isinstance(value, str) and len(value) >= low and (high is None or len(value) <= high)

    def fits(value: Any) -> bool:
        if not isinstance(value, str):
            return False
        if value in good:
            return True
        if len(value) < low or (high is not None and len(value) > high):
            return False
        if pattern.fullmatch(value) is None:
            return False
        if len(good) >= _REMEMBERED:
            good.clear()
        good.add(value)
        return True

    return fits


def _compile_integer(shape: botocore.model.Shape) -> Predicate:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")

    def fits(value: Any) -> bool:
        if not isinstance(value, int) or isinstance(value, bool):
            return False
        return (low is None or value >= low) and (high is None or value <= high)

    return fits


def _compile_blob(shape: botocore.model.Shape) -> Predicate:
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")

    def fits(value: Any) -> bool:
        size = _blob_size(value)
        return size is None or (size >= low and (high is None or size <= high))

    return fits


def is_instant(value: Any) -> bool:
    """Whether a value is an instant in any of the ways boto3 takes: a ``datetime``, seconds since the epoch, text."""
    try:
        botocore.utils.parse_timestamp(value)
    except (ValueError, TypeError, OverflowError, AttributeError, RuntimeError):
        return isinstance(value, datetime)
    return True


def _blob_size(value: Any) -> int | None:
    if isinstance(value, str):
        return len(value.encode())
    return len(value) if isinstance(value, bytes | bytearray) else None


# ---------------------------------------------------------------------------------------------- and why not


def _problems(shape: botocore.model.Shape, value: Any, path: str) -> Iterator[str]:
    if isinstance(shape, botocore.model.StructureShape):
        yield from _structure_problems(shape, value, path)
    elif isinstance(shape, botocore.model.ListShape):
        yield from _list_problems(shape, value, path)
    elif not _compile(shape)(value):
        yield f"Value{_shown(shape, value)} at '{path}' failed to satisfy constraint: {_constraint(shape, value)}"


def _structure_problems(shape: botocore.model.StructureShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a structure"
        return
    for name in shape.required_members:
        if value.get(name) is None:
            yield f"Value null at '{_join(path, name)}' failed to satisfy constraint: Member must not be null"
    for name, member in shape.members.items():
        if value.get(name) is not None:
            yield from _problems(member, value[name], _join(path, name))


def _list_problems(shape: botocore.model.ListShape, value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list | tuple):
        yield f"Value at '{path}' failed to satisfy constraint: Member must be a list"
        return
    low, high = shape.metadata.get("min", 0), shape.metadata.get("max")
    if len(value) < low:
        yield f"Value at '{path}' failed to satisfy constraint: Member must have length greater than or equal to {low}"
    if high is not None and len(value) > high:
        yield f"Value at '{path}' failed to satisfy constraint: Member must have length less than or equal to {high}"
    for number, item in enumerate(value, start=1):
        yield from _problems(shape.member, item, f"{path}.{number}.member")


def _constraint(shape: botocore.model.Shape, value: Any) -> str:
    traits = raw_traits(shape)
    low, high = traits.get("min"), traits.get("max")
    if shape.type_name in {"integer", "long"}:
        if not isinstance(value, int) or isinstance(value, bool):
            return "Member must be an integer"
        less = low is not None and value < low
        return f"Member must have value {'greater' if less else 'less'} than or equal to {low if less else high}"
    if shape.type_name == "boolean":
        return "Member must be true or false"
    size = _blob_size(value)
    if size is None or shape.type_name == "timestamp":
        return f"Member must be a {shape.type_name}"
    if enum := traits.get("enum"):
        return f"Member must satisfy enum value set: [{', '.join(enum)}]"
    if low is not None and size < low:
        return f"Member must have length greater than or equal to {low}"
    if high is not None and size > high:
        return f"Member must have length less than or equal to {high}"
    return f"Member must satisfy regular expression pattern: {traits.get('pattern')}"


def _shown(shape: botocore.model.Shape, value: Any) -> str:
    if raw_traits(shape).get("sensitive") or isinstance(value, bytes | bytearray):
        return ""
    return f" '{value}'"


def _join(path: str, name: str) -> str:
    name = name[0].lower() + name[1:]
    return f"{path}.{name}" if path else name

"""Values as they were at one moment, comparable with those of a later one.

A value is taken apart as far as it is plain data. What is not, such as a client or a logger, is only kept as an
object and equal to any other: a radar that cries wolf is worse than none. Objects that are shared by both moments are
equal, whatever has happened to them in between: only values that the handler's code computes anew are its own.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import types
import uuid
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from .bound import bound_arguments
from .places import SDKS

_MOST = 2000
"""Parts of one value that are looked at."""

_PLAIN = (str, int, float, bool, bytes, type(None))
_PRINTED = (
    dt.date,
    dt.time,
    dt.timedelta,
    uuid.UUID,
    decimal.Decimal,
    pathlib.PurePath,
    complex,
    range,
)


class Opaque:
    """Something that cannot be looked into. Equal to anything."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "…"


OPAQUE = Opaque()


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A value that was taken apart. ``original`` is kept, so that the same object is known again."""

    original: Any
    kind: str
    parts: tuple[tuple[str, Any], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """Where two values differ, and both sides there."""

    path: str
    recorded: str
    now: str


class _Taker:
    def __init__(self, operation_id: str | None) -> None:
        self._operation_id = operation_id
        self._left = _MOST
        self._open: set[int] = set()

    def take(self, value: Any) -> Any:
        self._left -= 1
        if self._left < 0 or id(value) in self._open:
            return OPAQUE
        if isinstance(value, enum.Enum):
            return value.value if isinstance(value.value, _PLAIN) else str(value)
        if isinstance(value, _PLAIN):
            # An identifier is a counter, which an SDK closes over: it says where an operation stands, not what it is.
            return OPAQUE if value is not None and value == self._operation_id else value
        if isinstance(value, _PRINTED):
            # As text, because that is what some serializers make of it.
            return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)
        if _is_sdks(value):
            return OPAQUE
        self._open.add(id(value))
        try:
            return self._taken_apart(value)
        finally:
            self._open.discard(id(value))

    def _taken_apart(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return self._node(value, "mapping", {str(key): each for key, each in value.items()})
        if isinstance(value, AbstractSet):
            return Node(value, "set", (("", _sorted(self.take(each) for each in value)),))
        if isinstance(value, Sequence) and isinstance(value, list | tuple):
            return self._node(value, "sequence", {str(number): each for number, each in enumerate(value)})
        if isinstance(value, bytearray | memoryview):
            return bytes(value)
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            names = [field.name for field in dataclasses.fields(value) if field.compare]
            return self._node(value, "mapping", {name: getattr(value, name, None) for name in names})
        return self._call(value)

    def _call(self, value: Any) -> Any:
        """Something to be called: the arguments that are bound to it, and what it closes over."""
        bound = bound_arguments(value)
        if bound is not None:
            return self._node(value, "call", {"": bound[0], **bound[1]})
        if isinstance(value, types.MethodType):
            return self._node(value, "call", {"": value.__func__})
        if isinstance(value, types.FunctionType):
            return Node(value, "call", tuple(self._closed_over(value)))
        return OPAQUE

    def _closed_over(self, function: types.FunctionType) -> Any:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
            try:
                inside = cell.cell_contents
            except ValueError:  # a name that was never bound
                continue
            # The cell itself is kept: one that both moments share is the surroundings' and not the handler's.
            yield name, Node(cell, "cell", (("", self.take(inside)),))
        code, defaults = function.__code__, function.__defaults__ or ()
        with_default = code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount]
        for name, default in zip(with_default, defaults, strict=True):
            yield name, self.take(default)

    def _node(self, value: Any, kind: str, parts: Mapping[str, Any]) -> Node:
        return Node(value, kind, tuple((name, self.take(each)) for name, each in parts.items()))


def _sorted(parts: Any) -> tuple[str, ...]:
    return tuple(sorted(plain(each) for each in parts))


def _is_sdks(value: Any) -> bool:
    """Whether it is an object of an SDK's own, or one that stands for Lambda's, such as its context.

    Functions are looked into: user code is closed over in them.
    """
    package = str(type(value).__module__).partition(".")[0]
    return package in SDKS or package == __package__.partition(".")[0]


def take(value: Any, operation_id: str | None = None) -> Any:
    """A value as it is now. Objects of the user's that do not like being looked at are left alone.

    ``operation_id`` is that of the operation it is given to.
    """
    try:
        return _Taker(operation_id).take(value)
    except Exception:  # noqa: BLE001 - whatever their own methods raise
        return OPAQUE


ABSENT: Any = object()
"""Stands for a stored form that is not known here."""


def as_json(value: Any) -> Any:
    """What is stored of a value by default, read again; ``ABSENT`` if JSON cannot hold it."""
    try:
        return json.loads(json.dumps(value))
    except (TypeError, ValueError, RecursionError):
        return ABSENT


def difference(recorded: Any, now: Any, path: str = "") -> Difference | None:
    """The first place where two snapshots differ, or ``None``."""
    if isinstance(recorded, Opaque) or isinstance(now, Opaque):
        return None
    if isinstance(recorded, Node) and isinstance(now, Node):
        return _in_nodes(recorded, now, path)
    if isinstance(recorded, Node) or isinstance(now, Node):
        # One form before it was stored and another one after: the SDK's doing, or an object against plain data.
        return None
    if type(recorded) is not type(now) and not _are_numbers(recorded, now):
        return None if _is_text_of(recorded, now) else Difference(path, plain(recorded), plain(now))
    # What is not equal to itself has one text all the same.
    return None if recorded == now or repr(recorded) == repr(now) else Difference(path, plain(recorded), plain(now))


def _in_nodes(recorded: Node, now: Node, path: str) -> Difference | None:
    if recorded.original is now.original or recorded.kind != now.kind:
        return None
    if recorded.kind == "set":
        return None if recorded.parts == now.parts else Difference(path, plain(recorded), plain(now))
    theirs, ours = dict(recorded.parts), dict(now.parts)
    if recorded.kind == "call" and _is_other_code(theirs.get(""), ours.get("")):
        return None
    if recorded.kind == "sequence" and len(theirs) != len(ours):
        return Difference(path, plain(recorded), plain(now))
    if recorded.kind == "mapping" and theirs.keys() != ours.keys():
        return Difference(path, plain(recorded), plain(now))
    for name, part in theirs.items():
        if name in ours:
            found = difference(part, ours[name], _below(path, name, recorded.kind))
            if found is not None:
                return found
    return None


def _is_other_code(recorded: Any, now: Any) -> bool:
    def place(node: Any) -> Any:
        code = getattr(node.original, "__code__", None) if isinstance(node, Node) else None
        return code and (code.co_filename, code.co_firstlineno, code.co_qualname)

    return bool(place(recorded) != place(now))


def _below(path: str, name: str, kind: str) -> str:
    if kind in {"call", "cell"}:
        return name or path
    if kind == "sequence":
        return f"{path}[{name}]"
    return f"{path}.{name}" if path else name


def _are_numbers(a: Any, b: Any) -> bool:
    return isinstance(a, int | float) and isinstance(b, int | float)


def _is_text_of(a: Any, b: Any) -> bool:
    """Whether one is the other as it was stored: a date as its text, bytes as theirs."""
    return isinstance(a, str | bytes) and isinstance(b, str | bytes)


def plain(value: Any) -> str:
    """A snapshot as text."""
    if not isinstance(value, Node):
        return repr(value)
    if value.kind == "set":
        return "{" + ", ".join(value.parts[0][1]) + "}"
    if value.kind == "sequence":
        return "[" + ", ".join(plain(each) for _, each in value.parts) + "]"
    if value.kind == "mapping":
        return "{" + ", ".join(f"{name!r}: {plain(each)}" for name, each in value.parts) + "}"
    return ", ".join(f"{name}={plain(each)}" for name, each in value.parts if name)

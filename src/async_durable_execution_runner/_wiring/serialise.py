"""Values that users hand over, as the text that goes over the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from .._model.errors import ErrorObject
from .._wire.updates import parse_error
from ..exceptions import InputSerializationError

_WIRE_MEMBERS = frozenset({"ErrorMessage", "ErrorType", "ErrorData", "StackTrace"})


def input_text(value: Any) -> str:
    """An execution's input: JSON text as it is, any other text as a JSON string, everything else encoded."""
    if isinstance(value, str):
        try:
            json.loads(value)
        except RecursionError:
            return value  # whoever reads it will say how deep is too deep
        except ValueError:
            return json.dumps(value)
        return value
    return json_text(value, "the input")


def callback_text(value: Any) -> str | None:
    """A callback's result: text and bytes verbatim, ``None`` for no payload, everything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes | bytearray):
        try:
            return bytes(value).decode()
        except UnicodeDecodeError as error:
            raise InputSerializationError(f"a callback result given as bytes must be UTF-8: {error}") from error
    return json_text(value, "the callback's result")


def json_text(value: Any, what: str) -> str:
    """``value`` as JSON. Raises ``InputSerializationError`` that names the place of what cannot be encoded."""
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        place, culprit = _culprit(value, "")
        where = f" at {place}" if place else ""
        raise InputSerializationError(
            f"{what} cannot be written as JSON: {type(culprit).__name__} {_short(culprit)}{where} ({error}). "
            "Give plain data, or the JSON text itself."
        ) from error


def error_object(value: Any) -> ErrorObject:
    """An error, from an SDK's ``ErrorObject``, an exception, a mapping in wire shape, a message, or nothing."""
    if value is None:
        return ErrorObject()
    if isinstance(value, str):
        return ErrorObject(message=value)
    if isinstance(value, BaseException):
        return ErrorObject(message=str(value), type=type(value).__name__)
    if isinstance(value, Mapping):
        unknown = sorted(map(str, value.keys() - _WIRE_MEMBERS))
        if unknown:
            raise InputSerializationError(
                f"an error has {', '.join(sorted(_WIRE_MEMBERS))}; unknown: {', '.join(unknown)}"
            )
        return parse_error(value)
    if hasattr(value, "message") and hasattr(value, "type"):
        trace = getattr(value, "stack_trace", None)
        return ErrorObject(
            message=value.message,
            type=value.type,
            data=getattr(value, "data", None),
            stack_trace=tuple(trace) if trace is not None else None,
        )
    raise InputSerializationError(
        f"an error is an ErrorObject, an exception, a mapping in wire shape or a message, not {type(value).__name__}"
    )


def _culprit(value: Any, place: str, depth: int = 0) -> tuple[str, Any]:
    """The innermost part of ``value`` that JSON does not know, and the way to it."""
    if depth < 20:
        parts: Any = ()
        if isinstance(value, dict):
            parts = [(f"{place}[{key!r}]", item) for key, item in value.items()]
        elif isinstance(value, list | tuple):
            parts = [(f"{place}[{number}]", item) for number, item in enumerate(value)]
        for where, item in parts:
            try:
                json.dumps(item)
            except (TypeError, ValueError, RecursionError):
                return _culprit(item, where, depth + 1)
    return place, value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"

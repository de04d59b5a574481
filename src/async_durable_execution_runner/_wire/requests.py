"""Requests over HTTP, read into the parameters that boto3's methods take. What goes where is the model's business."""

from __future__ import annotations

import base64
import binascii
import functools
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import botocore.model
import botocore.utils

from .model import operation_model

Reader = Callable[[Any], Any]
_BOOLEANS = {"true": True, "false": False}


class BodyError(ValueError):
    """A body that is no JSON, or not the kind of JSON that a request has."""


def read_params(
    operation: str,
    labels: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
    body: bytes,
) -> dict[str, Any]:
    """The parameters of a request. ``headers`` by lower-case name. What does not fit its type is left as it came.

    The check against the model says what is wrong with that. Raises ``BodyError``.
    """
    shape = operation_model(operation).input_shape
    if shape is None:
        return {}
    params: dict[str, Any] = {}
    payload = shape.serialization.get("payload")
    for name, member in shape.members.items():
        found = _member(member, name, labels, query, headers)
        if found is not None:
            params[name] = found
    if payload is not None:
        params |= _payload(payload, shape.members[payload], body)
    elif any("location" not in member.serialization for member in shape.members.values()):
        placed = {name for name, member in shape.members.items() if "location" in member.serialization}
        params |= {name: item for name, item in _object(shape, body).items() if name not in placed}
    return params


def _member(
    member: botocore.model.Shape,
    name: str,
    labels: Mapping[str, str],
    query: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
) -> Any:
    location, wire_name = member.serialization.get("location"), member.serialization.get("name", name)
    if location == "uri":
        return labels.get(wire_name)
    if location == "header":
        text = headers.get(wire_name.lower())
        return None if text is None else _from_text(member, text)
    if location != "querystring":
        return None
    given = [text for key, text in query if key == wire_name]
    if not given:
        return None
    if isinstance(member, botocore.model.ListShape):
        return [_from_text(member.member, text) for text in given]
    return _from_text(member, given[-1])


def _from_text(shape: botocore.model.Shape, text: str) -> Any:
    if shape.type_name == "boolean":
        return _BOOLEANS.get(text.lower(), text)
    if shape.type_name in {"integer", "long"}:
        return _integer(text)
    if shape.type_name == "timestamp":
        return _instant(text)
    return text


def _integer(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _instant(value: Any) -> Any:
    try:
        instant: datetime = botocore.utils.parse_timestamp(value)
    except (ValueError, TypeError, OverflowError, RuntimeError):
        return value
    return instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)


# ------------------------------------------------------------------------------------------------------- bodies


def _payload(name: str, shape: botocore.model.Shape, body: bytes) -> dict[str, Any]:
    if not body:
        return {}
    if shape.type_name == "blob":
        return {name: body}
    return {name: _object(shape, body)}


def _object(shape: botocore.model.Shape, body: bytes) -> dict[str, Any]:
    document = _parse(body) if body.strip() else {}
    if not isinstance(document, dict):
        raise BodyError(f"an object is expected, not {type(document).__name__}")
    read: dict[str, Any] = _reader(shape)(document)
    return read


def _parse(body: bytes) -> Any:
    try:
        document = json.loads(body, parse_constant=_no_constant)
        if b"\\u" in body:
            # Half a surrogate pair is text that nothing could write down again.
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise BodyError("it is nested too deeply") from None
    except ValueError as error:
        raise BodyError(str(error)) from None
    return document


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


@functools.cache
def _reader(shape: botocore.model.Shape) -> Reader:
    """Reads a value of the shape from parsed JSON. Made once: every checkpoint over HTTP goes through it."""
    if isinstance(shape, botocore.model.StructureShape):
        return _structure_reader(shape)
    if isinstance(shape, botocore.model.ListShape):
        item = _reader(shape.member)
        return lambda value: [item(each) for each in value] if isinstance(value, list) else value
    if isinstance(shape, botocore.model.MapShape):
        inner = _reader(shape.value)
        return lambda value: {key: inner(each) for key, each in value.items()} if isinstance(value, dict) else value
    if shape.type_name == "timestamp":
        return _instant
    return _bytes if shape.type_name == "blob" else lambda value: value


def _structure_reader(shape: botocore.model.StructureShape) -> Reader:
    members = [
        (member.serialization.get("name", name), name, _reader(member)) for name, member in shape.members.items()
    ]

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: reader(value[key]) for key, name, reader in members if key in value}

    return read


def _bytes(value: Any) -> Any:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return value

"""Answers over HTTP, written as the API model says. What goes into a header, a status or the body is its business."""

from __future__ import annotations

import base64
import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import botocore.model

from .._model.instants import to_millis
from .errors import status_code
from .model import error_shape, operation_model

Writer = Callable[[Any], Any]
JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """Status, headers and body of an answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def reply_to(operation: str, output: Mapping[str, Any]) -> Reply:
    """The answer to a request that was carried out. ``output`` as boto3's methods give it."""
    model = operation_model(operation)
    shape = model.output_shape
    status = model.http.get("responseCode", 200)
    if shape is None:
        return Reply(status=status, headers={}, body=b"")
    payload = shape.serialization.get("payload")
    headers, content = _placed(shape, output)
    for name, member in shape.members.items():
        if member.serialization.get("location") == "statusCode" and name in output:
            status = output[name]
    body = _raw(shape.members[payload], output.get(payload)) if payload is not None else _dump(content)
    return Reply(status=status, headers={"content-type": JSON, **headers}, body=body)


def error_reply(code: str, message: str, members: Mapping[str, Any] | None = None, status: int | None = None) -> Reply:
    """The answer to a request that was refused. The model decides whether it is ``message`` or ``Message``.

    For a code that the model does not have, ``status`` is needed, or 400 is meant.
    """
    shape = error_shape(code)
    status = status or status_code(code)
    content: dict[str, Any] = {"message": message}
    headers: dict[str, str] = {}
    if shape is not None:
        told: dict[str, Any] = {name: message for name in shape.members if name.lower() == "message"}
        if "Type" in shape.members:
            told["Type"] = "User" if status < 500 else "Service"
        told |= members or {}
        headers, content = _placed(shape, {name: told[name] for name in shape.members if name in told})
    return Reply(
        status=status, headers={"content-type": JSON, "x-amzn-errortype": code, **headers}, body=_dump(content)
    )


def _placed(shape: botocore.model.StructureShape, values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Members that are headers, and members that are the body."""
    return _headers_of(shape, values), _writer(shape)(values)


def _headers_of(shape: botocore.model.StructureShape, values: Mapping[str, Any]) -> dict[str, str]:
    return {wire_name: str(values[name]) for name, wire_name in _header_names(shape) if values.get(name) is not None}


@functools.cache
def _header_names(shape: botocore.model.StructureShape) -> list[tuple[str, str]]:
    members = [(name, member.serialization) for name, member in shape.members.items()]
    return [(name, traits.get("name", name)) for name, traits in members if traits.get("location") == "header"]


@functools.cache
def _writer(shape: botocore.model.Shape) -> Writer:
    """Makes JSON of a value of the shape. Made once: every answer to a checkpoint goes through it."""
    if isinstance(shape, botocore.model.StructureShape):
        return _structure_writer(shape)
    if isinstance(shape, botocore.model.ListShape):
        item = _writer(shape.member)
        return lambda value: [item(each) for each in value]
    if isinstance(shape, botocore.model.MapShape):
        inner = _writer(shape.value)
        return lambda value: {key: inner(each) for key, each in value.items()}
    return _plain


def _structure_writer(shape: botocore.model.StructureShape) -> Writer:
    """Members that are somewhere else than in the body are left out."""
    members = {
        name: (member.serialization.get("name", name), _writer(member))
        for name, member in shape.members.items()
        if "location" not in member.serialization
    }

    def write(values: Mapping[str, Any]) -> dict[str, Any]:
        written = {}
        for name, value in values.items():
            if value is not None and name in members:
                key, writer = members[name]
                written[key] = writer(value)
        return written

    return write


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        # The protocol's timestamps in bodies are seconds since the epoch.
        return to_millis(value) / 1000
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _raw(shape: botocore.model.Shape, value: Any) -> bytes:
    if value is None:
        return b""
    if shape.type_name != "blob":
        return _dump(_writer(shape)(value))
    data: bytes | str = value.read() if hasattr(value, "read") else value
    return data.encode() if isinstance(data, str) else data


def _dump(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()

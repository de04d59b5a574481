"""Answers over HTTP, written as the API model says. What goes into a header, a status or the body is its business."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import botocore.model

from .._model.instants import to_millis
from .errors import status_code
from .model import error_shape, operation_model

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
        told = {name: message for name in shape.members if name.lower() == "message"}
        if "Type" in shape.members:
            told["Type"] = "User" if status < 500 else "Service"
        headers, content = _placed(shape, {**told, **(members or {})})
    return Reply(
        status=status, headers={"content-type": JSON, "x-amzn-errortype": code, **headers}, body=_dump(content)
    )


def _placed(shape: botocore.model.StructureShape, values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """Members that are headers, and members that are the body."""
    headers: dict[str, str] = {}
    content: dict[str, Any] = {}
    for name, member in shape.members.items():
        if values.get(name) is None:
            continue
        wire_name, location = member.serialization.get("name", name), member.serialization.get("location")
        if location == "header":
            headers[wire_name] = str(values[name])
        elif location is None:
            content[wire_name] = _to_json(member, values[name])
    return headers, content


def _to_json(shape: botocore.model.Shape, value: Any) -> Any:
    if isinstance(shape, botocore.model.StructureShape):
        return _placed(shape, value)[1]
    if isinstance(shape, botocore.model.ListShape):
        return [_to_json(shape.member, item) for item in value]
    if isinstance(shape, botocore.model.MapShape):
        return {key: _to_json(shape.value, item) for key, item in value.items()}
    if isinstance(value, datetime):
        # The protocol's timestamps in bodies are seconds since the epoch.
        return to_millis(value) / 1000
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value


def _raw(shape: botocore.model.Shape, value: Any) -> bytes:
    if value is None:
        return b""
    if shape.type_name != "blob":
        return _dump(_to_json(shape, value))
    data: bytes | str = value.read() if hasattr(value, "read") else value
    return data.encode() if isinstance(data, str) else data


def _dump(content: Any) -> bytes:
    return json.dumps(content, separators=(",", ":")).encode()

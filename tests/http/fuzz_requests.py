"""Requests as bytes: whole ones from parameters, and such as are broken after that, down to HTTP itself."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

import botocore.model
from fuzz_shapes import HUGE, fitting, nearly
from hypothesis import strategies as st

from async_durable_execution_runner._wire.model import durable_operations, operation_model

_PATH = re.compile("[!-~]+")
OPERATIONS = ("Invoke", *durable_operations())


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to send. ``broken`` names what was done to the bytes; ``fits``: the model has nothing against it."""

    operation: str
    params: dict[str, Any]
    fits: bool
    broken: str = ""
    dice: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """A request as it is written. ``is_http``: a server can make out that it is one; ``answered``: an answer is due."""

    method: str
    path: str
    query: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    body: bytes
    is_http: bool = True
    answered: bool = True
    version: str = "1.1"
    chunked: bool = False
    length: int | None = None

    def head(self) -> bytes:
        """The request line and the headers."""
        query = "&".join(f"{key}={value}" for key, value in self.query)
        target = self.path + (f"?{query}" if query else "")
        size = len(self.body) if self.length is None else self.length
        given = [("transfer-encoding", "chunked")] if self.chunked else [("content-length", str(size))]
        lines = [f"{self.method} {target} HTTP/{self.version}", "host: 127.0.0.1"]
        lines += [f"{name}: {value}" for name, value in [*self.headers, *given]]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogatepass")

    def payload(self) -> bytes:
        """What comes after them."""
        if not self.chunked:
            return self.body
        chunk = f"{len(self.body):x}\r\n".encode() + self.body + b"\r\n" if self.body else b""
        return chunk + b"0\r\n\r\n"


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """One request: it fits, or its parameters nearly do, or its bytes are broken."""
    operation = draw(st.sampled_from(OPERATIONS))
    dice = draw(st.integers(0, 99))
    if dice < 40:
        return Plan(operation=operation, params=draw(fitting(operation)), fits=True)
    if dice < 75:
        return Plan(operation=operation, params=draw(nearly(operation)), fits=False)
    # What is as large as the service takes is sent seldom: it is all the same to the parser, and takes long.
    names = ["huge"] if draw(st.integers(0, 199)) == 0 else [name for name in BREAKS if name != "huge"]
    broken = draw(st.sampled_from(sorted(names)))
    params = draw(fitting(operation))
    return Plan(operation=operation, params=params, fits=False, broken=broken, dice=draw(st.integers(0, 2**32)))


# ------------------------------------------------------------------------------------------------ as it should be


def written(operation: str, params: dict[str, Any]) -> Wire:
    """A request with these parameters, each where the model has it. What they are is not looked at."""
    model = operation_model(operation)
    shape: Any = model.input_shape
    path: str = model.http["requestUri"]
    query: list[tuple[str, str]] = []
    headers: list[tuple[str, str]] = []
    content: dict[str, Any] = {}
    body = b""
    payload = shape.serialization.get("payload")
    for name, value in params.items():
        member = shape.members.get(name)
        traits = member.serialization if member is not None else {}
        wire_name, location = traits.get("name", name), traits.get("location")
        if name == payload:
            body = _body(member, value)
        elif location == "uri":
            path = path.replace(f"{{{wire_name}}}", quote(_plain(value), safe=""))
        elif location == "header":
            headers.append((wire_name, _one_line(_plain(value))))
        elif location == "querystring":
            items = value if isinstance(value, list) else [value]
            query += [(wire_name, quote(_plain(each), safe="")) for each in items]
        else:
            content[wire_name] = _jsonable(value)
    if payload is None and content:
        body = json.dumps(content).encode()
    headers.insert(0, ("content-type", "application/octet-stream" if payload is not None else "application/json"))
    return Wire(method=model.http["method"], path=path, query=query, headers=headers, body=body)


def _body(member: botocore.model.Shape, value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return json.dumps(_jsonable(value)).encode()


def _plain(value: Any) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text.encode("utf-8", "replace").decode()


def _one_line(text: str) -> str:
    return "".join(letter if " " <= letter < "\x7f" else "?" for letter in text)


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    return [_jsonable(item) for item in value] if isinstance(value, list) else value


# --------------------------------------------------------------------------------------------------- and broken


def _pick(options: list[Any], dice: int) -> Any:
    return options[dice % len(options)]


def _other_method(wire: Wire, dice: int) -> Wire:
    methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "BREW"]
    return replace(wire, method=_pick(methods, dice))


def _other_path(wire: Wire, dice: int) -> Wire:
    path, at = wire.path, dice // 16 % max(1, len(wire.path))
    options = [
        path[:at], path + "/", path + "/more", "/" + path, path.replace("/", "//"), path.replace("%3A", ":"),
        path.replace("%2F", "/").replace("%3A", ":"), path.replace("%", "%25"), path[:at] + "%zz" + path[at:],
        path[:at] + "%" + path[at:], path[:at] + "%00" + path[at:], path[:at] + "/../" + path[at:],
        path[:at] + "%2e%2e%2f" + path[at:], path[:at] + "%E0%80" + path[at:], path.lower(), "/",
        path[:at] + "%c3%a9" + path[at:], "*", "http://127.0.0.1" + path, path + ";a=b", path + "#there",
        "/" + "x" * 20_000, path[:at] + "é" + path[at:], path[:at] + "%0d%0a" + path[at:], path.swapcase(),
    ]  # fmt: skip
    return replace(wire, path=_pick(options, dice) or "/")


def _other_query(wire: Wire, dice: int) -> Wire:
    names = ["MaxItems", "ReverseOrder", "Marker", "Statuses", "StartedAfter", "Qualifier", "IncludeExecutionData", ""]
    values = [
        "", "%", "%zz", "%00", "1;2", "-1", "1001", "1e3", "0x10", "TRUE", "yes", "%ff", "NaN", "inf", "1" * 5000,
        "9999-99-99", "-99999999999999", "99999999999999999999", "2025-12-01", "a=b=c", "+", "[]", "%F0%9F%98%80",
    ]  # fmt: skip
    more = [(_pick(names, dice), _pick(values, dice // 16)), (_pick(names, dice // 1024), _pick(values, dice // 8192))]
    return replace(wire, query=[*wire.query, *more[: 1 + dice % 2]])


def _other_headers(wire: Wire, dice: int) -> Wire:
    kinds = ["text/plain", "", "application/xml", "application/json; charset=utf-16", ";;;"]
    options = [
        ("content-type", _pick(kinds, dice // 64)),
        ("content-encoding", "gzip"), ("accept", "text/html"), ("x-amz-invocation-type", "event"),
        ("x-amz-invocation-type", ""), ("x-amz-log-type", "Tail"), ("x-amz-log-type", "tail"),
        ("x-amz-durable-execution-name", "a" * 65), ("x-amz-durable-execution-name", "../../etc"),
        ("x-amz-tenant-id", "é"), ("x-amz-tenant-id", " "), ("x-amz-client-context", "bm90IGpzb24="),
        ("x-amz-client-context", "%%%"), ("authorization", "AWS4-HMAC-SHA256 nonsense"), ("x-amz-date", "yesterday"),
        ("x-amz-content-sha256", "0"), ("x-filler", "x" * 10_000), ("cookie", "a=b"), ("expect", "100-continue"),
        ("connection", "close"), ("range", "bytes=0-1"), ("x-http-method-override", "DELETE"), ("host", "elsewhere"),
    ]  # fmt: skip
    name, value = _pick(options, dice)
    return replace(wire, headers=[*wire.headers, (name, value)], is_http=name != "host")


def _other_body(wire: Wire, dice: int) -> Wire:
    body, at = wire.body, dice // 16 % max(1, len(wire.body))
    options = [
        body[:at], body + b"}", body[:at] + b"\xff" + body[at:], b"null", b"[]", b'"text"', b"0", b"{}", b" ", b"\x00",
        b"{" * 5000, b"[" * 100_000, b'{"a":' * 20_000, b"9" * 10_000, body * 2,
        body.decode("latin-1").encode("utf-16"),
        b"\xef\xbb\xbf" + body, body.replace(b'"', b"'"), b'{"CheckpointToken": "\\ud800"}', b'{"Updates": 1e999}',
        b'{"CheckpointToken": 1, "CheckpointToken": 2}', body.replace(b":", b"::"), body.replace(b"null", b"NaN"),
        body.swapcase(), b"x" * 100_000,
    ]  # fmt: skip
    return replace(wire, body=_pick(options, dice))


def _broken_http(wire: Wire, dice: int) -> Wire:
    options = [
        {"version": "1.0"}, {"chunked": True}, {"version": "9.9", "is_http": False}, {"method": "", "is_http": False},
        {"method": "PO ST", "is_http": False}, {"path": "", "is_http": False}, {"length": -1, "is_http": False},
        {"path": "/a b", "is_http": False}, {"path": "/\x00", "is_http": False},
        {"path": "/" + "y" * 100_000, "is_http": False},
        {"headers": [("a b", "c")], "is_http": False}, {"headers": [("a", "\x00")], "is_http": False},
        {"headers": [("x-filler", "x" * 100_000)], "is_http": False},
        {"length": len(wire.body) + 10, "answered": False}, {"length": max(0, len(wire.body) - 1), "is_http": False},
    ]  # fmt: skip
    changed: dict[str, Any] = _pick(options, dice)
    return replace(wire, **changed)


def _huge(wire: Wire, dice: int) -> Wire:
    size = _pick([HUGE - 2, HUGE - 1, 2 * HUGE], dice)
    return replace(wire, body=b'"' + b"x" * size + b'"')


BREAKS = {
    "method": _other_method,
    "path": _other_path,
    "query": _other_query,
    "headers": _other_headers,
    "body": _other_body,
    "http": _broken_http,
    "huge": _huge,
}


def broken(wire: Wire, name: str, dice: int) -> Wire:
    """A request after one of the ``BREAKS``."""
    if not name:
        return wire
    wire = BREAKS[name](wire, dice)
    return wire if _PATH.fullmatch(wire.path) else replace(wire, is_http=False)

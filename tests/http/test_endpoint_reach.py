"""Who can reach the endpoint, and what nobody can reach through it: names that would lead out of its store."""

from __future__ import annotations

import base64
import http.client
import json
import socket
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from http_kit import FUNCTIONS

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint

ARN = "arn:aws:lambda:us-west-2:123456789012:function:{function}:$LATEST/durable-execution/{name}/{id}"


# --------------------------------------------------------------------------------------------- where it listens


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "my-machine", "127.0.0.1.example.com"])
def test_an_address_that_others_can_reach_has_to_be_allowed(host: str) -> None:
    with pytest.raises(ValueError, match=r"could run these functions.*allow_remote=True.*--allow-remote"):
        DurableEndpoint({}, host=host)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost", "::1"])
def test_the_loopback_needs_no_word(host: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DurableEndpoint({}, host=host).close()


def test_what_is_allowed_is_warned_of() -> None:
    with pytest.warns(RuntimeWarning, match=r"whoever can reach 0\.0\.0\.0 can run these functions"):
        endpoint = DurableEndpoint(FUNCTIONS, host="0.0.0.0", allow_remote=True)
    with endpoint:
        port = int(endpoint.url.rpartition(":")[2])
        assert endpoint._server.local_url == f"http://127.0.0.1:{port}", "for processes of this machine"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("POST", "/2015-03-31/functions/plain/invocations", b"1")
        assert connection.getresponse().read() == b'{"got": 1}'
        connection.close()


# ------------------------------------------------------------------------------------------ names that lead away

STEPS = ["..", "../..", "../../outside", "..\\..\\outside", "/etc/passwd", "~", ".", "....//....//outside", "C:\\x"]
EVIL = [
    *STEPS,
    *(f"{step}\0.json" for step in STEPS[:3]),
    "name\0",
    "na\r\nme: x",
    "x" * 300,
    "x" * 60_000,
    "\u202e\u2044outside",
    "%2e%2e%2foutside",
    "$(touch outside)",
    "*",
]


def written(text: str) -> Iterator[str]:
    """The ways to write a name in a URL: encoded once, encoded twice, and as it is where a request line allows it."""
    once = quote(text, safe="")
    yield once
    yield quote(once, safe="")
    yield once.replace("%2F", "/").replace("%5C", "\\")
    yield once.replace(".", "%2e").lower()


def requests() -> Iterator[tuple[str, str, dict[str, str], bytes]]:
    """Every place of a request that names something, with every name."""
    checkpoint = json.dumps({"CheckpointToken": "dG9rZW4=", "Updates": []}).encode()
    for text in EVIL:
        for place in written(text):
            yield "POST", f"/2015-03-31/functions/{place}/invocations", {}, b"{}"
            yield "GET", f"/2025-12-01/functions/{place}/durable-executions", {}, b""
            for arn in (place, *(arn_with(part, place) for part in ("function", "name", "id"))):
                yield "GET", f"/2025-12-01/durable-executions/{arn}", {}, b""
                yield "GET", f"/2025-12-01/durable-executions/{arn}/history", {}, b""
                yield "POST", f"/2025-12-01/durable-executions/{arn}/stop", {}, b"{}"
                yield "POST", f"/2025-12-01/durable-executions/{arn}/checkpoint", {}, checkpoint
            for answer in ("succeed", "fail", "heartbeat"):
                yield "POST", f"/2025-12-01/durable-execution-callbacks/{place}/{answer}", {}, b"{}"
        for answer in ("succeed", "heartbeat"):
            yield "POST", f"/2025-12-01/durable-execution-callbacks/{callback_of(text)}/{answer}", {}, b"{}"
        if text.isprintable() and text.isascii():
            for header in ("X-Amz-Durable-Execution-Name", "X-Amz-Tenant-Id"):
                headers = {header: text, "X-Amz-Invocation-Type": "Event"}
                yield "POST", "/2015-03-31/functions/asks/invocations", headers, b"1"


def arn_with(part: str, place: str) -> str:
    parts = {"function": "asks", "name": "order-7", "id": "1"} | {part: "PLACE"}
    return quote(ARN.format(**parts), safe="").replace("PLACE", place)


def callback_of(text: str) -> str:
    """A callback id of the form that this service hands out, for an execution of that ARN."""
    named = json.dumps([ARN.format(function="asks", name=text, id="1"), "a"], separators=(",", ":"))
    return quote(base64.b64encode(named.encode()).decode(), safe="")


def test_no_name_leads_out_of_the_store(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "store"
    outside = tmp_path / "outside.json"
    outside.write_text('{"kind": "durable execution"}', encoding="utf-8")
    with DurableEndpoint(FUNCTIONS, store="filesystem", store_path=folder) as endpoint:
        everything = list(requests())
        with ThreadPoolExecutor(16) as pool:
            parts = [pool.submit(ask_all, endpoint, everything[start::16]) for start in range(16)]
            accepted = [each for part in parts for each in part.result()]
    assert len(everything) > 1_500
    seen = {each.relative_to(tmp_path).as_posix() for each in tmp_path.rglob("*")}
    assert {name for name in seen if not name.startswith("deep/store/")} == {"outside.json", "deep", "deep/store"}
    assert {Path(name).suffix for name in seen if name.startswith("deep/store/")} <= {".json"}
    assert outside.read_text(encoding="utf-8") == '{"kind": "durable execution"}'
    # A tenant may be called anything that is printable; a name of an execution may not.
    assert all("X-Amz-Tenant-Id" in headers or "/durable-executions" in path for path, headers, _ in accepted)
    assert len(list(folder.iterdir())) == sum(bool(started) for *_, started in accepted)


def ask_all(endpoint: DurableEndpoint, some: list[Any]) -> list[Any]:
    """Path, headers and execution of what was accepted of a function; what was refused has an exception's name."""
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"), timeout=20)
    connection._validate_path = lambda url: None  # type: ignore[attr-defined] - a client that checks nothing
    accepted = []
    for method, path, headers, body in some:
        status, code, started = ask(connection, method, path, headers, body)
        assert status < 500, (method, path[:200], headers, status)
        assert code or status < 400, (method, path[:200])
        if status < 300 and "/functions/" in path:
            accepted.append((path, headers, started))
    connection.close()
    return accepted


def ask(
    connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str], body: bytes
) -> tuple[int, str | None, str | None]:
    """Status, exception and execution of the answer."""
    connection.request(method, path, body, headers)
    response = connection.getresponse()
    response.read()
    return response.status, response.headers["x-amzn-errortype"], response.headers["X-Amz-Durable-Execution-Arn"]


@pytest.mark.parametrize("name", ["../outside", "a/b", "..", "na\0me", "a" * 65, ""])
def test_an_execution_is_not_called_that(name: str, tmp_path: Path) -> None:
    """As raw as a socket sends it: clients would not."""
    with DurableEndpoint(FUNCTIONS, store="filesystem", store_path=tmp_path / "store") as endpoint:
        host, _, port = endpoint.url.removeprefix("http://").rpartition(":")
        with socket.create_connection((host, int(port)), timeout=10) as raw:
            raw.sendall(
                b"POST /2015-03-31/functions/asks/invocations HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                b"X-Amz-Durable-Execution-Name: " + name.encode() + b"\r\nContent-Length: 2\r\n\r\n{}"
            )
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert list((tmp_path / "store").iterdir()) == []


@pytest.mark.parametrize("name", ["../orders", "a/b", "na\0me", ""])
def test_a_function_is_not_called_that(name: str) -> None:
    def function(event: Any, context: Any) -> None: ...

    with pytest.raises(ValueError, match="is no function name or ARN"):
        DurableEndpoint({name: function})

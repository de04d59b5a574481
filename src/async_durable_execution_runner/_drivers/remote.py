"""Functions behind an address that takes invocations as Lambda does, such as the Runtime Interface Emulator's."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._model.errors import ErrorObject
from .outcome import InvalidOutput, InvocationDied, timed_out
from .processes import GivenUp, TimeIsUp

INVOCATIONS = "/2015-03-31/functions/function/invocations"
"""Where the Runtime Interface Emulator takes invocations."""

_CONNECT_SECONDS = 5.0
_LARGEST_ANSWER = 7 * 1024 * 1024
"""Bytes. Lambda takes 6 MB from a function."""

_SHOWN = 200
INVALID_ANSWER = "Runner.InvalidAnswer"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.02, 0.5
_OF_ERRORS = frozenset({"errorMessage", "errorType", "stackTrace", "trace", "cause", "requestId"})
"""What the runtimes of Lambda put into the answer of a function that has raised."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where invocations of a function go."""

    url: str
    host: str
    port: int | None
    target: str
    secure: bool

    @classmethod
    def parse(cls, url: str) -> Address:
        """The parts of a URL; without a path it is the emulator's. Raises ``ValueError`` for what is no HTTP URL."""
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.fragment:
            raise ValueError(f"{url!r} is no address of a function: it is written http://HOST:PORT{INVOCATIONS}")
        if any(not 32 < ord(character) < 127 for character in url):
            raise ValueError(f"{url!r} is no address of a function: it has spaces or characters that no URL has")
        path = parts.path if parts.path not in {"", "/"} else INVOCATIONS
        target = f"{path}?{parts.query}" if parts.query else path
        shown = f"{parts.scheme}://{parts.netloc}{target}"
        return cls(url=shown, host=parts.hostname, port=parts.port, target=target, secure=parts.scheme == "https")


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One invocation. ``remaining`` in seconds; ``given_up`` is asked whether anybody still waits."""

    body: bytes
    headers: Mapping[str, str]
    request_id: str
    remaining: float
    given_up: Callable[[], bool] = lambda: False


class Remotes:
    """Invokes functions by HTTP, and knows which of these calls are under way."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: set[http.client.HTTPConnection] = set()
        self._closed = False

    def close(self) -> None:
        """End every call that is under way."""
        with self._lock:
            self._closed = True
            connections = list(self._open)
        for connection in connections:
            _shut(connection)

    def call(self, address: Address, post: Post) -> Any:
        """What the function answers. One that is busy, as an emulator is with one call at a time, is asked again.

        Raises ``InvocationDied`` with what went wrong and what to do, ``TimeIsUp`` and ``GivenUp``.
        """
        end = time.monotonic() + post.remaining
        pause = _FIRST_PAUSE
        while True:
            status, headers, body = self._send(address, post, end)
            if not _is_busy(status, body):
                return read_answer(address, post.request_id, status, headers, body)
            if time.monotonic() + pause >= end:
                raise TimeIsUp
            if post.given_up() or self._closed:
                raise GivenUp
            time.sleep(pause)
            pause = min(pause * 2, _LONGEST_PAUSE)

    def _send(self, address: Address, post: Post, end: float) -> tuple[int, Mapping[str, str], bytes]:
        kind = http.client.HTTPSConnection if address.secure else http.client.HTTPConnection
        connection = kind(address.host, address.port, timeout=_CONNECT_SECONDS)
        with self._lock:
            self._open.add(connection)
        try:
            return _exchange(connection, address, post, end)
        except InvocationDied:
            if self._closed:
                raise GivenUp from None
            raise
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()


def _exchange(
    connection: http.client.HTTPConnection, address: Address, post: Post, end: float
) -> tuple[int, Mapping[str, str], bytes]:
    try:
        connection.connect()
    except OSError as error:
        raise InvocationDied(_unreachable(address, error)) from error
    connection.sock.settimeout(max(0.001, end - time.monotonic()))
    try:
        connection.request("POST", address.target, post.body, dict(post.headers))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, response.read(_LARGEST_ANSWER + 1)
    except TimeoutError:
        raise TimeIsUp from None
    except (OSError, http.client.HTTPException) as error:
        raise InvocationDied(_broken_off(address, post.request_id, error)) from error


def _shut(connection: http.client.HTTPConnection) -> None:
    sock = connection.sock
    if sock is not None:
        with contextlib.suppress(OSError):
            sock.shutdown(socket.SHUT_RDWR)


def _is_busy(status: int, body: bytes) -> bool:
    """Whether the function takes no call now. The emulator says so with 400 and nothing else."""
    return status in {429, 503} or (status == 400 and not body.strip())


# ------------------------------------------------------------------------------------------------------ answers


def read_answer(address: Address, request_id: str, status: int, headers: Mapping[str, str], body: bytes) -> Any:
    """A function's output. Raises ``InvocationDied`` for a function that has failed, or an address that is none."""
    if len(body) > _LARGEST_ANSWER:
        raise InvocationDied(
            ErrorObject(
                type="Function.ResponseSizeTooLarge",
                message=f"The answer of {address.url} is larger than the 6 MB that Lambda takes.",
            )
        )
    text = body.decode("utf-8", "replace")
    try:
        output = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        return _without_json(address, request_id, status, text, error)
    if _is_error(output, headers):
        raise InvocationDied(_error(output))
    if not 200 <= status < 300:
        raise InvocationDied(_refused(address, status, text))
    return output


def _without_json(address: Address, request_id: str, status: int, text: str, error: Exception) -> Any:
    if not 200 <= status < 300:
        raise InvocationDied(_refused(address, status, text))
    if text.startswith("Task timed out after "):
        seconds = text.removeprefix("Task timed out after ").partition(" ")[0]
        try:
            raise InvocationDied(timed_out(request_id, float(seconds)))
        except ValueError:
            pass
    what = f"{text[:_SHOWN]!r}" if text else "nothing"
    return InvalidOutput(f"Invalid invocation output: {address.url} answered {what}, which is no JSON: {error}")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _is_error(output: Any, headers: Mapping[str, str]) -> bool:
    """Whether the function has raised. The emulator does not always send the header that says so."""
    if "x-amz-function-error" in headers:
        return True
    return isinstance(output, dict) and {"errorType", "errorMessage"} <= output.keys() <= _OF_ERRORS


def _error(output: Any) -> ErrorObject:
    if not isinstance(output, dict):
        return ErrorObject(type="Unhandled", message=json.dumps(output))
    trace = output.get("stackTrace") or output.get("trace")
    lines = tuple(map(str, trace)) if isinstance(trace, list) else None
    kind, message = _text(output.get("errorType")), _text(output.get("errorMessage"))
    return ErrorObject(type=kind, message=message, stack_trace=lines)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) or value is None else json.dumps(value)


def _unreachable(address: Address, error: OSError) -> ErrorObject:
    place = f"{address.host}:{address.port}" if address.port else address.host
    if isinstance(error, ConnectionRefusedError):
        problem = f"Nothing listens at {place}"
    elif isinstance(error, TimeoutError):
        problem = f"{place} does not answer"
    else:
        problem = f"{place} cannot be reached ({type(error).__name__}: {error})"
    message = (
        f"{problem}: start the function behind {address.url}, for example in the Runtime Interface Emulator, or "
        "correct the address."
    )
    return ErrorObject(type="Runner.FunctionUnreachable", message=message)


def _broken_off(address: Address, request_id: str, error: Exception) -> ErrorObject:
    message = (
        f"RequestId: {request_id} Error: Runtime exited without an answer: {address.url} broke off the connection "
        f"({type(error).__name__}: {error})"
    )
    return ErrorObject(type="Runtime.ExitError", message=message)


def _refused(address: Address, status: int, text: str) -> ErrorObject:
    said = f", {text[:_SHOWN]!r}" if text else ""
    hint = f" The Runtime Interface Emulator takes invocations at {INVOCATIONS}." if status in {404, 405} else ""
    message = f"{address.url} answered with HTTP status {status}{said}: that is no answer of a function.{hint}"
    return ErrorObject(type=INVALID_ANSWER, message=message)

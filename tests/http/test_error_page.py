"""docs/error-responses.md shows what the endpoint sends. ``python tests/http/test_error_page.py`` writes it anew."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from http_kit import LIMIT, Api, api, callback, execution

from async_durable_execution_runner import exceptions
from async_durable_execution_runner._http.app import App
from async_durable_execution_runner._http.messages import Request, Response

PAGE = Path(__file__).resolve().parents[2] / "docs" / "error-responses.md"
NOBODY = "arn:aws:lambda:us-west-2:123456789012:function:asks:$LATEST/durable-execution/order-9/1"
Exchange = tuple[Request, Response]


def exchange(service: Api, method: str, path: str, query: str = "", body: bytes = b"", **headers: str) -> Exchange:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = Request(method=method, path=path, query=query, body=body, headers=named)
    return request, service.app(request)


def invocation(service: Api, name: str, body: bytes, **headers: str) -> Exchange:
    return exchange(service, "POST", f"/2015-03-31/functions/{name}/invocations", body=body, **headers)


def stale_token(service: Api) -> Exchange:
    arn, _ = service.running()
    body = {"CheckpointToken": "bm90IG1pbmU=", "Updates": []}
    return exchange(service, "POST", execution(arn, "/checkpoint"), body=json.dumps(body).encode())


def closed_callback(service: Api) -> Exchange:
    _, callback_id = service.opened()
    service.runner.send_callback_success(callback_id)
    return exchange(service, "POST", callback(callback_id, "succeed"), body=b"yes")


def taken_name(service: Api) -> Exchange:
    service.runner.run_async({"total": 290}, function_name="asks", execution_name="order-7")
    name = {"x_amz_durable_execution_name": "order-7"}
    return invocation(service, "asks", b'{"total": 291}', **name)


def raising(error: exceptions.ServiceError) -> Callable[[Api], Exchange]:
    """What an operation that raises this gets answered with: nothing in the emulation does so by itself."""

    def work(service: Api) -> Exchange:
        def perform(**params: Any) -> Any:
            raise error

        service.app = App({"invoke": perform}, LIMIT)
        return invocation(service, "asks", b"{}")

    return work


CASES: dict[str, Callable[[Api], Exchange]] = {
    "InvalidParameterValueException": stale_token,
    "ValidationException": lambda service: exchange(
        service, "GET", execution(NOBODY, "/history"), query="MaxItems=5000"
    ),
    "ResourceNotFoundException": lambda service: exchange(service, "GET", execution(NOBODY)),
    "CallbackTimeoutException": closed_callback,
    "DurableExecutionAlreadyStartedException": taken_name,
    "InvalidRequestContentException": lambda service: invocation(service, "asks", b"total: 290"),
    "SerializationException": lambda service: exchange(
        service, "POST", execution(NOBODY, "/checkpoint"), body=b"token: 1"
    ),
    "RequestTooLargeException": lambda service: invocation(service, "asks", b'"' + b"x" * LIMIT + b'"'),
    "UnknownOperationException": lambda service: exchange(service, "GET", "/2025-12-01/executions"),
    "UnknownOperationException with a wrong method": lambda service: exchange(
        service, "GET", execution(NOBODY, "/stop")
    ),
    "ResourceConflictException": raising(exceptions.ResourceConflictException("The execution is still running.")),
    "RecursiveInvocationException": raising(exceptions.RecursiveInvocationException("The chain is too long.")),
    "TooManyRequestsException": raising(
        exceptions.TooManyRequestsException("Rate exceeded", retryAfterSeconds="1", Reason="CallerRateLimitExceeded")
    ),
    "ServiceException": raising(exceptions.ServiceException("The endpoint was closed before the execution ended.")),
}


def captured(name: str) -> str:
    """An exchange as the page shows it."""
    with api() as service:
        request, response = CASES[name](service)
    query = f"?{request.query}" if request.query else ""
    path = re.sub(r"(callbacks/.{12})[^/]+", r"\1…", request.path)
    lines = [f"{request.method} {path}{query}", *(f"{key}: {value}" for key, value in request.headers.items())]
    if request.body:
        sent = request.body.decode()
        lines += ["", sent if len(sent) < 200 else f"{sent[:20]}…  ({len(sent)} bytes)"]
    lines += ["", f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}"]
    lines += [*(f"{key}: {value}" for key, value in response.headers.items()), "", response.body.decode()]
    return "\n".join(lines) + "\n"


def shown(text: str) -> dict[str, str]:
    return dict(re.findall(r"^## ([\w ]+)\n[^#]*?^```http\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("name", CASES)
def test_the_page_shows_what_is_sent(name: str) -> None:
    assert shown(PAGE.read_text(encoding="utf-8"))[name] == captured(name)


def test_every_exception_is_on_the_page_and_nothing_else() -> None:
    assert list(shown(PAGE.read_text(encoding="utf-8"))) == list(CASES)
    assert {kind.__name__ for kind in exceptions.ServiceError.__subclasses__()} - CASES.keys() == set()


def write_anew() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for name in CASES:
        pattern = re.compile(rf"(^## {re.escape(name)}\n[^#]*?^```http\n).*?(^```$)", re.MULTILINE | re.DOTALL)
        example = captured(name)
        text = pattern.sub(lambda found, example=example: found[1] + example + found[2], text)
    PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_anew()

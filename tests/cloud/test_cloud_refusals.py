"""The cloud runner and a real boto3 client, with a service on a socket that throttles and shows people the door."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cloud_kit import FUNCTIONS

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import (
    CloudAccessError,
    DurableEndpoint,
    DurableFunctionCloudTestRunner,
    TooManyRequestsException,
)
from async_durable_execution_runner._drivers import polling
from async_durable_execution_runner._http.messages import Request, Response


class Doorkeeper:
    """In front of an endpoint's app: refuses requests for as long as ``refusals`` says."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.request_bytes = app.request_bytes
        self.refusals: list[Response] = []
        self.seen = 0

    def __call__(self, request: Request) -> Response:
        self.seen += 1
        return self.refusals.pop(0) if self.refusals else self.app(request)


def refusal(status: int, code: str, message: str = "no") -> Response:
    body = json.dumps({"message": message}).encode()
    return Response(status=status, headers={"x-amzn-errortype": code, "content-type": "application/json"}, body=body)


@contextmanager
def doorkeeper(name: str) -> Iterator[tuple[Doorkeeper, DurableFunctionCloudTestRunner]]:
    with DurableEndpoint(FUNCTIONS) as endpoint:
        keeper = endpoint._server._app = Doorkeeper(endpoint._server._app)  # type: ignore[assignment]
        # boto3 repeats too; here it is to be the runner that does.
        config = Config(retries={"max_attempts": 0})
        with closing(boto3.client("lambda", **endpoint.client_options, config=config)) as client:
            yield keeper, DurableFunctionCloudTestRunner(name, client=client, poll_interval=0.1)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_FIRST_BACKOFF", 0.001)


@pytest.mark.parametrize("code", ["TooManyRequestsException", "ThrottlingException"])
def test_a_throttled_run_ends_all_the_same(code: str, quick: None) -> None:
    with doorkeeper("adds") as (keeper, runner):
        keeper.refusals = [refusal(429, code, "Rate exceeded") for _ in range(4)]
        assert runner.run({"n": 4}, timeout=20).value == 8
        assert keeper.refusals == []
        assert keeper.seen > 6


def test_patience_ends(quick: None) -> None:
    with doorkeeper("adds") as (keeper, runner):
        keeper.refusals = [refusal(429, "TooManyRequestsException", "Rate exceeded") for _ in range(10_000)]
        with pytest.raises(TooManyRequestsException, match="Rate exceeded") as caught:
            runner.run({"n": 4}, timeout=0.1)
        assert caught.value.__notes__ == ["Invoke was throttled for 0.1 s."]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (refusal(403, "ExpiredTokenException"), r"have expired: log in again.*aws sso login"),
        (refusal(400, "ExpiredToken"), r"have expired: log in again"),
        (refusal(403, "UnrecognizedClientException"), "AWS does not know these credentials"),
        (refusal(403, "InvalidSignatureException"), "AWS does not know these credentials"),
        (refusal(403, "AccessDeniedException"), "do not allow lambda:Invoke: add it to the policy"),
    ],
)
def test_credentials_that_are_no_good_are_told_at_once(answer: Response, words: str) -> None:
    with doorkeeper("adds") as (keeper, runner):
        keeper.refusals = [answer]
        with pytest.raises(CloudAccessError, match=words):
            runner.run({"n": 4}, timeout=20)
        assert keeper.seen == 1


def test_credentials_that_expire_while_it_waits(quick: None) -> None:
    with doorkeeper("asks") as (keeper, runner):
        arn = runner.run_async({})
        runner.wait_for_callback(arn, "approval", timeout=20)
        keeper.refusals = [refusal(403, "ExpiredTokenException")]
        with pytest.raises(CloudAccessError, match="have expired"):
            runner.wait_for_result(arn, timeout=20)

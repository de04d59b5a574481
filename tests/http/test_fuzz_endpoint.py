"""A few hundred requests drawn from the API model, the same for the same code. `fuzz_endpoint.py` sends any number."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from fuzz_endpoint import Tally, run
from fuzz_requests import BREAKS, OPERATIONS

from async_durable_execution_runner._engine.client import InMemoryServiceClient
from async_durable_execution_runner._http.app import App
from async_durable_execution_runner._wire.replies import Reply
from async_durable_execution_runner.exceptions import ServiceError

WHOLE = App._reply


def fuzzed(place: Path, requests: int, store: str = "memory") -> Tally:
    return run(requests, store, place, number=20251201)


def test_no_request_gets_through_that_should_not(tmp_path: Path) -> None:
    tally = fuzzed(tmp_path / "store", 400, "sqlite")
    assert tally.wrong == []
    assert tally.requests == 400
    # Which requests come of a seed depends on the code: hypothesis tries constants that it finds there.
    assert tally.kinds.keys() >= {"fits", "nearly"}
    assert len(tally.kinds.keys() & BREAKS.keys()) > 2
    statuses = {answer.partition(" ")[0] for answer in tally.answers}
    assert statuses >= {"200", "400", "404"}
    assert tally.kept > 10, "there are executions to compare"


def raises(self: App, request: Any) -> Any:
    raise ZeroDivisionError


def says_nothing(self: App, request: Any) -> Any:
    reply = WHOLE(self, request)
    return replace(reply, headers={}, body=b"")


def takes_anything(self: App, request: Any) -> Any:
    try:
        return WHOLE(self, request)
    except ServiceError:
        return Reply(status=200, headers={}, body=b"{}")


@pytest.mark.parametrize("fault", [raises, says_nothing, takes_anything])
def test_it_finds_an_endpoint_that_answers_badly(fault: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(App, "_reply", fault)
    assert fuzzed(tmp_path / "store", 60).wrong


def test_it_finds_executions_that_were_harmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopping(self: InMemoryServiceClient, **params: Any) -> Any:
        for execution in [*self.executor.executions.values()]:
            self.executor.stop(execution.header.arn, None, self._now())
        return {}

    monkeypatch.setattr(InMemoryServiceClient, "send_durable_execution_callback_heartbeat", stopping)
    wrong = fuzzed(tmp_path / "store", 100).wrong
    assert any("has changed" in complaint for complaint in wrong)


def test_every_operation_is_fuzzed() -> None:
    assert len(OPERATIONS) >= 10

"""Handlers of AWS's SDK over HTTP: in processes of their own, and behind the endpoint."""

from __future__ import annotations

import os
from pathlib import Path

import boto3
import pytest

pytest.importorskip("aws_durable_execution_sdk_python", reason="AWS's SDK is not installed")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint, DurableFunctionTestRunner


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def test_a_handler_that_is_killed_in_its_step_is_invoked_again() -> None:
    with DurableFunctionTestRunner("process_handlers_aws:handler", isolation="process") as runner:
        result = runner.run({"item": "lamp"}, timeout=60)
    assert result.value == 40
    first, *rest = result.invocations
    assert first.error.type == "Runtime.ExitError"
    assert "exit status 7" in first.error.message
    assert [each.error for each in rest] == [None, None]


def test_behind_the_endpoint() -> None:
    Path(os.environ["SCRATCH"], "died").touch()
    with DurableEndpoint({"orders": "process_handlers_aws:handler"}) as endpoint:
        client = boto3.client("lambda", **endpoint.client_options)
        answer = client.invoke(FunctionName="orders", Payload=b'{"item": "lamp"}')
        assert answer["Payload"].read() == b"40"

"""The AWS CLI itself against the endpoint."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import boto3
import pytest
from http_kit import FUNCTIONS

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint, DurableFunctionCloudTestRunner

AWS = os.environ.get("AWS_CLI") or shutil.which("aws", path=str(Path(sys.executable).parent)) or shutil.which("aws")


def aws(endpoint: DurableEndpoint, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert AWS is not None
    environment = os.environ | endpoint.environment | {"AWS_PAGER": "", "AWS_DEFAULT_OUTPUT": "json"}
    return subprocess.run(
        [AWS, "lambda", *arguments], env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def _a_cli_that_knows_durable_functions() -> None:
    if AWS is None:
        pytest.skip("there is no `aws` on PATH, and AWS_CLI names none")
    known = subprocess.run(
        [AWS, "lambda", "list-durable-executions-by-function", "help"],
        env=os.environ | {"AWS_PAGER": "", "PAGER": "cat", "MANPAGER": "cat"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    if known.returncode != 0:
        pytest.skip(f"`{AWS}` does not run, or knows no durable functions")


def test_the_cli_lists_shows_and_stops() -> None:
    with DurableEndpoint(FUNCTIONS) as endpoint:
        client = boto3.client("lambda", **endpoint.client_options)
        started: Any = client.invoke(FunctionName="asks", InvocationType="Event", DurableExecutionName="order-7")
        arn = started["DurableExecutionArn"]

        listed = aws(
            endpoint, "list-durable-executions-by-function", "--function-name", "asks", "--statuses", "RUNNING"
        )
        assert listed.returncode == 0, listed.stderr
        (found,) = json.loads(listed.stdout)["DurableExecutions"]
        assert (found["DurableExecutionArn"], found["DurableExecutionName"]) == (arn, "order-7")

        shown = aws(endpoint, "get-durable-execution-history", "--durable-execution-arn", arn, "--max-items", "1")
        assert json.loads(shown.stdout)["Events"][0]["EventType"] == "ExecutionStarted", shown.stderr

        stopped = aws(endpoint, "stop-durable-execution", "--durable-execution-arn", arn)
        assert "StopTimestamp" in json.loads(stopped.stdout), stopped.stderr
        one = aws(endpoint, "get-durable-execution", "--durable-execution-arn", arn)
        assert json.loads(one.stdout)["Status"] == "STOPPED", one.stderr


def test_the_cli_invokes_and_answers(tmp_path: Path) -> None:
    with DurableEndpoint(FUNCTIONS) as endpoint:

        def lambda_(*arguments: str) -> Any:
            done = aws(endpoint, *arguments)
            assert done.returncode == 0, done.stderr
            return json.loads(done.stdout or "{}")

        def invoke(name: str, *more: str) -> Any:
            # Version 1 of the CLI takes the payload as it is, version 2 in base64; a file as it is.
            payload = ("--payload", f"fileb://{tmp_path / 'in'}")
            return lambda_("invoke", "--function-name", name, *payload, *more, str(tmp_path / "out"))

        (tmp_path / "in").write_text('{"n": 4}')

        answer = invoke("adds")
        assert (answer["StatusCode"], answer["ExecutedVersion"]) == (200, "$LATEST")
        assert (tmp_path / "out").read_text() == "8"
        kinds = _kinds(lambda_("get-durable-execution-history", *_arn(answer), "--page-size", "1"))
        assert (kinds[0], kinds[-1], len(kinds)) == ("ExecutionStarted", "ExecutionSucceeded", 8)

        started = invoke("asks", "--invocation-type", "Event", "--durable-execution-name", "order-0")
        accepted = _open_callback(endpoint, started["DurableExecutionArn"])
        lambda_("send-durable-execution-callback-heartbeat", "--callback-id", accepted)
        result = f"fileb://{tmp_path / 'in'}"
        lambda_("send-durable-execution-callback-success", "--callback-id", accepted, "--result", result)
        kinds = _kinds(lambda_("get-durable-execution-history", *_arn(started)))
        assert "CallbackSucceeded" in kinds

        started = invoke("asks", "--invocation-type", "Event", "--durable-execution-name", "order-1")
        refused = _open_callback(endpoint, started["DurableExecutionArn"])
        lambda_("send-durable-execution-callback-failure", "--callback-id", refused, "--error", "ErrorMessage=too dear")
        late = aws(endpoint, "send-durable-execution-callback-heartbeat", "--callback-id", refused)
        assert "(CallbackTimeoutException)" in late.stderr
        assert "it is FAILED" in late.stderr


def _arn(answer: Any) -> tuple[str, str]:
    return "--durable-execution-arn", answer["DurableExecutionArn"]


def _kinds(history: Any) -> list[str]:
    return [event["EventType"] for event in history["Events"]]


def _open_callback(endpoint: DurableEndpoint, arn: str) -> str:
    with DurableFunctionCloudTestRunner("asks", lambda_endpoint=endpoint.url) as runner:
        return runner.wait_for_callback(arn, "approval", timeout=20)


def test_the_cli_shows_errors() -> None:
    with DurableEndpoint(FUNCTIONS) as endpoint:
        failed = aws(endpoint, "get-durable-execution", "--durable-execution-arn", "arn")
        assert failed.returncode != 0
        assert "(ValidationException)" in failed.stderr

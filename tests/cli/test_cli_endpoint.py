"""The commands behind an endpoint, with the real boto3 as their client."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cli_kit import Shell

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint
from async_durable_execution_runner._wire.model import durable_operations

ASKS = ("--function", "asks")


@pytest.fixture
def endpoint() -> Iterator[DurableEndpoint]:
    with DurableEndpoint({name: f"cli_handlers:{name}" for name in ("asks", "fails")}) as endpoint:
        yield endpoint


@pytest.fixture
def api(endpoint: DurableEndpoint) -> tuple[str, ...]:
    """Options that lead to an endpoint with an execution that waits for its approval."""
    client = boto3.client("lambda", **endpoint.client_options)
    started: Any = client.invoke(FunctionName="asks", InvocationType="Event", DurableExecutionName="order-7")
    arn = started["DurableExecutionArn"]
    eventually(lambda: len(client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]) >= 3)
    return ("--endpoint-url", endpoint.url)


def eventually(reached: Any) -> None:
    until = time.monotonic() + 60
    while not reached():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_list_show_and_history(shell: Shell, api: tuple[str, ...]) -> None:
    assert "order-7" in shell("list", *ASKS, *api).out
    shown = shell("show", "order-7", *ASKS, *api).out
    assert "… Callback 'approval'  STARTED" in shown
    arn = shown.splitlines()[-1]
    assert shell("show", arn, *api).out.splitlines()[1:-3] == shown.splitlines()[1:-3]
    events = json.loads(shell("history", arn, "--json", *api).out)["Events"]
    assert [event["EventType"] for event in events] == ["ExecutionStarted", "CallbackStarted", "InvocationCompleted"]


def test_a_callback_is_answered_and_the_endpoint_goes_on(shell: Shell, api: tuple[str, ...]) -> None:
    answer = ("--execution", "order-7", "--name", "approval", "--result", "yes")
    assert shell("callback", "heartbeat", *answer[:2], *ASKS, *api).code == 0
    assert shell("callback", "succeed", *answer, *ASKS, *api).code == 0
    eventually(lambda: "SUCCEEDED" in shell("list", *ASKS, *api).out)
    assert 'result: {"answer": "yes"}' in shell("show", "order-7", *ASKS, *api).out
    execution = json.loads(shell("show", "order-7", "--json", *ASKS, *api).out)
    assert execution["Result"] == '{"answer": "yes"}'
    assert "ResponseMetadata" not in execution


def test_a_callback_is_answered_by_its_id(shell: Shell, api: tuple[str, ...]) -> None:
    events = json.loads(shell("history", "order-7", "--json", *ASKS, *api).out)["Events"]
    assert shell("callback", "fail", events[1]["CallbackStartedDetails"]["CallbackId"], *api).code == 0
    assert shell("callback", "fail", "bm9uc2Vuc2U=", *api).code == 5


def test_an_execution_is_stopped(shell: Shell, api: tuple[str, ...]) -> None:
    said = shell("stop", "order-7", *ASKS, *api)
    assert (said.code, said.out[:12]) == (0, "STOPPED arn:")


def test_what_an_endpoint_has_to_be_told(shell: Shell, api: tuple[str, ...]) -> None:
    unnamed = shell("list", *api)
    assert (unnamed.code, "--function NAME" in unnamed.err) == (2, True)
    short = shell("show", "order-7", *api)
    assert (short.code, "--function NAME" in short.err) == (2, True)
    unknown = shell("show", "order-8", *ASKS, *api)
    assert unknown.code == 4
    nobody = shell("list", "--function", "nobody", *api)
    assert (nobody.code, nobody.err) == (0, "No executions.\n")


def test_an_endpoint_that_is_not_there(shell: Shell) -> None:
    said = shell("list", *ASKS, "--endpoint-url", "http://127.0.0.1:1")
    assert said.code == 5
    assert said.err.startswith("durable-runner: EndpointConnectionError: ")


def test_a_region_without_credentials(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    said = shell("list", *ASKS, "--region", "eu-central-1")
    assert said.code == 5
    assert "credentials" in said.err


def test_pausing_needs_an_api_and_a_model_that_can(shell: Shell, api: tuple[str, ...]) -> None:
    for command in ("pause", "resume"):
        said = shell(command, "order-7")
        assert said.code == 2
    assert "Behind which API? Say --endpoint-url" in shell("pause", "order-7").err
    assert "Which function is it of? Say --handler MODULE:HANDLER." in shell("resume", "order-7").err
    said = shell("pause", "order-7", *ASKS, *api)
    if "PauseDurableExecution" in durable_operations():
        assert said.out.startswith("PAUSED arn:"), said.err
        arn = said.out.split()[1]
        said = shell("resume", arn, *api)
        assert (said.code, said.out) == (0, f"RUNNING {arn}\n")
    else:
        assert said.code == 2
        assert "The installed botocore knows no PauseDurableExecution: a newer one does" in said.err


def test_an_api_is_not_pruned(shell: Shell, api: tuple[str, ...]) -> None:
    said = shell("prune", *api)
    assert (said.code, said.out) == (2, "")
    assert "The API has nothing that prunes." in said.err

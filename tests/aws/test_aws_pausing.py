"""Pausing, resuming and deleting, with the newest API model: handlers of AWS's SDK and a real boto3 client."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from aws_kit import RELEASE, durable, seconds

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint, DurableFunctionTestRunner, ExecutionStuckError
from async_durable_execution_runner._wire.model import durable_operations

pytestmark = pytest.mark.skipif(
    not {"PauseDurableExecution", "ResumeDurableExecution", "DeleteDurableExecution"} <= set(durable_operations()),
    reason="the installed botocore does not know how to pause, resume and delete",
)


class Gate:
    """Where a step waits until the test lets it go on."""

    def __init__(self) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        self.calls: list[str] = []

    def step(self, name: str) -> Callable[[Any], str]:
        def work(_context: Any) -> str:
            self.calls.append(name)
            if name == "first":
                self.reached.set()
                assert self.opened.wait(20)
            return name

        return work


def steps(gate: Gate) -> Any:
    @durable
    def handler(event: Any, context: Any) -> Any:
        return [context.step(gate.step(name), name=name) for name in ("first", "second")]

    return handler


@durable
def asks(event: Any, context: Any) -> Any:
    return context.wait_for_callback(lambda callback_id, _context: None, name="approval")


@durable
def sleeps(event: Any, context: Any) -> str:
    context.wait(seconds(60), name="nap")
    return "rested"


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def client(gate: Gate) -> Iterator[Any]:
    with DurableEndpoint({"steps": steps(gate), "asks": asks}) as endpoint:
        yield boto3.client("lambda", **endpoint.client_options)
        gate.opened.set()


def until(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def status(client: Any, arn: str) -> str:
    found: str = client.get_durable_execution(DurableExecutionArn=arn)["Status"]
    return found


def kinds(client: Any, arn: str) -> list[str]:
    return [event["EventType"] for event in client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]]


def started(client: Any, function: str) -> str:
    arn: str = client.invoke(FunctionName=function, InvocationType="Event")["DurableExecutionArn"]
    return arn


def test_an_invocation_under_way_is_cut_off_at_its_next_checkpoint(client: Any, gate: Gate) -> None:
    arn = started(client, "steps")
    assert gate.reached.wait(20)
    answer = client.pause_durable_execution(DurableExecutionArn=arn, Reason="night")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 202
    found = client.get_durable_execution(DurableExecutionArn=arn)
    assert found["Status"] == "PAUSING"
    assert (found["PauseDetails"]["Reason"], found["PauseDetails"]["ExecutionTimeoutPaused"]) == ("night", True)
    gate.opened.set()
    until(lambda: kinds(client, arn)[-1] == "InvocationCompleted")
    assert status(client, arn) == "PAUSED"
    assert kinds(client, arn)[-2:] == ["ExecutionPaused", "InvocationCompleted"]
    events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    # Before 2.1 the SDK does not know an answer without a token; then it takes it as a suspension.
    assert ("Error" in events[-1]["InvocationCompletedDetails"]) == (RELEASE < (2, 1))
    assert events[-2]["ExecutionPausedDetails"]["Reason"]["Payload"] == "night"
    client.resume_durable_execution(DurableExecutionArn=arn, Reason="day")
    until(lambda: status(client, arn) == "SUCCEEDED")
    assert gate.calls.count("first") == 1
    assert client.get_durable_execution(DurableExecutionArn=arn)["Result"] == '["first", "second"]'
    assert "ExecutionResumed" in kinds(client, arn)


def test_one_that_sleeps_hears_of_its_answer_when_it_is_resumed(client: Any) -> None:
    arn = started(client, "asks")
    until(lambda: kinds(client, arn)[-1] == "InvocationCompleted")
    client.pause_durable_execution(DurableExecutionArn=arn, ExecutionTimeoutPaused=False)
    page = client.list_durable_executions_by_function(FunctionName="asks", Statuses=["PAUSED", "PAUSING"])
    assert [(each["DurableExecutionArn"], each["Status"]) for each in page["DurableExecutions"]] == [(arn, "PAUSED")]
    events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    (callback_id,) = (e["CallbackStartedDetails"]["CallbackId"] for e in events if e["EventType"] == "CallbackStarted")
    client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b'"yes"')
    assert kinds(client, arn)[-1] == "CallbackSucceeded"
    assert status(client, arn) == "PAUSED"
    client.resume_durable_execution(DurableExecutionArn=arn)
    until(lambda: status(client, arn) == "SUCCEEDED")


def test_errors_are_those_of_the_model(client: Any) -> None:
    arn = started(client, "asks")
    until(lambda: kinds(client, arn)[-1] == "InvocationCompleted")
    conflict = client.exceptions.ResourceConflictException
    with pytest.raises(conflict, match="is RUNNING and cannot be resumed"):
        client.resume_durable_execution(DurableExecutionArn=arn)
    with pytest.raises(conflict, match="is RUNNING and cannot be deleted: stop it first") as caught:
        client.delete_durable_execution(DurableExecutionArn=arn)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    for method in (client.pause_durable_execution, client.resume_durable_execution, client.delete_durable_execution):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            method(DurableExecutionArn=arn + "0")
    with pytest.raises(client.exceptions.ClientError, match="length less than or equal to 1024"):
        client.pause_durable_execution(DurableExecutionArn=arn, Reason="x" * 1025)
    token = {"DurableExecutionArn": arn, "ClientToken": "once"}
    client.pause_durable_execution(**token)
    client.pause_durable_execution(**token)
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="other parameters"):
        client.pause_durable_execution(**token, Reason="another")


def test_what_is_over_is_deleted(client: Any) -> None:
    arn = started(client, "asks")
    until(lambda: kinds(client, arn)[-1] == "InvocationCompleted")
    client.pause_durable_execution(DurableExecutionArn=arn)
    client.stop_durable_execution(DurableExecutionArn=arn)
    deleted = client.delete_durable_execution(DurableExecutionArn=arn)
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 202
    assert deleted["DeletionRequestTimestamp"].tzinfo is not None
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_durable_execution(DurableExecutionArn=arn)
    assert client.list_durable_executions_by_function(FunctionName="asks")["DurableExecutions"] == []


# --------------------------------------------------------------------------------------- the runner's own client


def test_the_client_of_a_runner() -> None:
    with DurableFunctionTestRunner(sleeps) as runner:
        arn = runner.run_async()
        client = runner.client
        runner.run_until_suspended(arn)
        client.pause_durable_execution(DurableExecutionArn=arn, Reason="night")
        runner.advance(3600)
        assert runner.get_execution(arn)["Status"] == "PAUSED"
        assert runner.get_result(arn).status.value == "PENDING"
        with pytest.raises(ExecutionStuckError, match=r"it is paused, because of 'night'; client\.resume_durable"):
            runner.wait_for_result(arn)
        client.resume_durable_execution(DurableExecutionArn=arn)
        result = runner.wait_for_result(arn).ensure_succeeded()
        assert result.value == "rested"
        assert [event["EventType"] for event in result.events][2:6] == [
            "InvocationCompleted",
            "ExecutionPaused",
            "WaitSucceeded",
            "ExecutionResumed",
        ]
        client.delete_durable_execution(DurableExecutionArn=arn)
        assert runner.list_executions()["DurableExecutions"] == []


@pytest.mark.parametrize("store", ["filesystem", "sqlite"])
def test_what_is_paused_stays_so_in_its_store(store: str, tmp_path: Path) -> None:
    place: Any = {"store": store, "store_path": tmp_path / "store"}
    with DurableFunctionTestRunner(sleeps, **place) as runner:
        arn = runner.run_async()
        runner.run_until_suspended(arn)
        runner.client.pause_durable_execution(DurableExecutionArn=arn, Reason="night")
    with DurableFunctionTestRunner(sleeps, **place) as runner:
        runner.resume(arn)
        assert "paused, because of 'night'" in runner.get_result(arn).render()
        runner.advance(3600)
        assert runner.get_execution(arn)["Status"] == "PAUSED"
        assert runner.list_executions(statuses=["PAUSED"])["DurableExecutions"] != []
        runner.client.resume_durable_execution(DurableExecutionArn=arn)
        assert runner.wait_for_result(arn).value == "rested"
    with DurableFunctionTestRunner(sleeps, **place) as runner:
        runner.client.delete_durable_execution(DurableExecutionArn=arn)
    with DurableFunctionTestRunner(sleeps, **place) as runner:
        assert runner.list_executions()["DurableExecutions"] == []


def test_by_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("click", reason="the extra `cli` is not installed")
    from async_durable_execution_runner._cli.app import app

    def say(*arguments: str) -> str:
        with pytest.raises(SystemExit) as left:
            app(list(arguments), prog_name="durable-runner")
        captured = capsys.readouterr()
        assert left.value.code == 0, captured.err
        return captured.out

    with DurableEndpoint({"asks": asks}) as endpoint:
        client = boto3.client("lambda", **endpoint.client_options)
        arn = client.invoke(FunctionName="asks", InvocationType="Event")["DurableExecutionArn"]
        until(lambda: len(client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]) >= 3)
        assert say("pause", arn, "--endpoint-url", endpoint.url) == f"PAUSED {arn}\n"
        assert say("resume", arn, "--endpoint-url", endpoint.url) == f"RUNNING {arn}\n"

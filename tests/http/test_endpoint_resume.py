"""Executions that an earlier endpoint has left in the store."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from async_durable_execution import create_callback, durable_execution, invoke, step, wait

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint
from async_durable_execution_runner.stores.sqlite import SqliteExecutionStore


@durable_execution
async def asks(event: Any) -> Any:
    async def note() -> str:
        noted.append(event)
        return f"noted {event}"

    said = await step(note, name="note")
    approval = await create_callback(name="approval")
    answer = await approval.result()
    await wait(60, name="a minute")
    return [said, answer]


@durable_execution
async def delegates(event: Any) -> Any:
    return await invoke("asks", event, name="ask another")


noted: list[Any] = []
FUNCTIONS = {"asks": asks, "delegates": delegates}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteExecutionStore]:
    noted.clear()
    opened = SqliteExecutionStore(tmp_path / "executions.sqlite3")
    yield opened
    opened.close()


def open_endpoint(store: SqliteExecutionStore, **options: Any) -> DurableEndpoint:
    return DurableEndpoint(FUNCTIONS, store=store, clock="virtual", **options)


def client_of(endpoint: DurableEndpoint) -> Any:
    return boto3.client("lambda", **endpoint.client_options)


def begun(store: SqliteExecutionStore, function: str) -> str:
    """The ARN of an execution that an endpoint has begun and left, once the callback is there."""
    with open_endpoint(store) as endpoint:
        client = client_of(endpoint)
        answer = client.invoke(FunctionName=function, InvocationType="Event", Payload=b'"order 7"')
        until_asked(client)
    arn: str = answer["DurableExecutionArn"]
    return arn


def open_callback(client: Any) -> str | None:
    for each in client.list_durable_executions_by_function(FunctionName="asks")["DurableExecutions"]:
        arn = each["DurableExecutionArn"]
        events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        ids = [event["CallbackStartedDetails"]["CallbackId"] for event in events if "CallbackStartedDetails" in event]
        if ids:
            return str(ids[0])
    return None


def until_asked(client: Any) -> None:
    while open_callback(client) is None:
        pass


def result_of(client: Any, arn: str) -> Any:
    while (execution := client.get_durable_execution(DurableExecutionArn=arn))["Status"] == "RUNNING":
        pass
    assert execution["Status"] == "SUCCEEDED"
    return json.loads(execution["Result"])


def test_they_go_on_where_they_stood(store: SqliteExecutionStore) -> None:
    arn = begun(store, "asks")
    with open_endpoint(store, resume=True) as endpoint:
        client = client_of(endpoint)
        assert endpoint.unfinished == []
        client.send_durable_execution_callback_success(CallbackId=open_callback(client), Result=b"yes")
        assert result_of(client, arn) == ["noted order 7", "yes"]
    assert noted == ["order 7"]


def test_they_are_left_alone_unless_it_is_asked_for(store: SqliteExecutionStore) -> None:
    arn = begun(store, "asks")
    with open_endpoint(store) as endpoint:
        client = client_of(endpoint)
        assert endpoint.unfinished == [arn]
        with pytest.raises(client.exceptions.ResourceNotFoundException, match="Callback not found"):
            client.send_durable_execution_callback_success(CallbackId=open_callback(client), Result=b"yes")


def test_a_parent_and_its_child_are_taken_up_once(store: SqliteExecutionStore) -> None:
    arn = begun(store, "delegates")
    with open_endpoint(store, resume=True) as endpoint:
        client = client_of(endpoint)
        client.send_durable_execution_callback_success(CallbackId=open_callback(client), Result=b"yes")
        assert result_of(client, arn) == ["noted order 7", "yes"]
        assert len(client.list_durable_executions_by_function(FunctionName="asks")["DurableExecutions"]) == 1
    assert noted == ["order 7"]


def test_executions_of_other_functions_are_none_of_its_business(store: SqliteExecutionStore) -> None:
    begun(store, "asks")
    with DurableEndpoint({"delegates": delegates}, store=store, resume=True) as endpoint:
        assert endpoint.unfinished == []

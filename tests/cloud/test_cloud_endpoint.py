"""The cloud runner with a real boto3 client, on the project's own endpoint."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from async_durable_execution import InvocationStatus
from cloud_kit import FUNCTIONS

pytest.importorskip("starlette", reason="the extra `server` is not installed")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import (
    CallbackTimeoutException,
    DurableEndpoint,
    DurableExecutionAlreadyStartedException,
    DurableFunctionCloudTestRunner,
    DurableFunctionCloudTestRunnerConfig,
    DurableFunctionTestRunner,
    ExecutionNotFoundError,
    ExecutionTimeoutError,
    OperationLookupError,
    ResourceNotFoundException,
    RunnerClosedError,
)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DurableEndpoint]:
    with DurableEndpoint(FUNCTIONS) as opened:
        yield opened


@pytest.fixture
def cloud(endpoint: DurableEndpoint) -> Iterator[DurableFunctionCloudTestRunner]:
    """A runner that makes its client itself."""
    with DurableFunctionCloudTestRunner("asks", lambda_endpoint=endpoint.url, poll_interval=0.2) as runner:
        yield runner


def test_a_run_gives_the_result_of_a_local_run(cloud: DurableFunctionCloudTestRunner) -> None:
    result = cloud.run({"n": 4}, timeout=20, function_name="adds", execution_name="same")
    with DurableFunctionTestRunner(FUNCTIONS["adds"], function_name="adds") as runner:
        local = runner.run({"n": 4}, execution_name="same")
    assert result.ensure_succeeded().value == local.value == 8
    assert result.status is InvocationStatus.SUCCEEDED
    assert [each["EventType"] for each in result.events] == [each["EventType"] for each in local.events]
    assert [each.describe() for each in result.get_all_operations()] == [
        each.describe() for each in local.get_all_operations()
    ]
    assert result.get_wait("pause").duration == 1
    assert result.get_step("double").attempt == 1
    assert len(result.invocations) == 2
    assert result.get_execution().input_payload == '{"n": 4}'
    assert "Wait 'pause'  SUCCEEDED" in result.render()
    assert datetime.now(UTC) - cloud.now < timedelta(seconds=5)


def test_a_failure(cloud: DurableFunctionCloudTestRunner) -> None:
    result = cloud.run(timeout=20, function_name="fails:$LATEST")
    assert result.status is InvocationStatus.FAILED
    assert result.error.message == "no stock"


def test_a_callback_from_start_to_end(cloud: DurableFunctionCloudTestRunner) -> None:
    arn = cloud.run_async({"total": 290}, execution_name="order-1")
    assert cloud.get_execution_history(arn)[0]["EventType"] == "ExecutionStarted"
    callback_id = cloud.wait_for_callback(arn, "appr*", timeout=20)
    assert cloud.get_result(arn).get_callback("approval").callback_id == callback_id
    cloud.send_callback_heartbeat(callback_id)
    cloud.send_callback_success(callback_id, {"by": "manager"})
    result = cloud.wait_for_result(arn, timeout=20)
    assert result.value["answer"] == '{"by": "manager"}'
    assert cloud.wait_for_result(arn).value == result.value, "as often as asked"
    with pytest.raises(CallbackTimeoutException) as caught:
        cloud.send_callback_success(callback_id, "yes again")
    assert isinstance(caught.value, cloud.client.exceptions.CallbackTimeoutException)
    assert caught.value.message == "The callback 'approval' is closed: it is SUCCEEDED."
    with pytest.raises(OperationLookupError, match=r"has ended .SUCCEEDED. and no open callback 'approval' is there"):
        cloud.wait_for_callback(arn, "approval")


def test_a_callback_that_fails(cloud: DurableFunctionCloudTestRunner) -> None:
    arn = cloud.run_async()
    cloud.send_callback_failure(cloud.wait_for_callback(arn, timeout=20), ValueError("too dear"))
    result = cloud.wait_for_result(arn, timeout=20)
    assert result.get_callback("approval").error.message == "too dear"


def test_a_timeout_says_what_the_execution_waits_for(cloud: DurableFunctionCloudTestRunner) -> None:
    arn = cloud.run_async(execution_name="order-2")
    cloud.wait_for_callback(arn, timeout=20)
    began = time.monotonic()
    with pytest.raises(ExecutionTimeoutError) as caught:
        cloud.wait_for_result(arn, timeout=0.3)
    assert 0.3 <= time.monotonic() - began < 5
    text = str(caught.value)
    assert text.startswith(f"0.3 s are over; the execution goes on in the cloud: {arn}\nExecution 'order-2' is RUNNING")
    assert "waiting for callback 'approval': open, timeout 2 d" in text
    with pytest.raises(ExecutionTimeoutError, match="waiting for callback 'approval'"):
        cloud.wait_for_callback(arn, "nobody", timeout=0.1)
    assert "StopTimestamp" in cloud.stop_execution(arn, "enough")
    assert cloud.wait_for_result(arn, timeout=20).execution_status == "STOPPED"


def test_executions_are_listed_and_shown(cloud: DurableFunctionCloudTestRunner) -> None:
    arn = cloud.run_async(execution_name="order-3")
    listed = cloud.list_executions(execution_name="order-3", statuses=["RUNNING"], max_items=1)
    assert [each["DurableExecutionArn"] for each in listed["DurableExecutions"]] == [arn]
    assert cloud.get_execution(arn)["Status"] == "RUNNING"
    assert "ResponseMetadata" not in cloud.get_execution(arn)
    told = cloud.get_execution_history(arn, include_execution_data=False)[0]
    assert told["ExecutionStartedDetails"]["Input"] == {"Truncated": True}
    cloud.stop_execution(arn)


def test_what_is_not_there(cloud: DurableFunctionCloudTestRunner) -> None:
    with pytest.raises(ResourceNotFoundException) as caught:
        cloud.run(function_name="invoices")
    assert caught.value.__notes__ == ["The function is 'invoices' in us-west-2. Is it deployed there, under that name?"]
    arn = cloud.run_async(execution_name="order-4")
    cloud.stop_execution(arn)
    for look in (cloud.get_result, cloud.get_execution, cloud.get_execution_history, cloud.wait_for_result):
        with pytest.raises(ExecutionNotFoundError, match="in us-west-2"):
            look(f"{arn}x")
    with pytest.raises(ExecutionNotFoundError):
        cloud.wait_for_callback(f"{arn}x")


def test_a_name_that_is_taken(cloud: DurableFunctionCloudTestRunner) -> None:
    arn = cloud.run_async({"total": 1}, execution_name="order-5")
    assert cloud.run_async({"total": 1}, execution_name="order-5") == arn
    with pytest.raises(DurableExecutionAlreadyStartedException):
        cloud.run_async({"total": 2}, execution_name="order-5")
    cloud.stop_execution(arn)


def test_a_closed_runner(cloud: DurableFunctionCloudTestRunner) -> None:
    assert repr(cloud).startswith("<DurableFunctionCloudTestRunner 'asks', http://127.0.0.1:")
    cloud.close()
    cloud.close()
    assert repr(cloud) == "<DurableFunctionCloudTestRunner 'asks', closed>"
    with pytest.raises(RunnerClosedError):
        cloud.run()
    with pytest.raises(RunnerClosedError), cloud:
        pass


def test_async_with_leaves_the_loop_free(cloud: DurableFunctionCloudTestRunner) -> None:
    turns: list[int] = []

    async def turn() -> None:
        while True:
            turns.append(1)
            await asyncio.sleep(0.01)

    async def main() -> Any:
        turning = asyncio.create_task(turn())
        async with cloud as runner:
            arn = await runner.run_async(execution_name="order-6")
            await runner.send_callback_success(await runner.wait_for_callback(arn, timeout=20), "yes")
            result = await runner.wait_for_result(arn, timeout=20)
            again = await runner.run({"n": 1}, timeout=20, function_name="adds")
            listed = await runner.list_executions(statuses=["SUCCEEDED"], execution_name="order-6")
        turning.cancel()
        return result.value["answer"], again.value, len(listed["DurableExecutions"])

    assert asyncio.run(main()) == ("yes", 2, 1)
    assert len(turns) > 20


def test_a_wait_that_is_cancelled_ends_at_once(cloud: DurableFunctionCloudTestRunner) -> None:
    async def main() -> None:
        async with cloud as runner:
            arn = await runner.run_async(execution_name="order-8")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(runner.wait_for_result(arn, timeout=600), 0.2)
            await runner.stop_execution(arn)

    began = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("store", ["filesystem", "sqlite"])
def test_finished_executions_are_saved(endpoint: DurableEndpoint, tmp_path: Path, store: str) -> None:
    client = boto3.client("lambda", **endpoint.client_options)
    config = DurableFunctionCloudTestRunnerConfig(
        function_name="adds", poll_interval=0.2, store_type=store, store_path=tmp_path / "executions"
    )
    with DurableFunctionCloudTestRunner(config=config, client=client) as cloud:
        result = cloud.run({"n": 1}, timeout=20)
        open_one = cloud.run_async(function_name="asks", execution_name=f"open-{store}")
        cloud.get_result(open_one)
    kept = {"store": store, "store_path": tmp_path / "executions"}
    with DurableFunctionCloudTestRunner("adds", client=client, **kept) as another:
        assert another._finished == {}
        assert another.get_result(result.execution_arn).value == 2, "saved a second time, which is no mistake"
        another.stop_execution(open_one)
    with DurableFunctionTestRunner(store=store, store_path=tmp_path / "executions") as local:
        assert local.get_result(result.execution_arn).render() == result.render()
        with pytest.raises(ExecutionNotFoundError):
            local.get_result(open_one)
    with DurableFunctionCloudTestRunner(config=config, client=client) as cloud:
        assert cloud.prune() == []
        assert cloud.prune(datetime.now(UTC) + timedelta(days=15)) == [result.execution_arn]
    assert client.get_durable_execution(DurableExecutionArn=result.execution_arn)["Status"] == "SUCCEEDED"

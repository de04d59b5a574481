"""A suite as one writes it for AWS's testing library. Only the lines that import the runner are other ones.

With ``aws_durable_execution_sdk_python_testing.runner`` in their place it passes with that library, too.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

pytest.importorskip("aws_durable_execution_sdk_python")

from aws_durable_execution_sdk_python import (
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
    durable_with_child_context,
)
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, ParallelConfig, StepConfig
from aws_durable_execution_sdk_python.execution import InvocationStatus
from aws_durable_execution_sdk_python.lambda_service import ErrorObject, OperationStatus, OperationType
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_kit import since

from async_durable_execution_runner.runner import (
    CallbackOperation,
    ContextOperation,
    DurableChildContextTestRunner,
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
    InvokeOperation,
    StepOperation,
    WaitOperation,
)

PRICES = {"tent": 180, "stove": 60}


@durable_step
def look_up(_: StepContext, item: str) -> int:
    return PRICES[item]


@durable_step
def reserve(_: StepContext, item: str) -> str:
    return f"shelf of {item}"


@durable_with_child_context
def ship(context: DurableContext, item: str) -> str:
    shelf = context.step(reserve(item), name="reserve")
    context.wait(Duration.from_seconds(2), name="forklift")
    return context.step(lambda _: f"parcel from {shelf}", name="wrap")


@durable_execution
def rent(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    price = context.step(look_up(event["item"]), name="price")
    context.wait(Duration.from_seconds(1), name="cooling off")
    return {"price": price, "parcel": context.run_in_child_context(ship(event["item"]), name="ship")}


@durable_execution
def approve(event: Any, context: DurableContext) -> Any:
    callback = context.create_callback(name="manager", config=CallbackConfig(timeout=Duration.from_hours(8)))
    return {"answer": callback.result()}


def run_rent() -> DurableFunctionTestResult:
    with DurableFunctionTestRunner(handler=rent) as runner:
        return runner.run(input=json.dumps({"item": "tent"}))


def test_status_and_raw_result() -> None:
    result = run_rent()
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.result == '{"price": 180, "parcel": "parcel from shelf of tent"}'
    assert result.error is None


def test_step() -> None:
    step = run_rent().get_step("price")
    assert isinstance(step, StepOperation)
    assert step.result == "180"
    assert step.status is OperationStatus.SUCCEEDED
    assert step.operation_type is OperationType.STEP


def test_wait() -> None:
    wait = run_rent().get_wait("cooling off")
    assert isinstance(wait, WaitOperation)
    assert wait.scheduled_end_timestamp is not None
    assert wait.status is OperationStatus.SUCCEEDED


def test_context_and_its_children() -> None:
    context = run_rent().get_context("ship")
    assert isinstance(context, ContextOperation)
    assert context.result == '"parcel from shelf of tent"'
    assert [child.name for child in context.child_operations] == ["reserve", "forklift", "wrap"]
    assert context.get_step("reserve").result == '"shelf of tent"'
    assert context.get_wait("forklift").parent_id == context.operation_id


def test_all_operations() -> None:
    names = {operation.name for operation in run_rent().get_all_operations()}
    assert {"price", "cooling off", "ship", "reserve", "forklift", "wrap"} <= names


def test_operation_by_name() -> None:
    assert run_rent().get_operation_by_name("price").operation_type is OperationType.STEP


def test_unhandled_error() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> None:
        raise LookupError("no such customer")

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run(input="{}")
    assert result.status is InvocationStatus.FAILED
    assert isinstance(result.error, ErrorObject)
    assert result.error.message == "no such customer"
    assert result.result is None


def test_failed_step() -> None:
    def fail(_: StepContext) -> None:
        raise ValueError("out of stock")

    once = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())

    @durable_execution
    def handler(event: Any, context: DurableContext) -> None:
        context.step(fail, name="reserve", config=once)

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run(input="{}")
    step = result.get_step("reserve")
    assert result.status is InvocationStatus.FAILED
    assert step.status is OperationStatus.FAILED
    assert step.error is not None
    assert step.error.message == "out of stock"


def test_retried_step() -> None:
    tried: list[int] = []

    def flaky(_: StepContext) -> str:
        tried.append(1)
        if len(tried) < 3:
            raise ConnectionError("later")
        return "done"

    def again(error: Exception, attempt: int) -> RetryDecision:
        return RetryDecision.retry(Duration.from_seconds(1))

    @durable_execution
    def handler(event: Any, context: DurableContext) -> str:
        return context.step(flaky, name="call", config=StepConfig(retry_strategy=again))

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run(input="{}")
    assert result.get_step("call").result == '"done"'
    assert len(tried) == 3


def test_callback_is_answered() -> None:
    with DurableFunctionTestRunner(handler=approve, poll_interval=0.05) as runner:
        execution_arn = runner.run_async(input="{}")
        callback_id = runner.wait_for_callback(execution_arn, name="manager")
        runner.send_callback_success(callback_id, result=b"yes")
        result = runner.wait_for_result(execution_arn)
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.result == '{"answer": "yes"}'
    callback = result.get_callback("manager")
    assert isinstance(callback, CallbackOperation)
    assert (callback.callback_id, callback.result) == (callback_id, "yes")


def test_callback_is_refused() -> None:
    with DurableFunctionTestRunner(handler=approve, poll_interval=0.05) as runner:
        execution_arn = runner.run_async(input="{}")
        callback_id = runner.wait_for_callback(execution_arn, name="manager", timeout=20)
        error = ErrorObject(message="too dear", type="Refused", data=None, stack_trace=None)
        runner.send_callback_failure(callback_id, error=error)
        result = runner.wait_for_result(execution_arn, timeout=20)
    assert result.status is InvocationStatus.FAILED
    assert result.get_callback("manager").status is OperationStatus.FAILED


def test_heartbeat_leaves_a_callback_open() -> None:
    with DurableFunctionTestRunner(handler=approve, poll_interval=0.05) as runner:
        execution_arn = runner.run_async(input="{}")
        callback_id = runner.wait_for_callback(execution_arn)
        runner.send_callback_heartbeat(callback_id)
        runner.send_callback_success(callback_id, b"yes")
        assert runner.wait_for_result(execution_arn).status is InvocationStatus.SUCCEEDED


def test_chained_durable_function() -> None:
    @durable_execution
    def caller(event: Any, context: DurableContext) -> Any:
        return context.invoke("rent:$LATEST", {"item": "stove"}, name="rent a stove")

    with DurableFunctionTestRunner(handler=caller) as runner:
        runner.register_durable_function("rent", rent)
        result = runner.run(input="{}")
    invoke = result.get_invoke("rent a stove")
    assert isinstance(invoke, InvokeOperation)
    assert json.loads(str(invoke.result))["price"] == 60
    assert result.status is InvocationStatus.SUCCEEDED


@since(1, 1)  # 1.0 does not find what an invoke has come to
def test_chained_ordinary_function() -> None:
    @durable_execution
    def caller(event: Any, context: DurableContext) -> Any:
        return context.invoke("weather", {"place": "Oban"}, name="ask")

    with DurableFunctionTestRunner(handler=caller) as runner:
        runner.register_function("weather", lambda event, context: f"rain in {event['place']}")
        result = runner.run(input="{}")
    assert result.result == '"rain in Oban"'


def test_parallel_branches() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        branches = [lambda child, item=item: child.step(look_up(item), name=f"price {item}") for item in PRICES]
        return context.parallel(branches, name="prices", config=ParallelConfig(max_concurrency=1)).get_results()

    with DurableFunctionTestRunner(handler=handler) as runner:
        result = runner.run(input="{}")
    assert result.result == "[180, 60]"
    assert len(result.get_context("prices").child_operations) == 2


def test_input_that_is_plain_text() -> None:
    @durable_execution
    def handler(event: Any, context: DurableContext) -> Any:
        return event

    with DurableFunctionTestRunner(handler=handler) as runner:
        assert runner.run(input='"tent"').result == '"tent"'


@durable_with_child_context
def wrap(context: DurableContext, item: str, paper: str) -> str:
    context.wait(Duration.from_seconds(1), name="glue")
    return context.step(lambda _: f"{item} in {paper}", name="wrap")


def test_a_block_is_tested_by_itself() -> None:
    with DurableChildContextTestRunner(wrap, "tent", paper="red") as runner:
        result = runner.run(input=json.dumps({}), timeout=10)
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.result == '"tent in red"'
    assert result.get_step("wrap").result == '"tent in red"'
    assert [operation.name for operation in result.operations] == ["glue", "wrap"]

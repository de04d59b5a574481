"""Handlers of AWS's own SDK run like any other."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest

from async_durable_execution_runner import DurableFunctionTestRunner, ExecutionStatus, UnusedResponderError

sdk = pytest.importorskip("aws_durable_execution_sdk_python")
config = pytest.importorskip("aws_durable_execution_sdk_python.config")
retries = pytest.importorskip("aws_durable_execution_sdk_python.retries")


def types(result: Any) -> list[str]:
    return [event["EventType"] for event in result.events]


def order_function(event: Any, context: Any) -> Any:
    first = context.step(lambda _: f"reserved {event['item']}", name="reserve")
    context.wait(config.Duration.from_hours(72), name="cool-down")
    second = context.run_in_child_context(lambda child: child.step(lambda _: "packed", name="pack"), name="ship")
    return [first, second]


order = sdk.durable_execution(order_function)


def test_steps_waits_and_children() -> None:
    with DurableFunctionTestRunner(order) as runner:
        result = runner.run({"item": "book"}).ensure_succeeded()
    assert result.value == ["reserved book", "packed"]
    assert result.get_context("ship").get_step("pack").value == "packed"
    assert types(result) == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "WaitStarted",
        "InvocationCompleted",
        "WaitSucceeded",
        "ContextStarted",
        "StepStarted",
        "StepSucceeded",
        "ContextSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_statuses_and_errors_are_the_sdks_own() -> None:
    def decline(_: Any) -> None:
        raise ValueError("declined")

    never = config.StepConfig(retry_strategy=lambda error, attempt: retries.RetryDecision.no_retry())

    @sdk.durable_execution
    def pay(event: Any, context: Any) -> Any:
        return context.step(decline, name="charge", config=never)

    from aws_durable_execution_sdk_python import lambda_service

    with DurableFunctionTestRunner(pay) as runner:
        result = runner.run()
    assert result.status.value == "FAILED"
    assert type(result.status).__module__.startswith("aws_durable_execution_sdk_python")
    assert isinstance(result.error, lambda_service.ErrorObject)
    assert result.get_step("charge").status is lambda_service.OperationStatus.FAILED
    assert "declined" in result.render()
    assert "in decline" in result.render()


def test_callbacks_are_answered_by_name() -> None:
    @sdk.durable_execution
    def approval(event: Any, context: Any) -> Any:
        callback = context.create_callback(name="approval")
        return callback.result()

    with DurableFunctionTestRunner(approval) as runner:
        runner.on_callback("approval", result='"yes"', after=3600)
        assert runner.run().ensure_succeeded().value is not None
    runner = DurableFunctionTestRunner(approval)
    runner.on_callback("aproval", result="no")
    with pytest.raises(UnusedResponderError, match="aproval"), runner:
        pass


def test_decorators_above_the_sdks_run_on_every_invocation() -> None:
    calls = []

    def logged(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def wrapper(event: Any, context: Any) -> Any:
            calls.append(type(event))
            return handler(event, context)

        return wrapper

    with DurableFunctionTestRunner(logged(order)) as runner:
        runner.run({"item": "book"}).ensure_succeeded()
    assert calls == [dict, dict]


def test_the_users_own_client_is_replaced_and_not_called() -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"{name} of the user's own client was asked for")

    handler = sdk.durable_execution(order_function, boto3_client=Untouchable())
    with DurableFunctionTestRunner(handler) as runner:
        assert runner.run({"item": "pen"}).execution_status is ExecutionStatus.SUCCEEDED


def test_chained_invokes_between_handlers() -> None:
    @sdk.durable_execution
    def caller(event: Any, context: Any) -> Any:
        return context.invoke("order:$LATEST", {"item": "lamp"}, name="order")

    with DurableFunctionTestRunner(caller) as runner:
        runner.register_durable_function("order", order)
        result = runner.run().ensure_succeeded()
    assert result.get_invoke("order").value == ["reserved lamp", "packed"]

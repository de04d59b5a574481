"""Single steps and bodies of child contexts of AWS's SDK are tested without a handler around them."""

from __future__ import annotations

from typing import Any

import pytest
from aws_kit import RELEASE, config, retrying, sdk, seconds

from async_durable_execution_runner import (
    DurableChildContextTestRunner,
    DurableFunctionTestRunner,
    HandlerError,
    child_context_handler,
    step_handler,
)


@sdk.durable_step
def price(step_context: Any, item: str) -> int:
    return {"lamp": 40}[item]


@sdk.durable_with_child_context
def ship(context: Any, item: str) -> str:
    """A block with time, a callback, a chained invoke and steps in it."""
    context.wait(seconds(3600), name="dry")
    answer = context.create_callback(name="approval").result()
    tax = context.invoke("tax:$LATEST", {"item": item}, name="tax")
    return f"{item} for {context.step(price(item), name='price') + tax}: {answer}"


def test_a_step_gives_a_result_like_any_other() -> None:
    with DurableFunctionTestRunner(step_handler(price("lamp"), name="price")) as runner:
        result = runner.run().ensure_succeeded()
    assert result.value == 40
    assert result.get_step("price").value == 40
    assert type(result.status).__module__.startswith("aws_durable_execution_sdk_python")


def test_a_step_without_a_name_is_called_as_in_a_handler() -> None:
    with DurableFunctionTestRunner(step_handler(price("lamp"))) as runner:
        assert runner.run().get_step("price").value == 40


def test_options_are_those_of_the_sdks_own_step() -> None:
    attempts: list[int] = []

    def charge(_: Any) -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("not yet")
        return "charged"

    with DurableFunctionTestRunner(step_handler(charge, "charge", config=retrying(3, 60))) as runner:
        result = runner.run().ensure_succeeded()
        assert (runner.now - result.get_execution().start_timestamp).total_seconds() == 120
    assert result.get_step("charge").attempt == 3


def test_a_step_that_fails_has_its_error_and_place() -> None:
    with DurableFunctionTestRunner(step_handler(price("desk"), name="price", config=retrying(1, 1))) as runner:
        result = runner.run()
    assert result.execution_status.value == "FAILED"
    assert "in price" in result.render()


@pytest.mark.skipif(RELEASE < (1, 1), reason="release 1.0 does not find the results of chained invokes")
def test_callbacks_invokes_and_time_in_a_child_context() -> None:
    with DurableFunctionTestRunner(child_context_handler(ship("lamp"), name="ship")) as runner:
        runner.mock_invoke("tax", result=8, after=60)
        execution = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(execution, "approval"), "yes")
        result = runner.wait_for_result(execution).ensure_succeeded()
    assert result.value == "lamp for 48: yes"
    block = result.get_context("ship")
    assert [operation.name for operation in block.child_operations] == ["dry", "approval", "tax", "price"]


@pytest.mark.skipif(RELEASE < (1, 1), reason="release 1.0 does not find the results of chained invokes")
def test_the_child_context_runner_has_no_operation_for_the_block() -> None:
    with DurableChildContextTestRunner(ship, "lamp", skip_time=True) as runner:
        runner.mock_invoke("tax", result=8).on_callback("approval", result="yes")
        result = runner.run(timeout=10)
    assert result.value == "lamp for 48: yes"
    assert [operation.name for operation in result.operations] == ["dry", "approval", "tax", "price"]


@pytest.mark.parametrize("make", [step_handler, child_context_handler])
def test_a_function_of_a_context_is_a_block(make: Any) -> None:
    assert DurableFunctionTestRunner(make(lambda _: "lamp")).run().value == "lamp"


@pytest.mark.parametrize("make", [step_handler, child_context_handler])
@pytest.mark.parametrize("block", [price, ship, lambda context, item: item], ids=["step", "block", "two arguments"])
def test_what_cannot_be_a_block_is_told_at_once(make: Any, block: Any) -> None:
    with pytest.raises(HandlerError, match="wants arguments before it can be"):
        make(block)


def test_options_that_the_sdk_does_not_have_are_told_at_once() -> None:
    with pytest.raises(TypeError, match="retries"):
        step_handler(price("lamp"), retries=3)


def test_a_block_that_is_given_as_a_handler_is_told_so() -> None:
    with pytest.raises(HandlerError, match=r"ship is a step or the body .* child_context_handler"):
        DurableFunctionTestRunner(ship("lamp"))


def test_options_of_child_contexts() -> None:
    virtual = child_context_handler(lambda child: child.step(lambda _: 7), config=config.ChildConfig())
    assert DurableFunctionTestRunner(virtual).run().value == 7

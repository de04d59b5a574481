"""Single steps and bodies of child contexts are tested without a handler around them."""

from __future__ import annotations

import asyncio
import functools
from datetime import timedelta
from typing import Any

import pytest
from async_durable_execution import (
    JitterStrategy,
    RetryStrategy,
    create_callback,
    durable_callable,
    durable_execution,
    invoke,
    step,
    wait,
)

from async_durable_execution_runner import (
    DurableChildContextTestRunner,
    DurableFunctionTestRunner,
    HandlerError,
    SdkNotInstalledError,
    child_context_handler,
    step_handler,
)


@durable_callable
async def price(item: str) -> int:
    return {"lamp": 40}[item]


@durable_callable
async def ship(item: str) -> str:
    """A block with time, a callback, a chained invoke and steps in it."""
    await wait(timedelta(hours=1), name="dry")
    approval = await create_callback(name="approval")
    answer = await approval.result()
    tax = await invoke("tax", {"item": item}, name="tax")
    return f"{item} for {await step(price(item), name='price') + tax}: {answer}"


def test_a_step_gives_a_result_like_any_other() -> None:
    with DurableFunctionTestRunner(step_handler(price("lamp"), name="price")) as runner:
        result = runner.run().ensure_succeeded()
    assert result.value == 40
    assert result.get_step("price").value == 40
    assert [operation.name for operation in result.get_all_operations()] == ["price"]


def test_a_step_without_a_name_is_called_as_in_a_handler() -> None:
    with DurableFunctionTestRunner(step_handler(price("lamp"))) as runner:
        assert runner.run().get_step("price").value == 40


def test_options_are_those_of_the_sdks_own_step() -> None:
    attempts: list[int] = []

    async def charge() -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("not yet")
        return "charged"

    three_times = RetryStrategy(max_attempts=3, initial_delay=60, jitter_strategy=JitterStrategy.NONE)
    with DurableFunctionTestRunner(step_handler(charge, "charge", retry_strategy=three_times)) as runner:
        result = runner.run().ensure_succeeded()
        assert (runner.now - result.get_execution().start_timestamp).total_seconds() == 120
    assert result.get_step("charge").attempt == 3


def test_a_step_that_fails_has_its_error_and_place() -> None:
    handler = step_handler(price("desk"), name="price", retry_strategy=RetryStrategy.none())
    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run()
    assert result.execution_status.value == "FAILED"
    assert "in price" in result.render()
    assert "'desk'" in result.get_step("price").error.message


def test_callbacks_invokes_and_time_in_a_child_context() -> None:
    with DurableFunctionTestRunner(child_context_handler(ship("lamp"), name="ship")) as runner:
        runner.mock_invoke("tax", result=8, after=60)
        execution = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(execution, "approval"), "yes")
        result = runner.wait_for_result(execution).ensure_succeeded()
    assert result.value == "lamp for 48: yes"
    block = result.get_context("ship")
    assert [operation.name for operation in block.child_operations] == ["dry", "approval", "tax", "price"]
    assert block.value == result.value


def test_scripted_answers_reach_a_block() -> None:
    with DurableFunctionTestRunner(child_context_handler(ship("lamp"), name="ship")) as runner:
        runner.mock_invoke("tax", result=0).on_callback("approval", result="later", after=3600)
        assert runner.run().value == "lamp for 40: later"


def test_a_block_runs_on_the_loop_of_an_async_test() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()

        async def where() -> bool:
            return asyncio.get_running_loop() is loop

        async with DurableFunctionTestRunner(step_handler(where)) as runner:
            assert (await runner.run()).value is True

    asyncio.run(main())


def test_a_block_is_a_target_of_a_chained_invoke() -> None:
    @durable_execution
    async def order(event: Any) -> Any:
        return await invoke("pricing", {}, name="price")

    with DurableFunctionTestRunner(order) as runner:
        runner.register_durable_function("pricing", step_handler(price("lamp")))
        assert runner.run().value == 40


def test_the_child_context_runner_of_aws_library_has_no_operation_for_the_block() -> None:
    with DurableChildContextTestRunner(ship, "lamp", skip_time=True) as runner:
        runner.mock_invoke("tax", result=8).on_callback("approval", result="yes")
        result = runner.run(timeout=10)
    assert result.value == "lamp for 48: yes"
    assert [operation.name for operation in result.operations] == ["dry", "approval", "tax", "price"]


def test_keywords_reach_the_child_context_function() -> None:
    assert DurableChildContextTestRunner(price, item="lamp").run().value == 40


async def plain(item: str) -> str:
    return item


@pytest.mark.parametrize("make", [step_handler, child_context_handler])
def test_a_partial_and_a_lambda_are_blocks(make: Any) -> None:
    assert DurableFunctionTestRunner(make(functools.partial(plain, "lamp"))).run().value == "lamp"
    assert DurableFunctionTestRunner(make(lambda: plain("desk"))).run().value == "desk"


@pytest.mark.parametrize("make", [step_handler, child_context_handler])
@pytest.mark.parametrize(
    ("block", "words"),
    [
        (price, "price wants arguments before it can be a (step|child context): call it"),
        (ship, "ship wants arguments"),
        ("lamp", "is a function that an SDK calls, not str 'lamp'"),
        (None, "not NoneType None"),
        (lambda a, b: None, "wants arguments"),
        (plain, "plain fits neither SDK as a (step|child context): .* calls no `async def`"),
    ],
    ids=["not called", "not called either", "text", "nothing", "two arguments", "async with one argument"],
)
def test_what_cannot_be_a_block_is_told_at_once(make: Any, block: Any, words: str) -> None:
    with pytest.raises(HandlerError, match=words):
        make(block)


def test_a_coroutine_is_no_block_and_leaves_no_warning() -> None:
    words = r"plain\(…\) is already its coroutine: decorate plain with @durable_callable"
    with pytest.raises(HandlerError, match=words):
        step_handler(plain("lamp"))


@pytest.mark.parametrize("make", [step_handler, child_context_handler])
def test_options_that_the_sdk_does_not_have_are_told_at_once(make: Any) -> None:
    with pytest.raises(TypeError, match="retries"):
        make(price("lamp"), retries=3)


@pytest.mark.parametrize(
    ("block", "package"),
    [(price("lamp"), "async-durable-execution"), (lambda context: 1, "aws-durable-execution-sdk-python")],
    ids=["async", "aws"],
)
def test_a_missing_sdk_is_named_with_the_command_that_installs_it(
    block: Any, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SdkNotInstalledError, match=f"which is not installed: pip install {package}$"):
        step_handler(block)


def test_messages_name_the_block() -> None:
    with DurableFunctionTestRunner(step_handler(price("lamp"))) as runner:
        handler = runner._local.functions.find("test-function").handler
    assert (handler.__module__, handler.__qualname__) == ("async_durable_execution_runner", "step_handler(price)")

"""parallel and map: every option, suspended and failing branches, and their histories."""

from __future__ import annotations

import asyncio
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import (
    DONE,
    SDK_VERSION,
    START,
    STEP,
    SUSPENDED,
    check_history,
    event_of,
    kinds,
    needs,
    of,
    run,
    virtual_seconds,
)

BRANCH = ["ContextStarted", *STEP, "ContextSucceeded"]


def working(value: Any) -> Any:
    async def work() -> Any:
        return value

    async def branch() -> Any:
        return await sdk.step(work, name=f"work-{value}")

    return branch


def failing(text: str = "broken") -> Any:
    async def branch() -> Any:
        raise ValueError(text)

    return branch


def pausing(seconds: int, value: Any) -> Any:
    async def branch() -> Any:
        await sdk.wait(seconds, name=f"wait-{value}")
        return value

    return branch


def parallel_of(*branches: Any, read: Any = None, **options: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        batch = await sdk.parallel(branches, name="batch", **options)
        return (read or (lambda each: each.get_results()))(batch)

    return handler


def summary(batch: Any) -> list[Any]:
    return [batch.success_count, batch.failure_count, batch.total_count, batch.completion_reason.value]


@pytest.mark.parametrize("concurrency", [None, 1, 2])
def test_branches_of_parallel(concurrency: int | None) -> None:
    result = run(parallel_of(*map(working, "abc"), max_concurrency=concurrency))
    assert result.value == ["a", "b", "c"]
    check_history(result.events)
    if concurrency == 1:
        assert kinds(result) == [*START, "ContextStarted", *BRANCH * 3, "ContextSucceeded", *DONE]
    assert sorted(kinds(result)) == sorted([*START, "ContextStarted", *BRANCH * 3, "ContextSucceeded", *DONE])
    first, last = result.events[1], result.events[-3]
    assert (first["EventType"], first["SubType"], first["Name"]) == ("ContextStarted", "Parallel", "batch")
    assert (last["EventType"], last["Id"]) == ("ContextSucceeded", first["Id"])
    branches = [event for event in result.events if event.get("ParentId") == first["Id"]]
    assert {event["SubType"] for event in branches} == {"ParallelBranch"}
    assert len({event["Id"] for event in branches}) == 3
    batch = result.get_context("batch")
    assert batch.value.get_results() == ["a", "b", "c"]
    assert [each.value for each in batch.child_operations] == ["a", "b", "c"]


def test_concurrency_is_kept() -> None:
    running: set[int] = set()
    most: list[int] = []

    def branch(number: int) -> Any:
        async def work() -> None:
            running.add(number)
            most.append(len(running))
            await asyncio.sleep(0)
            running.discard(number)

        async def body() -> None:
            await sdk.step(work, name=f"work-{number}")

        return body

    run(parallel_of(*map(branch, range(8)), max_concurrency=2))
    assert max(most) == 2


def test_flat_branches_leave_no_events() -> None:
    flat = run(parallel_of(*map(working, "ab"), max_concurrency=1, nesting_type=sdk.NestingType.FLAT))
    assert flat.value == ["a", "b"]
    assert kinds(flat) == [*START, "ContextStarted", *STEP, *STEP, "ContextSucceeded", *DONE]
    batch = event_of(flat, "ContextStarted")
    assert {event["ParentId"] for event in flat.events if event["EventType"].startswith("Step")} == {batch["Id"]}


def test_nothing_to_do() -> None:
    result = run(parallel_of())
    assert result.value == []
    assert kinds(result) == [*START, "ContextStarted", "ContextSucceeded", *DONE]


def test_a_branch_that_fails_does_not_fail_the_batch() -> None:
    config = sdk.CompletionConfig(tolerated_failure_count=2)
    handler = parallel_of(working("a"), failing(), read=summary, completion_config=config)
    result = run(handler)
    assert result.value == [1, 1, 2, "ALL_COMPLETED"]
    assert result.get_context("batch").status is sdk.OperationStatus.SUCCEEDED
    failed = [each for each in result.get_context("batch").child_operations if each.status.value == "FAILED"]
    assert [each.error.message for each in failed] == ["broken"]
    assert "ContextFailed" in kinds(result)
    assert kinds(result)[-3:] == ["ContextSucceeded", *DONE]


def test_a_failure_that_is_thrown_on() -> None:
    handler = parallel_of(failing("first"), working("a"), read=lambda batch: batch.throw_if_error())
    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    assert result.error.message == "first"
    assert result.get_context("batch").status is sdk.OperationStatus.SUCCEEDED


def test_tolerance_exceeded_stops_early() -> None:
    handler = parallel_of(
        *[failing()] * 3,
        *map(working, "ab"),
        read=summary,
        max_concurrency=1,
        completion_config=sdk.CompletionConfig(tolerated_failure_count=1),
    )
    result = run(handler)
    assert result.value[3] == "FAILURE_TOLERANCE_EXCEEDED"
    if SDK_VERSION >= (2, 5):  # earlier releases still start what was next
        assert result.value[:2] == [0, 2]
        assert "StepStarted" not in kinds(result)
    assert kinds(result)[-3:] == ["ContextSucceeded", *DONE]


def test_enough_successes_stop_early() -> None:
    handler = parallel_of(
        *map(working, "abcd"),
        read=summary,
        max_concurrency=1,
        completion_config=sdk.CompletionConfig(min_successful=2),
    )
    result = run(handler)
    assert result.value[0] == 2
    assert result.value[3] == "MIN_SUCCESSFUL_REACHED"
    if SDK_VERSION >= (2, 5):  # earlier releases still start what was next
        assert kinds(result) == [*START, "ContextStarted", *BRANCH * 2, "ContextSucceeded", *DONE]


def test_the_first_success_is_enough() -> None:
    handler = parallel_of(
        pausing(3600, "slow"), pausing(5, "quick"), completion_config=sdk.CompletionConfig.first_successful()
    )
    result = run(handler)
    assert result.value == ["quick"]
    assert virtual_seconds(result) == 5
    assert result.get_wait("wait-slow").status is sdk.OperationStatus.STARTED


@needs("CompletionDecision")
def test_a_decision_of_ones_own() -> None:
    def enough(batch: Any) -> Any:
        return (
            sdk.CompletionDecision.complete(sdk.CompletionReason.CUSTOM_COMPLETION_SUCCEEDED)
            if batch.success_count >= 2
            else sdk.CompletionDecision.continue_execution()
        )

    config = sdk.CompletionConfig.custom(enough)
    result = run(parallel_of(*map(working, "abcd"), read=summary, max_concurrency=1, completion_config=config))
    assert result.value[0] == 2
    assert result.value[3] == "CUSTOM_COMPLETION_SUCCEEDED"


@pytest.mark.parametrize("concurrency", [None, 1, 2])
@pytest.mark.parametrize("nesting", list(sdk.NestingType), ids=lambda each: each.value)
def test_branches_that_suspend(concurrency: int | None, nesting: Any) -> None:
    branches = [pausing(seconds, seconds) for seconds in (30, 10, 20)]
    result = run(parallel_of(*branches, max_concurrency=concurrency, nesting_type=nesting))
    assert result.value == [30, 10, 20]
    # Since 2.5, a branch that is suspended keeps its place.
    assert virtual_seconds(result) == (60 if concurrency == 1 and SDK_VERSION >= (2, 5) else 30)
    check_history(result.events)
    assert kinds(result).count("WaitSucceeded") == 3


def test_a_suspended_branch_beside_one_that_works() -> None:
    result = run(parallel_of(working("a"), pausing(10, "b"), max_concurrency=None))
    assert result.value == ["a", "b"]
    order = kinds(result)
    again = order[order.index("InvocationCompleted") :]
    assert again == ["InvocationCompleted", "WaitSucceeded", "ContextSucceeded", "ContextSucceeded", *DONE]


def test_retries_inside_a_branch() -> None:
    calls: list[int] = []

    async def shaky() -> str:
        calls.append(1)
        if len(calls) < 3:
            raise ValueError("shaky")
        return "ok"

    async def branch() -> Any:
        strategy = sdk.RetryStrategy(initial_delay=10, backoff_rate=1, jitter_strategy=sdk.JitterStrategy.NONE)
        return await sdk.step(shaky, name="shaky", retry_strategy=strategy)

    result = run(parallel_of(branch, pausing(15, "b")))
    assert result.value == ["ok", "b"]
    assert virtual_seconds(result) == 20
    check_history(result.events)


def test_parallel_in_parallel() -> None:
    async def inner() -> Any:
        return (await sdk.parallel([working("x"), pausing(5, "y")], name="inner")).get_results()

    result = run(parallel_of(inner, working("z")))
    assert result.value == [["x", "y"], "z"]
    assert result.get_context("inner").get_step("work-x").value == "x"
    check_history(result.events)


# --------------------------------------------------------------------------------------------------------------- map


async def square(number: int) -> int:
    async def work() -> int:
        return number * number

    return await sdk.step(work, name=f"square-{number}")


def map_of(func: Any, items: Any, read: Any = None, **options: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        batch = await sdk.map(func, items, name="batch", **options)
        return (read or (lambda each: each.get_results()))(batch)

    return handler


def test_items_of_map() -> None:
    result = run(map_of(square, [1, 2, 3], max_concurrency=1))
    assert result.value == [1, 4, 9]
    assert kinds(result) == [*START, "ContextStarted", *BRANCH * 3, "ContextSucceeded", *DONE]
    check_history(result.events)
    assert result.events[1]["SubType"] == "Map"
    assert {event["SubType"] for event in result.events if event.get("ParentId") == result.events[1]["Id"]} == {
        "MapIteration"
    }


def test_items_can_be_named() -> None:
    result = run(map_of(square, [3, 4], item_namer=lambda item, index: f"item-{index}-is-{item}"))
    names = [event["Name"] for event in result.events if event.get("SubType") == "MapIteration"]
    assert sorted(set(names)) == ["item-0-is-3", "item-1-is-4"]
    assert result.get_context("item-1-is-4").value == 16


def test_an_item_knows_its_place() -> None:
    async def body(item: str) -> Any:
        context = sdk.get_current_context()
        return [context.index, list(context.items), item]

    assert run(map_of(body, ["a", "b"])).value == [[0, ["a", "b"], "a"], [1, ["a", "b"], "b"]]


def test_flat_items() -> None:
    result = run(map_of(square, [1, 2], max_concurrency=1, nesting_type=sdk.NestingType.FLAT))
    assert result.value == [1, 4]
    assert kinds(result) == [*START, "ContextStarted", *STEP, *STEP, "ContextSucceeded", *DONE]


def test_no_items() -> None:
    result = run(map_of(square, []))
    assert kinds(result) == [*START, "ContextStarted", "ContextSucceeded", *DONE]


class Marked(sdk.SerDes[Any]):
    """Marks what it writes, and keeps values aside: enough for one process."""

    def __init__(self, mark: str) -> None:
        self.mark, self.kept = mark, {}  # type: dict[str, Any]

    async def serialize(self, value: Any) -> str:
        text = f"{self.mark}:{len(self.kept)}"
        self.kept[text] = value
        return text

    async def deserialize(self, data: str) -> Any:
        return self.kept[data]


@pytest.mark.parametrize("make", ["map", "parallel"])
def test_serializers_of_items_and_of_the_whole(make: str) -> None:
    options: dict[str, Any] = {"serdes": Marked("WHOLE"), "item_serdes": Marked("ITEM"), "max_concurrency": 1}
    handler = map_of(square, [1, 2], **options) if make == "map" else parallel_of(working(1), working(4), **options)
    result = run(handler)
    assert result.value == [1, 4]
    payloads = [each["Result"]["Payload"] for each in of(result, "ContextSucceeded")]
    assert payloads == ["ITEM:0", "ITEM:1", "WHOLE:0"]


def test_a_large_batch_result_is_made_again_at_replay() -> None:
    async def large(number: int) -> str:
        return "x" * 100_000

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        batch = await sdk.map(large, range(4), name="batch")
        await sdk.wait(1)
        return sum(map(len, batch.get_results()))

    result = run(handler)
    assert result.value == 400_000
    assert kinds(result).count("ContextSucceeded") == 5
    check_history(result.events)


def test_more_items_that_wait_than_may_run() -> None:
    async def body(number: int) -> int:
        await sdk.wait(number + 1, name="pause")
        return number

    result = run(map_of(body, range(30), read=lambda batch: sum(batch.get_results()), max_concurrency=10))
    assert result.value == sum(range(30))
    check_history(result.events)
    assert len(result.events) > 120


def test_a_failing_item() -> None:
    async def body(number: int) -> int:
        if number == 2:
            raise ValueError("two is not welcome")
        return number

    config = sdk.CompletionConfig(tolerated_failure_count=1)
    handler = map_of(body, [1, 2, 3], read=summary, max_concurrency=1, completion_config=config)
    result = run(handler)
    assert result.value == [2, 1, 3, "ALL_COMPLETED"]
    assert of(result, "ContextFailed")[0]["Error"]["Payload"]["ErrorMessage"] == "two is not welcome"


def test_suspended_branches_with_callbacks() -> None:
    from async_durable_execution_runner.runner import DurableFunctionTestRunner

    async def body(name: str) -> Any:
        callback = await sdk.create_callback(name=name)
        return await callback.result()

    with DurableFunctionTestRunner(map_of(body, ["a", "b", "c"])) as runner:
        for number, name in enumerate("cab"):
            runner.on_callback(name, result=name.upper(), after=60 * (number + 1))
        result = runner.run(timeout=20)
    assert result.value == ["A", "B", "C"]
    assert [event["Name"] for event in result.events if event["EventType"] == "CallbackSucceeded"] == ["c", "a", "b"]
    told = kinds(result)
    assert told.count("InvocationCompleted") == 4
    assert told[told.index("InvocationCompleted") :][:2] == [*SUSPENDED, "CallbackSucceeded"]

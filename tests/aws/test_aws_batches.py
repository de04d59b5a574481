"""parallel and map of AWS's own SDK: their histories, and that they are the same every time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from aws_kit import (
    DONE,
    START,
    STEP,
    SUSPENDED,
    check_history,
    config,
    durable,
    kinds,
    of,
    run,
    seconds,
    since,
    virtual_seconds,
)

BRANCH = ["ContextStarted", *STEP, "ContextSucceeded"]


def working(value: Any) -> Callable[[Any], Any]:
    return lambda context: context.step(lambda _: value, name=f"work-{value}")


def pausing(duration: int, value: Any) -> Callable[[Any], Any]:
    def branch(context: Any) -> Any:
        context.wait(seconds(duration), name=f"wait-{value}")
        return value

    return branch


def failing(context: Any) -> None:
    raise ValueError("broken")


def parallel_of(*branches: Any, **options: Any) -> Any:
    chosen = config.ParallelConfig(**options)
    return durable(lambda event, context: context.parallel(list(branches), name="batch", config=chosen).get_results())


def fingerprint(result: Any) -> str:
    return json.dumps(result.events, default=str)


@pytest.mark.parametrize("concurrency", [None, 1, 2])
def test_branches_of_parallel(concurrency: int | None) -> None:
    result = run(parallel_of(*map(working, "abc"), max_concurrency=concurrency)).ensure_succeeded()
    assert result.value == ["a", "b", "c"]
    check_history(result.events)
    expected = [*START, "ContextStarted", *BRANCH * 3, "ContextSucceeded", *DONE]
    assert (kinds(result) if concurrency == 1 else sorted(kinds(result))) == (
        expected if concurrency == 1 else sorted(expected)
    )
    outer = result.events[1]
    assert (outer["SubType"], outer["Name"]) == ("Parallel", "batch")
    branches = [event for event in result.events if event.get("ParentId") == outer["Id"]]
    assert {event["SubType"] for event in branches} == {"ParallelBranch"}
    assert len({event["Id"] for event in branches}) == 3


def test_the_items_of_map() -> None:
    def price(context: Any, item: str, index: int, items: Any) -> Any:
        return context.step(lambda _: [item, index, len(items)], name=f"price {item}")

    one = config.MapConfig(max_concurrency=1)
    handler = durable(
        lambda event, context: context.map(["lamp", "desk"], price, name="prices", config=one).get_results()
    )
    result = run(handler).ensure_succeeded()
    assert result.value == [["lamp", 0, 2], ["desk", 1, 2]]
    assert kinds(result) == [*START, "ContextStarted", *BRANCH * 2, "ContextSucceeded", *DONE]
    assert result.events[1]["SubType"] == "Map"
    assert {event.get("SubType") for event in result.events if event["EventType"].startswith("Context")} == {
        "Map",
        "MapIteration",
    }
    check_history(result.events)


def test_suspended_branches_go_on_where_they_were() -> None:
    result = run(parallel_of(working("a"), pausing(60, "b"), max_concurrency=1)).ensure_succeeded()
    assert kinds(result) == [
        *START,
        "ContextStarted",
        *BRANCH,
        "ContextStarted",
        "WaitStarted",
        *SUSPENDED,
        "WaitSucceeded",
        "ContextSucceeded",
        "ContextSucceeded",
        *DONE,
    ]
    assert virtual_seconds(result) == 60


def test_a_batch_succeeds_although_branches_failed() -> None:
    tolerant = config.CompletionConfig(tolerated_failure_count=2)

    @durable
    def handler(event: Any, context: Any) -> Any:
        options = config.ParallelConfig(max_concurrency=1, completion_config=tolerant)
        batch = context.parallel([failing, working("b")], name="batch", config=options)
        return [batch.success_count, batch.failure_count, batch.completion_reason.value]

    result = run(handler).ensure_succeeded()
    assert result.value == [1, 1, "ALL_COMPLETED"]
    assert kinds(result) == [
        *START, "ContextStarted", "ContextStarted", "ContextFailed", *BRANCH, "ContextSucceeded", *DONE
    ]  # fmt: skip
    assert of(result, "ContextFailed")[0]["Error"]["Payload"]["ErrorMessage"] == "broken"


@since(2, 0)  # earlier ones may have begun the next branch already
def test_what_stops_early_leaves_the_rest_without_a_trace() -> None:
    enough = config.CompletionConfig(min_successful=1)
    result = run(parallel_of(*map(working, "abc"), max_concurrency=1, completion_config=enough))
    assert result.ensure_succeeded().value == ["a"]
    assert kinds(result) == [*START, "ContextStarted", *BRANCH, "ContextSucceeded", *DONE]


@since(1, 5)
def test_an_empty_map() -> None:
    handler = durable(lambda event, context: context.map([], lambda *_: 1, name="none").get_results())
    result = run(handler).ensure_succeeded()
    assert kinds(result) == [*START, "ContextStarted", "ContextSucceeded", *DONE]


@since(2, 0)
def test_flat_branches_have_no_events_of_their_own() -> None:
    flat = config.NestingType.FLAT
    result = run(parallel_of(*map(working, "ab"), max_concurrency=1, nesting_type=flat)).ensure_succeeded()
    assert kinds(result) == [*START, "ContextStarted", *STEP * 2, "ContextSucceeded", *DONE]
    outer = result.events[1]["Id"]
    assert {event.get("ParentId") for event in result.events if event["EventType"].startswith("Step")} == {outer}


def test_a_large_batch_result_is_put_together_again() -> None:
    bodies: list[str] = []

    def large(letter: str) -> Callable[[Any], str]:
        def branch(context: Any) -> str:
            bodies.append(letter)
            return str(context.step(lambda _: letter * 150_000, name=f"make {letter}"))

        return branch

    @durable
    def handler(event: Any, context: Any) -> Any:
        one = config.ParallelConfig(max_concurrency=1)
        batch = context.parallel([large("a"), large("b"), large("c")], name="batch", config=one)
        context.wait(seconds(1), name="pause")
        return [len(text) for text in batch.get_results()]

    result = run(handler).ensure_succeeded()
    assert result.value == [150_000] * 3
    assert kinds(result).count("ContextStarted") == 4


RACE = config.CompletionConfig(min_successful=1)


def deadline(context: Any) -> str:
    context.wait(config.Duration.from_hours(1), name="deadline")
    return "TIMEOUT"


def work(context: Any) -> str:
    for number in (1, 2):
        context.step(lambda _: None, name=f"work {number}")
        context.wait(seconds(1), name=f"pause {number}")
    return "WORK"


def test_an_hours_deadline_never_beats_two_seconds_of_work() -> None:
    handler = parallel_of(deadline, work, completion_config=RACE)
    for _ in range(15):
        result = run(handler).ensure_succeeded()
        assert result.value == ["WORK"]
        assert virtual_seconds(result) == 2


def test_branches_that_wait_do_not_wait_in_real_time() -> None:
    began = time.monotonic()
    result = run(parallel_of(pausing(8, "a"), pausing(20, "b"))).ensure_succeeded()
    assert time.monotonic() - began < 5
    assert virtual_seconds(result) == 20


def test_a_branch_that_waits_while_another_works() -> None:
    def slow(context: Any) -> str:
        for number in range(3):
            context.step(lambda _: time.sleep(0.01), name=f"slow {number}")
        return "slow"

    result = run(parallel_of(pausing(300, "a"), slow)).ensure_succeeded()
    assert result.value == ["a", "slow"]
    assert virtual_seconds(result) == 300


def order(event: Any, context: Any) -> Any:
    one = {"max_concurrency": 1}
    first = context.step(lambda _: "reserved", name="reserve")
    branches = [working("a"), pausing(5, "b"), working("c")]
    batch = context.parallel(branches, name="batch", config=config.ParallelConfig(**one))
    context.wait(config.Duration.from_hours(3), name="cool-down")
    items = context.map(
        [1, 2, 3],
        lambda child, item, *_: child.step(lambda __: item * 2, name=f"double {item}"),
        name="items",
        config=config.MapConfig(**one),
    )
    return [first, batch.get_results(), items.get_results()]


def test_one_history_in_thirty_runs() -> None:
    handler = durable(order)
    assert len({fingerprint(run(handler)) for _ in range(30)}) == 1


def test_with_more_branches_at_a_time_only_their_order_may_vary() -> None:
    handler = parallel_of(*map(working, "abc"), pausing(5, "d"))

    def told(result: Any) -> set[tuple[Any, ...]]:
        return {
            (event["EventType"], event.get("Id"), event.get("Name"), event["EventTimestamp"]) for event in result.events
        }

    results = [run(handler) for _ in range(10)]
    assert all(told(result) == told(results[0]) for result in results)
    assert {json.dumps(result.value) for result in results} == {'["a", "b", "c", "d"]'}

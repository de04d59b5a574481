"""What an execution looks like, whoever draws it."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import Any

import async_durable_execution as sdk
import pytest
from render_kit import (
    DAY,
    HOUR,
    MINUTE,
    answered,
    asks,
    explode,
    invokes,
    lane,
    order,
    record_of,
    run,
    spans,
    until_suspended,
    view_of,
    work,
)

from async_durable_execution_runner._model.execution import ExecutionRecord
from async_durable_execution_runner._render.reading import read_execution
from async_durable_execution_runner._wire.history_reader import read_record
from async_durable_execution_runner._wire.rendering import render_event, render_execution
from async_durable_execution_runner.runner import DurableFunctionTestRunner


def test_lanes_are_nested_and_in_order_of_their_start() -> None:
    view = view_of(order, answered)
    assert [(each.depth, each.name, each.children) for each in view.lanes if each.depth < 2] == [
        (0, "charge", 0),
        (0, "approval", 0),
        (0, "stock", 1),
        (1, "all items", 2),
        (0, "until the morning", 0),
        (0, "hand to the courier", 0),
    ]
    assert lane(view, "reserve desk").depth == 3
    assert (view.status, view.is_over, view.pending) == ("FAILED", True, ())


def test_a_retried_step_has_a_bar_for_each_attempt_and_each_delay() -> None:
    view = view_of(order, answered)
    charge = lane(view, "charge")
    assert spans(view, charge.bars) == [
        ("ATTEMPT", "FAILED", 0, 0),
        ("RETRY", "AGAIN", 0, 30_000),
        ("ATTEMPT", "FAILED", 30_000, 30_000),
        ("RETRY", "AGAIN", 30_000, 90_000),
        ("ATTEMPT", "SUCCEEDED", 90_000, 90_000),
    ]
    assert [bar.attempt for bar in charge.bars] == [1, 2, 2, 3, 3]
    assert charge.bars[0].error == "ConnectionError: no answer from the bank"
    assert charge.bars[1].due == view.start + 30_000
    assert charge.attempts == 3


def test_waits_callbacks_and_contexts_are_one_bar() -> None:
    view = view_of(order, answered)
    begun = 90_000
    assert spans(view, lane(view, "approval").bars) == [("CALLBACK", "SUCCEEDED", begun, begun + HOUR)]
    morning = begun + HOUR + 2 * DAY
    assert spans(view, lane(view, "stock").bars) == [("CONTEXT", "SUCCEEDED", begun + HOUR, morning)]
    assert spans(view, lane(view, "until the morning").bars) == [("WAIT", "SUCCEEDED", morning, morning + 12 * HOUR)]
    assert lane(view, "hand to the courier").error == "LookupError: no such courier"
    assert lane(view, "approval").facts == ("timeout 7 d",)


def test_invocations_have_their_place_and_what_they_replayed() -> None:
    view = view_of(order, answered)
    assert [(each.number, each.ending, each.replayed) for each in view.invocations] == [
        (1, "SUSPENDED", 0),
        (2, "SUSPENDED", 0),
        (3, "SUSPENDED", 0),
        (4, "SUSPENDED", 2),
        (5, "SUSPENDED", 6),
        (6, "FAILED", 10),
    ]
    assert [each.start.at - view.start for each in view.invocations][:4] == [0, 30_000, 90_000, 90_000 + HOUR]
    for before, after in zip(view.invocations, view.invocations[1:], strict=False):
        assert before.start < before.end < after.start < after.end
    # The answer comes from outside, and the invocation that it causes begins after it.
    assert lane(view, "approval").bars[0].end < view.invocations[3].start < lane(view, "stock").bars[0].start


def test_moments_are_in_order_and_every_event_has_one() -> None:
    record, now = record_of(order, answered)
    view = read_execution(record, now)
    assert list(view.moments) == sorted(view.moments)
    assert len(set(view.event_orders)) == len(record.events)
    assert [view.moments[place] for place in view.event_orders] == [event.timestamp for event in record.events]
    assert view.moments[-1] == view.end == record.header.ended_at


def test_an_execution_that_waits_goes_on_until_now() -> None:
    def drive(runner: DurableFunctionTestRunner) -> str:
        arn = until_suspended(runner)
        runner.advance(timedelta(minutes=30))
        return arn

    view = view_of(asks, drive)
    assert view.end - view.start == 30 * MINUTE
    assert spans(view, lane(view, "approval").bars) == [("CALLBACK", "OPEN", 0, 30 * MINUTE)]
    assert spans(view, lane(view, "meanwhile").bars) == [("WAIT", "OPEN", 0, 30 * MINUTE)]
    assert lane(view, "meanwhile").pending == "waits 1 h, 30 min to go"
    assert [each.name for each in view.pending] == ["approval", "meanwhile"]
    assert [each.ending for each in view.invocations] == ["SUSPENDED"]


def test_a_stopped_execution_leaves_operations_open() -> None:
    def drive(runner: DurableFunctionTestRunner) -> str:
        arn = until_suspended(runner)
        runner.stop_execution(arn)
        return arn

    view = view_of(asks, drive)
    assert view.status == "STOPPED"
    assert {bar.outcome for each in view.lanes for bar in each.bars} == {"LEFT_OPEN"}


def test_an_execution_that_times_out() -> None:
    view = view_of(asks, run, execution_timeout=60)
    assert (view.status, view.end - view.start) == ("TIMED_OUT", MINUTE)
    assert spans(view, lane(view, "meanwhile").bars) == [("WAIT", "LEFT_OPEN", 0, MINUTE)]
    assert [each.ending for each in view.invocations] == ["SUSPENDED"]


def test_a_callback_that_times_out_and_one_that_is_refused() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> None:
        for name in ("late", "refused"):
            answer = await sdk.create_callback(name=name, timeout=timedelta(hours=1))
            with contextlib.suppress(sdk.CallbackError):
                await answer.result()

    def drive(runner: DurableFunctionTestRunner) -> str:
        runner.on_callback("refused", error="no")
        return run(runner)

    view = view_of(handler, drive)
    assert [bar.outcome for each in view.lanes for bar in each.bars] == ["TIMED_OUT", "FAILED"]


def test_the_last_heartbeat_is_a_mark() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        answer = await sdk.create_callback(name="slow", heartbeat_timeout=timedelta(hours=1))
        return await answer.result()

    def drive(runner: DurableFunctionTestRunner) -> str:
        runner.on_callback("slow", result=1, after=5000, heartbeat_every=2000)
        return run(runner)

    view = view_of(handler, drive)
    (mark,) = lane(view, "slow").marks
    assert (mark.what, mark.moment.at - view.start) == ("heartbeat", 4_000_000)
    (bar,) = lane(view, "slow").bars
    assert bar.start < mark.moment < bar.end


def test_a_heartbeat_of_a_callback_that_is_still_open() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        answer = await sdk.create_callback(name="slow", heartbeat_timeout=timedelta(hours=1))
        return await answer.result()

    def drive(runner: DurableFunctionTestRunner) -> str:
        arn = until_suspended(runner)
        runner.advance(timedelta(minutes=10))
        runner.send_callback_heartbeat(runner.wait_for_callback(arn, "slow"))
        return arn

    view = view_of(handler, drive)
    assert [mark.moment.at - view.start for mark in lane(view, "slow").marks] == [10 * MINUTE]


def test_a_condition_that_does_not_hold_is_looked_at_again() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def look(state: int) -> int:
            return state + 1

        def strategy(state: int, attempts: int) -> int | None:
            return None if state >= 3 else 10

        return await sdk.wait_for_condition(look, name="poll", initial_state=0, polling_strategy=strategy)

    view = view_of(handler)
    assert spans(view, lane(view, "poll").bars) == [
        ("ATTEMPT", "AGAIN", 0, 0),
        ("RETRY", "AGAIN", 0, 10_000),
        ("ATTEMPT", "AGAIN", 10_000, 10_000),
        ("RETRY", "AGAIN", 10_000, 20_000),
        ("ATTEMPT", "SUCCEEDED", 20_000, 20_000),
    ]


def test_a_map_has_its_items_inside() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def price(item: str) -> Any:
            return await sdk.step(work(item), name=f"price {item}")

        return (await sdk.map(price, ["a", "b"], name="prices")).get_results()

    view = view_of(handler)
    assert [(each.depth, each.kind) for each in view.lanes] == [
        (0, "Map"),
        (1, "MapIteration"),
        (2, "Step"),
        (1, "MapIteration"),
        (2, "Step"),
    ]


@pytest.mark.parametrize(("stubbed", "outcome"), [({"result": 1}, "SUCCEEDED"), ({"error": "no"}, "FAILED")])
def test_chained_invokes(stubbed: dict[str, Any], outcome: str) -> None:
    def drive(runner: DurableFunctionTestRunner) -> str:
        runner.mock_invoke("other", **stubbed, after=60)
        return run(runner)

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.invoke("other", {}, name="ask")

    view = view_of(handler, drive)
    assert spans(view, lane(view, "ask").bars) == [("INVOKE", outcome, 0, MINUTE)]
    assert lane(view, "ask").facts == ("invokes other",)


def test_a_durable_child() -> None:
    view = view_of(invokes)
    assert spans(view, lane(view, "ask the child").bars) == [("INVOKE", "SUCCEEDED", 0, 2 * HOUR)]


def crashing(times: int) -> Any:
    lives: list[int] = []

    @sdk.durable_callable
    async def dies() -> str:
        lives.append(1)
        if len(lives) <= times:
            raise SystemExit(1)
        return "alive"

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.step(work(), name="before")
        return await sdk.step(dies(), name="dies")

    return handler


def test_an_attempt_ends_with_the_invocation_that_crashed_under_it() -> None:
    view = view_of(crashing(2))
    dies = lane(view, "dies")
    assert [bar.outcome for bar in dies.bars] == ["INTERRUPTED", "SUCCEEDED"]
    assert [(each.ending, each.replayed) for each in view.invocations] == [
        ("CRASHED", 0),
        ("CRASHED", 1),
        ("SUCCEEDED", 1),
    ]
    assert dies.bars[0].end == view.invocations[0].end
    # The SDK does not report the start of the attempt again: it began with its invocation.
    assert dies.bars[1].start == view.invocations[2].start
    assert view.invocations[0].error is not None


def test_an_interrupted_attempt_waits_for_the_next_invocation() -> None:
    def drive(runner: DurableFunctionTestRunner) -> str:
        return until_suspended(runner)

    view = view_of(crashing(1), drive)
    assert lane(view, "dies").pending == "interrupted: runs again with the next invocation"


def test_an_execution_that_crashes_for_good() -> None:
    view = view_of(crashing(100))
    assert view.status == "FAILED"
    assert {each.ending for each in view.invocations} == {"CRASHED"}


def test_a_step_that_runs_right_now() -> None:
    seen: list[ExecutionRecord] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def look() -> None:
            seen.append(runner._local.executor.get(arn).snapshot())

        # So that its start is reported before it runs.
        await sdk.step(look, name="look", step_semantics=sdk.StepSemantics.AT_MOST_ONCE_PER_RETRY)

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async({})
        runner.wait_for_result(arn)
    view = read_execution(seen[0], seen[0].header.started_at)
    (only,) = view.lanes
    assert [bar.outcome for bar in only.bars] == ["OPEN"]
    assert only.pending == "attempt 1 running"
    assert [each.ending for each in view.invocations] == ["RUNNING"]
    over = read_execution(record_of(crashing(0))[0], 0)
    assert [each.ending for each in over.invocations] == ["SUCCEEDED"]


def test_a_handler_without_operations() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> None:
        return None

    view = view_of(handler)
    assert (view.lanes, [each.ending for each in view.invocations]) == ((), ["SUCCEEDED"])


def test_an_execution_that_nobody_has_invoked_yet() -> None:
    view = view_of(asks, lambda runner: runner.run_async({}))
    assert (view.lanes, view.invocations, len(view.moments)) == ((), (), 2)


def test_one_that_is_read_from_the_api_looks_the_same() -> None:
    record, now = record_of(order, answered)
    told = read_record(render_execution(record.header), [render_event(event) for event in record.events])
    here, there = read_execution(record, now), read_execution(told, now)
    assert [(each.name, each.bars) for each in here.lanes] == [(each.name, each.bars) for each in there.lanes]
    assert here.invocations == there.invocations
    assert here.moments == there.moments


def test_what_has_lost_its_parent_stays_in_sight() -> None:
    record, now = record_of(order, answered)
    orphans = tuple(each for each in record.operations if each.name != "all items")
    view = read_execution(
        ExecutionRecord(header=record.header, operations=orphans, events=record.events, invocations=record.invocations),
        now,
    )
    assert len(view.lanes) == len(orphans) - 1


def test_attempts_that_fail_for_good() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.step(explode(), name="bad", retry_strategy=sdk.RetryStrategy(max_attempts=1))

    view = view_of(handler)
    assert [(bar.outcome, bar.attempt) for bar in lane(view, "bad").bars] == [("FAILED", 1)]

"""A changed handler on the history of the old one: each change is told for what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from async_durable_execution import (
    create_callback,
    durable_execution,
    invoke,
    parallel,
    run_in_child_context,
    step,
    wait,
    wait_for_callback,
)
from replay_kit import found, recorded, replayed, work

from async_durable_execution_runner import DurableFunctionTestRunner, NonDeterministicExecutionError, replay

Code = Callable[[], Awaitable[Any]]


def handler_of(code: Code) -> Any:
    @durable_execution
    async def handler(event: Any) -> Any:
        return await code()

    return handler


async def ship(*, wait_first: bool = False) -> Any:
    await step(work("pack"), name="pack")
    if wait_first:
        await wait(5, name="cool down")
    await step(work("send"), name="send")
    return "sent"


async def old() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_step() -> Any:
    await step(work("reserve"), name="reserve")
    await step(work("audit"), name="audit")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_before_its_like() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("audit"), name="audit")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_wait() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await wait(30, name="longer")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_callback() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    callback = await create_callback(name="approval")
    await callback.result()
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_child() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await run_in_child_context(ship, name="ship again")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_inside() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(lambda: ship(wait_first=True), name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def added_at_the_end() -> Any:
    await old()
    await step(work("thank"), name="thank")
    return "done"


async def removed_step() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def removed_first() -> Any:
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def removed_wait() -> Any:
    await step(work("reserve"), name="reserve")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def removed_last() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    return "done"


async def renamed_step() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("bill"), name="bill")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def renamed_child() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="deliver")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def reordered() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await run_in_child_context(ship, name="ship")
    await step(work("charge"), name="charge")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def reordered_steps() -> Any:
    await step(work("charge"), name="charge")
    await wait(60, name="pause")
    await step(work("reserve"), name="reserve")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def retyped() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await invoke("other", {}, name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def retyped_to_context() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")

    async def charge() -> Any:
        return await step(work("charge"), name="through the bank")

    await run_in_child_context(charge, name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def moved_in() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")

    async def payment() -> Any:
        await step(work("charge"), name="charge")

    await run_in_child_context(payment, name="payment")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def moved_into_existing() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")

    async def ship_paid() -> Any:
        await step(work("charge"), name="charge")
        return await ship()

    await run_in_child_context(ship_paid, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def moved_out() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await step(work("pack"), name="pack")

    async def rest() -> Any:
        await step(work("send"), name="send")
        return "sent"

    await run_in_child_context(rest, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def other_duration() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(90, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def other_payload() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("other", {"order": 8}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def other_function() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")
    await run_in_child_context(ship, name="ship")
    await invoke("another", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def other_child_result() -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await step(work("charge"), name="charge")

    async def loudly() -> Any:
        await ship()
        return "SENT"

    await run_in_child_context(loudly, name="ship")
    await invoke("other", {"order": 7}, name="tell")
    await step(work("close"), name="close")
    return "done"


async def other_result() -> Any:
    await old()
    return "finished"


async def failing() -> Any:
    await old()
    raise RuntimeError("no more")


CHANGES: list[tuple[Code, list[tuple[str, str]]]] = [
    (old, []),
    (added_step, [("added", "Step 'audit'")]),
    (added_before_its_like, [("added", "Step 'audit'")]),
    (added_wait, [("added", "Wait 'longer'")]),
    (added_callback, [("added", "Callback 'approval'")]),
    (added_child, [("added", "RunInChildContext 'ship again'")]),
    (added_inside, [("added", "Wait 'cool down'")]),
    (added_at_the_end, [("added", "Step 'thank'")]),
    (removed_step, [("removed", "Step 'charge'")]),
    (removed_first, [("removed", "Step 'reserve'")]),
    (removed_wait, [("removed", "Wait 'pause'")]),
    (removed_last, [("removed", "Step 'close'")]),
    (renamed_step, [("renamed", "Step 'charge'")]),
    (renamed_child, [("renamed", "RunInChildContext 'ship'")]),
    (reordered, [("reordered", "Step 'charge'")]),
    (reordered_steps, [("reordered", "Step 'reserve', Wait 'pause', Step 'charge'")]),
    (retyped, [("retyped", "Step 'charge'")]),
    (retyped_to_context, [("retyped", "Step 'charge'")]),
    (moved_in, [("added", "RunInChildContext 'payment'"), ("moved", "Step 'charge'")]),
    (moved_into_existing, [("moved", "Step 'charge'")]),
    (moved_out, [("moved", "Step 'pack'")]),
    (other_duration, [("value changed", "Wait 'pause'")]),
    (other_payload, [("value changed", "ChainedInvoke 'tell'")]),
    (other_function, [("value changed", "ChainedInvoke 'tell'")]),
    (other_child_result, [("value changed", "RunInChildContext 'ship'")]),
    (other_result, [("value changed", "the execution")]),
    (failing, [("value changed", "the execution")]),
]


@pytest.fixture(scope="module")
def history() -> Any:
    return recorded(handler_of(old))


@pytest.mark.parametrize(("code", "expected"), CHANGES, ids=[code.__name__ for code, _ in CHANGES])
@pytest.mark.parametrize("prefixes", ["invocations", "events"])
def test_each_change_is_told_for_what_it_is(
    history: Any, code: Code, expected: list[tuple[str, str]], prefixes: str
) -> None:
    report = replayed(handler_of(code), history, prefixes=prefixes)
    assert sorted(found(report)) == sorted(expected), report.render()
    assert report.ok is (not expected)


def test_a_failure_is_raised_with_both_sides(history: Any) -> None:
    with pytest.raises(NonDeterministicExecutionError) as raised:
        replay(handler_of(renamed_step), history)
    text = str(raised.value)
    assert "renamed: Step 'charge' is now Step 'bill'" in text
    assert "> Step 'charge'                         Step 'bill'" in text
    assert "test_replay_changes.py:" in text


def test_a_history_that_ends_before_a_context_is_begun_may_go_on() -> None:
    async def code() -> Any:
        await wait(60, name="pause")
        await run_in_child_context(ship, name="ship")

    async def wrapped() -> Any:
        async def pause() -> Any:
            await wait(60, name="pause")

        await run_in_child_context(pause, name="night")
        await run_in_child_context(ship, name="ship")

    events = recorded(handler_of(code)).events
    for length in range(1, len(events) + 1):
        report = replayed(handler_of(code), events[:length])
        assert report.ok, report.render()
    until_the_pause_is_over = next(n for n, each in enumerate(events, 1) if each["EventType"] == "WaitSucceeded")
    report = replayed(handler_of(wrapped), events[:until_the_pause_is_over])
    assert sorted(found(report)) == [("added", "RunInChildContext 'night'"), ("moved", "Wait 'pause'")]


def test_where_something_was_moved_to_is_said_once(history: Any) -> None:
    (drift,) = replayed(handler_of(moved_into_existing), history).drifts
    assert drift.sentence() == "moved: Step 'charge' stood at the top and stands now in RunInChildContext 'ship'"


def test_a_branch_that_is_gone_is_removed() -> None:
    def branches(*names: str) -> Code:
        async def code() -> Any:
            def branch(name: str) -> Any:
                return lambda: step(work(name), name=name)

            await parallel([branch(name) for name in names], name="all")

        return code

    history = recorded(handler_of(branches("a", "b", "c")))
    report = replayed(handler_of(branches("a", "b")), history)
    assert ("removed", "ParallelBranch 'parallel-branch-2'") in found(report)
    report = replayed(handler_of(branches("a", "b", "c", "d")), history)
    assert ("added", "ParallelBranch 'parallel-branch-3'") in found(report)


def test_side_by_side_operations_may_end_in_any_order() -> None:
    async def code() -> Any:
        async def one() -> Any:
            await wait(20, name="long")
            return await step(work("one"), name="one")

        async def two() -> Any:
            await wait(5, name="short")
            return await step(work("two"), name="two")

        children = run_in_child_context(one, name="first"), run_in_child_context(two, name="second")
        return await asyncio.gather(*children)

    assert replayed(handler_of(code), recorded(handler_of(code))).ok


def test_order_that_hangs_on_who_is_done_first_is_found() -> None:
    async def slowly() -> None:
        await asyncio.sleep(0.02)

    async def code() -> Any:
        async def one() -> None:
            await step(slowly, name="slow")
            await step(work("one"), name="one")

        async def two() -> None:
            await step(work("fast"), name="fast")
            await step(work("two"), name="two")

        await asyncio.gather(one(), two())

    kinds = {kind for kind, _ in found(replayed(handler_of(code), recorded(handler_of(code))))}
    assert kinds == {"reordered"}


def test_a_submitter_does_not_run_and_its_callback_is_answered() -> None:
    async def code() -> Any:
        return await wait_for_callback(work("submit"), name="approval", timeout=timedelta(hours=2))

    history = recorded(handler_of(code))
    assert replayed(handler_of(code), history).ok

    async def sooner() -> Any:
        return await wait_for_callback(work("submit"), name="approval", timeout=timedelta(hours=1))

    (drift,) = replayed(handler_of(sooner), history).drifts
    assert (drift.what, drift.recorded, drift.now) == ("timeout in seconds", "7200", "3600")
    assert drift.where.endswith("'approval'")


async def large_results() -> Any:
    async def child() -> str:
        await step(work("inside"), name="inside")
        await wait(3)
        return "x" * 300_000

    async def branch() -> str:
        await step(work("branch"), name="branch")
        return "y" * 200_000

    big = await run_in_child_context(child, name="big")
    batch = await parallel([branch, branch], name="batch")
    await wait(4, name="later")
    return len(big) + sum(map(len, batch.get_results()))


async def refused() -> Any:
    await wait(2, name="pause")
    return "x" * 7_000_000


async def failed() -> Any:
    await wait(2, name="pause")
    raise ValueError(f"no luck with {object()}")


async def timed_out() -> Any:
    callback = await create_callback(name="silent", timeout=timedelta(seconds=30))
    try:
        return await callback.result()
    except Exception as error:  # noqa: BLE001 - the SDK's errors differ between releases
        return str(error)


@pytest.mark.parametrize("code", [large_results, refused, failed, timed_out], ids=lambda code: code.__name__)
def test_unusual_ends_are_no_drift(code: Code) -> None:
    with DurableFunctionTestRunner(handler_of(code)) as runner:
        result = runner.run()
    for history in (result, result.events):
        report = replayed(handler_of(code), history)
        assert report.ok, report.render()


def test_answers_arrive_in_the_order_in_which_they_came() -> None:
    async def slowly() -> str:
        await asyncio.sleep(0.02)
        return "slow"

    async def code() -> Any:
        racing = {step(slowly, name="slow"), step(work("fast"), name="fast")}
        done, _ = await asyncio.wait(racing, return_when=asyncio.FIRST_COMPLETED)
        (winner,) = done
        first = await winner
        await step(work(first), name=f"after {first}")
        await asyncio.wait(racing)

    history = recorded(handler_of(code))
    report = replayed(handler_of(code), history, prefixes="invocations")
    assert report.ok, report.render()
    assert history.get_step("after fast")

"""One clean run, and one for every place where it can be killed."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from async_durable_execution import (
    RetryStrategy,
    StepSemantics,
    create_callback,
    durable_execution,
    invoke,
    parallel,
    run_in_child_context,
    step,
    wait,
)

from async_durable_execution_runner import (
    CrashMatrixError,
    CrashReport,
    DurableFunctionTestRunner,
    Effects,
    ExecutionObserver,
    ExecutionStuckError,
)
from async_durable_execution_runner._crashes.exploring import read_scope

PLACES = """
die-before:1.1+0   1, after step 'charge' had run, before its result was saved
die-after:1.1+0    1, after the result of step 'charge' was saved, before the handler heard of it
die-before:1.2+0   1, before the start of callback 'approval' was saved
die-after:1.2+0    1, after the start of callback 'approval' was saved, before the handler heard of it
die-before:1.end+0 1, when its handler had come to its end, before that reached the service
die-before:2.1+0   2, before the start of an unnamed wait was saved
die-after:2.1+0    2, after the start of an unnamed wait was saved, before the handler heard of it
die-before:2.end+0 2, when its handler had come to its end, before that reached the service
die-before:3.1+0   3, after step 'mail' had run, before its result was saved (with 1 more operation)
die-after:3.1+0    3, after the result of step 'mail' was saved (with 1 more operation), before the handler heard of it
die-before:3.2+0   3, after child context 'tell' had finished, before its result was saved
die-after:3.2+0    3, after the result of child context 'tell' was saved, before the handler heard of it
die-before:3.end+0 3, when its handler had come to its end, before that reached the service
"""
PLANS = [line.split()[0] for line in PLACES.split("\n") if line]
WORDS = [f"Killed in invocation {line.split(maxsplit=1)[1]}" for line in PLACES.split("\n") if line]


def order(bank: Effects, post: Effects) -> Any:
    """An order that is charged, approved and told of. Each step is done once, or done again where it may be."""

    async def charge() -> int:
        bank.record("order-7")
        return 290

    async def mail() -> str:
        post.record("order-7")
        return "sent"

    @durable_execution
    async def handler(event: Any) -> list[Any]:
        paid = await step(charge, name="charge")
        answer = await (await create_callback(name="approval")).result()
        await wait(60)

        async def tell() -> str:
            return await step(mail, name="mail")

        return [paid, answer, await run_in_child_context(tell, name="tell")]

    return handler


def explored(handler: Any = None, **more: Any) -> tuple[CrashReport, DurableFunctionTestRunner]:
    effects = Effects("bank"), Effects("post")
    with DurableFunctionTestRunner(handler or order(*effects)) as runner:
        runner._effects.update({each.name: each for each in effects})
        runner.on_callback("approval", result="yes", after=5, optional=handler is not None)
        return runner.explore_crashes({"total": 290}, **more), runner


# ---------------------------------------------------------------------------------------------------- everywhere


def test_every_boundary_is_tried_once_and_told_in_the_words_of_the_operations() -> None:
    report, _ = explored()
    assert report.ok
    assert report.clean.value == [290, "yes", "sent"]
    assert [str(run.plan) for run in report.runs] == PLANS
    assert [run.where for run in report.runs] == WORDS
    assert all(run.reached and run.ok for run in report.runs)
    assert report.render() == "13 places, 0 of them with another end than the clean run"
    assert report.raise_on_failure() is report


def test_effects_are_counted_in_each_run_by_itself() -> None:
    _, runner = explored()
    for name, saved in (("bank", "step 'charge'"), ("post", "step 'mail'")):
        effects = runner.effects(name)
        effects.at_least_once()
        effects.at_least_once("order-7")
        message = rf"after {saved} had run, before its .*: effect '{name}' for 'order-7' happened twice$"
        with pytest.raises(AssertionError, match=message):
            effects.at_most_once()
        with pytest.raises(AssertionError, match="happened twice"):
            effects.exactly_once("order-7")
        with pytest.raises(AssertionError, match="for 'order-8' never happened"):
            effects.at_least_once("order-8")
        effects.at_most_once("order-8")


def test_a_sample_is_spread_evenly() -> None:
    for number, expected in ((1, [6]), (3, [2, 6, 10]), (12, None), (13, range(13)), (50, range(13))):
        report, _ = explored(crash=f"sample:{number}")
        plans = [str(run.plan) for run in report.runs]
        assert len(plans) == len(set(plans)) == min(number, 13)
        if expected is not None:
            assert plans == [PLANS[index] for index in expected]


@pytest.mark.parametrize("text", ["", "sample", "sample:0", "sample:x", "all", None, 50])
def test_a_scope_that_is_none(text: Any) -> None:
    with pytest.raises(ValueError, match="crash is 'everywhere' or 'sample:N', for example 'sample:50', not"):
        read_scope(text)


def test_progress_is_told() -> None:
    told: list[tuple[int, int]] = []
    explored(progress=lambda *numbers: told.append(numbers))
    assert told == [(number, 13) for number in range(1, 14)]


def test_on_the_loop_of_the_test() -> None:
    async def main() -> None:
        effects = Effects("bank"), Effects("post")
        async with DurableFunctionTestRunner(order(*effects)) as runner:
            runner.on_callback("approval", result="yes")
            report = await runner.explore_crashes()
            assert [str(run.plan) for run in report.runs] == PLANS
            assert report.ok
        assert len(asyncio.all_tasks()) == 1

    asyncio.run(main())


def test_what_a_test_has_set_up_is_there_in_every_run() -> None:
    @durable_execution
    async def tax(event: Any) -> Any:
        await wait(5)
        return event

    @durable_execution
    async def handler(event: Any) -> list[Any]:
        return [await invoke(name, event) for name in ("tax", "price", "rate")]

    class Watch(ExecutionObserver):
        started = 0

        def on_execution_started(self, execution_arn: str, input_payload: str | None) -> None:
            self.started += 1

    watch = Watch()
    with DurableFunctionTestRunner(handler, region="eu-central-1", observers=[watch]) as runner:
        runner.register_durable_function("tax", tax)
        runner.register_function("price", lambda event, context: 40)
        runner.mock_invoke("rate", result=1.1, after=2)
        report = runner.explore_crashes(3)
        assert report.clean.value == [3, 40, 1.1]
        assert ":eu-central-1:" in report.clean.execution_arn
        assert any("of execution 2" in run.where for run in report.runs), "the child is killed as well"
        assert runner.run(3).value == [3, 40, 1.1]
    assert watch.started == 2, "the runs of an exploration are nobody's business"


def test_a_runner_that_has_a_plan_of_its_own_explores_without_it() -> None:
    effects = Effects("bank"), Effects("post")
    with DurableFunctionTestRunner(order(*effects), faults="die-before:charge") as runner:
        runner.on_callback("approval", result="yes")
        assert len(runner.explore_crashes().runs) == 13
        runner.run()


# ------------------------------------------------------------------------------------------------------ differences


def test_what_differs_between_clean_runs_says_nothing_about_a_death() -> None:
    numbers = itertools.count(1)

    async def draw() -> int:
        return next(numbers)

    @durable_execution
    async def raffle(event: Any) -> Any:
        number = await step(draw, name="draw")
        await step(draw, name=f"ticket {number}")
        if event == "fails":
            raise LookupError(f"ticket {number}")
        return {"ticket": number, "text": f"ticket {number}", "fixed": [1, {"seats": [number, 2]}]}

    with DurableFunctionTestRunner(raffle) as runner:
        assert runner.explore_crashes().ok
        assert runner.explore_crashes("fails").ok


def test_what_is_different_each_time_outside_of_a_step_is_found_by_the_radar() -> None:
    calls = itertools.count(1)

    async def work() -> str:
        return "done"

    @durable_execution
    async def counts(event: Any) -> int:
        number = next(calls)
        await step(work, name="work")
        return number

    with DurableFunctionTestRunner(counts) as runner:
        report = runner.explore_crashes(raise_on_failure=False)
        assert (report.ok, report.failures, len(report.drifts)) == (False, (), 1)
        assert report.render().startswith("The determinism radar has found a drift.\n")
        with pytest.raises(CrashMatrixError, match="value changed: the result of the execution"):
            report.raise_on_failure()
        assert runner.explore_crashes(radar=False).ok


def test_the_rest_of_it_must_be_the_same() -> None:
    numbers = itertools.count(1)

    @durable_execution
    async def forgets(event: Any) -> Any:
        seen: list[int] = []

        async def draw() -> int:
            seen.append(1)
            return next(numbers)

        number = await step(draw, name="draw")
        return {"ticket": number, "fixed": [1, {"seats": [number, len(seen)]}]}

    report, _ = explored(forgets, raise_on_failure=False)
    assert len(report.failures) == 2
    assert '"seats": [' in report.failures[0].problems[0]


def test_another_result() -> None:
    @durable_execution
    async def counts(event: Any) -> int:
        seen: list[int] = []

        async def work() -> None:
            seen.append(1)

        await step(work, name="work")
        return len(seen)

    with pytest.raises(CrashMatrixError) as caught, DurableFunctionTestRunner(counts) as runner:
        runner.explore_crashes(execution_name="order-7", radar=False)
    text = str(caught.value)
    assert text.splitlines()[0] == "3 places, 2 of them with another end than the clean run"
    where = "Killed in invocation 1, after the result of step 'work' was saved, before the handler heard of it"
    assert f"{where}: it gave 0 instead of 1." in text
    assert "✓ execution 'order-7' SUCCEEDED" in text
    assert 'run it again with faults="die-after:1.1+0" or --durable-plan="die-after:1.1+0"' in text
    assert text.count("\nalso: Killed in invocation 1, ") == 1


def test_another_status_error_and_name() -> None:
    @durable_execution
    async def forgets(event: Any) -> str:
        memory: list[str] = []

        async def reserve() -> None:
            memory.append("reserved")

        await step(reserve, name="reserve")
        if event == "status" and not memory:
            raise LookupError("nothing is reserved")
        if event == "error":
            raise LookupError(f"{len(memory)} reserved")
        if event == "name":
            await step(reserve, name=f"pack {len(memory)}")
        return "done"

    expected = {
        "name": "called Step 'pack 0' what was Step 'pack 1' in the clean run: an operation's name and type must be",
        "error": "failed with LookupError: 0 reserved instead of LookupError: 1 reserved",
        "status": "ended FAILED (LookupError: nothing is reserved) instead of SUCCEEDED",
    }
    with DurableFunctionTestRunner(forgets) as runner:
        for event, problem in expected.items():
            report = runner.explore_crashes(event, raise_on_failure=False)
            problems = [line for run in report.failures for line in run.problems]
            assert problems
            assert all(line.startswith(f"it {problem}") for line in problems), problems


def test_a_run_that_never_ends() -> None:
    @durable_execution
    async def stuck(event: Any) -> Any:
        opened: list[int] = []

        async def ask() -> None:
            opened.append(1)

        await step(ask, name="ask")
        name = "approval" if opened else "nobody answers"
        return await (await create_callback(name=name)).result()

    report, _ = explored(stuck, raise_on_failure=False)
    assert not report.ok
    assert "it did not come to an end: " in report.failures[0].problems[0]
    assert "nobody answers" in report.failures[0].problems[0]


def test_a_clean_run_that_never_ends_is_told_as_ever() -> None:
    @durable_execution
    async def stuck(event: Any) -> Any:
        return await (await create_callback(name="nobody")).result()

    with pytest.raises(ExecutionStuckError):
        explored(stuck)


def test_an_execution_that_fails_is_expected_to_fail_alike() -> None:
    async def fails() -> None:
        raise ConnectionError("the bank does not answer")

    @durable_execution
    async def handler(event: Any) -> None:
        await step(fails, name="charge", retry_strategy=RetryStrategy(max_attempts=2, initial_delay=1))

    report, _ = explored(handler)
    assert str(report.clean.execution_status) == "FAILED"
    words = [run.where for run in report.runs]
    assert "Killed in invocation 1, after step 'charge' had failed, before its failure was saved" in words
    assert any("after the failure of step 'charge' was saved" in line for line in words)


def test_more_failures_than_are_shown() -> None:
    @durable_execution
    async def handler(event: Any) -> int:
        seen: list[int] = []

        async def work() -> None:
            seen.append(1)

        for _ in range(6):
            await step(work)
        return len(seen)

    report, _ = explored(handler, raise_on_failure=False)
    text = report.render()
    assert text.count("also: ") == 9
    assert text.endswith(f"and {len(report.failures) - 10} more")


def test_an_at_most_once_step_is_not_run_again() -> None:
    runner = DurableFunctionTestRunner
    bank = Effects("bank")

    async def charge() -> int:
        return bank("order-7")

    @durable_execution
    async def handler(event: Any) -> Any:
        once = StepSemantics.AT_MOST_ONCE_PER_RETRY
        try:
            return await step(charge, name="charge", step_semantics=once, retry_strategy=RetryStrategy(max_attempts=1))
        except Exception:  # noqa: BLE001 - whatever the SDK makes of an interrupted step
            return 1

    with runner(handler) as here:
        here._effects["bank"] = bank
        here.explore_crashes()
        bank.at_most_once()
        with pytest.raises(AssertionError, match=r"after the start of step 'charge' was saved.* never happened"):
            bank.exactly_once()


def test_operations_side_by_side() -> None:
    async def work() -> str:
        return "done"

    @durable_execution
    async def handler(event: Any) -> Any:
        async def left() -> str:
            await wait(2)
            return await step(work, name="left")

        async def right() -> str:
            return await step(work, name="right")

        return (await parallel([left, right, left], name="fork")).get_results()

    report, _ = explored(handler)
    assert all(run.reached for run in report.runs)
    assert len(report.runs) > 10


# ---------------------------------------------------------------------------------------------------------- effects


def test_effects_of_one_run() -> None:
    with DurableFunctionTestRunner(order(Effects("bank"), Effects("post"))) as runner:
        bank = runner.effects("bank")
        assert runner.effects("bank") is bank
        with pytest.raises(AssertionError, match=r"^effect 'bank' never happened$"):
            bank.at_least_once()
        bank.at_most_once()
        assert (bank.record("a"), bank("a"), bank()) == (1, 2, 1)
        assert (bank.total, bank.counts["a"], bank.keys) == (3, 2, ("a", None))
        assert repr(bank) == "<Effects 'bank' {'a': 2, None: 1}>"
        with pytest.raises(AssertionError, match=r"^effect 'bank' for 'a' happened twice$"):
            bank.at_most_once()
        bank.exactly_once(None)
        bank.record()
        bank.record()
        with pytest.raises(AssertionError, match="effect 'bank' happened 3 times"):
            bank.exactly_once(None)

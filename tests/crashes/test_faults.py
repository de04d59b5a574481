"""What the service does to a run by a plan, and what is left of an invocation that died."""

from __future__ import annotations

import asyncio
import functools
import gc
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
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
)
from crash_kit import errors, kinds

from async_durable_execution_runner import (
    DurableFunctionTestRunner,
    FaultNotReachedError,
    Plan,
    faults,
)

LOG: list[str] = []
KILLED = "Runtime.ExitError"


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    LOG.clear()


async def charge() -> int:
    LOG.append("charge")
    return 7


async def mail() -> str:
    LOG.append("mail")
    return "sent"


@durable_execution
async def pay(event: Any) -> list[Any]:
    LOG.append("begin")
    paid = await step(charge, name="charge")
    await wait(60, name="pause")
    return [paid, await step(mail, name="mail")]


@durable_execution
async def tidies_up(event: Any) -> int:
    async with Lock():
        try:
            return await step(charge, name="charge")
        finally:
            LOG.append("finally")
            await step(mail, name="mail")


class Lock:
    async def __aenter__(self) -> None:
        LOG.append("locked")

    async def __aexit__(self, *_: object) -> None:
        LOG.append("unlocked")


# ------------------------------------------------------------------------------------------------- dying, and so on


@pytest.mark.parametrize(
    ("plan", "log", "seen"),
    [
        ("die-before:charge", "begin charge begin charge begin mail", [KILLED, None, None]),
        ("die-after:charge", "begin charge begin begin mail", [KILLED, None, None]),
        ("die-after:pause", "begin charge begin begin mail", [KILLED, None, None]),
        ("die-before:1.end", "begin charge begin begin mail", [KILLED, None, None]),
        ("die-before:mail", "begin charge begin mail begin mail", [None, KILLED, None]),
        ("time-out-before:mail", "begin charge begin mail begin mail", [None, "Sandbox.Timedout", None]),
        ("pages:1", "begin charge begin mail", [None, None]),
    ],
)
def test_a_run_by_a_plan(plan: str, log: str, seen: list[str | None]) -> None:
    with DurableFunctionTestRunner(pay, faults=plan) as runner:
        result = runner.run()
    assert result.value == [7, "sent"]
    assert log.split() == LOG
    assert errors(result) == seen


def test_how_long_it_takes_until_the_handler_is_invoked_again() -> None:
    for plan, seconds in (("die-before:charge", 65), ("die-before:charge+0", 60), ("die-before:charge+30", 90)):
        with DurableFunctionTestRunner(pay, faults=plan) as runner:
            began = runner.now
            runner.run()
            assert runner.now - began == timedelta(seconds=seconds)


def test_a_passing_error_of_the_service_brings_another_invocation_and_a_final_one_the_end() -> None:
    with DurableFunctionTestRunner(pay, faults=faults.fail_checkpoint("charge")) as runner:
        assert runner.run().value == [7, "sent"]
    final = faults.fail_checkpoint("charge", error="InvalidParameterValueException")
    with DurableFunctionTestRunner(pay, faults=final) as runner:
        assert str(runner.run().execution_status) == "FAILED"


def test_an_answer_without_a_token_is_no_end() -> None:
    with DurableFunctionTestRunner(pay, faults=faults.withhold_token("charge")) as runner:
        result = runner.run()
    assert result.value == [7, "sent"]
    assert LOG.count("charge") == 1


def test_nothing_of_a_dead_invocation_runs_any_more() -> None:
    with DurableFunctionTestRunner(tidies_up, faults="die-before:charge") as runner:
        assert runner.run().value == 7
    gc.collect()
    assert LOG == ["locked", "charge", "locked", "charge", "finally", "mail", "unlocked"]


def test_nor_do_its_branches() -> None:
    @durable_execution
    async def forks(event: Any) -> list[Any]:
        async def left() -> int:
            return await step(charge, name="left")

        async def right() -> str:
            try:
                await asyncio.sleep(0.02)  # still at it when the other branch dies
                return await step(mail, name="right")
            finally:
                LOG.append("finally")

        return (await parallel([left, right], name="fork")).get_results()

    with DurableFunctionTestRunner(forks, faults="die-before:left+0") as runner:
        assert runner.run().value == [7, "sent"]
    assert LOG == ["charge", "charge", "mail", "finally"]


def test_no_task_and_no_thread_is_left() -> None:
    before = threading.active_count()

    async def main() -> None:
        tasks = asyncio.all_tasks()
        async with DurableFunctionTestRunner(tidies_up, faults="die-before:charge") as runner:
            assert (await runner.run()).value == 7
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == tasks

    asyncio.run(main())
    assert LOG == ["locked", "charge", "locked", "charge", "finally", "mail", "unlocked"]
    assert threading.active_count() == before


def test_a_handler_with_a_decorator_above_dies_as_well() -> None:
    def logged(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            LOG.append("called")
            return function(event, context)

        return wrapper

    with DurableFunctionTestRunner(logged(tidies_up), faults="die-before:charge") as runner:
        assert runner.run().value == 7
    assert LOG == ["called", "locked", "charge", "called", "locked", "charge", "finally", "mail", "unlocked"]


def test_the_invocation_of_a_child_dies() -> None:
    @durable_execution
    async def parent(event: Any) -> Any:
        return await invoke("payments", event, name="payments")

    with DurableFunctionTestRunner(parent, faults="die-before:1.1@2/1") as runner:
        runner.register_durable_function("payments", pay)
        assert runner.run().value == [7, "sent"]
    assert LOG == ["begin", "charge", "begin", "charge", "begin", "mail"]


def test_several_decisions() -> None:
    plan = [faults.die_before("charge"), faults.die_after("mail", again_after=0), faults.pages()]
    with DurableFunctionTestRunner(pay, faults=plan) as runner:
        result = runner.run()
    assert result.value == [7, "sent"]
    assert errors(result) == ["Runtime.ExitError", None, "Runtime.ExitError", None]


def test_a_death_during_a_child_context() -> None:
    @durable_execution
    async def nested(event: Any) -> Any:
        async def inside() -> int:
            return await step(charge, name="inner")

        return await run_in_child_context(inside, name="outer")

    with DurableFunctionTestRunner(nested, faults="die-before:outer") as runner:
        result = runner.run()
    assert result.value == 7
    assert LOG == ["charge"]
    assert kinds(result).count("ContextStarted") == 1


# --------------------------------------------------------------------------------------------------------- answers


@durable_execution
async def approved(event: Any) -> Any:
    callback = await create_callback(name="approval", timeout=timedelta(hours=1))
    await step(mail, name="ask")
    return await callback.result()


@pytest.mark.parametrize(
    ("plan", "value", "seconds"),
    [
        (faults.early_answer("approval"), "yes", 0),
        (faults.late_answer("approval", by=timedelta(minutes=1)), "yes", 65),
        (faults.late_answer("approval", by=3600), None, 3600),
        (faults.duplicate_answer("appro*"), "yes", 5),
    ],
)
def test_answers(plan: Any, value: str | None, seconds: int) -> None:
    with DurableFunctionTestRunner(approved, faults=plan) as runner:
        runner.on_callback("approval", result="yes", after=5)
        began = runner.now
        assert runner.run().value == value
        assert runner.now - began == timedelta(seconds=seconds)


def test_an_early_answer_comes_before_the_handler_asked_anybody() -> None:
    with DurableFunctionTestRunner(approved, faults="early:approval") as runner:
        runner.on_callback("approval", result="yes", after=5)
        result = runner.run()
    assert kinds(result)[1:4] == ["CallbackStarted", "CallbackSucceeded", "StepStarted"]


# --------------------------------------------------------------------------------------------------------- mistakes


def test_a_place_that_is_never_reached_is_a_mistake() -> None:
    runner = DurableFunctionTestRunner(pay, faults="die-before:chrage")
    with (
        pytest.raises(FaultNotReachedError, match=r"'die-before:chrage' was planned.*charge, pause, mail.*2\.end"),
        runner,
    ):
        runner.run()


def test_it_is_not_told_of_a_test_that_failed_anyway() -> None:
    with pytest.raises(ZeroDivisionError), DurableFunctionTestRunner(approved, faults="die-before:9.9"):
        _ = 1 / 0


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ("die-before", ValueError, "is no decision of a plan; valid: die-before:2.3"),
        ("fail=Oops:1.1", ValueError, "'Oops' is no error of the service"),
        ("pages:0", ValueError, "the size of a page is a whole number from 1 up, not 0"),
        ("die-before:0.1", ValueError, "invocation is a whole number from 1 up, not 0"),
        ("die-before:1.0", ValueError, "checkpoint is a whole number from 1 up, not 0"),
        ("die-before:charge#0", ValueError, "nth is a whole number from 1 up, not 0"),
        (Plan.parse("pages:0"), ValueError, "the size of a page is a whole number from 1 up, not 0"),
        ("fail=ServiceException:1.end", ValueError, "at the end of an invocation it can only die, 'die-before:1.end'"),
        (faults.withhold_token(invocation=2), ValueError, "at the end of an invocation it can only die"),
        ([faults.die_after(invocation=2)], ValueError, "any other fault is at a checkpoint"),
        (7, TypeError, "faults are decisions such as"),
        ([7], TypeError, "faults are decisions such as"),
    ],
)
def test_what_is_no_plan(given: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DurableFunctionTestRunner(pay, faults=given)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (faults.die_before, "a fault is at an operation, by its name, or at a checkpoint"),
        (lambda: faults.die_before("charge", invocation=1), "a fault is at an operation, by its name, or at"),
        (lambda: faults.die_before("charge", part="end"), "part is 'start' or 'result', not 'end'"),
        (lambda: faults.die_before("charge", nth=0), "nth is a whole number from 1 up, not 0"),
        (lambda: faults.die_after(invocation=1, checkpoint="2"), "checkpoint is a whole number from 1 up, not '2'"),
        (lambda: faults.pages(0), "the size of a page is a whole number from 1 up, not 0"),
        (lambda: faults.fail_checkpoint("charge", error="No"), "'No' is no error of the service"),
    ],
)
def test_decisions_that_make_no_sense(make: Callable[[], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        make()


def test_decisions_and_their_text() -> None:
    decisions = [
        faults.die_before(invocation=2, checkpoint=3),
        faults.die_before(invocation=2),
        faults.die_after("charge", part="start", nth=2),
        faults.die_between("charge", again_after=0),
        faults.time_out("charge"),
        faults.fail_checkpoint("charge"),
        faults.withhold_token(invocation=1, checkpoint=1, execution=2),
        faults.duplicate_answer("approval"),
        faults.late_answer("approval", by=60),
        faults.early_answer("approval"),
        faults.pages(),
    ]
    text = (
        "die-before:2.3,die-before:2.end,die-after:charge:start#2,die-before:charge+0,time-out-before:charge,"
        "fail=ServiceException:charge,withhold-token:1.1@2/1,duplicate:approval,late:approval+60,early:approval,pages:1"
    )
    assert str(faults.plan(decisions)) == text
    assert faults.plan(text) == Plan(tuple(decisions))
    assert faults.plan(faults.pages()) == Plan((faults.pages(),))
    assert faults.plan(Plan()) == Plan()


# ------------------------------------------------------------------------------------------ processes of their own


def test_a_process_of_its_own_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("uvicorn", reason="the extra `server` is not installed")
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    plan = "die-before:charge,die-after:mail"
    with DurableFunctionTestRunner("crash_handlers:pay", isolation="process", faults=plan) as runner:
        result = runner.run(timeout=60)
    assert result.value == ["charged", "sent"]
    assert errors(result) == ["Runtime.ExitError", "Runtime.ExitError", None]
    assert "signal: killed" in str(result.invocations[0].error)
    assert (tmp_path / "log").read_text(encoding="utf-8").split() == ["charge", "charge", "mail", "finally"]

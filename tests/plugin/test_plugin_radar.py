"""The radar in a user's suite: on by default, off with one word, and its failures are failures of the test."""

from __future__ import annotations

import pytest
from plugin_kit import Suite, reports

DRIFTING = """
import uuid
import async_durable_execution as sdk

@sdk.durable_execution
async def drifting(event):
    async def charge():
        return 1
    return await sdk.step(charge, name=f"charge {uuid.uuid4()}")

"""


def test_a_drift_fails_the_test(suite: Suite) -> None:
    result = suite.run(
        DRIFTING
        + """
@use(handler=drifting)
def test_it(durable_runner):
    durable_runner.run({}, execution_name="order-7")
"""
    )
    result.assert_outcomes(failed=1)
    (report,) = reports(result)
    text = report.longreprtext
    assert text.startswith("The determinism radar has found a drift.")
    assert "test_inner.drifting, execution 'order-7': replayed from 1 moment, 1 drift." in text
    assert "renamed: Step 'charge " in text
    assert "at test_inner.py:13" in text
    assert "recorded                              now" in text
    assert text.endswith("durable_radar = off in the ini file is for all tests.")
    assert "Step 'charge" in dict(report.sections)["durable execution"]


@pytest.mark.parametrize(
    ("marker", "arguments", "lines"),
    [
        (", radar=False", [], []),
        ("", ["--durable-radar=off"], []),
        ("", ["--durable-radar=0"], []),
        ("", [], ["durable_radar = off"]),
    ],
)
def test_it_is_off_with_one_word(suite: Suite, marker: str, arguments: list[str], lines: list[str]) -> None:
    suite.ini(*lines)
    code = f"""
@use(handler=drifting{marker})
def test_it(durable_runner):
    durable_runner.run({{}})
"""
    suite.run(DRIFTING + code, *arguments).assert_outcomes(passed=1)


def test_a_factory_can_turn_it_off(suite: Suite) -> None:
    suite.run(
        DRIFTING
        + """
def test_off(durable_runner_factory):
    durable_runner_factory(drifting, radar=False).run({})

def test_on(durable_runner_factory):
    durable_runner_factory(drifting).run({})
"""
    ).assert_outcomes(passed=1, failed=1)


def test_a_test_that_fails_anyway_is_left_alone(suite: Suite) -> None:
    result = suite.run(
        DRIFTING
        + """
@use(handler=drifting)
def test_it(durable_runner):
    durable_runner.run({})
    assert False, "for another reason"

@use(handler=drifting)
def test_skipped(durable_runner):
    durable_runner.run({})
    pytest.skip("not today")
"""
    )
    result.assert_outcomes(failed=1, skipped=1)
    assert "radar" not in reports(result)[0].longreprtext


def test_what_a_test_passes_with_it_passes_with_the_radar(suite: Suite) -> None:
    """Every kind of end: succeeded, failed, pending, stopped, timed out, never run, answered on the way, chained."""
    suite.run(
        """
import async_durable_execution as sdk

@use(handler=order)
def test_succeeded(durable_runner):
    durable_runner.run({})

@use(handler=broken)
def test_failed(durable_runner):
    durable_runner.run({})

@use(handler=approval)
def test_pending(durable_runner):
    durable_runner.run_until_suspended(durable_runner.run_async({}))

@use(handler=approval)
def test_stopped(durable_runner):
    arn = durable_runner.run_async({})
    durable_runner.run_until_suspended(arn)
    durable_runner.stop_execution(arn)

@use(handler=approval, execution_timeout=60)
def test_timed_out(durable_runner):
    durable_runner.run({})

@use(handler=order)
def test_never_run(durable_runner):
    durable_runner.run_async({})

@use(handler=order)
def test_not_even_begun(durable_runner):
    pass

@use(handler=approval)
def test_answered(durable_runner):
    arn = durable_runner.run_async({})
    durable_runner.send_callback_success(durable_runner.wait_for_callback(arn), "yes")
    assert durable_runner.wait_for_result(arn).value == "yes"

@sdk.durable_execution
async def calling(event):
    return await sdk.invoke("orders", {"number": 7}, name="call")

@use(handler=calling)
def test_chained(durable_runner):
    durable_runner.register_durable_function("orders", order)
    durable_runner.run({}).ensure_succeeded()

attempts = []

@sdk.durable_execution
async def dying(event):
    async def die():
        attempts.append(1)
        if len(attempts) == 1:
            raise SystemExit(3)
        return "alive"
    return await sdk.step(die, name="die")

@use(handler=dying)
def test_crashed_on_the_way(durable_runner):
    assert durable_runner.run({}).ensure_succeeded().value == "alive"
    assert len(attempts) == 2
"""
    ).assert_outcomes(passed=10)


def test_async_tests_are_replayed_after_their_loop(suite: Suite) -> None:
    suite.run(
        DRIFTING
        + """
@pytest.mark.asyncio
@use(handler=drifting)
async def test_drifting(durable_runner):
    async with durable_runner:
        await durable_runner.run({})

@pytest.mark.asyncio
async def test_bound_to_the_loop(durable_runner_factory):
    import asyncio
    lock, queue = asyncio.Lock(), asyncio.Queue()
    queue.put_nowait(5)

    @sdk.durable_execution
    async def bound(event):
        async with lock:
            got = await queue.get()
        async def use():
            return got
        return await sdk.step(use, name=f"use")

    async with durable_runner_factory(bound) as runner:
        assert (await runner.run({})).value == 5
"""
    ).assert_outcomes(failed=1, passed=1)


def test_it_is_limited(suite: Suite) -> None:
    code = """
import async_durable_execution as sdk
calls = []

@sdk.durable_execution
async def waiting(event):
    calls.append(1)
    for _ in range(6):
        await sdk.wait(1)

@use(handler=waiting)
def test_it(durable_runner):
    durable_runner.run({})
    assert len(calls) == 7

def test_how_many_there_were():
    assert len(calls) == 7 + %d
"""
    suite.run(code % 7).assert_outcomes(passed=2)
    suite.run(code % 3, "--durable-radar=3").assert_outcomes(passed=2)


def test_nonsense_is_refused(suite: Suite) -> None:
    result = suite.run("def test_it(): pass", "--durable-radar=perhaps")
    result.stderr.fnmatch_lines(["*durable_radar = 'perhaps' is unknown; valid: on, off, or a number of invocations*"])
    result = suite.run("@use(handler=order, radar=3)\ndef test_it(durable_runner): pass")
    result.stdout.fnmatch_lines(["*radar is True or False, not 3*"])

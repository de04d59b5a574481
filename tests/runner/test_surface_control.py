"""Steering an execution: scripted answers, the clock, stopping, looking at it on the way."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import async_durable_execution as sdk
import pytest
from botocore.exceptions import ClientError
from runner_kit import (
    DONE,
    SDK_VERSION,
    START,
    STEP,
    SUSPENDED,
    check_history,
    event_of,
    kinds,
    of,
    run,
    virtual_seconds,
)

from async_durable_execution_runner.clock import RealClock, VirtualClock
from async_durable_execution_runner.runner import DurableFunctionTestRunner

DAY = 86_400


@sdk.durable_execution
async def asking(event: Any) -> Any:
    options = event or {}
    callback = await sdk.create_callback(name="approval", **options)
    return await callback.result()


@sdk.durable_execution
async def asking_twice(event: Any) -> Any:
    first = await sdk.create_callback(name="approval-first")
    second = await sdk.create_callback(name="approval-second")
    return [await first.result(), await second.result()]


async def nothing() -> None:
    """A step's body."""


# ------------------------------------------------------------------------------------------------------ on_callback


def test_an_answer_scripted_by_exact_name() -> None:
    with DurableFunctionTestRunner(asking_twice) as runner:
        runner.on_callback("approval-first", result={"n": 1}).on_callback("approval-second", result="two")
        assert runner.run(timeout=20).value == ['{"n": 1}', "two"]


def test_an_exact_name_goes_before_a_glob() -> None:
    with DurableFunctionTestRunner(asking_twice) as runner:
        runner.on_callback("approval-*", result="by glob").on_callback("approval-second", result="by name")
        assert runner.run(timeout=20).value == ["by glob", "by name"]


def test_one_script_answers_every_callback_of_its_name() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes")
        assert [runner.run(timeout=20).value for _ in range(3)] == ["yes"] * 3


def test_an_error_is_scripted() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", error=PermissionError("no"))
        result = runner.run(timeout=20)
    assert result.error.message == "no"
    assert result.get_callback("approval").error.type == "PermissionError"


@pytest.mark.parametrize("after", [90, timedelta(days=3)])
def test_an_answer_takes_its_time_on_the_clock(after: Any) -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes", after=after)
        result = runner.run(timeout=20)
    assert virtual_seconds(result) == (90 if after == 90 else 3 * DAY)


def test_an_answer_that_comes_too_late() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes", after=61)
        result = runner.run({"timeout": 60}, timeout=20)
    assert result.execution_status == "FAILED"
    assert virtual_seconds(result) == 60


def test_heartbeats_are_scripted() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes", after=300, heartbeat_every=29)
        assert runner.run({"heartbeat_timeout": 30}, timeout=20).value == "yes"
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes", after=300, heartbeat_every=31)
        result = runner.run({"heartbeat_timeout": 30}, timeout=20)
    assert result.execution_status == "FAILED"
    assert virtual_seconds(result) == 30


# ---------------------------------------------------------------------------------------------- run_until_suspended


def test_run_until_suspended_lets_no_time_pass() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.step(nothing, name="before")
        await sdk.wait(60, name="pause")
        await sdk.step(nothing, name="after")
        return "done"

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        assert kinds(runner.get_execution_history(arn)) == START
        before = runner.now
        for _ in range(2):
            result = runner.run_until_suspended(arn)
            assert result.status is sdk.InvocationStatus.PENDING
            assert result.execution_status == "RUNNING"
            assert (result.result, result.error, result.value) == (None, None, None)
            assert kinds(result) == [*START, *STEP, "WaitStarted", *SUSPENDED]
        assert runner.now == before
        assert "pause" in result.render()
        runner.advance(60)
        assert runner.run_until_suspended(arn).value == "done"


def test_a_result_is_what_it_was_when_it_was_asked_for() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        early = runner.run_until_suspended(arn)
        runner.send_callback_success(runner.wait_for_callback(arn), "yes")
        late = runner.wait_for_result(arn)
    assert kinds(early) == [*START, "CallbackStarted", *SUSPENDED]
    assert early.get_callback("approval").status is sdk.OperationStatus.STARTED
    assert late.get_callback("approval").status is sdk.OperationStatus.SUCCEEDED


# ---------------------------------------------------------------------------------------------------------- advance


def test_advance_goes_through_every_deadline_on_the_way() -> None:
    seen: list[Any] = []
    runner = DurableFunctionTestRunner()

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        for seconds in (10, 20, 30):
            await sdk.wait(seconds)
            seen.append(runner.now)

    runner.register_durable_function("test-function", handler)
    with runner:
        arn = runner.run_async()
        start = runner.now
        runner.advance(timedelta(seconds=29))
        assert runner.now == start + timedelta(seconds=29)
        assert set(seen) == {start + timedelta(seconds=10)}
        runner.advance(1)
        assert start + timedelta(seconds=30) in seen
        runner.advance(0)
        runner.advance(DAY)
        assert runner.now == start + timedelta(seconds=30 + DAY)
        assert runner.get_execution(arn)["Status"] == "SUCCEEDED"
        result = runner.wait_for_result(arn)
    assert virtual_seconds(result) == 60
    check_history(result.events)


def test_advance_without_any_execution() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        before = runner.now
        runner.advance(timedelta(days=400, milliseconds=1))
        assert runner.now - before == timedelta(days=400, milliseconds=1)


def test_advance_inside_a_step_says_how_long_it_takes() -> None:
    runner = DurableFunctionTestRunner()

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def slow() -> None:
            await asyncio.sleep(0.3 if SDK_VERSION < (2, 5) else 0.02)  # until the wait beside it has been told
            runner.advance(40)

        async def wait() -> None:
            await sdk.wait(15, name="pause")

        await sdk.parallel([wait, lambda: sdk.step(slow, name="slow")])
        return "done"

    runner.register_durable_function("test-function", handler)
    with runner:
        result = runner.run(timeout=20)
    assert result.value == "done"
    started = result.events[0]["EventTimestamp"]
    assert event_of(result, "StepSucceeded")["EventTimestamp"] - started == timedelta(seconds=40)
    assert event_of(result, "WaitSucceeded")["EventTimestamp"] - started == timedelta(seconds=15)
    check_history(result.events)


def test_an_execution_timeout_comes_while_a_step_takes_its_time() -> None:
    runner = DurableFunctionTestRunner()

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def slow() -> None:
            runner.advance(120)

        await sdk.step(slow, name="slow")
        return "too late"

    runner.register_durable_function("test-function", handler, execution_timeout=60)
    with runner:
        result = runner.run(timeout=20)
    assert result.execution_status == "TIMED_OUT"
    timed_out = event_of(result, "ExecutionTimedOut")
    assert (timed_out["EventTimestamp"] - result.events[0]["EventTimestamp"]).total_seconds() == 60
    # The invocation itself goes on until it hears of it.
    assert kinds(result)[-1] == "InvocationCompleted"
    assert "StepSucceeded" not in kinds(result)


def test_an_invocation_timeout_ends_the_invocation_and_not_the_execution() -> None:
    runner = DurableFunctionTestRunner(invocation_timeout=60)
    tries: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def slow() -> str:
            tries.append(1)
            if len(tries) == 1:
                runner.advance(120)
            return f"try {len(tries)}"

        return await sdk.step(slow, name="slow")

    runner.register_durable_function("test-function", handler)
    with runner:
        result = runner.run(timeout=20)
    assert result.value == "try 2"
    error = of(result, "InvocationCompleted")[0]["Error"]["Payload"]
    assert error["ErrorType"] == "Sandbox.Timedout"
    assert "Task timed out after 60.00 seconds" in error["ErrorMessage"]
    check_history(result.events)


def test_the_lambda_context_tells_the_remaining_time() -> None:
    runner = DurableFunctionTestRunner(invocation_timeout=60)
    left: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        context = sdk.get_current_context().lambda_context
        left.append(context.get_remaining_time_in_millis())
        runner.advance(20)
        left.append(context.get_remaining_time_in_millis())
        return [context.function_name, context.function_version, context.invoked_function_arn]

    runner.register_durable_function("test-function", handler)
    with runner:
        result = runner.run(timeout=20)
    assert left == [60_000, 40_000]
    assert result.value == [
        "test-function",
        "$LATEST",
        "arn:aws:lambda:us-west-2:123456789012:function:test-function:$LATEST",
    ]


# --------------------------------------------------------------------------------------------------- stop_execution


@pytest.mark.parametrize("error", [None, "by hand", {"ErrorType": "Ops", "ErrorMessage": "by hand"}])
def test_stopping_an_execution_that_waits(error: Any) -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        runner.run_until_suspended(arn)
        runner.advance(5)
        answer = runner.stop_execution(arn, error)
        assert answer["StopTimestamp"] == runner.now
        result = runner.wait_for_result(arn)
        assert result.execution_status == "STOPPED"
        assert result.status is sdk.InvocationStatus.FAILED
        assert kinds(result) == [*START, "CallbackStarted", *SUSPENDED, "ExecutionStopped"]
        assert result.get_callback("approval").status is sdk.OperationStatus.STARTED
        if error:
            assert of(result, "ExecutionStopped")[0]["Error"]["Payload"]["ErrorMessage"] == "by hand"
            assert result.error.message == "by hand"
        runner.advance(5)
        assert runner.stop_execution(arn)["StopTimestamp"] == answer["StopTimestamp"]
        assert runner.wait_for_result(arn).events == result.events


def test_stopping_before_anything_ran() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        runner.stop_execution(arn)
        result = runner.wait_for_result(arn)
    assert kinds(result) == [*START, "ExecutionStopped"]
    assert result.invocations == []


def test_stopping_after_the_end_changes_nothing() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes")
        result = runner.run(timeout=20)
        runner.stop_execution(result.execution_arn)
        assert runner.wait_for_result(result.execution_arn).execution_status == "SUCCEEDED"


def test_stopping_from_inside_a_step() -> None:
    runner = DurableFunctionTestRunner()
    after: list[str] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def stop() -> None:
            runner.stop_execution(arn)

        await sdk.step(stop, name="stop")
        after.append("not reached")
        await sdk.step(nothing, name="never")

    runner.register_durable_function("test-function", handler)
    with runner:
        arn = runner.run_async()
        result = runner.wait_for_result(arn, timeout=20)
    assert result.execution_status == "STOPPED"
    assert after == []
    assert "StepSucceeded" not in kinds(result)
    assert kinds(result)[-2:] == ["ExecutionStopped", "InvocationCompleted"]


# ------------------------------------------------------------------------------------------------------------ clocks


def test_the_virtual_clock_starts_where_it_is_told() -> None:
    start = datetime(2030, 2, 28, 23, 59, tzinfo=UTC)
    with DurableFunctionTestRunner(asking, start_time=start) as runner:
        assert runner.now == start
        assert runner.get_execution(runner.run_async())["StartTimestamp"] == start
    with DurableFunctionTestRunner(asking) as one, DurableFunctionTestRunner(asking) as two:
        assert one.now == two.now
        assert one.now.tzinfo is UTC


def test_a_clock_shared_by_two_runners() -> None:
    clock = VirtualClock()
    with DurableFunctionTestRunner(asking, clock=clock) as one, DurableFunctionTestRunner(asking, clock=clock) as two:
        one.advance(60)
        assert two.now == one.now


@pytest.mark.parametrize("clock", ["real", RealClock()], ids=["by name", "a clock"])
def test_on_the_real_clock_waits_wait(clock: Any) -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.wait(1, name="pause")
        return "rested"

    began = time.monotonic()
    result = run(handler, clock=clock)
    assert time.monotonic() - began >= 0.9
    assert result.value == "rested"
    assert kinds(result) == [*START, "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE]
    assert abs((result.events[-1]["EventTimestamp"] - datetime.now(UTC)).total_seconds()) < 5
    check_history(result.events)


def test_on_the_real_clock_answers_come_in_time() -> None:
    with DurableFunctionTestRunner(asking, clock="real") as runner:
        runner.on_callback("approval", result="yes", after=0.05)
        assert runner.run(timeout=20).value == "yes"
        arn = runner.run_async()
        runner.run_until_suspended(arn)
        runner.advance(0.1)
        assert runner.wait_for_result(arn).value == "yes"
        result = runner.run({"timeout": 1}, timeout=20)
        assert result.value == "yes"


def test_on_the_real_clock_a_timeout_of_a_second() -> None:
    with DurableFunctionTestRunner(asking, clock="real") as runner:
        result = runner.run({"timeout": 1}, timeout=20)
    assert of(result, "CallbackTimedOut")
    assert 0.9 < virtual_seconds(result) < 4


# ------------------------------------------------------------------------------------------------------- executions


def test_executions_are_listed() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        if event == "fail":
            raise ValueError("as asked")
        return event

    with DurableFunctionTestRunner(handler) as runner:
        times = []
        for event in ("a", "fail", "b"):
            times.append(runner.now)
            runner.run(event, execution_name=f"run-{event}")
            runner.advance(60)

        def names(**filters: Any) -> list[str]:
            return [each["DurableExecutionName"] for each in runner.list_executions(**filters)["DurableExecutions"]]

        assert names() == ["run-b", "run-fail", "run-a"]
        assert names(reverse_order=True) == ["run-a", "run-fail", "run-b"]
        assert names(statuses=["FAILED"]) == ["run-fail"]
        assert names(execution_name="run-a") == ["run-a"]
        assert names(started_after=times[1] - timedelta(seconds=1)) == ["run-b", "run-fail"]
        assert names(started_before=times[1] - timedelta(seconds=1)) == ["run-a"]
        first = runner.list_executions(max_items=2)
        assert len(first["DurableExecutions"]) == 2
        assert names(max_items=2, marker=first["NextMarker"]) == ["run-a"]
        with pytest.raises(ClientError):
            names(statuses=["DONE"])
        one = runner.get_execution(runner.list_executions()["DurableExecutions"][1]["DurableExecutionArn"])
        assert one["Status"] == "FAILED"
        assert one["Error"]["ErrorMessage"] == "as asked"
        assert one["InputPayload"] == '"fail"'


def test_a_history_without_data() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="secret")
        arn = runner.run({"timeout": 60}, timeout=20).execution_arn
        history = runner.get_execution_history(arn, include_execution_data=False)
    assert "secret" not in str(history)
    assert of(history, "CallbackSucceeded")[0]["Result"] == {"Truncated": True}
    assert of(history, "ExecutionStarted")[0]["Input"] == {"Truncated": True}


def test_a_runner_without_with() -> None:
    runner = DurableFunctionTestRunner(asking).on_callback("approval", result="yes")
    try:
        assert runner.run(timeout=20).value == "yes"
        assert runner.run(timeout=20).value == "yes"
    finally:
        runner.close()


def test_results_of_one_execution_at_two_moments_differ() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> None:
        await sdk.wait(60)
        await sdk.wait(60)

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        before = runner.run_until_suspended(arn)
        assert before == runner.get_result(arn)
        assert hash(before) == hash(runner.get_result(arn))
        runner.advance(60)
        assert before != runner.get_result(arn)

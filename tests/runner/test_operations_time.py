"""Waits, polled conditions and blocks that are retried: everything in which the clock has a part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import (
    DONE,
    FAILED,
    START,
    STEP,
    SUSPENDED,
    check_history,
    event_of,
    kinds,
    of,
    real_seconds,
    run,
    seconds_between,
    virtual_seconds,
)

from async_durable_execution_runner.runner import DurableFunctionTestRunner, WaitOperation

WAIT = ["WaitStarted", *SUSPENDED, "WaitSucceeded"]


def waiting(duration: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.wait(duration, name="pause")
        return "rested"

    return handler


@pytest.mark.parametrize(
    ("duration", "seconds"),
    [
        (1, 1),
        (3600, 3600),
        (timedelta(seconds=90), 90),
        (timedelta(days=2, hours=1), 176_400),
        (timedelta(seconds=2.9), 2),
        (31_622_400, 31_622_400),
    ],
)
def test_a_wait_takes_its_time_on_the_clock_and_none_in_life(duration: Any, seconds: int) -> None:
    result = run(waiting(duration))
    assert result.value == "rested"
    assert kinds(result) == START + WAIT + DONE
    check_history(result.events)
    started, succeeded = event_of(result, "WaitStarted"), event_of(result, "WaitSucceeded")
    assert started["WaitStartedDetails"]["Duration"] == seconds
    assert succeeded["WaitSucceededDetails"]["Duration"] == seconds
    assert (started["SubType"], started["Name"], started["Id"]) == ("Wait", "pause", succeeded["Id"])
    assert started["WaitStartedDetails"]["ScheduledEndTimestamp"] == succeeded["EventTimestamp"]
    assert seconds_between(started, succeeded) == virtual_seconds(result) == seconds


@pytest.mark.parametrize("duration", [0, 31_622_401])
def test_a_wait_the_service_refuses_fails_at_once(duration: int) -> None:
    result = run(waiting(duration))
    assert result.status is sdk.InvocationStatus.FAILED
    assert "WaitStarted" not in kinds(result)
    assert virtual_seconds(result) == 0


def test_the_view_of_a_wait() -> None:
    with DurableFunctionTestRunner(waiting(60)) as runner:
        arn = runner.run_async()
        before = runner.now
        wait = runner.run_until_suspended(arn).get_wait("pause")
        assert isinstance(wait, WaitOperation)
        assert wait.status is sdk.OperationStatus.STARTED
        assert wait.duration == 60
        assert wait.scheduled_end_timestamp == before + timedelta(seconds=60)
        assert wait.end_timestamp is None
        done = runner.wait_for_result(arn).get_wait("pause")
        assert done.status is sdk.OperationStatus.SUCCEEDED
        assert done.end_timestamp == done.scheduled_end_timestamp == runner.now


def test_the_earlier_of_two_waits_comes_first() -> None:
    order: list[str] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def short() -> None:
            await sdk.wait(5, name="short")
            order.append("short")

        async def long() -> None:
            await sdk.wait(3600, name="long")
            order.append("long")

        await sdk.parallel([long, short])

    result = run(handler)
    ended = [event["Name"] for event in result.events if event["EventType"] == "WaitSucceeded"]
    assert ended == ["short", "long"]
    assert order == ["short", "long"]
    assert virtual_seconds(result) == 3600
    check_history(result.events)


def test_a_wait_not_awaited_at_once() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> str:
            return "meanwhile"

        pause = sdk.wait(30, name="pause")
        value = await sdk.step(work, name="work")
        await pause
        return value

    result = run(handler)
    assert result.value == "meanwhile"
    assert sorted(kinds(result)) == sorted([*START, *STEP, *WAIT, *DONE])
    assert virtual_seconds(result) == 30


# ------------------------------------------------------------------------------------------------------ conditions


def polling(check: Any, **options: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.wait_for_condition(check, name="poll", **options)

    return handler


async def count(state: int | None) -> int:
    return (state or 0) + 1


def until(goal: int, delay: Any) -> Any:
    return lambda state, attempts: None if state >= goal else delay


@pytest.mark.parametrize("delay", [2, timedelta(minutes=3)])
def test_polling_keeps_every_state(delay: Any) -> None:
    result = run(polling(count, initial_state=10, polling_strategy=until(13, delay)))
    assert result.value == 13
    assert kinds(result) == START + [*STEP, *SUSPENDED] * 2 + STEP + DONE
    check_history(result.events)
    seconds = delay if isinstance(delay, int) else 180
    ends = of(result, "StepSucceeded")
    assert [end["Result"]["Payload"] for end in ends] == ["11", "12", "13"]
    assert [end["RetryDetails"] for end in ends] == [
        {"CurrentAttempt": 1, "NextAttemptDelaySeconds": seconds},
        {"CurrentAttempt": 2, "NextAttemptDelaySeconds": seconds},
        {"CurrentAttempt": 3},
    ]
    steps = [event for event in result.events if event["EventType"].startswith("Step")]
    assert {event["SubType"] for event in steps} == {"WaitForCondition"}
    assert virtual_seconds(result) == 2 * seconds
    assert result.get_step("poll").value == 13


def test_a_condition_met_at_once_does_not_suspend() -> None:
    result = run(polling(count, polling_strategy=until(1, 5)))
    assert result.value == 1
    assert kinds(result) == START + STEP + DONE
    assert len(result.invocations) == 1


def test_a_check_that_raises_is_not_repeated() -> None:
    async def check(state: Any) -> Any:
        raise ValueError("no connection")

    result = run(polling(check, polling_strategy=until(1, 5)))
    assert result.status is sdk.InvocationStatus.FAILED
    assert result.error.message == "no connection"
    assert kinds(result) == [*START, "StepStarted", "StepFailed", *FAILED]


def test_polling_that_runs_out_of_attempts() -> None:
    def strategy(state: int, attempts: int) -> int:
        if attempts >= 3:
            raise RuntimeError(f"gave up after {attempts} attempts")
        return 1

    result = run(polling(count, polling_strategy=strategy))
    assert result.error.message == "gave up after 3 attempts"
    assert kinds(result) == START + [*STEP, *SUSPENDED] * 2 + ["StepStarted", "StepFailed", *FAILED]


def test_the_ready_made_polling_strategy() -> None:
    class UntilThree(sdk.PollingStrategy):  # type: ignore[type-arg]
        def __call__(self, state: int, attempts: int) -> Any:
            return None if state >= 3 else super().calculate_delay(attempts)

    strategy = UntilThree(initial_delay=10, backoff_rate=3, jitter_strategy=sdk.JitterStrategy.NONE)
    result = run(polling(count, polling_strategy=strategy))
    assert virtual_seconds(result) == 10 + 30


def test_the_check_knows_its_attempt() -> None:
    seen: list[tuple[Any, Any]] = []

    async def check(state: Any) -> int:
        seen.append((sdk.get_current_context().attempt, state))
        return len(seen)

    run(polling(check, polling_strategy=until(3, 1)))
    assert seen == [(1, None), (2, 1), (3, 2)]


def test_state_with_a_serializer_of_ones_own() -> None:
    class Hex(sdk.SerDes[int]):
        async def serialize(self, value: int) -> str:
            return hex(value)

        async def deserialize(self, data: str) -> int:
            return int(data, 16)

    result = run(polling(count, initial_state=254, serdes=Hex(), polling_strategy=until(256, 1)))
    assert result.value == 256
    assert [end["Result"]["Payload"] for end in of(result, "StepSucceeded")] == ["0xff", "0x100"]


def test_a_crash_while_polling_keeps_the_state() -> None:
    crashes = [2]

    async def check(state: int | None) -> int:
        if state in crashes:
            crashes.remove(state)
            raise SystemExit(1)
        return (state or 0) + 1

    result = run(polling(check, polling_strategy=until(4, 1)))
    assert result.value == 4
    assert [end["Result"]["Payload"] for end in of(result, "StepSucceeded")] == ["1", "2", "3", "4"]
    assert virtual_seconds(result) == 3 + 5


def test_days_of_polling_take_no_time() -> None:
    handler = polling(count, polling_strategy=until(30, timedelta(days=1)))
    with DurableFunctionTestRunner(handler) as runner:
        assert real_seconds(lambda: runner.run(timeout=20)) < 10
        assert runner.now.year == 2025
        assert runner.now.month == 12


# ------------------------------------------------------------------------------------------------------ with_retry


def test_a_block_that_is_retried() -> None:
    attempts: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def block() -> str:
            attempt = sdk.get_current_context().attempt

            async def work() -> str:
                attempts.append(attempt)
                if attempt < 3:
                    raise ValueError(f"attempt {attempt}")
                return f"attempt {attempt}"

            return await sdk.step(work, name="work", retry_strategy=sdk.RetryStrategy.none())

        strategy = sdk.RetryStrategy(initial_delay=7, jitter_strategy=sdk.JitterStrategy.NONE)
        return await sdk.with_retry(block, name="block", retry_strategy=strategy)

    result = run(handler)
    assert result.value == "attempt 3"
    assert attempts == [1, 2, 3]
    failed = ["StepStarted", "StepFailed", *WAIT]
    assert kinds(result) == [*START, "ContextStarted", *failed, *failed, *STEP, "ContextSucceeded", *DONE]
    check_history(result.events)
    block = result.get_context("block")
    assert [child.name for child in block.child_operations] == [
        "work", "block-backoff-1", "work", "block-backoff-2", "work",
    ]  # fmt: skip
    assert [each["Duration"] for each in of(result, "WaitStarted")] == [7, 14]


def test_a_block_that_is_given_up() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def block() -> None:
            raise KeyError("always")

        return await sdk.with_retry(block, retry_strategy=sdk.RetryStrategy(max_attempts=2, initial_delay=1))

    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    assert kinds(result) == [*START, "ContextStarted", *WAIT, "ContextFailed", *FAILED]
    assert result.get_context("with-retry").error.message == "'always'"


def test_a_virtual_block_that_is_retried_leaves_only_its_backoffs() -> None:
    calls: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def block() -> int:
            calls.append(sdk.get_current_context().attempt)
            if calls[-1] < 2:
                raise ValueError("once")
            return calls[-1]

        return await sdk.with_retry(
            block, name="block", is_virtual=True, retry_strategy=sdk.RetryStrategy(initial_delay=1)
        )

    result = run(handler)
    assert result.value == 2
    assert kinds(result) == START + WAIT + DONE
    assert "ParentId" not in event_of(result, "WaitStarted")

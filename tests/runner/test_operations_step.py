"""Steps: every option, every outcome, and the history each leaves."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import re
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import (
    DONE,
    FAILED,
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

from async_durable_execution_runner.runner import DurableFunctionTestRunner, StepOperation

NO_JITTER = sdk.JitterStrategy.NONE


class TransientError(Exception):
    """Retried by the strategies below."""


class PermanentError(Exception):
    """Never retried."""


def failing(times: int, error: type[Exception] = TransientError) -> Any:
    """A step's body that fails ``times`` times and then returns the number of its call."""
    calls: list[int] = []

    async def body() -> int:
        calls.append(1)
        if len(calls) <= times:
            raise error(f"attempt {len(calls)} failed")
        return len(calls)

    body.calls = calls  # type: ignore[attr-defined]
    return body


def stepping(body: Any, **options: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.step(body, name="work", **options)

    return handler


def retrying(**options: Any) -> sdk.RetryStrategy:
    return sdk.RetryStrategy(jitter_strategy=NO_JITTER, **options)


@pytest.mark.parametrize("value", [None, 0, 1.5, "text", "", [1, [2]], {"a": {"b": None}}, True, "ünïcode ☃"])
def test_a_value_comes_back_as_it_was(value: Any) -> None:
    async def body() -> Any:
        return value

    result = run(stepping(body))
    assert result.value == value
    assert result.get_step("work").value == value
    assert result.get_step("work").result == of(result, "StepSucceeded")[0]["Result"]["Payload"]
    assert kinds(result) == START + STEP + DONE
    check_history(result.events)


def test_events_carry_the_operation() -> None:
    result = run(stepping(failing(0)))
    started, succeeded = event_of(result, "StepStarted"), event_of(result, "StepSucceeded")
    assert started["Id"] == succeeded["Id"] == result.get_step("work").operation_id
    assert re.fullmatch(r"[0-9a-f]{64}", started["Id"])
    assert {started["SubType"], succeeded["SubType"]} == {"Step"}
    assert {started["Name"], succeeded["Name"]} == {"work"}
    assert "ParentId" not in started
    assert started["StepStartedDetails"] == {}
    details = succeeded["StepSucceededDetails"]
    assert details["Result"] == {"Payload": "1", "Truncated": False}
    assert "NextAttemptDelaySeconds" not in details["RetryDetails"]
    final = event_of(result, "ExecutionSucceeded")
    assert final["ExecutionSucceededDetails"]["Result"] == {"Payload": "1", "Truncated": False}
    assert "Name" not in final
    assert final["Id"] == result.events[0]["Id"] == result.execution_arn.rpartition("/")[2]


def test_a_step_without_a_name_is_called_like_its_function() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def charge_card() -> str:
            return "ok"

        return await sdk.step(charge_card)

    assert run(handler).get_step("charge_card").value == "ok"


def test_a_durable_callable_carries_arguments() -> None:
    @sdk.durable_callable
    async def add(a: int, b: int = 0) -> int:
        return a + b

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.step(add(event["a"], b=2))

    result = run(handler, {"a": 40})
    assert result.value == 42
    assert result.get_step("add").status is sdk.OperationStatus.SUCCEEDED


def test_a_step_retried_until_it_succeeds() -> None:
    body = failing(2)
    result = run(stepping(body, retry_strategy=retrying(initial_delay=2, backoff_rate=3)))
    assert result.value == 3
    assert len(body.calls) == 3
    one_failure = ["StepStarted", "StepFailed", *SUSPENDED]
    assert kinds(result) == START + one_failure + one_failure + STEP + DONE
    check_history(result.events)
    assert [each["RetryDetails"] for each in of(result, "StepFailed")] == [
        {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 2},
        {"CurrentAttempt": 2, "NextAttemptDelaySeconds": 6},
    ]
    errors = [each["Error"]["Payload"] for each in of(result, "StepFailed")]
    assert [error["ErrorMessage"] for error in errors] == ["attempt 1 failed", "attempt 2 failed"]
    assert all(error["ErrorType"].endswith("TransientError") for error in errors)
    assert of(result, "StepSucceeded")[0]["RetryDetails"] == {"CurrentAttempt": 3}
    assert len({event["Id"] for event in result.events if event["EventType"].startswith("Step")}) == 1
    assert virtual_seconds(result) == 8
    assert len(result.invocations) == 3


def test_attempts_run_out() -> None:
    body = failing(99)
    result = run(stepping(body, retry_strategy=retrying(max_attempts=3, initial_delay=1)))
    assert result.status is sdk.InvocationStatus.FAILED
    assert result.error.message == "attempt 3 failed"
    assert len(body.calls) == 3
    pair = ["StepStarted", "StepFailed"]
    assert kinds(result) == START + (pair + SUSPENDED) * 2 + pair + FAILED
    last = of(result, "StepFailed")[-1]
    assert last["RetryDetails"] == {"CurrentAttempt": 3}
    assert of(result, "ExecutionFailed")[0]["Error"]["Payload"]["ErrorMessage"] == "attempt 3 failed"


@pytest.mark.parametrize(
    ("strategy", "delays"),
    [
        (retrying(max_attempts=4, initial_delay=1, backoff_rate=2), [1, 2, 4]),
        (retrying(max_attempts=4, initial_delay=10, backoff_rate=10, max_delay=50), [10, 50, 50]),
        (retrying(max_attempts=4, initial_delay=1, increment=5), [1, 6, 11]),
        (retrying(max_attempts=3, initial_delay=timedelta(minutes=1), max_delay=timedelta(hours=1)), [60, 120]),
        (retrying(max_attempts=2, initial_delay=31_622_400, max_delay=31_622_400), [31_622_400]),
        (sdk.RetryStrategy.linear(), [1, 2, 3, 4, 5]),
        (sdk.RetryStrategy.critical(), [1, 2, 3, 4, 6, 8, 12, 18, 26]),
        (sdk.RetryStrategy.none(), []),
    ],
    ids=["exponential", "max_delay", "increment", "timedelta", "longest", "linear", "critical", "none"],
)
def test_delays_pass_through(strategy: sdk.RetryStrategy, delays: list[int]) -> None:
    result = run(stepping(failing(99), retry_strategy=strategy))
    told = [each["RetryDetails"].get("NextAttemptDelaySeconds") for each in of(result, "StepFailed")]
    assert told == [*delays, None]
    assert virtual_seconds(result) == sum(delays)


@pytest.mark.parametrize("jitter", list(sdk.JitterStrategy), ids=lambda each: each.value)
def test_jitter_stays_in_its_range(jitter: sdk.JitterStrategy) -> None:
    strategy = sdk.RetryStrategy(max_attempts=3, initial_delay=40, backoff_rate=1, jitter_strategy=jitter)
    result = run(stepping(failing(99), retry_strategy=strategy))
    told = [each["RetryDetails"]["NextAttemptDelaySeconds"] for each in of(result, "StepFailed")[:-1]]
    least = {"NONE": 40, "HALF": 20, "FULL": 1}[jitter.value]
    assert all(least <= delay <= 40 for delay in told)
    assert virtual_seconds(result) == sum(told)


@pytest.mark.parametrize("factory", ["default", "transient", "resource_availability"])
def test_ready_made_strategies(factory: str) -> None:
    strategy = getattr(sdk.RetryStrategy, factory)()
    body = failing(99)
    result = run(stepping(body, retry_strategy=strategy))
    assert result.status is sdk.InvocationStatus.FAILED
    assert len(body.calls) == strategy.max_attempts
    assert len(result.invocations) == strategy.max_attempts


def test_the_default_is_six_attempts() -> None:
    body = failing(99)
    result = run(stepping(body))
    assert len(body.calls) == 6
    delays = [each["RetryDetails"]["NextAttemptDelaySeconds"] for each in of(result, "StepFailed")[:-1]]
    assert all(1 <= delay <= most for delay, most in zip(delays, [5, 10, 20, 40, 60], strict=True))


def test_retries_for_some_messages_only() -> None:
    strategy = retrying(initial_delay=1, retryable_errors=[re.compile("attempt [12] "), "nothing else"])
    body = failing(99)
    result = run(stepping(body, retry_strategy=strategy))
    assert len(body.calls) == 3
    assert result.error.message == "attempt 3 failed"


def test_retries_for_some_types_only() -> None:
    strategy = retrying(initial_delay=1, retryable_error_types=[TransientError])
    retried, given_up = failing(1), failing(1, PermanentError)
    assert run(stepping(retried, retry_strategy=strategy)).value == 2
    result = run(stepping(given_up, retry_strategy=strategy))
    assert len(given_up.calls) == 1
    assert of(result, "StepFailed")[0]["RetryDetails"] == {"CurrentAttempt": 1}
    assert kinds(result) == [*START, "StepStarted", "StepFailed", *FAILED]


def test_a_strategy_of_ones_own() -> None:
    seen: list[tuple[str, int]] = []

    def strategy(error: Exception, attempts: int) -> timedelta | int | None:
        seen.append((str(error), attempts))
        return timedelta(hours=2) if attempts == 1 else 7

    result = run(stepping(failing(2), retry_strategy=strategy))
    assert seen == [("attempt 1 failed", 1), ("attempt 2 failed", 2)]
    assert virtual_seconds(result) == 7207


def test_a_strategy_that_raises_fails_the_step() -> None:
    def strategy(error: Exception, attempts: int) -> int:
        raise PermanentError("the strategy itself")

    result = run(stepping(failing(9), retry_strategy=strategy))
    assert result.error.message == "the strategy itself"
    assert kinds(result) == [*START, "StepStarted", "StepFailed", *FAILED]


def test_a_delay_of_nothing_is_one_second() -> None:
    result = run(stepping(failing(1), retry_strategy=lambda error, attempts: 0))
    assert of(result, "StepFailed")[0]["RetryDetails"]["NextAttemptDelaySeconds"] == 1


def test_the_step_knows_its_attempt() -> None:
    attempts: list[int | None] = []

    async def body() -> str:
        context = sdk.get_step_context()
        attempts.append(context.attempt)
        if len(attempts) < 3:
            raise TransientError("again")
        return "done"

    run(stepping(body, retry_strategy=retrying(initial_delay=1)))
    assert attempts == [1, 2, 3]


def test_a_caught_failure_stays_a_failed_step() -> None:
    async def body() -> None:
        raise PermanentError("no")

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        try:
            await sdk.step(body, name="work", retry_strategy=sdk.RetryStrategy.none())
        except sdk.CallableRuntimeError as error:
            await sdk.wait(5, name="pause")
            return f"caught {error}"

    result = run(handler)
    assert result.value == "caught no"
    assert kinds(result) == [
        *START, "StepStarted", "StepFailed", "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE,
    ]  # fmt: skip
    step = result.get_step("work")
    assert step.status is sdk.OperationStatus.FAILED
    assert step.error.message == "no"
    assert step.error.type.endswith("PermanentError")
    assert step.value is None


@pytest.mark.parametrize("semantics", list(sdk.StepSemantics), ids=lambda each: each.value)
def test_semantics_do_not_matter_when_nothing_breaks(semantics: sdk.StepSemantics) -> None:
    result = run(stepping(failing(1), step_semantics=semantics, retry_strategy=retrying(initial_delay=1)))
    assert result.value == 2
    assert kinds(result) == [*START, "StepStarted", "StepFailed", *SUSPENDED, *STEP, *DONE]


def dying(times: int) -> Any:
    """A step's body that ends its process ``times`` times."""
    calls: list[int] = []

    async def body() -> str:
        calls.append(1)
        if len(calls) <= times:
            raise SystemExit(3)
        return f"call {len(calls)}"

    body.calls = calls  # type: ignore[attr-defined]
    return body


def test_at_least_once_runs_the_body_again_after_a_crash() -> None:
    body = dying(1)
    result = run(stepping(body))
    assert result.value == "call 2"
    with_start = [*START, "StepStarted", *SUSPENDED, "StepSucceeded", *DONE]
    # A release that holds the start back to tell it together with the end leaves no trace of it.
    assert kinds(result) in (with_start, [*START, *SUSPENDED, *STEP, *DONE])
    assert of(result, "InvocationCompleted")[0]["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"
    assert virtual_seconds(result) == 5


def test_at_most_once_does_not_run_the_body_again() -> None:
    body = dying(9)
    result = run(
        stepping(
            body,
            step_semantics=sdk.StepSemantics.AT_MOST_ONCE_PER_RETRY,
            retry_strategy=sdk.RetryStrategy.none(),
        )
    )
    assert len(body.calls) == 1
    assert result.status is sdk.InvocationStatus.FAILED
    # Newer releases of the SDK end the invocation, too, and fail the execution in the next one.
    assert kinds(result) in (
        [*START, "StepStarted", *SUSPENDED, "StepFailed", *FAILED],
        [*START, "StepStarted", *SUSPENDED, "StepFailed", *SUSPENDED, *FAILED],
    )
    assert of(result, "StepFailed")[0]["RetryDetails"] == {"CurrentAttempt": 1}
    crash = of(result, "InvocationCompleted")[0]["Error"]["Payload"]
    assert crash["ErrorType"] == "Runtime.ExitError"
    assert "exit status 3" in crash["ErrorMessage"]


def test_at_most_once_with_retries_counts_the_interrupted_attempt() -> None:
    body = dying(1)
    result = run(
        stepping(
            body,
            step_semantics=sdk.StepSemantics.AT_MOST_ONCE_PER_RETRY,
            retry_strategy=retrying(initial_delay=4),
        )
    )
    assert result.value == "call 2"
    assert kinds(result) == [*START, "StepStarted", *SUSPENDED, "StepFailed", *SUSPENDED, *STEP, *DONE]
    assert of(result, "StepFailed")[0]["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 4}
    assert of(result, "StepSucceeded")[0]["RetryDetails"] == {"CurrentAttempt": 2}
    assert virtual_seconds(result) == 9


class Shouting(sdk.SerDes[str]):
    """Text as it is, in capitals on the wire."""

    async def serialize(self, value: str) -> str:
        return value.upper()

    async def deserialize(self, data: str) -> str:
        return data.lower()


def test_serdes_text_is_kept_as_it_is() -> None:
    async def body() -> str:
        return "hello"

    result = run(stepping(body, serdes=Shouting()))
    assert of(result, "StepSucceeded")[0]["Result"]["Payload"] == "HELLO"
    assert result.value == "hello"
    assert result.get_step("work").result == "HELLO"
    assert result.get_step("work").value == "HELLO"


def test_at_least_once_goes_on_with_a_start_that_was_told() -> None:
    body = dying(1)

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def other() -> None:
            pass

        async def work() -> str:
            await sdk_settled.wait()
            return await body()

        sdk_settled = asyncio.Event()
        task = sdk.step(work, name="work")
        await sdk.step(other, name="other")
        sdk_settled.set()
        return await task

    result = run(handler)
    assert result.value == "call 2"
    told = [event["EventType"] for event in result.events if event.get("Name") != "other"]
    assert told == [*START, "StepStarted", *SUSPENDED, "StepSucceeded", *DONE]


@pytest.mark.parametrize(
    "value",
    [
        (1, "two"),
        b"bytes",
        dt.datetime(2026, 1, 2, tzinfo=dt.UTC),
        dt.date(2026, 1, 2),
        Decimal("1.10"),
        uuid.UUID(int=7),
        {"nested": [(1,), b"x"]},
        {"t": "m", "v": "looks like the SDK's own format"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_beyond_json(value: Any) -> None:
    async def body() -> Any:
        return value

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        first = await sdk.step(body, name="work")
        await sdk.wait(1)
        return first == value and type(first) is type(value)

    result = run(handler)
    assert result.value is True
    assert result.get_step("work").value == value


@pytest.mark.parametrize("text", ['{"t": "m"}', '{"t":"unknown","v":1}', '{"t": 1}', "{not json", '{"t":"m","v":3}'])
def test_what_only_looks_like_the_sdks_format_is_shown_as_it_is(text: str) -> None:
    class Fixed(sdk.SerDes[str]):
        async def serialize(self, value: str) -> str:
            return text

        async def deserialize(self, data: str) -> str:
            return data

    result = run(stepping(failing(0), serdes=Fixed()))
    step = result.get_step("work")
    assert step.result == text
    assert step.value in (text, json.loads(text) if text != "{not json" else text)


def test_steps_in_the_background() -> None:
    order: list[str] = []

    def body(name: str) -> Any:
        async def work() -> str:
            order.append(f"{name} begins")
            await asyncio.sleep(0)
            order.append(f"{name} ends")
            return name

        return work

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        tasks = [sdk.step(body(name), name=name) for name in "ab"]
        return await asyncio.gather(*tasks)

    result = run(handler)
    assert result.value == ["a", "b"]
    assert sorted(order) == ["a begins", "a ends", "b begins", "b ends"]
    assert sorted(kinds(result)) == sorted(START + STEP * 2 + DONE)
    check_history(result.events)


def test_replay_does_not_run_finished_steps_again() -> None:
    calls: list[str] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def note() -> str:
            calls.append("note")
            return "noted"

        for number in range(3):
            await sdk.step(note, name=f"step-{number}")
            await sdk.wait(60, name=f"wait-{number}")
        return len(calls)

    result = run(handler)
    assert result.value == 3
    assert len(result.invocations) == 4
    assert kinds(result) == START + [*STEP, "WaitStarted", *SUSPENDED, "WaitSucceeded"] * 3 + DONE


def test_many_steps() -> None:
    count = 200 if SDK_VERSION >= (2, 5) else 5  # the first releases hold every checkpoint back for 0.1 s

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def one() -> int:
            return 1

        return sum([await sdk.step(one, name="one") for _ in range(count)])

    result = run(handler)
    assert result.value == count
    assert kinds(result) == START + STEP * count + DONE
    assert result.get_step("one", count - 1).operation_id != result.get_step("one", 0).operation_id
    assert all(isinstance(operation, StepOperation) for operation in result.operations)


# The SDK never sends a payload of more than 750 KB that it has queued behind another update; told at once, the start
# is out of the way.
AT_ONCE: Any = {"step_semantics": sdk.StepSemantics.AT_MOST_ONCE_PER_RETRY}


def test_a_large_step_result_is_refused_like_the_service_does() -> None:
    async def body() -> str:
        return "x" * (1024 * 1024)

    result = run(stepping(body, **AT_ONCE))
    assert result.status is sdk.InvocationStatus.FAILED
    assert "STEP output payload size must be less than or equal to 1048576 bytes." in result.error.message
    assert "StepSucceeded" not in kinds(result)
    assert len(result.invocations) == 1
    assert virtual_seconds(result) == 0


def test_the_largest_step_result() -> None:
    async def body() -> str:
        return "x" * (1024 * 1024 - 2)

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return len(await sdk.step(body, name="work", **AT_ONCE))

    assert run(handler).value == 1024 * 1024 - 2


def test_a_step_view_shows_a_retry_that_is_pending() -> None:
    with DurableFunctionTestRunner(stepping(failing(1), retry_strategy=retrying(initial_delay=30))) as runner:
        arn = runner.run_async()
        step = runner.run_until_suspended(arn).get_step("work")
        assert step.status is sdk.OperationStatus.PENDING
        assert step.attempt == 1
        assert step.next_attempt_timestamp == runner.now + timedelta(seconds=30)
        assert step.error.message == "attempt 1 failed"
        runner.advance(29)
        assert runner.run_until_suspended(arn).get_step("work").attempt == 1
        runner.advance(1)
        assert runner.wait_for_result(arn).value == 2

"""What goes wrong with the tools users have today, one test for each: it does not happen here."""

from __future__ import annotations

import copy
import json
import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import async_durable_execution as sdk
import pytest
from botocore.exceptions import ClientError
from runner_kit import DONE, START, STEP, SUSPENDED, check_history, kinds, of, real_seconds, run, virtual_seconds

from async_durable_execution_runner.exceptions import ExecutionStuckError, OperationLookupError
from async_durable_execution_runner.runner import DurableFunctionTestRunner


async def nothing() -> None:
    """A step's body."""


def waiting(seconds: int, value: Any) -> Any:
    async def branch() -> Any:
        await sdk.wait(seconds, name=f"wait-{value}")
        return value

    return branch


async def working() -> str:
    await sdk.step(nothing, name="first")
    await sdk.wait(1)
    await sdk.step(nothing, name="second")
    await sdk.wait(1)
    return "WORK"


@sdk.durable_execution
async def asking(event: Any) -> Any:
    callback = await sdk.create_callback(name="approval")
    return await callback.result()


# ------------------------------------------------------------------------------------------------------------- time


@pytest.mark.parametrize("turn", range(2))
@pytest.mark.parametrize("order", ["deadline first", "work first"])
def test_an_hours_deadline_never_beats_two_seconds_of_work(order: str, turn: int) -> None:
    branches = [waiting(3600, "TIMEOUT"), working]

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        config = sdk.CompletionConfig(min_successful=1)
        batch = await sdk.parallel(branches if order == "deadline first" else branches[::-1], completion_config=config)
        return batch.get_results()

    with DurableFunctionTestRunner(handler) as runner:
        results = [runner.run(timeout=20) for _ in range(25)]
    assert [result.value for result in results] == [["WORK"]] * 25
    assert {virtual_seconds(result) for result in results} == {2}
    assert len({tuple(kinds(result)) for result in results}) == 1


def test_a_short_callback_timeout_beats_a_long_wait() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        callback = await sdk.create_callback(name="approval", timeout=3)

        async def answer() -> Any:
            try:
                return await callback.result()
            except sdk.CallbackError:
                return "TIMED OUT"

        batch = await sdk.parallel(
            [waiting(3600, "WAITED"), answer], completion_config=sdk.CompletionConfig(min_successful=1)
        )
        return batch.get_results()

    result = run(handler)
    assert result.value == ["TIMED OUT"]
    assert virtual_seconds(result) == 3


def test_two_waits_side_by_side_do_not_stall() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return (await sdk.parallel([waiting(8, "a"), waiting(20, "b")])).get_results()

    results: list[Any] = []
    assert real_seconds(lambda: results.append(run(handler))) < 4
    assert results[0].value == ["a", "b"]
    assert virtual_seconds(results[0]) == 20


@pytest.mark.parametrize("options", [{"timeout": 3600}, {"heartbeat_timeout": 3600}], ids=["timeout", "heartbeat"])
def test_callback_timeouts_take_no_real_time(options: dict[str, int]) -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await (await sdk.create_callback(name="approval", **options)).result()

    results: list[Any] = []
    assert real_seconds(lambda: results.append(run(handler))) < 4
    assert virtual_seconds(results[0]) == 3600
    assert "CallbackTimedOut" in kinds(results[0])


def test_the_backoff_after_a_crash_takes_no_real_time() -> None:
    tries: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        tries.append(1)
        if len(tries) < 5:
            raise SystemExit(1)
        return "alive"

    results: list[Any] = []
    assert real_seconds(lambda: results.append(run(handler))) < 4
    assert results[0].value == "alive"
    assert virtual_seconds(results[0]) == 20


def test_a_days_wait_under_a_minutes_execution_timeout_times_out() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.wait(86_400, name="pause")
        return "too late"

    result = run(handler, execution_timeout=60)
    assert result.execution_status == "TIMED_OUT"
    assert result.status is sdk.InvocationStatus.FAILED
    assert kinds(result) == [*START, "WaitStarted", *SUSPENDED, "ExecutionTimedOut"]
    assert of(result, "ExecutionStarted")[0]["ExecutionTimeout"] == 60
    assert result.error.message == "Execution timed out after 60 seconds."
    assert virtual_seconds(result) == 60
    assert run(handler, execution_timeout=timedelta(days=1, seconds=1)).value == "too late"


def test_a_year_costs_what_a_second_does() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        for _ in range(3):
            await sdk.wait(timedelta(days=365))
        return "old"

    with DurableFunctionTestRunner(handler) as runner:
        before = runner.now
        assert real_seconds(lambda: runner.run(timeout=20)) < 4
        assert runner.now - before == timedelta(days=3 * 365)


def test_time_in_the_history_is_not_scaled() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.wait(10)
        await sdk.wait(20)

    times = [event["EventTimestamp"] for event in run(handler, start_time=datetime(2026, 5, 1, tzinfo=UTC)).events]
    assert [(each - times[0]).total_seconds() for each in times] == [0, 0, 0, 10, 10, 10, 30, 30, 30]
    assert times[0] == datetime(2026, 5, 1, tzinfo=UTC)


# ---------------------------------------------------------------------------------------------------------- results


def test_results_are_decoded_and_getters_are_checked() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> dict[str, int]:
            return {"price": 3}

        async def inner() -> Any:
            return await sdk.step(work, name="nested")

        await sdk.run_in_child_context(inner, name="child")
        return {"a": [1]}

    result = run(handler)
    assert result.result == '{"a": [1]}'
    assert result.value == {"a": [1]}
    assert result.get_step("nested").value == {"price": 3}
    with pytest.raises(OperationLookupError, match=r"Did you mean 'nested'\?"):
        result.get_step("nestd")
    with pytest.raises(OperationLookupError, match="has no wait 'nested', but STEP 'nested'"):
        result.get_wait("nested")


def test_ensure_succeeded_shows_the_execution() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def broken() -> None:
            raise ValueError("the printer is on fire")

        await sdk.step(broken, name="print", retry_strategy=sdk.RetryStrategy.none())

    result = run(handler)
    with pytest.raises(AssertionError) as caught:
        result.ensure_succeeded()
    assert "the printer is on fire" in str(caught.value)
    assert "print" in str(caught.value)
    assert "\n" not in repr(result)
    assert "FAILED" in repr(result)


def test_results_cannot_be_changed() -> None:
    result = run(asking, execution_timeout=1)
    with pytest.raises(AttributeError):
        result.result = "other"  # type: ignore[misc]
    with pytest.raises(AttributeError):
        result.operations[0].name = "other"  # type: ignore[misc]


# -------------------------------------------------------------------------------------------------------- callbacks


def test_wait_for_callback_never_gives_a_closed_one() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        results = []
        for _ in range(3):
            callback = await sdk.create_callback(name="approval")
            results.append(await callback.result())
        return results

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        ids = []
        for number in range(3):
            ids.append(runner.wait_for_callback(arn, "approval"))
            assert runner.wait_for_callback(arn) == ids[-1]
            runner.send_callback_success(ids[-1], number)
        assert runner.wait_for_result(arn).value == ["0", "1", "2"]
    assert len(set(ids)) == 3


def test_wait_for_callback_sees_past_event_100_and_histories_are_whole() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        for number in range(60 if event else 5):
            await sdk.step(nothing, name=f"step-{number}")
        callback = await sdk.create_callback(name="approval")
        return await callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async(1)
        callback_id = runner.wait_for_callback(arn, "approval")
        before = runner.get_execution_history(arn)
        assert kinds(before) == START + STEP * 60 + ["CallbackStarted", *SUSPENDED]
        kept = copy.deepcopy(before)
        before[0].clear()
        runner.send_callback_success(callback_id, "yes")
        result = runner.wait_for_result(arn)
        after = runner.get_execution_history(arn)
        assert after[: len(kept)] == kept
        assert runner.get_execution_history(arn) == after == result.events
        check_history(after)
        assert of(after, "InvocationCompleted")[0]["RequestId"] == result.invocations[0].request_id


def test_wait_for_callback_waits_until_the_invocation_has_settled() -> None:
    ended: list[str] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        callback = await sdk.create_callback(name="approval")
        await sdk.step(nothing, name="afterwards")
        ended.append("settled")
        return await callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        assert ended == ["settled"]
        assert runner.get_execution(arn)["Status"] == "RUNNING"
        runner.send_callback_success(callback_id)
        runner.wait_for_result(arn)


def test_wait_for_callback_lets_no_more_time_pass_than_needed() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.wait(60)
        callback = await sdk.create_callback(name="approval", timeout=30)
        return await callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        before = runner.now
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn), "in time")
        assert runner.now - before == timedelta(seconds=60)
        assert runner.wait_for_result(arn).value == "in time"


def test_a_forgotten_callback_is_told_at_once() -> None:
    with DurableFunctionTestRunner(asking) as runner:

        def forget() -> None:
            with pytest.raises(ExecutionStuckError, match="waiting for callback 'approval'"):
                runner.run(timeout=900)

        assert real_seconds(forget) < 4


def test_a_forgotten_callback_of_a_chained_execution_is_named() -> None:
    @sdk.durable_execution
    async def parent(event: Any) -> Any:
        return await sdk.invoke("child", None, name="call")

    with DurableFunctionTestRunner(parent) as runner:
        runner.register_durable_function("child", asking)
        with pytest.raises(ExecutionStuckError) as caught:
            runner.run()
    assert "invoke 'call'" in str(caught.value)
    assert "waiting for callback 'approval'" in str(caught.value)


def test_the_result_can_be_asked_for_as_often_as_wanted() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        runner.on_callback("approval", result="yes")
        arn = runner.run_async()
        results = [runner.wait_for_result(arn) for _ in range(5)]
        assert {result.value for result in results} == {"yes"}
        assert all(result.events == results[0].events for result in results)
        failed = runner.run_async()
        runner.stop_execution(failed)
        assert [runner.wait_for_result(failed).execution_status for _ in range(3)] == ["STOPPED"] * 3


# --------------------------------------------------------------------------------------------------------- identity


def test_the_same_name_twice_is_one_execution() -> None:
    calls: list[Any] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        calls.append(event)
        return event

    with DurableFunctionTestRunner(handler) as runner:
        first = runner.run({"order": 1}, execution_name="order-1")
        second = runner.run({"order": 1}, execution_name="order-1")
        assert first.execution_arn == second.execution_arn
        assert calls == [{"order": 1}]
        with pytest.raises(ClientError) as caught:
            runner.run({"order": 2}, execution_name="order-1")
        assert caught.value.response["Error"]["Code"] == "DurableExecutionAlreadyStartedException"
        assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
        assert "'order-1' is taken by an execution with another payload" in str(caught.value)
        assert runner.run({"order": 2}).execution_arn != first.execution_arn
        assert len(calls) == 2


def test_a_name_is_free_again_after_its_retention() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return event

    with DurableFunctionTestRunner(handler, retention_period_days=2) as runner:
        first = runner.run(1, execution_name="order").execution_arn
        runner.advance(timedelta(days=1))
        assert runner.run(1, execution_name="order").execution_arn == first
        runner.advance(timedelta(days=2))
        assert runner.run(2, execution_name="order").execution_arn != first


def test_arns_are_arns() -> None:
    pattern = re.compile(
        r"arn:aws:lambda:eu-central-1:111122223333:function:orders:\$LATEST/durable-execution/([\w-]+)/([\w-]+)"
    )
    with DurableFunctionTestRunner(
        asking, region="eu-central-1", account_id="111122223333", function_name="orders"
    ) as runner:
        named = pattern.fullmatch(runner.run_async(execution_name="order-7"))
        assert named is not None
        assert named[1] == "order-7"
        other = runner.run_async(1)
        assert pattern.fullmatch(other)
        assert runner.get_execution(other)["FunctionArn"].startswith(
            "arn:aws:lambda:eu-central-1:111122223333:function:orders"
        )
    for name in ("orders:live", "orders:$LATEST", "arn:aws:lambda:us-west-2:123456789012:function:orders"):
        with DurableFunctionTestRunner(asking, function_name=name) as runner:
            arn = runner.run_async()
            assert arn.startswith("arn:aws:lambda:us-west-2:123456789012:function:orders:$LATEST/durable-execution/")
            assert runner.run_until_suspended(arn).execution_status == "RUNNING"
            assert len(runner.list_executions()["DurableExecutions"]) == 1
    with DurableFunctionTestRunner(asking, region="us-gov-west-1") as runner:
        assert runner.run_async().startswith("arn:aws-us-gov:lambda:us-gov-west-1:")


def test_several_executions_at_one_time() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.wait(event)
        callback = await sdk.create_callback(name="approval")
        return [event, await callback.result()]

    with DurableFunctionTestRunner(handler) as runner:
        before = runner.now
        arns = [runner.run_async(seconds) for seconds in (300, 100, 200)]
        ids = [runner.wait_for_callback(arn) for arn in arns]
        assert runner.now - before == timedelta(seconds=300)
        for callback_id, word in zip(ids, "abc", strict=True):
            runner.send_callback_success(callback_id, word)
        assert [runner.wait_for_result(arn).value for arn in reversed(arns)] == [[200, "c"], [100, "b"], [300, "a"]]
        listed = runner.list_executions(statuses=["SUCCEEDED"])["DurableExecutions"]
        assert [each["DurableExecutionArn"] for each in listed] == arns[::-1]


# ----------------------------------------------------------------------------------------------------------- errors


def test_what_the_service_refuses_fails_at_once_and_not_after_retries() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def large() -> str:
            return "x" * (1024 * 1024 + 1)

        return await sdk.step(large, name="large", step_semantics=sdk.StepSemantics.AT_MOST_ONCE_PER_RETRY)

    results: list[Any] = []
    assert real_seconds(lambda: results.append(run(handler))) < 4
    assert results[0].execution_status == "FAILED"
    assert len(results[0].invocations) == 1
    assert "STEP output payload size must be less than or equal to 1048576 bytes." in results[0].error.message


def test_a_name_that_is_too_long_reaches_the_sdk_as_the_services_error() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.step(nothing, name="n" * 257)

    result = run(handler)
    assert result.execution_status == "FAILED"
    assert "updates.1.member.name" in result.error.message
    assert virtual_seconds(result) == 0


def test_a_system_exit_in_a_handler_does_not_keep_the_process() -> None:
    before = threading.active_count()

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        raise SystemExit(3)

    assert run(handler).execution_status == "FAILED"
    assert threading.active_count() == before


def test_operations_are_limited() -> None:
    from async_durable_execution_runner._model.limits import ServiceLimits

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        for number in range(4):
            await sdk.step(nothing, name=f"step-{number}")

    result = run(handler, limits=ServiceLimits(max_operations=3))
    assert result.execution_status == "FAILED"
    assert "at most 3 operations; STEP 'step-3'" in result.error.message


# ---------------------------------------------------------------------------------------------------------- history


def test_nothing_is_lost_from_the_history() -> None:
    tries: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def shaky() -> str:
            tries.append(1)
            if len(tries) < 3:
                raise ValueError(f"try {len(tries)}")
            return "ok"

        async def poll(state: Any) -> int:
            return (state or 0) + 1

        strategy = sdk.RetryStrategy(initial_delay=1, jitter_strategy=sdk.JitterStrategy.NONE)
        await sdk.step(shaky, name="shaky", retry_strategy=strategy)
        await sdk.wait_for_condition(
            poll, name="poll", polling_strategy=lambda state, attempts: None if state == 3 else 5
        )
        callback = await sdk.create_callback(name="approval", timeout=60, heartbeat_timeout=30)
        try:
            await callback.result()
        except sdk.CallbackError:
            return "done"

    events = run(handler).events
    assert [each["RetryDetails"]["CurrentAttempt"] for each in of(events, "StepFailed", "shaky")] == [1, 2]
    assert [each["Result"]["Payload"] for each in of(events, "StepSucceeded", "poll")] == ["1", "2", "3"]
    started = of(events, "CallbackStarted")[0]
    assert (started["Timeout"], started["HeartbeatTimeout"]) == (60, 30)
    assert of(events, "CallbackTimedOut")[0]["Error"]["Payload"]["ErrorType"] == "Callback.Heartbeat"
    for completed in of(events, "InvocationCompleted"):
        assert {"RequestId", "StartTimestamp", "EndTimestamp"} <= completed.keys()
    assert kinds(events)[-2:] == DONE
    check_history(events)


def test_histories_repeat_byte_for_byte() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        await sdk.step(nothing, name="step")
        callback = await sdk.create_callback(name="approval")
        await sdk.wait(60)
        await sdk.invoke("child", event, name="call")
        return await callback.result()

    def history() -> str:
        with DurableFunctionTestRunner(handler) as runner:
            runner.register_durable_function("child", asking)
            runner.on_callback("approval", result="yes", after=5)
            return json.dumps(runner.run({"a": 1}, timeout=20).events, default=str)

    assert len({history() for _ in range(5)}) == 1


def test_a_thousand_steps_are_one_history() -> None:
    from runner_kit import SDK_VERSION

    count = 1000 if SDK_VERSION >= (2, 5) else 20

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        for _ in range(count):
            await sdk.step(nothing, name="step")

    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run(timeout=60)
        assert len(result.events) == 2 * count + 3
        check_history(result.events)
        client = runner.client
        pages = list(
            client.get_paginator("get_durable_execution_history").paginate(DurableExecutionArn=result.execution_arn)
        )
        assert len(pages) == -(-(2 * count + 3) // 100)
        assert [event["EventId"] for page in pages for event in page["Events"]] == list(range(1, 2 * count + 4))

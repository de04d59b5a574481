"""A history in wire shape, read back, tells the same as the record that it came from."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import async_durable_execution as sdk
import pytest
from cloud_kit import ARN, OPENED, START, STARTED, SUSPENDED, event, execution, payload

from async_durable_execution_runner import DurableFunctionTestRunner, ExecutionStatus, result
from async_durable_execution_runner._bridges import default_bridge
from async_durable_execution_runner._results import build_result
from async_durable_execution_runner._wire.history_reader import read_event, read_record
from async_durable_execution_runner._wire.rendering import render_event

ONCE = sdk.RetryStrategy(max_attempts=1)
THRICE = sdk.RetryStrategy(max_attempts=3, initial_delay=5, jitter_strategy=sdk.JitterStrategy.NONE)
Setup = Callable[[DurableFunctionTestRunner], Any]


def nothing(_: DurableFunctionTestRunner) -> None:
    pass


async def work() -> Any:
    return {"done": [1, "ü"]}


async def break_down() -> Any:
    raise ConnectionError("the bank does not answer")


async def steps(event: Any) -> Any:
    tries: list[int] = []

    async def at_last() -> int:
        tries.append(1)
        if len(tries) < 3:
            raise ConnectionError("not yet")
        return len(tries)

    await sdk.step(work, name="once")
    return await sdk.step(at_last, name="thrice", retry_strategy=THRICE)


async def failed_step(event: Any) -> Any:
    return await sdk.step(break_down, name="charge", retry_strategy=THRICE)


async def waits(event: Any) -> Any:
    await sdk.wait(timedelta(days=2), name="long")


async def polls(event: Any) -> Any:
    async def look(state: Any) -> int:
        return int(state or 0) + 1

    return await sdk.wait_for_condition(
        look, name="poll", polling_strategy=lambda state, attempts: None if state >= 3 else timedelta(seconds=4)
    )


async def callback(event: Any) -> Any:
    opened = await sdk.create_callback(name="approval", timeout=60, heartbeat_timeout=30)
    return await opened.result()


async def submitted(event: Any) -> Any:
    async def submit() -> None:
        pass

    return await sdk.wait_for_callback(submit, name="approval")


async def contexts(event: Any) -> Any:
    async def inner() -> Any:
        await sdk.wait(1, name="inner wait")
        return await sdk.step(work, name="inner step")

    async def broken() -> Any:
        raise ValueError("no lamp")

    try:
        await sdk.run_in_child_context(broken, name="broken")
    except Exception:  # noqa: BLE001 - whatever the SDK raises: it is over
        return await sdk.run_in_child_context(inner, name="child")


async def batches(event: Any) -> Any:
    async def branch() -> Any:
        await sdk.wait(1, name="pause")
        return await sdk.step(work, name="work")

    async def broken() -> Any:
        raise ValueError("no desk")

    async def item(each: Any, *_: Any) -> Any:
        return each

    await sdk.parallel([branch, broken], name="pack")
    await sdk.map(item, [1, 2], name="items")


async def invokes(event: Any) -> Any:
    return await sdk.invoke("pricing", {"item": "lamp"}, name="price")


async def crashes(event: Any) -> Any:
    await sdk.step(work, name="before")
    sys.exit(3)


async def raises(event: Any) -> Any:
    raise LookupError("no such order")


CASES: dict[str, tuple[Any, Setup]] = {
    "steps": (steps, nothing),
    "a step that fails": (failed_step, nothing),
    "waits": (waits, nothing),
    "a polled condition": (polls, nothing),
    "a callback": (callback, lambda runner: runner.on_callback("approval", result="yes", after=2)),
    "a callback without payload": (callback, lambda runner: runner.on_callback("approval", result=None)),
    "a callback that fails": (callback, lambda runner: runner.on_callback("approval", error="too dear")),
    "a callback's timeout": (
        callback,
        lambda runner: runner.on_callback("approval", result=1, after=90, heartbeat_every=20),
    ),
    "a callback's heartbeat": (callback, nothing),
    "wait for callback": (submitted, lambda runner: runner.on_callback("approval", result="yes", after=2)),
    "child contexts": (contexts, nothing),
    "parallel and map": (batches, nothing),
    "an invoke of a durable function": (
        invokes,
        lambda runner: runner.register_durable_function("pricing", sdk.durable_execution(waits)),
    ),
    "an invoke of an ordinary function": (
        invokes,
        lambda runner: runner.register_function("pricing", lambda event, context: 40),
    ),
    "an invoke that fails": (invokes, lambda runner: runner.mock_invoke("pricing", error="sold out")),
    "an invoke that times out": (invokes, lambda runner: runner.mock_invoke("pricing", times_out=True, after=3)),
    "an invoke that is stopped": (invokes, lambda runner: runner.mock_invoke("pricing", stops="enough")),
    "an invoke of nobody": (invokes, nothing),
    "invocations that fail": (crashes, nothing),
    "an exception": (raises, nothing),
}


def told(record: Any, now: int = 0) -> dict[str, Any]:
    """Everything that a result says."""
    found = build_result(record, default_bridge(), now)
    return {
        "outcome": (found.status, found.execution_status, found.result, found.error, found.execution_arn),
        "operations": found.get_all_operations(),
        "top": found.operations,
        "execution": found.get_execution(),
        "events": found.events,
        "invocations": found.invocations,
        "tree": found.render(),
    }


def check(runner: DurableFunctionTestRunner, arn: str) -> dict[str, Any]:
    """Compare what is read from the wire with the record behind it."""
    # All but the first traceback, which is not on the wire.
    record = dataclasses.replace(runner._local.executor.get(arn).snapshot(), first_failure=None)
    events = runner.get_execution_history(arn)
    read = read_record(runner.get_execution(arn), events)
    now = runner._clock.now_millis()
    assert [render_event(each) for each in read.events] == events
    assert told(read, now) == told(record, now)
    return told(read, now)


@pytest.mark.parametrize("case", CASES)
def test_an_execution_that_is_over(case: str) -> None:
    handler, prepare = CASES[case]
    with DurableFunctionTestRunner(sdk.durable_execution(handler)) as runner:
        prepare(runner)
        arn = runner.run({"order": 7}, timeout=20).execution_arn
        for each in list(runner._local.executor.executions):
            check(runner, each)
        assert check(runner, arn)["outcome"][1] is not ExecutionStatus.RUNNING


def test_the_cases_have_every_kind_of_operation_and_of_end() -> None:
    kinds: set[str] = set()
    ends: set[str] = set()
    for handler, prepare in CASES.values():
        with DurableFunctionTestRunner(sdk.durable_execution(handler)) as runner:
            prepare(runner)
            found = runner.run({"order": 7}, timeout=20)
            kinds |= {type(each).__name__ for each in found.get_all_operations()}
            ends |= {each["EventType"] for each in found.events}
    views = {name for name in result.__all__ if name.endswith("Operation")} - {"Operation", "ExecutionOperation"}
    assert kinds == views
    for operation in ("Step", "Callback", "ChainedInvoke", "Context"):
        assert {f"{operation}Started", f"{operation}Succeeded", f"{operation}Failed"} <= ends
    assert {"WaitSucceeded", "CallbackTimedOut", "ChainedInvokeTimedOut", "ChainedInvokeStopped"} <= ends


@pytest.mark.parametrize("case", ["a step that fails", "waits", "a polled condition", "a callback's heartbeat"])
def test_an_execution_that_waits(case: str) -> None:
    with DurableFunctionTestRunner(sdk.durable_execution(CASES[case][0])) as runner:
        arn = runner.run_async({"order": 7})
        assert check(runner, arn)["outcome"][1] is ExecutionStatus.RUNNING
        runner.run_until_suspended(arn)
        assert "pending:" in check(runner, arn)["tree"]


def test_an_execution_that_was_stopped_and_one_that_timed_out() -> None:
    with DurableFunctionTestRunner(sdk.durable_execution(waits), execution_timeout=60) as runner:
        arn = runner.run_async()
        runner.run_until_suspended(arn)
        runner.stop_execution(arn, ValueError("enough"))
        assert check(runner, arn)["outcome"][1] is ExecutionStatus.STOPPED
        assert check(runner, runner.run().execution_arn)["outcome"][1] is ExecutionStatus.TIMED_OUT
        bare = runner.run_async()
        runner.stop_execution(bare)
        check(runner, bare)


# ------------------------------------------------------------------------------------ what only others may send


@pytest.mark.parametrize("moment", [START, START.timestamp(), START.isoformat()])
def test_instants_of_boto3_of_the_aws_cli_and_of_raw_answers(moment: Any) -> None:
    read = read_event({"EventId": 1, "EventType": "StepStarted", "EventTimestamp": moment, "Id": "s"})
    assert read.timestamp == START.timestamp() * 1000


@pytest.mark.parametrize("error", [None, {}, {"Truncated": False}])
def test_an_invocation_without_an_error(error: Any) -> None:
    details = {**SUSPENDED["InvocationCompletedDetails"], "Error": error}
    record = read_record(execution("RUNNING"), [STARTED, event(2, "InvocationCompleted", details)])
    assert [each.error for each in record.invocations] == [None]


def test_a_first_attempt_without_retry_details() -> None:
    ended = event(3, "StepSucceeded", {"Result": payload("1"), "RetryDetails": {}}, Id="s")
    record = read_record(execution("RUNNING"), [STARTED, event(2, "StepStarted", Id="s"), ended])
    assert (record.operations[1].status, record.operations[1].details.attempt) == ("SUCCEEDED", 1)


def test_an_operation_whose_start_is_not_told() -> None:
    ended = event(2, "StepFailed", {"Error": {"Payload": {"ErrorMessage": "no"}}}, Id="s", Name="charge")
    operation = read_record(execution("RUNNING"), [STARTED, ended]).operations[1]
    assert (operation.name, operation.status, operation.started_at) == ("charge", "FAILED", operation.ended_at)


def test_events_and_states_of_newer_releases_are_kept() -> None:
    record = read_record(execution("DREAMING"), [STARTED, event(2, "ExecutionDreamt"), event(3, "StepDreamt", Id="s")])
    assert record.header.status is ExecutionStatus.RUNNING
    assert [each.event_type for each in record.events][1:] == ["ExecutionDreamt", "StepDreamt"]


def test_the_end_may_have_come_between_two_calls() -> None:
    ended = event(4, "ExecutionFailed", {"Error": {"Payload": {"ErrorMessage": "no", "ErrorType": "E"}}})
    header = read_record(execution("RUNNING"), [STARTED, OPENED, ended]).header
    assert (header.status, header.error.message, header.ended_at) == ("FAILED", "no", (START.timestamp() + 4) * 1000)


def test_the_whole_result_goes_before_one_that_was_cut_short() -> None:
    cut = event(2, "ExecutionSucceeded", {"Result": {"Truncated": True}})
    assert read_record(execution(), [STARTED, cut]).header.result == '"shipped"'


def test_an_arn_of_an_unknown_form() -> None:
    arn = ARN.replace("$LATEST", "live+1")
    header = read_record(execution(DurableExecutionArn=arn), [STARTED]).header
    assert header.function_arn == "arn:aws:lambda:us-west-2:123456789012:function:orders"

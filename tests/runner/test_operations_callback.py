"""Callbacks: opened, answered, timed out, forgotten."""

from __future__ import annotations

import json
from datetime import timedelta
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

from async_durable_execution_runner.runner import DurableFunctionTestRunner


def opening(**options: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        callback = await sdk.create_callback(name="approval", **options)
        return await callback.result()

    return handler


def submitting(submitter: Any = None, **options: Any) -> Any:
    async def nothing() -> None:
        pass

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.wait_for_callback(submitter or nothing, name="approval", **options)

    return handler


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        ("plain text", "plain text"),
        ("", None),
        (None, None),
        (b'{"status": "approved"}', '{"status": "approved"}'),
        ({"status": "approved"}, '{"status": "approved"}'),
        (["☃"], json.dumps(["☃"])),
        ("☃", "☃"),
        (42, "42"),
        (False, "false"),
    ],
)
def test_an_answer_arrives_as_it_was_sent(answer: Any, text: str | None) -> None:
    with DurableFunctionTestRunner(opening()) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, "approval")
        runner.send_callback_success(callback_id, answer)
        result = runner.wait_for_result(arn)
    assert result.value == text
    assert kinds(result) == [*START, "CallbackStarted", *SUSPENDED, "CallbackSucceeded", *DONE]
    check_history(result.events)
    told = {"Truncated": False} | ({"Payload": text} if text is not None else {})
    assert of(result, "CallbackSucceeded") == [{"Result": told}]
    started, succeeded = event_of(result, "CallbackStarted"), event_of(result, "CallbackSucceeded")
    assert started["CallbackStartedDetails"]["CallbackId"] == callback_id
    assert started["SubType"] == "Callback"
    assert (started["Id"], started["Name"]) == (succeeded["Id"], succeeded["Name"]) == (started["Id"], "approval")
    view = result.get_callback("approval")
    assert (view.callback_id, view.result, view.timeout, view.heartbeat_timeout) == (callback_id, text, None, None)


class Refused(Exception):
    pass


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (None, {}),
        ("not approved", {"ErrorMessage": "not approved"}),
        (Refused("not approved"), {"ErrorMessage": "not approved", "ErrorType": "Refused"}),
        (
            {"ErrorType": "RejectedError", "ErrorMessage": "not approved", "ErrorData": "x", "StackTrace": ["a", "b"]},
            {"ErrorType": "RejectedError", "ErrorMessage": "not approved", "ErrorData": "x", "StackTrace": ["a", "b"]},
        ),
        (
            sdk.ErrorObject(message="m", type="T", data=None, stack_trace=None),
            {"ErrorMessage": "m", "ErrorType": "T"},
        ),
    ],
    ids=["nothing", "message", "exception", "wire", "ErrorObject"],
)
def test_a_failure_arrives_as_it_was_sent(error: Any, told: dict[str, Any]) -> None:
    with DurableFunctionTestRunner(opening()) as runner:
        arn = runner.run_async()
        runner.send_callback_failure(runner.wait_for_callback(arn), error)
        result = runner.wait_for_result(arn)
    assert result.status is sdk.InvocationStatus.FAILED
    assert kinds(result) == [*START, "CallbackStarted", *SUSPENDED, "CallbackFailed", *FAILED]
    assert of(result, "CallbackFailed") == [{"Error": {"Payload": told, "Truncated": False}}]
    assert result.error.message == told.get("ErrorMessage", "Callback failed")


def test_a_failure_can_be_caught() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        callback = await sdk.create_callback(name="approval")
        try:
            return await callback.result()
        except sdk.CallbackError as error:
            return f"caught {error}"

    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("approval", error="no")
        assert runner.run(timeout=20).value == "caught no"


@pytest.mark.parametrize("seconds", [3, timedelta(days=30)])
@pytest.mark.parametrize("make", [opening, submitting])
def test_a_timeout_comes_on_the_clock(seconds: Any, make: Any) -> None:
    result = run(make(timeout=seconds))
    whole = seconds if isinstance(seconds, int) else 30 * 86_400
    assert result.status is sdk.InvocationStatus.FAILED
    assert virtual_seconds(result) == whole
    assert of(result, "CallbackStarted")[0]["Timeout"] == whole
    assert of(result, "CallbackTimedOut")[0]["Error"]["Payload"]["ErrorType"] == "Callback.Timeout"
    name = "approval" if make is opening else "approval-callback"
    view = result.get_callback(name)
    assert view.status is sdk.OperationStatus.TIMED_OUT
    assert view.timeout == whole
    assert view.error.type == "Callback.Timeout"


def test_a_missing_heartbeat_comes_on_the_clock() -> None:
    result = run(opening(timeout=3600, heartbeat_timeout=30))
    assert virtual_seconds(result) == 30
    assert of(result, "CallbackStarted")[0]["HeartbeatTimeout"] == 30
    assert of(result, "CallbackTimedOut")[0]["Error"]["Payload"]["ErrorType"] == "Callback.Heartbeat"


def test_heartbeats_keep_it_open_and_leave_no_event() -> None:
    with DurableFunctionTestRunner(opening(timeout=100, heartbeat_timeout=30)) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        for _ in range(3):
            runner.advance(29)
            runner.send_callback_heartbeat(callback_id)
        assert kinds(runner.get_execution_history(arn)) == [*START, "CallbackStarted", *SUSPENDED]
        result = runner.wait_for_result(arn)
    assert virtual_seconds(result) == 100
    assert of(result, "CallbackTimedOut")[0]["Error"]["Payload"]["ErrorType"] == "Callback.Timeout"


def test_opening_does_not_suspend() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> str:
            return "done"

        first = await sdk.create_callback(name="first")
        second = await sdk.create_callback(name="second")
        await sdk.step(work, name="work")
        await sdk.wait(60, name="pause")
        return [await first.result(), await second.result()]

    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("first", result="1", after=10).on_callback("second", result="2", after=100)
        result = runner.run(timeout=20)
    assert result.value == ["1", "2"]
    # Every completion from outside brings an invocation of its own.
    assert kinds(result) == [
        *START, "CallbackStarted", "CallbackStarted", *STEP, "WaitStarted", *SUSPENDED,
        "CallbackSucceeded", *SUSPENDED, "WaitSucceeded", *SUSPENDED, "CallbackSucceeded", *DONE,
    ]  # fmt: skip
    check_history(result.events)


def test_a_serializer_reads_the_answer() -> None:
    result_of_many = []

    class Doubled(sdk.SerDes[int]):
        async def serialize(self, value: Any) -> str:
            return json.dumps(value)

        async def deserialize(self, data: str) -> int:
            result_of_many.append(data)
            return 2 * int(data)

    with DurableFunctionTestRunner(opening(serdes=Doubled())) as runner:
        runner.on_callback("approval", result=21)
        assert runner.run(timeout=20).value == 42
    assert result_of_many == ["21"]


# ----------------------------------------------------------------------------------------------- wait_for_callback


def test_the_whole_history_of_wait_for_callback() -> None:
    ids: list[str] = []

    async def submit() -> None:
        ids.append(sdk.get_current_context().callback_id)

    with DurableFunctionTestRunner(submitting(submit)) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, "approval-callback")
        assert ids == [callback_id]
        runner.send_callback_success(callback_id, "yes")
        result = runner.wait_for_result(arn)
    assert result.value == "yes"
    assert kinds(result) == [
        *START, "ContextStarted", "CallbackStarted", *STEP, *SUSPENDED, "CallbackSucceeded", "ContextSucceeded", *DONE,
    ]  # fmt: skip
    check_history(result.events)
    context = event_of(result, "ContextStarted")
    assert context["Name"] == "approval"
    if SDK_VERSION >= (2, 5):
        assert context["SubType"] == "WaitForCallback"
    assert "ParentId" not in context
    inner = {
        event["Name"]: event.get("ParentId") for event in result.events if event.get("Name", "approval") != "approval"
    }
    assert inner == {"approval-callback": context["Id"], "approval-submitter": context["Id"]}
    view = result.get_context("approval")
    assert [child.name for child in view.child_operations] == ["approval-callback", "approval-submitter"]
    assert view.get_callback("approval-callback").value == "yes"


@pytest.mark.parametrize("name", ["approval", "approval-callback", "approval*", "appr?val"])
def test_a_callback_is_found_by_the_name_of_its_operation_too(name: str) -> None:
    with DurableFunctionTestRunner(submitting()) as runner:
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn, name), "yes")
        assert runner.wait_for_result(arn).value == "yes"
        runner.on_callback(name, result="scripted")
        assert runner.run(timeout=20).value == "scripted"


def test_of_several_open_callbacks_the_oldest() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        callbacks = [await sdk.create_callback(name=name) for name in ("b", "a", "c")]
        return [await each.result() for each in callbacks]

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        runner.wait_for_callback(arn, "c")
        for answer in ("first", "second", "third"):
            runner.send_callback_success(runner.wait_for_callback(arn, "*"), answer)
        assert runner.wait_for_result(arn).value == ["first", "second", "third"]


def test_a_submitter_that_fails_at_first() -> None:
    tries: list[int] = []

    async def submit() -> None:
        tries.append(1)
        if len(tries) < 2:
            raise ConnectionError("mail server")

    handler = submitting(submit, retry_strategy=sdk.RetryStrategy(initial_delay=5, backoff_rate=1))
    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("approval*", result="yes", after=60)
        result = runner.run(timeout=20)
    assert result.value == "yes"
    assert len(tries) == 2
    assert "StepFailed" in kinds(result)


def test_a_submitter_that_fails_for_good_leaves_the_callback_without_an_event() -> None:
    async def submit() -> None:
        raise ConnectionError("mail server")

    result = run(submitting(submit, retry_strategy=sdk.RetryStrategy.none()))
    assert result.status is sdk.InvocationStatus.FAILED
    assert kinds(result) == [
        *START, "ContextStarted", "CallbackStarted", "StepStarted", "StepFailed", "ContextFailed", *FAILED,
    ]  # fmt: skip
    assert result.get_callback("approval-callback").status is sdk.OperationStatus.STARTED
    assert "mail server" in result.error.message


def test_a_callback_in_a_child_context() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def submit() -> None:
            pass

        async def child() -> Any:
            return await sdk.wait_for_callback(submit, name="approval", heartbeat_timeout=60)

        return await sdk.run_in_child_context(child, name="child")

    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("*", result="yes", after=200, heartbeat_every=50)
        result = runner.run(timeout=20)
    assert result.value == "yes"
    child, approval = result.get_context("child"), result.get_context("approval")
    assert approval.parent_id == child.operation_id
    assert child.get_callback("approval-callback").heartbeat_timeout == 60
    assert virtual_seconds(result) == 200


def test_the_submitter_itself_gives_the_answer() -> None:
    runner = DurableFunctionTestRunner(None)

    async def submit() -> None:
        runner.client.send_durable_execution_callback_success(
            CallbackId=sdk.get_current_context().callback_id, Result=b"at once"
        )

    runner.register_durable_function("test-function", submitting(submit))
    with runner:
        result = runner.run(timeout=20)
    assert result.value == "at once"
    check_history(result.events)
    assert sorted(kinds(result)) == sorted(
        [*START, "ContextStarted", "CallbackStarted", *STEP, "CallbackSucceeded", "ContextSucceeded", *DONE]
        + SUSPENDED * (len(result.invocations) - 1)
    )
    assert virtual_seconds(result) == 0


def test_many_callbacks_answered_in_any_order() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        callbacks = [await sdk.create_callback(name=f"callback-{n}") for n in range(10)]
        return [await each.result() for each in callbacks]

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        ids = [runner.wait_for_callback(arn, f"callback-{n}") for n in range(10)]
        for n in (7, 3, 9, 0, 1, 2, 4, 8, 6, 5):
            runner.send_callback_success(ids[n], n)
        result = runner.wait_for_result(arn)
    assert result.value == [str(n) for n in range(10)]
    check_history(result.events)


def test_a_wait_for_callback_is_answered_by_the_name_its_author_gave_it() -> None:
    async def submit() -> None:
        pass

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.wait_for_callback(submit, name="approval", timeout=60)

    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("approval", result="scripted")
        assert runner.run().value == "scripted"
    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("approv*", result="by a glob").on_callback("other", result="no", optional=True)
        assert runner.run().value == "by a glob"
    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn, "approval"), "sent")
        assert runner.wait_for_result(arn).value == "sent"

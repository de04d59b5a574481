"""Every operation of AWS's own SDK, with its whole history."""

from __future__ import annotations

from typing import Any

import pytest
from aws_kit import (
    DONE,
    FAILED,
    RELEASE,
    START,
    STEP,
    SUSPENDED,
    check_history,
    config,
    durable,
    kinds,
    of,
    retries,
    retrying,
    run,
    sdk,
    seconds,
    service,
    since,
    virtual_seconds,
    waits,
)

from async_durable_execution_runner import DurableFunctionTestRunner

Status = service.OperationStatus


@since(1, 5)  # earlier ones do not say again that a step has started
def test_a_step_is_retried_until_it_succeeds() -> None:
    attempts: list[int] = []

    def flaky(_: Any) -> str:
        attempts.append(1)
        if len(attempts) < 3:
            raise ConnectionError("not yet")
        return "charged"

    handler = durable(lambda event, context: context.step(flaky, name="charge", config=retrying(5, 60)))
    result = run(handler).ensure_succeeded()
    assert result.value == "charged"
    retried = ["StepStarted", "StepFailed", *SUSPENDED]
    assert kinds(result) == [*START, *retried * 2, *STEP, *DONE]
    first, second = of(result, "StepFailed", "charge")
    assert first["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 60}
    assert second["RetryDetails"]["CurrentAttempt"] == 2
    assert of(result, "StepSucceeded")[0]["RetryDetails"]["CurrentAttempt"] == 3
    assert virtual_seconds(result) == 120
    assert len({event["Id"] for event in result.events if event.get("Name") == "charge"}) == 1
    assert result.get_step("charge").attempt == 3
    check_history(result.events)


@since(1, 5)  # earlier ones do not say again that a step has started
def test_a_step_that_gives_up_fails_the_execution_with_the_sdks_error() -> None:
    def decline(_: Any) -> None:
        raise ValueError("declined")

    handler = durable(lambda event, context: context.step(decline, name="charge", config=retrying(2, 1)))
    result = run(handler)
    assert kinds(result) == [*START, "StepStarted", "StepFailed", *SUSPENDED, "StepStarted", "StepFailed", *FAILED]
    assert "NextAttemptDelaySeconds" not in of(result, "StepFailed")[1]["RetryDetails"]
    assert result.get_step("charge").status is Status.FAILED
    assert "declined" in str(result.error)
    assert isinstance(result.error, service.ErrorObject)


def test_a_failed_step_can_be_caught_and_replay_adds_nothing() -> None:
    def decline(_: Any) -> None:
        raise ValueError("declined")

    @durable
    def handler(event: Any, context: Any) -> str:
        try:
            context.step(decline, name="charge", config=retrying(1, 1))
        except Exception as error:  # noqa: BLE001 - its class has another name in every release
            context.wait(seconds(5), name="later")
            return f"caught {error}"
        return "never"

    result = run(handler)
    assert kinds(result) == [
        *START, "StepStarted", "StepFailed", "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE
    ]  # fmt: skip
    assert "declined" in result.value


@since(1, 5)
@pytest.mark.parametrize("semantics", ["AT_LEAST_ONCE_PER_RETRY", "AT_MOST_ONCE_PER_RETRY"])
def test_an_interrupted_step_by_its_semantics(semantics: str) -> None:
    runs: list[int] = []

    def crash_once(_: Any) -> str:
        runs.append(1)
        if len(runs) == 1:
            raise SystemExit(1)
        return "done"

    chosen = config.StepSemantics[semantics]
    options = config.StepConfig(retry_strategy=retrying(3, 2).retry_strategy, step_semantics=chosen)
    result = run(durable(lambda event, context: context.step(crash_once, name="charge", config=options)))
    assert result.ensure_succeeded().value == "done"
    assert of(result, "InvocationCompleted")[0]["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"
    if semantics == "AT_LEAST_ONCE_PER_RETRY":
        assert kinds(result) in (
            [*START, "StepStarted", *SUSPENDED, "StepSucceeded", *DONE],
            # The start of such a step is not waited for, so that a crash may be faster.
            [*START, *SUSPENDED, *STEP, *DONE],
        )
    else:
        assert kinds(result) == [*START, "StepStarted", *SUSPENDED, "StepFailed", *SUSPENDED, *STEP, *DONE]
        assert of(result, "StepFailed")[0]["RetryDetails"] == {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 2}


def test_a_wait() -> None:
    handler = durable(lambda event, context: context.wait(config.Duration.from_days(300), name="long"))
    result = run(handler).ensure_succeeded()
    assert kinds(result) == [*START, "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE]
    assert of(result, "WaitStarted")[0]["Duration"] == of(result, "WaitSucceeded")[0]["Duration"] == 300 * 86400
    assert result.get_wait("long").status is Status.SUCCEEDED


def test_a_wait_that_is_too_short_is_refused_by_the_sdk_before_anything_is_recorded() -> None:
    result = run(durable(lambda event, context: context.wait(config.Duration(), name="none")))
    assert kinds(result) == [*START, *FAILED]
    assert "ValidationError" in str(result.error.type)


@pytest.mark.parametrize("answer", ["success", "failure", "timeout", "heartbeat"])
def test_a_callback(answer: str) -> None:
    options = config.CallbackConfig(timeout=seconds(60), heartbeat_timeout=seconds(20))

    @durable
    def handler(event: Any, context: Any) -> Any:
        callback = context.create_callback(name="approval", config=options)
        context.step(lambda _: "asked", name="ask")
        return callback.result()

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, "approval")
        if answer == "success":
            runner.send_callback_success(callback_id, '{"status": "approved"}')
        elif answer == "failure":
            runner.send_callback_failure(callback_id, ValueError("not approved"))
        elif answer == "timeout":
            for _ in range(3):
                runner.advance(15)
                runner.send_callback_heartbeat(callback_id)
        result = runner.wait_for_result(arn)
    kind = {"success": "CallbackSucceeded", "failure": "CallbackFailed"}.get(answer, "CallbackTimedOut")
    ended = DONE if answer == "success" else FAILED
    assert kinds(result) == [*START, "CallbackStarted", *STEP, *SUSPENDED, kind, *ended]
    started = of(result, "CallbackStarted")[0]
    assert (started["CallbackId"], started["Timeout"], started["HeartbeatTimeout"]) == (callback_id, 60, 20)
    if answer == "success":
        assert of(result, kind)[0]["Result"]["Payload"] == '{"status": "approved"}'
        assert result.value == '{"status": "approved"}'  # callbacks of this SDK are text unless told otherwise
    else:
        error = of(result, kind)[0]["Error"]["Payload"]["ErrorType"]
        assert error == {"failure": "ValueError", "timeout": "Callback.Timeout"}.get(answer, "Callback.Heartbeat")
    assert virtual_seconds(result) == {"timeout": 60, "heartbeat": 20}.get(answer, 0)


def test_wait_for_callback_with_its_submitter() -> None:
    submitted: list[str] = []

    @durable
    def handler(event: Any, context: Any) -> Any:
        def submit(callback_id: str, _: Any) -> None:
            submitted.append(callback_id)

        return context.wait_for_callback(submit, name="approval")

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn, "approval")
        runner.send_callback_success(callback_id, "yes")
        result = runner.wait_for_result(arn).ensure_succeeded()
    assert submitted == [callback_id]
    assert kinds(result) == [
        *START, "ContextStarted", "CallbackStarted", *STEP, *SUSPENDED, "CallbackSucceeded", "ContextSucceeded", *DONE
    ]  # fmt: skip
    outer = result.events[1]
    assert outer["Name"] == "approval"
    assert outer["SubType"] == "WaitForCallback" or (outer["SubType"] == "RunInChildContext" and RELEASE < (2, 0))
    assert {event["ParentId"] for event in result.events[2:5]} == {outer["Id"]}
    check_history(result.events)


def test_a_submitter_that_fails_for_good_leaves_the_callback_open() -> None:
    def submit(callback_id: str, _: Any) -> None:
        raise ValueError("no such address")

    never = config.WaitForCallbackConfig(retry_strategy=lambda error, attempt: retries.RetryDecision.no_retry())
    handler = durable(lambda event, context: context.wait_for_callback(submit, name="approval", config=never))
    result = run(handler)
    assert kinds(result) == [
        *START, "ContextStarted", "CallbackStarted", "StepStarted", "StepFailed", "ContextFailed", *FAILED
    ]  # fmt: skip
    assert "no such address" in str(result.error)


def polls(until: int, delay: int, initial: int = 0) -> Any:
    def decide(state: int, attempt: int) -> Any:
        if state >= until:
            return waits.WaitForConditionDecision.stop_polling()
        return waits.WaitForConditionDecision.continue_waiting(seconds(delay))

    return waits.WaitForConditionConfig(wait_strategy=decide, initial_state=initial)


def test_wait_for_condition_polls_with_its_state() -> None:
    handler = durable(
        lambda event, context: context.wait_for_condition(lambda state, _: state + 1, polls(3, 30), name="poll")
    )
    result = run(handler).ensure_succeeded()
    assert result.value == 3
    assert kinds(result) == [*START, *[*STEP, *SUSPENDED] * 2, *STEP, *DONE]
    assert [each["Result"]["Payload"] for each in of(result, "StepSucceeded")] == ["1", "2", "3"]
    assert of(result, "StepSucceeded")[0]["RetryDetails"]["NextAttemptDelaySeconds"] == 30
    assert {event["SubType"] for event in result.events if event.get("Name") == "poll"} == {"WaitForCondition"}
    assert virtual_seconds(result) == 60


def test_wait_for_condition_whose_check_fails_is_not_retried() -> None:
    def check(state: int, _: Any) -> int:
        raise ValueError("unreadable")

    result = run(durable(lambda event, context: context.wait_for_condition(check, polls(3, 30), name="poll")))
    assert kinds(result) == [*START, "StepStarted", "StepFailed", *FAILED]


def test_a_child_context_is_not_started_again_after_it_was_suspended() -> None:
    def child(context: Any) -> list[str]:
        first = context.step(lambda _: "packed", name="pack")
        context.wait(seconds(3600), name="dry")
        return [first, context.step(lambda _: "sent", name="send")]

    result = run(durable(lambda event, context: context.run_in_child_context(child, name="ship")))
    assert result.ensure_succeeded().value == ["packed", "sent"]
    assert kinds(result) == [
        *START, "ContextStarted", *STEP, "WaitStarted", *SUSPENDED, "WaitSucceeded", *STEP, "ContextSucceeded", *DONE
    ]  # fmt: skip
    ship = result.get_context("ship")
    assert ship.value == ["packed", "sent"]
    assert [each.parent_id for each in ship.child_operations] == [ship.operation_id] * 3
    check_history(result.events)


def test_a_child_context_that_fails() -> None:
    def child(context: Any) -> None:
        raise ValueError("out of paper")

    result = run(durable(lambda event, context: context.run_in_child_context(child, name="ship")))
    assert kinds(result) == [*START, "ContextStarted", "ContextFailed", *FAILED]
    assert of(result, "ContextFailed")[0]["Error"]["Payload"]["ErrorMessage"] == "out of paper"


def test_a_large_result_of_a_child_is_computed_again_from_its_children() -> None:
    bodies: list[int] = []

    def child(context: Any) -> str:
        bodies.append(1)
        return str(context.step(lambda _: "x", name="letter")) * 400_000

    @durable
    def handler(event: Any, context: Any) -> int:
        text = context.run_in_child_context(child, name="large")
        context.wait(seconds(1), name="pause")
        return len(text)

    result = run(handler).ensure_succeeded()
    assert result.value == 400_000
    assert len(bodies) == 2
    assert kinds(result) == [
        *START, "ContextStarted", *STEP, "ContextSucceeded", "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE
    ]  # fmt: skip


def test_a_large_result_of_the_execution_goes_by_a_checkpoint() -> None:
    result = run(durable(lambda event, context: "y" * 6_200_000))
    assert kinds(result) == [*START, *DONE] or result.execution_status.value == "FAILED"


@since(1, 1)  # 1.0 does not find the results of chained invokes
@pytest.mark.parametrize("kind", ["durable", "plain", "failing", "unknown"])
def test_chained_invokes(kind: str) -> None:
    def plain(event: Any, context: Any) -> Any:
        if kind == "failing":
            raise ValueError("out of stock")
        return {"got": event}

    @durable
    def target(event: Any, context: Any) -> Any:
        context.wait(seconds(60), name="office hours")
        return {"got": event}

    handler = durable(lambda event, context: context.invoke("stock:$LATEST", {"item": "lamp"}, name="ask"))
    with DurableFunctionTestRunner(handler) as runner:
        if kind == "durable":
            runner.register_durable_function("stock", target)
        elif kind != "unknown":
            runner.register_function("stock", plain)
        result = runner.run(timeout=20)
    if kind in ("durable", "plain"):
        assert result.ensure_succeeded().value == {"got": {"item": "lamp"}}
        assert kinds(result) == [*START, "ChainedInvokeStarted", *SUSPENDED, "ChainedInvokeSucceeded", *DONE]
        assert of(result, "ChainedInvokeStarted")[0]["Input"]["Payload"] == '{"item": "lamp"}'
        assert result.get_invoke("ask").status is Status.SUCCEEDED
    else:
        assert result.status.value == "FAILED"
        assert result.get_invoke("ask").status is Status.FAILED
        assert ("out of stock" if kind == "failing" else "stock") in str(result.error)


@since(1, 1)
def test_stubbed_invokes() -> None:
    handler = durable(lambda event, context: context.invoke("stock", {"item": "lamp"}, name="ask"))
    with DurableFunctionTestRunner(handler) as runner:
        runner.mock_invoke("stock", result={"left": 3}, after=90)
        result = runner.run()
    assert result.ensure_succeeded().value == {"left": 3}
    assert virtual_seconds(result) == 90


@since(2, 1)
def test_with_retry_runs_a_block_again_after_a_durable_wait() -> None:
    tried: list[int] = []

    def block(context: Any, attempt: int) -> str:
        context.step(lambda _: tried.append(attempt), name=f"try {attempt}")
        if attempt < 3:
            raise ConnectionError("not yet")
        return f"after {attempt}"

    strategy = retrying(5, 10).retry_strategy
    options = sdk.WithRetryConfig(retry_strategy=strategy)
    result = run(durable(lambda event, context: sdk.with_retry(context, block, options, name="block")))
    assert result.ensure_succeeded().value == "after 3"
    assert tried == [1, 2, 3]
    again = [*STEP, "WaitStarted", *SUSPENDED, "WaitSucceeded"]
    assert kinds(result) == [*START, "ContextStarted", *again * 2, *STEP, "ContextSucceeded", *DONE]
    assert result.get_wait("block-backoff-2").status is Status.SUCCEEDED
    assert virtual_seconds(result) == 20


def test_inputs_and_lambda_contexts() -> None:
    seen: list[Any] = []

    @durable
    def handler(event: Any, context: Any) -> Any:
        seen.append(context.lambda_context.aws_request_id)
        context.wait(seconds(1))
        return event

    assert run(handler, {"items": ["lämp"], "total": 2.5}).value == {"items": ["lämp"], "total": 2.5}
    assert len(set(seen)) == 2


def test_what_is_no_json_cannot_be_returned() -> None:
    result = run(durable(lambda event, context: object()))
    assert kinds(result) == [*START, *FAILED]
    assert "not JSON serializable" in result.error.message

"""Callbacks: opening, answering, timeouts, heartbeats, and every id that cannot be answered."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from machine_kit import ERROR, Handler, Service, callback, context, step, wait

from async_durable_execution_runner._engine.callbacks import Answer, Responder, open_callbacks
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.limits import ServiceLimits
from async_durable_execution_runner.exceptions import (
    CallbackTimeoutException,
    InvalidParameterValueException,
    ResourceNotFoundException,
    ValidationException,
)


def suspended(service: Service, *updates: dict[str, Any]) -> Handler:
    """A handler that has opened what it was told and gone to sleep."""
    handler = service.begin()
    handler.checkpoint(*updates)
    handler.suspend()
    return handler


def success(service: Service, callback_id: str, **more: Any) -> None:
    service.client.send_durable_execution_callback_success(CallbackId=callback_id, **more)


def failure(service: Service, callback_id: str, **more: Any) -> None:
    service.client.send_durable_execution_callback_failure(CallbackId=callback_id, **more)


def beat(service: Service, callback_id: str) -> None:
    service.client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)


EVERY_ANSWER = pytest.mark.parametrize("answer", [success, failure, beat])
Answering = Callable[[Service, str], None]


def test_the_started_event_has_the_id_and_the_timeouts_that_were_set() -> None:
    service = Service()
    handler = suspended(service, callback("plain"), callback("both", 60, 30))
    plain, both = (event["CallbackStartedDetails"] for event in service.events(handler.arn)[1:3])
    assert plain == {"CallbackId": service.callback_id(handler.arn, "plain")}
    assert both == {"CallbackId": service.callback_id(handler.arn, "both"), "Timeout": 60, "HeartbeatTimeout": 30}
    assert plain["CallbackId"] != both["CallbackId"]


def test_creating_a_callback_does_not_suspend() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c"))
    handler.checkpoint(step("s"), step("s", "SUCCEED"))
    assert service.kinds(handler.arn) == ["CallbackStarted", "StepStarted", "StepSucceeded"]


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (b'{"status": "approved"}', '{"status": "approved"}'),
        (bytearray(b"raw"), "raw"),
        ("text", "text"),
        (io.BytesIO(b"file"), "file"),
        ("é".encode(), "é"),
    ],
)
def test_a_result_is_kept_verbatim(result: Any, kept: str) -> None:
    service = Service()
    handler = suspended(service, callback("c", Name="ask", SubType="Callback"))
    success(service, service.callback_id(handler.arn, "c"), Result=result)
    event = service.last(handler.arn, "CallbackSucceeded")
    assert event["CallbackSucceededDetails"] == {"Result": {"Payload": kept, "Truncated": False}}
    assert (event["Id"], event["Name"], event["SubType"]) == ("c", "ask", "Callback")
    assert service.operation(handler.arn, "c")["CallbackDetails"]["Result"] == kept
    assert service.take().input.updated_operation_ids == ("c",)


@pytest.mark.parametrize("given", [{}, {"Result": None}, {"Result": b""}])
def test_success_without_a_payload(given: dict[str, Any]) -> None:
    service = Service()
    handler = suspended(service, callback("c"))
    success(service, service.callback_id(handler.arn, "c"), **given)
    assert service.details(handler.arn, "CallbackSucceeded") == {"Result": {"Truncated": False}}
    assert "Result" not in service.operation(handler.arn, "c")["CallbackDetails"]


@pytest.mark.parametrize(("given", "kept"), [({"Error": ERROR}, ERROR), ({}, {})])
def test_failure(given: dict[str, Any], kept: dict[str, Any]) -> None:
    service = Service()
    handler = suspended(service, callback("c"))
    failure(service, service.callback_id(handler.arn, "c"), **given)
    assert service.details(handler.arn, "CallbackFailed") == {"Error": {"Payload": kept, "Truncated": False}}
    assert service.operation(handler.arn, "c")["Status"] == "FAILED"
    assert service.is_ready(handler.arn)


def test_a_result_that_is_no_text_is_refused() -> None:
    service = Service()
    handler = suspended(service, callback("c"))
    with pytest.raises(InvalidParameterValueException, match="UTF-8"):
        success(service, service.callback_id(handler.arn, "c"), Result=b"\xff")
    assert service.operation(handler.arn, "c")["Status"] == "STARTED"


# ------------------------------------------------------------------------------------------------------ timeouts


@pytest.mark.parametrize(
    ("options", "kind", "due"),
    [((20, 0), "Callback.Timeout", 20), ((0, 7), "Callback.Heartbeat", 7), ((5, 7), "Callback.Timeout", 5)],
)
def test_timeouts(options: tuple[int, int], kind: str, due: int) -> None:
    service = Service()
    handler = suspended(service, callback("c", *options, Name="ask"))
    again = service.next_handler()
    assert service.elapsed == due
    event = service.last(handler.arn, "CallbackTimedOut")
    assert event["CallbackTimedOutDetails"]["Error"]["Payload"]["ErrorType"] == kind
    assert event["Name"] == "ask"
    assert service.operation(handler.arn, "c")["Status"] == "TIMED_OUT"
    assert service.operation(handler.arn, "c")["CallbackDetails"]["Error"]["ErrorType"] == kind
    again.fail()
    assert service.armed(handler.arn) == [], "the other timeout is gone"


def test_both_timeouts_at_one_instant_are_one_event() -> None:
    service = Service()
    handler = suspended(service, callback("c", 5, 5))
    service.at(5)
    assert service.kinds(handler.arn).count("CallbackTimedOut") == 1


def test_a_timeout_runs_while_the_execution_sleeps_on_something_else() -> None:
    service = Service()
    handler = suspended(service, callback("c", 5), wait("w", 60))
    service.next_handler().suspend()
    assert service.elapsed == 5
    service.next_handler().succeed()
    assert service.kinds(handler.arn)[3::2] == ["CallbackTimedOut", "WaitSucceeded", "ExecutionSucceeded"]


def test_a_heartbeat_begins_the_heartbeat_timeout_anew() -> None:
    service = Service()
    handler = suspended(service, callback("c", 25, 10))
    for instant in (8, 16, 24):
        service.at(instant)
        beat(service, service.callback_id(handler.arn, "c"))
    assert service.operation(handler.arn, "c")["Status"] == "STARTED"
    service.at(40)
    assert service.elapsed == 40
    error = service.details(handler.arn, "CallbackTimedOut")["Error"]["Payload"]
    assert error["ErrorType"] == "Callback.Timeout", "heartbeats do not move the other timeout"


def test_a_callback_without_a_heartbeat_timeout_takes_heartbeats() -> None:
    service = Service()
    handler = suspended(service, callback("c"))
    beat(service, service.callback_id(handler.arn, "c"))
    assert service.armed(handler.arn) == []


@pytest.mark.parametrize("answer", [success, failure])
def test_an_answer_ends_both_timeouts(answer: Answering) -> None:
    service = Service()
    handler = suspended(service, callback("c", 20, 10))
    answer(service, service.callback_id(handler.arn, "c"))
    assert service.armed(handler.arn) == []


# -------------------------------------------------------------------------------------------------- no such thing


@EVERY_ANSWER
@pytest.mark.parametrize(
    "text",
    [
        "x",
        "not/ours",
        base64.b64encode(b"[1,2]").decode(),
        base64.b64encode(b'"a"').decode(),
        base64.b64encode(b"5").decode(),
        base64.b64encode(b'["a"]').decode(),
    ],
)
def test_a_malformed_id(answer: Answering, text: str) -> None:
    with pytest.raises(InvalidParameterValueException, match="Invalid callback id"):
        answer(Service(), text)


@EVERY_ANSWER
@pytest.mark.parametrize("text", ["", "white space", "a" * 1025])
def test_an_id_of_the_wrong_shape(answer: Answering, text: str) -> None:
    with pytest.raises(ValidationException, match="callbackId"):
        answer(Service(), text)


@EVERY_ANSWER
def test_an_unknown_id(answer: Answering) -> None:
    service = Service()
    handler = suspended(service, callback("c"), step("s"))
    for parts in (["arn:nobody", "c"], [handler.arn, "nothing"], [handler.arn, "s"]):
        text = base64.b64encode(json.dumps(parts).encode()).decode()
        with pytest.raises(ResourceNotFoundException, match="Callback not found"):
            answer(service, text)


@EVERY_ANSWER
def test_a_closed_callback(answer: Answering) -> None:
    service = Service()
    handler = suspended(service, callback("c", Name="ask"))
    text = service.callback_id(handler.arn, "c")
    success(service, text, Result="1")
    before = service.events(handler.arn)
    with pytest.raises(CallbackTimeoutException, match="'ask' is closed: it is SUCCEEDED") as caught:
        answer(service, text)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400  # type: ignore[attr-defined]
    assert service.events(handler.arn) == before


@EVERY_ANSWER
def test_a_callback_whose_execution_is_over(answer: Answering) -> None:
    service = Service()
    handler = suspended(service, callback("c"))
    text = service.callback_id(handler.arn, "c")
    assert [each.id for each in open_callbacks(service.execution(handler.arn))] == ["c"]
    service.executor.stop(handler.arn, None, service.now)
    assert open_callbacks(service.execution(handler.arn)) == []
    with pytest.raises(CallbackTimeoutException, match="its execution is STOPPED"):
        answer(service, text)
    assert service.operation(handler.arn, "c")["Status"] == "STARTED"


def test_open_callbacks_are_listed_oldest_first() -> None:
    service = Service()
    handler = suspended(service, wait("w"), callback("b"), callback("a"), callback("c"))
    failure(service, service.callback_id(handler.arn, "a"))
    assert [each.id for each in open_callbacks(service.execution(handler.arn))] == ["b", "c"]


@pytest.mark.parametrize("timed_out_by", ["request", "listing"])
def test_on_a_clock_that_goes_by_itself_a_late_answer_is_late(timed_out_by: str) -> None:
    """Nobody has looked at the deadlines since they came: the next request does."""
    service = Service()
    handler = suspended(service, callback("c", 5))
    text = service.callback_id(handler.arn, "c")
    service.clock.move_to(service.began + 6000)
    if timed_out_by == "listing":
        assert service.kinds(handler.arn)[-1] == "CallbackTimedOut"
    with pytest.raises(CallbackTimeoutException):
        success(service, text)


# ------------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (Answer(result="é" * 6), "CALLBACK result payload size must be less than or equal to 10 bytes."),
        (
            Answer(error=ErrorObject(message="m" * 5, type="t" * 3, data="d" * 2, stack_trace=("s",))),
            "Error object size must be less than or equal to 10 bytes.",
        ),
    ],
)
def test_answers_that_are_too_large(answer: Answer, message: str) -> None:
    service = Service(callback_payload_bytes=10, error_bytes=10)
    handler = suspended(service, callback("c"))
    text = service.callback_id(handler.arn, "c")
    given = (
        {"Result": (answer.result or "").encode()}
        if answer.error is None
        else {"Error": {"ErrorMessage": "m" * 5, "ErrorType": "t" * 3, "ErrorData": "d" * 2, "StackTrace": ["s"]}}
    )
    send = success if answer.error is None else failure
    with pytest.raises(InvalidParameterValueException) as caught:
        send(service, text, **given)
    assert caught.value.message == message
    assert service.operation(handler.arn, "c")["Status"] == "STARTED"
    success(service, text, Result=b"0123456789")
    assert service.operation(handler.arn, "c")["Status"] == "SUCCEEDED"


def test_the_limits_at_launch() -> None:
    limits = ServiceLimits.of_2025_12()
    assert limits.callback_payload_bytes == limits.error_bytes == 262_144
    assert ServiceLimits.of_2026_10() == ServiceLimits()


# ------------------------------------------------------------------------------------- while something else goes on


def test_an_answer_while_the_handler_runs_is_told_in_its_next_checkpoint() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c"), step("s"))
    success(service, service.callback_id(handler.arn, "c"), Result=b"1")
    assert not service.is_ready(handler.arn)
    assert handler.told(step("s", "SUCCEED")) == [("c", "SUCCEEDED"), ("s", "SUCCEEDED")]


def test_an_answer_that_the_handler_was_not_told_of_brings_another_invocation() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c"), callback("other"))
    success(service, service.callback_id(handler.arn, "c"))
    handler.suspend()
    assert service.take().input.updated_operation_ids == ("c",)


def test_an_answer_during_a_crash_backoff_waits_for_the_backoff() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c"), wait("w", 2))
    handler.crash()
    success(service, service.callback_id(handler.arn, "c"))
    service.at(3)
    assert not service.is_ready(handler.arn)
    again = service.next_handler()
    assert service.elapsed == 5
    assert again.input.updated_operation_ids == ("c", "w")
    assert service.kinds(handler.arn)[2:] == ["InvocationCompleted", "CallbackSucceeded", "WaitSucceeded"]


def test_a_submitter_that_fails_leaves_the_callback_open_and_without_an_event() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(
        context("c", SubType="WaitForCallback"),
        callback("c-1", ParentId="c"),
        step("c-2", ParentId="c"),
        step("c-2", "FAIL", ParentId="c", Error=ERROR),
        context("c", "FAIL", SubType="WaitForCallback", Error=ERROR),
    )
    handler.fail()
    assert service.kinds(handler.arn)[-3:] == ["ContextFailed", "InvocationCompleted", "ExecutionFailed"]
    assert service.operation(handler.arn, "c-1")["Status"] == "STARTED"


# ------------------------------------------------------------------------------------------------------- scripted


def test_a_scripted_answer_comes_after_its_heartbeats() -> None:
    service = Service()
    service.responders.scripted.append(
        Responder(pattern="ask", answer=Answer(result="1"), after=25_000, heartbeat_every=8_000)
    )
    handler = suspended(service, callback("c", beat=10, Name="ask"))
    service.next_handler()
    assert service.elapsed == 25
    assert service.details(handler.arn, "CallbackSucceeded")["Result"]["Payload"] == "1"
    assert service.responders.unused() == []


def test_an_exact_name_goes_before_a_glob_and_the_unused_are_known() -> None:
    service = Service()
    glob, exact = Responder(pattern="a*", answer=Answer(result="glob")), Responder(pattern="ab", answer=Answer())
    spare = Responder(pattern="never", answer=Answer(), optional=True)
    service.responders.scripted += [glob, exact, spare]
    handler = suspended(service, callback("c", Name="ab"), callback("d"))
    assert service.responders.unused() == [glob]
    service.at(0)
    assert "Result" not in service.operation(handler.arn, "c")["CallbackDetails"]
    assert service.operation(handler.arn, "d")["Status"] == "STARTED", "nothing fits an operation without a name"


def test_a_scripted_answer_that_comes_too_late_is_refused_in_silence() -> None:
    service = Service()
    service.responders.scripted.append(Responder(pattern="*", answer=Answer(error=ErrorObject()), after=9_000))
    handler = suspended(service, callback("c", 5))
    service.at(10)
    assert service.kinds(handler.arn)[2:] == ["CallbackTimedOut"]


def test_scripted_answers_go_with_their_execution() -> None:
    service = Service()
    service.responders.scripted.append(Responder(pattern="*", answer=Answer(), after=9_000, heartbeat_every=1_000))
    handler = suspended(service, callback("c"))
    assert len(service.armed(handler.arn)) == 9
    service.executor.stop(handler.arn, None, service.now)
    assert service.armed(handler.arn) == []
    assert service.executor.timers.earliest() is None

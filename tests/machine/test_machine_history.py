"""What stands in the history: numbers, order, envelope and details of every kind of operation."""

from __future__ import annotations

from typing import Any

import pytest
from machine_kit import ERROR, Service, callback, context, execution, operations_of, step, update, wait

SUSPENDED = "InvocationCompleted"
END = ["InvocationCompleted", "ExecutionSucceeded"]


def seconds(service: Service, event: dict[str, Any]) -> float:
    return event["EventTimestamp"].timestamp() - service.began / 1000


# ------------------------------------------------------------------------------------------- numbers and order


def test_a_handler_that_checkpoints_nothing_leaves_three_events() -> None:
    service = Service()
    handler = service.begin()
    handler.succeed('"HELLO"')
    events = service.events(handler.arn)
    assert [(event["EventId"], event["EventType"]) for event in events] == [
        (1, "ExecutionStarted"),
        (2, "InvocationCompleted"),
        (3, "ExecutionSucceeded"),
    ]
    assert events[0]["ExecutionStartedDetails"] == {
        "Input": {"Payload": '{"n":1}', "Truncated": False},
        "ExecutionTimeout": 0,
    }
    assert events[2]["ExecutionSucceededDetails"] == {"Result": {"Payload": '"HELLO"', "Truncated": False}}
    assert all({"Name", "SubType", "ParentId"}.isdisjoint(event) for event in events)
    # That of the EXECUTION operation; AWS's runners for deployed functions refuse any other event without one.
    own = handler.arn.rpartition("/")[2]
    assert [event.get("Id") for event in events] == [own, None, own]


def test_ids_go_on_across_invocations_and_leave_no_hole() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"), step("a", "SUCCEED", Payload="1"), wait("w"))
    handler.suspend()
    service.at(10)
    handler = service.take()
    handler.checkpoint(step("b"))
    handler.checkpoint(step("b", "SUCCEED"))
    handler.succeed()
    assert service.kinds(handler.arn) == [
        "StepStarted",
        "StepSucceeded",
        "WaitStarted",
        SUSPENDED,
        "WaitSucceeded",
        "StepStarted",
        "StepSucceeded",
        *END,
    ]
    assert [event["EventId"] for event in service.events(handler.arn)] == list(range(1, 11))


def test_events_of_a_batch_come_in_the_order_of_its_updates_at_one_instant() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(
        context("c", SubType="WaitForCallback", Name="ask"),
        callback("c-1", ParentId="c"),
        step("c-2", ParentId="c"),
        step("c-2", "SUCCEED", ParentId="c"),
    )
    assert service.kinds(handler.arn) == ["ContextStarted", "CallbackStarted", "StepStarted", "StepSucceeded"]
    assert {seconds(service, event) for event in service.events(handler.arn)} == {0.0}


def test_what_happens_outside_comes_after_the_invocation_and_before_the_next_one() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c"), wait("w", 20))
    handler.suspend()
    service.client.send_durable_execution_callback_success(CallbackId=service.callback_id(handler.arn, "c"))
    service.take().suspend()
    service.at(20)
    service.take().succeed()
    assert service.kinds(handler.arn) == [
        "CallbackStarted",
        "WaitStarted",
        SUSPENDED,
        "CallbackSucceeded",
        SUSPENDED,
        "WaitSucceeded",
        *END,
    ]


def test_two_completions_at_one_instant_are_two_events_and_one_invocation() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("a", 5), wait("b", 5))
    handler.suspend()
    service.at(5)
    again = service.take()
    assert again.input.updated_operation_ids == ("a", "b")
    assert not service.executor.ready
    assert service.kinds(handler.arn)[-2:] == ["WaitSucceeded", "WaitSucceeded"]
    assert [event["Id"] for event in service.events(handler.arn)[-2:]] == ["a", "b"]


def test_the_start_of_an_invocation_a_heartbeat_and_an_empty_checkpoint_write_nothing() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c", beat=60))
    before = service.events(handler.arn)
    service.client.send_durable_execution_callback_heartbeat(CallbackId=service.callback_id(handler.arn, "c"))
    handler.state()
    assert service.events(handler.arn) == before


# ---------------------------------------------------------------------------------------------------- envelope


def test_every_event_of_an_operation_has_its_envelope() -> None:
    service = Service()
    handler = service.begin()
    envelope = {"Name": "my step", "SubType": "Step", "ParentId": "ctx"}
    handler.checkpoint(
        context("ctx", Name="outer", SubType="RunInChildContext"),
        step("s" * 64, **envelope),
        step("s" * 64, "FAIL", Error=ERROR, **envelope),
        context("ctx", "SUCCEED", Name="outer", SubType="RunInChildContext", Payload="HELLO CHILD"),
    )
    events = service.events(handler.arn)[1:]
    for event in events[1:3]:
        assert {key: event[key] for key in ("Id", *envelope)} == {"Id": "s" * 64, **envelope}
    for event in (events[0], events[3]):
        assert (event["Id"], event["Name"], event["SubType"]) == ("ctx", "outer", "RunInChildContext")
        assert "ParentId" not in event
    assert events[0]["ContextStartedDetails"] == {}
    assert events[1]["StepStartedDetails"] == {}
    assert events[3]["ContextSucceededDetails"] == {"Result": {"Payload": "HELLO CHILD", "Truncated": False}}


def test_an_operation_without_a_name_has_none() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"))
    assert {"Name", "SubType", "ParentId"}.isdisjoint(service.last(handler.arn, "StepStarted"))


def test_errors_are_objects_and_payloads_are_verbatim() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"), step("a", "FAIL", Error=ERROR), step("b"), step("b", "SUCCEED", Payload='{"a": 1}'))
    assert service.details(handler.arn, "StepFailed")["Error"] == {"Payload": ERROR, "Truncated": False}
    assert service.details(handler.arn, "StepSucceeded")["Result"] == {"Payload": '{"a": 1}', "Truncated": False}


# ------------------------------------------------------------------------------------------------------- steps


def test_a_step_that_succeeds_at_once() -> None:
    service = Service()
    handler = service.begin()
    assert handler.told(step("a"), step("a", "SUCCEED", Payload='"x"')) == [("a", "SUCCEEDED")]
    assert service.kinds(handler.arn) == ["StepStarted", "StepSucceeded"]
    assert service.details(handler.arn, "StepSucceeded")["RetryDetails"] == {"CurrentAttempt": 1}
    operation = service.operation(handler.arn, "a")
    assert operation["StepDetails"] == {"Attempt": 1, "Result": '"x"'}
    assert operation["StartTimestamp"] == operation["EndTimestamp"]


def test_each_attempt_is_a_pair_and_the_delay_passes_through() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"), step("a", "RETRY", Error=ERROR, delay=2))
    assert service.details(handler.arn, "StepFailed")["RetryDetails"] == {
        "CurrentAttempt": 1,
        "NextAttemptDelaySeconds": 2,
    }
    pending = service.operation(handler.arn, "a")
    assert pending["Status"] == "PENDING"
    assert pending["StepDetails"]["Attempt"] == 1
    assert pending["StepDetails"]["Error"] == ERROR
    assert pending["StepDetails"]["NextAttemptTimestamp"].timestamp() == service.began / 1000 + 2
    assert "EndTimestamp" not in pending
    handler.suspend()
    assert not service.is_ready(handler.arn)

    handler = service.next_handler()
    assert service.elapsed == 2
    assert handler.input.updated_operation_ids == ("a",)
    assert service.operation(handler.arn, "a")["Status"] == "READY"
    assert service.kinds(handler.arn)[-1] == SUSPENDED, "a delay that is over is no event"
    handler.checkpoint(step("a"))
    assert "NextAttemptTimestamp" not in service.operation(handler.arn, "a")["StepDetails"]
    handler.checkpoint(step("a", "RETRY", Error=ERROR, delay=6))
    handler.suspend()

    handler = service.next_handler()
    assert service.elapsed == 8
    handler.checkpoint(step("a"), step("a", "FAIL", Error=ERROR))
    handler.fail()
    assert service.kinds(handler.arn) == [
        *(["StepStarted", "StepFailed", SUSPENDED] * 3),
        "ExecutionFailed",
    ]
    assert service.details(handler.arn, "StepFailed")["RetryDetails"] == {"CurrentAttempt": 3}
    assert {each["Id"] for each in service.events(handler.arn) if each["EventType"].startswith("Step")} == {"a"}


def test_success_after_a_retry_tells_the_attempt() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"), step("a", "RETRY", Error=ERROR, delay=1))
    handler.suspend()
    handler = service.next_handler()
    handler.checkpoint(step("a"), step("a", "SUCCEED", Payload="2"))
    assert service.details(handler.arn, "StepSucceeded")["RetryDetails"] == {"CurrentAttempt": 2}
    assert service.operation(handler.arn, "a")["StepDetails"] == {"Attempt": 2, "Result": "2"}


def test_at_most_once_after_a_crash_fails_the_interrupted_attempt() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"))
    handler.crash()
    handler = service.next_handler()
    handler.checkpoint(step("a", "RETRY", Error=ERROR, delay=3))
    handler.suspend()
    handler = service.next_handler()
    handler.checkpoint(step("a"), step("a", "SUCCEED"))
    handler.succeed()
    assert service.kinds(handler.arn) == [
        "StepStarted",
        SUSPENDED,
        "StepFailed",
        SUSPENDED,
        "StepStarted",
        "StepSucceeded",
        *END,
    ]
    completed = [each for each in service.events(handler.arn) if each["EventType"] == SUSPENDED]
    assert completed[0]["InvocationCompletedDetails"]["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"
    assert service.details(handler.arn, "StepSucceeded")["RetryDetails"]["CurrentAttempt"] == 2


def test_at_least_once_after_a_crash_needs_no_second_start() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"))
    handler.crash()
    handler = service.next_handler()
    handler.checkpoint(step("a", "SUCCEED"))
    handler.succeed()
    assert service.kinds(handler.arn) == ["StepStarted", SUSPENDED, "StepSucceeded", *END]


@pytest.mark.parametrize("action", ["SUCCEED", "FAIL"])
def test_a_step_whose_delay_is_over_may_end_without_starting_again(action: str) -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"), step("a", "RETRY", delay=1))
    handler.suspend()
    assert service.next_handler().told(step("a", action)) == [("a", f"{action}ED")]


# --------------------------------------------------------------------------------------------- wait for condition


def test_every_poll_is_a_pair_that_tells_the_new_state() -> None:
    service = Service()
    handler = service.begin()
    polling = {"SubType": "WaitForCondition", "Name": "poll"}
    for state in ("1", "2"):
        handler.checkpoint(step("p", **polling), step("p", "RETRY", Payload=state, delay=2, **polling))
        handler.suspend()
        handler = service.next_handler()
        assert handler.input.operations[-1].details.result == state  # type: ignore[union-attr]
    handler.checkpoint(
        step("p", **polling), step("p", "SUCCEED", Payload="3", **polling), step("n"), step("n", "SUCCEED")
    )
    handler.succeed()
    assert service.kinds(handler.arn) == [
        *(["StepStarted", "StepSucceeded", SUSPENDED] * 2),
        *(["StepStarted", "StepSucceeded"] * 2),
        *END,
    ]
    polls = [
        event["StepSucceededDetails"]
        for event in service.events(handler.arn)
        if event.get("Name") == "poll" and event["EventType"] == "StepSucceeded"
    ]
    assert [poll["Result"]["Payload"] for poll in polls] == ["1", "2", "3"]
    assert [poll["RetryDetails"] for poll in polls] == [
        {"CurrentAttempt": 1, "NextAttemptDelaySeconds": 2},
        {"CurrentAttempt": 2, "NextAttemptDelaySeconds": 2},
        {"CurrentAttempt": 3},
    ]
    assert {event["SubType"] for event in service.events(handler.arn) if event.get("Name") == "poll"} == {
        "WaitForCondition"
    }


def test_the_state_of_a_poll_survives_the_start_of_the_next_one() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("p"), step("p", "RETRY", Payload="state", delay=1))
    handler.suspend()
    handler = service.next_handler()
    handler.checkpoint(step("p"))
    assert service.operation(handler.arn, "p")["StepDetails"] == {"Attempt": 1, "Result": "state"}


# ------------------------------------------------------------------------------------------------------- waits


def test_a_wait_tells_its_duration_at_both_ends() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 3600, Name="an hour"))
    handler.suspend()
    started = service.details(handler.arn, "WaitStarted")
    assert started["Duration"] == 3600
    assert started["ScheduledEndTimestamp"].timestamp() == service.began / 1000 + 3600
    handler = service.next_handler()
    assert service.elapsed == 3600
    assert service.details(handler.arn, "WaitSucceeded") == {"Duration": 3600}
    assert service.last(handler.arn, "WaitSucceeded")["Name"] == "an hour"
    assert service.operation(handler.arn, "w")["Status"] == "SUCCEEDED"


def test_a_wait_that_is_over_while_the_handler_runs_is_told_in_a_checkpoint() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 5), step("slow"))
    service.at(7)
    assert handler.told(step("slow", "SUCCEED")) == [("w", "SUCCEEDED"), ("slow", "SUCCEEDED")]
    handler.succeed()
    assert service.kinds(handler.arn) == ["WaitStarted", "StepStarted", "WaitSucceeded", "StepSucceeded", *END]
    assert len(service.execution(handler.arn).invocations) == 1
    assert seconds(service, service.last(handler.arn, "WaitSucceeded")) == 5


def test_an_empty_checkpoint_may_let_time_pass() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 5))
    assert [each["Status"] for each in operations_of(handler.checkpoint())] == ["SUCCEEDED"]
    assert service.elapsed == 5


def test_a_cancelled_wait() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 5), wait("v", 5))
    assert handler.told(update("WAIT", "CANCEL", "w"), update("WAIT", "CANCEL", "v", Error=ERROR)) == [
        ("w", "CANCELLED"),
        ("v", "CANCELLED"),
    ]
    assert service.kinds(handler.arn)[-2:] == ["WaitCancelled", "WaitCancelled"]
    assert service.events(handler.arn)[-2]["WaitCancelledDetails"] == {}
    assert service.details(handler.arn, "WaitCancelled")["Error"]["Payload"] == ERROR
    assert service.armed(handler.arn) == ["invocation timeout"]


def test_a_wait_started_and_cancelled_in_one_batch_leaves_no_deadline() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 5), update("WAIT", "CANCEL", "w"))
    assert service.armed(handler.arn) == ["invocation timeout"]


# ---------------------------------------------------------------------------------------------------- contexts


def test_contexts_nest_and_may_fail() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(
        context("p", SubType="Parallel"),
        context("p-1", SubType="ParallelBranch", ParentId="p"),
        step("p-1-1", ParentId="p-1"),
        step("p-1-1", "FAIL", ParentId="p-1", Error=ERROR),
        context("p-1", "FAIL", SubType="ParallelBranch", ParentId="p", Error=ERROR),
        context("p", "SUCCEED", SubType="Parallel", Payload="{}"),
    )
    assert service.kinds(handler.arn) == [
        "ContextStarted",
        "ContextStarted",
        "StepStarted",
        "StepFailed",
        "ContextFailed",
        "ContextSucceeded",
    ]
    assert service.details(handler.arn, "ContextFailed") == {"Error": {"Payload": ERROR, "Truncated": False}}


def test_a_context_that_fails_without_an_error_still_has_the_key() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(context("c"), context("c", "FAIL"))
    assert service.details(handler.arn, "ContextFailed") == {"Error": {"Truncated": False}}


def test_suspension_in_a_context_writes_nothing_for_it() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(context("c"), wait("w", 1, ParentId="c"))
    handler.suspend()
    handler = service.next_handler()
    handler.checkpoint(context("c", "SUCCEED"))
    assert service.kinds(handler.arn) == [
        "ContextStarted",
        "WaitStarted",
        SUSPENDED,
        "WaitSucceeded",
        "ContextSucceeded",
    ]


# --------------------------------------------------------------------------------------------------- execution


def test_the_result_by_checkpoint_ends_the_execution_with_its_invocation() -> None:
    service = Service()
    handler = service.begin()
    answer = handler.checkpoint(step("a"), execution(Payload='"large"'))
    assert "CheckpointToken" not in answer, "the handler has nothing more to say"
    assert service.kinds(handler.arn) == ["StepStarted"]
    assert service.status(handler.arn) == "RUNNING"
    handler.succeed("")
    assert service.kinds(handler.arn) == ["StepStarted", *END]
    assert service.details(handler.arn, "ExecutionSucceeded")["Result"]["Payload"] == '"large"'


def test_the_failure_by_checkpoint_ends_the_execution_whatever_the_handler_answers() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(execution("FAIL", Error=ERROR))
    handler.suspend()
    assert service.details(handler.arn, "ExecutionFailed")["Error"]["Payload"] == ERROR

    handler = service.begin()
    handler.checkpoint(execution("FAIL"))
    handler.crash()
    assert service.details(handler.arn, "ExecutionFailed") == {"Error": {"Payload": {}, "Truncated": False}}
    assert service.details(handler.arn, SUSPENDED)["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"


def test_the_input_may_be_missing() -> None:
    service = Service()
    handler = service.begin(payload=None)
    assert service.details(handler.arn, "ExecutionStarted")["Input"] == {"Truncated": False}
    handler.succeed(None)
    assert service.details(handler.arn, "ExecutionSucceeded")["Result"] == {"Truncated": False}

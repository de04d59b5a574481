"""Pausing, resuming and deleting executions."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
from machine_kit import Handler, Service, callback, execution, step, wait

from async_durable_execution_runner._engine.callbacks import Answer, answer_callback
from async_durable_execution_runner._engine.client import InMemoryServiceClient, Unhurried
from async_durable_execution_runner._engine.pausing import PauseRequest
from async_durable_execution_runner._engine.resume import resume
from async_durable_execution_runner._model.enums import ExecutionStatus
from async_durable_execution_runner._wire.border import BotocoreWire
from async_durable_execution_runner._wire.history_reader import read_record
from async_durable_execution_runner._wire.rendering import render_execution
from async_durable_execution_runner.clock import VirtualClock, from_millis
from async_durable_execution_runner.exceptions import (
    InvalidParameterValueException,
    ResourceConflictException,
    ResourceNotFoundException,
)

YEAR = 366 * 86_400


def pause(service: Service, arn: str, **more: Any) -> None:
    request = PauseRequest(timeout_paused=more.pop("timeout_paused", True), **more)
    service.executor.pausing.pause(arn, request, service.now)


def go_on(service: Service, arn: str, **more: Any) -> None:
    service.executor.pausing.resume(arn, PauseRequest(**more), service.now)


def asleep(service: Service, *updates: dict[str, Any], **more: Any) -> Handler:
    handler = service.begin(**more)
    handler.checkpoint(*updates)
    handler.suspend()
    return handler


def taken_up(before: Service, arn: str, *, after: float = 0) -> Service:
    """Another service on the same store, in which the execution was resumed after a crash."""
    clock = VirtualClock(from_millis(before.now + int(after * 1000)))
    service = Service(clock=clock, store=before.store)
    resume(service.executor, before.store.load(arn), service.now)
    assert service.execution(arn).snapshot() == service.store.load(arn)
    return service


# ---------------------------------------------------------------------------------------- while nothing runs


def test_one_that_sleeps_is_paused_at_once() -> None:
    service = Service()
    arn = asleep(service, wait("w", 10)).arn
    service.at(3)
    pause(service, arn, reason="stock-taking")
    assert service.status(arn) == "PAUSED"
    details = service.details(arn, "ExecutionPaused")
    assert details == {
        "PauseRequestTimestamp": from_millis(service.now),
        "ExecutionTimeoutPaused": True,
        "Reason": {"Payload": "stock-taking", "Truncated": False},
    }
    hidden = service.events(arn, IncludeExecutionData=False)[-1]["ExecutionPausedDetails"]
    assert hidden["Reason"] == {"Truncated": True}
    found = service.client.get_durable_execution(DurableExecutionArn=arn)
    assert found["PauseDetails"] == {
        "PauseRequestTimestamp": from_millis(service.now),
        "ExecutionTimeoutPaused": True,
        "Reason": "stock-taking",
    }


def test_what_it_waits_for_still_ends_and_the_handler_hears_of_it_afterwards() -> None:
    service = Service()
    arn = asleep(service, wait("w", 10), callback("c")).arn
    pause(service, arn)
    service.at(20)
    answer_callback(service.executor, service.callback_id(arn, "c"), Answer(result="yes"), service.now)
    assert service.kinds(arn)[-3:] == ["ExecutionPaused", "WaitSucceeded", "CallbackSucceeded"]
    assert not service.executor.ready
    go_on(service, arn, reason="done")
    assert service.status(arn) == "RUNNING"
    assert service.details(arn, "ExecutionResumed") == {
        "ResumeRequestTimestamp": from_millis(service.now),
        "Reason": {"Payload": "done", "Truncated": False},
    }
    assert "PauseDetails" not in service.client.get_durable_execution(DurableExecutionArn=arn)
    handler = service.take()
    assert set(handler.input.updated_operation_ids or ()) == {"w", "c"}


def test_nothing_has_happened_so_nothing_is_invoked() -> None:
    service = Service()
    arn = asleep(service, callback("c")).arn
    pause(service, arn)
    go_on(service, arn)
    assert not service.executor.ready
    assert service.details(arn, "ExecutionResumed") == {"ResumeRequestTimestamp": from_millis(service.now)}
    answer_callback(service.executor, service.callback_id(arn, "c"), Answer(), service.now)
    assert service.is_ready(arn)


def test_one_that_was_to_be_invoked_waits_for_that() -> None:
    service = Service()
    arn = service.start()
    pause(service, arn)
    assert not service.executor.ready
    go_on(service, arn)
    service.take().succeed()
    assert service.status(arn) == "SUCCEEDED"


def test_a_retry_and_a_backoff_wait_too() -> None:
    service = Service()
    retried = asleep(service, step("s"), step("s", "RETRY", delay=2)).arn
    crashed = service.begin()
    crashed.crash()
    for arn in (retried, crashed.arn):
        pause(service, arn)
    service.at(60)
    assert not service.executor.ready
    assert service.operation(retried, "s")["Status"] == "READY"
    for arn in (retried, crashed.arn):
        go_on(service, arn)
        assert service.is_ready(arn)


# --------------------------------------------------------------------------------------- while the handler runs


def test_the_next_checkpoint_takes_its_token_away() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"))
    pause(service, handler.arn)
    assert service.status(handler.arn) == "PAUSING"
    assert "ExecutionPaused" not in service.kinds(handler.arn)
    service.at(5)
    answer = handler.checkpoint(step("a", "SUCCEED", Payload="1"))
    assert "CheckpointToken" not in answer
    assert service.status(handler.arn) == "PAUSED"
    paused = service.last(handler.arn, "ExecutionPaused")
    assert paused["EventTimestamp"] == from_millis(service.now), "when it paused"
    requested = paused["ExecutionPausedDetails"]["PauseRequestTimestamp"]
    assert (paused["EventTimestamp"] - requested).total_seconds() == 5
    handler.suspend()
    assert service.kinds(handler.arn) == ["StepStarted", "StepSucceeded", "ExecutionPaused", "InvocationCompleted"]
    assert not service.executor.ready
    go_on(service, handler.arn)
    assert service.is_ready(handler.arn), "the pause has cut an invocation off"


def test_a_checkpoint_that_brings_nothing_is_one_too() -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    assert "CheckpointToken" not in handler.checkpoint()
    assert service.status(handler.arn) == "PAUSED"


def test_another_checkpoint_of_it_is_refused() -> None:
    service = Service()
    handler = service.begin()
    token = handler.token
    pause(service, handler.arn)
    answer = handler.checkpoint(step("a"), ClientToken="t")
    assert handler.checkpoint(step("a"), token=token, ClientToken="t") == answer, "but not its repetition"
    with pytest.raises(InvalidParameterValueException, match="the execution is paused"):
        handler.checkpoint(step("b"), token=token)


def test_a_refused_checkpoint_does_not_pause() -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    with pytest.raises(InvalidParameterValueException):
        handler.checkpoint(step("a", "SUCCEED"), step("a", "SUCCEED"))
    assert service.status(handler.arn) == "PAUSING"
    assert "CheckpointToken" not in handler.checkpoint(step("a"))


def test_one_that_suspends_first_is_paused_then() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(callback("c"))
    pause(service, handler.arn)
    handler.suspend()
    assert service.kinds(handler.arn)[-2:] == ["InvocationCompleted", "ExecutionPaused"]
    go_on(service, handler.arn)
    assert not service.executor.ready, "no invocation was cut off"


def test_one_that_crashes_first_is_paused_then() -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    handler.crash()
    assert service.status(handler.arn) == "PAUSED"
    service.at(60)
    assert not service.executor.ready
    go_on(service, handler.arn)
    assert service.is_ready(handler.arn)


@pytest.mark.parametrize("end", ["succeed", "checkpoint"])
def test_one_that_ends_first_is_over(end: str) -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    if end == "checkpoint":
        handler.checkpoint(step("a"), execution())
    handler.succeed()
    assert service.status(handler.arn) == "SUCCEEDED"
    assert "ExecutionPaused" not in service.kinds(handler.arn)
    assert service.execution(handler.arn).header.pause is None


def test_one_that_ends_although_it_was_cut_off_is_over() -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    handler.checkpoint(step("a"))
    handler.succeed()
    assert service.status(handler.arn) == "SUCCEEDED"
    assert service.armed(handler.arn) == []


def test_a_pause_that_is_taken_back_leaves_no_trace() -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    go_on(service, handler.arn)
    assert service.status(handler.arn) == "RUNNING"
    assert "CheckpointToken" in handler.checkpoint(callback("c"))
    handler.suspend()
    assert service.kinds(handler.arn) == ["CallbackStarted", "InvocationCompleted"]


def test_one_that_goes_on_before_the_cut_invocation_is_over() -> None:
    service = Service()
    handler = service.begin()
    pause(service, handler.arn)
    handler.checkpoint(callback("c"))
    go_on(service, handler.arn)
    assert not service.executor.ready, "one invocation at a time"
    handler.suspend()
    assert service.is_ready(handler.arn)
    assert service.kinds(handler.arn)[-2:] == ["ExecutionResumed", "InvocationCompleted"]


# ----------------------------------------------------------------------------------------------------- timeouts


def test_the_execution_timeout_stands_still() -> None:
    service = Service()
    arn = asleep(service, callback("c"), execution_timeout=100).arn
    service.at(40)
    pause(service, arn)
    service.at(1000)
    assert service.status(arn) == "PAUSED"
    go_on(service, arn)
    service.at(1059)
    assert service.status(arn) == "RUNNING"
    service.at(1060)
    assert service.status(arn) == "TIMED_OUT"


def test_several_pauses_add_up() -> None:
    service = Service()
    arn = asleep(service, callback("c"), execution_timeout=100).arn
    for start in (10, 60):
        service.at(start)
        pause(service, arn)
        service.at(start + 40)
        go_on(service, arn)
    service.at(179)
    assert service.status(arn) == "RUNNING"
    service.at(180)
    assert service.status(arn) == "TIMED_OUT"


def test_the_execution_timeout_goes_on_if_that_is_asked_for() -> None:
    service = Service()
    arn = asleep(service, callback("c"), execution_timeout=100).arn
    pause(service, arn, timeout_paused=False)
    assert service.details(arn, "ExecutionPaused")["ExecutionTimeoutPaused"] is False
    service.at(50)
    go_on(service, arn)
    pause(service, arn, timeout_paused=False)
    service.at(100)
    assert service.status(arn) == "TIMED_OUT"
    assert service.execution(arn).header.pause is None


def test_nothing_lasts_longer_than_366_days() -> None:
    service = Service()
    arn = asleep(service, callback("c"), execution_timeout=YEAR - 10).arn
    service.at(5)
    pause(service, arn)
    service.at(100)
    go_on(service, arn)
    service.at(YEAR - 1)
    assert service.status(arn) == "RUNNING"
    pause(service, arn)
    service.at(YEAR)
    assert service.status(arn) == "TIMED_OUT"


# ---------------------------------------------------------------------------------------------- wrong requests


def test_what_can_be_paused_and_resumed() -> None:
    service = Service()
    handler = service.begin()
    with pytest.raises(ResourceConflictException, match="is RUNNING and cannot be resumed"):
        go_on(service, handler.arn)
    pause(service, handler.arn)
    with pytest.raises(ResourceConflictException, match="is PAUSING and cannot be paused"):
        pause(service, handler.arn)
    handler.checkpoint(step("a"))
    with pytest.raises(ResourceConflictException, match="is PAUSED and cannot be paused"):
        pause(service, handler.arn)
    service.executor.stop(handler.arn, None, service.now)
    assert service.status(handler.arn) == "STOPPED"
    for attempt in (pause, go_on):
        with pytest.raises(ResourceConflictException, match="is STOPPED"):
            attempt(service, handler.arn)
        with pytest.raises(ResourceNotFoundException):
            attempt(service, handler.arn + "0")


def test_a_repeated_request_is_no_mistake_for_15_minutes() -> None:
    service = Service()
    arn = asleep(service, callback("c")).arn
    pause(service, arn, client_token="t", reason="a")
    pause(service, arn, client_token="t", reason="a")
    with pytest.raises(InvalidParameterValueException, match="other parameters"):
        pause(service, arn, client_token="t", reason="b")
    go_on(service, arn, client_token="u")
    go_on(service, arn, client_token="u")
    assert service.kinds(arn)[-2:] == ["ExecutionPaused", "ExecutionResumed"]
    service.at(901)
    pause(service, arn, client_token="t", reason="a")
    assert service.status(arn) == "PAUSED"


# --------------------------------------------------------------------------------------------- after a crash


def test_what_is_paused_stays_so_in_another_process() -> None:
    before = Service()
    arn = asleep(before, wait("w", 10), callback("c"), execution_timeout=100).arn
    before.at(5)
    pause(before, arn, reason="night")
    after = taken_up(before, arn, after=60)
    assert sorted(after.armed(arn)) == ["execution timeout", "wait"]
    assert after.status(arn) == "PAUSED"
    assert after.operation(arn, "w")["Status"] == "SUCCEEDED"
    assert not after.executor.ready
    go_on(after, arn)
    assert after.is_ready(arn)
    after.at(94.9)
    assert after.status(arn) == "RUNNING"
    after.at(95)
    assert after.status(arn) == "TIMED_OUT"


def test_one_that_was_never_invoked_stays_so() -> None:
    before = Service()
    arn = before.start()
    pause(before, arn)
    after = taken_up(before, arn)
    assert not after.executor.ready
    go_on(after, arn)
    assert after.is_ready(arn)


@pytest.mark.parametrize("suspended", [True, False])
def test_a_cut_invocation_is_known_of(suspended: bool) -> None:
    before = Service()
    handler = before.begin()
    pause(before, handler.arn)
    handler.checkpoint(callback("c"))
    if suspended:
        handler.suspend()
    after = taken_up(before, handler.arn, after=60)
    after.at(30)
    assert not after.executor.ready
    go_on(after, handler.arn)
    assert after.is_ready(handler.arn)


def test_one_that_was_pausing_is_paused() -> None:
    before = Service()
    handler = before.begin()
    handler.checkpoint(callback("c"))
    pause(before, handler.arn)
    after = taken_up(before, handler.arn)
    assert after.status(handler.arn) == "PAUSED"
    assert after.kinds(handler.arn)[-2:] == ["InvocationCompleted", "ExecutionPaused"]


# ------------------------------------------------------------------------------------------------------- looking


def test_listings_know_the_states() -> None:
    service = Service()
    paused = asleep(service, callback("c")).arn
    pause(service, paused)
    pausing = service.begin().arn
    pause(service, pausing)
    running = service.begin().arn

    def listed(*statuses: str) -> set[str]:
        page = client_of(service).list_durable_executions_by_function(FunctionName="fn", Statuses=list(statuses))
        return {each["DurableExecutionArn"] for each in page["DurableExecutions"]}

    assert listed("PAUSED") == {paused}
    assert listed("PAUSING") == {pausing}
    assert listed("RUNNING") == {running}
    assert listed("PAUSED", "PAUSING", "RUNNING") == {paused, pausing, running}


@pytest.mark.parametrize("status", ExecutionStatus)
def test_which_states_are_the_last(status: ExecutionStatus) -> None:
    assert status.is_over is (status not in {"RUNNING", "PAUSING", "PAUSED"})


def test_a_paused_one_is_read_back_from_the_wire() -> None:
    service = Service()
    arn = asleep(service, callback("c")).arn
    pause(service, arn, reason="night")
    record = service.execution(arn).snapshot()
    read = read_record(render_execution(record.header), service.events(arn))
    assert read.events[-1] == record.events[-1]
    assert (read.header.status, read.operations[0].status) == ("PAUSED", "STARTED")
    assert read.header.pause is not None
    assert read.header.pause.reason == "night"


# --------------------------------------------------------------------------------------------- by the API's names


class Lenient(BotocoreWire):
    """As if the installed model had every operation."""

    def check(self, operation: str, params: Mapping[str, Any]) -> None:
        """Take everything."""


def client_of(service: Service) -> InMemoryServiceClient:
    return InMemoryServiceClient(
        service.executor, service.scheduler, service.clock, Lenient(), threading.RLock(), Unhurried()
    )


def test_the_operations_of_the_api() -> None:
    service = Service()
    client = client_of(service)
    arn = asleep(service, callback("c")).arn
    assert client.pause_durable_execution(DurableExecutionArn=arn, Reason="night", ExecutionTimeoutPaused=False) == {}
    assert service.details(arn, "ExecutionPaused")["ExecutionTimeoutPaused"] is False
    assert client.resume_durable_execution(DurableExecutionArn=arn) == {}
    client.pause_durable_execution(DurableExecutionArn=arn)
    assert service.details(arn, "ExecutionPaused")["ExecutionTimeoutPaused"] is True
    with pytest.raises(ResourceConflictException, match="PAUSED and cannot be deleted: stop it first"):
        client.delete_durable_execution(DurableExecutionArn=arn)
    client.stop_durable_execution(DurableExecutionArn=arn)
    deleted = client.delete_durable_execution(DurableExecutionArn=arn)
    assert deleted == {"DeletionRequestTimestamp": from_millis(service.now)}
    for again in (client.delete_durable_execution, client.get_durable_execution):
        with pytest.raises(ResourceNotFoundException):
            again(DurableExecutionArn=arn)
    with pytest.raises(ResourceNotFoundException):
        service.store.load(arn)


def test_what_runs_on_after_its_execution_was_deleted_is_not_heard() -> None:
    service = Service()
    handler = service.begin(execution_name="n")
    request_id = handler.input.request_id
    service.executor.stop(handler.arn, None, service.now)
    assert service.executor.is_under_way(handler.arn, request_id)
    service.executor.delete(handler.arn)
    assert not service.executor.is_under_way(handler.arn, request_id)
    service.executor.extend_invocation(handler.arn, request_id, service.now + 1)
    handler.succeed()
    with pytest.raises(ResourceNotFoundException):
        handler.checkpoint(step("a"))
    assert service.start(execution_name="n") != handler.arn, "the name is free"


def test_one_of_the_store_alone_is_deleted() -> None:
    before = Service()
    handler = before.begin()
    handler.succeed()
    after = Service(store=before.store)
    after.executor.delete(handler.arn)
    with pytest.raises(ResourceNotFoundException):
        after.executor.delete(handler.arn)


def test_an_invocation_can_be_given_more_time() -> None:
    service = Service(invocation_timeout=10)
    handler = service.begin()
    assert not service.executor.is_under_way(handler.arn, "another")
    service.executor.extend_invocation(handler.arn, handler.input.request_id, service.now + 15_000)
    service.at(14)
    assert service.kinds(handler.arn) == []
    service.at(15)
    assert service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]["ErrorType"] == "Sandbox.Timedout"

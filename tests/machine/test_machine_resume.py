"""An execution taken up again from what the store has kept of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from machine_kit import Handler, Service, callback, context, execution, invoke, step, update, wait

from async_durable_execution_runner._engine.functions import (
    DurableFunction,
    Function,
    InvokeOutcome,
    PlainFunction,
    StubbedFunction,
)
from async_durable_execution_runner._engine.resume import latest_instant, resume
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.execution import ExecutionRecord
from async_durable_execution_runner.clock import VirtualClock, from_millis
from async_durable_execution_runner.stores.memory import MemoryExecutionStore

FUNCTIONS: dict[str, Function] = {
    "child": DurableFunction(handler=None),
    "plain": PlainFunction(handler=None),
    "stub": StubbedFunction(outcome=InvokeOutcome(status="SUCCEEDED", result="1"), after=4_000),
}


def service(**more: Any) -> Service:
    return Service(functions=FUNCTIONS, **more)


def taken_up(before: Service, arn: str, *, pause: float = 0, functions: Any = FUNCTIONS) -> Service:
    """Another service on the same store, after a while, that has resumed an execution."""
    clock = VirtualClock(from_millis(before.now + int(pause * 1000)))
    after = Service(functions=functions, clock=clock, store=before.store)
    resume(after.executor, before.store.load(arn), after.now)
    assert after.execution(arn).snapshot() == after.store.load(arn)
    return after


def asleep(before: Service, *updates: dict[str, Any], **more: Any) -> Handler:
    handler = before.begin(**more)
    handler.checkpoint(*updates)
    handler.suspend()
    return handler


def test_one_that_was_never_invoked() -> None:
    before = service()
    arn = before.start(execution_name="n")
    after = taken_up(before, arn)
    assert after.is_ready(arn)
    after.take().succeed()
    assert after.status(arn) == "SUCCEEDED"
    assert after.start(execution_name="n") == arn, "its name is known again"


def test_one_that_is_over() -> None:
    before = service()
    handler = before.begin()
    handler.succeed()
    after = taken_up(before, handler.arn)
    assert after.status(handler.arn) == "SUCCEEDED"
    assert not after.executor.ready
    assert after.armed(handler.arn) == []


def test_an_interrupted_invocation_counts_as_crashed() -> None:
    before = service()
    handler = before.begin()
    handler.checkpoint(step("a"), wait("w", 3))
    after = taken_up(before, handler.arn, pause=10)
    assert sorted(after.armed(handler.arn)) == ["crash backoff", "wait"]
    error = after.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]
    assert error["ErrorType"] == "Runtime.ExitError"
    again = after.next_handler()
    assert after.elapsed == 5
    assert again.input.updated_operation_ids == ("w",)
    assert again.told(step("a", "SUCCEED")) == [("a", "SUCCEEDED")]


def test_crashes_in_a_row_are_counted_on() -> None:
    before = service()
    handler = asleep(before, wait("w", 1))
    for _ in range(3):
        handler = before.next_handler()
        handler.crash()
    after = taken_up(before, handler.arn, pause=2)
    assert after.execution(handler.arn).failures_in_a_row == 3
    again = after.next_handler()
    assert after.elapsed == 3, "what is left of the backoff"
    again.crash()
    after.next_handler().crash()
    assert after.status(handler.arn) == "FAILED"


def test_deadlines_come_when_they_would_have_come() -> None:
    before = service()
    handler = asleep(
        before,
        wait("w", 30),
        callback("k", 20, 8),
        callback("open"),
        step("s"),
        step("s", "RETRY", delay=15),
        execution_timeout=60,
    )
    before.at(6)
    before.client.send_durable_execution_callback_heartbeat(CallbackId=before.callback_id(handler.arn, "k"))
    after = taken_up(before, handler.arn)
    due = {(str(timer.kind), timer.operation_id): (timer.due - before.began) / 1000 for timer in after.executor.timers}
    assert due == {
        ("execution timeout", None): 60,
        ("wait", "w"): 30,
        ("callback timeout", "k"): 20,
        ("callback heartbeat", "k"): 14,
        ("retry", "s"): 15,
    }
    assert not after.executor.ready


def test_what_nobody_has_been_told_brings_an_invocation() -> None:
    before = service()
    handler = asleep(before, wait("w", 1), step("s"), step("s", "RETRY", delay=1), callback("k"))
    before.at(1)
    after = taken_up(before, handler.arn)
    assert after.take().input.updated_operation_ids == ("s", "w")


def test_what_came_too_late_for_an_invocation_brings_another() -> None:
    before = service()
    handler = before.begin()
    handler.checkpoint(callback("k"), callback("other"))
    before.client.send_durable_execution_callback_success(CallbackId=before.callback_id(handler.arn, "k"))
    handler.suspend()
    assert before.is_ready(handler.arn)
    after = taken_up(before, handler.arn)
    assert after.is_ready(handler.arn)
    again = after.take()
    again.suspend()
    assert not taken_up(after, handler.arn).is_ready(handler.arn), "once"


def test_what_an_execution_has_kept_is_counted_on() -> None:
    before = service()
    handler = before.begin(payload='"not counted"')
    handler.checkpoint(
        step("a"),
        step("a", "SUCCEED", Payload="123"),
        step("b"),
        step("b", "FAIL", Error={"ErrorMessage": "45"}),
        context("c"),
        context("c", "SUCCEED", Payload="6"),
        invoke("i", "plain", payload="78"),
        wait("w"),
        update("WAIT", "CANCEL", "w", Error={"ErrorMessage": "9"}),
        callback("k"),
    )
    callback_id = before.callback_id(handler.arn, "k")
    before.client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"not counted either")
    handler.suspend()
    after = taken_up(before, handler.arn)
    assert after.execution(handler.arn).stored_bytes == before.execution(handler.arn).stored_bytes == 9


def test_a_result_by_checkpoint_survives() -> None:
    before = service()
    handler = before.begin()
    handler.checkpoint(execution(Payload='"r"'))
    after = taken_up(before, handler.arn)
    assert after.status(handler.arn) == "SUCCEEDED"
    assert after.details(handler.arn, "ExecutionSucceeded")["Result"]["Payload"] == '"r"'


# ------------------------------------------------------------------------------------------------ chained invokes


def test_an_ordinary_function_is_called_again_and_a_stub_answers_again() -> None:
    before = service()
    handler = asleep(before, invoke("p", "plain"), invoke("s", "stub"))
    after = taken_up(before, handler.arn)
    assert [call.operation_id for call in after.executor.calls] == ["p"]
    assert after.armed(handler.arn) == ["chained invoke"]


def test_a_child_is_taken_up_with_its_parent() -> None:
    before = service()
    parent = asleep(before, invoke("i", "child"))
    child = before.take()
    child.checkpoint(wait("w", 5))
    child.suspend()
    after = taken_up(before, parent.arn)
    after.next_handler().succeed('"r"')
    assert after.status(child.arn) == "SUCCEEDED"
    assert after.operation(parent.arn, "i")["ChainedInvokeDetails"]["Result"] == '"r"'
    assert after.is_ready(parent.arn)


def cut(store: MemoryExecutionStore, arn: str, kept: ExecutionRecord) -> None:
    """Put a record back to what it was: the process died before its next change was written."""
    store.delete(arn)
    store.create(kept)


def test_a_child_that_ended_without_its_parent_being_told() -> None:
    before = service()
    parent = asleep(before, invoke("i", "child"))
    kept = before.store.load(parent.arn)
    before.take().fail(ErrorObject(message="no"))
    cut(before.store, parent.arn, kept)
    after = taken_up(before, parent.arn)
    assert after.operation(parent.arn, "i")["Status"] == "FAILED"
    assert after.is_ready(parent.arn)


def test_a_child_that_was_never_created() -> None:
    before = service()
    parent = asleep(before, invoke("i", "child"))
    child = before.executor.ready[0]
    before.store.delete(child)
    after = taken_up(before, parent.arn)
    assert list(after.executor.ready) == [child]


def test_a_child_whose_function_is_gone_is_left_alone() -> None:
    before = service()
    parent = asleep(before, invoke("i", "child"))
    after = taken_up(before, parent.arn, functions={"child": PlainFunction(handler=None)})
    assert not after.executor.ready
    assert after.operation(parent.arn, "i")["Status"] == "STARTED"


# --------------------------------------------------------------------------------------------------------- clocks


@pytest.mark.parametrize(("ended", "latest"), [(None, 9), (20, 20)])
def test_no_clock_goes_back_behind_a_record(ended: int | None, latest: int) -> None:
    before = service()
    handler = before.begin()
    before.at(4)
    handler.checkpoint(wait("w", 5))
    handler.suspend()
    before.at(9)
    record = before.store.load(handler.arn)
    header = replace(record.header, ended_at=before.began + ended * 1000 if ended is not None else None)
    assert latest_instant(replace(record, header=header)) == before.began + latest * 1000
    assert latest_instant(replace(record, events=(), invocations=())) == before.began


def test_one_that_is_forgotten_leaves_its_name() -> None:
    before = service()
    first = before.start(execution_name="n")
    before.take().succeed()
    before.executor.forget(first)
    before.executor.forget("nobody knows it")
    second = before.start(execution_name="n")
    assert second != first
    assert first not in before.executor.executions
    before.executor.executions[first] = before.executor.executions[second]
    before.executor.names[before.execution(second).header.function_arn, "n"] = "somebody else's"
    before.executor.forget(first)
    assert list(before.executor.names.values()) == ["somebody else's"]

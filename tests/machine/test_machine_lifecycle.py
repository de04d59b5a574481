"""From the start of an execution to its end: names, invocations, crashes, timeouts, stops, and what a store keeps."""

from __future__ import annotations

from typing import Any

import pytest
from machine_kit import ERROR, FUNCTION_ARN, Handler, Service, callback, execution, invoke, step, wait

from async_durable_execution_runner._engine.callbacks import Answer, Responder, answer_callback
from async_durable_execution_runner._engine.functions import (
    DurableFunction,
    InvokeOutcome,
    PlainFunction,
    StubbedFunction,
)
from async_durable_execution_runner._engine.inputs import Returned
from async_durable_execution_runner._engine.scheduler import Call, Finished, Goal, Invoke, Sleep, Stuck
from async_durable_execution_runner._engine.timers import Timer, Timers
from async_durable_execution_runner._model.effects import Deadline
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.ids import ExecutionArn, FunctionReference, callback_id, read_callback_id
from async_durable_execution_runner._model.limits import ServiceLimits
from async_durable_execution_runner.exceptions import DurableExecutionAlreadyStartedException
from async_durable_execution_runner.observer import ExecutionObserver

DAY = 86_400


class SteadyClock:
    """A clock that goes by itself, as the real one: nothing can hurry it."""

    is_virtual = False

    def __init__(self) -> None:
        self.millis = 1_000_000

    def now_millis(self) -> int:
        return self.millis

    def move_to(self, millis: int) -> None:
        """Nothing."""


# -------------------------------------------------------------------------------------------------------- start


def test_an_execution_without_a_name_is_always_new() -> None:
    service = Service()
    assert service.start() != service.start()


def test_a_name_stands_for_one_execution() -> None:
    service = Service()
    arn = service.start(execution_name="order-7")
    assert service.start(execution_name="order-7") == arn
    assert "/durable-execution/order-7/" in arn
    assert list(service.executor.ready) == [arn]
    with pytest.raises(DurableExecutionAlreadyStartedException, match=r"'order-7' is taken .* which is RUNNING"):
        service.start("2", execution_name="order-7")
    handler = service.take()
    handler.succeed()
    assert service.start(execution_name="order-7") == arn, "also when it is over"
    with pytest.raises(DurableExecutionAlreadyStartedException, match="which is SUCCEEDED"):
        service.start("2", execution_name="order-7")


def test_a_name_belongs_to_its_function_and_account() -> None:
    service = Service(functions={"other": DurableFunction(handler=None)})
    arns = {
        service.start(execution_name="n"),
        service.start(execution_name="n", function="other"),
        service.start(execution_name="n", account_id="210987654321"),
    }
    assert len(arns) == 3


def test_a_name_is_free_again_after_its_retention() -> None:
    service = Service()
    handler = service.begin(execution_name="n")
    service.at(100)
    handler.succeed()
    service.at(100 + 14 * DAY)
    assert service.start(execution_name="n") == handler.arn
    service.at(100.001 + 14 * DAY)
    arn = service.start("2", execution_name="n")
    assert arn != handler.arn
    assert service.start("2", execution_name="n") == arn
    assert service.status(handler.arn) == "SUCCEEDED", "the old one is still there"


def test_a_running_execution_keeps_its_name_for_ever() -> None:
    service = Service()
    arn = service.start(execution_name="n")
    service.at(400 * DAY)
    assert service.start(execution_name="n") == arn


def test_two_services_give_the_same_bytes() -> None:
    def run() -> Any:
        service = Service(functions={"child": DurableFunction(handler=None)})
        handler = service.begin()
        handler.checkpoint(callback("c", 5), invoke("i", "child"))
        handler.suspend()
        service.take().succeed()
        return service.events(handler.arn), handler.token

    assert run() == run()


def test_a_store_that_knows_executions_of_an_earlier_service_keeps_them() -> None:
    earlier = Service()
    old = earlier.begin(execution_name="n")
    old.succeed()
    service = Service(store=earlier.store)
    arn = service.start("2", execution_name="n")
    assert arn != old.arn
    assert [earlier.store.load(each).header.status for each in (old.arn, arn)] == ["SUCCEEDED", "RUNNING"]


def test_what_a_handler_is_called_with() -> None:
    service = Service()
    handler = service.begin(execution_name="n", tenant_id="acme")
    given = handler.input
    assert (given.function_name, given.function_arn) == ("fn", f"{FUNCTION_ARN}:$LATEST")
    assert (given.number, given.tenant_id, given.next_marker) == (1, "acme", None)
    assert given.deadline - given.started_at == 900_000
    arn = ExecutionArn.parse(given.execution_arn)
    assert arn is not None
    assert str(arn) == given.execution_arn
    (root,) = given.operations
    assert (root.id, root.type, root.name) == (arn.id, "EXECUTION", "n")
    assert service.operation(handler.arn, arn.id)["ExecutionDetails"] == {"InputPayload": '{"n":1}'}


def test_an_invocation_is_told_once_what_changed_before_it() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("a", 1), wait("b", 2))
    handler.suspend()
    told = []
    for _ in range(2):
        handler = service.next_handler()
        told.append(handler.input.updated_operation_ids)
        handler.suspend()
    assert told == [("a",), ("b",)]


# -------------------------------------------------------------------------------------------------- invocations


def test_the_end_of_an_invocation() -> None:
    service = Service()
    handler = service.begin()
    service.at(3)
    handler.succeed()
    details = service.details(handler.arn, "InvocationCompleted")
    assert details["RequestId"] == handler.input.request_id
    assert (details["EndTimestamp"] - details["StartTimestamp"]).total_seconds() == 3
    assert "Error" not in details
    (kept,) = service.store.load(handler.arn).invocations
    assert (kept.number, kept.ended_at - kept.started_at, kept.error) == (1, 3000, None)  # type: ignore[operator]


def test_a_running_invocation_is_in_the_store() -> None:
    service = Service()
    handler = service.begin()
    (kept,) = service.store.load(handler.arn).invocations
    assert kept.ended_at is None


@pytest.mark.parametrize("error", [None, ErrorObject(type="Rejected", message="not approved")])
def test_a_handler_that_fails(error: ErrorObject | None) -> None:
    service = Service()
    handler = service.begin()
    handler.fail(error)
    assert service.kinds(handler.arn) == ["InvocationCompleted", "ExecutionFailed"]
    payload = service.details(handler.arn, "ExecutionFailed")["Error"]["Payload"]
    assert payload == ({"ErrorType": "Rejected", "ErrorMessage": "not approved"} if error else {})
    assert "Error" not in service.details(handler.arn, "InvocationCompleted")


def test_an_answer_that_makes_no_sense_fails_the_execution_at_once() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 5))
    handler.end(Returned(status=None, problem="Invalid invocation output: no Status."))
    error = service.details(handler.arn, "ExecutionFailed")["Error"]["Payload"]
    assert error == {
        "ErrorType": "InvalidParameterValueException",
        "ErrorMessage": "Invalid invocation output: no Status.",
    }
    assert service.armed(handler.arn) == []


@pytest.mark.parametrize(("synchronous", "limit"), [(True, 20), (False, 10)])
def test_a_result_that_is_too_large(synchronous: bool, limit: int) -> None:
    service = Service(execution_payload_bytes=20, async_execution_payload_bytes=10)
    handler = service.begin(synchronous=synchronous)
    handler.succeed("é" * (limit // 2))
    assert service.status(handler.arn) == "SUCCEEDED"
    handler = service.begin(synchronous=synchronous)
    handler.succeed("é" * (limit // 2) + "x")
    error = service.details(handler.arn, "ExecutionFailed")["Error"]["Payload"]
    assert error["ErrorType"] == "Function.ResponseSizeTooLarge"
    assert f"({limit + 1} bytes) exceeded maximum allowed payload size ({limit} bytes)" in error["ErrorMessage"]


# ------------------------------------------------------------------------------------------------------ crashes


def test_a_crash_is_followed_by_another_invocation_after_a_backoff() -> None:
    service = Service()
    handler = service.begin()
    handler.crash()
    assert service.armed(handler.arn) == ["crash backoff"]
    error = service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]
    assert error["ErrorType"] == "Runtime.ExitError"
    again = service.next_handler()
    assert service.elapsed == 5
    assert again.input.updated_operation_ids is None
    assert again.input.number == 2


def test_five_crashes_in_a_row_fail_the_execution() -> None:
    service = Service()
    handler = service.begin()
    for _ in range(4):
        handler.crash()
        handler = service.next_handler()
    handler.crash("Last")
    assert service.kinds(handler.arn) == ["InvocationCompleted"] * 5 + ["ExecutionFailed"]
    assert service.details(handler.arn, "ExecutionFailed")["Error"]["Payload"]["ErrorType"] == "Last"
    assert service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]["ErrorType"] == "Last"
    assert service.elapsed == 20


def test_suspension_resets_the_count_of_crashes() -> None:
    service = Service(crash_limit=2)
    handler = service.begin()
    handler.checkpoint(wait("w", 100))
    for _ in range(3):
        handler.crash()
        handler = service.next_handler()
        handler.suspend()
        answered = f"c{handler.input.number}"
        service.at(service.elapsed + 100)
        handler = service.take() if service.is_ready(handler.arn) else service.next_handler()
        handler.checkpoint(wait(answered, 100))
    assert service.status(handler.arn) == "RUNNING"


# --------------------------------------------------------------------------------------------- PENDING for nothing


def test_pending_with_nothing_pending_fails_the_fourth_time() -> None:
    service = Service()
    handler = service.begin()
    for _ in range(3):
        handler.suspend()
        error = service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]
        assert error["ErrorMessage"] == "Cannot return PENDING status with no pending operations."
        handler = service.next_handler()
    handler.suspend()
    error = service.details(handler.arn, "ExecutionFailed")["Error"]["Payload"]
    assert error == {
        "ErrorType": "InvalidParameterValueException",
        "ErrorMessage": "Cannot return PENDING status with no pending operations.",
    }
    assert len(service.execution(handler.arn).invocations) == 4


def test_a_started_step_is_nothing_to_wait_for() -> None:
    service = Service(empty_pending_limit=1)
    handler = service.begin()
    handler.checkpoint(step("a"))
    handler.suspend()
    assert service.status(handler.arn) == "FAILED"


@pytest.mark.parametrize("pending", [wait("o", 50), callback("o"), invoke("o", "plain"), step("o", "RETRY", delay=50)])
def test_what_an_execution_may_wait_for(pending: dict[str, Any]) -> None:
    service = Service(empty_pending_limit=1, functions={"plain": PlainFunction(handler=None)})
    handler = service.begin()
    if pending["Type"] == "STEP":
        handler.checkpoint(step("o"))
    handler.checkpoint(pending)
    handler.suspend()
    assert service.status(handler.arn) == "RUNNING"
    assert not service.is_ready(handler.arn)


def test_real_suspension_resets_the_count() -> None:
    service = Service(empty_pending_limit=2)
    handler = service.begin()
    handler.suspend()
    handler = service.next_handler()
    handler.checkpoint(wait("w", 1))
    handler.suspend()
    service.next_handler().suspend()
    assert service.status(handler.arn) == "RUNNING"


def test_what_was_waited_for_came_while_the_handler_ran() -> None:
    """It was told and still returns PENDING: it had decided to before it could act on the news."""
    service = Service(empty_pending_limit=1)
    handler = service.begin()
    handler.checkpoint(wait("w", 1), step("s"))
    service.at(1)
    assert handler.told(step("s", "SUCCEED")) == [("w", "SUCCEEDED"), ("s", "SUCCEEDED")]
    handler.suspend()
    again = service.take()
    assert "Error" not in service.details(handler.arn, "InvocationCompleted")
    again.suspend()
    assert service.status(handler.arn) == "FAILED", "the second time there is no such excuse"


# ----------------------------------------------------------------------------------------------------- timeouts


def test_an_execution_times_out_while_it_sleeps() -> None:
    service = Service()
    handler = service.begin(execution_timeout=60)
    assert service.details(handler.arn, "ExecutionStarted")["ExecutionTimeout"] == 60
    handler.checkpoint(callback("c", 100), wait("w", 100))
    handler.suspend()
    service.at(60)
    assert service.status(handler.arn) == "TIMED_OUT"
    assert service.kinds(handler.arn)[-2:] == ["InvocationCompleted", "ExecutionTimedOut"]
    error = service.details(handler.arn, "ExecutionTimedOut")["Error"]["Payload"]
    assert error["ErrorMessage"] == "Execution timed out after 60 seconds."
    assert service.armed(handler.arn) == []
    assert not service.executor.ready
    assert [service.operation(handler.arn, key)["Status"] for key in "cw"] == ["STARTED", "STARTED"]


def test_an_execution_times_out_while_its_handler_runs() -> None:
    service = Service()
    handler = service.begin(execution_timeout=60)
    handler.checkpoint(step("a"))
    service.at(60)
    handler.succeed("too late")
    assert service.kinds(handler.arn) == ["StepStarted", "ExecutionTimedOut", "InvocationCompleted"]
    assert service.status(handler.arn) == "TIMED_OUT"
    assert service.execution(handler.arn).snapshot() == service.store.load(handler.arn)


def test_an_execution_times_out_before_its_next_invocation() -> None:
    service = Service()
    handler = service.begin(execution_timeout=60)
    handler.checkpoint(wait("w", 60))
    handler.suspend()
    service.at(60)
    assert service.kinds(handler.arn)[-1] == "ExecutionTimedOut", "it was set first, so it comes first"
    assert not service.executor.ready


def test_an_execution_times_out_during_a_backoff() -> None:
    service = Service()
    handler = service.begin(execution_timeout=3)
    handler.crash()
    assert service.next() == Stuck()
    assert service.status(handler.arn) == "TIMED_OUT"
    assert service.elapsed == 3


def test_an_invocation_that_takes_too_long_is_given_up() -> None:
    service = Service(invocation_timeout=60)
    handler = service.begin()
    handler.checkpoint(step("a"))
    service.at(60)
    error = service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]
    assert error["ErrorType"] == "Sandbox.Timedout"
    assert error["ErrorMessage"].endswith("Task timed out after 60.00 seconds")
    assert service.armed(handler.arn) == ["crash backoff"]
    handler.crash()
    assert service.kinds(handler.arn) == ["StepStarted", "InvocationCompleted"], "the late end is not heard"
    again = service.next_handler()
    handler.succeed()
    assert service.status(again.arn) == "RUNNING"
    again.succeed()
    assert service.status(again.arn) == "SUCCEEDED"


def test_a_result_by_checkpoint_stands_when_the_invocation_is_given_up() -> None:
    service = Service(invocation_timeout=60)
    handler = service.begin()
    handler.checkpoint(execution(Payload="1"))
    service.at(60)
    assert service.status(handler.arn) == "SUCCEEDED"
    assert service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]["ErrorType"] == "Sandbox.Timedout"


def test_each_invocation_has_its_own_timeout() -> None:
    service = Service(invocation_timeout=60)
    handler = service.begin()
    service.at(50)
    handler.checkpoint(wait("w", 1))
    handler.suspend()
    assert service.armed(handler.arn) == ["wait"]
    handler = service.next_handler()
    service.at(105)
    assert handler.told(step("a")) == [("a", "STARTED")]


def test_an_empty_checkpoint_that_runs_out_of_time_is_refused() -> None:
    service = Service()
    handler = service.begin(execution_timeout=60)
    with pytest.raises(Exception, match=r"the execution is over \(TIMED_OUT\)"):
        handler.checkpoint()


# --------------------------------------------------------------------------------------------------------- stop


def stop(service: Service, arn: str, **more: Any) -> Any:
    return service.client.stop_durable_execution(DurableExecutionArn=arn, **more)["StopTimestamp"]


@pytest.mark.parametrize(("given", "kept"), [({"Error": ERROR}, ERROR), ({}, {})])
def test_stop_a_sleeping_execution(given: dict[str, Any], kept: dict[str, Any]) -> None:
    service = Service()
    handler = service.begin(execution_timeout=600)
    handler.checkpoint(callback("c", 60), step("a"), step("a", "RETRY", delay=5))
    handler.suspend()
    service.at(2)
    stopped = stop(service, handler.arn, **given)
    assert stopped.timestamp() * 1000 == service.now
    assert service.status(handler.arn) == "STOPPED"
    assert service.details(handler.arn, "ExecutionStopped") == {"Error": {"Payload": kept, "Truncated": False}}
    assert service.operation(handler.arn, "c")["Status"] == "STARTED"
    assert service.armed(handler.arn) == []
    events = service.events(handler.arn)
    service.at(60)
    assert stop(service, handler.arn) == stopped, "again is no mistake"
    assert service.events(handler.arn) == events


def test_stop_a_running_execution() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"))
    stop(service, handler.arn)
    assert service.execution(handler.arn).running is not None, "the invocation goes on"
    handler.crash()
    assert service.kinds(handler.arn) == ["StepStarted", "ExecutionStopped", "InvocationCompleted"]
    assert service.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]["ErrorType"] == "Runtime.ExitError"
    assert service.armed(handler.arn) == []
    assert service.next() == Stuck()


def test_stop_an_execution_that_was_never_invoked() -> None:
    service = Service()
    arn = service.start()
    stop(service, arn)
    assert service.next() == Stuck()
    assert service.kinds(arn) == ["ExecutionStopped"]


def test_stop_a_finished_execution() -> None:
    service = Service()
    handler = service.begin()
    handler.succeed()
    service.at(9)
    assert stop(service, handler.arn).timestamp() * 1000 == service.began
    assert service.status(handler.arn) == "SUCCEEDED"


def test_stop_after_the_result_was_checkpointed() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(execution(Payload="1"))
    stop(service, handler.arn)
    handler.succeed()
    assert service.kinds(handler.arn) == ["ExecutionStopped", "InvocationCompleted"]


# ---------------------------------------------------------------------------------------------------- scheduling


def test_the_order_of_what_happens_next() -> None:
    service = Service(functions={"plain": PlainFunction(handler=None)})
    first, second = service.start(), service.start()
    handler = service.next_handler()
    assert handler.arn == first
    handler.checkpoint(invoke("i", "plain"), wait("w", 9))
    handler.suspend()
    handler = service.next_handler()
    assert handler.arn == second, "invocations go before calls"
    handler.succeed()
    assert isinstance(service.next(), Call)
    assert service.elapsed == 0
    assert isinstance(service.next(), Invoke), "and calls before time"
    assert service.elapsed == 9
    assert service.next() != Stuck(), "the invocation's own deadline is still to come"


def test_no_further_than_the_goal() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("w", 100))
    handler.suspend()
    assert service.scheduler.next(Goal(lambda: False, until=service.began + 60_000)) == Finished()
    assert service.elapsed == 60
    action = service.scheduler.next(Goal(lambda: False, until=service.began + 100_000))
    assert isinstance(action, Invoke)
    assert service.elapsed == 100


def test_an_empty_checkpoint_goes_no_further_than_the_goal() -> None:
    service = Service()
    service.start()
    action = service.scheduler.next(Goal(lambda: False, until=service.began + 1_000))
    assert isinstance(action, Invoke)
    handler = Handler(service, action.invocation)
    handler.checkpoint(wait("w", 5))
    assert handler.told() == []
    assert service.elapsed == 0


def test_an_empty_checkpoint_goes_no_further_than_its_handler_can_wait() -> None:
    class Patient:
        limit: int | None = 0

        def reachable(self) -> int | None:
            return self.limit

        def shift(self) -> int:
            return 60_000

    service = Service()
    handler = service.begin()
    service.client.pace = pace = Patient()
    (operation,) = handler.checkpoint(wait("w", 5))["NewExecutionState"]["Operations"]
    assert operation["WaitDetails"]["ScheduledEndTimestamp"].timestamp() * 1000 == service.began + 65_000
    assert handler.told() == []
    pace.limit = service.began + 5_000
    assert handler.told() == [("w", "SUCCEEDED")]


def test_nothing_pending_lets_no_time_pass() -> None:
    service = Service()
    handler = service.begin()
    service.executor.timers.cancel_execution(handler.arn)
    assert handler.told() == []
    assert service.elapsed == 0


def test_a_clock_that_goes_by_itself_is_waited_for() -> None:
    clock = SteadyClock()
    service = Service(clock=clock)
    handler = service.begin()
    handler.checkpoint(wait("w", 5))
    assert handler.told() == [], "an empty checkpoint cannot hurry it"
    handler.suspend()
    assert service.next() == Sleep(clock.millis + 5_000)
    until = clock.millis + 2_000
    assert service.scheduler.next(Goal(lambda: False, until=until)) == Sleep(until)
    clock.millis += 2_000
    assert service.scheduler.next(Goal(lambda: False, until=until)) == Finished()
    clock.millis += 4_000
    assert isinstance(service.next(), Invoke)


def test_time_within_a_running_invocation_invokes_nothing() -> None:
    service = Service()
    sleeper = service.begin()
    sleeper.checkpoint(wait("w", 5), wait("v", 8))
    sleeper.suspend()
    service.begin()
    service.at(9)
    assert service.elapsed == 9
    assert service.kinds(sleeper.arn)[-2:] == ["WaitSucceeded", "WaitSucceeded"]
    assert list(service.executor.ready) == [sleeper.arn]


# ------------------------------------------------------------------------------------------------------- timers


def timer(kind: Deadline, due: int, operation_id: str | None = None, arn: str = "a") -> Timer:
    return Timer(kind, arn, due, operation_id)


def test_deadlines_come_in_order_and_ties_in_order_of_creation() -> None:
    timers = Timers()
    for each in (timer(Deadline.WAIT, 5, "x"), timer(Deadline.RETRY, 3, "y"), timer(Deadline.WAIT, 3, "z")):
        timers.arm(each)
    assert [each.operation_id for each in timers] == ["y", "z", "x"]
    assert timers.pop_due(2) is None
    assert [timers.pop_due(9).operation_id for _ in range(3)] == ["y", "z", "x"]  # type: ignore[union-attr]
    assert timers.pop_due(9) is None


def test_a_deadline_armed_again_replaces_the_earlier_one() -> None:
    timers = Timers()
    timers.arm(timer(Deadline.CALLBACK_HEARTBEAT, 3, "c"))
    timers.arm(timer(Deadline.CALLBACK_HEARTBEAT, 7, "c"))
    timers.arm(timer(Deadline.CALLBACK_HEARTBEAT, 5, "c"))
    assert [each.due for each in timers] == [5]
    timers.cancel(Deadline.CALLBACK_HEARTBEAT, "a", "c")
    timers.cancel(Deadline.CALLBACK_HEARTBEAT, "a", "c")
    assert timers.earliest() is None
    timers.arm(timer(Deadline.CALLBACK_HEARTBEAT, 9, "c"))
    assert timers.is_armed(Deadline.CALLBACK_HEARTBEAT, "a", "c")
    assert timers.earliest() == 9


def test_the_deadlines_of_an_execution_go_together() -> None:
    timers = Timers()
    for arn in "ab":
        timers.arm(timer(Deadline.WAIT, 1, "x", arn))
        timers.arm(timer(Deadline.ANSWER, 2, "x", arn))
        timers.arm(timer(Deadline.ANSWER, 2, "x", arn))
    timers.cancel_execution("a")
    assert [(each.execution_arn, each.due) for each in timers] == [("b", 1), ("b", 2), ("b", 2)]


# ---------------------------------------------------------------------------------------------------- observers


def test_observers_see_everything_in_order() -> None:
    seen: list[tuple[Any, ...]] = []

    class Watcher(ExecutionObserver):
        def on_execution_started(self, execution_arn: str, input_payload: str | None) -> None:
            seen.append(("started", input_payload))

        def on_invocation_started(self, execution_arn: str, number: int) -> None:
            seen.append(("invoked", number))

        def on_event(self, execution_arn: str, event: dict[str, Any]) -> None:
            seen.append((event["EventId"], event["EventType"]))

        def on_callback_opened(self, execution_arn: str, callback_id: str, name: str | None) -> None:
            seen.append(("opened", name))

        def on_invocation_completed(self, execution_arn: str, number: int, error: dict[str, Any] | None) -> None:
            seen.append(("ended", number, error and error["ErrorType"]))

        def on_execution_completed(self, execution_arn: str, status: str) -> None:
            seen.append(("over", status))

    service = Service(observers=[Watcher()])
    handler = service.begin()
    handler.checkpoint(callback("c", Name="ask"))
    handler.crash()
    service.next_handler().succeed()
    assert seen == [
        ("started", '{"n":1}'),
        (1, "ExecutionStarted"),
        ("invoked", 1),
        (2, "CallbackStarted"),
        ("opened", "ask"),
        ("ended", 1, "Runtime.ExitError"),
        (3, "InvocationCompleted"),
        ("invoked", 2),
        ("ended", 2, None),
        (4, "InvocationCompleted"),
        (5, "ExecutionSucceeded"),
        ("over", "SUCCEEDED"),
    ]


def test_an_observer_that_answers_at_once_changes_nothing_of_the_order() -> None:
    """Scripted answers do this through the heap; a test's own observer may do it directly."""

    class Eager(ExecutionObserver):
        def on_callback_opened(self, execution_arn: str, callback_id: str, name: str | None) -> None:
            answer_callback(service.executor, callback_id, Answer(result="1"), service.now)

    service = Service(observers=[Eager()])
    handler = service.begin()
    assert handler.told(callback("c"), wait("w", 5)) == [("c", "SUCCEEDED"), ("w", "STARTED")]
    assert service.kinds(handler.arn) == ["CallbackStarted", "WaitStarted", "CallbackSucceeded"]
    handler.suspend()
    assert not service.is_ready(handler.arn)


# --------------------------------------------------------------------------------------------- names and numbers


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("fn", ("fn", None, None, None)),
        ("fn:$LATEST", ("fn", "$LATEST", None, None)),
        ("123456789012:function:fn:3", ("fn", "3", None, "123456789012")),
        (f"{FUNCTION_ARN}:live", ("fn", "live", "us-west-2", "123456789012")),
    ],
)
def test_how_a_function_is_named(text: str, parts: tuple[str | None, ...]) -> None:
    found = FunctionReference.parse(text)
    assert found is not None
    assert (found.name, found.qualifier, found.region, found.account_id) == parts


def test_what_is_no_execution_arn() -> None:
    assert ExecutionArn.parse(FUNCTION_ARN) is None


def test_a_callback_id_finds_its_way_back() -> None:
    assert read_callback_id(callback_id("arn", "c")) == ("arn", "c")


def test_profiles() -> None:
    assert ServiceLimits().strict().state_page_operations == 1
    assert ServiceLimits.unlimited().max_operations is None


def test_an_unfinished_business_of_a_stub_ends_with_its_caller() -> None:
    service = Service(functions={"stub": StubbedFunction(outcome=InvokeOutcome(status="SUCCEEDED"), after=1_000)})
    service.responders.scripted.append(Responder(pattern="*", answer=Answer(), after=500, optional=True))
    handler = service.begin(execution_timeout=60)
    handler.checkpoint(invoke("i", "stub"), callback("c", 9, 9), wait("w", 9), step("s"), step("s", "RETRY", delay=9))
    assert len(service.armed(handler.arn)) == 8
    handler.fail()
    assert service.armed(handler.arn) == []
    assert service.next() == Stuck()

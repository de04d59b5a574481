"""The service under random inputs, legal and illegal, with everything that must always hold checked after each.

A short run with the same inputs every time. ``MACHINE_EXAMPLES=3000`` asks for as many new ones.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from machine_kit import Handler, Service, callback, context, execution, invoke, operations_of, step, update, wait

from async_durable_execution_runner._engine.callbacks import Answer, Responder
from async_durable_execution_runner._engine.functions import (
    DurableFunction,
    Function,
    InvokeOutcome,
    PlainFunction,
    StubbedFunction,
)
from async_durable_execution_runner._engine.inputs import Crashed, Returned
from async_durable_execution_runner._engine.resume import resume
from async_durable_execution_runner._engine.scheduler import Call, Invoke, Stuck
from async_durable_execution_runner._engine.state import visible_operations
from async_durable_execution_runner._model.effects import Deadline
from async_durable_execution_runner._model.enums import ExecutionStatus, OperationStatus, OperationType
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.execution import Execution, ExecutionRecord
from async_durable_execution_runner._model.history import HistoryEvent
from async_durable_execution_runner._model.operation import Operation
from async_durable_execution_runner._wire.rendering import render_operation
from async_durable_execution_runner.clock import VirtualClock, from_millis
from async_durable_execution_runner.exceptions import DurableExecutionAlreadyStartedException, ServiceError

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "0"))
PAGE = 3
ENDS = ("Succeeded", "Failed", "TimedOut", "Stopped", "Cancelled")
ERROR = ErrorObject(type="E", message="no")


WRONG = [
    step("a"),
    step("zz", "SUCCEED"),
    step("a", "RETRY"),
    step("b", "SUCCEED", Payload="x" * 41),
    step("c", ParentId="zz"),
    step("d", Name="other"),
    context("e", "FAIL"),
    wait("f", 5, Payload="1"),
    update("CALLBACK", "SUCCEED", "a"),
    execution("RETRY"),
]
"""Updates that are wrong at most times."""
FIRST: list[Callable[..., dict[str, Any]]] = [
    step,
    context,
    lambda key, **place: wait(key, 1, **place),
    lambda key, **place: wait(key, 6, **place),
    callback,
    lambda key, **place: callback(key, 9, 4, **place),
    lambda key, **place: callback(key, 0, 3, Name="scripted", **place),
    lambda key, **place: invoke(key, "child", **place),
    lambda key, **place: invoke(key, "plain", **place),
    lambda key, **place: invoke(key, "well", **place),
    lambda key, **place: invoke(key, "badly", **place),
    lambda key, **place: invoke(key, "nobody", **place),
]
NEXT: dict[tuple[str, str], list[Callable[..., dict[str, Any]]]] = {
    ("STEP", "STARTED"): [
        lambda key, **place: step(key, "SUCCEED", Payload="1", **place),
        lambda key, **place: step(key, "FAIL", **place),
        lambda key, **place: step(key, "RETRY", delay=3, Payload="1", **place),
        lambda key, **place: step(key, "RETRY", delay=8, Error={"ErrorType": "E"}, **place),
    ],
    ("STEP", "READY"): [step],
    ("CONTEXT", "STARTED"): [
        lambda key, **place: context(key, "SUCCEED", **place),
        lambda key, **place: context(key, "SUCCEED", replay=True, **place),
    ],
    ("WAIT", "STARTED"): [lambda key, **place: update("WAIT", "CANCEL", key, **place)],
}


@st.composite
def batches(draw: st.DrawFn, live: Execution) -> list[dict[str, Any]]:
    """Some updates that make sense now; one time in four something goes wrong."""
    chosen = []
    for key in draw(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=3, unique=True)):
        operation = live.operations.get(key)
        if operation is None:
            parents = [each.id for each in live.operations.values() if each.type == "CONTEXT" and not each.is_terminal]
            parent = draw(st.sampled_from([None, *parents]))
            choices = FIRST
        else:
            parent = operation.parent_id
            choices = NEXT.get((operation.type.value, operation.status.value), [])
        named = {"Name": operation.name} if operation is not None and operation.name else {}
        place = {**named, **({"ParentId": parent} if parent else {})}
        if choices:
            chosen.append(draw(st.sampled_from(choices))(key, **place))
    if draw(st.integers(0, 3)) == 3:
        chosen.append(draw(st.sampled_from(WRONG)))
    if draw(st.integers(0, 15)) == 15:
        chosen.append(execution(Payload="1"))
    return chosen


def shown(operation: Operation) -> dict[str, Any]:
    """An operation as an answer shows it: a heartbeat changes nothing of that."""
    return render_operation(operation)


FUNCTIONS: dict[str, Function] = {
    "well": StubbedFunction(outcome=InvokeOutcome(status="SUCCEEDED", result="1"), after=3_000),
    "badly": StubbedFunction(outcome=InvokeOutcome(status="FAILED", error=ERROR)),
    "plain": PlainFunction(handler=None),
    "child": DurableFunction(handler=None, execution_timeout=20),
}
LIMITS: dict[str, Any] = {
    "invocation_timeout": 25,
    "state_page_operations": PAGE,
    "max_operations": 8,
    "step_payload_bytes": 40,
    "max_execution_bytes": 60,
    "chained_invoke_depth": 2,
    "crash_limit": 3,
    "empty_pending_limit": 3,
}


def deadlines(service: Service, live: Execution) -> list[tuple[Any, ...]]:
    """What an execution waits for, without what belongs to functions and scripts outside of it."""
    outside = {Deadline.ANSWER, Deadline.CHAINED_INVOKE}
    own = [timer for timer in service.executor.timers if timer.execution_arn == live.header.arn]
    return sorted((timer.kind, timer.operation_id or "", timer.due) for timer in own if timer.kind not in outside)


class Machine(RuleBasedStateMachine):
    """Several executions of one service, their handlers, and what each handler has been told."""

    def __init__(self) -> None:
        super().__init__()
        self.service = Service(functions=FUNCTIONS, **LIMITS)
        self.executor = self.service.executor
        answer = Responder(pattern="scripted", answer=Answer(result="1"), after=6_000, heartbeat_every=2_000)
        self.service.responders.scripted.append(answer)
        self.handlers: list[Handler] = []
        self.known: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.last: tuple[Handler, str, dict[str, Any], Any] | None = None

    # ---------------------------------------------------------------------------------------------- helpers

    def everything(self) -> tuple[dict[str, ExecutionRecord], list[Any], list[str]]:
        """All there is, to see that something changed nothing."""
        records = {arn: each.snapshot() for arn, each in self.executor.executions.items()}
        return records, list(self.executor.timers), list(self.executor.ready)

    def new_token(self, token: str) -> None:
        assert token not in self.tokens
        self.tokens.add(token)

    def news(self, handler: Handler) -> dict[str, Any]:
        """What has changed since the handler last heard."""
        current = self.service.execution(handler.arn).operations
        told = self.known[handler.arn]
        return {key: each for key, each in current.items() if key not in told or shown(told[key]) != shown(each)}

    def accepted(self, handler: Handler, answer: dict[str, Any]) -> None:
        told, marker = operations_of(answer), answer["NewExecutionState"].get("NextMarker")
        news, self.known[handler.arn] = self.news(handler), dict(self.service.execution(handler.arn).operations)
        if (token := answer.get("CheckpointToken")) is not None:
            self.new_token(token)
            while marker is not None:
                page = handler.state(Marker=marker)
                told, marker = told + page["Operations"], page.get("NextMarker")
        else:
            assert self.service.execution(handler.arn).outcome is not None
        states = {each["Id"]: each["Status"] for each in told}
        assert len(states) == len(told)
        if marker is None:
            assert states == {key: each.status for key, each in news.items()}

    def is_heard(self, handler: Handler) -> bool:
        running = self.service.execution(handler.arn).running
        return running is not None and running.record.number == handler.input.number

    def handler(self, which: int) -> Handler:
        """One of the handlers, most of the time one that is still heard."""
        heard = [each for each in self.handlers if self.is_heard(each)]
        if not heard and which < 9:
            if not self.executor.ready:
                self.service.start()
            self.begin_invocation()
            return self.handlers[-1]
        choices = heard if heard and which < 9 else self.handlers
        return choices[which % len(choices)]

    # ------------------------------------------------------------------------------------------------ rules

    @initialize()
    def open(self) -> None:
        self.service.start()
        self.begin_invocation()

    @rule(
        name=st.sampled_from([None, "one", "two"]),
        payload=st.sampled_from(["1", "2"]),
        timeout=st.sampled_from([None, None, 7, 40]),
        synchronous=st.booleans(),
    )
    def start(self, name: str | None, payload: str, timeout: int | None, synchronous: bool) -> None:
        if len(self.executor.executions) > 5:
            return
        before = self.everything()
        more = {"execution_name": name, "execution_timeout": timeout, "synchronous": synchronous}
        try:
            arn = self.service.start(payload, **more)
        except DurableExecutionAlreadyStartedException:
            assert self.everything() == before
            return
        header = self.service.execution(arn).header
        assert header.input_payload == payload
        assert name in (None, header.name)
        if arn in before[0]:
            assert self.everything() == before

    @precondition(lambda self: self.executor.ready)
    @rule()
    def begin_invocation(self) -> None:
        arn = self.executor.ready[0]
        execution = self.service.execution(arn)
        assert execution.running is None
        handler = self.service.take()
        self.new_token(handler.token)
        told, marker = list(handler.input.operations), handler.input.next_marker
        found = [each.id for each in told]
        while marker is not None:
            page = handler.state(Marker=marker)
            assert 0 < len(page["Operations"]) <= PAGE
            found += [each["Id"] for each in page["Operations"]]
            marker = page.get("NextMarker")
        assert found == [each.id for each in visible_operations(execution)]
        self.known[arn] = dict(execution.operations)
        self.handlers.append(handler)

    @precondition(lambda self: self.handlers)
    @rule(which=st.integers(0, 9), data=st.data(), client_token=st.booleans())
    def checkpoint(self, which: int, data: st.DataObject, client_token: bool) -> None:
        handler = self.handler(which)
        self.service.scheduler.fire_due()
        batch = data.draw(batches(self.service.execution(handler.arn)))
        before, token = self.everything(), handler.token
        more = {"ClientToken": f"t{len(self.tokens)}"} if client_token else {}
        if token is None or not batch:
            return
        try:
            answer = handler.checkpoint(*batch, **more)
        except ServiceError:
            assert self.everything() == before
            assert handler.token == token
            return
        assert self.is_heard(handler)
        assert not self.service.execution(handler.arn).is_closed
        self.accepted(handler, answer)
        if client_token:
            self.last = handler, token, answer, (batch, more)

    @precondition(lambda self: self.handlers)
    @rule(which=st.integers(0, 8), data=st.data())
    def go_on(self, which: int, data: st.DataObject) -> None:
        self.checkpoint(which, data, client_token=False)

    @precondition(lambda self: self.handlers)
    @rule(which=st.integers(0, 8), data=st.data(), seconds=st.integers(1, 9))
    def go_on_and_sleep(self, which: int, data: st.DataObject, seconds: int) -> None:
        self.checkpoint(which, data, client_token=False)
        self.end_invocation(which, "PENDING")
        self.time(seconds)
        if self.executor.ready:
            self.begin_invocation()

    @precondition(lambda self: self.last is not None)
    @rule()
    def repeat(self) -> None:
        assert self.last is not None
        handler, token, answer, (batch, more) = self.last
        self.service.scheduler.fire_due()
        before, current = self.everything(), handler.token
        assert handler.checkpoint(*batch, token=token, **more) == answer
        handler.token = current
        assert self.everything() == before

    @precondition(lambda self: self.handlers)
    @rule(which=st.integers(0, 9))
    def poll(self, which: int) -> None:
        handler = self.handler(which)
        before = self.service.now
        if handler.token is None:
            return
        heard = self.is_heard(handler)
        try:
            answer = handler.checkpoint()
        except ServiceError:
            assert heard or self.service.now == before
            return
        self.accepted(handler, answer)

    @precondition(lambda self: self.handlers)
    @rule(
        which=st.integers(0, 9), how=st.sampled_from([*["PENDING"] * 5, "crash", "crash", "SUCCEEDED", "FAILED", "odd"])
    )
    def end_invocation(self, which: int, how: str) -> None:
        handler = self.handler(which)
        heard, before = self.is_heard(handler), self.everything()
        ends = {"crash": Crashed(error=ERROR), "odd": Returned(status=None, problem="odd")}
        handler.end(ends.get(how) or Returned(status=how))
        if not heard:
            assert self.everything() == before
            self.handlers.remove(handler)
            return
        live = self.service.execution(handler.arn)
        assert live.running is None
        if how in {"SUCCEEDED", "FAILED", "odd"}:
            assert live.is_closed

    @rule(seconds=st.sampled_from([1, 1, 2, 5, 15]))
    def time(self, seconds: int) -> None:
        self.service.at(self.service.elapsed + seconds)

    @precondition(lambda self: self.executor.executions)
    @rule(
        which=st.integers(0, 9),
        key=st.sampled_from("abcdefgh"),
        how=st.sampled_from(["success", "failure", "heartbeat"]),
    )
    def answer(self, which: int, key: str, how: str) -> None:
        live = list(self.executor.executions.values())[which % len(self.executor.executions)]
        operation = live.operations.get(key)
        if operation is None or operation.type is not OperationType.CALLBACK:
            return
        self.service.scheduler.fire_due()
        operation, before = live.operations[key], self.everything()
        send = getattr(self.service.client, f"send_durable_execution_callback_{how}")
        try:
            send(CallbackId=operation.details.callback_id)  # type: ignore[union-attr]
        except ServiceError:
            assert operation.is_terminal or live.is_closed
            assert self.everything() == before
            return
        assert live.operations[key].is_terminal is (how != "heartbeat")

    @precondition(lambda self: self.executor.executions)
    @rule(which=st.integers(0, 9), sure=st.integers(0, 5))
    def stop(self, which: int, sure: int) -> None:
        if sure != 5:
            return
        arn = list(self.executor.executions)[which % len(self.executor.executions)]
        over, before = self.service.execution(arn).is_closed, self.everything()
        self.executor.stop(arn, ERROR, self.service.now)
        assert self.service.execution(arn).is_closed
        if over:
            assert self.everything() == before

    @precondition(lambda self: self.executor.calls)
    @rule(status=st.sampled_from(["SUCCEEDED", "FAILED"]))
    def call(self, status: str) -> None:
        call = self.executor.calls.popleft()
        outcome = InvokeOutcome(status=status)
        self.executor.end_chained_invoke(call.execution_arn, call.operation_id, outcome, self.service.now)

    @precondition(lambda self: not any(each.running for each in self.executor.executions.values()))
    @rule(which=st.integers(0, 9))
    def resume_elsewhere(self, which: int) -> None:
        """A service that takes an execution up from its record waits for the same things until the same instants."""
        self.service.scheduler.fire_due()
        live = list(self.executor.executions.values())[which % len(self.executor.executions)]
        other = Service(functions=FUNCTIONS, clock=VirtualClock(from_millis(self.service.now)), **LIMITS)
        for each in self.executor.executions.values():
            other.store.create(each.snapshot())
        resumed = resume(other.executor, live.snapshot(), other.now)
        other.scheduler.fire_due()  # a backoff may be over that the record does not know to be over
        assert resumed.snapshot() == live.snapshot() == other.store.load(live.header.arn)
        assert resumed.pending == live.pending
        if not live.is_closed and "nobody" not in str(live.operations):  # what is refused is no event
            assert resumed.stored_bytes == live.stored_bytes
        assert other.is_ready(live.header.arn) is self.service.is_ready(live.header.arn)
        assert deadlines(other, live) == deadlines(self.service, live)

    # ------------------------------------------------------------------------------------------- invariants

    @invariant()
    def what_always_holds(self) -> None:
        armed = Counter(timer.execution_arn for timer in self.executor.timers)
        kinds = {(timer.execution_arn, timer.operation_id) for timer in self.executor.timers}
        assert len(set(self.executor.ready)) == len(self.executor.ready)
        for arn, live in self.executor.executions.items():
            check_history(live)
            record = live.snapshot()
            assert self.service.store.load(arn) == record
            assert live.pending.keys() == {each.id for each in live.operations.values() if is_pending(each)}
            if live.is_closed:
                assert not armed[arn]
                assert arn not in self.executor.ready
                continue
            backing_off = any(t.kind == "crash backoff" for t in self.executor.timers if t.execution_arn == arn)
            reasons = [live.running is not None, arn in self.executor.ready, backing_off]
            assert sum(reasons) <= 1
            assert any(reasons) or live.pending, "nothing would ever wake it"
            for key in live.pending:
                if live.operations[key].type in {OperationType.WAIT, OperationType.STEP}:
                    assert (arn, key) in kinds

    def teardown(self) -> None:
        """In the end every execution ends, or waits for an answer that nobody has promised."""
        for handler in self.handlers:
            handler.succeed()
        for _ in range(200):
            action = self.service.next()
            if isinstance(action, Stuck):
                break
            if isinstance(action, Invoke):
                Handler(self.service, action.invocation).succeed()
            elif isinstance(action, Call):
                call, done = action.call, InvokeOutcome(status="SUCCEEDED")
                self.executor.end_chained_invoke(call.execution_arn, call.operation_id, done, self.service.now)
        self.what_always_holds()
        for live in self.executor.executions.values():
            assert live.is_closed or {live.operations[key].type for key in live.pending} <= {
                OperationType.CALLBACK,
                OperationType.CHAINED_INVOKE,
            }


def is_pending(operation: Any) -> bool:
    if operation.type is OperationType.STEP:
        return operation.status is OperationStatus.PENDING
    suspending = {OperationType.WAIT, OperationType.CALLBACK, OperationType.CHAINED_INVOKE}
    return operation.type in suspending and operation.status is OperationStatus.STARTED


def ends_operation(event: HistoryEvent) -> bool:
    return event.event_type.endswith(ENDS) and "delay" not in event.data


def check_history(live: Execution) -> None:
    """What holds for the history of every execution at every moment."""
    events = live.events
    assert [event.event_id for event in events] == list(range(1, len(events) + 1))
    assert events[0].event_type == "ExecutionStarted"
    assert [event.timestamp for event in events] == sorted(event.timestamp for event in events)
    ended: set[str] = set()
    started: set[str] = set()
    for event in events:
        key = event.operation_id
        assert (key is None) == (event.event_type == "InvocationCompleted")
        if key is None:
            continue
        assert key not in ended, "nothing of an operation comes after its end"
        if event.event_type.endswith("Started"):
            started.add(key)
        assert key in started
        if ends_operation(event):
            ended.add(key)
    operations = live.operations.values()
    assert started == {each.id for each in operations}
    assert ended == {each.id for each in operations if each.is_terminal}
    own = [event.event_type for event in events if event.operation_id is None]
    completed = [each for each in live.invocations if each.ended_at is not None]
    assert own.count("InvocationCompleted") == len(completed)
    closing = [index for index, event in enumerate(events) if event.event_type in CLOSING]
    assert len(closing) == live.is_closed
    for index in closing:
        assert {event.event_type for event in events[index + 1 :]} <= {"InvocationCompleted"}
        assert len(events) - index <= 2
        assert events[index].event_type == CLOSED_BY[live.header.status]


CLOSED_BY = {
    ExecutionStatus.SUCCEEDED: "ExecutionSucceeded",
    ExecutionStatus.FAILED: "ExecutionFailed",
    ExecutionStatus.TIMED_OUT: "ExecutionTimedOut",
    ExecutionStatus.STOPPED: "ExecutionStopped",
}
CLOSING = frozenset(CLOSED_BY.values())

TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=EXAMPLES or 80,
    stateful_step_count=50 if EXAMPLES else 40,
    derandomize=not EXAMPLES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)

"""The service without anything around it: no SDK, no event loop, no clock but the one that a test moves."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from async_durable_execution_runner._engine.callbacks import Responders
from async_durable_execution_runner._engine.client import InMemoryServiceClient, Unhurried
from async_durable_execution_runner._engine.executor import Executor
from async_durable_execution_runner._engine.functions import Account, DurableFunction, Function, FunctionRegistry
from async_durable_execution_runner._engine.inputs import Crashed, InvocationInput, Returned, StartRequest
from async_durable_execution_runner._engine.scheduler import Goal, Scheduler
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.execution import Execution
from async_durable_execution_runner._model.limits import ServiceLimits
from async_durable_execution_runner._wire.border import BotocoreWire
from async_durable_execution_runner._wire.rendering import render_error, render_event, render_operation
from async_durable_execution_runner.clock import VirtualClock
from async_durable_execution_runner.observer import ExecutionNotifier, ExecutionObserver
from async_durable_execution_runner.stores.memory import MemoryExecutionStore

Wire = dict[str, Any]
ACCOUNT = Account(region="us-west-2", account_id="123456789012")
FUNCTION_ARN = "arn:aws:lambda:us-west-2:123456789012:function:fn"


def never() -> bool:
    """A goal that is never reached."""
    return False


class Handler:
    """The service's caller during one invocation: what an SDK would do, said by the test."""

    def __init__(self, service: Service, invocation: InvocationInput) -> None:
        self.service = service
        self.input = invocation
        self.arn = invocation.execution_arn
        self.token: Any = invocation.token

    def checkpoint(self, *updates: Wire, token: str | None = None, **more: Any) -> Wire:
        """One checkpoint; its answer, with the token kept for the next."""
        params: Wire = {"DurableExecutionArn": self.arn, "CheckpointToken": token or self.token, **more}
        answer = self.service.client.checkpoint_durable_execution(**params, Updates=list(updates))
        self.token = answer.get("CheckpointToken")
        return answer

    def told(self, *updates: Wire) -> list[tuple[str, str]]:
        """A checkpoint, of its answer the ids and states of the operations."""
        return [(each["Id"], each["Status"]) for each in operations_of(self.checkpoint(*updates))]

    def state(self, **more: Any) -> Wire:
        """GetDurableExecutionState with the last token."""
        params: Wire = {"DurableExecutionArn": self.arn, "CheckpointToken": self.token, **more}
        return self.service.client.get_durable_execution_state(**params)

    def suspend(self) -> None:
        """Return PENDING."""
        self.end(Returned(status="PENDING"))

    def succeed(self, result: str | None = '"done"') -> None:
        """Return SUCCEEDED."""
        self.end(Returned(status="SUCCEEDED", result=result))

    def fail(self, error: ErrorObject | None = None) -> None:
        """Return FAILED."""
        self.end(Returned(status="FAILED", error=error))

    def crash(self, kind: str = "Runtime.ExitError") -> None:
        """Die."""
        self.end(Crashed(error=ErrorObject(type=kind, message="exit status 1")))

    def end(self, end: Returned | Crashed) -> None:
        """End the invocation in any way."""
        self.service.executor.end_invocation(self.arn, self.input.number, end, self.service.now)


class Service:
    """Engine, store, clock and client put together; a durable function ``fn`` is registered."""

    def __init__(
        self,
        limits: ServiceLimits | None = None,
        *,
        observers: Iterable[ExecutionObserver] = (),
        invocation_timeout: int = 900,
        functions: dict[str, Function] | None = None,
        clock: Any = None,
        store: Any = None,
        **limit_changes: Any,
    ) -> None:
        limits = replace(limits or ServiceLimits(), **limit_changes)
        self.clock = clock or VirtualClock()
        self.began = self.now
        self.functions = FunctionRegistry(ACCOUNT, limits)
        for name, function in {"fn": DurableFunction(handler=None), **(functions or {})}.items():
            self.functions.register(name, function)
        self.store = store if store is not None else MemoryExecutionStore()
        self.executor = Executor(
            limits=limits,
            store=self.store,
            functions=self.functions,
            notifier=ExecutionNotifier(observers),
            invocation_timeout=invocation_timeout,
            render_event=render_event,
            render_error=render_error,
        )
        self.responders = Responders(self.executor)
        self.executor.callback_opened = self.responders.opened
        self.scheduler = Scheduler(self.executor, self.clock, self.responders)
        self.client = InMemoryServiceClient(
            self.executor, self.scheduler, self.clock, BotocoreWire(), threading.RLock(), Unhurried()
        )

    # ------------------------------------------------------------------------------------------------- time

    @property
    def now(self) -> int:
        """Milliseconds."""
        return self.clock.now_millis()

    @property
    def elapsed(self) -> float:
        """Seconds since the service began."""
        return (self.now - self.began) / 1000

    def at(self, seconds: float) -> None:
        """Let time pass up to an instant, deadline by deadline, without invoking anything."""
        self.scheduler.walk_to(self.began + int(seconds * 1000))

    # ------------------------------------------------------------------------------------------- executions

    def start(self, payload: str | None = '{"n":1}', function: str = "fn", **more: Any) -> str:
        """Start an execution; its ARN."""
        request = StartRequest(function_name=function, input_payload=payload, **more)
        return self.executor.start(request, self.now)

    def take(self) -> Handler:
        """Begin the next invocation that is ready, without letting time pass."""
        return Handler(self, self.executor.begin_invocation(self.executor.ready.popleft(), self.now))

    def next(self) -> Any:
        """What the scheduler wants next; time may pass."""
        return self.scheduler.next(Goal(never))

    def next_handler(self) -> Handler:
        """The next invocation; time may pass."""
        return Handler(self, self.next().invocation)

    def begin(self, **more: Any) -> Handler:
        """Start an execution and begin its first invocation."""
        self.start(**more)
        return self.take()

    def execution(self, arn: str) -> Execution:
        """The live execution."""
        return self.executor.get(arn)

    def is_ready(self, arn: str) -> bool:
        """Whether an invocation is due right now."""
        return arn in self.executor.ready

    # ---------------------------------------------------------------------------------------------- looking

    def events(self, arn: str, **more: Any) -> list[Wire]:
        """The history in wire shape."""
        return self.client.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=1000, **more)["Events"]

    def kinds(self, arn: str) -> list[str]:
        """Types of all events but the first, which is always ExecutionStarted."""
        kinds = [event["EventType"] for event in self.events(arn)]
        assert kinds[0] == "ExecutionStarted"
        return kinds[1:]

    def last(self, arn: str, kind: str) -> Wire:
        """The last event of a type."""
        return [event for event in self.events(arn) if event["EventType"] == kind][-1]

    def details(self, arn: str, kind: str) -> Wire:
        """Details of the last event of a type."""
        return self.last(arn, kind)[f"{kind}Details"]

    def status(self, arn: str) -> str:
        """The execution's status."""
        return self.client.get_durable_execution(DurableExecutionArn=arn)["Status"]

    def operation(self, arn: str, operation_id: str) -> Wire:
        """An operation in wire shape."""
        return render_operation(self.execution(arn).operations[operation_id])

    def callback_id(self, arn: str, operation_id: str) -> str:
        """The id under which a callback is answered."""
        return self.operation(arn, operation_id)["CallbackDetails"]["CallbackId"]

    def armed(self, arn: str) -> list[str]:
        """Kinds of the pending deadlines of an execution."""
        return [str(timer.kind) for timer in self.executor.timers if timer.execution_arn == arn]


def operations_of(answer: Wire) -> list[Wire]:
    """Operations in a checkpoint's answer."""
    return answer["NewExecutionState"]["Operations"]


# ------------------------------------------------------------------------------------------------------- updates


def update(kind: str, action: str, operation_id: str, **more: Any) -> Wire:
    """An operation update in wire shape."""
    return {"Id": operation_id, "Type": kind, "Action": action, **more}


def step(operation_id: str, action: str = "START", **more: Any) -> Wire:
    """An update of a step. ``delay`` for a retry."""
    if (delay := more.pop("delay", None)) is not None:
        more["StepOptions"] = {"NextAttemptDelaySeconds": delay}
    return update("STEP", action, operation_id, **more)


def wait(operation_id: str, seconds: int = 10, **more: Any) -> Wire:
    """The start of a wait."""
    return update("WAIT", "START", operation_id, WaitOptions={"WaitSeconds": seconds}, **more)


def callback(operation_id: str, timeout: int = 0, beat: int = 0, **more: Any) -> Wire:
    """The start of a callback."""
    options = {"TimeoutSeconds": timeout, "HeartbeatTimeoutSeconds": beat}
    return update("CALLBACK", "START", operation_id, CallbackOptions=options, **more)


def context(operation_id: str, action: str = "START", **more: Any) -> Wire:
    """An update of a context. ``replay`` for ``ReplayChildren``."""
    if (replay := more.pop("replay", None)) is not None:
        more["ContextOptions"] = {"ReplayChildren": replay}
    return update("CONTEXT", action, operation_id, **more)


def invoke(operation_id: str, function: str, payload: str | None = '"x"', **more: Any) -> Wire:
    """The start of a chained invoke."""
    options = {"FunctionName": function, **({"TenantId": more.pop("tenant")} if "tenant" in more else {})}
    given = {"Payload": payload} if payload is not None else {}
    return update("CHAINED_INVOKE", "START", operation_id, ChainedInvokeOptions=options, **given, **more)


def execution(action: str = "SUCCEED", **more: Any) -> Wire:
    """The execution's result by checkpoint."""
    return update("EXECUTION", action, "the-end", **more)


ERROR: Wire = {"ErrorType": "ValueError", "ErrorMessage": "no", "ErrorData": "{}", "StackTrace": ["line 1", "line 2"]}

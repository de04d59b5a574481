"""Run, test and take apart durable functions in this process.

with DurableFunctionTestRunner(handler) as runner:
    result = runner.run({"order": 7})
    assert result.ensure_succeeded().value == "shipped"
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar, cast

from ._awaitable import awaitable
from ._engine.callbacks import Answer, Responder, callback_names, fits, open_callbacks
from ._engine.functions import Account, DurableFunction, InvokeOutcome, PlainFunction, StubbedFunction
from ._engine.inputs import StartRequest
from ._engine.resume import latest_instant
from ._engine.resume import resume as take_up
from ._engine.scheduler import Goal
from ._invoke import InvokeApi
from ._local import Local, is_decorated, load_named, require_plain, resolve_handler
from ._model.enums import ExecutionStatus
from ._model.errors import ErrorObject
from ._model.execution import Execution, ExecutionRecord
from ._model.ids import FunctionReference
from ._model.limits import ServiceLimits
from ._results import build_result
from ._serialise import callback_text, error_object, input_text, json_text
from ._wire.border import BotocoreWire
from ._wire.boto import LocalLambdaClient
from ._wire.rendering import render_error
from .awaited import AwaitedRunner
from .clock import Clock, RealClock, VirtualClock, from_millis, to_seconds
from .exceptions import (
    ExecutionNotFoundError,
    ExecutionStuckError,
    HandlerError,
    OperationLookupError,
    RequestTooLargeException,
    RunnerClosedError,
    ServiceError,
    UnusedResponderError,
)
from .observer import ExecutionObserver
from .result import (
    CallbackOperation,
    ContextOperation,
    DurableFunctionTestResult,
    ExecutionOperation,
    InvokeOperation,
    Operation,
    StepOperation,
    WaitOperation,
)
from .stores.base import ExecutionStore, StoreType
from .stores.selection import open_store

__all__ = [
    "CallbackOperation",
    "ContextOperation",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "ExecutionOperation",
    "InvokeOperation",
    "Operation",
    "StepOperation",
    "WaitOperation",
]

T = TypeVar("T")
Duration = float | timedelta
_NOT_GIVEN: Any = object()


class DurableFunctionTestRunner:
    """Runs a durable function against an emulation of the service, in this process and on a virtual clock.

    ``handler`` is a function decorated with an SDK's ``@durable_execution`` (decorators above it keep working), the
    undecorated durable function, or ``"module:attribute"``. Durations are seconds or ``timedelta``.

    Inside ``with`` methods block and run the handler on the calling thread; inside ``async with`` they are awaited and
    run it on the caller's event loop. Without either it works as inside ``with``.

    Raises ``HandlerError`` at once for something that cannot be a durable function, ``StoreError`` for an unknown
    store and ``ValueError`` for an option's value that makes no sense.
    """

    def __init__(
        self,
        handler: Any = None,
        *,
        store: ExecutionStore | StoreType | str | None = None,
        store_path: str | Path | None = None,
        clock: Clock | str = "virtual",
        start_time: datetime | None = None,
        execution_timeout: Duration | None = None,
        invocation_timeout: Duration = 900,
        retention_period_days: int = 14,
        limits: ServiceLimits | None = None,
        isolation: str = "inline",
        region: str = "us-west-2",
        account_id: str = "123456789012",
        function_name: str = "test-function",
        observers: Iterable[ExecutionObserver] = (),
        poll_interval: float = 1.0,
        sdk_tuning: bool = True,
    ) -> None:
        del poll_interval  # accepted for drop-in use; nothing here polls
        self._limits = limits if limits is not None else ServiceLimits()
        if isolation != "inline":
            known = "isolation='process' is not part of this release" if isolation == "process" else "unknown isolation"
            raise ValueError(f"{known}: {isolation!r}; valid: 'inline'")
        if retention_period_days not in range(1, 91):
            raise ValueError(f"retention_period_days is a number of days from 1 to 90, not {retention_period_days!r}")
        self._clock = _clock(clock, start_time)
        self._function_name = function_name
        self._execution_timeout = _timeout(execution_timeout, "execution_timeout", self._limits.max_execution_timeout)
        invocation_seconds = _timeout(invocation_timeout, "invocation_timeout", None)
        self._local = Local(
            account=_account(region, account_id),
            clock=self._clock,
            limits=self._limits,
            store=open_store(store, store_path),
            invocation_timeout=invocation_seconds or 900,
            retention_period_days=retention_period_days,
            observers=observers,
            sdk_tuning=sdk_tuning,
        )
        self._has_handler = handler is not None
        if handler is not None:
            self._local.register(function_name, resolve_handler(handler), self._execution_timeout)
        self._asynchronous = False
        self._closed = False
        self._checked = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{self._clock!r}"
        count = len(self._local.executor.executions)
        return f"<DurableFunctionTestRunner {self._function_name!r}, {count} executions, {state}>"

    # ---------------------------------------------------------------------------------------------- open, close

    def __enter__(self) -> DurableFunctionTestRunner:
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._finish(failed=error is not None)

    async def __aenter__(self) -> AwaitedRunner:
        self._require_open()
        _require_asyncio()
        self._asynchronous = True
        return cast("AwaitedRunner", self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asynchronous = False
        self._finish(failed=error is not None)

    def close(self) -> None:
        """Release everything the runner holds. Never waits; a second time changes nothing."""
        if not self._closed:
            self._closed = True
            self._local.driver.close()
            self._local.executor.store.close()

    def _finish(self, *, failed: bool) -> None:
        """Close, and complain about scripted answers that nothing asked for, unless the test has failed anyway."""
        self.close()
        unused = self._local.responders.unused()
        if unused and not failed and not self._checked:
            self._checked = True
            names = ", ".join(repr(responder.pattern) for responder in unused)
            opened = sorted({name for name in self._callback_names() if name}) or ["none"]
            raise UnusedResponderError(
                f"on_callback({names}) was scripted and no callback asked for it; "
                f"callbacks opened: {', '.join(opened)}. "
                "If that is as it should be, say on_callback(…, optional=True)."
            )
        self._checked = True

    def _callback_names(self) -> Iterable[str | None]:
        for execution in self._local.executor.executions.values():
            for operation in execution.operations.values():
                if operation.type == "CALLBACK":
                    yield operation.name

    def _require_open(self) -> None:
        if self._closed:
            raise RunnerClosedError("This runner is closed. Make a new one, or keep the work inside its `with` block.")

    # --------------------------------------------------------------------------------------------------- running

    def run(
        self,
        input: Any = None,
        timeout: float = 900,
        *,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> DurableFunctionTestResult:
        """Start an execution, drive it to its end, and return its result, whatever the status.

        ``timeout`` is a guard in real seconds and has nothing to do with the clock. Raises ``ExecutionStuckError``
        when nothing can ever end the execution, ``ExecutionTimeoutError`` when the guard runs out.
        """
        arn = self._start(input, function_name, execution_name, account_id, tenant_id, synchronous=True)
        return self._until_closed(arn, timeout)

    def run_async(
        self,
        input: Any = None,
        timeout: float = 900,
        *,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> str:
        """Start an execution and return its ARN. Nothing of it runs before another call drives the runner."""
        del timeout  # nothing is waited for
        return self._ready(self._start(input, function_name, execution_name, account_id, tenant_id, synchronous=False))

    def wait_for_result(self, execution_arn: str, timeout: float = 60) -> DurableFunctionTestResult:
        """Drive until an execution ends; returns its result whatever the status, as often as asked.

        Raises ``ExecutionNotFoundError`` for an unknown ARN, else as ``run``.
        """
        return self._until_closed(self._find(execution_arn).header.arn, timeout)

    def resume(self, execution_arn: str) -> DurableFunctionTestResult:
        """Take up an execution whose process has ended, from the store; the result so far. Drives nothing.

        From here on ``wait_for_result``, ``send_callback_*``, ``advance`` and all the rest work on it. An invocation
        that was interrupted counts as crashed; the clock stands at the last instant the store knows, and deadlines
        come in order. Raises ``ExecutionNotFoundError`` for an ARN that the store does not know, ``HandlerError`` if
        the execution's function is not there.
        """
        self._require_open()
        local = self._local
        with local.lock:
            if execution_arn not in local.executor.executions:
                self._take_up(execution_arn)
        return self.get_result(execution_arn)

    def get_result(self, execution_arn: str) -> DurableFunctionTestResult:
        """The result so far of an execution of this runner or in its store. Drives nothing.

        Raises ``ExecutionNotFoundError``.
        """
        return self._ready(self._result_of(self._record(execution_arn)))

    def run_until_suspended(self, execution_arn: str, timeout: float = 900) -> DurableFunctionTestResult:
        """Drive until nothing can happen without time passing or an answer from outside; the result so far."""
        execution = self._find(execution_arn)
        goal = Goal(_never, until=self._clock.now_millis())
        return self._drive(goal, timeout, execution_arn, lambda: self._result(execution))

    def wait_for_callback(self, execution_arn: str, name: str | None = None, timeout: float = 60) -> str:
        """Drive until an open callback of that name exists and the invocation that made it has settled; its id.

        ``name`` may be a glob; of several the oldest. Only as much time passes as it takes to get there. Raises
        ``OperationLookupError`` as soon as the execution has ended without one, else as ``run``.
        """
        execution = self._find(execution_arn)

        def reached() -> bool:
            return execution.is_closed or (execution.running is None and self._open(execution, name) is not None)

        def found() -> str:
            callback_id = self._open(execution, name)
            if callback_id is None:
                raise OperationLookupError(self._no_callback(execution, name))
            return callback_id

        try:
            return self._drive(Goal(reached), timeout, execution_arn, found)
        except ExecutionStuckError as error:
            error.add_note(self._no_callback(execution, name))
            raise

    def advance(self, duration: Duration) -> Any:
        """Let time pass: what is ready runs first, then every deadline on the way comes in order.

        Inside a running step it says how long the step takes: deadlines come, and nothing else is invoked.
        """
        millis = round(to_seconds(duration) * 1000)
        self._require_open()
        driver = self._local.driver
        until = self._clock.now_millis() + millis
        if driver.is_driven_here():
            with self._local.lock:
                self._local.scheduler.walk_to(until)
            return self._ready(None)
        return self._drive(Goal(_never, until=until), max(900.0, millis / 1000 + 60), "", lambda: None)

    @property
    def now(self) -> datetime:
        """The clock's present, aware and in UTC."""
        return from_millis(self._clock.now_millis())

    # ----------------------------------------------------------------------------------------------- from outside

    def send_callback_success(self, callback_id: str, result: Any = None) -> Any:
        """Answer a callback. ``bytes`` and ``str`` go verbatim, ``None`` sends no payload, anything else goes as JSON.

        Raises the service's errors: ``ResourceNotFoundException``, ``InvalidParameterValueException`` for a malformed
        id, ``CallbackTimeoutException`` for a callback that is closed.
        """
        text = callback_text(result)
        payload = {"Result": text.encode()} if text is not None else {}
        return self._answer(
            self._local.client.send_durable_execution_callback_success, CallbackId=callback_id, **payload
        )

    def send_callback_failure(self, callback_id: str, error: Any = None) -> Any:
        """Fail a callback with an ``ErrorObject``, an exception, a mapping in wire shape, or a message.

        Raises as ``send_callback_success``.
        """
        wire = render_error(error_object(error))
        return self._answer(
            self._local.client.send_durable_execution_callback_failure, CallbackId=callback_id, Error=wire
        )

    def send_callback_heartbeat(self, callback_id: str) -> Any:
        """Say that a callback's answer is still being worked on. Raises as ``send_callback_success``."""
        return self._answer(self._local.client.send_durable_execution_callback_heartbeat, CallbackId=callback_id)

    def on_callback(
        self,
        name: str,
        *,
        result: Any = _NOT_GIVEN,
        error: Any = _NOT_GIVEN,
        after: Duration = 0,
        heartbeat_every: Duration | None = None,
        optional: bool = False,
    ) -> DurableFunctionTestRunner:
        """Script the answer to every callback of that name (a glob will do), ``after`` on the clock.

        An answer that nothing asks for fails the test when the runner is closed, unless it is ``optional``.
        """
        self._require_open()
        if result is not _NOT_GIVEN and error is not _NOT_GIVEN:
            raise TypeError(f"on_callback({name!r}) takes a result or an error, not both")
        failed = error is not _NOT_GIVEN
        answer = Answer(
            result=None if failed or result is _NOT_GIVEN else callback_text(result),
            error=error_object(error) if failed else None,
        )
        every = _millis(heartbeat_every, "heartbeat_every") if heartbeat_every is not None else None
        if every is not None and every <= 0:
            raise ValueError(f"heartbeat_every must be more than 0, not {heartbeat_every!r}")
        responder = Responder(
            pattern=name,
            answer=answer,
            after=_millis(after, "after"),
            heartbeat_every=every,
            optional=optional,
        )
        self._local.responders.scripted.append(responder)
        return self

    def stop_execution(self, execution_arn: str, error: Any = None) -> dict[str, Any]:
        """Stop an execution (API Reference: StopDurableExecution). A finished one stays as it is."""
        self._find(execution_arn)
        given = {"Error": render_error(error_object(error))} if error is not None else {}
        stop = self._local.client.stop_durable_execution
        return self._answer(stop, DurableExecutionArn=execution_arn, **given)  # type: ignore[no-any-return]

    # ----------------------------------------------------------------------------------------------- chained invokes

    def register_durable_function(
        self, name: str, handler: Any, *, execution_timeout: Duration | None = None
    ) -> DurableFunctionTestRunner:
        """A durable target for chained invokes: runs as a child execution. Chainable."""
        self._require_open()
        seconds = _timeout(execution_timeout, "execution_timeout", self._limits.max_execution_timeout)
        self._local.register(name, resolve_handler(handler), seconds)
        return self

    def register_function(self, name: str, handler: Any) -> DurableFunctionTestRunner:
        """A target for chained invokes. A plain function runs as one Lambda call; a durable one as a child execution.

        Chainable.
        """
        self._require_open()
        if is_decorated(handler := load_named(handler)):
            self._local.register(name, handler, None)
        else:
            self._local.functions.register(name, PlainFunction(handler=require_plain(name, handler)))
        return self

    def mock_invoke(
        self,
        name: str,
        *,
        result: Any = _NOT_GIVEN,
        error: Any = _NOT_GIVEN,
        times_out: bool = False,
        stops: Any = _NOT_GIVEN,
        after: Duration = 0,
    ) -> DurableFunctionTestRunner:
        """A stubbed target for chained invokes: its outcome, ``after`` on the clock. Chainable.

        ``result`` is encoded as JSON; ``error`` and ``stops`` take what ``send_callback_failure`` takes.
        """
        self._require_open()
        given = [value is not _NOT_GIVEN for value in (result, error, stops)]
        if sum(given) + times_out > 1:
            raise TypeError(f"mock_invoke({name!r}) takes one of result, error, times_out and stops")
        millis = _millis(after, "after")
        if times_out:
            message = f"CHAINED_INVOKE timed out after {millis // 1000} seconds."
            outcome = InvokeOutcome(
                status="TIMED_OUT", error=ErrorObject(type="ChainedInvoke.Timeout", message=message)
            )
        elif stops is not _NOT_GIVEN:
            outcome = InvokeOutcome(status="STOPPED", error=error_object(None if stops is True else stops))
        elif error is not _NOT_GIVEN:
            outcome = InvokeOutcome(status="FAILED", error=error_object(error))
        else:
            value = None if result is _NOT_GIVEN else result
            outcome = InvokeOutcome(status="SUCCEEDED", result=json_text(value, f"the result of {name!r}"))
        self._local.functions.register(name, StubbedFunction(outcome=outcome, after=millis))
        return self

    # ------------------------------------------------------------------------------------------------------ looking

    def get_execution(self, execution_arn: str) -> dict[str, Any]:
        """An execution (API Reference: GetDurableExecution)."""
        self._record(execution_arn)
        return self._ready(self._local.client.get_durable_execution(DurableExecutionArn=execution_arn))

    def list_executions(
        self,
        function_name: str | None = None,
        *,
        execution_name: str | None = None,
        statuses: Iterable[str] = (),
        started_after: datetime | None = None,
        started_before: datetime | None = None,
        reverse_order: bool = False,
        max_items: int | None = None,
        marker: str | None = None,
    ) -> dict[str, Any]:
        """Executions of a function, newest first (API Reference: ListDurableExecutionsByFunction)."""
        self._require_open()
        params: dict[str, Any] = {"FunctionName": function_name or self._function_name}
        optional = {
            "DurableExecutionName": execution_name,
            "Statuses": [str(status) for status in statuses] or None,
            "StartedAfter": started_after,
            "StartedBefore": started_before,
            "ReverseOrder": reverse_order or None,
            "MaxItems": max_items,
            "Marker": marker,
        }
        params |= {name: value for name, value in optional.items() if value is not None}
        return self._ready(self._local.client.list_durable_executions_by_function(**params))

    def get_execution_history(self, execution_arn: str, include_execution_data: bool = True) -> list[dict[str, Any]]:
        """All events so far in wire shape, timestamps as aware datetimes. Drives nothing."""
        wire, record = BotocoreWire(), self._record(execution_arn)
        return self._ready([wire.event(event, include_execution_data) for event in record.events])

    @property
    def client(self) -> LocalLambdaClient:
        """An object shaped like ``boto3.client("lambda")``: ``invoke`` and every durable operation, in this process."""
        self._require_open()
        invoke = InvokeApi(self._local, self._start, self._until_closed_blocking, self._require_open)
        return invoke.client()

    # ------------------------------------------------------------------------------------------------------- inside

    def _start(
        self,
        input: Any,
        function_name: str | None,
        execution_name: str | None,
        account_id: str | None,
        tenant_id: str | None,
        *,
        synchronous: bool,
    ) -> str:
        self._require_open()
        if account_id is not None:
            _require_account(account_id)
        name = function_name or self._function_name
        function = self._local.functions.find(name)
        if function is None or not isinstance(function, DurableFunction):
            raise HandlerError(self._no_function(name))
        text = input_text(input)
        reference = FunctionReference.parse(name)
        assert reference is not None  # or it could not have been registered
        request = StartRequest(
            function_name=reference.name,
            input_payload=text,
            execution_name=execution_name,
            account_id=account_id,
            tenant_id=tenant_id,
            execution_timeout=function.execution_timeout,
            synchronous=synchronous,
        )
        local = self._local
        try:
            params = {"FunctionName": name, "DurableExecutionName": execution_name, "TenantId": tenant_id}
            local.client.wire.check("Invoke", params)
            limit = self._limits.execution_payload_bytes if synchronous else self._limits.async_execution_payload_bytes
            if len(text.encode()) > limit:
                raise RequestTooLargeException(
                    f"Request must be smaller than or equal to {limit} bytes for the Invoke operation; "
                    f"the input has {len(text.encode())}."
                )
            with local.lock:
                return local.executor.start(request, self._clock.now_millis())
        except ServiceError as error:
            raise local.client.wire.client_error(error, "Invoke") from None

    def _no_function(self, name: str) -> str:
        if not self._has_handler and name == self._function_name:
            return (
                "The runner has no handler: give one as DurableFunctionTestRunner(handler) or handler=… in the marker."
            )
        functions = self._local.functions
        durable = [repr(each) for each in functions if isinstance(functions.find(each), DurableFunction)]
        if functions.find(name) is not None:
            what = f"{name!r} is no durable function; runner.client.invoke(FunctionName={name!r}, …) calls any function"
        else:
            what = f"There is no durable function {name!r}"
        return f"{what}; registered: {', '.join(durable) or 'none'}."

    def _until_closed(self, arn: str, timeout: float) -> DurableFunctionTestResult:
        execution = self._local.executor.get(arn)
        goal = Goal(lambda: execution.is_closed and execution.running is None)
        return self._drive(goal, timeout, arn, lambda: self._result(execution))

    def _until_closed_blocking(self, arn: str, timeout: float) -> None:
        execution = self._local.executor.get(arn)
        goal = Goal(lambda: execution.is_closed and execution.running is None)
        self._local.driver.drive(goal, timeout, arn)

    def _drive(self, goal: Goal, timeout: float, arn: str, then: Callable[[], T]) -> T:
        self._require_open()
        seconds = to_seconds(timeout, "timeout")
        if self._asynchronous:
            return self._drive_async(goal, seconds, arn, then)  # type: ignore[return-value]
        self._local.driver.drive(goal, seconds, arn)
        # Not when that has raised: a warning that is an error would take its place.
        self._local.emit_warnings()
        return then()

    async def _drive_async(self, goal: Goal, timeout: float, arn: str, then: Callable[[], T]) -> T:
        await self._local.driver.drive_async(goal, timeout, arn)
        self._local.emit_warnings()
        return then()

    def _answer(self, method: Callable[..., dict[str, Any]], **params: Any) -> Any:
        self._require_open()
        response = method(**params)
        self._local.driver.wake()
        return self._ready(response or None)

    def _ready(self, value: T) -> T:
        return awaitable(value) if self._asynchronous else value

    def _find(self, execution_arn: str) -> Execution:
        self._require_open()
        execution = self._local.executor.executions.get(execution_arn)
        if execution is not None:
            return execution
        if self._record(execution_arn).header.status is ExecutionStatus.RUNNING:
            raise ExecutionNotFoundError(
                f"The execution {execution_arn!r} is in the store and not finished, but this runner has not begun it. "
                "If its process has ended, take it up with runner.resume(execution_arn)."
            )
        return self._take_up(execution_arn)

    def _take_up(self, execution_arn: str) -> Execution:
        local, record = self._local, self._record(execution_arn)
        name = record.header.function_arn.rpartition(":")[2]
        if record.header.status is ExecutionStatus.RUNNING and local.functions.find(name) is None:
            raise HandlerError(f"{self._no_function(name)} The execution {execution_arn!r} needs it to go on.")
        self._clock.move_to(latest_instant(record))
        return take_up(local.executor, record, self._clock.now_millis())

    def _record(self, execution_arn: str) -> ExecutionRecord:
        self._require_open()
        with self._local.lock:
            record = self._local.executor.record(execution_arn)
        if record is None:
            known = list(self._local.executor.executions) or ["none"]
            raise ExecutionNotFoundError(
                f"This runner knows no execution {execution_arn!r}. Executions: {', '.join(known[:5])}"
            )
        return record

    def _result(self, execution: Execution) -> DurableFunctionTestResult:
        with self._local.lock:
            record = execution.snapshot()
        return self._result_of(record)

    def _result_of(self, record: ExecutionRecord) -> DurableFunctionTestResult:
        local, header = self._local, record.header
        bridge = local.bridge_of(header.function_arn.rpartition(":")[2])
        return build_result(record, bridge, self._clock.now_millis(), dict(local.failures.get(header.arn, {})))

    def _results(self) -> list[DurableFunctionTestResult]:
        """Results so far of all executions that were started from outside, for reports."""
        executions = list(self._local.executor.executions.values())
        return [self._result(execution) for execution in executions if execution.header.parent_arn is None]

    @staticmethod
    def _open(execution: Execution, name: str | None) -> str | None:
        for operation in open_callbacks(execution):
            if name is None or fits(name, callback_names(execution, operation)):
                return operation.details.callback_id  # type: ignore[union-attr]
        return None

    @staticmethod
    def _no_callback(execution: Execution, name: str | None) -> str:
        wanted = f"callback {name!r}" if name is not None else "callback"
        callbacks = [operation for operation in execution.operations.values() if operation.type == "CALLBACK"]
        there = ", ".join(f"{operation.name!r} ({operation.status})" for operation in callbacks) or "none at all"
        if execution.is_closed:
            error = execution.header.error
            why = f" with {error.type}: {error.message}" if error is not None else ""
            ended = f"The execution has ended ({execution.header.status}{why})"
            return f"{ended} and no open {wanted} is there. Callbacks: {there}."
        return f"No open {wanted} is there. Callbacks: {there}."


def _never() -> bool:
    return False


def _require_asyncio() -> None:
    """SDKs run on asyncio. Under another event loop a handler would fail, deep inside, for reasons hard to see."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "`async with` runs the handler on the asyncio loop of the test, and none is running here (is it trio's?). "
            "Leave out `async with`: the plain methods run the handler on a loop of their own."
        ) from None


def _account(region: Any, account_id: Any) -> Account:
    if not isinstance(region, str) or not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise ValueError(f"region is an AWS region such as 'us-west-2', not {region!r}")
    _require_account(account_id)
    return Account(region=region, account_id=account_id)


def _require_account(account_id: Any) -> None:
    if not isinstance(account_id, str) or not re.fullmatch(r"\d{12}", account_id):
        raise ValueError(f"account_id has 12 digits, as text: not {account_id!r}")


def _clock(clock: Any, start_time: datetime | None) -> Clock:
    if start_time is not None and not isinstance(start_time, datetime):
        raise TypeError(f"start_time is a datetime, not {start_time!r}")
    if isinstance(clock, str):
        if clock == "virtual":
            return VirtualClock(start_time)
        if clock != "real":
            raise ValueError(f"unknown clock {clock!r}; valid: 'virtual', 'real', or a Clock")
    elif not isinstance(clock, Clock):
        raise TypeError(f"unknown clock {clock!r}; valid: 'virtual', 'real', or a Clock")
    if start_time is not None:
        raise ValueError("start_time is for a virtual clock made by the runner; this clock has its own time")
    return RealClock() if isinstance(clock, str) else clock


def _timeout(value: Duration | None, what: str, most: int | None) -> int | None:
    if value is None:
        return None
    seconds = to_seconds(value, what)
    if seconds < 1 or (most is not None and seconds > most) or seconds != int(seconds):
        limit = f" to {most}" if most is not None else " up"
        raise ValueError(f"{what} is a whole number of seconds from 1{limit}, not {value!r}")
    return int(seconds)


def _millis(value: Duration, what: str) -> int:
    return round(to_seconds(value, what) * 1000)

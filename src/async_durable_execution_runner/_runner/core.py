"""What every part of a runner's surface stands on: its wiring, its life, and driving it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from .._engine.director import Director
from .._engine.functions import DurableFunction
from .._engine.inputs import StartRequest
from .._engine.resume import latest_instant
from .._engine.resume import resume as take_up
from .._engine.scheduler import Goal
from .._model.execution import Execution, ExecutionRecord
from .._model.ids import FunctionReference
from .._model.limits import ServiceLimits
from .._results import build_result
from .._wiring.invoke import InvokeApi
from .._wiring.local import Local
from .._wiring.serialise import input_text
from ..awaited import AwaitedRunner
from ..clock import Clock, from_millis, to_seconds
from ..effects import Effects
from ..exceptions import (
    ExecutionNotFoundError,
    FaultNotReachedError,
    HandlerError,
    RequestTooLargeException,
    RunnerClosedError,
    ServiceError,
    UnusedResponderError,
)
from ..faults import Faults
from ..faults import plan as make_plan
from ..observer import ExecutionObserver
from ..result import (
    DurableFunctionTestResult,
)
from ..stores.base import ExecutionStore, StoreType
from ..stores.selection import open_store
from .awaitable import awaitable
from .settings import Duration, read_account, read_clock, read_timeout, require_account, require_isolation

T = TypeVar("T")


class RunnerCore:
    """Construction, opening and closing, starting and driving executions."""

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
        faults: Faults | None = None,
    ) -> None:
        del poll_interval  # accepted for drop-in use; nothing here polls
        # All that a twin of this runner is made of: see ``_twin``.
        self._given: dict[str, Any] = {
            "handler": handler,
            "clock": clock,
            "execution_timeout": execution_timeout,
            "invocation_timeout": invocation_timeout,
            "retention_period_days": retention_period_days,
            "limits": limits,
            "isolation": isolation,
            "region": region,
            "account_id": account_id,
            "function_name": function_name,
            "sdk_tuning": sdk_tuning,
        }
        self._set_up: list[Callable[[Any], object]] = []
        self._effects: dict[str, Effects] = {}
        if not isinstance(limits, ServiceLimits | None):
            raise TypeError(f"limits is a ServiceLimits profile, not {limits!r}")
        self._limits = limits if limits is not None else ServiceLimits()
        require_isolation(isolation)
        if retention_period_days not in range(1, 91):
            raise ValueError(f"retention_period_days is a number of days from 1 to 90, not {retention_period_days!r}")
        self._clock = read_clock(clock, start_time)
        self._function_name = function_name
        self._execution_timeout = read_timeout(
            execution_timeout, "execution_timeout", self._limits.max_execution_timeout
        )
        plan = make_plan(faults) if faults is not None else None
        limits = self._limits
        if plan is not None and plan.page_size is not None:
            limits = replace(limits, state_page_operations=plan.page_size)
        invocation_seconds = read_timeout(invocation_timeout, "invocation_timeout", None)
        self._local = Local(
            account=read_account(region, account_id),
            clock=self._clock,
            limits=limits,
            store=open_store(store, store_path),
            invocation_timeout=invocation_seconds or 900,
            retention_period_days=retention_period_days,
            observers=observers,
            sdk_tuning=sdk_tuning,
            plan=plan,
        )
        if isolation == "process":
            api = InvokeApi(self._local, self._start, self._until_closed_blocking, self._require_open)
            self._local.isolate(api.operations)
        self._has_handler = handler is not None
        if handler is not None:
            isolated = self._local.isolation
            given = isolated.durable(handler) if isolated is not None else self._local.resolve(handler)
            self._local.register(function_name, given, self._execution_timeout)
        self._asynchronous = False
        self._closed = False
        self._checked = False
        self._lenient = False
        """Whether a fault that was not reached is no mistake."""

    def __repr__(self) -> str:
        state = "closed" if self._closed else f"{self._clock!r}"
        count = len(self._local.executor.executions)
        executions = f"{count} execution{'' if count == 1 else 's'}"
        return f"<DurableFunctionTestRunner {self._function_name!r}, {executions}, {state}>"

    # ---------------------------------------------------------------------------------------------- open, close

    def __enter__(self) -> Self:
        __tracebackhide__ = True
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self._finish(failed=error is not None)

    async def __aenter__(self) -> AwaitedRunner:
        __tracebackhide__ = True
        self._require_open()
        _require_asyncio()
        self._asynchronous = True
        return cast("AwaitedRunner", self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        self._asynchronous = False
        self._finish(failed=error is not None)

    def close(self) -> None:
        """Release everything the runner holds. Never waits; a second time changes nothing."""
        if not self._closed:
            self._closed = True
            self._local.close()
            self._local.executor.store.close()

    def _finish(self, *, failed: bool) -> None:
        """Close, and complain about scripted answers that nothing asked for, unless the test has failed anyway."""
        __tracebackhide__ = True
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
        director = self._local.director
        if director is not None and director.not_reached and not failed and not self._lenient:
            self._lenient = True
            raise FaultNotReachedError(_not_reached(director))

    def _callback_names(self) -> Iterable[str | None]:
        for execution in self._local.executor.executions.values():
            for operation in execution.operations.values():
                if operation.type == "CALLBACK":
                    yield operation.name

    def _require_open(self) -> None:
        __tracebackhide__ = True
        if self._closed:
            raise RunnerClosedError("This runner is closed. Make a new one, or keep the work inside its `with` block.")

    # ------------------------------------------------------------------------------------------------------- inside

    @property
    def now(self) -> datetime:
        """The clock's present, aware and in UTC."""
        return from_millis(self._clock.now_millis())

    def _start(
        self,
        value: Any,
        function_name: str | None,
        execution_name: str | None,
        account_id: str | None,
        tenant_id: str | None,
        *,
        synchronous: bool,
    ) -> str:
        __tracebackhide__ = True
        self._require_open()
        if account_id is not None:
            require_account(account_id)
        name = function_name or self._function_name
        function = self._local.functions.find(name)
        if function is None or not isinstance(function, DurableFunction):
            raise HandlerError(self._no_function(name))
        text = input_text(value)
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
        __tracebackhide__ = True
        execution = self._local.executor.get(arn)
        goal = Goal(lambda: execution.is_closed and execution.running is None)
        return self._drive(goal, timeout, arn, lambda: self._result(execution))

    def _until_closed_blocking(self, arn: str, timeout: float) -> None:
        execution = self._local.executor.get(arn)
        goal = Goal(lambda: execution.is_closed and execution.running is None)
        self._local.driver.drive(goal, timeout, arn)

    def _drive(self, goal: Goal, timeout: float, arn: str, then: Callable[[], T]) -> T:
        __tracebackhide__ = True
        self._require_open()
        seconds = to_seconds(timeout, "timeout")
        if self._asynchronous:
            return self._drive_async(goal, seconds, arn, then)  # type: ignore[return-value]
        self._local.driver.drive(goal, seconds, arn)
        # Not when that has raised: a warning that is an error would take its place.
        self._local.emit_warnings()
        return then()

    async def _drive_async(self, goal: Goal, timeout: float, arn: str, then: Callable[[], T]) -> T:
        __tracebackhide__ = True
        await self._local.driver.drive_async(goal, timeout, arn)
        self._local.emit_warnings()
        return then()

    def _answer(self, method: Callable[..., dict[str, Any]], **params: Any) -> Any:
        __tracebackhide__ = True
        self._require_open()
        response = method(**params)
        self._local.driver.wake()
        return self._ready(response or None)

    def _ready(self, value: T) -> T:
        return awaitable(value) if self._asynchronous else value

    def _find(self, execution_arn: str) -> Execution:
        __tracebackhide__ = True
        self._require_open()
        execution = self._local.executor.executions.get(execution_arn)
        if execution is not None:
            return execution
        if not self._record(execution_arn).header.status.is_over:
            raise ExecutionNotFoundError(
                f"The execution {execution_arn!r} is in the store and not finished, but this runner has not begun it. "
                "If its process has ended, take it up with runner.resume(execution_arn)."
            )
        return self._take_up(execution_arn)

    def _take_up(self, execution_arn: str) -> Execution:
        __tracebackhide__ = True
        local, record = self._local, self._record(execution_arn)
        name = record.header.function_arn.rpartition(":")[2]
        if not record.header.status.is_over and local.functions.find(name) is None:
            raise HandlerError(f"{self._no_function(name)} The execution {execution_arn!r} needs it to go on.")
        self._clock.move_to(latest_instant(record))
        return take_up(local.executor, record, self._clock.now_millis())

    def _record(self, execution_arn: str) -> ExecutionRecord:
        __tracebackhide__ = True
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
        return build_result(record, bridge, self._clock.now_millis())

    def _results(self) -> list[DurableFunctionTestResult]:
        """Results so far of all executions that were started from outside, for reports."""
        executions = list(self._local.executor.executions.values())
        return [self._result(execution) for execution in executions if execution.header.parent_arn is None]


def _not_reached(director: Director) -> str:
    names = dict.fromkeys(f"{each.name}" for boundary in director.boundaries for each in boundary.updates if each.name)
    last = director.boundaries[-1].place if director.boundaries else None
    return (
        f"{', '.join(map(repr, map(str, director.not_reached)))} was planned, and the run never came there. "
        f"Operations with a checkpoint: {', '.join(names) or 'none'}; the last place: {last or 'none'}."
    )


def _require_asyncio() -> None:
    """SDKs run on asyncio. Under another event loop a handler would fail, deep inside, for reasons hard to see."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise RuntimeError(
            "`async with` runs the handler on the asyncio loop of the test, and none is running here (is it trio's?). "
            "Leave out `async with`: the plain methods run the handler on a loop of their own."
        ) from None

"""What every part of a cloud runner's surface stands on: its life, calling the service, and waiting."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar, cast

from .._bridges import Bridge, bridge_for, default_bridge, load_handler
from .._drivers.polling import OutOfPatienceError, Patience, poll
from .._model.enums import ExecutionStatus
from .._model.execution import ExecutionRecord
from .._model.ids import FunctionReference
from .._render.pending import elsewhere_message
from .._results import build_result
from .._wire.remote import make_client
from .._wiring.serialise import input_text
from ..awaited import AwaitedRunner
from ..clock import RealClock, to_seconds
from ..exceptions import (
    DurableRunnerError,
    ExecutionNotFoundError,
    ExecutionTimeoutError,
    OperationLookupError,
    ResourceConflictException,
    RunnerClosedError,
    UnsupportedInCloudError,
)
from ..result import DurableFunctionTestResult
from ..stores.base import ExecutionStore, StoreType
from ..stores.selection import open_store
from .cloud_calls import CloudCalls
from .cloud_settings import DurableFunctionCloudTestRunnerConfig
from .opened import no_callback, open_callback, settled

T = TypeVar("T")
CALL_SECONDS = 60.0
"""How long a call that has no timeout of its own is repeated while it is throttled."""
_LAG_SECONDS = 5.0
"""How long the history of an execution that is over may take to say so."""
_OVER = frozenset(status for status in ExecutionStatus if status.is_over)


class CloudCore:
    """Construction, opening and closing, starting executions and waiting for them."""

    def __init__(
        self,
        function_name: str | None = None,
        region: str = "us-west-2",
        lambda_endpoint: str | None = None,
        poll_interval: float = 1.0,
        *,
        store: ExecutionStore | StoreType | str | None = None,
        store_path: str | Path | None = None,
        config: DurableFunctionCloudTestRunnerConfig | None = None,
        client: Any = None,
    ) -> None:
        given = (function_name, region, lambda_endpoint, poll_interval, store, store_path)
        if config is not None and given != _NOTHING:
            raise TypeError(
                "give the function, region, endpoint, interval and store in config or as arguments, not in both"
            )
        self._config = config or DurableFunctionCloudTestRunnerConfig(
            function_name=cast("str", function_name),
            region=region,
            lambda_endpoint=lambda_endpoint,
            poll_interval=poll_interval,
            store_type=store,
            store_path=store_path,
        )
        endpoint = self._config.lambda_endpoint
        self._store = open_store(self._config.store_type, self._config.store_path)
        self._made = make_client(self._config.region, endpoint) if client is None else None
        self._calls = CloudCalls(client if client is not None else self._made, endpoint)
        self._bridge: Bridge | None = None
        self._arns: dict[str, None] = {}
        self._finished: dict[str, ExecutionRecord] = {}
        self._asynchronous = False
        self._closed = False

    def __repr__(self) -> str:
        state = "closed" if self._closed else self._config.lambda_endpoint or self._config.region
        return f"<DurableFunctionCloudTestRunner {self._config.function_name!r}, {state}>"

    # ---------------------------------------------------------------------------------------------- open, close

    def __enter__(self) -> Self:
        self._require_open()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> AwaitedRunner:
        self._require_open()
        self._asynchronous = True
        return cast("AwaitedRunner", self)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asynchronous = False
        self.close()

    def close(self) -> None:
        """Release what the runner holds. Executions go on; a second time changes nothing."""
        if not self._closed:
            self._closed = True
            self._store.close()
            if self._made is not None:
                self._made.close()

    # ---------------------------------------------------------------------------------------------------- inside

    def _require_open(self) -> None:
        if self._closed:
            raise RunnerClosedError("This runner is closed. Make a new one, or keep the work inside its `with` block.")

    def _do(self, work: Callable[[Patience], T], timeout: float = CALL_SECONDS) -> T:
        """Do the work, or in ``async with`` give something that does it when awaited."""
        __tracebackhide__ = True
        self._require_open()
        seconds = to_seconds(timeout, "timeout")
        if self._asynchronous:
            return _in_thread(work, seconds)  # type: ignore[return-value]
        return work(Patience(seconds))

    def _call(self, operation: str, **params: Any) -> Any:
        __tracebackhide__ = True
        return self._do(lambda patience: self._calls.call(operation, patience, **params) or None)

    def _invocation(
        self,
        value: Any,
        function_name: str | None,
        execution_name: str | None,
        account_id: str | None,
        tenant_id: str | None,
    ) -> dict[str, Any]:
        __tracebackhide__ = True
        if account_id is not None:
            raise UnsupportedInCloudError(
                "account_id= is not possible in the cloud: the account is that of the credentials; "
                "give function_name as an ARN for another one."
            )
        name = function_name or self._config.function_name
        reference = FunctionReference.parse(name)
        unqualified = reference is not None and reference.qualifier is None
        params = {
            "FunctionName": name,
            # Durable functions cannot be invoked without.
            "Qualifier": "$LATEST" if unqualified else None,
            "DurableExecutionName": execution_name,
            "TenantId": tenant_id,
            "Payload": input_text(value).encode(),
        }
        return {key: given for key, given in params.items() if given is not None}

    def _start(self, patience: Patience, params: dict[str, Any]) -> str:
        __tracebackhide__ = True
        arn = self._calls.start(patience, **params)
        self._arns[arn] = None
        return arn

    def _until_closed(self, arn: str, patience: Patience) -> DurableFunctionTestResult:
        __tracebackhide__ = True
        if arn not in self._finished:
            self._polled(lambda: self._ended(arn, patience), arn, patience)
            self._remember(self._last_record(arn))
        return self._result(self._finished[arn])

    def _polled(self, look: Callable[[], T | None], arn: str, patience: Patience) -> T:
        __tracebackhide__ = True
        try:
            return poll(look, patience, self._config.poll_interval)
        except OutOfPatienceError:
            raise ExecutionTimeoutError(self._unfinished(arn, patience.seconds)) from None

    def _ended(self, arn: str, patience: Patience) -> bool | None:
        __tracebackhide__ = True
        try:
            return self._calls.execution(arn, patience)["Status"] in _OVER or None
        except ExecutionNotFoundError:
            if arn in self._arns:  # begun a moment ago: not every part of the service knows it yet
                return None
            raise

    def _opened(self, arn: str, name: str | None, patience: Patience) -> str | None:
        __tracebackhide__ = True
        try:
            execution = settled(self._record(arn, patience))
        except ExecutionNotFoundError:
            if arn in self._arns:
                return None
            raise
        found = open_callback(execution, name)
        if found is None and execution.is_closed:
            raise OperationLookupError(no_callback(execution, name))
        return found

    def _last_record(self, arn: str) -> ExecutionRecord:
        """The record of an execution that is over, with the event that says so where that comes in time."""
        __tracebackhide__ = True
        patience = Patience(_LAG_SECONDS)

        def look() -> ExecutionRecord | None:
            record = self._calls.record(arn, Patience(CALL_SECONDS))
            is_whole = any(event.event_type in _LAST_EVENTS for event in record.events)
            return record if is_whole or patience.is_over else None

        return poll(look, patience, self._config.poll_interval)

    def _record(self, arn: str, patience: Patience) -> ExecutionRecord:
        __tracebackhide__ = True
        if arn not in self._finished:
            record = self._calls.record(arn, patience)
            if record.header.status not in _OVER:
                return record
            self._remember(record)
        return self._finished[arn]

    def _remember(self, record: ExecutionRecord) -> None:
        """Keep what cannot change any more, and save it."""
        self._finished[record.header.arn] = record
        with contextlib.suppress(ResourceConflictException):  # saved before, by another runner
            self._store.create(record)

    def _result(self, record: ExecutionRecord) -> DurableFunctionTestResult:
        if self._bridge is None:
            self._bridge = default_bridge()
        return build_result(record, self._bridge, RealClock().now_millis())

    def _speak_as(self, handler: Any) -> None:
        """Give results the statuses and errors of a handler's own SDK."""
        with contextlib.suppress(DurableRunnerError):  # it runs elsewhere, so it need not be runnable here
            self._bridge = bridge_for(load_handler(handler) if isinstance(handler, str) else handler)

    def _unfinished(self, arn: str, seconds: float) -> str:
        """What an execution was waiting for when patience was over."""
        over = f"{seconds:g} s are over; the execution goes on in the cloud: {arn}"
        try:
            record = self._calls.record(arn, Patience(0))
        except Exception as error:  # noqa: BLE001 - the timeout is the news; this only adds to it
            return f"{over}\nIts history could not be read: {type(error).__name__}: {error}"
        return f"{over}\n{elsewhere_message(record, RealClock().now_millis())}"

    def _results(self) -> list[DurableFunctionTestResult]:
        """Results so far of the executions that were started here, for reports."""
        known = [self._finished.get(arn) or self._calls.record(arn, Patience(0)) for arn in self._arns]
        return [self._result(record) for record in known]

    def _finish(self, *, failed: bool) -> None:
        del failed  # there are no scripted answers to complain about
        self.close()


_NOTHING = (None, "us-west-2", None, 1.0, None, None)
_LAST_EVENTS = frozenset({"ExecutionSucceeded", "ExecutionFailed", "ExecutionTimedOut", "ExecutionStopped"})


async def _in_thread(work: Callable[[Patience], T], seconds: float) -> T:
    """Do blocking work beside the event loop. Whoever stops awaiting it ends its pauses."""
    __tracebackhide__ = True
    given_up = threading.Event()
    try:
        return await asyncio.to_thread(work, Patience(seconds, given_up))
    finally:
        given_up.set()

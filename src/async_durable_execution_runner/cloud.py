"""Run deployed durable functions, and get the same results as from the local runner.

with DurableFunctionCloudTestRunner("orders:live", region="eu-central-1") as runner:
    result = runner.run({"order": 7}, timeout=120)
    assert result.ensure_succeeded().value == "shipped"
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ._drivers.polling import Patience
from ._runner.cloud_core import CALL_SECONDS, CloudCore
from ._runner.cloud_settings import DurableFunctionCloudTestRunnerConfig
from ._runner.uncloudable import Uncloudable
from ._wire.rendering import render_error
from ._wiring.serialise import callback_text, error_object
from .clock import RealClock, from_millis
from .result import DurableFunctionTestResult
from .stores.pruning import prune

__all__ = ["DurableFunctionCloudTestRunner", "DurableFunctionCloudTestRunnerConfig"]


class DurableFunctionCloudTestRunner(CloudCore, Uncloudable):
    """Runs a deployed durable function. Methods and results are those of ``DurableFunctionTestRunner``.

    What it invokes comes as arguments or as ``config``, whose fields mean the same; finished executions are saved in
    ``store``, which with ``store_path`` is what it is for the local runner. ``client`` is a Lambda client of
    boto3 to use instead of a new one. Timeouts are real seconds; waiting asks the service again and again, first
    often, then every ``poll_interval`` seconds, and is patient when throttled. Inside ``async with`` the methods are
    awaited and do not block the event loop. What only an emulation can do raises ``UnsupportedInCloudError``.

    Raises ``ValueError`` for options that make no sense, ``TypeError`` for both kinds of them, ``StoreError``, and
    ``CloudAccessError`` without a usable endpoint or profile.
    """

    # ------------------------------------------------------------------------------------------------------ run

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
        """Start an execution, wait for its end, and return its result, whatever the status.

        Raises ``ExecutionTimeoutError`` after ``timeout`` real seconds: the execution goes on; ``CloudAccessError``,
        and the service's errors.
        """
        __tracebackhide__ = True
        params = self._invocation(input, function_name, execution_name, account_id, tenant_id)
        return self._do(lambda patience: self._until_closed(self._start(patience, params), patience), timeout)

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
        """Start an execution and return its ARN, without waiting. Raises as ``run``."""
        __tracebackhide__ = True
        params = self._invocation(input, function_name, execution_name, account_id, tenant_id)
        return self._do(lambda patience: self._start(patience, params), min(timeout, CALL_SECONDS))

    def wait_for_result(self, execution_arn: str, timeout: float = 60) -> DurableFunctionTestResult:
        """Wait until an execution ends; its result whatever the status, as often as asked.

        Raises ``ExecutionNotFoundError`` for an unknown ARN, else as ``run``.
        """
        __tracebackhide__ = True
        return self._do(lambda patience: self._until_closed(execution_arn, patience), timeout)

    def wait_for_callback(self, execution_arn: str, name: str | None = None, timeout: float = 60) -> str:
        """Wait until an open callback of that name exists and the invocation that made it is over; its id.

        ``name`` may be a glob; of several the oldest. Raises ``OperationLookupError`` as soon as the execution has
        ended without one, else as ``wait_for_result``.
        """
        __tracebackhide__ = True

        def wait(patience: Patience) -> str:
            return self._polled(lambda: self._opened(execution_arn, name, patience), execution_arn, patience)

        return self._do(wait, timeout)

    def get_result(self, execution_arn: str) -> DurableFunctionTestResult:
        """The result so far. Raises ``ExecutionNotFoundError``."""
        __tracebackhide__ = True
        return self._do(lambda patience: self._result(self._record(execution_arn, patience)))

    # --------------------------------------------------------------------------------------------------- answers

    def send_callback_success(self, callback_id: str, result: Any = None) -> Any:
        """Answer a callback. ``bytes`` and ``str`` go verbatim, ``None`` sends no payload, anything else goes as JSON.

        Raises the service's errors, ``CallbackTimeoutException`` for a callback that is closed.
        """
        __tracebackhide__ = True
        text = callback_text(result)
        given = {"Result": text.encode()} if text is not None else {}
        return self._call("SendDurableExecutionCallbackSuccess", CallbackId=callback_id, **given)

    def send_callback_failure(self, callback_id: str, error: Any = None) -> Any:
        """Fail a callback with an ``ErrorObject``, an exception, a mapping in wire shape, or a message.

        Raises as ``send_callback_success``.
        """
        __tracebackhide__ = True
        wire = render_error(error_object(error))
        return self._call("SendDurableExecutionCallbackFailure", CallbackId=callback_id, Error=wire)

    def send_callback_heartbeat(self, callback_id: str) -> Any:
        """Say that a callback's answer is still being worked on. Raises as ``send_callback_success``."""
        __tracebackhide__ = True
        return self._call("SendDurableExecutionCallbackHeartbeat", CallbackId=callback_id)

    # --------------------------------------------------------------------------------------------------- looking

    def stop_execution(self, execution_arn: str, error: Any = None) -> dict[str, Any]:
        """Stop an execution (API Reference: StopDurableExecution)."""
        __tracebackhide__ = True
        given = {"Error": render_error(error_object(error))} if error is not None else {}
        stopped: dict[str, Any] = self._call("StopDurableExecution", DurableExecutionArn=execution_arn, **given)
        return stopped

    def get_execution(self, execution_arn: str) -> dict[str, Any]:
        """An execution (API Reference: GetDurableExecution). Raises ``ExecutionNotFoundError``."""
        __tracebackhide__ = True
        return self._do(lambda patience: self._calls.execution(execution_arn, patience))

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
        """A page of a function's executions, newest first (API Reference: ListDurableExecutionsByFunction)."""
        __tracebackhide__ = True
        optional = {
            "DurableExecutionName": execution_name,
            "Statuses": [str(status) for status in statuses] or None,
            "StartedAfter": started_after,
            "StartedBefore": started_before,
            "ReverseOrder": reverse_order or None,
            "MaxItems": max_items,
            "Marker": marker,
        }
        params = {name: value for name, value in optional.items() if value is not None}
        name = function_name or self._config.function_name
        page: dict[str, Any] = self._call("ListDurableExecutionsByFunction", FunctionName=name, **params)
        return page

    def get_execution_history(self, execution_arn: str, include_execution_data: bool = True) -> list[dict[str, Any]]:
        """All events so far in wire shape, of all pages. Raises ``ExecutionNotFoundError``."""
        __tracebackhide__ = True
        with_data = include_execution_data
        return self._do(lambda patience: self._calls.history(execution_arn, patience, with_data=with_data))

    def prune(self, now: datetime | None = None) -> list[str]:
        """Forget saved executions whose retention is over at ``now``, and return their ARNs."""
        __tracebackhide__ = True
        return self._do(lambda _: prune(self._store, now if now is not None else self.now))

    @property
    def client(self) -> Any:
        """The boto3 client."""
        self._require_open()
        return self._calls.client

    @property
    def now(self) -> datetime:
        """The present, aware and in UTC. Nothing here can move it."""
        return from_millis(RealClock().now_millis())

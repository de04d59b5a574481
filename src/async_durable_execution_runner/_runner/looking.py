"""Executions looked at and stopped, as the API does it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from .._wire.border import BotocoreWire
from .._wire.boto import LocalLambdaClient
from .._wire.rendering import render_error
from .._wiring.invoke import InvokeApi
from .._wiring.serialise import error_object
from ..result import (
    DurableFunctionTestResult,
)
from ..stores.pruning import prune
from .core import RunnerCore


class Looking(RunnerCore):
    """See ``DurableFunctionTestRunner``."""

    def get_execution(self, execution_arn: str) -> dict[str, Any]:
        """An execution (API Reference: GetDurableExecution)."""
        __tracebackhide__ = True
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
        __tracebackhide__ = True
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
        __tracebackhide__ = True
        wire, record = BotocoreWire(), self._record(execution_arn)
        return self._ready([wire.event(event, include_execution_data) for event in record.events])

    @property
    def client(self) -> LocalLambdaClient:
        """An object shaped like ``boto3.client("lambda")``: ``invoke`` and every durable operation, in this process."""
        self._require_open()
        invoke = InvokeApi(self._local, self._start, self._until_closed_blocking, self._require_open)
        return invoke.client()

    def get_result(self, execution_arn: str) -> DurableFunctionTestResult:
        """The result so far of an execution of this runner or in its store. Drives nothing.

        Raises ``ExecutionNotFoundError``.
        """
        __tracebackhide__ = True
        return self._ready(self._result_of(self._record(execution_arn)))

    def prune(self, now: datetime | None = None) -> list[str]:
        """Forget executions whose retention is over at ``now`` (default: the clock's), and return their ARNs.

        Retention begins when an execution ends and lasts ``retention_period_days``. Nothing is deleted without this.
        """
        __tracebackhide__ = True
        self._require_open()
        local = self._local
        with local.lock:
            over = prune(local.executor.store, now if now is not None else self.now)
            for arn in over:
                local.executor.forget(arn)
        return self._ready(over)

    def stop_execution(self, execution_arn: str, error: Any = None) -> dict[str, Any]:
        """Stop an execution (API Reference: StopDurableExecution). A finished one stays as it is."""
        __tracebackhide__ = True
        self._find(execution_arn)
        given = {"Error": render_error(error_object(error))} if error is not None else {}
        stop = self._local.client.stop_durable_execution
        return self._answer(stop, DurableExecutionArn=execution_arn, **given)  # type: ignore[no-any-return]

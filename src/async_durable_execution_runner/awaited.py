"""The runner as ``async with`` gives it, for type checkers: the same object, its methods awaited."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from .result import DurableFunctionTestResult

if TYPE_CHECKING:
    from ._wire.boto import LocalLambdaClient
    from .crashes import CrashReport
    from .effects import Effects

__all__ = ["AwaitedRunner"]

Duration = float | timedelta


class AwaitedRunner(Protocol):
    """See ``DurableFunctionTestRunner``; every method means the same there."""

    def run(
        self,
        input: Any = None,
        timeout: float = 900,
        *,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> Awaitable[DurableFunctionTestResult]:
        """See ``DurableFunctionTestRunner.run``."""

    def run_async(
        self,
        input: Any = None,
        timeout: float = 900,
        *,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> Awaitable[str]:
        """See ``DurableFunctionTestRunner.run_async``."""

    def wait_for_result(self, execution_arn: str, timeout: float = 60) -> Awaitable[DurableFunctionTestResult]:
        """See ``DurableFunctionTestRunner.wait_for_result``."""

    def resume(self, execution_arn: str) -> Awaitable[DurableFunctionTestResult]:
        """See ``DurableFunctionTestRunner.resume``."""

    def get_result(self, execution_arn: str) -> Awaitable[DurableFunctionTestResult]:
        """See ``DurableFunctionTestRunner.get_result``."""

    def run_until_suspended(self, execution_arn: str, timeout: float = 900) -> Awaitable[DurableFunctionTestResult]:
        """See ``DurableFunctionTestRunner.run_until_suspended``."""

    def wait_for_callback(self, execution_arn: str, name: str | None = None, timeout: float = 60) -> Awaitable[str]:
        """See ``DurableFunctionTestRunner.wait_for_callback``."""

    def advance(self, duration: Duration) -> Awaitable[None]:
        """See ``DurableFunctionTestRunner.advance``."""

    def send_callback_success(self, callback_id: str, result: Any = None) -> Awaitable[None]:
        """See ``DurableFunctionTestRunner.send_callback_success``."""

    def send_callback_failure(self, callback_id: str, error: Any = None) -> Awaitable[None]:
        """See ``DurableFunctionTestRunner.send_callback_failure``."""

    def send_callback_heartbeat(self, callback_id: str) -> Awaitable[None]:
        """See ``DurableFunctionTestRunner.send_callback_heartbeat``."""

    def stop_execution(self, execution_arn: str, error: Any = None) -> Awaitable[dict[str, Any]]:
        """See ``DurableFunctionTestRunner.stop_execution``."""

    def get_execution(self, execution_arn: str) -> Awaitable[dict[str, Any]]:
        """See ``DurableFunctionTestRunner.get_execution``."""

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
    ) -> Awaitable[dict[str, Any]]:
        """See ``DurableFunctionTestRunner.list_executions``."""

    def get_execution_history(
        self, execution_arn: str, include_execution_data: bool = True
    ) -> Awaitable[list[dict[str, Any]]]:
        """See ``DurableFunctionTestRunner.get_execution_history``."""

    def prune(self, now: datetime | None = None) -> Awaitable[list[str]]:
        """See ``DurableFunctionTestRunner.prune``."""

    def on_callback(
        self,
        name: str,
        *,
        result: Any = ...,
        error: Any = ...,
        after: Duration = 0,
        heartbeat_every: Duration | None = None,
        optional: bool = False,
    ) -> Any:
        """See ``DurableFunctionTestRunner.on_callback``."""

    def register_durable_function(self, name: str, handler: Any, *, execution_timeout: Duration | None = None) -> Any:
        """See ``DurableFunctionTestRunner.register_durable_function``."""

    def register_function(self, name: str, handler: Any) -> Any:
        """See ``DurableFunctionTestRunner.register_function``."""

    def mock_invoke(
        self,
        name: str,
        *,
        result: Any = ...,
        error: Any = ...,
        times_out: bool = False,
        stops: Any = ...,
        after: Duration = 0,
    ) -> Any:
        """See ``DurableFunctionTestRunner.mock_invoke``."""

    def effects(self, name: str) -> Effects:
        """See ``DurableFunctionTestRunner.effects``."""

    def explore_crashes(
        self,
        input: Any = None,
        timeout: float = 60,
        *,
        crash: str = "everywhere",
        raise_on_failure: bool = True,
        progress: Callable[[int, int], object] | None = None,
        radar: bool = True,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> Awaitable[CrashReport]:
        """See ``DurableFunctionTestRunner.explore_crashes``."""

    @property
    def now(self) -> datetime:
        """See ``DurableFunctionTestRunner.now``."""

    @property
    def client(self) -> LocalLambdaClient:
        """See ``DurableFunctionTestRunner.client``."""

    def close(self) -> None:
        """See ``DurableFunctionTestRunner.close``."""

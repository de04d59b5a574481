"""What only an emulation can do. In the cloud each of them says so, and what to do instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from ..exceptions import UnsupportedInCloudError
from .settings import NOT_GIVEN, Duration

_SEND = "start with run_async(), find the callback with wait_for_callback() and answer it with send_callback_success()"
_DEPLOY = "deploy a function of that name, or a stand-in for it"


class Uncloudable:
    """See ``DurableFunctionCloudTestRunner``. Every method raises ``UnsupportedInCloudError``."""

    def resume(self, execution_arn: str) -> NoReturn:
        """Not in the cloud: executions go on by themselves."""
        __tracebackhide__ = True
        del execution_arn
        raise _not("resume", "executions go on by themselves there; wait_for_result(execution_arn) knows them all")

    def run_until_suspended(self, execution_arn: str, timeout: float = 900) -> NoReturn:
        """Not in the cloud: it does not say whether an execution is suspended."""
        __tracebackhide__ = True
        del execution_arn, timeout
        instead = "use wait_for_callback(execution_arn, name), or get_result(execution_arn) for the result so far"
        raise _not("run_until_suspended", f"it does not say whether an execution is suspended; {instead}")

    def advance(self, duration: Duration) -> NoReturn:
        """Not in the cloud: its time passes by itself."""
        __tracebackhide__ = True
        del duration
        raise _not("advance", "its time passes by itself; deploy the function with short waits, or test this locally")

    def on_callback(
        self,
        name: str,
        *,
        result: Any = NOT_GIVEN,
        error: Any = NOT_GIVEN,
        after: Duration = 0,
        heartbeat_every: Duration | None = None,
        optional: bool = False,
    ) -> NoReturn:
        """Not in the cloud: it takes no answers in advance."""
        __tracebackhide__ = True
        del name, result, error, after, heartbeat_every, optional
        raise _not("on_callback", f"it takes no answers in advance; {_SEND}")

    def register_durable_function(
        self, name: str, handler: Any, *, execution_timeout: Duration | None = None
    ) -> NoReturn:
        """Not in the cloud: it invokes what is deployed."""
        __tracebackhide__ = True
        del name, handler, execution_timeout
        raise _not("register_durable_function", f"it invokes what is deployed; {_DEPLOY}")

    def register_function(self, name: str, handler: Any) -> NoReturn:
        """Not in the cloud: it invokes what is deployed."""
        __tracebackhide__ = True
        del name, handler
        raise _not("register_function", f"it invokes what is deployed; {_DEPLOY}")

    def mock_invoke(
        self,
        name: str,
        *,
        result: Any = NOT_GIVEN,
        error: Any = NOT_GIVEN,
        times_out: bool = False,
        stops: Any = NOT_GIVEN,
        after: Duration = 0,
    ) -> NoReturn:
        """Not in the cloud: it invokes what is deployed."""
        __tracebackhide__ = True
        del name, result, error, times_out, stops, after
        raise _not("mock_invoke", f"it invokes what is deployed; {_DEPLOY}")

    def effects(self, name: str) -> NoReturn:
        """Not in the cloud: a deployed step cannot reach a recorder of the test."""
        __tracebackhide__ = True
        del name
        raise _not("effects", "a deployed step cannot reach a recorder of the test; look at what it has done instead")

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
    ) -> NoReturn:
        """Not in the cloud: it lets nobody kill its invocations."""
        __tracebackhide__ = True
        del input, timeout, crash, raise_on_failure, progress, radar
        del function_name, execution_name, account_id, tenant_id
        raise _not("explore_crashes", "it lets nobody kill its invocations; test this locally")


def _not(method: str, why: str) -> UnsupportedInCloudError:
    return UnsupportedInCloudError(f"{method}() is not possible in the cloud: {why}.")

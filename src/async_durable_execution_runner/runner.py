"""Run, test and take apart durable functions in this process.

with DurableFunctionTestRunner(handler) as runner:
    result = runner.run({"order": 7})
    assert result.ensure_succeeded().value == "shipped"
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._bridges import bridge_of_block
from ._engine.scheduler import Goal
from ._runner.answers import Answers
from ._runner.crashing import Crashing
from ._runner.looking import Looking
from ._runner.opened import no_callback, open_callback
from ._runner.settings import Duration
from ._runner.targets import Targets
from .clock import to_seconds
from .cloud import DurableFunctionCloudTestRunner, DurableFunctionCloudTestRunnerConfig
from .exceptions import (
    ExecutionStuckError,
    OperationLookupError,
)
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

__all__ = [
    "CallbackOperation",
    "ContextOperation",
    "DurableChildContextTestRunner",
    "DurableFunctionCloudTestRunner",
    "DurableFunctionCloudTestRunnerConfig",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "ExecutionOperation",
    "InvokeOperation",
    "Operation",
    "StepOperation",
    "WaitOperation",
]


class DurableFunctionTestRunner(Answers, Targets, Crashing, Looking):
    """Runs a durable function against an emulation of the service, in this process and on a virtual clock.

    ``handler`` is a function decorated with an SDK's ``@durable_execution`` (decorators above it keep working), the
    undecorated durable function, or ``"module:attribute"``. Durations are seconds or ``timedelta``.

    Inside ``with`` methods block and run the handler on the calling thread; inside ``async with`` they are awaited and
    run it on the caller's event loop. Without either it works as inside ``with``.

    Raises ``HandlerError`` at once for something that cannot be a durable function, ``StoreError`` for an unknown
    store and ``ValueError`` for an option's value that makes no sense.
    """

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
        __tracebackhide__ = True
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
        __tracebackhide__ = True
        return self._until_closed(self._find(execution_arn).header.arn, timeout)

    def resume(self, execution_arn: str) -> DurableFunctionTestResult:
        """Take up an execution whose process has ended, from the store; the result so far. Drives nothing.

        From here on ``wait_for_result``, ``send_callback_*``, ``advance`` and all the rest work on it. An invocation
        that was interrupted counts as crashed; the clock stands at the last instant the store knows, and deadlines
        come in order. Raises ``ExecutionNotFoundError`` for an ARN that the store does not know, ``HandlerError`` if
        the execution's function is not there.
        """
        __tracebackhide__ = True
        self._require_open()
        local = self._local
        with local.lock:
            if execution_arn not in local.executor.executions:
                self._take_up(execution_arn)
        return self.get_result(execution_arn)

    def run_until_suspended(self, execution_arn: str, timeout: float = 900) -> DurableFunctionTestResult:
        """Drive until nothing can happen without time passing or an answer from outside; the result so far."""
        __tracebackhide__ = True
        execution = self._find(execution_arn)
        goal = Goal(_never, until=self._clock.now_millis())
        return self._drive(goal, timeout, execution_arn, lambda: self._result(execution))

    def wait_for_callback(self, execution_arn: str, name: str | None = None, timeout: float = 60) -> str:
        """Drive until an open callback of that name exists and the invocation that made it has settled; its id.

        ``name`` may be a glob; of several the oldest. Only as much time passes as it takes to get there. Raises
        ``OperationLookupError`` as soon as the execution has ended without one, else as ``run``.
        """
        __tracebackhide__ = True
        execution = self._find(execution_arn)

        def reached() -> bool:
            return execution.is_closed or (execution.running is None and open_callback(execution, name) is not None)

        def found() -> str:
            callback_id = open_callback(execution, name)
            if callback_id is None:
                raise OperationLookupError(no_callback(execution, name))
            return callback_id

        try:
            return self._drive(Goal(reached), timeout, execution_arn, found)
        except ExecutionStuckError as error:
            error.add_note(no_callback(execution, name))
            raise

    def advance(self, duration: Duration) -> Any:
        """Let time pass: what is ready runs first, then every deadline on the way comes in order.

        Inside a running step it says how long the step takes: deadlines come, and nothing else is invoked.
        """
        __tracebackhide__ = True
        millis = round(to_seconds(duration) * 1000)
        self._require_open()
        driver = self._local.driver
        until = self._clock.now_millis() + millis
        if driver.is_driven_here():
            with self._local.lock:
                self._local.scheduler.walk_to(until)
            return self._ready(None)
        return self._drive(Goal(_never, until=until), max(900.0, millis / 1000 + 60), "", lambda: None)


class DurableChildContextTestRunner(DurableFunctionTestRunner):
    """Runs the block that ``context_function(*args, **kwargs)`` gives, as the runner of this name in AWS's library.

    What the block does is at the top of the execution: there is no operation for the block itself, as there is with
    ``child_context_handler``, which is also the one to take for options of the runner. ``skip_time`` is accepted.

    Raises ``HandlerError`` for something that gives no block.
    """

    def __init__(self, context_function: Callable[..., Any], *args: Any, skip_time: bool = True, **kwargs: Any) -> None:
        del skip_time  # time never skips past work here
        block = context_function(*args, **kwargs)
        super().__init__(bridge_of_block(block, "child context").block_handler(block))


def _never() -> bool:
    return False

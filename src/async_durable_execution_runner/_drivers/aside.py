"""Functions in other processes, and their calls beside the thread that drives everything else."""

from __future__ import annotations

import concurrent.futures
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .._engine.executor import Executor
from .._engine.functions import DurableFunction, PlainFunction
from .._engine.inputs import InvocationInput, PlainCall
from ..clock import Clock
from .lambda_context import LambdaContext, context_of
from .loop import DaemonExecutor
from .outcome import crashed, read_output
from .plain_calls import PlainCalls
from .ports import Ports

_log = logging.getLogger(__name__)
_PATIENCE = 5.0
"""Seconds that calls get to come back when nobody waits for them any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """A function that runs in another process.

    ``call`` blocks until it has its outcome, and raises ``InvocationDied``. ``name`` is for people.
    """

    name: str
    call: Callable[[Any, LambdaContext], Any]

    def __call__(self, event: Any, context: LambdaContext) -> Any:
        """As an ordinary function is called."""
        return self.call(event, context)


class Aside:
    """Calls functions in other processes on threads of their own, so that nothing else waits for them.

    Only for a clock that goes by itself: a virtual one stands still while a handler runs. ``wake`` is called when a
    call is over. After ``close`` nothing is heard of those that are still under way.
    """

    def __init__(
        self,
        executor: Executor,
        clock: Clock,
        lock: threading.RLock,
        ports: Ports,
        plain: PlainCalls,
        wake: Callable[[], None],
    ) -> None:
        self._executor = executor
        self._clock = clock
        self._lock = lock
        self._ports = ports
        self._plain = plain
        self._wake = wake
        self._workers = DaemonExecutor()
        self._under_way: set[concurrent.futures.Future[None]] = set()
        self.closed = False

    def invoke(self, invocation: InvocationInput) -> bool:
        """Begin an invocation. False, and nothing begun, if the handler runs in this process."""
        function = self._executor.functions.find(invocation.function_name)
        if not isinstance(function, DurableFunction) or not isinstance(function.handler, Elsewhere):
            return False
        handler: Elsewhere = function.handler
        self._begin(lambda: self._invoke(handler, invocation))
        return True

    def call(self, call: PlainCall) -> bool:
        """The same for a call of an ordinary function."""
        function = self._executor.functions.find(call.function_name)
        if not isinstance(function, PlainFunction) or not isinstance(function.handler, Elsewhere):
            return False
        self._begin(lambda: self._call(call))
        return True

    def close(self) -> None:
        """Hear of nothing any more. Whoever was called is to be told by its own means."""
        with self._lock:
            self.closed = True

    def wait(self) -> None:
        """Wait until all calls are over, but not long."""
        concurrent.futures.wait(list(self._under_way), timeout=_PATIENCE)

    def _begin(self, work: Callable[[], None]) -> None:
        future = self._workers.submit(self._contained, work)
        self._under_way.add(future)
        future.add_done_callback(self._under_way.discard)

    def _contained(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception:  # noqa: BLE001 - one execution that cannot go on must not stop the others
            _log.exception("an execution could not be driven on")
        self._wake()

    def _invoke(self, handler: Elsewhere, invocation: InvocationInput) -> None:
        event = self._ports.event(invocation, 0)
        try:
            output = handler.call(event, context_of(invocation, self._clock))
            end = read_output(output, self._ports.read_error)
        except Exception as error:  # noqa: BLE001 - whatever ends a handler is its outcome
            end = crashed(error, invocation.request_id)
        with self._lock:
            if not self.closed:
                now = self._clock.now_millis()
                self._executor.end_invocation(invocation.execution_arn, invocation.number, end, now)

    def _call(self, call: PlainCall) -> None:
        outcome = self._plain.call(call)
        with self._lock:
            if not self.closed:
                now = self._clock.now_millis()
                self._executor.end_chained_invoke(call.execution_arn, call.operation_id, outcome, now)

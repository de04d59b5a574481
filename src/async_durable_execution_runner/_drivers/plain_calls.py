"""Calls of ordinary functions, as chained invokes and code under test make them."""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable
from typing import Any

from .._engine.executor import Executor
from .._engine.functions import InvokeOutcome, PlainFunction
from .._engine.inputs import PlainCall
from ..clock import Clock
from .lambda_context import context_of_call
from .loop import run_apart
from .outcome import error_of, plain_outcome


class PlainCalls:
    """One call, one outcome: whatever the function raises is a failed call. ``run`` ends a coroutine."""

    def __init__(self, executor: Executor, clock: Clock, run: Callable[[Awaitable[Any]], Any]) -> None:
        self._executor = executor
        self._clock = clock
        self._run = run

    def call(self, call: PlainCall) -> InvokeOutcome:
        """One call on the driver's own thread."""
        return plain_outcome(lambda: self._call(call))

    def _call(self, call: PlainCall) -> Any:
        function, payload, context = self._plain(call)
        result = function.handler(payload, context)
        return self._run(result) if inspect.iscoroutine(result) else result

    def call_now(self, call: PlainCall) -> InvokeOutcome:
        """One call of an ordinary function on behalf of code under test, wherever that runs."""

        def work() -> Any:
            function, payload, context = self._plain(call)
            result = function.handler(payload, context)
            return run_apart(result) if inspect.iscoroutine(result) else result

        return plain_outcome(work)

    async def call_async(self, call: PlainCall) -> InvokeOutcome:
        """The same on the caller's event loop."""
        try:
            function, payload, context = self._plain(call)
            result = function.handler(payload, context)
            if inspect.isawaitable(result):
                result = await result
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is its outcome
            return InvokeOutcome(status="FAILED", error=error_of(error))
        return plain_outcome(lambda: result)

    def _plain(self, call: PlainCall) -> tuple[PlainFunction, Any, Any]:
        function = self._executor.functions.find(call.function_name)
        assert isinstance(function, PlainFunction)
        payload = json.loads(call.payload) if call.payload else None
        arn = self._executor.functions.full_arn(call.function_name)
        deadline = self._clock.now_millis() + self._executor.invocation_timeout * 1000
        return function, payload, context_of_call(call, arn, deadline, self._clock)

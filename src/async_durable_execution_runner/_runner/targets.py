"""Functions that chained invokes can reach."""

from __future__ import annotations

from typing import Any, Self

from .._bridges import is_decorated
from .._engine.functions import InvokeOutcome, PlainFunction, StubbedFunction
from .._model.errors import ErrorObject
from .._wiring.local import load_named, require_plain
from .._wiring.serialise import error_object, json_text
from .core import RunnerCore
from .settings import NOT_GIVEN, Duration, read_millis, read_timeout


class Targets(RunnerCore):
    """See ``DurableFunctionTestRunner``."""

    def register_durable_function(self, name: str, handler: Any, *, execution_timeout: Duration | None = None) -> Self:
        """A durable target for chained invokes: runs as a child execution. Chainable."""
        self._require_open()
        seconds = read_timeout(execution_timeout, "execution_timeout", self._limits.max_execution_timeout)
        self._local.register(name, self._local.resolve(handler), seconds)
        self._set_up.append(lambda twin: twin.register_durable_function(name, handler, execution_timeout=seconds))
        return self

    def register_function(self, name: str, handler: Any) -> Self:
        """A target for chained invokes. A plain function runs as one Lambda call; a durable one as a child execution.

        Chainable.
        """
        self._require_open()
        if is_decorated(function := load_named(handler)):
            self._local.register(name, self._local.resolve(handler), None)
        else:
            self._local.functions.register(name, PlainFunction(handler=require_plain(name, function)))
        self._set_up.append(lambda twin: twin.register_function(name, handler))
        return self

    def mock_invoke(
        self,
        name: str,
        *,
        result: Any = NOT_GIVEN,
        error: Any = NOT_GIVEN,
        times_out: bool = False,
        stops: Any = NOT_GIVEN,
        after: Duration = 0,
    ) -> Self:
        """A stubbed target for chained invokes: its outcome, ``after`` on the clock. Chainable.

        ``result`` is encoded as JSON; ``error`` and ``stops`` take what ``send_callback_failure`` takes.
        """
        self._require_open()
        given = [value is not NOT_GIVEN for value in (result, error, stops)]
        if sum(given) + times_out > 1:
            raise TypeError(f"mock_invoke({name!r}) takes one of result, error, times_out and stops")
        millis = read_millis(after, "after")
        if times_out:
            message = f"CHAINED_INVOKE timed out after {millis // 1000} seconds."
            outcome = InvokeOutcome(
                status="TIMED_OUT", error=ErrorObject(type="ChainedInvoke.Timeout", message=message)
            )
        elif stops is not NOT_GIVEN:
            outcome = InvokeOutcome(status="STOPPED", error=error_object(None if stops is True else stops))
        elif error is not NOT_GIVEN:
            outcome = InvokeOutcome(status="FAILED", error=error_object(error))
        else:
            value = None if result is NOT_GIVEN else result
            outcome = InvokeOutcome(status="SUCCEEDED", result=json_text(value, f"the result of {name!r}"))
        stub = StubbedFunction(outcome=outcome, after=millis)
        self._local.functions.register(name, stub)
        self._set_up.append(lambda twin: twin._local.functions.register(name, stub))  # noqa: SLF001
        return self

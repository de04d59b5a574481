"""Callbacks, answered from outside or in advance."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

from .._engine.callbacks import Answer, Responder, check_answer
from .._wire.rendering import render_error
from .._wiring.serialise import callback_text, error_object
from .core import RunnerCore
from .settings import NOT_GIVEN, Duration, read_millis


class Answers(RunnerCore):
    """See ``DurableFunctionTestRunner``."""

    def send_callback_success(self, callback_id: str, result: Any = None) -> Any:
        """Answer a callback. ``bytes`` and ``str`` go verbatim, ``None`` sends no payload, anything else goes as JSON.

        Raises the service's errors: ``ResourceNotFoundException``, ``InvalidParameterValueException`` for a malformed
        id, ``CallbackTimeoutException`` for a callback that is closed.
        """
        __tracebackhide__ = True
        text = callback_text(result)
        payload = {"Result": text.encode()} if text is not None else {}
        return self._answer(
            self._local.client.send_durable_execution_callback_success, CallbackId=callback_id, **payload
        )

    def send_callback_failure(self, callback_id: str, error: Any = None) -> Any:
        """Fail a callback with an ``ErrorObject``, an exception, a mapping in wire shape, or a message.

        Raises as ``send_callback_success``.
        """
        __tracebackhide__ = True
        wire = render_error(error_object(error))
        return self._answer(
            self._local.client.send_durable_execution_callback_failure, CallbackId=callback_id, Error=wire
        )

    def send_callback_heartbeat(self, callback_id: str) -> Any:
        """Say that a callback's answer is still being worked on. Raises as ``send_callback_success``."""
        __tracebackhide__ = True
        return self._answer(self._local.client.send_durable_execution_callback_heartbeat, CallbackId=callback_id)

    def on_callback(
        self,
        name: str,
        *,
        result: Any = NOT_GIVEN,
        error: Any = NOT_GIVEN,
        after: Duration = 0,
        heartbeat_every: Duration | None = None,
        optional: bool = False,
    ) -> Self:
        """Script the answer to every callback of that name (a glob will do), ``after`` on the clock.

        An answer that nothing asks for fails the test when the runner is closed, unless it is ``optional``.
        """
        __tracebackhide__ = True
        self._require_open()
        if result is not NOT_GIVEN and error is not NOT_GIVEN:
            raise TypeError(f"on_callback({name!r}) takes a result or an error, not both")
        failed = error is not NOT_GIVEN
        answer = Answer(
            result=None if failed or result is NOT_GIVEN else callback_text(result),
            error=error_object(error) if failed else None,
        )
        check_answer(answer, self._limits)
        every = read_millis(heartbeat_every, "heartbeat_every") if heartbeat_every is not None else None
        if every is not None and every <= 0:
            raise ValueError(f"heartbeat_every must be more than 0, not {heartbeat_every!r}")
        responder = Responder(
            pattern=name,
            answer=answer,
            after=read_millis(after, "after"),
            heartbeat_every=every,
            optional=optional,
        )
        self._local.responders.scripted.append(responder)
        self._set_up.append(lambda twin: twin._local.responders.scripted.append(replace(responder, used=0)))  # noqa: SLF001 - a twin of this
        return self

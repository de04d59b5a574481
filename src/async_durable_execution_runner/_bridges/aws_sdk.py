"""The bridge to ``aws-durable-execution-sdk-python``.

The SDK's handlers are ordinary functions that work with threads of their own and call a boto3 client. Its decorator
takes one as ``boto3_client=`` and keeps it in its wrapper, next to plugins and whatever else it was given; the wrapper
is cloned with that one reference exchanged, so nothing else is lost.
"""

from __future__ import annotations

import contextlib
import importlib
import inspect
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from .._engine.client import InMemoryServiceClient
from ..exceptions import HandlerError
from . import handler_name, layers, sdk_of
from .apart import apart
from .asking import Listener
from .asking_aws import hooks_of
from .base import Binding, Bridge, RunCoroutine
from .blocks import called
from .failures import FailureWatch
from .rebind import rebind, with_closure
from .remembering import Memory, aws_exchanges, remembered
from .waking import woken_checkpoints

PACKAGE = "aws_durable_execution_sdk_python"


class AwsSdkBridge:
    """See ``Bridge``."""

    package = PACKAGE
    runs_in_threads = True

    def __init__(self) -> None:
        self._service = service = importlib.import_module(f"{PACKAGE}.lambda_service")
        self._execution = execution = importlib.import_module(f"{PACKAGE}.execution")
        self.invocation_status = execution.InvocationStatus
        self.operation_status = service.OperationStatus
        self.operation_type = service.OperationType
        self.operation_sub_type = service.OperationSubType
        self._error_object = service.ErrorObject
        self._serdes = importlib.import_module(f"{PACKAGE}.serdes").ExtendedTypeSerDes()
        self._decorate = execution.durable_execution
        self._hooks = hooks_of(PACKAGE, service.Operation)
        self._context = importlib.import_module(f"{PACKAGE}.context").DurableContext

    def error_object(
        self, message: str | None, kind: str | None, data: str | None, stack_trace: list[str] | None
    ) -> Any:
        """See ``Bridge.error_object``."""
        return self._error_object(message=message, type=kind, data=data, stack_trace=stack_trace)

    def decode(self, text: str | None) -> Any:
        """See ``Bridge.decode``."""
        readers: tuple[Callable[..., Any], ...] = (lambda data: self._serdes.deserialize(data, None), json.loads)
        for read in readers:
            # Neither knows what a serializer of the user's own has written, or what only looks like the SDK's.
            with contextlib.suppress(Exception):
                return read(text)
        return text

    def bind(self, handler: Any, client: InMemoryServiceClient, run: RunCoroutine) -> Binding:
        """See ``Bridge.bind``. There is no coroutine to run."""
        del run
        wrappers = [layer for layer in layers(handler) if sdk_of(layer) == PACKAGE]
        if not wrappers:
            return Binding(call_blocking=apart(self._decorate(handler, boto3_client=client), PACKAGE))
        # From 1.7 to 2.0 plugins have a wrapper of their own around the one with the client.
        found = ((layer, with_closure(layer, boto3_client=client)) for layer in wrappers)
        wrapper, bound = next((each for each in found if each[1] is not None), (None, None))
        if bound is None and hasattr(handler, "_original_name"):
            raise HandlerError(
                f"{handler._original_name} is a step or the body of a child context, not a handler: "  # noqa: SLF001
                "give step_handler(…) or child_context_handler(…) of it"
            )
        if bound is None:
            raise HandlerError(
                f"this release of {PACKAGE} keeps its client where the runner does not find it, "
                f"so {handler_name(handler)} cannot be run"
            )
        return Binding(call_blocking=rebind(handler, wrapper, apart(bound, PACKAGE)))

    def decorate(self, function: Any) -> Callable[[dict[str, Any], Any], Any]:
        """See ``Bridge.decorate``."""
        decorated: Callable[[dict[str, Any], Any], Any] = self._decorate(function)
        return decorated

    def step_handler(self, step: Any, name: str | None, options: dict[str, Any]) -> Any:
        """See ``Bridge.step_handler``."""
        inspect.signature(self._context.step).bind(None, step, name=name, **options)

        def handler(_: Any, context: Any) -> Any:
            return context.step(step, name=name, **options)

        return self._decorate(called("step_handler", step, handler))

    def child_context_handler(self, block: Any, name: str | None, options: dict[str, Any]) -> Any:
        """See ``Bridge.child_context_handler``."""
        inspect.signature(self._context.run_in_child_context).bind(None, block, name=name, **options)

        def handler(_: Any, context: Any) -> Any:
            return context.run_in_child_context(block, name=name, **options)

        return self._decorate(called("child_context_handler", block, handler))

    def block_handler(self, block: Any) -> Any:
        """See ``Bridge.block_handler``."""

        def handler(_: Any, context: Any) -> Any:
            return block(context)

        return self._decorate(called("DurableChildContextTestRunner", block, handler))

    def tuned(self) -> AbstractContextManager[None]:
        """See ``Bridge.tuned``."""
        return woken_checkpoints(self._execution)

    def remembering(self, memory: Memory) -> AbstractContextManager[None]:
        """See ``Bridge.remembering``."""
        return remembered(aws_exchanges(self._service, memory))

    def failures(self) -> AbstractContextManager[FailureWatch]:
        """See ``Bridge.failures``. The SDK runs handlers in threads of its own, so every thread counts."""
        return FailureWatch(PACKAGE, any_thread=True)

    def listened(self, listener: Listener, execution_arn: str) -> AbstractContextManager[None] | None:
        """See ``Bridge.listened``."""
        return self._hooks.listening(listener, execution_arn) if self._hooks is not None else None


def create_bridge() -> Bridge:
    """The bridge, once per process."""
    return AwsSdkBridge()

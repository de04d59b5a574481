"""The bridge to ``async-durable-execution`` 2.x.

The SDK takes a client as ``boto3_client=``, awaits it where its methods are coroutines, and keeps what it wraps in
``__wrapped__``; both are so in 2.0.0 and in 2.5.0.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import async_durable_execution as sdk

from .._engine.client import InMemoryServiceClient
from .._engine.director import InvocationLost
from ..exceptions import RunnerClosedError
from . import layers, sdk_of
from .asking import Listener
from .asking_async import hooks_of
from .base import Binding, Bridge, RunCoroutine
from .batching import holds_back, sent_at_once
from .blocks import called
from .failures import FailureWatch
from .rebind import rebind
from .remembering import Memory, async_exchanges, remembered
from .tuning import remembered_annotations

PACKAGE = "async_durable_execution"


class AsyncClient:
    """The in-process client with coroutine methods, which the SDK awaits on its own loop.

    It does not keep the client: a handler that was killed stays in memory, and the whole service would stay with it.
    """

    def __init__(self, client: InMemoryServiceClient) -> None:
        self._known = weakref.ref(client)

    @property
    def _client(self) -> InMemoryServiceClient:
        client = self._known()
        if client is None:
            raise RunnerClosedError("The runner of this handler is gone.")
        return client

    async def checkpoint_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: CheckpointDurableExecution."""
        with contextlib.suppress(InvocationLost):
            return self._client.checkpoint_durable_execution(**params)
        # Nothing of the invocation runs any more, and so this never comes back either.
        never: dict[str, Any] = await asyncio.get_running_loop().create_future()
        return never

    async def get_durable_execution_state(self, **params: Any) -> dict[str, Any]:
        """API Reference: GetDurableExecutionState."""
        return self._client.get_durable_execution_state(**params)


class AsyncSdkBridge:
    """See ``Bridge``."""

    package = PACKAGE
    runs_in_threads = False

    def __init__(self) -> None:
        self._models = _module("_core.models", "models")
        self.invocation_status = self._models.InvocationStatus
        self.operation_status = self._models.OperationStatus
        self.operation_type = self._models.OperationType
        self.operation_sub_type = self._models.OperationSubType
        self._state = _module("_core.state", "state")
        self._holds_back = holds_back(self._state)
        self._hooks = hooks_of(PACKAGE, self._models)
        # The one that also knows batch results, where a release keeps them apart.
        batch = getattr(importlib.import_module(sdk.parallel.__module__), "_BATCH_RESULT_SERDES", None)
        self._serdes: Any = batch or sdk.ExtendedTypeSerDes()

    def error_object(
        self, message: str | None, kind: str | None, data: str | None, stack_trace: list[str] | None
    ) -> Any:
        """See ``Bridge.error_object``."""
        return self._models.ErrorObject(message=message, type=kind, data=data, stack_trace=stack_trace)

    def decode(self, text: str | None) -> Any:
        """See ``Bridge.decode``."""
        readers: tuple[Callable[..., Any], ...] = (self._serdes.deserialize_sync, json.loads)
        for read in readers:
            # Neither knows what a serializer of the user's own has written, or what only looks like the SDK's.
            with contextlib.suppress(Exception):
                return read(text)
        return text

    def bind(self, handler: Any, client: InMemoryServiceClient, run: RunCoroutine) -> Binding:
        """See ``Bridge.bind``."""
        wrapper = next((layer for layer in layers(handler) if sdk_of(layer) == PACKAGE), None)
        function = handler if wrapper is None else _original(wrapper)
        bound: Any = sdk.durable_execution(function, boto3_client=AsyncClient(client))
        call = bound._async_handler  # noqa: SLF001 - the SDK's own advice for callers that have a loop
        if wrapper is None or wrapper is handler:
            return Binding(call=call)

        def blocking(event: dict[str, Any], context: Any) -> Any:
            return run(call(event, context))

        return Binding(call_blocking=rebind(handler, wrapper, blocking))

    def decorate(self, function: Any) -> Callable[[dict[str, Any], Any], Any]:
        """See ``Bridge.decorate``."""
        decorated: Callable[[dict[str, Any], Any], Any] = sdk.durable_execution(function)
        return decorated

    def step_handler(self, step: Any, name: str | None, options: dict[str, Any]) -> Any:
        """See ``Bridge.step_handler``."""
        inspect.signature(sdk.step).bind(step, name=name, **options)

        async def handler(_: Any) -> Any:
            return await sdk.step(step, name=name, **options)

        return sdk.durable_execution(called("step_handler", step, handler))

    def child_context_handler(self, block: Any, name: str | None, options: dict[str, Any]) -> Any:
        """See ``Bridge.child_context_handler``."""
        inspect.signature(sdk.run_in_child_context).bind(block, name=name, **options)

        async def handler(_: Any) -> Any:
            return await sdk.run_in_child_context(block, name=name, **options)

        return sdk.durable_execution(called("child_context_handler", block, handler))

    def block_handler(self, block: Any) -> Any:
        """See ``Bridge.block_handler``."""

        async def handler(_: Any) -> Any:
            return await block()

        return sdk.durable_execution(called("DurableChildContextTestRunner", block, handler))

    @contextlib.contextmanager
    def tuned(self) -> Iterator[None]:
        """See ``Bridge.tuned``."""
        with contextlib.ExitStack() as stack:
            stack.enter_context(remembered_annotations(self._models))
            if self._holds_back:
                stack.enter_context(sent_at_once(self._state))
            yield

    def remembering(self, memory: Memory) -> AbstractContextManager[None]:
        """See ``Bridge.remembering``."""
        return remembered(async_exchanges(self._models, self._state, memory))

    def failures(self) -> AbstractContextManager[FailureWatch]:
        """See ``Bridge.failures``."""
        return FailureWatch(PACKAGE)

    def listened(self, listener: Listener, execution_arn: str) -> AbstractContextManager[None] | None:
        """See ``Bridge.listened``."""
        return self._hooks.listening(listener, execution_arn) if self._hooks is not None else None


def create_bridge() -> Bridge:
    """The bridge, once per process."""
    return AsyncSdkBridge()


def _original(wrapper: Any) -> Any:
    return getattr(wrapper, "_durable_execution_original", None) or inspect.unwrap(wrapper)


def _module(*names: str) -> Any:
    """The first of the SDK's modules that exists: releases keep their models in different places."""
    for name in names:
        if importlib.util.find_spec(f"{PACKAGE}.{name.partition('.')[0]}") is not None:
            return importlib.import_module(f"{PACKAGE}.{name}")
    raise ImportError(f"{PACKAGE} has none of the modules {', '.join(names)}")

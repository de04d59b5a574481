"""Invocations in processes of their own: the endpoint that they talk to, and what surrounds them."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._bridges.base import Binding
from ._drivers.lambda_context import LambdaContext
from ._drivers.loop import DaemonExecutor
from ._drivers.processes import ChildCall, TimeIsUp, run_child
from ._engine.director import InvocationLost
from ._engine.executor import Executor
from ._engine.scheduler import Scheduler
from ._http.app import App
from .clock import Clock
from .exceptions import HandlerError, ServiceException

if TYPE_CHECKING:
    from ._http.server import Server

Operations = Callable[[], Mapping[str, Callable[..., Mapping[str, Any]]]]
_NOT_INHERITED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
"""What would lead a child's SDK to other credentials, or past our endpoint."""


@dataclass(frozen=True, slots=True)
class NamedHandler:
    """A durable function that only its own process imports."""

    name: str


class ProcessIsolation:
    """Calls handlers in child processes. Raises ``ImportError`` without the extra ``server``."""

    def __init__(
        self,
        executor: Executor,
        scheduler: Scheduler,
        clock: Clock,
        lock: threading.RLock,
        operations: Operations,
        at_work: Callable[[Callable[[], None] | None], None],
    ) -> None:
        require_server("isolation='process'")
        self._at_work = at_work
        self._executor = executor
        self._scheduler = scheduler
        self._clock = clock
        self._lock = lock
        self._operations = operations
        self._server: Server | None = None

    def binding(self, handler: NamedHandler) -> Binding:
        """The handler, called in a fresh interpreter each time."""

        def call(event: dict[str, Any], context: LambdaContext) -> Any:
            return self._call(handler.name, event, context)

        return Binding(call_blocking=call)

    def close(self) -> None:
        """Stop serving."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _call(self, handler: str, event: dict[str, Any], context: LambdaContext) -> Any:
        child = ChildCall(
            handler=handler,
            event=event,
            context=context,
            remaining=context.get_remaining_time_in_millis(),
            environment=self._environment(context, handler),
        )
        try:
            return run_child(child, self._at_work)
        except TimeIsUp:
            # The engine's own deadline of the invocation, which ends it: what is returned here comes too late.
            with self._lock:
                self._scheduler.walk_to(context.deadline)
            return None

    def _environment(self, context: LambdaContext, handler: str) -> dict[str, str]:
        region = self._executor.functions.account.region
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        here = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), "127.0.0.1"]))
        return {
            **inherited,
            "NO_PROXY": here,
            "no_proxy": here,
            "AWS_ENDPOINT_URL_LAMBDA": self._url(),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_LAMBDA_FUNCTION_NAME": context.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": context.function_version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": context.memory_limit_in_mb,
            "AWS_LAMBDA_LOG_GROUP_NAME": context.log_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": context.log_stream_name,
            "_HANDLER": handler.replace(":", "."),
        }

    def _url(self) -> str:
        """Where children find the endpoint, which listens from the first of them on."""
        if self._server is None:
            from ._http.server import Server

            operations = dict(self._operations())
            checkpoint = "checkpoint_durable_execution"
            operations[checkpoint] = _answered(operations[checkpoint])
            app = App(operations, self._executor.limits.execution_payload_bytes)
            self._server = Server(app, "127.0.0.1", 0, DaemonExecutor(max_workers=1))
            self._server.start()
        return self._server.url


def _answered(checkpoint: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
    """A checkpoint whose caller may be killed by it: there is an answer, and nobody who hears it."""

    def perform(**params: Any) -> Mapping[str, Any]:
        try:
            return checkpoint(**params)
        except InvocationLost:
            raise ServiceException("The invocation that made this call is dead.") from None

    return perform


def named_handler(handler: Any) -> NamedHandler:
    """A handler by its name, which nothing in this process imports. Raises ``HandlerError`` for any other."""
    if not isinstance(handler, str):
        raise HandlerError(
            f"isolation='process' needs the name of the handler, 'module:attribute', not the object {handler!r}: "
            "each invocation imports it in a fresh interpreter"
        )
    module, _, attribute = handler.partition(":")
    if not module or not attribute:
        raise HandlerError(f"a handler given by name is written 'module:attribute', not {handler!r}")
    try:
        found = importlib.util.find_spec(module) or PathFinder.find_spec(module.partition(".")[0], [str(Path.cwd())])
    except (ImportError, ValueError) as error:
        raise HandlerError(f"cannot find the module of handler {handler!r}: {error}") from error
    if found is None:
        raise HandlerError(f"cannot find the module of handler {handler!r} on sys.path or in {Path.cwd()}")
    return NamedHandler(handler)


def require_server(what: str) -> None:
    """Raise ``ImportError`` without the extra ``server``."""
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"{what} needs {' and '.join(missing)}: python3 -m pip install 'async-durable-execution-runner[server]'"
        )

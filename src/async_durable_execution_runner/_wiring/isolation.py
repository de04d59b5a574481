"""Invocations in processes of their own: the endpoint that they talk to, and what surrounds them."""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Iterable, Mapping
from importlib.machinery import PathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._bridges import require_no_address
from .._drivers.aside import Elsewhere
from .._drivers.lambda_context import LambdaContext
from .._drivers.outcome import InvocationDied, closed, timed_out
from .._drivers.processes import ChildCall, GivenUp, TimeIsUp, look_in_child, run_child
from .._drivers.workers import Workers
from .._engine.director import InvocationLost
from .._engine.executor import Executor
from .._engine.scheduler import Scheduler
from .._http.app import App
from ..clock import Clock
from ..exceptions import HandlerError, ServiceException

if TYPE_CHECKING:
    from .._http.server import Server

Operations = Callable[[], Mapping[str, Callable[..., Mapping[str, Any]]]]
_NOT_INHERITED = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
"""What would lead a child's SDK to other credentials, or past our endpoint."""

_START_MILLIS = 60_000
"""How long a child may take to import its handler, which is not the invocation's time."""


class ProcessIsolation:
    """Calls handlers in child processes.

    ``url`` says where children find the endpoint; ``wake`` is called when a deadline has come nearer. Raises
    ``ImportError`` without the extra ``server``.
    """

    def __init__(
        self,
        executor: Executor,
        scheduler: Scheduler,
        clock: Clock,
        lock: threading.RLock,
        url: Callable[[], str],
        wake: Callable[[], None] = lambda: None,
        at_work: Callable[[Callable[[], None] | None], None] = lambda _: None,
    ) -> None:
        require_server("isolation='process'")
        self._at_work = at_work
        self._executor = executor
        self._scheduler = scheduler
        self._clock = clock
        self._lock = lock
        self._url = url
        self._wake = wake
        self._closed = False

    def close(self) -> None:
        """Give up every child that is under way."""
        self._closed = True

    def durable(self, handler: Any) -> Elsewhere:
        """The durable function of that name, called in a fresh interpreter each time.

        Raises ``HandlerError`` for what is no name, or the name of nothing.
        """
        name = checked_name(handler)

        def call(event: dict[str, Any], context: LambdaContext) -> Any:
            return self._call(name, event, context)

        return Elsewhere(name=name, call=call)

    def plain(self, handler: Any) -> Elsewhere:
        """The same for an ordinary function."""
        name = checked_name(handler)

        def call(event: Any, context: LambdaContext) -> Any:
            return self._call_plain(name, event, context)

        return Elsewhere(name=name, call=call)

    def are_durable(self, handlers: Iterable[str]) -> dict[str, bool]:
        """Whether handlers are durable functions, by their names: a fresh interpreter imports them and looks.

        Raises ``HandlerError`` for one that cannot be had.
        """
        names = [checked_name(handler) for handler in handlers]
        if not names:
            return {}
        try:
            seen = look_in_child(names, self._environment())
        except InvocationDied as error:
            raise HandlerError(f"importing {', '.join(names)} ended the interpreter: {error}") from error
        for name, found in seen.items():
            if "error" in found:
                raise HandlerError(found["error"])
            if not found["callable"]:
                raise HandlerError(f"{name} is no function")
        return {name: found["durable"] for name, found in seen.items()}

    def _call(self, handler: str, event: dict[str, Any], context: LambdaContext) -> Any:
        arn, request_id = event["DurableExecutionArn"], context.aws_request_id
        deadlines = [context.deadline]

        def extend(due: int) -> None:
            if not self._clock.is_virtual:
                deadlines.append(due)
                with self._lock:
                    self._executor.extend_invocation(arn, request_id, due)
                self._wake()

        remaining = context.get_remaining_time_in_millis()
        extend(context.deadline + _START_MILLIS)
        child = ChildCall(
            handler=handler,
            event=event,
            context=context,
            remaining=remaining,
            environment=self._environment(context, handler),
            begun=lambda since: extend(since + remaining),
            given_up=lambda: self._closed or not self._executor.is_under_way(arn, request_id),
        )
        try:
            return run_child(child, self._at_work)
        except TimeIsUp:
            # The engine's own deadline of the invocation, which ends it: what is returned here comes too late.
            with self._lock:
                if self._executor.is_under_way(arn, request_id):
                    self._scheduler.walk_to(deadlines[-1])
        except GivenUp:
            raise InvocationDied(closed()) from None
        return None

    def _call_plain(self, handler: str, event: Any, context: LambdaContext) -> Any:
        remaining = context.get_remaining_time_in_millis()
        child = ChildCall(
            handler=handler,
            event=event,
            context=context,
            remaining=remaining,
            environment=self._environment(context, handler),
            durable=False,
            given_up=lambda: self._closed,
        )
        try:
            return run_child(child)
        except TimeIsUp:
            raise InvocationDied(timed_out(context.aws_request_id, remaining / 1000)) from None
        except GivenUp:
            raise InvocationDied(closed()) from None

    def _environment(self, context: LambdaContext | None = None, handler: str = "") -> dict[str, str]:
        region = self._executor.functions.account.region
        inherited = {name: value for name, value in os.environ.items() if name not in _NOT_INHERITED}
        here = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), "127.0.0.1"]))
        sandbox = {
            **inherited,
            "NO_PROXY": here,
            "no_proxy": here,
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }
        if context is None:
            return sandbox
        return sandbox | {
            "AWS_ENDPOINT_URL_LAMBDA": self._url(),
            "AWS_LAMBDA_FUNCTION_NAME": context.function_name,
            "AWS_LAMBDA_FUNCTION_VERSION": context.function_version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": context.memory_limit_in_mb,
            "AWS_LAMBDA_LOG_GROUP_NAME": context.log_group_name,
            "AWS_LAMBDA_LOG_STREAM_NAME": context.log_stream_name,
            "_HANDLER": handler.replace(":", "."),
        }


class InnerServer:
    """An endpoint for the children of a runner that has none, which listens from the first of them on."""

    def __init__(self, operations: Operations, request_bytes: int) -> None:
        self._operations = operations
        self._request_bytes = request_bytes
        self._server: Server | None = None

    def url(self) -> str:
        """Where it listens."""
        if self._server is None:
            from .._http.server import Server

            operations = dict(self._operations())
            checkpoint = "checkpoint_durable_execution"
            operations[checkpoint] = _answered(operations[checkpoint])
            app = App(operations, self._request_bytes)
            self._server = Server(app, "127.0.0.1", 0, Workers("durable-runner-worker"))
            self._server.start()
        return self._server.url

    def close(self) -> None:
        """Stop serving."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()


def _answered(checkpoint: Callable[..., Mapping[str, Any]]) -> Callable[..., Mapping[str, Any]]:
    """A checkpoint whose caller may be killed by it: there is an answer, and nobody who hears it."""

    def perform(**params: Any) -> Mapping[str, Any]:
        try:
            return checkpoint(**params)
        except InvocationLost:
            raise ServiceException("The invocation that made this call is dead.") from None

    return perform


def checked_name(handler: Any) -> str:
    """A handler's name, whose module can be found but is not imported. Raises ``HandlerError`` for anything else."""
    if not isinstance(handler, str):
        raise HandlerError(
            f"isolation='process' needs the name of the handler, 'module:attribute', not the object {handler!r}: "
            "each invocation imports it in a fresh interpreter"
        )
    require_no_address(handler)
    module, _, attribute = handler.partition(":")
    if not module or not attribute:
        raise HandlerError(f"a handler given by name is written 'module:attribute', not {handler!r}")
    try:
        found = importlib.util.find_spec(module) or PathFinder.find_spec(module.partition(".")[0], [str(Path.cwd())])
    except (ImportError, ValueError) as error:
        raise HandlerError(f"cannot find the module of handler {handler!r}: {error}") from error
    if found is None:
        raise HandlerError(f"cannot find the module of handler {handler!r} on sys.path or in {Path.cwd()}")
    return handler


def require_server(what: str) -> None:
    """Raise ``ImportError`` without the extra ``server``."""
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(
            f"{what} needs {' and '.join(missing)}: python3 -m pip install 'async-durable-execution-runner[server]'"
        )

"""The wiring of a local runner: engine, store, clock, driver, client and bridge put together."""

from __future__ import annotations

import asyncio
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from .._bridges import Bridge, bridge_for, default_bridge, handler_name, load_handler
from .._bridges.apart import works_for
from .._bridges.base import Binding
from .._bridges.frames import operation_of, places
from .._bridges.remembering import Memory
from .._drivers.aside import Elsewhere
from .._drivers.inline import InlineDriver
from .._drivers.ports import Ports
from .._engine.callbacks import Responders
from .._engine.client import InMemoryServiceClient
from .._engine.director import Director
from .._engine.executor import Executor
from .._engine.functions import Account, DurableFunction, FunctionRegistry
from .._engine.inputs import InvocationEnd, InvocationInput
from .._engine.scheduler import Scheduler
from .._model.limits import ServiceLimits
from .._model.plan import Plan
from .._render.failures import is_user_file, note_of
from .._render.pending import stuck_message, unfinished_message
from .._replay.watching import Watch
from .._wire.border import BotocoreWire
from .._wire.remembering import RememberingWire
from .._wire.rendering import render_error, render_event, render_operation
from .._wire.updates import parse_error
from ..clock import Clock
from ..exceptions import HandlerError, UnawaitedOperationWarning
from ..observer import ExecutionNotifier, ExecutionObserver
from ..stores.base import ExecutionStore
from .isolation import InnerServer, Operations, ProcessIsolation
from .reload import Reloading

_PACKAGE = str(Path(__file__).parent.parent)


class Shared:
    """What runs that do nearly the same have in common: what was read once. Nothing of a run itself."""

    def __init__(self) -> None:
        self.wire = RememberingWire()
        self._memories: dict[str, Memory] = {}
        self._stack = ExitStack()

    def let_remember(self, bridge: Bridge) -> None:
        """Let an SDK remember, until this is closed."""
        if bridge.package not in self._memories:
            memory = self._memories[bridge.package] = Memory()
            self._stack.enter_context(bridge.remembering(memory))

    def close(self) -> None:
        """Everything is as it was."""
        self._stack.close()


class Local:
    """Everything a local runner consists of."""

    def __init__(
        self,
        *,
        account: Account,
        clock: Clock,
        limits: ServiceLimits,
        store: ExecutionStore,
        invocation_timeout: int,
        retention_period_days: int,
        observers: Iterable[ExecutionObserver],
        sdk_tuning: bool,
        plan: Plan | None,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = clock
        self.functions = FunctionRegistry(account, limits)
        self.executor = Executor(
            limits=limits,
            store=store,
            functions=self.functions,
            notifier=ExecutionNotifier(observers),
            invocation_timeout=invocation_timeout,
            retention_period_days=retention_period_days,
            render_event=render_event,
            render_error=render_error,
        )
        self.responders = Responders(self.executor, plan=plan or Plan())
        self.executor.callback_opened = self.responders.opened
        self.scheduler = Scheduler(self.executor, clock, self.responders)
        self.director = None if plan is None else Director(plan, self.executor, self.scheduler)
        self.ports = Ports(
            bind=self._bind,
            event=_event,
            read_error=parse_error,
            around=self._around,
            left_behind=self._left_behind,
            describe=self.describe,
            where=_where,
            ended=_as_it_is if self.director is None else self._ended,
            mortal=self._is_mortal,
            works_for=works_for,
        )
        self.driver = InlineDriver(self.executor, self.scheduler, clock, self.lock, self.ports)
        self.client = InMemoryServiceClient(
            self.executor, self.scheduler, clock, BotocoreWire(), self.lock, self.driver.invoker
        )
        if self.director is not None:
            self.client.checkpoint = self.director.checkpoint
        self.warnings: list[str] = []
        self.watch: Watch | None = None
        """Who listens to what handlers ask for."""
        self._shared: Shared | None = None
        self.isolation: ProcessIsolation | None = None
        self._inner_server: InnerServer | None = None
        # With the handler, so that its id stays its own.
        self._bindings: dict[int, tuple[Any, Binding]] = {}
        self._sdk_tuning = sdk_tuning

    def remember(self, shared: Shared) -> None:
        """This is one of many runs that do nearly the same: what the others have read need not be read again."""
        self._shared = shared
        self.client.wire = shared.wire

    def bridge_of(self, function_name: str) -> Bridge:
        """The bridge to the SDK of a function's handler."""
        function = self.functions.find(function_name)
        if isinstance(function, DurableFunction) and not isinstance(function.handler, Elsewhere):
            return bridge_for(_loaded(function.handler))
        return default_bridge()

    def describe(self, execution_arn: str, stuck: bool) -> str:
        """What an execution is waiting for, in words; with what its chained executions are waiting for."""
        record = self.executor.get(execution_arn).snapshot()
        unused = [responder.pattern for responder in self.responders.unused()]
        words = stuck_message if stuck else unfinished_message
        lines = [words(record, self.clock.now_millis(), unused)]
        for operation in record.operations:
            child = getattr(operation.details, "execution_arn", None)
            if child is not None and not operation.is_terminal and child in self.executor.executions:
                lines.append(f"Chained by invoke '{operation.name}': {self.describe(child, stuck)}")
        return "\n".join(lines)

    def emit_warnings(self) -> None:
        """Warn of what was noticed while the runner was at work."""
        waiting, self.warnings = self.warnings, []
        for message in waiting:
            warnings.warn(message, UnawaitedOperationWarning, stacklevel=_users_stacklevel())

    def isolate(self, operations: Operations) -> None:
        """From here on, handlers that are given by name run in processes of their own."""
        self._inner_server = InnerServer(operations, self.executor.limits.execution_payload_bytes)
        self.isolation = ProcessIsolation(
            self.executor,
            self.scheduler,
            self.clock,
            self.lock,
            self._inner_server.url,
            at_work=self.driver.invoker.at_work,
        )

    def resolve(self, handler: Any) -> Any:
        """A handler as it can be registered. Raises ``HandlerError`` if it cannot be a durable function."""
        if isinstance(handler, Elsewhere | Reloading):
            return handler
        if self.isolation is not None and isinstance(handler, str):
            return self.isolation.durable(handler)
        return resolve_handler(handler)

    def close(self) -> None:
        """Release what runs beside the engine."""
        self.driver.close()
        if self.isolation is not None:
            self.isolation.close()
        if self._inner_server is not None:
            self._inner_server.close()

    def register(self, name: str, handler: Any, execution_timeout: int | None) -> None:
        """Make a durable function known. Bound at once, so that a decorator that hides it is told of at once."""
        self.bind(handler)
        self.functions.register(name, DurableFunction(handler=handler, execution_timeout=execution_timeout))

    def bind(self, handler: Any) -> Binding:
        """The handler, talking to this runner. Raises ``HandlerError`` where a decorator makes that impossible."""
        if isinstance(handler, Elsewhere):
            return Binding(call_blocking=handler.call)
        if isinstance(handler, Reloading):
            handler = handler.current()
        known = self._bindings.get(id(handler))
        if known is None:
            known = handler, bridge_for(handler).bind(handler, self.client, self.driver.invoker.run_coroutine)
            self._bindings[id(handler)] = known
        return known[1]

    def _is_mortal(self) -> bool:
        return self.director is not None and bool(self.director.not_reached)

    def _ended(self, invocation: InvocationInput, end: InvocationEnd) -> InvocationEnd:
        assert self.director is not None
        return self.director.ended(invocation.execution_arn, invocation.number, end)

    def _bind(self, function_name: str) -> Binding:
        function = self.functions.find(function_name)
        assert isinstance(function, DurableFunction)
        return self.bind(function.handler)

    @contextmanager
    def _around(self, invocation: InvocationInput) -> Iterator[None]:
        bridge = self.bridge_of(invocation.function_name)
        arn, watch = invocation.execution_arn, self.watch
        listening = bridge.listened(watch.of(arn), arn) if watch is not None else None
        with listening or nullcontext(), bridge.failures() as failures, self._tuned(bridge):
            yield
        if watch is not None:
            watch.of(arn).invocation_ended()
        if failures.seen:
            first = failures.seen[0]
            with self.lock:
                self.executor.note_failure(invocation.execution_arn, note_of(first.operation_id, first.error))

    def _tuned(self, bridge: Bridge) -> AbstractContextManager[None]:
        if not self._sdk_tuning:
            return nullcontext()
        if self._shared is not None:
            self._shared.let_remember(bridge)
        return bridge.tuned()

    def _left_behind(self, invocation: InvocationInput, tasks: list[asyncio.Task[Any]]) -> None:
        names = sorted({name for task in tasks if (name := operation_of(task)) is not None})
        if names:
            function = self.functions.find(invocation.function_name)
            handler = _loaded(function.handler) if isinstance(function, DurableFunction) else None
            self.warnings.append(
                f"{handler_name(handler)} returned while {', '.join(names)} was still unfinished: the operation was "
                "never awaited, and its result is lost. Await it, or cancel its task on purpose."
            )


def _loaded(handler: Any) -> Any:
    return handler.loaded if isinstance(handler, Reloading) else handler


def _users_stacklevel() -> int:
    """The ``stacklevel`` at which a warning points to the line of the test that called the runner."""
    frame, level = sys._getframe(1), 1  # noqa: SLF001 - the documented way to look at one's callers
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    return level


def resolve_handler(handler: Any) -> Any:
    """A handler given as an object or by name. Raises ``HandlerError`` if it cannot be a durable function."""
    handler = load_named(handler)
    bridge_for(handler)
    return handler


def load_named(handler: Any) -> Any:
    """A handler given as an object or by name. Raises ``HandlerError`` if the name leads nowhere."""
    return load_handler(handler) if isinstance(handler, str) else handler


def require_plain(name: str, handler: Any) -> Any:
    """An ordinary function for chained invokes. Raises ``HandlerError`` for what cannot be called."""
    if not callable(handler):
        raise HandlerError(f"the function {name!r} must be callable as handler(event, context), not {handler!r}")
    return handler


def _event(invocation: InvocationInput, shift: int) -> dict[str, Any]:
    """The event of an invocation as Lambda delivers it: plain data, instants in Unix milliseconds."""
    state: dict[str, Any] = {
        "Operations": [render_operation(each, _as_is, shift) for each in invocation.operations],
        "NextMarker": invocation.next_marker or "",
    }
    event: dict[str, Any] = {
        "DurableExecutionArn": invocation.execution_arn,
        "CheckpointToken": invocation.token,
        "InitialExecutionState": state,
    }
    if invocation.updated_operation_ids is not None:
        event["UpdatedOperationIds"] = list(invocation.updated_operation_ids)
    return event


def _as_it_is(_: InvocationInput, end: InvocationEnd) -> InvocationEnd:
    return end


def _as_is(millis: int) -> int:
    return millis


def _where(tasks: list[asyncio.Task[Any]], frame: Any) -> str:
    """Where handlers were when their time was up: operations by name, then the user's own frames."""
    lines = []
    for name, stack in places(tasks, frame):
        own = [entry for entry in stack if is_user_file(entry[0])]
        if name is None and not own:
            continue
        lines.append(f"{'In ' + name if name else 'In the handler'}, at:")
        lines += [f'  File "{filename}", line {line}, in {function}' for filename, line, function in own]
    return "\n".join([*dict.fromkeys(lines), ""]) if lines else ""

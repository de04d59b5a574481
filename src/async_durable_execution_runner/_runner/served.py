"""The functions of an endpoint: handlers of this process, of processes of their own, and behind addresses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from .._bridges import is_decorated
from .._drivers.aside import Aside
from .._engine.functions import DurableFunction
from .._model.enums import ExecutionStatus
from .._wiring.isolation import ProcessIsolation
from .._wiring.local import Local, load_named
from .._wiring.reload import Reloader, Reloading
from .._wiring.remote import RemoteFunctions, is_address, is_plain
from ..exceptions import HandlerError
from ..stores.base import ExecutionHeader, ExecutionQuery
from .targets import Targets

_OPEN = frozenset(status for status in ExecutionStatus if not status.is_over)


class Served:
    """Registers functions, however they are given, and carries out those that are in other processes.

    ``url`` says where these find the endpoint; ``wake`` is called when something has changed.
    """

    def __init__(
        self,
        runner: Targets,
        local: Local,
        *,
        isolated: bool,
        reload: bool,
        url: Callable[[], str],
        wake: Callable[[], None],
    ) -> None:
        self._runner, self._local = runner, local
        self._reloader = Reloader() if reload and not isolated else None
        engine = local.executor, local.scheduler, local.clock, local.lock
        self._processes = ProcessIsolation(*engine, url, wake) if isolated else None
        self._remotes = RemoteFunctions(*engine)
        self._aside = Aside(local.executor, local.clock, local.lock, local.ports, local.driver.plain, wake)
        if not local.clock.is_virtual:
            local.driver.aside = self._aside

    def register(self, functions: Mapping[str, Any], execution_timeout: float | timedelta | None) -> None:
        """Make functions known. Raises ``HandlerError``, which names the one that cannot be."""
        here = {name: given for name, given in functions.items() if not is_address(given)}
        kinds = self._processes.are_durable(here.values()) if self._processes is not None else {}
        for name, given in functions.items():
            handler, durable = self._resolved(name, given, kinds)
            if durable:
                self._runner.register_durable_function(name, handler, execution_timeout=execution_timeout)
            else:
                self._runner.register_function(name, handler)

    def unfinished(self) -> list[str]:
        """ARNs of stored executions of these functions that are not over and that nothing here runs, oldest first."""
        local = self._local
        query = ExecutionQuery(statuses=_OPEN, reverse=True)
        arns = [header.arn for header in local.executor.store.list(query) if self._is_of_these(header)]
        return [arn for arn in arns if arn not in local.executor.executions]

    def resume(self) -> None:
        """Take up all of ``unfinished``. An invocation that was interrupted counts as crashed."""
        local = self._local
        with local.lock:
            for arn in self.unfinished():
                if arn not in local.executor.executions:  # a child that its parent has brought along is there already
                    self._runner._take_up(arn)  # noqa: SLF001 - two users' rooms around the same engine

    def _is_of_these(self, header: ExecutionHeader) -> bool:
        return isinstance(self._local.functions.find(header.function_arn.rpartition(":")[2]), DurableFunction)

    def close(self) -> None:
        """Give up every call of another process that is under way."""
        self._aside.close()  # first, so that being given up is no outcome
        if self._processes is not None:
            self._processes.close()
        self._remotes.close()
        self._aside.wait()

    def _resolved(self, name: str, given: Any, kinds: Mapping[str, bool]) -> tuple[Any, bool]:
        """A function, and whether it is durable."""
        if is_address(given):
            return self._remotes.function(given), not is_plain(given)
        if self._processes is not None:
            durable = kinds[given]
            return (self._processes.durable(given) if durable else self._processes.plain(given)), durable
        if self._reloader is None:
            handler = load_named(given)
            return handler, is_decorated(handler)
        if not isinstance(given, str):
            raise HandlerError(
                f"reload=True is for functions given by name, 'module:attribute'; the function {name!r} is the object "
                f"{given!r}, which nothing can import anew"
            )
        reloading = Reloading(self._reloader, given)
        return reloading, reloading.is_durable

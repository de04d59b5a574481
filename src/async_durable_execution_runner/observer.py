"""Watching executions. Observers see everything and change nothing.

class Printer(ExecutionObserver):
    def on_event(self, execution_arn, event):
        print(event["EventId"], event["EventType"])

DurableFunctionTestRunner(handler, observers=[Printer()])
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

__all__ = ["ExecutionNotifier", "ExecutionObserver"]

_log = logging.getLogger(__name__)


class ExecutionObserver:
    """Base class with a hook for everything that happens. Override what you want to see.

    Hooks are called in the thread that drives the runner, right after the fact. One that raises is reported with its
    traceback on the logger of this module and not called again; the run goes on.
    """

    def on_execution_started(self, execution_arn: str, input_payload: str | None) -> None:
        """An execution exists and will be invoked."""

    def on_invocation_started(self, execution_arn: str, number: int) -> None:
        """The handler is about to be called, for the ``number``-th time (from 1)."""

    def on_event(self, execution_arn: str, event: dict[str, Any]) -> None:
        """An event was appended to the history; ``event`` in wire shape, timestamps as aware datetimes."""

    def on_callback_opened(self, execution_arn: str, callback_id: str, name: str | None) -> None:
        """Somebody may answer this callback from now on."""

    def on_invocation_completed(self, execution_arn: str, number: int, error: dict[str, Any] | None) -> None:
        """The handler has returned or died; ``error`` in wire shape when the invocation itself failed."""

    def on_execution_completed(self, execution_arn: str, status: str) -> None:
        """The execution is over."""


_HOOKS = tuple(name for name in vars(ExecutionObserver) if name.startswith("on_"))


class ExecutionNotifier:
    """The bus between the engine and whoever watches it."""

    def __init__(self, observers: Iterable[ExecutionObserver] = ()) -> None:
        self._hooks: dict[str, list[tuple[object, Callable[..., object]]]] = {name: [] for name in _HOOKS}
        for observer in observers:
            self.add(observer)

    def add(self, observer: ExecutionObserver) -> None:
        """Let ``observer`` see everything from now on. Any object with some of the hooks will do."""
        found = False
        for name in _HOOKS:
            hook = getattr(observer, name, None)
            if hook is None or getattr(hook, "__func__", None) is vars(ExecutionObserver)[name]:
                found = found or hook is not None
                continue
            self._hooks[name].append((observer, hook))
            found = True
        if not found:
            raise TypeError(f"{observer!r} is no observer: it has none of {', '.join(_HOOKS)}")

    def wants(self, hook: str) -> bool:
        """Whether anybody listens, so that nothing is prepared for nobody."""
        return bool(self._hooks[hook])

    def notify(self, hook: str, *args: Any) -> None:
        """Call a hook of every observer that has it."""
        listeners = self._hooks[hook]
        for entry in tuple(listeners):
            try:
                entry[1](*args)
            except Exception:  # noqa: BLE001 - an observer's mistake must not change the run
                _log.exception("Observer %r raised in %s and is dropped; the run goes on.", entry[0], hook)
                self._drop(entry[0])

    def remove(self, observer: object) -> None:
        """Let ``observer`` see nothing any more; one that is not there is no mistake."""
        self._drop(observer)

    def _drop(self, observer: object) -> None:
        for name, listeners in self._hooks.items():
            self._hooks[name] = [entry for entry in listeners if entry[0] is not observer]

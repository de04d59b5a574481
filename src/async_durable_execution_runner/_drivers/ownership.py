"""Who is at work with a runner: one call at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection

from ..exceptions import RunnerBusyError


class Ownership:
    """The thread that drives a runner, if there is one; ``works_for`` tells which ones wait for the calling one."""

    def __init__(self, works_for: Callable[[], Collection[int]] = tuple) -> None:
        self._works_for = works_for
        self._name: str | None = None
        self.ident: int | None = None

    def take(self) -> None:
        """The calling thread begins to drive."""
        self._name, self.ident = threading.current_thread().name, threading.get_ident()

    def release(self) -> None:
        """Nobody drives any more."""
        self._name = self.ident = None

    def is_mine(self) -> bool:
        """Whether the calling thread is the one, or works for it."""
        return self.ident == threading.get_ident() or self.ident in self._works_for()

    def require_idle(self, *, handler_runs: bool) -> None:
        """Raise ``RunnerBusyError`` unless nobody is at work. ``handler_runs``: the caller may be the handler."""
        __tracebackhide__ = True
        if self._name is None:
            return
        if handler_runs and self.is_mine():
            who = "the handler that it is running, and this call is that handler's or another task's of its loop"
        elif self.is_mine():
            who = "another call of the same thread, perhaps of another task"
        else:
            who = f"thread '{self._name}'"
        raise RunnerBusyError(
            f"This runner is at work for {who}. One call at a time can drive it; to have several executions under way, "
            "start each with run_async() and then wait for them. Answering callbacks is allowed from anywhere."
        )

"""The real-time guard: the one thing that ends a test whose handler never comes back.

On the main thread a timer signal interrupts even blocking calls. Elsewhere a watchdog thread sends the exception to
the guarded thread, which gets it as soon as it runs Python code again.
"""

from __future__ import annotations

import ctypes
import signal
import sys
import threading
import time
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

_GRACE = 0.25
"""Seconds that an asynchronous wait has to be cancelled politely, before the thread itself is interrupted."""


class GuardExpired(BaseException):
    """Raised in the guarded thread when its time is up. No ``Exception``, so that no handler takes it for its own."""


class Guard:
    """Interrupts the calling thread once ``seconds`` of real time are over.

    Also tells Ctrl-C from a handler's own ``KeyboardInterrupt``. ``look`` is shown where the thread is, while it still
    is there; what it says about it stays in ``found``.
    """

    def __init__(self, seconds: float, look: Callable[[FrameType | None], str]) -> None:
        self.seconds = seconds
        self.interrupted_by_user = False
        self.found = ""
        self._look = look
        self._deadline = time.monotonic() + seconds
        self._undo: list[Callable[[], object]] = []

    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self._deadline - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._deadline

    def __enter__(self) -> Guard:
        if threading.current_thread() is threading.main_thread() and hasattr(signal, "setitimer"):
            self._watch_ctrl_c()
            if signal.getsignal(signal.SIGALRM) is signal.SIG_DFL:
                self._arm_signal()
                return self
        self._arm_thread()
        return self

    def __exit__(self, kind: object, error: object, trace: TracebackType | None) -> None:
        while self._undo:
            self._undo.pop()()

    def _arm_signal(self) -> None:
        def expire(_: int, frame: FrameType | None) -> None:
            self.found = self.found or self._look(frame)
            raise GuardExpired

        signal.signal(signal.SIGALRM, expire)
        signal.setitimer(signal.ITIMER_REAL, self.remaining() + _GRACE, 1.0)
        self._undo.append(lambda: signal.signal(signal.SIGALRM, signal.SIG_DFL))
        self._undo.append(lambda: signal.setitimer(signal.ITIMER_REAL, 0))

    def _watch_ctrl_c(self) -> None:
        previous = signal.getsignal(signal.SIGINT)
        if previous is not signal.default_int_handler:
            return

        def note(number: int, frame: FrameType | None) -> Any:
            self.interrupted_by_user = True
            return signal.default_int_handler(number, frame)

        signal.signal(signal.SIGINT, note)
        self._undo.append(lambda: signal.signal(signal.SIGINT, previous))

    def _arm_thread(self) -> None:
        ident = threading.get_ident()
        done = threading.Event()

        def watch() -> None:
            if done.wait(self.remaining() + _GRACE):
                return
            self.found = self._look(frame_of_thread(ident))
            while not done.is_set():
                interrupt(ident)
                done.wait(1.0)

        thread = threading.Thread(target=watch, name="durable-runner-guard", daemon=True)
        thread.start()
        self._undo += [thread.join, done.set]  # undone from the end: told first, then awaited


def frame_of_thread(ident: int | None) -> FrameType | None:
    """Where a thread is right now."""
    return sys._current_frames().get(ident or 0)  # noqa: SLF001 - the documented way to look at other threads


def interrupt(ident: int) -> None:
    """Send ``GuardExpired`` to a thread, which gets it as soon as it runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(GuardExpired))

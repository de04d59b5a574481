"""A blocking call on a thread of its own, for an SDK whose handlers run in threads anyway.

Such an SDK waits for its threads wherever it is interrupted, and Python waits for them once more when it exits. So the
caller's thread only waits for the call: when its time is up it leaves the call behind, and nobody waits any longer.
Threads inherit that they need not be awaited from the one that starts them.
"""

from __future__ import annotations

import contextvars
import ctypes
import functools
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import thread as pools
from types import FrameType
from typing import Any

_LOOK = 0.1
"""Seconds between looks at what was sent to the waiting thread: an exception reaches it between two waits only."""


_HANDLER_THREAD = "dex-handler"
"""How the names of threads begin in which AWS's SDK calls handlers, before release 2.1 without a frame of its own."""


_crews: dict[int, Crew] = {}
"""By the thread that waits."""


def works_for() -> list[int]:
    """Idents of the threads that wait for a call which the calling thread belongs to."""
    return [ident for ident, crew in list(_crews.items()) if crew.is_joined()]


class Crew:
    """The threads of one call: those that were not there before it, and run ``package``."""

    def __init__(self, package: str) -> None:
        self._package = package
        self._before = set(threading.enumerate())

    def frames(self) -> Iterator[tuple[threading.Thread, FrameType]]:
        """Each thread that is still at work, and where."""
        frames = sys._current_frames()  # noqa: SLF001 - the documented way to look at other threads
        for thread in threading.enumerate():
            frame = frames.get(thread.ident or 0)
            if thread not in self._before and frame is not None and self._is_inside(thread, frame):
                yield thread, frame

    def is_joined(self) -> bool:
        """Whether the calling thread is one of them."""
        thread = threading.current_thread()
        return thread not in self._before and self._is_inside(thread, sys._getframe())  # noqa: SLF001 - ditto

    def _is_inside(self, thread: threading.Thread, frame: FrameType | None) -> bool:
        if thread.name.startswith(_HANDLER_THREAD):
            return True
        while frame is not None:
            if str(frame.f_globals.get("__name__", "")).partition(".")[0] == self._package:
                return True
            frame = frame.f_back
        return False

    def leave_behind(self) -> None:
        """Send every thread away that can be reached, and let no one wait for those that cannot.

        Threads outside of pools are not sent anything: what ends them there would be shown as an error.
        """
        awaited_at_exit = getattr(pools, "_threads_queues", {})
        for thread, _ in list(self.frames()):
            if awaited_at_exit.pop(thread, None) is not None:
                ident, leave = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(SystemExit)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, leave)


def apart(function: Callable[..., Any], package: str) -> Callable[..., Any]:
    """``function``, called on a thread that may be left behind. What it raises comes out here."""

    @functools.wraps(function)
    def call(*args: Any, **values: Any) -> Any:
        waiting = threading.get_ident()
        _crews[waiting] = crew = Crew(package)
        done = threading.Event()
        outcome: list[Any] = []

        def work() -> None:
            try:
                outcome.append((function(*args, **values), None))
            except BaseException as error:  # noqa: BLE001 - carried over to the waiting thread
                outcome.append((None, error))
            done.set()

        run = contextvars.copy_context().run
        threading.Thread(target=run, args=(work,), name="durable-runner-call", daemon=True).start()
        try:
            while not done.wait(_LOOK):
                pass
        except BaseException:
            crew.leave_behind()
            raise
        finally:
            del _crews[waiting]
        result, error = outcome[0]
        if error is not None:
            raise error
        return result

    return call

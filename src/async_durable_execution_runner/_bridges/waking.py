"""A checkpoint thread that is told when its work is over, for AWS's own SDK.

At the end of every invocation the SDK joins a thread that looks only every 0.1 s whether it should stop, and the first
releases hold each checkpoint back as long. Both wait on one queue. An execution's state gets one that its stop signal
wakes, and that does not wait for company once a caller is blocked: nothing is saved by that here. What is ready by then
goes along as before.
"""

from __future__ import annotations

import functools
import queue
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from .exchanged import Exchanged

_WAKE = object()


class WokenQueue:
    """A queue whose ``get`` gives up as soon as there is nothing to wait for.

    It has the methods of ``queue.Queue`` that the SDK calls, and is built on the queue that needs no locks of Python's.
    """

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._over = False
        self._last: Any = None
        self.put = self._items.put
        self.qsize = self._items.qsize
        self.empty = self._items.empty

    def wake(self) -> None:
        """Nothing more will come: whoever waits is told at once."""
        self._over = True
        self._items.put(_WAKE)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """As any queue's. Raises ``queue.Empty`` before the time is up where waiting cannot help."""
        waits = block and not self._over and not self._is_awaited()
        self._last = None  # once is enough: whoever asks again is ready to wait
        item = self._items.get(waits, timeout if waits else None)
        while item is _WAKE:
            item = self._items.get_nowait()
        self._last = item
        return item

    def get_nowait(self) -> Any:
        """As any queue's."""
        return self.get(block=False)

    def task_done(self) -> None:
        """Nobody joins the queue."""

    def _is_awaited(self) -> bool:
        """Whether a caller is blocked until what was taken last has been sent."""
        done = getattr(self._last, "completion_event", None)
        return done is not None and not done.is_set()


class _Telling(threading.Event):
    def __init__(self, tell: Callable[[], None]) -> None:
        super().__init__()
        self._tell = tell

    def set(self) -> None:
        super().set()
        self._tell()


def _wake_at_stop(state: Any) -> None:
    """Exchange the queue and the signal of a state that nobody uses yet, if they are the ones that are known."""
    waiting, stopped = getattr(state, "_checkpoint_queue", None), getattr(state, "_checkpointing_stopped", None)
    if type(waiting) is queue.Queue and type(stopped) is threading.Event and waiting.empty() and not stopped.is_set():
        state._checkpoint_queue = woken = WokenQueue()  # noqa: SLF001 - there is no public door
        state._checkpointing_stopped = _Telling(woken.wake)  # noqa: SLF001 - ditto


_exchanged = Exchanged()


def woken_checkpoints(execution: Any) -> AbstractContextManager[None]:
    """Let invocations end without the wait. ``execution`` is the SDK's module that makes the states."""
    if not isinstance(getattr(execution, "ExecutionState", None), type):
        return nullcontext()
    return _exchanged.by(lambda: [(execution, "ExecutionState", _woken(execution.ExecutionState))])


@functools.cache  # a class is dear
def _woken(own: Any) -> Any:
    """The SDK's class, whose objects wake their thread."""

    def __init__(self: Any, *args: Any, **values: Any) -> None:  # noqa: N807 - it becomes one
        own.__init__(self, *args, **values)
        _wake_at_stop(self)

    return type(own.__name__, (own,), {"__init__": __init__, "__module__": own.__module__})

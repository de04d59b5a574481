"""When the threads of a handler can do no more by themselves."""

from __future__ import annotations

import concurrent.futures.thread
import os
import queue
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

_TASKS = Path("/proc/self/task")
_SLICE = 0.0005
"""Seconds between two looks at the threads: nobody holds the interpreter's lock meanwhile, so who can run does."""

_UNSEEN = 0.003
"""Seconds of patience where the system does not tell what its threads are at."""

_ASLEEP = 0.1
"""The same where it does: a thread that is busy, or sleeps in code of its own, may be on its way."""

_WAITS = frozenset(each.__file__ for each in (threading, queue, concurrent.futures.thread))
_OURS = str(Path(__file__).parent.parent) + os.sep


class Quiet:
    """Looks at the threads of this process from one of them. Those that were there before are bystanders.

    Time alone tells little: on a loaded machine a thread that could go on may have to wait for its turn.
    """

    def __init__(self, bystanders: frozenset[int]) -> None:
        self._bystanders = bystanders
        self._sees = sys.platform == "linux" and _TASKS.is_dir()
        self.patience = _ASLEEP if self._sees else _UNSEEN
        """Seconds without anything new after which it is enough, whatever is seen."""
        self._last: dict[str, str] | None = None
        self._activity = -1
        self._since = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long to wait before the next look."""
        return _SLICE if self._sees else _UNSEEN

    def look(self, activity: int) -> bool:
        """Whether all threads wait for what somebody else has to give. ``activity`` is what they have done so far."""
        if activity != self._activity:
            self._activity, self._since = activity, time.monotonic()
            self._last = None
        if time.monotonic() - self._since >= self.patience:
            return True
        before, self._last = self._last, self._sleeping() if self._sees else None
        # Frames only now that nobody runs: with threads that begin meanwhile, some Pythons lock up over them.
        return before is not None and before == self._last and _all_wait(self._bystanders)

    def _sleeping(self) -> dict[str, str] | None:
        """How often each other thread has run so far; ``None`` if one of them can run now."""
        own = str(threading.get_native_id())
        found: dict[str, str] = {}
        for name, status in _statuses():
            if name == own:
                continue
            state, _, rest = status.partition("State:\t")[2].partition("\n")
            if not state.startswith(("S", "D")):
                return None
            found[name] = rest.partition("voluntary_ctxt_switches")[2]
        return found


def _statuses() -> Iterator[tuple[str, str]]:
    for task in _TASKS.iterdir():
        try:
            yield task.name, (task / "status").read_text(encoding="ascii", errors="replace")
        except OSError:  # it has ended meanwhile
            continue


def _all_wait(bystanders: frozenset[int]) -> bool:
    """Whether every thread of the handler waits where threads wait for each other, and sleeps nowhere else."""
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to see what threads are at
    own = threading.get_ident()
    return all(
        frame.f_code.co_filename in _WAITS or frame.f_code.co_filename.startswith(_OURS)
        for thread, frame in frames.items()
        if thread != own and thread not in bystanders
    )

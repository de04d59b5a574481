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

_NOISY = 0.02
"""Seconds of sleep that are enough beside bystanders that run, and may hold the interpreter's lock."""

_WAITS = frozenset(each.__file__ for each in (threading, queue, concurrent.futures.thread))
_OURS = str(Path(__file__).parent.parent) + os.sep


class Quiet:
    """Looks at the threads of this process from one of them. Those that were there before are bystanders.

    Time alone tells little: on a loaded machine a thread that could go on may have to wait for its turn.
    """

    def __init__(self, handlers_own: threading.Thread | None) -> None:
        self._bystanders = {each for each in threading.enumerate() if each is not handlers_own}
        own = str(handlers_own.native_id) if handlers_own is not None else None
        self._strangers = {name for name, _ in _statuses() if name != own}
        self._sees = bool(self._strangers)
        self.patience = _ASLEEP if self._sees else _UNSEEN
        """Seconds without anything new after which it is enough, whatever is seen."""
        self._activity = -1
        self._since = self._same_since = time.monotonic()
        self._last: dict[str, str] | None = None
        self._around: dict[str, str] = {}

    @property
    def seconds(self) -> float:
        """How long to wait before the next look."""
        return _SLICE if self._sees else _UNSEEN

    def look(self, activity: int) -> bool:
        """Whether all threads wait for what somebody else has to give. ``activity`` is what they have done so far."""
        now = time.monotonic()
        if activity != self._activity:
            self._activity, self._since, self._last = activity, now, None
        if now - self._since >= self.patience:
            return True
        # Frames only when nobody runs: with threads that begin meanwhile, some Pythons lock up over them.
        return self._sees and self._sleep_on(now) and _all_wait(self._bystanders)

    def _sleep_on(self, now: float) -> bool:
        """Whether no thread of the handler has run since the last look, though each could have."""
        before, around = self._last, self._around
        seen = {name: _state(status) for name, status in _statuses() if name != str(threading.get_native_id())}
        self._around = {name: state for name, state in seen.items() if name in self._strangers}
        found = {name: state for name, state in seen.items() if name not in self._strangers}
        self._last = found if all(map(_is_asleep, found.values())) else None
        if self._last is None or before != self._last:
            self._same_since = now
            return False
        was_calm = around == self._around and all(map(_is_asleep, around.values()))
        return was_calm or now - self._same_since >= _NOISY


def _state(status: str) -> str:
    """What a thread is at, and how often it has been so far."""
    state, _, rest = status.partition("State:\t")[2].partition("\n")
    return state[:1] + rest.partition("voluntary_ctxt_switches")[2]


def _is_asleep(state: str) -> bool:
    return state.startswith(("S", "D"))


def _statuses() -> Iterator[tuple[str, str]]:
    """Each thread of this process with what Linux says of it; none elsewhere."""
    for task in _TASKS.iterdir() if sys.platform == "linux" and _TASKS.is_dir() else ():
        try:
            yield task.name, (task / "status").read_text(encoding="ascii", errors="replace")
        except OSError:  # it has ended meanwhile
            continue


def _all_wait(bystanders: set[threading.Thread]) -> bool:
    """Whether every thread of the handler waits where threads wait for each other, and sleeps nowhere else."""
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to see what threads are at
    own = threading.current_thread()
    threads = [each for each in threading.enumerate() if each is not own and each not in bystanders]
    files = [frames[each.ident].f_code.co_filename for each in threads if each.ident in frames]
    return all(file in _WAITS or file.startswith(_OURS) for file in files)

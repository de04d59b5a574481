"""A thread that does whatever there is to do, for as long as a server runs."""

from __future__ import annotations

import logging
import threading

from .._engine.executor import Executor
from .._engine.scheduler import Goal
from ..clock import Clock
from .inline import InlineDriver

_log = logging.getLogger(__name__)
_AT_A_TIME = 1_000_000.0
"""Seconds that the driver's own guard gets. It starts anew whenever nothing is left to do."""

_LONGEST_SLEEP = 3600.0

_PATIENCE = 2.0
"""Seconds that a handler gets to come back when the thread is to end."""


class BackgroundDriver:
    """Drives every execution until ``stop``. Whoever changes something calls ``wake``."""

    def __init__(self, driver: InlineDriver, executor: Executor, clock: Clock, lock: threading.RLock) -> None:
        self._driver = driver
        self._executor = executor
        self._clock = clock
        self._lock = lock
        self._news = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="durable-runner-background", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """Something has changed: look again."""
        self._news.set()

    def stop(self) -> None:
        """End the thread. A handler that does not come back in time is left behind."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE)

    def _work(self) -> None:
        while not self._stopping:
            # Before the work, so that what comes in meanwhile is not missed.
            self._news.clear()
            try:
                self._driver.drive(Goal(self._nothing_to_do), _AT_A_TIME, "")
            except Exception:  # noqa: BLE001 - one execution that cannot go on must not stop the others
                _log.exception("an execution could not be driven on")
            self._news.wait(self._seconds_to_sleep())

    def _nothing_to_do(self) -> bool:
        """Whether only time or news can help. Sleeping is done here, where no news is missed."""
        executor, clock = self._executor, self._clock
        return self._stopping or not (
            executor.ready or executor.calls or (clock.is_virtual and executor.timers.earliest() is not None)
        )

    def _seconds_to_sleep(self) -> float:
        with self._lock:
            due = self._executor.timers.earliest()
        if due is None:
            return _LONGEST_SLEEP
        return min(_LONGEST_SLEEP, max(0.0, (due - self._clock.now_millis()) / 1000))

"""Threads for work that may block for as long as it likes, and mostly does not."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

_Job = tuple[Future[Any], Callable[[], Any]]


class Workers(Executor):
    """Daemon threads, as many as are busy at a time.

    One that has done its work waits ``idle_seconds`` for more, because starting one takes longer than most of the work.
    One that blocks for ever keeps neither the others nor the process from going on.
    """

    def __init__(self, name: str, idle_seconds: float = 30.0) -> None:
        self._name = name
        self._idle_seconds = idle_seconds
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        """Threads that wait, less the jobs that wait for them."""
        self._over = False

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn`` at once. Raises ``RuntimeError`` after ``shutdown``."""
        future: Future[Any] = Future()
        with self._lock:
            if self._over:
                raise RuntimeError("these workers have been sent home")
            self._jobs.put((future, lambda: fn(*args, **kwargs)))
            is_new = self._idle == 0
            if is_new:
                self._threads += 1
            else:
                self._idle -= 1
        if is_new:
            threading.Thread(target=self._work, name=self._name, daemon=True).start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Send the threads home, each as soon as it has done what it is at. Nobody waits for them."""
        del wait, cancel_futures
        with self._lock:
            self._over = True
            for _ in range(self._threads):
                self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._next()) is not None:
            future, call = job
            if future.set_running_or_notify_cancel():
                try:
                    result = call()
                except BaseException as error:  # noqa: BLE001 - whatever it is belongs to who asked for it
                    self._free()
                    future.set_exception(error)
                else:
                    self._free()
                    future.set_result(result)
            else:
                self._free()
            del job, future, call

    def _next(self) -> _Job | None:
        """The next job, or ``None`` when there is to be no other."""
        while True:
            try:
                return self._jobs.get(timeout=self._idle_seconds)
            except queue.Empty:
                with self._lock:
                    if self._idle > 0:  # else a job has just been left for this thread
                        self._idle -= 1
                        self._threads -= 1
                        return None

    def _free(self) -> None:
        with self._lock:
            self._idle += 1

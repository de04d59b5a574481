"""One replayed call of a handler: on a loop of its own, which tells when nothing on it can go on."""

from __future__ import annotations

import asyncio
import contextvars
import math
import selectors
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from .guard import Guard
from .loop import DaemonExecutor, cancel_all, finish_generators, running_loop
from .quiet import Quiet

_GENERATIONS = 5
"""How often tasks that are cancelled may begin others."""


class Answering(Protocol):
    """Who gives the answers that a replayed handler waits for."""

    activity: int

    @property
    def is_waited_for(self) -> bool:
        """Whether somebody waits for an answer."""

    def release_next(self) -> bool:
        """Give the next answer. ``False`` if nobody waits for one."""


class _IdleSelector(selectors.DefaultSelector):
    """A loop asks its selector to block only when no callback is ready: then nothing can go on by itself."""

    def __init__(self, idle: Callable[[], bool], patience: float) -> None:
        super().__init__()
        self._idle = idle
        self._patience = self._left = patience

    def over(self) -> None:
        """No more answers are given, and there is no hurry: what is left is only to end."""
        self._idle, self._left = _nothing, math.inf

    def select(self, timeout: float | None = None) -> Any:
        if timeout is not None and timeout <= 0:
            return super().select(timeout)
        if self._idle():
            self._left = self._patience
            return super().select(0)
        if self._left <= 0:
            raise NothingHappens
        began = time.monotonic()
        longest = None if math.isinf(self._left) else self._left
        ready = super().select(longest if timeout is None else min(timeout, self._left))
        self._left -= time.monotonic() - began
        return ready


def _nothing() -> bool:
    return False


class NothingHappens(Exception):
    """A replayed handler waits for something that is no operation, and it does not come."""


@contextmanager
def replay_loop(answering: Answering, patience: float) -> Iterator[asyncio.AbstractEventLoop]:
    """A loop that asks for the next answer whenever nothing on it can go on."""
    selector = _IdleSelector(answering.release_next, patience)
    loop = asyncio.SelectorEventLoop(selector)
    loop.set_default_executor(DaemonExecutor(max_workers=1))
    loop.set_exception_handler(lambda *_: None)
    try:
        yield loop
    finally:
        selector.over()
        for _ in range(_GENERATIONS):
            left = asyncio.all_tasks(loop)
            if not left:
                break
            loop.run_until_complete(cancel_all(left))
        finish_generators(loop)
        loop.close()


def run_on(loop: asyncio.AbstractEventLoop, coroutine: Awaitable[Any]) -> Any:
    """Run a handler's coroutine to its end."""
    return loop.run_until_complete(coroutine)


@contextmanager
def answering_threads(answering: Answering) -> Iterator[None]:
    """For handlers in threads: give the next answer whenever none of them can go on without one."""
    over = threading.Event()
    quiet = Quiet(threading.current_thread())

    def work() -> None:
        while not over.wait(quiet.seconds):
            if quiet.look(answering.activity):
                answering.release_next()

    thread = threading.Thread(target=work, name="durable-runner-replay", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        while answering.release_next():
            pass
        thread.join()


def guarded(seconds: float) -> Guard:
    """Interrupts a replayed handler that does not come back."""
    return Guard(seconds, lambda _: "")


def apart_from_any_loop(call: Callable[[], Any]) -> Any:
    """``call``, on this thread; beside it where a loop is running on it already."""
    if running_loop() is None:
        return call()
    outcome: list[Any] = []

    def work() -> None:
        try:
            outcome.append((call(), None))
        except BaseException as error:  # noqa: BLE001 - carried over to who waits for it
            outcome.append((None, error))

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="durable-runner", daemon=True)
    thread.start()
    thread.join()
    result, error = outcome[0]
    if error is not None:
        raise error
    return result

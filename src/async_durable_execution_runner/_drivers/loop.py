"""The event loop a runner owns, and what handlers leave behind on it."""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import ctypes
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

_CLEANUP_SECONDS = 1.0


class DaemonExecutor(ThreadPoolExecutor):
    """``asyncio.to_thread`` on daemon threads: one that blocks for ever must not keep the process from ending."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run ``fn`` in a thread of its own."""
        future: Future[Any] = Future()

        def work() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - whatever it is belongs to who asked for it
                future.set_exception(error)

        threading.Thread(target=work, name="durable-runner-worker", daemon=True).start()
        return future


def new_loop() -> asyncio.AbstractEventLoop:
    """A loop for a runner's own use."""
    loop = asyncio.new_event_loop()
    loop.set_default_executor(DaemonExecutor(max_workers=1))
    loop.set_exception_handler(_complain)
    return loop


def _complain(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Complain as asyncio does, except of tasks that ended because the handler suspended: that is how they end."""
    error = context.get("exception")
    if not any(kind.__name__ == "SuspendExecution" for kind in type(error).__mro__):
        loop.default_exception_handler(context)


def finish_generators(loop: asyncio.AbstractEventLoop) -> None:
    """Close asynchronous generators that a handler left open. Mostly there are none, and the loop need not run."""
    shutdown = loop.shutdown_asyncgens()
    try:
        shutdown.send(None)
    except StopIteration:
        return
    shutdown.close()
    loop.run_until_complete(loop.shutdown_asyncgens())


def close_idle(loop: asyncio.AbstractEventLoop) -> None:
    """Close a loop, unless a thread that was left behind still runs it."""
    if not loop.is_running():
        loop.close()


def run_apart(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end on a loop of its own, also where another one is running: then in a thread."""
    future: Future[Any] = Future()

    def work() -> None:
        try:
            future.set_result(asyncio.run(coroutine))
        except BaseException as error:  # noqa: BLE001 - carried over to who waits for it
            future.set_exception(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(work,), name="durable-runner", daemon=True)
    thread.start()
    return future.result()


async def cancel_all(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """End tasks that a handler left behind, as the end of its sandbox would. One that refuses is left alone."""
    tasks = [task for task in tasks if not task.done()]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_CLEANUP_SECONDS)
    for task in tasks:
        if task.done() and not task.cancelled():
            task.exception()  # looked at, so that nobody complains it never was


def forget_how_they_ended(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Let go of what cancelled tasks keep of their end: with it they keep the frames of whoever ran the loop.

    Frozen frames keep the tasks themselves. asyncio need not go through those whenever it looks for tasks.
    """
    for task in tasks:
        if task.cancelled():
            with contextlib.suppress(asyncio.CancelledError):
                task.exception()
        if task.done():
            asyncio._unregister_task(task)  # noqa: SLF001 - in asyncio's documentation, for those who extend it


class _Contained(Coroutine[Any, Any, Any]):
    """A coroutine whose ``sys.exit`` stays inside: asyncio lets that one through to whoever runs the loop.

    Once its family is lost its task ends and the coroutine is never resumed: it stays where it is, with all that it
    would still have done, as if its process had been killed.
    """

    def __init__(self, inner: Any, family: TaskFamily) -> None:
        self._inner, self._family, self._on_exit = inner, family, family.left

    def send(self, value: Any) -> Any:
        """See ``Coroutine.send``."""
        if self._family.is_lost:
            return self._freeze()
        try:
            return self._inner.send(value)
        except (SystemExit, KeyboardInterrupt) as error:
            self._on_exit(error)
            raise asyncio.CancelledError from error

    def throw(self, *error: Any) -> Any:
        """See ``Coroutine.throw``."""
        if self._family.is_lost:
            return self._freeze()
        try:
            return self._inner.throw(*error)
        except (SystemExit, KeyboardInterrupt) as left:
            self._on_exit(left)
            raise asyncio.CancelledError from left

    def close(self) -> None:
        """See ``Coroutine.close``."""
        if not self._family.is_lost:
            self._inner.close()

    def _freeze(self) -> Any:
        # Nobody may let go of it: a coroutine that goes away is closed first, which runs its `finally` blocks.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._inner))
        raise asyncio.CancelledError

    def __await__(self) -> Any:
        """Never used: tasks call ``send``."""
        return self._inner.__await__()

    def __getattr__(self, name: str) -> Any:
        """Whoever looks at a task's frames sees those of the coroutine."""
        return getattr(self._inner, name)


_family: contextvars.ContextVar[TaskFamily | None] = contextvars.ContextVar("durable_runner_family", default=None)


class TaskFamily:
    """The tasks of one invocation on a loop that has others: those started by it, and by those, and so on.

    Tasks inherit their creator's context, so a mark in it tells the family. Python 3.11 does not let one look at a
    task's context; there, a task factory takes the mark while the invocation runs (it has no eager tasks, which would
    go past the factory).

    A member that leaves the process (``sys.exit``) ends the family and not the loop; ``exit`` is what it raised. An
    eager task can only do so until it first waits for something.

    Of a ``mortal`` family nothing is resumed once it is lost.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, *, mortal: bool = False) -> None:
        self.exit: BaseException | None = None
        self.is_lost = False
        self._by_factory = mortal or sys.version_info < (3, 12)
        self._first: asyncio.Task[Any] | None = None
        self._loop = loop
        self._seen: set[asyncio.Task[Any]] = set()
        self._factory = loop.get_task_factory()
        if self._by_factory:
            loop.set_task_factory(self._create)

    def create(self, coroutine: Any) -> asyncio.Task[Any]:
        """The first task of the family."""
        context = contextvars.copy_context()
        context.run(_family.set, self)
        self._first = self._loop.create_task(_Contained(coroutine, self), context=context)
        return self._first

    def left(self, error: BaseException) -> None:
        """A member has left the process."""
        self.exit = error
        if self._first is not None:
            self._first.cancel()

    def lose(self) -> None:
        """Every member ends where it is, and nothing of it runs any more."""
        self.is_lost = True
        for task in self._seen:
            task.cancel()

    def close(self) -> set[asyncio.Task[Any]]:
        """All members that can still be found. The loop is as it was before."""
        if not self._by_factory:
            tasks = asyncio.all_tasks(self._loop)
            return {task for task in tasks if task.get_context().get(_family) is self}  # type: ignore[attr-defined]
        self._loop.set_task_factory(self._factory)
        found, self._seen = self._seen, set()  # a frozen member may hold on to its family
        return found

    def _create(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **options: Any) -> Any:
        context = options.get("context")
        is_member = (context.get(_family) if context is not None else _family.get()) is self
        if is_member and type(coroutine) is not _Contained:
            coroutine = _Contained(coroutine, self)
        make = self._factory
        task: Any = make(loop, coroutine, **options) if make else asyncio.Task(coroutine, loop=loop, **options)
        if is_member:
            self._seen.add(task)
        return task


def running_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs on this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None

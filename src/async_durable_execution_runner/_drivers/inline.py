"""Executions in this process: the scheduler's actions carried out until a goal is reached."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from .._engine.executor import Executor
from .._engine.functions import InvokeOutcome
from .._engine.inputs import InvocationEnd, InvocationInput, PlainCall
from .._engine.scheduler import Call, Finished, Goal, Invoke, Scheduler, Sleep
from ..clock import Clock
from ..exceptions import ExecutionStuckError
from .aside import Aside
from .bystanders import other_threads_at_work
from .guard import Guard, GuardExpired, frame_of_thread
from .invoker import InProcessInvoker
from .loop import running_loop
from .ownership import Ownership
from .plain_calls import PlainCalls
from .ports import Ports

_LOOK_AGAIN = 0.02
"""Seconds between looks at whether somebody else could still answer."""

_PATIENCE = 1.0
"""Seconds beyond its guard that a helper thread gets to come back, before it is left behind."""


class InlineDriver:
    """Carries out the scheduler's actions until a goal is reached. One thread at a time."""

    def __init__(
        self, executor: Executor, scheduler: Scheduler, clock: Clock, lock: threading.RLock, ports: Ports
    ) -> None:
        self._ownership = Ownership(ports.works_for)
        self.invoker = InProcessInvoker(clock, ports, self._ownership, self._ended)
        self.plain = PlainCalls(executor, clock, self.invoker.run_coroutine)
        self.aside: Aside | None = None
        """Takes functions in other processes off this driver's hands."""
        self._executor = executor
        self._scheduler = scheduler
        self._clock = clock
        self._lock = lock
        self._news = threading.Condition()
        self._heard = 0
        """How often something has come in from outside: what comes between a look and a wait must not be missed."""
        self._async_news: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None

    def is_driven_here(self) -> bool:
        """Whether the caller is the handler that runs right now, or somebody on its thread."""
        return self.invoker.is_invoking and self._ownership.is_mine()

    def close(self) -> None:
        """End the runner's own loop and what is left on it."""
        self.invoker.close()

    # ------------------------------------------------------------------------------------------------- driving

    def drive(self, goal: Goal, timeout: float, execution_arn: str) -> None:
        """Work until the goal is reached. Raises ``ExecutionStuckError`` and ``ExecutionTimeoutError``."""
        __tracebackhide__ = True
        if running_loop() is not None:
            self._require_idle()
            self._drive_in_helper(goal, timeout, execution_arn)
            return
        with self._working(), Guard(timeout, self.invoker.look) as guard:
            self.invoker.guard = guard
            try:
                self._drive(goal, execution_arn, guard)
            except GuardExpired:
                raise self.invoker.out_of_time(execution_arn, timeout, guard.found) from None

    def _drive(self, goal: Goal, execution_arn: str, guard: Guard) -> None:
        __tracebackhide__ = True
        while True:
            heard = self._heard
            with self._lock:
                action = self._scheduler.next(goal)
            match action:
                case Finished():
                    return
                case Invoke(invocation):
                    if self.aside is None or not self.aside.invoke(invocation):
                        self._ended(invocation, self.invoker.invoke(invocation, guard))
                case Call(call):
                    if self.aside is None or not self.aside.call(call):
                        self._called(call, self.plain.call(call))
                case Sleep(until):
                    self._wait((until - self._clock.now_millis()) / 1000, guard, heard)
                case _:
                    if not other_threads_at_work():
                        raise ExecutionStuckError(self.invoker.ports.describe(execution_arn, True))
                    self._wait(_LOOK_AGAIN, guard, heard)
            if guard.expired:
                raise self.invoker.out_of_time(execution_arn, guard.seconds)

    def _ended(self, invocation: InvocationInput, end: InvocationEnd) -> None:
        with self._lock:
            self.invoker.idle()
            end = self.invoker.ports.ended(invocation, end)
            now = self._clock.now_millis()
            self._executor.end_invocation(invocation.execution_arn, invocation.number, end, now)

    def _called(self, call: PlainCall, outcome: InvokeOutcome) -> None:
        with self._lock:
            now = self._clock.now_millis()
            self._executor.end_chained_invoke(call.execution_arn, call.operation_id, outcome, now)

    def _wait(self, seconds: float, guard: Guard, heard: int) -> None:
        with self._news:
            self._news.wait_for(lambda: self._heard != heard, max(0.0, min(seconds, guard.remaining())))

    def wake(self) -> None:
        """Something came in from outside: look again."""
        with self._news:
            self._heard += 1
            self._news.notify_all()
        if self._async_news is not None:
            loop, event = self._async_news
            loop.call_soon_threadsafe(event.set)

    def _drive_in_helper(self, goal: Goal, timeout: float, execution_arn: str) -> None:
        """A loop is running on this thread already, so the handler gets another thread for its own."""
        __tracebackhide__ = True
        problems: list[BaseException] = []

        def work() -> None:
            try:
                self.drive(goal, timeout, execution_arn)
            except BaseException as error:  # noqa: BLE001 - carried over to the caller's thread
                problems.append(error)

        context = contextvars.copy_context()
        thread = threading.Thread(target=context.run, args=(work,), name="durable-runner", daemon=True)
        thread.start()
        thread.join(timeout + _PATIENCE)
        if thread.is_alive():
            raise self.invoker.out_of_time(execution_arn, timeout, self.invoker.look(frame_of_thread(thread.ident)))
        if problems:
            raise problems[0]

    # ------------------------------------------------------------------------------- driving on a caller's loop

    async def drive_async(self, goal: Goal, timeout: float, execution_arn: str) -> None:
        """The same on the caller's event loop."""
        __tracebackhide__ = True
        event = asyncio.Event()
        with self._working(), Guard(timeout, self.invoker.look) as guard:
            self.invoker.guard = guard
            self._async_news = asyncio.get_running_loop(), event
            try:
                await self._drive_async(goal, execution_arn, guard, event)
            except GuardExpired:
                raise self.invoker.out_of_time(execution_arn, timeout, guard.found) from None
            finally:
                self._async_news = None

    async def _drive_async(self, goal: Goal, execution_arn: str, guard: Guard, event: asyncio.Event) -> None:
        __tracebackhide__ = True
        while True:
            event.clear()
            with self._lock:
                action = self._scheduler.next(goal)
            match action:
                case Finished():
                    return
                case Invoke(invocation):
                    end = await self.invoker.invoke_async(invocation, guard)
                    self._ended(invocation, end)
                case Call(call):
                    self._called(call, await self.plain.call_async(call))
                case Sleep(until):
                    await self._wait_async((until - self._clock.now_millis()) / 1000, guard, event)
                case _:
                    bystanders = len(asyncio.all_tasks()) > 1 or bool(other_threads_at_work())
                    if not bystanders:
                        raise ExecutionStuckError(self.invoker.ports.describe(execution_arn, True))
                    await self._wait_async(_LOOK_AGAIN, guard, event)
            if guard.expired:
                raise self.invoker.out_of_time(execution_arn, guard.seconds)

    async def _wait_async(self, seconds: float, guard: Guard, event: asyncio.Event) -> None:
        _, pending = await asyncio.wait(
            [asyncio.ensure_future(event.wait())], timeout=max(0.0, min(seconds, guard.remaining()))
        )
        for task in pending:
            task.cancel()

    # ---------------------------------------------------------------------------------------------- housekeeping

    @contextmanager
    def _working(self) -> Iterator[None]:
        __tracebackhide__ = True
        with self._lock:
            self._require_idle()
            self._ownership.take()
        try:
            yield
        finally:
            self._ownership.release()
            self.invoker.guard = None
            self.invoker.idle()

    def _require_idle(self) -> None:
        __tracebackhide__ = True
        self._ownership.require_idle(handler_runs=self.invoker.is_invoking)

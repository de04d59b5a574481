"""One call of a durable handler in this process, on the caller's own thread or event loop."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import Any

from .._engine.director import InvocationLost
from .._engine.inputs import Crashed, InvocationEnd, InvocationInput
from .._model.errors import ErrorObject
from ..clock import Clock
from ..exceptions import ExecutionTimeoutError
from .guard import Guard, GuardExpired, frame_of_thread, interrupt
from .lambda_context import context_of
from .loop import (
    DaemonExecutor,
    TaskFamily,
    cancel_all,
    close_idle,
    finish_generators,
    forget_how_they_ended,
    new_loop,
    running_loop,
)
from .outcome import crashed, read_output
from .ownership import Ownership
from .ports import BoundHandler, Ports

_PATIENCE_APART = 0.15
"""Seconds beyond its guard that a blocking call beside the caller's loop gets. Less than the guard's own grace, so that
this comes first."""


class InProcessInvoker:
    """Calls handlers, and keeps the pace: how far the clock may go while one runs.

    ``ended`` is told of an invocation that is given up because the test itself ends.
    """

    def __init__(
        self,
        clock: Clock,
        ports: Ports,
        ownership: Ownership,
        ended: Callable[[InvocationInput, InvocationEnd], None],
    ) -> None:
        self.ports = ports
        self.guard: Guard | None = None
        self._clock = clock
        self._ownership = ownership
        self._ended = ended
        self._kill: Callable[[], None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._began: tuple[int, float] | None = None
        self._family: TaskFamily | None = None
        self._current: InvocationInput | None = None
        self._stubborn: list[asyncio.Task[Any]] = []
        """Tasks on the runner's own loop that did not end when their invocation did."""

    def idle(self) -> None:
        """No handler runs any more."""
        self._began = None

    # ----------------------------------------------------------------------- the pace of a running invocation

    def reachable(self) -> int | None:
        """See ``Pace.reachable``: virtual time may catch up with the real time a handler has spent, no more."""
        if self._began is None:
            return None
        started, real = self._began
        return started + int((time.monotonic() - real) * 1000)

    def shift(self) -> int:
        """See ``Pace.shift``: an SDK compares deadlines with the machine's clock."""
        return time.time_ns() // 1_000_000 - self._clock.now_millis() if self._clock.is_virtual else 0

    def at_work(self, kill: Callable[[], None] | None) -> None:
        """The invocation runs in a process of its own, which ``kill`` ends."""
        self._kill = kill

    def lose(self) -> None:
        """See ``Pace.lose``. Tasks are stopped where they are; a thread gets errors from whatever it asks for."""
        if self._kill is not None:
            self._kill()
        if self._family is not None:
            self._family.lose()

    @property
    def is_invoking(self) -> bool:
        """Whether a handler runs right now."""
        return self._began is not None

    # ---------------------------------------------------------------------------------------- one durable call

    def invoke(self, invocation: InvocationInput, guard: Guard) -> InvocationEnd:
        """Call a handler on this thread, and say how that ended."""
        __tracebackhide__ = True
        try:
            with self._invocation(invocation) as (binding, event, context):
                if binding.call is not None:
                    output = self.run_coroutine(binding.call(event, context), invocation)
                else:
                    assert binding.call_blocking is not None
                    output = binding.call_blocking(event, context)
            return read_output(output, self.ports.read_error)
        except BaseException as error:  # noqa: BLE001 - whatever ends a handler is its outcome
            return self._died(error, invocation, guard)

    async def invoke_async(self, invocation: InvocationInput, guard: Guard) -> InvocationEnd:
        """The same on the caller's event loop."""
        __tracebackhide__ = True
        try:
            with self._invocation(invocation) as (binding, event, context):
                if binding.call is not None:
                    output = await self._await_here(binding.call(event, context), invocation, guard)
                else:
                    assert binding.call_blocking is not None
                    output = await self._call_apart(binding.call_blocking, event, context, invocation, guard)
            return read_output(output, self.ports.read_error)
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                self._give_up(invocation, "The test's own task was cancelled.")
                raise
            return crashed(asyncio.CancelledError("the handler was cancelled"), invocation.request_id)
        except BaseException as error:  # noqa: BLE001 - whatever ends a handler is its outcome
            return self._died(error, invocation, guard)

    async def _call_apart(
        self,
        call: Callable[[dict[str, Any], Any], Any],
        event: dict[str, Any],
        context: Any,
        invocation: InvocationInput,
        guard: Guard,
    ) -> Any:
        """A blocking call, which must not stop the caller's loop: on a thread that may be left behind."""
        owner, idents = self._ownership.ident, [0]

        def work() -> Any:
            self._ownership.ident = idents[0] = threading.get_ident()
            return call(event, context)

        future = asyncio.wrap_future(DaemonExecutor().submit(contextvars.copy_context().run, work))
        try:
            done, _ = await asyncio.wait([future], timeout=guard.remaining() + _PATIENCE_APART)
        finally:
            self._ownership.ident = owner
        if done:
            return future.result()
        future.cancel()
        where = self.look(frame_of_thread(idents[0]))
        interrupt(idents[0])
        raise self.out_of_time(invocation.execution_arn, guard.seconds, where)

    @contextmanager
    def _invocation(self, invocation: InvocationInput) -> Iterator[tuple[BoundHandler, dict[str, Any], Any]]:
        binding = self.ports.bind(invocation.function_name)
        event = self.ports.event(invocation, self.shift())
        context = context_of(invocation, self._clock)
        with ExitStack() as stack:
            stack.enter_context(self.ports.around(invocation))
            self._began = invocation.started_at, time.monotonic()
            self._current = invocation
            try:
                yield binding, event, context
            finally:
                self._current = None

    def _died(self, error: BaseException, invocation: InvocationInput, guard: Guard) -> Crashed:
        """A handler that raised. What is not the handler's own doing goes on to the caller."""
        __tracebackhide__ = True
        if isinstance(error, GuardExpired | ExecutionTimeoutError):
            self._give_up(invocation, "The real-time guard of the test ran out.")
            raise error
        if isinstance(error, KeyboardInterrupt) and guard.interrupted_by_user:
            self._give_up(invocation, "The test was interrupted.")
            raise error
        return crashed(error, invocation.request_id)

    def _give_up(self, invocation: InvocationInput, why: str) -> None:
        self._ended(invocation, Crashed(error=ErrorObject(type="Runner.Interrupted", message=why)))

    def run_coroutine(self, coroutine: Awaitable[Any], invocation: InvocationInput | None = None) -> Any:
        """Run a handler's coroutine on the runner's own loop, and end what it leaves behind."""
        __tracebackhide__ = True
        loop, guard = self._own_loop(), self.guard
        if self.ports.mortal() and self._current is not None and guard is not None:
            return loop.run_until_complete(self._await_here(coroutine, self._current, guard))
        task: asyncio.Task[Any] = loop.create_task(coroutine)  # type: ignore[arg-type]
        expiry = self._cancel_in_time(loop, task, invocation, guard)
        try:
            return loop.run_until_complete(task)
        except asyncio.CancelledError:
            if expiry.error is not None:
                raise expiry.error from None
            raise
        finally:
            expiry.stop()
            if task.done() and not task.cancelled():
                task.exception()
            left = [other for other in asyncio.all_tasks(loop) if not other.done()]
            if left:
                if invocation is not None and task.done() and not task.cancelled() and task.exception() is None:
                    self._report_left(invocation, task.result(), left)
                loop.run_until_complete(cancel_all(left))
                self._stubborn += [each for each in left if not each.done()]

    async def _await_here(self, coroutine: Awaitable[Any], invocation: InvocationInput, guard: Guard) -> Any:
        __tracebackhide__ = True
        loop = asyncio.get_running_loop()
        family = self._family = TaskFamily(loop, mortal=self.ports.mortal())
        task: asyncio.Task[Any] = family.create(coroutine)
        expiry = self._cancel_in_time(loop, task, invocation, guard)
        try:
            return await task
        except asyncio.CancelledError:
            if expiry.error is not None:
                raise expiry.error from None
            if family.exit is not None:
                raise family.exit from None
            if family.is_lost:
                raise InvocationLost from None
            task.cancel()
            raise
        finally:
            self._family = None
            expiry.stop()
            members = family.close()
            left = [other for other in members if not other.done() and other is not task]
            if left:
                if task.done() and not task.cancelled() and task.exception() is None:
                    self._report_left(invocation, task.result(), left)
                await cancel_all([*left, task])
                if loop is self._loop:
                    self._stubborn += [each for each in left if not each.done()]
            if family.is_lost:
                forget_how_they_ended(members)

    def _report_left(self, invocation: InvocationInput, output: Any, left: list[asyncio.Task[Any]]) -> None:
        if isinstance(output, dict) and output.get("Status") == "SUCCEEDED":
            self.ports.left_behind(invocation, left)

    def _cancel_in_time(
        self,
        loop: asyncio.AbstractEventLoop,
        task: asyncio.Task[Any],
        invocation: InvocationInput | None,
        guard: Guard | None,
    ) -> _Expiry:
        expiry = _Expiry()
        if guard is None:
            return expiry

        def expire() -> None:
            tasks = [each for each in asyncio.all_tasks(loop) if not each.done()]
            arn = invocation.execution_arn if invocation is not None else ""
            expiry.error = self.out_of_time(arn, guard.seconds, guard.found or self.ports.where(tasks, None))
            task.cancel()

        expiry.handle = loop.call_later(guard.remaining(), expire)
        return expiry

    def look(self, frame: FrameType | None) -> str:
        """Where a handler is, seen from a frame, in words."""
        return self.ports.where([], frame)

    def out_of_time(self, execution_arn: str, seconds: float, where: str = "") -> ExecutionTimeoutError:
        """The error of a guard that ran out."""
        what = self.ports.describe(execution_arn, False) if execution_arn else ""
        text = f"The execution did not get there within {seconds:g} seconds of real time.\n{where}{what}"
        return ExecutionTimeoutError(text.rstrip())

    def _own_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None or self._loop.is_closed():
            self._loop = new_loop()
            # For a runner that nobody closes: its loop goes with it, without a warning.
            weakref.finalize(self, close_idle, self._loop)
        return self._loop

    def close(self) -> None:
        """End the runner's own loop and what is left on it."""
        loop, self._loop = self._loop, None
        if loop is None or loop.is_closed() or loop.is_running():
            return
        if running_loop() is None:
            if self._stubborn:
                loop.run_until_complete(cancel_all(self._stubborn))
            finish_generators(loop)
        loop.close()


class _Expiry:
    """A cancellation in waiting."""

    __slots__ = ("error", "handle")

    def __init__(self) -> None:
        self.error: ExecutionTimeoutError | None = None
        self.handle: asyncio.TimerHandle | None = None

    def stop(self) -> None:
        if self.handle is not None:
            self.handle.cancel()

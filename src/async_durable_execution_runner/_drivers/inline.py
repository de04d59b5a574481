"""Invocations in this process, on the caller's own thread or event loop."""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import json
import threading
import time
import weakref
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from .._engine.executor import Executor
from .._engine.functions import InvokeOutcome, PlainFunction
from .._engine.inputs import Crashed, InvocationEnd, InvocationInput, PlainCall
from .._engine.scheduler import Call, Finished, Goal, Invoke, Scheduler, Sleep
from .._model.errors import ErrorObject
from ..clock import Clock
from ..exceptions import ExecutionStuckError, ExecutionTimeoutError, RunnerBusyError
from .bystanders import other_threads_at_work
from .guard import Guard, GuardExpired, frame_of_thread, interrupt
from .lambda_context import context_of, context_of_call
from .loop import DaemonExecutor, TaskFamily, cancel_all, close_idle, finish_generators, new_loop, run_apart
from .outcome import ReadError, crashed, error_of, plain_outcome, read_output

_LOOK_AGAIN = 0.02
"""Seconds between looks at whether somebody else could still answer."""

_PATIENCE = 1.0
"""Seconds beyond its guard that a helper thread gets to come back, before it is left behind."""

_PATIENCE_APART = 0.15
"""The same for a blocking call beside the caller's loop. Less than the guard's own grace, so that this comes first."""


class BoundHandler(Protocol):
    """A handler bound to the in-process client; see the bridges."""

    @property
    def call(self) -> Callable[[dict[str, Any], Any], Awaitable[Any]] | None:
        """Awaited on an event loop."""

    @property
    def call_blocking(self) -> Callable[[dict[str, Any], Any], Any] | None:
        """Called where no loop runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What the driver is handed from rooms it does not know."""

    bind: Callable[[str], BoundHandler]
    event: Callable[[InvocationInput, int], dict[str, Any]]
    read_error: ReadError
    around: Callable[[InvocationInput], AbstractContextManager[Any]]
    """Opened around every call of a handler."""
    left_behind: Callable[[InvocationInput, list[asyncio.Task[Any]]], None]
    """Told of tasks that a handler that succeeded has not awaited."""
    describe: Callable[[str, bool], str]
    """What an execution is waiting for, in words, and whether it waits in vain."""
    where: Callable[[list[asyncio.Task[Any]], Any], str]
    """Where a handler was when its time was up, in words."""


class InlineDriver:
    """Carries out the scheduler's actions until a goal is reached. One thread at a time."""

    def __init__(
        self, executor: Executor, scheduler: Scheduler, clock: Clock, lock: threading.RLock, ports: Ports
    ) -> None:
        self.ports = ports
        self._executor = executor
        self._scheduler = scheduler
        self._clock = clock
        self._lock = lock
        self._news = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._async_news: tuple[asyncio.AbstractEventLoop, asyncio.Event] | None = None
        self._owner: str | None = None
        self._owner_ident: int | None = None
        self._guard: Guard | None = None
        self._began: tuple[int, float] | None = None

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

    @property
    def is_invoking(self) -> bool:
        """Whether a handler runs right now."""
        return self._began is not None

    def is_driven_here(self) -> bool:
        """Whether the caller is the handler that runs right now, or somebody on its thread."""
        return self.is_invoking and self._owner_ident == threading.get_ident()

    # ------------------------------------------------------------------------------------------------- driving

    def drive(self, goal: Goal, timeout: float, execution_arn: str) -> None:
        """Work until the goal is reached. Raises ``ExecutionStuckError`` and ``ExecutionTimeoutError``."""
        if _running_loop() is not None:
            self._require_idle()
            self._drive_in_helper(goal, timeout, execution_arn)
            return
        with self._working(), Guard(timeout, self._look) as guard:
            self._guard = guard
            try:
                self._drive(goal, execution_arn, guard)
            except GuardExpired:
                raise self._out_of_time(execution_arn, timeout, guard.found) from None

    def _drive(self, goal: Goal, execution_arn: str, guard: Guard) -> None:
        while True:
            with self._lock:
                action = self._scheduler.next(goal)
            match action:
                case Finished():
                    return
                case Invoke(invocation):
                    end = self._invoke(invocation, guard)
                    self._ended(invocation, end)
                case Call(call):
                    self._called(call, plain_outcome(lambda call=call: self._call(call)))  # type: ignore[misc]
                case Sleep(until):
                    self._wait((until - self._clock.now_millis()) / 1000, guard)
                case _:
                    if not other_threads_at_work():
                        raise ExecutionStuckError(self.ports.describe(execution_arn, True))
                    self._wait(_LOOK_AGAIN, guard)
            if guard.expired:
                raise self._out_of_time(execution_arn, guard.seconds)

    def _ended(self, invocation: InvocationInput, end: InvocationEnd) -> None:
        with self._lock:
            self._began = None
            now = self._clock.now_millis()
            self._executor.end_invocation(invocation.execution_arn, invocation.number, end, now)

    def _called(self, call: PlainCall, outcome: InvokeOutcome) -> None:
        with self._lock:
            now = self._clock.now_millis()
            self._executor.end_chained_invoke(call.execution_arn, call.operation_id, outcome, now)

    def _wait(self, seconds: float, guard: Guard) -> None:
        with self._news:
            self._news.wait(max(0.0, min(seconds, guard.remaining())))

    def wake(self) -> None:
        """Something came in from outside: look again."""
        with self._news:
            self._news.notify_all()
        if self._async_news is not None:
            loop, event = self._async_news
            loop.call_soon_threadsafe(event.set)

    def _drive_in_helper(self, goal: Goal, timeout: float, execution_arn: str) -> None:
        """A loop is running on this thread already, so the handler gets another thread for its own."""
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
            raise self._out_of_time(execution_arn, timeout, self._look(frame_of_thread(thread.ident)))
        if problems:
            raise problems[0]

    # ------------------------------------------------------------------------------- driving on a caller's loop

    async def drive_async(self, goal: Goal, timeout: float, execution_arn: str) -> None:
        """The same on the caller's event loop."""
        event = asyncio.Event()
        with self._working(), Guard(timeout, self._look) as guard:
            self._guard = guard
            self._async_news = asyncio.get_running_loop(), event
            try:
                await self._drive_async(goal, execution_arn, guard, event)
            except GuardExpired:
                raise self._out_of_time(execution_arn, timeout, guard.found) from None
            finally:
                self._async_news = None

    async def _drive_async(self, goal: Goal, execution_arn: str, guard: Guard, event: asyncio.Event) -> None:
        while True:
            with self._lock:
                action = self._scheduler.next(goal)
            match action:
                case Finished():
                    return
                case Invoke(invocation):
                    end = await self._invoke_async(invocation, guard)
                    self._ended(invocation, end)
                case Call(call):
                    self._called(call, await self._call_async(call))
                case Sleep(until):
                    await self._wait_async((until - self._clock.now_millis()) / 1000, guard, event)
                case _:
                    bystanders = len(asyncio.all_tasks()) > 1 or bool(other_threads_at_work())
                    if not bystanders:
                        raise ExecutionStuckError(self.ports.describe(execution_arn, True))
                    await self._wait_async(_LOOK_AGAIN, guard, event)
            if guard.expired:
                raise self._out_of_time(execution_arn, guard.seconds)

    async def _wait_async(self, seconds: float, guard: Guard, event: asyncio.Event) -> None:
        event.clear()
        _, pending = await asyncio.wait(
            [asyncio.ensure_future(event.wait())], timeout=max(0.0, min(seconds, guard.remaining()))
        )
        for task in pending:
            task.cancel()

    # ---------------------------------------------------------------------------------------- one durable call

    def _invoke(self, invocation: InvocationInput, guard: Guard) -> InvocationEnd:
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

    async def _invoke_async(self, invocation: InvocationInput, guard: Guard) -> InvocationEnd:
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
        owner, idents = self._owner_ident, [0]

        def work() -> Any:
            self._owner_ident = idents[0] = threading.get_ident()
            return call(event, context)

        future = asyncio.wrap_future(DaemonExecutor().submit(contextvars.copy_context().run, work))
        try:
            done, _ = await asyncio.wait([future], timeout=guard.remaining() + _PATIENCE_APART)
        finally:
            self._owner_ident = owner
        if done:
            return future.result()
        future.cancel()
        where = self._look(frame_of_thread(idents[0]))
        interrupt(idents[0])
        raise self._out_of_time(invocation.execution_arn, guard.seconds, where)

    @contextmanager
    def _invocation(self, invocation: InvocationInput) -> Iterator[tuple[BoundHandler, dict[str, Any], Any]]:
        binding = self.ports.bind(invocation.function_name)
        event = self.ports.event(invocation, self.shift())
        context = context_of(invocation, self._clock)
        with ExitStack() as stack:
            stack.enter_context(self.ports.around(invocation))
            self._began = invocation.started_at, time.monotonic()
            yield binding, event, context

    def _died(self, error: BaseException, invocation: InvocationInput, guard: Guard) -> Crashed:
        """A handler that raised. What is not the handler's own doing goes on to the caller."""
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
        loop, guard = self._own_loop(), self._guard
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

    async def _await_here(self, coroutine: Awaitable[Any], invocation: InvocationInput, guard: Guard) -> Any:
        loop = asyncio.get_running_loop()
        family = TaskFamily(loop)
        task: asyncio.Task[Any] = family.create(coroutine)
        expiry = self._cancel_in_time(loop, task, invocation, guard)
        try:
            return await task
        except asyncio.CancelledError:
            if expiry.error is not None:
                raise expiry.error from None
            if family.exit is not None:
                raise family.exit from None
            task.cancel()
            raise
        finally:
            expiry.stop()
            left = [other for other in family.close() if not other.done() and other is not task]
            if left:
                if task.done() and not task.cancelled() and task.exception() is None:
                    self._report_left(invocation, task.result(), left)
                await cancel_all([*left, task])

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
            expiry.error = self._out_of_time(arn, guard.seconds, guard.found or self.ports.where(tasks, None))
            task.cancel()

        expiry.handle = loop.call_later(guard.remaining(), expire)
        return expiry

    def _look(self, frame: FrameType | None) -> str:
        return self.ports.where([], frame)

    def _out_of_time(self, execution_arn: str, seconds: float, where: str = "") -> ExecutionTimeoutError:
        what = self.ports.describe(execution_arn, False) if execution_arn else ""
        text = f"The execution did not get there within {seconds:g} seconds of real time.\n{where}{what}"
        return ExecutionTimeoutError(text.rstrip())

    # -------------------------------------------------------------------------------------- one ordinary call

    def _call(self, call: PlainCall) -> Any:
        function, payload, context = self._plain(call)
        result = function.handler(payload, context)
        return self.run_coroutine(result) if inspect.iscoroutine(result) else result

    def call_now(self, call: PlainCall) -> InvokeOutcome:
        """One call of an ordinary function on behalf of code under test, wherever that runs."""

        def work() -> Any:
            function, payload, context = self._plain(call)
            result = function.handler(payload, context)
            return run_apart(result) if inspect.iscoroutine(result) else result

        return plain_outcome(work)

    async def _call_async(self, call: PlainCall) -> InvokeOutcome:
        try:
            function, payload, context = self._plain(call)
            result = function.handler(payload, context)
            if inspect.isawaitable(result):
                result = await result
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is its outcome
            return InvokeOutcome(status="FAILED", error=error_of(error))
        return plain_outcome(lambda: result)

    def _plain(self, call: PlainCall) -> tuple[PlainFunction, Any, Any]:
        function = self._executor.functions.find(call.function_name)
        assert isinstance(function, PlainFunction)
        payload = json.loads(call.payload) if call.payload else None
        arn = self._executor.functions.full_arn(call.function_name)
        deadline = self._clock.now_millis() + self._executor.invocation_timeout * 1000
        return function, payload, context_of_call(call, arn, deadline, self._clock)

    # ---------------------------------------------------------------------------------------------- housekeeping

    @contextmanager
    def _working(self) -> Iterator[None]:
        with self._lock:
            self._require_idle()
            self._owner, self._owner_ident = threading.current_thread().name, threading.get_ident()
        try:
            yield
        finally:
            self._owner, self._owner_ident, self._guard, self._began = None, None, None, None

    def _require_idle(self) -> None:
        if self._owner is None:
            return
        mine = self.is_driven_here()
        who = "the handler that it is running" if mine else f"thread '{self._owner}'"
        raise RunnerBusyError(
            f"This runner is at work for {who}. One call at a time can drive it; "
            "answering callbacks is allowed from anywhere."
        )

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
        if _running_loop() is None:
            left = asyncio.all_tasks(loop)
            if left:
                loop.run_until_complete(cancel_all(left))
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


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None

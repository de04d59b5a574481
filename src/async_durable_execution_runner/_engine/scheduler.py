"""What happens next: the order of invocations, deadlines and the passing of time.

The scheduler decides and never does: it returns an action, a driver carries it out and comes back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .._model.effects import Deadline
from ..clock import Clock
from .callbacks import Responders
from .executor import Executor
from .inputs import InvocationInput, PlainCall


@dataclass(frozen=True, slots=True)
class Invoke:
    """Call the handler of a durable function."""

    invocation: InvocationInput


@dataclass(frozen=True, slots=True)
class Call:
    """Call an ordinary function."""

    call: PlainCall


@dataclass(frozen=True, slots=True)
class Sleep:
    """Nothing can run before ``until`` (Unix milliseconds), and the clock moves by itself."""

    until: int


@dataclass(frozen=True, slots=True)
class Stuck:
    """Nothing can run and no deadline is pending: only an answer from outside can help."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The goal is reached."""


Action = Invoke | Call | Sleep | Stuck | Finished


@dataclass(frozen=True, slots=True)
class Goal:
    """What a call on the runner waits for: until ``reached`` says so, or no longer than the instant ``until``."""

    reached: Callable[[], bool]
    until: int | None = None


class Scheduler:
    """One clock, one heap, one invocation at a time."""

    def __init__(self, executor: Executor, clock: Clock, responders: Responders) -> None:
        self._executor = executor
        self._clock = clock
        self._responders = responders
        self._until: int | None = None

    def next(self, goal: Goal) -> Action:
        """The next action towards ``goal``. Moves a virtual clock when nothing can run."""
        self._until = goal.until
        executor, clock = self._executor, self._clock
        while True:
            self.fire_due()
            if goal.reached():
                return Finished()
            now = clock.now_millis()
            if executor.ready:
                invocation = executor.begin_invocation(executor.ready[0], now)
                executor.ready.popleft()
                return Invoke(invocation)
            if executor.calls:
                return Call(executor.calls.popleft())
            due = executor.timers.earliest()
            until = goal.until
            if until is not None and (due is None or due > until):
                if clock.is_virtual or now >= until:
                    clock.move_to(until)
                    return Finished()
                return Sleep(until)
            if due is None:
                return Stuck()
            if not clock.is_virtual:
                return Sleep(due)
            clock.move_to(due)

    def fire_due(self) -> None:
        """Carry out every deadline that has come."""
        timers, now = self._executor.timers, self._clock.now_millis()
        while (timer := timers.pop_due(now)) is not None:
            try:
                if timer.kind is Deadline.ANSWER:
                    self._responders.fire(timer, now)
                else:
                    self._executor.due(timer, now)
            except BaseException:  # what the store could not keep has not happened, and still is to come
                timers.arm(timer)
                raise

    def pass_time(self, reachable: int | None) -> None:
        """A running invocation asks for news and brings none: let the clock go to the earliest deadline.

        Not beyond ``reachable``, what the invocation's own patience allows, nor beyond what the driver was asked for.
        """
        due = self._executor.timers.earliest()
        if due is None or not self._clock.is_virtual:
            return
        if any(limit is not None and due > limit for limit in (reachable, self._until)):
            return
        self._clock.move_to(due)

    def walk_to(self, until: int) -> None:
        """Let time pass within a running invocation, deadline by deadline. Nothing is invoked meanwhile."""
        clock, timers = self._clock, self._executor.timers
        while (due := timers.earliest()) is not None and due <= until:
            clock.move_to(due)
            self.fire_due()
        clock.move_to(until)

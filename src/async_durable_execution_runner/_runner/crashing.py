"""Runs with faults in them: the same runner again, killed at every boundary."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Self

from .._crashes.exploring import EVERYWHERE, Exploration, read_scope
from .._crashes.leftovers import set_aside
from .._crashes.observed import Outcome, outcomes
from .._model.plan import Plan
from .._replay.radar import look
from .._replay.report import ReplayReport
from .._replay.watching import Watch
from .._wiring.local import Local, Shared
from ..clock import VirtualClock
from ..crashes import CrashReport
from ..effects import Effects
from ..exceptions import DurableRunnerError
from ..result import DurableFunctionTestResult
from ..stores.base import StoreType
from .core import RunnerCore
from .seen import seen_by

Progress = Callable[[int, int], object]
_REPLAYED = 20
"""Invocations of the clean run that the radar replays."""


class Crashing(RunnerCore):
    """See ``DurableFunctionTestRunner``."""

    def effects(self, name: str) -> Effects:
        """A recorder of side effects for the test to hand to its steps; the same one each time for a name."""
        return self._effects.setdefault(name, Effects(name))

    def explore_crashes(
        self,
        input: Any = None,
        timeout: float = 60,
        *,
        crash: str = EVERYWHERE,
        raise_on_failure: bool = True,
        progress: Callable[[int, int], object] | None = None,
        radar: bool = True,
        function_name: str | None = None,
        execution_name: str | None = None,
        account_id: str | None = None,
        tenant_id: str | None = None,
    ) -> CrashReport:
        """Run once clean, then once for every checkpoint boundary with the invocation killed there.

        Each run has a service of its own, in memory, with what was registered and scripted here so far. All must end
        with the status, the result and the error of the clean run. ``crash="sample:50"`` tries 50 places, evenly
        spread; ``timeout`` is each run's guard in real seconds; ``progress`` is told how many of how many runs are
        done. ``runner.effects(…)`` counts each run on its own, and its assertions look at all of them.
        What differs between two clean runs says nothing about a death and is not compared; the determinism radar looks
        at the clean run instead, unless ``radar`` is false.

        Raises ``CrashMatrixError`` for a run that ended differently and for what the radar finds, unless told
        otherwise; ``ValueError`` for an unknown ``crash``; and for the clean run what ``run`` raises.
        """
        __tracebackhide__ = True
        self._require_open()
        given = (input, function_name, execution_name, account_id, tenant_id)
        explorer = _Explorer(self, given, timeout, read_scope(crash), progress, radar=radar)
        if self._asynchronous:
            return _explore_async(explorer, raise_on_failure)  # type: ignore[return-value]
        for _ in explorer.clean():
            explorer.ran_clean(explorer.run())
        for _ in explorer.killed():
            try:
                explorer.run()
            except DurableRunnerError as error:
                explorer.failed(error)
        return explorer.report(raise_on_failure)

    # ------------------------------------------------------------------------------------------------------- twins

    def _twin(self, plan: Plan) -> Self:
        """Another runner with the same handler, options, targets and scripts, in memory, that carries out a plan."""
        given = dict(self._given)
        if isinstance(given["clock"], VirtualClock):
            given["clock"] = "virtual"
        if given["clock"] == "virtual":
            given["start_time"] = self.now
        twin = type(self)(**given, store=StoreType.MEMORY, faults=plan)
        for action in self._set_up:
            action(twin)
        twin._asynchronous = self._asynchronous
        return twin

    def _take_over_uses(self, twin: RunnerCore) -> None:
        """What a twin's run has asked for is not unused here."""
        of_twin = twin._local.responders.scripted
        for mine, theirs in zip(self._local.responders.scripted, of_twin, strict=False):
            mine.used += theirs.used


async def _explore_async(explorer: _Explorer, raise_on_failure: bool) -> CrashReport:
    __tracebackhide__ = True
    for _ in explorer.clean():
        explorer.ran_clean(await explorer.run())
    for _ in explorer.killed():
        try:
            await explorer.run()
        except DurableRunnerError as error:
            explorer.failed(error)
    return explorer.report(raise_on_failure)


def _outcomes(local: Local) -> list[Outcome]:
    return outcomes(list(local.executor.executions.values()))


class _Explorer:
    """Makes the runner of each run, and notes what became of it."""

    def __init__(
        self,
        runner: Crashing,
        given: tuple[Any, ...],
        timeout: float,
        scope: int | None,
        progress: Progress | None,
        *,
        radar: bool,
    ) -> None:
        self._radar = radar
        self._drifts: list[ReplayReport] = []
        self._runner = runner
        self._given = given
        self._timeout = timeout
        self._scope = scope
        self._progress = progress
        self._twin: Crashing = runner
        self._clean: list[tuple[Local, DurableFunctionTestResult]] = []
        self._exploration: Exploration | None = None
        self._error: DurableRunnerError | None = None

    def run(self) -> Any:
        """One run, from start to end; a coroutine in ``async with``."""
        __tracebackhide__ = True
        twin = self._twin
        return twin._until_closed(twin._start(*self._given, synchronous=True), self._timeout)

    def clean(self) -> Iterator[None]:
        """Once for each of the two clean runs: what differs between them is nobody's fault."""
        for again in (False, True):
            if again:
                self._begin("Run a second time, and killed nowhere")
            self._twin = self._runner._twin(Plan())
            if self._radar and not again:
                self._twin._local.watch = Watch()
            try:
                yield
            finally:
                self._twin.close()

    def ran_clean(self, result: DurableFunctionTestResult) -> None:
        """A clean run is over: now it is known where a run can be killed."""
        self._runner._take_over_uses(self._twin)
        local = self._twin._local
        self._clean.append((local, result))
        self._drifts += look(seen_by(local), _REPLAYED)

    def _begin(self, where: str) -> None:
        for effects in self._runner._effects.values():
            effects.begin_run(where)

    def killed(self) -> Iterator[None]:
        """Once for every other run."""
        (first, result), (second, _) = self._clean
        assert first.director is not None
        exploration = self._exploration = Exploration(
            first.director, _outcomes(first), _outcomes(second), result, self._scope
        )
        with set_aside() as leave, closing(Shared()) as shared:
            for number, (plan, where) in enumerate(exploration, start=1):
                self._begin(where)
                self._twin, self._error = self._runner._twin(plan), None
                self._twin._local.remember(shared)
                try:
                    yield
                    self._note(exploration, plan)
                finally:
                    self._twin.close()
                leave()
                if self._progress is not None:
                    self._progress(number, len(exploration))

    def failed(self, error: DurableRunnerError) -> None:
        """The run did not come to an end."""
        self._error = error

    def _note(self, exploration: Exploration, plan: Plan) -> None:
        local = self._twin._local
        assert local.director is not None
        exploration.took(plan, local.director, _outcomes(local), self._error, self._tree)

    def _tree(self) -> str:
        """Drawn only where it is shown: it takes as long as the run."""
        return "\n".join(result.render() for result in self._twin._results())

    def report(self, raise_on_failure: bool) -> CrashReport:
        """What was found."""
        __tracebackhide__ = True
        assert self._exploration is not None
        report = self._exploration.report(self._drifts)
        return report.raise_on_failure() if raise_on_failure else report

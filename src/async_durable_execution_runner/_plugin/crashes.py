"""The crash matrix of one test: the test once clean, then again for every place where its executions can be killed."""

from __future__ import annotations

import copy
import shlex
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from .._crashes.exploring import places_of, plans, read_scope
from .._crashes.leftovers import set_aside
from .._crashes.observed import Outcome, differences, outcomes
from ..effects import Effects
from ..options import is_alone
from .reports import Reported, run_once

if TYPE_CHECKING:
    from .._engine.director import Boundary
    from .._model.plan import Plan
    from .._wiring.local import Shared
    from ..runner import DurableFunctionTestRunner

SECTION = "crash matrix"
PROPERTY = "durable_crash_places"
_NOT_TWICE = (
    "The test passes, and when it is run a second time in the same process, killed nowhere, it does not. "
    "It depends on something that outlives it, such as the state of a module; a matrix runs it many times."
)
_ALSO = 10
_EVERY = 10


class PlannedRun:
    """One run of a test by a plan, and what is expected of it."""

    def __init__(self, plan: Plan, where: str, clean: CleanRun, shared: Shared, *, lenient: bool, spares: bool) -> None:
        self.plan = plan
        self._lenient = lenient
        self.where = where
        self._clean = clean
        self._shared = shared
        self.spares = spares
        """Whether the plan is for other tests, too: not for runners with faults of their own."""
        self.spared = False
        self.reached = True
        """Whether the run, if it came to its end, came to any place of the plan."""

    @property
    def why_not(self) -> str:
        """Why a run did not come to any place of the plan."""
        return "it has faults of its own" if self.spared else "its run does not come to any place of the plan"

    def prepare(self, runner: DurableFunctionTestRunner) -> None:
        """Let a new runner's recorders know what the clean run did, and what is killed."""
        runner._local.remember(self._shared)  # noqa: SLF001 - made for this
        # Operations side by side may come in another order, and then a place is not reached again.
        runner._lenient = self._lenient  # noqa: SLF001 - made for this
        for name, keys in self._clean.effects.items():
            known = runner._effects[name] = Effects(name)  # noqa: SLF001 - made for this
            known.expect(keys, self.where)

    def check(self, runners: list[DurableFunctionTestRunner]) -> None:
        """Fail the test if its executions ended differently from the clean run's."""
        self.reached = any(_has_come_to(self.plan.of_runner(number), each) for number, each in enumerate(runners, 1))
        problems = differences(self._clean.outcomes, self._clean.again, _outcomes(runners))
        if problems:
            pytest.fail(f"{self.where}: {'; '.join(problems)}.", pytrace=False)

    def explain(self, error: BaseException) -> None:
        """Say of what a test raised which run it was. Ours says it itself."""
        if self.where not in str(error):
            error.add_note(f"{self.where}.")


class CleanRun:
    """What a clean run of the test did."""

    def __init__(self) -> None:
        self.boundaries: list[Boundary] = []
        self.outcomes: list[Outcome] = []
        self.again: list[Outcome] = []
        """Of a second clean run: what differs between the two is nobody's fault."""
        self.effects: dict[str, tuple[Hashable, ...]] = {}

    def ran(self, runners: list[DurableFunctionTestRunner]) -> None:
        """The test function has come to its end."""
        self.outcomes = _outcomes(runners)
        for number, runner in enumerate(runners, start=1):
            director = runner._local.director  # noqa: SLF001 - made for this
            found = director.boundaries if director is not None else []
            self.boundaries += [replace(each, place=replace(each.place, runner=number)) for each in found]
            self.effects |= {name: each.keys for name, each in runner._effects.items()}  # noqa: SLF001


def _has_come_to(plan: Plan, runner: DurableFunctionTestRunner) -> bool:
    director = runner._local.director  # noqa: SLF001 - made for this
    if director is None or not set(plan.decisions) <= set(director.plan.decisions):
        return False  # it was spared
    return bool(plan.decisions) and (not plan.faults or not set(plan.faults) <= set(director.not_reached))


def _outcomes(runners: list[DurableFunctionTestRunner]) -> list[Outcome]:
    return [each for runner in runners for each in outcomes(list(runner._local.executor.executions.values()))]  # noqa: SLF001


CLEAN = pytest.StashKey[CleanRun]()
PLANNED = pytest.StashKey[PlannedRun]()


def run_matrix(item: pytest.Item, nextitem: pytest.Item | None, scope: str, plan: Plan | None) -> bool | None:
    """Carry out the whole protocol of a test, and of its runs with a death in them; one set of reports comes of it.

    With a ``plan`` there is one run more than the clean one. ``None`` for a scope that is none: the fixture complains
    of it, where it can be seen which test it is.
    """
    try:
        most = read_scope(scope)
    except ValueError:
        return None
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    clean, told = _run_clean(item)
    if not told.stopped:
        again, second = _run_clean(item)
        clean.again = again.outcomes
        if not second.stopped:
            chosen = [plan] if plan is not None else plans(clean.boundaries, most)
            told = _Matrix(item, clean, chosen, given=plan is not None).run(told)
        else:
            told = second
            _first_not_passed(second).sections.insert(0, (SECTION, _NOT_TWICE))
    item.session._setupstate.teardown_exact(nextitem)  # noqa: SLF001 - what the last run has left to the next test
    for report in told.in_order():
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _first_not_passed(run: Reported) -> pytest.TestReport:
    return next(iter(run.failed), None) or next(report for report in run.phases if report.skipped)


def _run_clean(item: pytest.Item) -> tuple[CleanRun, Reported]:
    clean = item.stash[CLEAN] = CleanRun()
    item.user_properties.clear()
    try:
        return clean, run_once(item, _sibling(item))
    finally:
        del item.stash[CLEAN]


def _sibling(item: pytest.Item) -> pytest.Item:
    """Another test of the same place, so that a run tears down what is the test's own and nothing else."""
    return copy.copy(item)


class _Matrix:
    def __init__(self, item: pytest.Item, clean: CleanRun, chosen: Sequence[Plan], *, given: bool) -> None:
        self._item = item
        self._clean = clean
        self._plans = chosen
        self._is_for_others = given and not is_alone(item)
        self._lenient = not given or self._is_for_others
        self._words = places_of(clean.boundaries)
        self._failed: list[tuple[PlannedRun, Reported, str]] = []

    def run(self, clean: Reported) -> Reported:
        """What to tell: the first run that failed, or the clean one if none did."""
        from .._wiring.local import Shared

        show = _progress(self._item)
        with set_aside() as leave, closing(Shared()) as shared:
            for number, plan in enumerate(self._plans, start=1):
                where = self._words.get(plan, f"By the plan {plan}")
                lenient, spares = self._lenient, self._is_for_others
                planned = PlannedRun(plan, where, self._clean, shared, lenient=lenient, spares=spares)
                self._run(planned)
                leave()
                show(number, len(self._plans))
        if self._is_for_others and not planned.reached and not self._failed:
            return clean.skipped(self._item, f"--durable-plan={planned.plan} is not for it: {planned.why_not}")
        if not self._failed:
            clean.phases[-1].user_properties.append((PROPERTY, len(self._plans)))
            return clean
        _, run, _ = self._failed[0]
        run.failed[0].sections.insert(0, (SECTION, "\n".join(self._told())))
        return run

    def _run(self, planned: PlannedRun) -> None:
        self._item.stash[PLANNED] = planned
        try:
            run = run_once(self._item, _sibling(self._item))
        finally:
            del self._item.stash[PLANNED]
        if run.failed:
            sentence, *_ = [_in_one_sentence(planned, report) for report in run.failed]
            self._failed.append((planned, run, sentence))

    def _told(self) -> Iterator[str]:
        (first, _, sentence), *others = self._failed
        yield sentence
        yield "That run is shown here. Without a death the test passes."
        yield f'run it again: pytest {shlex.quote(self._item.nodeid)} --durable-plan="{first.plan}"'
        if len(self._plans) > 1:
            yield f"{len(self._plans)} places, {len(self._failed)} of them failed" + ("; also:" if others else "")
        for planned, _, line in others[:_ALSO]:
            yield f'  {line} (--durable-plan="{planned.plan}")'
        if len(others) > _ALSO:
            yield f"  and {len(others) - _ALSO} more"


def _in_one_sentence(planned: PlannedRun, report: pytest.TestReport) -> str:
    """What was killed where and what came of it; also what the session's summary says of the test."""
    crash: Any = getattr(report.longrepr, "reprcrash", None)
    text = next(iter((crash.message if crash is not None else str(report.longrepr)).splitlines()), "it failed")
    for known in ("Failed: ", "AssertionError: "):
        text = text.removeprefix(known)
    if planned.where not in text:
        text = f"{planned.where}: {text}"
    if crash is not None:
        crash.message = text
    elif isinstance(report.longrepr, str) and planned.where not in report.longrepr:
        report.longrepr = text
    return text


def _progress(item: pytest.Item) -> Callable[[int, int], None]:
    """Shows on a terminal how far a long matrix is. In a pipe or under xdist there is nobody to watch."""
    reporter: Any = item.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not reporter.isatty:

        def silent(_: int, __: int) -> None:
            """Nobody watches."""

        return silent

    def show(number: int, count: int) -> None:
        if number % _EVERY == 0 and count > _EVERY:
            reporter.rewrite(f"{item.name}: killed at {number} of {count} places ", erase=True)
        if number == count and count > _EVERY:
            reporter.rewrite("", erase=True)

    return show

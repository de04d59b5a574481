"""An exploration without I/O: the clean run's boundaries in, one plan after the other out, their outcomes in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .._engine.director import Boundary, Director
from .._model.plan import Deed, Fault, Plan
from .._replay.report import ReplayReport
from ..crashes import CrashReport, CrashRun
from ..result import DurableFunctionTestResult
from .observed import Outcome, differences
from .words import sentence

EVERYWHERE = "everywhere"
_SAMPLE = re.compile(r"sample:([1-9]\d*)")


def read_scope(text: Any) -> int | None:
    """How many boundaries to try, ``None`` for all. Raises ``ValueError`` for what is neither."""
    match = _SAMPLE.fullmatch(text) if isinstance(text, str) else None
    if match is not None:
        return int(match[1])
    if text != EVERYWHERE:
        raise ValueError(f"crash is 'everywhere' or 'sample:N', for example 'sample:50', not {text!r}")
    return None


def plans(boundaries: Sequence[Boundary], scope: int | None) -> list[Plan]:
    """A plan for each place where a run can be killed; of a sample, as many as it says, evenly spread.

    The handler is invoked again at once, so that no time passes that did not pass in the clean run.
    """
    found = [
        Plan((Fault(deed=deed, at=boundary.place, again_after=0),))
        for boundary in boundaries
        for deed in _deeds(boundary)
    ]
    if scope is None or scope >= len(found):
        return found
    return [found[(2 * number + 1) * len(found) // (2 * scope)] for number in range(scope)]


def _deeds(boundary: Boundary) -> tuple[Deed, ...]:
    return (Deed.DIE_BEFORE, Deed.DIE_AFTER) if boundary.place.checkpoint is not None else (Deed.DIE_BEFORE,)


def places_of(boundaries: Sequence[Boundary]) -> dict[Plan, str]:
    """Each plan's place in words."""
    return {
        Plan((fault,)): sentence(fault, boundary)
        for boundary in boundaries
        for deed in _deeds(boundary)
        for fault in [Fault(deed=deed, at=boundary.place, again_after=0)]
    }


class Exploration:
    """Two clean runs, and what became of every other."""

    def __init__(
        self,
        director: Director,
        clean: list[Outcome],
        again: list[Outcome],
        result: DurableFunctionTestResult,
        scope: int | None,
    ) -> None:
        self._clean, self._again = clean, again
        self._result = result
        self._places = places_of(director.boundaries)
        self._plans = plans(director.boundaries, scope)
        self._runs: list[CrashRun] = []

    def __iter__(self) -> Iterator[tuple[Plan, str]]:
        """The plans, each with its place in words."""
        return ((plan, self._places[plan]) for plan in self._plans)

    def __len__(self) -> int:
        return len(self._plans)

    def took(
        self,
        plan: Plan,
        director: Director,
        found: list[Outcome],
        error: Exception | None,
        tree: Callable[[], str],
    ) -> None:
        """What became of a run."""
        where, problems = self._places[plan], differences(self._clean, self._again, found)
        if error is not None:
            problems = [f"it did not come to an end: {error}"]
        if director.taken:
            where = sentence(director.taken[0].fault, director.taken[0].boundary)
        run = CrashRun(
            plan=plan,
            where=where,
            reached=bool(director.taken),
            problems=tuple(problems),
            tree=tree() if problems else "",
        )
        self._runs.append(run)

    def report(self, drifts: Sequence[ReplayReport]) -> CrashReport:
        """All of it, with what the radar has found."""
        return CrashReport(clean=self._result, runs=tuple(self._runs), drifts=tuple(drifts))

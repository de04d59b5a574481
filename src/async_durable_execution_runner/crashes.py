"""What a crash exploration found, as data and in words."""

from __future__ import annotations

from dataclasses import dataclass

from ._model.plan import Plan
from ._replay.report import ReplayReport
from .exceptions import CrashMatrixError
from .result import DurableFunctionTestResult

__all__ = ["CrashReport", "CrashRun"]

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashRun:
    """One run with one death in it."""

    plan: Plan
    """What was decided; ``str(plan)`` runs it again, as ``faults=…`` or ``--durable-plan=…``."""
    where: str
    """What was killed where, in one sentence."""
    reached: bool
    """Whether the run came to that place. Operations side by side may take another order."""
    problems: tuple[str, ...]
    """How the run ended differently from the clean one; nothing if it did not."""
    tree: str
    """The operation tree of a run that ended differently."""

    @property
    def ok(self) -> bool:
        """Whether it ended as the clean run did."""
        return not self.problems

    def render(self) -> str:
        """The run in words: what was killed where, what then was different, the tree, and how to run it again."""
        again = f'  run it again with faults="{self.plan}" or --durable-plan="{self.plan}"'
        what = "; ".join(self.problems) or "it ended as the clean run did"
        return "\n".join([f"{self.where}: {what}.", *([self.tree] if self.tree else []), again])


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashReport:
    """A clean run, and one run for every place where it was killed."""

    clean: DurableFunctionTestResult
    runs: tuple[CrashRun, ...]
    drifts: tuple[ReplayReport, ...] = ()
    """What the determinism radar has found in the clean run."""

    @property
    def failures(self) -> tuple[CrashRun, ...]:
        """The runs that ended differently."""
        return tuple(run for run in self.runs if not run.ok)

    @property
    def ok(self) -> bool:
        """Whether every run ended as the clean one did, and the radar has found nothing."""
        return not self.failures and not self.drifts

    def render(self) -> str:
        """What the radar found, how many runs there were, and those that ended differently: the first in full."""
        failures = self.failures
        missed = sum(not run.reached for run in self.runs)
        places = f"{len(self.runs)} place{'' if len(self.runs) == 1 else 's'}"
        head = f"{places}, {len(failures)} of them with another end than the clean run"
        if missed:
            head += f", {missed} not reached again"
        lines = [*(f"The determinism radar has found a drift.\n{drift.render()}" for drift in self.drifts), head]
        if failures:
            lines.append(failures[0].render())
        lines += [f'also: {run.where}: {"; ".join(run.problems)}  ("{run.plan}")' for run in failures[1:_SHOWN]]
        if len(failures) > _SHOWN:
            lines.append(f"and {len(failures) - _SHOWN} more")
        return "\n".join(lines)

    def raise_on_failure(self) -> CrashReport:
        """Returns itself. Raises ``CrashMatrixError`` with ``render()`` if any run ended differently."""
        __tracebackhide__ = True
        if not self.ok:
            raise CrashMatrixError(self.render())
        return self

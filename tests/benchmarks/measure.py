"""Interleaved measuring of CPU and wall time."""

from __future__ import annotations

import gc
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

ENOUGH = 0.05
"""Seconds one measurement should take at least; shorter work is repeated within it."""

_SINGLES = 25
"""Single runs in a row on either side of many."""


@dataclass(frozen=True)
class Timing:
    """Medians for one piece of work, in seconds."""

    cpu: float
    wall: float


def once(work: Callable[[], object], repeat: int = 1) -> Timing:
    """Time ``work``, ``repeat`` times in a row."""
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(repeat):
        work()
    return Timing((time.process_time() - cpu) / repeat, (time.perf_counter() - wall) / repeat)


def interleaved(rounds: int, *works: Callable[[], object]) -> list[Timing]:
    """Medians of each piece of work, measured in turn so that all see the same machine."""
    for work in works:
        work()  # what is only done once in a process is not what is measured
    repeats = [max(1, int(ENOUGH / max(1e-6, once(work).wall))) for work in works]
    seen: list[list[Timing]] = [[] for _ in works]
    for _ in range(rounds):
        for index, work in enumerate(works):
            seen[index].append(once(work, repeats[index]))
    return [_median(row) for row in seen]


def times_one(rounds: int, many: Callable[[], object], one: Callable[[], object]) -> tuple[Timing, Timing, Timing]:
    """How many times as long ``many`` takes as ``one``: both in seconds, and the ratio of the two.

    What a machine gives changes from second to second, so each ``many`` is compared with ``one`` just before and after
    it; the ratio is the median of these comparisons, of CPU and of wall time.
    """
    many()
    one()
    seen: list[tuple[Timing, Timing]] = []
    for _ in range(rounds):
        before, timing, after = once(one, _SINGLES), once(many), once(one, _SINGLES)
        seen.append((timing, Timing((before.cpu + after.cpu) / 2, (before.wall + after.wall) / 2)))
    ratios = [Timing(timing.cpu / single.cpu, timing.wall / single.wall) for timing, single in seen]
    return _median([each for each, _ in seen]), _median([each for _, each in seen]), _median(ratios)


def _median(row: list[Timing]) -> Timing:
    return Timing(statistics.median(each.cpu for each in row), statistics.median(each.wall for each in row))


def process(*commands: list[str], rounds: int) -> list[float]:
    """Median wall seconds of whole processes, in turn."""
    seen: list[list[float]] = [[] for _ in commands]
    for _ in range(rounds + 1):
        for index, command in enumerate(commands):
            began = time.perf_counter()
            subprocess.run([sys.executable, *command], check=True, capture_output=True)
            seen[index].append(time.perf_counter() - began)
    return [statistics.median(row[1:]) for row in seen]  # the first of each warms the disk


class Table:
    """Rows of figures, printed as they come."""

    def __init__(self) -> None:
        print(f"{'what':<34}{'cpu ms':>10}{'floor':>10}{'ratio':>8}{'wall ms':>10}{'floor':>10}   goal")

    def row(self, what: str, ours: Timing, floor: Timing | None = None, goal: str = "") -> None:
        """One case, with its floor where it has one."""
        cells = [f"{ours.cpu * 1e3:10.3f}", " " * 10, " " * 8, f"{ours.wall * 1e3:10.3f}", " " * 10]
        if floor is not None:
            cells[1], cells[4] = f"{floor.cpu * 1e3:10.3f}", f"{floor.wall * 1e3:10.3f}"
            cells[2] = f"{ours.cpu / floor.cpu:8.2f}"
        print(f"{what:<34}{''.join(cells)}   {goal}", flush=True)

    def times(self, what: str, many: Timing, one: Timing, ratio: Timing, goal: str) -> None:
        """One case that is many times another, in CPU and in wall time."""
        self.row(what, many, one)
        self.note(f"  that many times one run: {ratio.cpu:.1f} in CPU time, {ratio.wall:.1f} in wall time   ({goal})")

    def note(self, text: str) -> None:
        """A figure that has no columns."""
        print(f"{text}", flush=True)

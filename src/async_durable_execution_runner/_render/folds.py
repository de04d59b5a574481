"""Which operations a drawing of few lines shows, and which it only counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from .._model.enums import OperationStatus as Status
from .view import Lane, Outcome
from .words import MARKS

_TELLING = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED, Outcome.STOPPED, Outcome.CANCELLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Operations in a row that are not shown."""

    lanes: tuple[Lane, ...]

    @property
    def counts(self) -> str:
        """How many of each status."""
        found = Counter(MARKS[lane.status] for lane in self.lanes)
        return "  ".join(f"{count} {mark}" for mark, count in found.most_common())


def fold(lanes: Sequence[Lane], limit: int, *, latest: bool = False) -> list[Lane | Fold]:
    """At most about ``limit`` operations, and how many are left out between them.

    Those with a story are shown first, then the first ones, or the latest.
    """
    if len(lanes) <= limit:
        return list(lanes)
    shown = _chosen(lanes, limit, latest=latest)
    rows: list[Lane | Fold] = []
    hidden: list[Lane] = []
    for lane in lanes:
        if lane.id not in shown:
            hidden.append(lane)
            continue
        rows += _folded(hidden)
        hidden = []
        rows.append(lane)
    return rows + _folded(hidden)


def _folded(hidden: list[Lane]) -> list[Lane | Fold]:
    # A line that says that one operation is left out takes as much room as the operation.
    return list(hidden) if len(hidden) < 2 else [Fold(lanes=tuple(hidden))]


def _chosen(lanes: Sequence[Lane], limit: int, *, latest: bool) -> set[str]:
    by_id = {lane.id: lane for lane in lanes}
    shown: set[str] = set()
    # Each of those with a story may cost a line of its own and one for what is left out before it.
    for lane in (each for each in lanes if _has_story(each)):
        if len(shown) >= limit // 2:
            break
        shown.update(_with_contexts(lane, by_id))
    for lane in reversed(lanes) if latest else lanes:
        if len(shown) >= limit:
            break
        shown.add(lane.id)
    return shown


def _has_story(lane: Lane) -> bool:
    return lane.is_open or lane.status is not Status.SUCCEEDED or any(bar.outcome in _TELLING for bar in lane.bars)


def _with_contexts(lane: Lane, by_id: dict[str, Lane]) -> list[str]:
    found = []
    current: Lane | None = lane
    while current is not None and current.id not in found:
        found.append(current.id)
        current = by_id.get(current.parent_id or "")
    return found

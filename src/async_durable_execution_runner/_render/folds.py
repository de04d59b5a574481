"""Which operations a drawing of few lines shows, and which it only counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from .._model.enums import OperationStatus as Status
from .view import Lane, Outcome
from .words import MARKS

_TELLING = {Outcome.FAILED, Outcome.TIMED_OUT, Outcome.INTERRUPTED, Outcome.STOPPED, Outcome.CANCELLED}


class _Nested(Protocol):
    """What lies in something."""

    @property
    def id(self) -> str: ...

    @property
    def parent_id(self) -> str | None: ...


Part = TypeVar("Part", bound=_Nested)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Operations in a row that are not shown."""

    lanes: tuple[Lane, ...]

    @property
    def counts(self) -> str:
        """How many of each status."""
        return counted(lane.status for lane in self.lanes)


def counted(statuses: Iterable[str]) -> str:
    """How many there are of each status."""
    found = Counter(MARKS[status] for status in statuses)
    return "  ".join(f"{count} {mark}" for mark, count in found.most_common())


def fold(lanes: Sequence[Lane], limit: int, *, latest: bool = False) -> list[Lane | Fold]:
    """At most about ``limit`` operations, and how many are left out between them.

    Those with a story are shown first, then the first ones, or the latest.
    """
    if len(lanes) <= limit:
        return list(lanes)
    shown = chosen(lanes, limit, _has_story, latest=latest)
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


def chosen(items: Sequence[Part], limit: int, has_story: Callable[[Part], bool], *, latest: bool = False) -> set[str]:
    """The ids of those that are shown, at most about ``limit``. ``items`` have parents before their children."""
    by_id = {item.id: item for item in items}
    shown: set[str] = set()
    # Each of those with a story may cost a line of its own and one for what is left out before it.
    for item in filter(has_story, items):
        if len(shown) >= limit // 2:
            break
        shown.update(_with_contexts(item, by_id))
    for item in reversed(items) if latest else items:
        if len(shown) >= limit:
            break
        shown.add(item.id)
    return shown


def _has_story(lane: Lane) -> bool:
    return lane.is_open or lane.status is not Status.SUCCEEDED or any(bar.outcome in _TELLING for bar in lane.bars)


def _with_contexts(item: Part, by_id: dict[str, Part]) -> list[str]:
    found = []
    current: Part | None = item
    while current is not None and current.id not in found:
        found.append(current.id)
        current = by_id.get(current.parent_id or "")
    return found

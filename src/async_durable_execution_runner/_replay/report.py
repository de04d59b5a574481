"""What a replay found, as data and in words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path


class DriftKind(StrEnum):
    """What has become of an operation, or of a value."""

    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    RETYPED = "retyped"
    REORDERED = "reordered"
    MOVED = "moved"
    VALUE_CHANGED = "value changed"


_WHOLE = 5
"""Drifts that a report shows with both sides."""
_LISTED = 8
"""Lines for those that it does not."""
_STILL_THERE = frozenset({DriftKind.REORDERED, DriftKind.MOVED, DriftKind.RENAMED, DriftKind.RETYPED})


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the two columns: an operation as it was recorded, and what stands there now. Empty for neither."""

    recorded: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference between a history and what the handler does now.

    ``operation`` names it in words, several where they have changed places among themselves; ``where`` is the context
    it stands in. ``recorded`` and ``now`` are the two sides. ``file`` and ``line`` are the user's code that asks for
    it, if it is known. ``invocations`` are the moments at which a replay began that found it.
    """

    kind: DriftKind
    operation: str
    recorded: str
    now: str
    operation_id: str | None = None
    """Of the recorded operation, where there is one."""
    operation_ids: tuple[str, ...] = ()
    """Of all that have changed places, where several stand in another order; ``operation`` then names the first."""
    where: str = ""
    what: str = ""
    """Which value, where a value has changed: ``seconds``, ``payload``, ``argument 'order'``, ``result`` …"""
    file: str | None = None
    line: int | None = None
    invocations: tuple[str, ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    """The operations around it, side by side."""
    turn: float = field(default=0, repr=False, compare=False)
    """How early in a replay it is seen."""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two findings the same one."""
        now = self.now if self.kind is DriftKind.ADDED else ""
        return self.kind, self.operation, self.where, self.what, now

    @property
    def all_ids(self) -> frozenset[str]:
        """The recorded operations that it is about."""
        one = () if self.operation_id is None else (self.operation_id,)
        return frozenset((*one, *self.operation_ids))

    def sentence(self) -> str:
        """The drift in one sentence."""
        inside = f" in {self.where}" if self.where else ""
        if self.kind is DriftKind.MOVED:  # where it stands is all that there is to say
            return f"{self.kind}: {self.operation} stood {self.recorded} and stands now{inside or f' {self.now}'}"
        return f"{self.kind}: {self._what_happened()}{inside}"

    def _what_happened(self) -> str:
        match self.kind:
            case DriftKind.ADDED:
                return f"{self.operation} was never recorded"
            case DriftKind.REMOVED:
                return f"{self.operation} was recorded and is asked for no more"
            case DriftKind.RENAMED | DriftKind.RETYPED:
                return f"{self.recorded} is now {self.now}"
            case DriftKind.REORDERED if self.operation == self.recorded:
                return f"{self.operation} stood in this order, and stand now in the order {self.now}"
            case DriftKind.REORDERED:
                return f"{self.operation} stood {self.recorded} and stands now {self.now}"
            case _:
                return f"the {self.what} of {self.operation}"

    def render(self) -> str:
        """The sentence, where in the code, and both sides, marked at the first difference."""
        lines = [self.sentence()]
        if self.file is not None:
            lines.append(f"  at {_short(self.file)}:{self.line}")
        if self.invocations:
            more = f" and {len(self.invocations) - 1} more" if len(self.invocations) > 1 else ""
            lines.append(f"  seen from {self.invocations[0]}{more}")
        if self.kind is DriftKind.VALUE_CHANGED:
            lines += _marked(self.recorded, self.now)
        elif self.rows:
            lines += _columns(self.rows, self._row())
        return "\n".join(lines)

    def _row(self) -> int:
        """The row that shows this drift; else the first that differs."""
        match self.kind:
            case DriftKind.ADDED:
                wanted = [Row("", self.now)]
            case DriftKind.REMOVED:
                wanted = [Row(self.recorded, "")]
            case DriftKind.REORDERED | DriftKind.MOVED:
                wanted = [Row(self.operation, ""), Row("", self.operation)]
            case _:
                wanted = [Row(self.recorded, self.now)]
        for number, row in enumerate(self.rows):
            if row in wanted:
                return number
        return next((number for number, row in enumerate(self.rows) if row.recorded != row.now), 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayReport:
    """What became of the replays of one history.

    ``replayed`` are the moments at which a replay began; ``skipped`` are those that were left out, because one before
    had to be given up.
    """

    name: str
    drifts: tuple[Drift, ...]
    replayed: tuple[str, ...]
    skipped: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the handler does what was recorded."""
        return not self.drifts

    def __bool__(self) -> bool:
        return self.ok

    def render(self) -> str:
        """The report as text: the first drifts whole, in the order of the run, and of many the others in a line."""
        count = len(self.replayed)
        head = f"{self.name}: replayed from {count} moment{'' if count == 1 else 's'}"
        if self.ok:
            return f"{head}, no drift."
        number = len(self.drifts)
        lines = [f"{head}, {number} drift{'' if number == 1 else 's'}."]
        alike: dict[tuple[object, ...], list[Drift]] = {}
        for drift in self.drifts:
            alike.setdefault((drift.kind, drift.file, drift.line, drift.what), []).append(drift)
        first, rest = [*alike.values()][:_WHOLE], [*alike.values()][_WHOLE:]
        lines += [part for same in first for part in ("", same[0].render(), *_more_of(same))]
        return "\n".join([*lines, *_following([drift for same in rest for drift in same])])


def _more_of(same: list[Drift]) -> Iterator[str]:
    """What else has become of what the same line of code asks for: seldom more than one cause."""
    if len(same) > 1:
        yield f"  and {len(same) - 1} more from there:"
        yield from _sentences(same[1:], _LISTED)


def _following(drifts: list[Drift]) -> Iterator[str]:
    if drifts:
        yield ""
        yield f"{len(drifts)} more drift{'' if len(drifts) == 1 else 's'}, which may follow from what comes before:"
        yield from _sentences(drifts, _LISTED)


def _sentences(drifts: list[Drift], most: int) -> Iterator[str]:
    shown = drifts if len(drifts) <= most else drifts[: most - 1]
    for drift in shown:
        yield f"    {drift.sentence()}"
    if len(shown) < len(drifts):
        yield f"    … and {len(drifts) - len(shown)} more"


def merged(drifts: Iterator[Drift], handler: tuple[str, int] | None = None) -> tuple[Drift, ...]:
    """Each finding once, with all the moments that it was seen from.

    ``handler`` is where the handler is defined: the place of what has none of its own.
    """
    found: dict[tuple[str, ...], Drift] = {}
    for drift in drifts:
        known = found.get(drift.key)
        found[drift.key] = drift if known is None else _seen_again(known, drift)
    several = _with_their_whole_order([*found.values()])
    elsewhere = {key for drift in several if drift.kind in _STILL_THERE for key in drift.all_ids}
    # From another moment, an operation that stands elsewhere now may be out of sight: only its absence is seen.
    return tuple(
        drift if drift.file is not None or handler is None else replace(drift, file=handler[0], line=handler[1])
        for drift in several
        if drift.kind is not DriftKind.REMOVED or drift.operation_id not in elsewhere
    )


def _seen_again(known: Drift, drift: Drift) -> Drift:
    more = [each for each in drift.invocations if each not in known.invocations]
    return replace(known, invocations=(*known.invocations, *more))


def _with_their_whole_order(drifts: list[Drift]) -> list[Drift]:
    """From an earlier moment only a part of what has changed places is in sight: it is told by the largest part."""
    found: list[Drift] = []
    for drift in drifts:
        at = next((at for at, known in enumerate(found) if _are_one_disorder(known, drift)), None)
        if at is None:
            found.append(drift)
        else:
            larger, other = sorted((found[at], drift), key=lambda each: -len(each.all_ids))
            found[at] = _seen_again(replace(larger, invocations=found[at].invocations), other)
    return found


def _are_one_disorder(one: Drift, other: Drift) -> bool:
    both = {one.kind, other.kind} == {DriftKind.REORDERED} and one.where == other.where
    return both and not one.all_ids.isdisjoint(other.all_ids)


# -------------------------------------------------------------------------------------------------- two columns

_WIDTH = 36
_AROUND = 3
_LONG = 72


def _columns(rows: tuple[Row, ...], first: int) -> list[str]:
    begin, end = max(0, first - _AROUND), first + _AROUND + 1
    shown = [f"    {'recorded':<{_WIDTH}}  now"]
    shown += ["    …"] if begin else []
    for number, row in enumerate(rows[begin:end], start=begin):
        mark = ">" if number == first else " "
        shown.append(f"  {mark} {_cut(row.recorded):<{_WIDTH}}  {_cut(row.now)}".rstrip())
    return [*shown, "    …"] if end < len(rows) else shown


def _cut(text: str) -> str:
    return text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…"


def _marked(recorded: str, now: str) -> list[str]:
    """Two values below each other, cut around the first difference, which a caret points to."""
    first = next((at for at, (a, b) in enumerate(zip(recorded, now, strict=False)) if a != b), None)
    at = first if first is not None else min(len(recorded), len(now))
    begin = max(0, at - _LONG // 2) if at > _LONG - 12 else 0
    lead = "…" if begin else ""
    left, right = (_slice(text, begin) for text in (recorded, now))
    return [
        f"    recorded  {lead}{left}",
        f"    now       {lead}{right}",
        f"              {' ' * (at - begin + len(lead))}^",
    ]


def _slice(text: str, begin: int) -> str:
    text = text.replace("\n", " ")
    return text[begin : begin + _LONG] + ("…" if len(text) > begin + _LONG else "")


def _short(path: str) -> str:
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path

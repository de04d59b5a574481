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


_STILL_THERE = frozenset({DriftKind.REORDERED, DriftKind.MOVED, DriftKind.RENAMED, DriftKind.RETYPED})


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the two columns: an operation as it was recorded, and what stands there now. Empty for neither."""

    recorded: str
    now: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """One difference between a history and what the handler does now.

    ``operation`` names it in words, ``where`` is the context it stands in. ``recorded`` and ``now`` are the two sides.
    ``file`` and ``line`` are the user's code that asks for it, if it is known. ``invocations`` are the moments at which
    a replay began that found it.
    """

    kind: DriftKind
    operation: str
    recorded: str
    now: str
    operation_id: str | None = None
    """Of the recorded operation, where there is one."""
    where: str = ""
    what: str = ""
    """Which value, where a value has changed: ``seconds``, ``payload``, ``argument 'order'``, ``result`` …"""
    file: str | None = None
    line: int | None = None
    invocations: tuple[str, ...] = ()
    rows: tuple[Row, ...] = field(default=(), repr=False)
    """The operations around it, side by side."""

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two findings the same one."""
        now = self.now if self.kind is DriftKind.ADDED else ""
        return self.kind, self.operation, self.where, self.what, now

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
        wanted = Row("", self.now) if self.kind is DriftKind.ADDED else Row(self.recorded, self.now)
        wanted = Row(self.recorded, "") if self.kind is DriftKind.REMOVED else wanted
        if wanted in self.rows:
            return self.rows.index(wanted)
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
        """The report as text: one paragraph for each drift."""
        count = len(self.replayed)
        head = f"{self.name}: replayed from {count} moment{'' if count == 1 else 's'}"
        if self.ok:
            return f"{head}, no drift."
        number = len(self.drifts)
        lines = [f"{head}, {number} drift{'' if number == 1 else 's'}."]
        lines += [part for drift in self.drifts for part in ("", drift.render())]
        return "\n".join(lines)


def merged(drifts: Iterator[Drift], handler: tuple[str, int] | None = None) -> tuple[Drift, ...]:
    """Each finding once, with all the moments that it was seen from.

    ``handler`` is where the handler is defined: the place of what has none of its own.
    """
    found: dict[tuple[str, ...], Drift] = {}
    for drift in drifts:
        known = found.get(drift.key)
        found[drift.key] = (
            drift if known is None else replace(known, invocations=(*known.invocations, *drift.invocations))
        )
    elsewhere = {drift.operation_id for drift in found.values() if drift.kind in _STILL_THERE}
    # From another moment, an operation that stands elsewhere now may be out of sight: only its absence is seen.
    return tuple(
        drift if drift.file is not None or handler is None else replace(drift, file=handler[0], line=handler[1])
        for drift in found.values()
        if drift.kind is not DriftKind.REMOVED or drift.operation_id not in elsewhere
    )


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

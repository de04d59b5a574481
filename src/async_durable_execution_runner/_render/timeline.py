"""The timeline as text: one line for each operation, virtual time from left to right."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .._model.enums import OperationStatus as Status
from .canvas import Line
from .folds import Fold, fold
from .scale import columns
from .view import Bar, Ending, ExecutionView, InvocationSpan, Lane, Outcome, Shape
from .words import CROSS, MARKS, TIMES, duration, printable, shorten

NARROWEST, WIDEST = 40, 160
_FILLS = {
    Shape.ATTEMPT: "━",
    Shape.RETRY: "┄",
    Shape.WAIT: "─",
    Shape.CALLBACK: "╌",
    Shape.INVOKE: "═",
    Shape.CONTEXT: "─",
}
_BEGINNINGS = {Shape.CONTEXT: "┌", Shape.WAIT: "├", Shape.CALLBACK: "◇", Shape.INVOKE: "╞"}
_ENDS = {
    Outcome.SUCCEEDED: ("✓", "good"),
    Outcome.FAILED: ("✗", "bad"),
    Outcome.TIMED_OUT: ("✗", "bad"),
    Outcome.STOPPED: ("■", "warn"),
    Outcome.CANCELLED: ("⊘", "warn"),
    Outcome.AGAIN: ("↻", "warn"),
    Outcome.INTERRUPTED: (CROSS, "bad"),
    Outcome.OPEN: ("▸", "busy"),
    Outcome.LEFT_OPEN: ("▹", "warn"),
}
_MARK_STYLES = {"✓": "good", "✗": "bad", "■": "warn", "⊘": "warn", "…": "busy"}
_LEGEND = (
    ("━", "at work"),
    ("┄", "until the next attempt"),
    ("↻", "not yet, looks again"),
    (CROSS, "interrupted"),
    ("◇", "callback opened"),
    ("◆", "answered"),
    ("♥", "last heartbeat"),
    ("▸", "goes on"),
    ("▹", "left open"),
    ("┊", "invocation begins"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Layout:
    """Where the columns of the drawing are."""

    label: int
    track: int
    note: int

    @property
    def left(self) -> int:
        return self.label + 3

    @property
    def width(self) -> int:
        return self.left + self.track + (self.note + 2 if self.note else 0)


def render_timeline(
    view: ExecutionView, *, width: int = 80, colour: bool = False, limit: int = 60, latest: bool = False
) -> str:
    """An execution's operations against its time.

    ``width`` in characters. Of more than ``limit`` operations some are only counted, with ``latest`` the first ones,
    else the last ones. ``colour`` adds the control sequences of a terminal.
    """
    rows = fold(view.lanes, limit, latest=latest)
    layout = _layout(rows, max(NARROWEST, min(width, WIDEST)), len(_counted(view)) - 2)
    places = columns(view.moments, _drawn(view, rows), layout.track)
    # Where no time passes the drawing is shorter than it may be.
    drawing = _Drawing(view, replace(layout, track=max(places.values()) + 1), places)
    lines = [*drawing.axis(), drawing.invocations(), *(drawing.row(row) for row in rows)]
    texts = [line.text(colour=colour) for line in lines]
    drawn = "\n".join(line.text()[layout.left :] for line in lines)
    return "\n".join([*texts, *_legend(drawn, layout.width, colour=colour)])


def _layout(rows: list[Lane | Fold], width: int, least: int) -> _Layout:
    longest = max([least, *(len(_label(row)) for row in rows)])
    label = min(longest, max(least, width * 36 // 100))
    note = max((len(_note(row)) for row in rows), default=0) if width >= 60 else 0
    note = min(note, width * 22 // 100)
    return _Layout(label=label, note=note, track=width - label - 3 - (note + 2 if note else 0))


def _label(row: Lane | Fold) -> str:
    if isinstance(row, Fold):
        return f"{'  ' * min(lane.depth for lane in row.lanes)}{len(row.lanes)} more"
    return f"{'  ' * row.depth}{printable(row.label)}"


def _note(row: Lane | Fold) -> str:
    if isinstance(row, Fold):
        return row.counts
    attempts = sum(1 for bar in row.bars if bar.shape is Shape.ATTEMPT)
    counted = f"{attempts}{TIMES}" if attempts > 1 else ""
    return " ".join(part for part in (counted, _took(row)) if part)


_OPEN_NOTES = {Shape.ATTEMPT: "running", Shape.CALLBACK: "unanswered", Shape.INVOKE: "no result yet"}


def _took(lane: Lane) -> str:
    if lane.end is not None:
        return duration(lane.end - lane.start) if lane.end != lane.start else ""
    bar = lane.bars[-1] if lane.bars else None
    if bar is None or bar.shape is Shape.CONTEXT:
        return "open"
    if bar.outcome is Outcome.INTERRUPTED:
        return "interrupted"
    if bar.due is None or bar.shape is Shape.CALLBACK:
        return _OPEN_NOTES.get(bar.shape, "open")
    left = duration(max(0, bar.due - bar.end.at))
    return f"{left} to go" if bar.shape is Shape.WAIT else f"again in {left}"


def _counted(view: ExecutionView) -> str:
    count = len(view.invocations)
    return f"{count} invocation{'s' if count != 1 else ''}"


def _drawn(view: ExecutionView, rows: Iterable[Lane | Fold]) -> set[int]:
    """The moments that are to be seen; what is left out takes no room."""
    used, folded = {0, len(view.moments) - 1}, False
    for row in rows:
        edges = _edges(row.lanes if isinstance(row, Fold) else (row,))
        folded = folded or isinstance(row, Fold)
        used |= {min(edges), max(edges)} if isinstance(row, Fold) and edges else edges
    seen = sorted(used)
    for span in view.invocations:
        # One of which nothing is shown is not shown either.
        if not folded or bisect.bisect_left(seen, span.start.order) < bisect.bisect_right(seen, span.end.order):
            used |= {span.start.order, span.end.order}
    return used


def _edges(lanes: Iterable[Lane]) -> set[int]:
    found = set()
    for lane in lanes:
        found |= {mark.moment.order for mark in lane.marks}
        for bar in lane.bars:
            found |= {bar.start.order, bar.end.order}
    return found


class _Drawing:
    """The lines of one timeline."""

    def __init__(self, view: ExecutionView, layout: _Layout, places: dict[int, int]) -> None:
        self._view, self._layout, self._places = view, layout, places
        self._borders = self._sparse([span.start.order for span in view.invocations if span.start.order in places])

    def _sparse(self, orders: list[int]) -> list[int]:
        """Columns of these moments, without those that would make a wall."""
        found: list[int] = []
        for order in orders:
            if not found or self._column(order) - found[-1] > 2:
                found.append(self._column(order))
        return found

    # ------------------------------------------------------------------------------------------- above the lanes

    def axis(self) -> list[Line]:
        """Time: words, and a ruler below them that is dotted where time passes."""
        words, ruler = Line(self._layout.width), Line(self._layout.width)
        words.put(0, "virtual time", "dim")
        begin, end = self._column(0), self._column(len(self._view.moments) - 1)
        said: set[str] = set()
        for order in self._labelled():
            self._say(words, ruler, order, said)
        for before, after in self._spans():
            self._rule(ruler, before, after)
        ruler.fill(begin, end, "─", "dim")
        return [words, ruler]

    def _labelled(self) -> list[int]:
        """The moments whose time is said if there is room: beginning, end, then those after the longest spans."""
        instants, spans = self._view.moments, self._spans()
        longest = sorted(spans, key=lambda span: instants[span[0]] - instants[span[1]])
        arrived = [after for _, after in longest]
        return list(dict.fromkeys([0, self._first_like(len(instants) - 1), *arrived]))

    def _first_like(self, order: int) -> int:
        """The first moment whose time is said with the same words."""
        said = self._said(order)
        return next(each for each in sorted(self._places) if self._said(each) == said)

    def _said(self, order: int) -> str:
        return duration(self._view.moments[order] - self._view.start)

    def _spans(self) -> list[tuple[int, int]]:
        """Neighbouring moments between which time passes."""
        orders, instants = sorted(self._places), self._view.moments
        return [(a, b) for a, b in itertools.pairwise(orders) if instants[a] != instants[b]]

    def _say(self, words: Line, ruler: Line, order: int, said: set[str]) -> None:
        column = self._column(order)
        text = self._said(order)
        first = min(column, self._layout.left + self._layout.track - len(text))
        if text not in said and words.is_blank(first - 1, first + len(text)):
            said.add(text)
            words.put(first, text)
            ruler.put(column, "┬", "dim")

    def _rule(self, ruler: Line, before: int, after: int) -> None:
        ruler.fill(self._column(before) + 1, self._column(after) - 1, "╌", "dim")

    def invocations(self) -> Line:
        """The calls of the handler, with their numbers."""
        line = Line(self._layout.width)
        line.put(0, _counted(self._view), "dim")
        drawn = [span for span in self._view.invocations if span.start.order in self._places]
        for span in drawn:
            self._invocation(line, span)
        if len(drawn) < len(self._view.invocations):
            line.fill(self._column(0) + 1, self._column(len(self._view.moments) - 1), "·", "dim")
        return line

    def _invocation(self, line: Line, span: InvocationSpan) -> None:
        first, last = self._column(span.start.order), self._column(span.end.order)
        bad = span.ending in {Ending.CRASHED, Ending.FAILED}
        style = "bad" if bad else "busy" if span.ending is Ending.RUNNING else "link"
        number = str(span.number)
        if last - first < len(number) + 1:
            # Two that are too close to be told apart are one: the later one would hide the end of the former.
            line.fill(first, last, CROSS if span.ending is Ending.CRASHED else "│", style)
            return
        line.put(first, "├", style)
        line.put(last, {Ending.CRASHED: CROSS, Ending.RUNNING: "▸", Ending.CUT_OFF: "▹"}.get(span.ending, "┤"), style)
        if line.is_blank(first + 1, first + len(number)):
            line.put(first + 1, number, style)
        line.fill(first + 1, last - 1, "─", style)

    # ------------------------------------------------------------------------------------------------- the lanes

    def row(self, row: Lane | Fold) -> Line:
        """One operation, or several that are only counted."""
        line = Line(self._layout.width)
        label, note = shorten_right(_label(row), self._layout.label), _note(row)
        if isinstance(row, Fold):
            line.put(0, "⋮", "dim")
            line.put(2, label, "dim")
            self._folded(line, row)
        else:
            mark = MARKS[row.status]
            line.put(0, mark, _MARK_STYLES[mark])
            line.put(2, label)
            self._lane(line, row)
        if self._layout.note:
            line.put(self._layout.left + self._layout.track + 2, shorten(note, self._layout.note), "dim")
        for column in self._borders:
            line.fill(column, column, "┊", "dim")
        return line

    def _lane(self, line: Line, lane: Lane) -> None:
        # Ends before fills: nothing may hide how something ended.
        for bar in lane.bars:
            self._ends(line, lane, bar)
        for mark in lane.marks:
            line.put(self._column(mark.moment.order), "♥", "busy")
        for bar in lane.bars:
            first, last = self._column(bar.start.order), self._column(bar.end.order)
            line.fill(first, last, _FILLS[bar.shape], _fill_style(bar))

    def _ends(self, line: Line, lane: Lane, bar: Bar) -> None:
        first, last = self._column(bar.start.order), self._column(bar.end.order)
        beginning = _BEGINNINGS.get(bar.shape)
        if beginning is not None:
            line.put(first, beginning, _fill_style(bar))
        if bar.shape is Shape.RETRY and bar.outcome is Outcome.AGAIN:
            return  # the attempt that follows says it
        end, style = _ENDS[bar.outcome]
        if bar.shape is Shape.CALLBACK and lane.status is Status.SUCCEEDED:
            end = "◆"
        line.put(last, end, style)

    def _folded(self, line: Line, row: Fold) -> None:
        edges = _edges(row.lanes)
        if edges:
            line.fill(self._column(min(edges)), self._column(max(edges)), "·", "dim")

    def _column(self, order: int) -> int:
        return self._layout.left + self._places[order]


def _fill_style(bar: Bar) -> str:
    if bar.shape in {Shape.CONTEXT, Shape.RETRY}:
        return "dim"
    return "busy" if bar.outcome is Outcome.OPEN else ""


def shorten_right(text: str, width: int) -> str:
    """The text in ``width`` characters, with the blanks in front of it."""
    return text if len(text) <= width else text[: width - 1] + "…"


def _legend(drawn: str, width: int, *, colour: bool) -> list[str]:
    """What the signs mean that are there and that are not plain."""
    parts = [f"{sign} {meaning}" for sign, meaning in _LEGEND if sign in drawn]
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f"   {part}"
        else:
            lines.append(f"  {part}"[:width])
    found = []
    for text in lines:
        line = Line(len(text))
        line.put(0, text, "dim")
        found.append(line.text(colour=colour))
    return found

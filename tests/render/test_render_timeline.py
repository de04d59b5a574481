"""The timeline as text."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from render_kit import answered, asks, drawn, lane, many, order, until_suspended, view_of, year

from async_durable_execution_runner import _results, _terminal
from async_durable_execution_runner._render.canvas import Line, in_encoding
from async_durable_execution_runner._render.folds import Fold, fold
from async_durable_execution_runner._render.scale import columns, positions
from async_durable_execution_runner._render.timeline import render_timeline
from async_durable_execution_runner._render.view import Lane
from async_durable_execution_runner.runner import DurableFunctionTestRunner


def column(lines: list[str], name: str, sign: str) -> int:
    """Where a sign stands in the line of an operation."""
    (line,) = [each for each in lines if f" {name} " in each]
    return line.index(sign, line.index(name) + len(name))


def test_a_year_and_three_steps_are_both_readable() -> None:
    lines = drawn(view_of(year))
    assert lines[0].split() == ["virtual", "time", "0", "s", "365", "d"]
    steps = [column(lines, name, "✓") for name in ("step 0", "step 1", "step 2", "a year", "after")]
    assert steps == sorted(set(steps))
    year_line = next(each for each in lines if "a year" in each)
    assert year_line.count("─") > 15
    assert year_line.endswith("365 d")


def test_attempts_invocations_and_outcomes_are_drawn() -> None:
    lines = drawn(view_of(order, answered))
    text = "\n".join(lines)
    assert lines[2].startswith("6 invocations")
    assert re.search(r"✓ charge .*✗┄+✗┄+✓", text)
    assert re.search(r"3\N{MULTIPLICATION SIGN} 1 min 30 s$", text, re.MULTILINE)
    assert re.search(r"✓ approval .*◇╌+◆", text)
    assert re.search(r"✗ hand to the courier .*✗$", text, re.MULTILINE)
    assert re.search(r"✓ {5}delivery|✓ {7}delivery", text)
    assert "◆ answered" in lines[-2]


def test_what_is_pending_says_what_for() -> None:
    view = view_of(asks, until_suspended)
    lines = drawn(view)
    assert [each.split("▸")[1].strip() for each in lines if each.startswith("…")] == ["unanswered", "1 h to go"]


@pytest.mark.parametrize("width", [40, 50, 60, 80, 120, 160])
@pytest.mark.parametrize("handler", [order, year, many(40, 20), many(300, 150)], ids=["order", "year", "40", "300"])
def test_no_line_is_wider_than_it_may_be(handler: Any, width: int) -> None:
    view = view_of(handler, answered if handler is order else lambda runner: runner.run({}).execution_arn)
    lines = drawn(view, width=width, limit=24)
    assert max(map(len, lines)) <= width
    assert len(lines) <= 24 + 12


def test_absurd_widths_are_put_right() -> None:
    view = view_of(year)
    assert drawn(view, width=1) == drawn(view, width=40)
    assert drawn(view, width=1000) == drawn(view, width=160)


def test_of_many_operations_those_with_a_story_stay_and_the_others_are_counted() -> None:
    lines = drawn(view_of(many(300, 150)), limit=20)
    assert "✓ charge" in "\n".join(lines)  # an attempt of it failed
    folded = [each.split() for each in lines if each.startswith("⋮")]
    assert [each[1:3] + each[-2:] for each in folded] == [["131", "more", "131", "✓"], ["149", "more", "149", "✓"]]


def test_a_failure_among_many_is_shown() -> None:
    view = view_of(many(100))
    failed = dataclasses.replace(view.lanes[70], status="FAILED")
    view = dataclasses.replace(view, lanes=(*view.lanes[:70], failed, *view.lanes[71:]))
    lines = drawn(view, limit=10)
    shown = [each.split("┊")[0].rstrip() for each in lines if each[0] in "✓✗⋮"]
    assert shown == [*(f"✓ reserve {number}" for number in range(9)), "⋮ 61 more", "✗ reserve 70", "⋮ 29 more"]


def test_the_latest_stay_where_they_matter_more() -> None:
    rows = fold(view_of(many(30)).lanes, 5, latest=True)
    assert isinstance(rows[0], Fold)
    assert [row.label for row in rows[1:] if isinstance(row, Lane)] == [
        *(f"reserve {number}" for number in range(25, 29)),
        "pause 29",
    ]


def test_the_same_execution_is_drawn_the_same() -> None:
    assert drawn(view_of(order, answered)) == drawn(view_of(order, answered))


def test_colours_change_nothing_but_colours() -> None:
    view = view_of(order, answered)
    plain, coloured = render_timeline(view), render_timeline(view, colour=True)
    assert "\x1b[32m✓\x1b[0m" in coloured
    assert "\x1b[31m✗\x1b[0m" in coloured
    assert [each.rstrip() for each in re.sub(r"\x1b\[\d+m", "", coloured).splitlines()] == plain.splitlines()


def test_a_name_cannot_steer_the_terminal() -> None:
    view = view_of(year)
    hostile = dataclasses.replace(view.lanes[0], name="\x1b[2J\x1b]0;owned\x07 <b>")
    text = render_timeline(dataclasses.replace(view, lanes=(hostile, *view.lanes[1:])))
    assert "\x1b" not in text
    assert "\x07" not in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "no such encoding"])
def test_without_box_characters_it_stays_in_its_columns(encoding: str) -> None:
    text = render_timeline(view_of(order, answered))
    plain = in_encoding(text, encoding)
    assert plain.isascii()
    assert [len(each) for each in plain.splitlines()] == [len(each) for each in text.splitlines()]
    assert re.search(r"\+ charge .*x\.+x\.+\+", plain)
    assert "?" not in plain


def test_other_encodings_keep_what_they_can_say() -> None:
    assert in_encoding("✓ café", "latin-1") == "+ café"
    assert in_encoding("✓ café 漢", "ascii") == "+ caf? ?"
    assert in_encoding("✓ café", "utf-8") == in_encoding("✓ café", None) == "✓ café"


def test_a_line_hides_nothing_that_is_written() -> None:
    line = Line(6)
    line.put(2, "✓")
    line.fill(0, 9, "─")
    line.put(5, "abc")
    line.put(-1, "xy")
    assert line.text() == "y─✓──a"


def test_places_never_go_back_and_fill_the_line() -> None:
    instants = [0, 0, 0, 3, 3, 31_536_000_000, 31_536_000_000]
    found = positions(instants)
    places = [found[order] for order in range(len(instants))]
    assert places == sorted(places)
    assert (places[0], round(places[-1], 6)) == (0, 1)
    placed = columns(instants, range(len(instants)), 40)
    assert len(set(placed.values())) == len(instants)
    assert placed[5] - placed[4] > placed[3] - placed[2]


def test_one_moment_and_no_time() -> None:
    assert columns([7], [0], 40) == {0: 0}
    assert columns([], [], 40) == {}
    assert columns([7, 7, 7], [0, 1, 2], 41) == {0: 0, 1: 4, 2: 8}


# ------------------------------------------------------------------------------------------------- from a result


def result_of(handler: Any) -> Any:
    with DurableFunctionTestRunner(handler) as runner:
        return runner.run({}, timeout=20)


def test_a_result_draws_itself() -> None:
    text = result_of(year).render_timeline(width=60, color=False)
    assert max(map(len, text.splitlines())) <= 60
    assert "\x1b" not in text
    assert "\x1b" in result_of(year).render_timeline(color=True)


class Stream:
    """A standard output."""

    def __init__(self, encoding: str = "utf-8", *, terminal: bool = True) -> None:
        self.encoding, self._terminal = encoding, terminal

    def isatty(self) -> bool:
        return self._terminal


def test_colours_where_a_terminal_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert _terminal.has_colour(Stream())
    assert not _terminal.has_colour(Stream(terminal=False))
    assert not _terminal.has_colour(None)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not _terminal.has_colour(Stream())
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("TERM", "dumb")
    assert not _terminal.has_colour(Stream())


def test_ascii_where_the_terminal_has_no_boxes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "__stdout__", Stream("ascii"))
    assert result_of(year).render_timeline(color=False).isascii()


def test_what_cannot_be_drawn_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> str:
        raise ZeroDivisionError("the renderer is broken")

    monkeypatch.setattr(_results, "render_timeline", broken)
    said = result_of(year).render_timeline()
    assert said == "The timeline cannot be drawn: ZeroDivisionError: the renderer is broken"


def test_a_lane_without_bars_is_a_label() -> None:
    view = view_of(year)
    bare = dataclasses.replace(lane(view, "step 0"), bars=())
    lines = drawn(dataclasses.replace(view, lanes=(bare, *view.lanes[1:])))
    assert "✓ step 0" in lines[3]


def test_the_documentation_shows_what_is_drawn() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "looking.md").read_text(encoding="utf-8")
    assert "\n".join(["```text", *drawn(view_of(order, answered), width=96), "```"]) in page

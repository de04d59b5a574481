"""The timeline in a report."""

from __future__ import annotations

import re
from typing import Any

import pytest
from plugin_kit import Suite, reports, sections

from async_durable_execution_runner import _results

FAILS = """
@use(handler=order)
def test_it(durable_runner):
    assert durable_runner.run(1).value == "nonsense"
"""
LONG = """
import async_durable_execution as sdk

@sdk.durable_execution
async def long(event):
    async def work():
        return 1

    for number in range(300):
        await sdk.step(work, name=f"step {number}")
    raise LookupError

@use(handler=long)
def test_it(durable_runner):
    assert durable_runner.run(1).value == 1
"""


def section_of(suite: Suite, code: str, *arguments: str) -> str:
    (report,) = reports(suite.run(code, *arguments))
    (section,) = sections(report)
    return section


def timeline_of(section: str) -> list[str]:
    lines = section.splitlines()
    return lines[next(number for number, line in enumerate(lines) if line.startswith("virtual time")) :]


def test_it_stands_below_the_tree(suite: Suite) -> None:
    section = section_of(suite, FAILS)
    head, _, calls, charge, delivery, *_ = timeline_of(section)
    assert head.split() == ["virtual", "time", "0", "s", "3", "d"]
    assert calls.startswith("2 invocations ")
    assert charge.startswith("✓ charge ")
    assert delivery.startswith("✓ delivery ")
    assert delivery.endswith("3 d")
    assert section.index("└─ ✓ Wait 'delivery'") < section.index("virtual time")
    assert "\x1b" not in section


def test_a_section_of_many_operations_is_short(suite: Suite) -> None:
    section = section_of(suite, LONG)
    assert len(section.splitlines()) < 120
    assert "├─ ✓ Step 'step 59'" in section
    assert "└─ ⋮ 240 more  240 ✓" in section
    lines = timeline_of(section)
    assert len(lines) < 35
    assert any(line.startswith("⋮ 276 more") for line in lines)


def test_never_shows_none(suite: Suite) -> None:
    (report,) = reports(suite.run(FAILS, "--durable-history=never"))
    assert sections(report) == []


def test_an_execution_without_operations_has_none(suite: Suite) -> None:
    code = "@use(handler=broken)\ndef test_it(durable_runner):\n    durable_runner.run(1).ensure_succeeded()"
    assert "virtual time" not in section_of(suite, code)


def test_it_is_as_wide_as_the_terminal(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    for width in (60, 120):
        monkeypatch.setenv("COLUMNS", str(width))
        lines = timeline_of(section_of(suite, FAILS))
        assert width - 15 < max(map(len, lines)) <= width


def test_it_has_colours_where_pytest_has_them(suite: Suite) -> None:
    result = suite.run(FAILS, "--color=yes")
    printed = result.stdout.str()
    assert "\x1b[32m✓\x1b[0m charge" in printed
    assert "\x1b[2m└─\x1b[0m \x1b[32m✓\x1b[0m Wait 'delivery'  \x1b[32mSUCCEEDED\x1b[0m" in printed
    # The report itself stays plain, for whoever else reads it.
    assert "\x1b" not in sections(reports(result)[0])[0]


def test_passed_tests_have_them_too(suite: Suite) -> None:
    code = FAILS.replace('== "nonsense"', "")
    assert "\x1b[32m✓\x1b[0m charge" in suite.run(code, "--color=yes", "--durable-history=all", "-rP").stdout.str()


def test_workers_draw_as_wide_and_as_coloured(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("xdist")
    monkeypatch.setenv("COLUMNS", "120")
    result = suite.run_apart(FAILS, "-n1", "--color=yes")
    (ruler,) = [line for line in result.outlines if "╌╌" in line and "┬" in line]
    assert "\x1b[2m" in ruler
    assert 100 < len(re.sub(r"\x1b\[\d+m", "", ruler)) <= 120


def test_one_that_cannot_be_drawn_leaves_the_tree(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> str:
        raise ZeroDivisionError("the renderer is broken")

    monkeypatch.setattr(_results, "render_timeline", broken)
    section = section_of(suite, FAILS)
    assert "└─ ✓ Wait 'delivery'" in section
    assert section.endswith("The timeline cannot be drawn: ZeroDivisionError: the renderer is broken")

"""What the README says is not there yet is not there. Whoever builds it deletes the line, and the case here."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable
from pathlib import Path

import pytest

PACKAGE = "async_durable_execution_runner"
README = Path(__file__).resolve().parents[2] / "README.md"


def no_module(*names: str) -> Callable[[], bool]:
    return lambda: not any(importlib.util.find_spec(f"{PACKAGE}.{name}") for name in names)


CASES: dict[str, Callable[[], bool]] = {
    "Crashes on purpose": no_module("_drivers.crashes", "_engine.faults"),
}


def listed() -> list[str]:
    section = README.read_text(encoding="utf-8").partition("### What is not there yet\n")[2].partition("\n## ")[0]
    return re.findall(r"^- (.+)", section, re.MULTILINE)


def test_every_line_of_the_readme_has_a_case() -> None:
    lines = listed()
    assert lines != []
    assert [line for line in lines if not line.startswith(tuple(CASES))] == []


@pytest.mark.parametrize("claim", CASES)
def test_it_is_not_there(claim: str) -> None:
    assert any(line.startswith(claim) for line in listed()), "the README no longer says so: delete this case"
    assert CASES[claim](), "it is there: delete this case and the README's line"

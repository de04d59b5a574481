"""The handlers in ``async_handlers`` leave the histories that are written down there, with tuning and without.

``python tests/conformance_over_http.py`` compares them with AWS's own requirements; what is written down passed them.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from conformance_kit import Handlers, Plan, lines_of, unlike

HANDLERS = Handlers.read(Path(__file__).parent / "async_handlers")
RELEASE = tuple(int(part) for part in importlib.metadata.version("async-durable-execution").split(".")[:2])

pytestmark = pytest.mark.skipif(RELEASE < (2, 5), reason="the handlers are written with release 2.5 of the SDK")


@pytest.mark.parametrize("tuning", [True, False], ids=["tuned", "untuned"])
@pytest.mark.parametrize("requirement", HANDLERS.expected)
def test_a_handler_leaves_the_expected_history(requirement: str, tuning: bool) -> None:
    entry = HANDLERS.expected[requirement]
    played = HANDLERS.play(requirement, Plan.read(entry), tuning=tuning, isolated=False)
    result = played.result
    assert unlike(lines_of(result.events), entry) == []
    assert result.execution_status.value == entry.get("status", "RUNNING")
    assert result.value == entry.get("value")
    assert (result.error.message if result.error else None) == entry.get("error")
    said = {text: sum(text in line for line in played.logs) for text in entry.get("logs", {})}
    assert said == entry.get("logs", {})


@pytest.mark.parametrize("requirement", sorted(HANDLERS.isolated))
def test_a_process_that_ends_leaves_the_same_history(requirement: str) -> None:
    entry = HANDLERS.expected[requirement]
    played = HANDLERS.play(requirement, Plan.read(entry))
    assert unlike(lines_of(played.result.events), entry) == []
    assert played.result.value == entry["value"]


def test_all_handlers_have_a_history() -> None:
    assert HANDLERS.manifest["requirements"].keys() == HANDLERS.expected.keys()
    assert {requirement.partition("-")[0] for requirement in HANDLERS.expected} == set("123456789")
    assert HANDLERS.expected.keys() >= HANDLERS.isolated | HANDLERS.manifest["notes"].keys()
    assert not HANDLERS.expected.keys() & HANDLERS.manifest["unsupported"].keys()

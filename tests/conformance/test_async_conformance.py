"""The handlers in ``async_handlers`` leave the histories that are written down there, with tuning and without.

``python tests/conformance_over_http.py`` compares them with AWS's own requirements; what is written down passed them.
"""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

import pytest

from conformance_kit import Handlers, Plan
from conformance_notation import differences

HANDLERS = Handlers.read(Path(__file__).parent / "async_handlers")
SUITES = {1: 20, 2: 5, 3: 18, 4: 19, 5: 16, 6: 13, 7: 15, 8: 22, 9: 20, 10: 7}
"""How many requirements there are: step, wait, child … as in the manifest, and plugin."""
RELEASE = tuple(int(part) for part in importlib.metadata.version("async-durable-execution").split(".")[:2])

pytestmark = pytest.mark.skipif(RELEASE < (2, 5), reason="the handlers are written with release 2.5 of the SDK")


@pytest.mark.parametrize("tuning", [True, False], ids=["tuned", "untuned"])
@pytest.mark.parametrize("requirement", HANDLERS.expected)
def test_a_handler_leaves_the_expected_history(requirement: str, tuning: bool) -> None:
    entry = HANDLERS.expected[requirement]
    assert differences(HANDLERS.play(requirement, Plan.read(entry), tuning=tuning, isolated=False), entry) == {}


@pytest.mark.parametrize("requirement", sorted(HANDLERS.isolated))
def test_a_process_that_ends_leaves_the_same_history(requirement: str) -> None:
    entry = HANDLERS.expected[requirement]
    assert differences(HANDLERS.play(requirement, Plan.read(entry), isolated=True), entry) == {}


def test_all_handlers_have_a_history() -> None:
    assert HANDLERS.manifest["requirements"].keys() == HANDLERS.expected.keys()
    assert HANDLERS.expected.keys() >= HANDLERS.isolated | HANDLERS.manifest["notes"].keys()
    assert not HANDLERS.expected.keys() & HANDLERS.manifest["unsupported"].keys()


def test_every_requirement_has_a_handler_or_a_reason_why_not() -> None:
    answered = HANDLERS.manifest["requirements"].keys() | HANDLERS.manifest["unsupported"].keys()
    assert answered == {f"{suite}-{number + 1}" for suite, count in SUITES.items() for number in range(count)}

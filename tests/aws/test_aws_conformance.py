"""The handlers in ``conformance`` leave the histories that are written down there, with tuning and without.

``python tests/aws/conformance DIR`` compares them with AWS's own requirements; what is written down passed them.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from aws_kit import check_history, since

from conformance_kit import Handlers, Plan
from conformance_notation import differences

HANDLERS = Handlers.read(Path(__file__).parent / "conformance")
RUNS = [
    pytest.param(requirement, tuning, id=f"{requirement}-{'tuned' if tuning else 'untuned'}")
    for requirement in HANDLERS.manifest["requirements"]
    for tuning in (True, False)
    if tuning or requirement not in HANDLERS.isolated  # where there is nothing to be tuned
]
pytestmark = since(2, 0)


@pytest.mark.parametrize(("requirement", "tuning"), RUNS)
def test_a_handler_leaves_the_expected_history(requirement: str, tuning: bool) -> None:
    entry = HANDLERS.expected[requirement]
    played = HANDLERS.play(requirement, Plan.read(entry), tuning=tuning)
    check_history(played.result.events)
    assert differences(played, entry) == {}


def test_every_suite_has_handlers() -> None:
    suites = {requirement.partition("-")[0] for requirement in HANDLERS.expected}
    assert suites == {str(number) for number in range(1, 11)}
    assert HANDLERS.manifest["requirements"].keys() == HANDLERS.expected.keys()

"""The handlers in ``conformance`` leave the histories that are written down there, with tuning and without.

``python tests/aws/conformance DIR`` compares them with AWS's own requirements; what is written down passed them.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_kit import check_history, since

sys.path.insert(0, str(Path(__file__).parent / "conformance"))

from conformance_play import MANIFEST, Answer, Plan, play

EXPECTED = yaml.safe_load((Path(__file__).parent / "conformance" / "expected.yaml").read_text(encoding="utf-8"))
pytestmark = since(2, 0)


def plan_of(entry: dict[str, Any]) -> Plan:
    answers = [Answer(**answer) for answer in entry.get("answers", ())]
    return Plan(event=entry.get("event"), answers=tuple(answers), ends="status" in entry)


def lines_of(events: list[dict[str, Any]]) -> list[str]:
    """A history in short: operations have letters, and ``b<a`` is one inside another."""
    letters: dict[str, str] = {}
    return [line_of(event, letters) for event in events[1:]]


def line_of(event: dict[str, Any], letters: dict[str, str]) -> str:
    kind, details = event["EventType"], event[f"{event['EventType']}Details"]
    words = [kind]
    if "Id" in event and not kind.startswith("Execution"):
        own = letters.setdefault(event["Id"], chr(ord("a") + len(letters)))
        words.append(f"{own}<{letters[event['ParentId']]}" if "ParentId" in event else own)
        words.append(event.get("SubType", ""))
    if "Name" in event:
        words.append(f"'{event['Name']}'")
    words += [f"{key}={details[key]}" for key in ("Duration", "Timeout", "HeartbeatTimeout") if key in details]
    retry = details.get("RetryDetails") or {}
    words += [f"attempt={retry['CurrentAttempt']}"] if retry.get("CurrentAttempt", 1) > 1 else []
    words += [f"next={retry['NextAttemptDelaySeconds']}"] if "NextAttemptDelaySeconds" in retry else []
    error = (details.get("Error") or {}).get("Payload") or {}
    words += [error["ErrorType"]] if "ErrorType" in error else []
    if "Payload" in (details.get("Result") or {}):
        words.append(f"= {details['Result']['Payload'][:50]}")
    return " ".join(filter(None, words))


def fits(line: str, expected: str) -> bool:
    """Whether a line is the expected one, in which ``*`` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("*"))), line) is not None


def kinds_in_any_order(lines: list[str]) -> list[str]:
    return sorted(line.split(" ")[0] for line in lines)


@pytest.mark.parametrize("tuning", [True, False], ids=["tuned", "untuned"])
@pytest.mark.parametrize("requirement", MANIFEST["requirements"])
def test_a_handler_leaves_the_expected_history(requirement: str, tuning: bool) -> None:
    entry = EXPECTED[requirement]
    played = play(requirement, plan_of(entry), tuning=tuning)
    result = played.result
    check_history(result.events)
    lines = lines_of(result.events)
    if entry.get("any order"):
        assert kinds_in_any_order(lines) == kinds_in_any_order(entry["history"])
    else:
        assert [line for line, want in zip(lines, entry["history"], strict=True) if not fits(line, want)] == []
    assert result.execution_status.value == entry.get("status", "RUNNING")
    assert result.value == entry.get("value")
    for text, count in entry.get("logs", {}).items():
        assert sum(text in line for line in played.logs) == count


def test_every_suite_has_handlers() -> None:
    assert {requirement.partition("-")[0] for requirement in EXPECTED} == set("123456789")
    assert MANIFEST["requirements"].keys() == EXPECTED.keys()

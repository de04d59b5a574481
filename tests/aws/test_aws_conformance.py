"""The handlers in ``conformance`` leave the histories that are written down there, with tuning and without.

``python tests/aws/conformance DIR`` compares them with AWS's own requirements; what is written down passed them.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from aws_kit import check_history, since

sys.path.insert(0, str(Path(__file__).parent / "conformance"))

from conformance_logs import ARN_FIELDS, Record
from conformance_play import IN_A_PROCESS, MANIFEST, Answer, Plan, play

EXPECTED = yaml.safe_load((Path(__file__).parent / "conformance" / "expected.yaml").read_text(encoding="utf-8"))
TOLD = ("Duration", "Timeout", "HeartbeatTimeout", "TenantId")
RUNS = [
    pytest.param(requirement, tuning, id=f"{requirement}-{'tuned' if tuning else 'untuned'}")
    for requirement in MANIFEST["requirements"]
    for tuning in (True, False)
    if tuning or requirement not in IN_A_PROCESS  # where there is nothing to be tuned
]
pytestmark = since(2, 0)


def plan_of(entry: dict[str, Any]) -> Plan:
    answers = [Answer(**answer) for answer in entry.get("answers", ())]
    return Plan(event=entry.get("event"), answers=tuple(answers), ends="status" in entry)


def lines_of(events: list[dict[str, Any]], letters: dict[str, str]) -> list[str]:
    """A history in short: operations have letters, and ``b<a`` is one inside another."""
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
    words += [f"{key}={details[key]}" for key in TOLD if key in details]
    retry = details.get("RetryDetails") or {}
    words += [f"attempt={retry['CurrentAttempt']}"] if retry.get("CurrentAttempt", 1) > 1 else []
    words += [f"next={retry['NextAttemptDelaySeconds']}"] if "NextAttemptDelaySeconds" in retry else []
    error = (details.get("Error") or {}).get("Payload") or {}
    words += [error["ErrorType"]] if "ErrorType" in error else []
    if "Payload" in (details.get("Result") or {}):
        words.append(f"= {details['Result']['Payload'][:50]}")
    return " ".join(filter(None, words))


def log_lines(records: list[Record], letters: dict[str, str]) -> list[str]:
    """A log in short: messages, and of other records all fields but those that say whose they are."""
    return [" ".join(log_words(record, letters)) for record in records]


def log_words(record: Record, letters: dict[str, str]) -> Iterator[str]:
    for name, value in record.items():
        if name == "message":
            yield str(value)
        elif name not in ARN_FIELDS:
            yield f"{name}={letters.get(value, value) if isinstance(value, str) else json.dumps(value)}"


def fits(line: str, expected: str) -> bool:
    """Whether a line is the expected one, in which ``*`` stands for anything."""
    return re.fullmatch(".*".join(map(re.escape, expected.split("*"))), line) is not None


def kinds_in_any_order(lines: list[str]) -> list[str]:
    return sorted(line.split(" ")[0] for line in lines)


@pytest.mark.parametrize(("requirement", "tuning"), RUNS)
def test_a_handler_leaves_the_expected_history(requirement: str, tuning: bool) -> None:
    entry = EXPECTED[requirement]
    played = play(requirement, plan_of(entry), tuning=tuning)
    result = played.result
    check_history(result.events)
    letters: dict[str, str] = {}
    lines = lines_of(result.events, letters)
    if entry.get("any order"):
        assert kinds_in_any_order(lines) == kinds_in_any_order(entry["history"])
    else:
        assert [line for line, want in zip(lines, entry["history"], strict=True) if not fits(line, want)] == []
    assert result.execution_status.value == entry.get("status", "RUNNING")
    assert result.value == entry.get("value")
    log = log_lines(played.logs, letters)
    assert {text: sum(text in line for line in log) for text in entry.get("logs", {})} == entry.get("logs", {})
    in_order = entry.get("log order", [])
    assert [line for line in log if line in in_order] == in_order


def test_every_suite_has_handlers() -> None:
    assert {requirement.partition("-")[0] for requirement in EXPECTED} == {str(suite) for suite in range(1, 11)}
    assert MANIFEST["requirements"].keys() == EXPECTED.keys()

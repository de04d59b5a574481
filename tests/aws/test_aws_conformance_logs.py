"""What the player of conformance requirements finds wrong with a log."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent / "conformance"))

from conformance_logs import differences

from conformance_records import SCRATCH, listening, said_by

BEGUN, ATTEMPT, ENDED = {"hook": "start", "first": True}, {"message": "attempt 1"}, {"hook": "end", "n": 2}
LOG = [BEGUN, ATTEMPT, ENDED, ENDED]


@pytest.mark.parametrize(
    "entry",
    [
        {"match": {"hook": "start"}},
        {"match": {"hook": "end", "n": 2}, "count": 2},
        {"match": {"hook": "end"}, "min_count": 1, "max_count": 2},
        {"match": {"hook": "late"}, "max_count": 1},
        {"match": {"message": "/attempt \\d/"}, "count": 1, "after": [BEGUN], "before": ENDED},
        {"match": {"hook": "late"}, "count": 0, "after": BEGUN},
    ],
)
def test_a_log_that_is_as_wanted(entry: dict[str, Any]) -> None:
    assert differences([entry], LOG) == []


@pytest.mark.parametrize(
    ("entry", "wrong"),
    [
        ({"match": {"hook": "late"}}, "0 lines with {'hook': 'late'}, wanted at least 1"),
        ({"match": {"hook": "end"}, "count": 1}, "2 lines with {'hook': 'end'}, wanted 1"),
        ({"match": {"hook": "end"}, "max_count": 1}, "2 lines with {'hook': 'end'}, wanted 0 to 1"),
        ({"match": {"hook": "end"}, "min_count": 3}, "2 lines with {'hook': 'end'}, wanted at least 3"),
        ({"match": {"first": 1}}, "0 lines with {'first': 1}, wanted at least 1"),
        ({"match": {"message": "attempt"}}, "0 lines with {'message': 'attempt'}, wanted at least 1"),
        ({"match": BEGUN, "after": ATTEMPT}, "are not all after those"),
        ({"match": {"hook": "end"}, "before": [BEGUN]}, "are not all before those"),
        ({"match": BEGUN, "before": {"hook": "late"}}, "no line with {'hook': 'late'}"),
    ],
)
def test_a_log_that_is_not_as_wanted(entry: dict[str, Any], wrong: str) -> None:
    (found,) = differences([entry], LOG)
    assert wrong in found


def test_what_others_say_is_not_the_execution_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SCRATCH, str(tmp_path))
    (tmp_path / "log").write_text('{"message": "left", "executionArn": "mine"}\n{"message": "boot"}\n')
    with listening() as log:
        print('{"plugin": "P", "durableExecutionArn": "mine"}\n{"plugin": "P", "durableExecutionArn": "another"}')
        print("no record")
    said = said_by("mine", log)
    assert [each.get("message", each.get("plugin")) for each in said] == ["left", "P"]

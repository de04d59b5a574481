"""``durable-runner replay``: a handler against files, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Shell


@pytest.fixture
def file(shell: Shell, tmp_path: Path) -> str:
    store = ("--store-path", "kept")
    assert shell("run", "cli_handlers:adds", "-i", '{"n": 4}', "--name", "order-7", *store).code == 0
    path = tmp_path / "order-7.json"
    path.write_text(shell("history", "order-7", "--json", *store).out, encoding="utf-8")
    return str(path)


def test_no_drift(shell: Shell, file: str) -> None:
    said = shell("replay", "cli_handlers:adds", file, file)
    assert said.code == 0
    assert said.out.count("replayed from") == 2
    assert "no drift" in said.out


def test_a_drift_is_told_and_ends_with_1(shell: Shell, file: str) -> None:
    said = shell("replay", "cli_handlers:asks", file)
    assert said.code == 1
    assert "Step 'double'" in said.out


def test_json(shell: Shell, file: str) -> None:
    said = shell("replay", "cli_handlers:asks", file, "--json", "--prefixes", "invocations")
    assert said.code == 1
    (report,) = json.loads(said.out).values()
    assert {drift["kind"] for drift in report["drifts"]} <= {"added", "removed", "retyped", "value changed"}
    assert report["replayed"] == ["invocation 1", "invocation 2"]


def test_what_cannot_be_replayed_ends_with_2(shell: Shell, file: str) -> None:
    assert shell("replay", "cli_handlers:adds", "nowhere.json").code == 2
    assert shell("replay", "cli_handlers:nobody", file).code == 2
    assert shell("replay", "cli_handlers:adds").code == 2

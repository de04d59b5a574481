"""``list``, ``show``, ``history`` and ``prune`` on stores, and executions found by a part of their ARN."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Shell

STORES = [("--store", "sqlite"), ("--store", "filesystem"), ("--store-path", "kept"), ("--store-path", "kept.sqlite3")]


@pytest.fixture(params=STORES, ids=lambda store: "-".join(store).strip("-"))
def store(request: pytest.FixtureRequest, shell: Shell) -> tuple[str, ...]:
    found: tuple[str, ...] = request.param
    assert shell("run", "cli_handlers:adds", "-i", '{"n": 4}', "--name", "order-7", *found).code == 0
    assert shell("run", "cli_handlers:fails", "--name", "order-8", "--function-name", "fails", *found).code == 1
    return found


def test_list_shows_the_newest_first(shell: Shell, store: tuple[str, ...]) -> None:
    head, *rows = [line.split("  ") for line in shell("list", *store).out.splitlines()]
    assert head[0] == "STATUS"
    assert [row[0].strip() for row in rows] == ["FAILED", "SUCCEEDED"]
    assert [row.split()[0] for row in shell("list", "--reverse", *store).out.splitlines()[1:]] == [
        "SUCCEEDED",
        "FAILED",
    ]


def test_list_filters(shell: Shell, store: tuple[str, ...]) -> None:
    def names(*filters: str) -> list[str]:
        answer = json.loads(shell("list", "--json", *filters, *store).out)
        return [each["DurableExecutionName"] for each in answer["DurableExecutions"]]

    assert names() == ["order-8", "order-7"]
    assert names("--function", "fails") == ["order-8"]
    assert names("--status", "succeeded") == ["order-7"]
    assert names("--status", "SUCCEEDED", "--status", "FAILED", "--limit", "1") == ["order-8"]
    assert names("--name", "order-7") == ["order-7"]
    assert names("--function", "nobody") == []


def test_an_execution_is_found_by_the_beginning_of_anything(shell: Shell, store: tuple[str, ...]) -> None:
    arns = shell("list", "--arns", *store).out.split()
    arn = arns[1]
    short = arn.rpartition("/")[2][:8]
    for text in (arn, arn[:-4], arn.partition(":function:")[2], "cli_handlers", "order-7", short):
        said = shell("show", text, *store)
        assert said.out.startswith("✓ execution 'order-7' SUCCEEDED"), said.err
        assert said.out.splitlines()[-1] == arn
    several = shell("show", "order", *store)
    assert several.code == 4
    assert several.err.count("\n  arn:") == 2
    assert shell("show", "order", "--function", "fails", *store).code == 0
    none = shell("show", "invoice", *store)
    assert none.code == 4
    assert "'invoice'" in none.err


def test_history_is_a_line_for_each_event(shell: Shell, store: tuple[str, ...]) -> None:
    lines = shell("history", "order-7", *store).out.splitlines()
    assert [line.split()[0] for line in lines] == [str(number) for number in range(1, len(lines) + 1)]
    assert lines[0].split() == ["1", "0", "s", "ExecutionStarted", "=", '{"n":', "4}"]
    assert "ExecutionSucceeded" in lines[-1]
    assert lines[-1].endswith("= 8")
    assert "= 8" not in shell("history", "order-7", "--no-data", *store).out


def test_history_as_the_aws_cli_prints_it(shell: Shell, store: tuple[str, ...]) -> None:
    first, *_, last = json.loads(shell("history", "order-7", "--json", *store).out)["Events"]
    assert (first["EventType"], first["EventId"]) == ("ExecutionStarted", 1)
    assert first["EventTimestamp"] == "2025-12-01T00:00:00+00:00"
    assert last["ExecutionSucceededDetails"] == {"Result": {"Payload": "8", "Truncated": False}}


def test_show_as_json(shell: Shell, store: tuple[str, ...]) -> None:
    execution = json.loads(shell("show", "order-8", "--json", *store).out)
    assert (execution["Status"], execution["Error"]["ErrorMessage"]) == ("FAILED", "no stock")


def test_prune_forgets_what_is_old(shell: Shell, store: tuple[str, ...]) -> None:
    arns = shell("list", "--arns", "--reverse", *store).out.split()
    assert shell("prune", "--now", "2025-12-10", *store).out == ""
    assert shell("prune", "--now", "2025-12-20", "--dry-run", *store).out.split() == arns
    assert shell("prune", "--now", "2025-12-15T06:00:00", *store).out.split() == [arns[1]]
    assert shell("prune", "--now", "2025-12-20", *store).out.split() == [arns[0]]
    nothing = shell("list", *store)
    assert (nothing.code, nothing.out, nothing.err) == (0, "", "No executions.\n")
    assert shell("prune", "--now", "yesterday", *store).code == 2


def test_the_environment_names_a_store(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "filesystem")
    monkeypatch.setenv("AWS_DEX_STORE_PATH", "there")
    assert shell("run", "cli_handlers:adds", "-i", '{"n": 4}', "--name", "order-7").code == 0
    assert "order-7" in shell("list").out
    assert shell("prune").out.count("arn:") == 1  # by the machine's clock December 2025 is long ago


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "Which executions?"),
        (("--store", "memory"), 2, "Which executions?"),
        (("--store", "sqlite"), 5, "There is no sqlite store"),
        (("--store", "filesystem", "--store-path", "nowhere"), 5, "nowhere"),
        (("--store", "mongo"), 5, "unknown store 'mongo'"),
        (("--store", "sqlite", "--endpoint-url", "http://127.0.0.1:1"), 2, "leave out one"),
        (("--status", "HAPPY", "--store", "sqlite"), 2, "HAPPY"),
    ],
)
def test_what_cannot_be_listed(shell: Shell, arguments: tuple[str, ...], code: int, words: str) -> None:
    said = shell("list", *arguments)
    assert (said.code, said.out) == (code, "")
    assert words in said.err


def test_looking_for_a_store_makes_none(shell: Shell) -> None:
    shell("list", "--store", "sqlite")
    shell("list", "--store", "filesystem")
    assert list(Path.cwd().iterdir()) == []


def test_show_has_a_timeline_below_the_tree(shell: Shell, store: tuple[str, ...]) -> None:
    lines = shell("show", "order-7", "--function", "cli_handlers", *store).out.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("virtual time"))
    assert lines[start].split() == ["virtual", "time", "0", "s", "12", "h"]
    assert lines[start + 2].startswith("2 invocations")
    assert lines[start + 3].startswith("✓ double ")
    assert lines[start - 1] == "  result: 8"
    # One that has no operations has nothing to draw.
    assert "virtual time" not in shell("show", "order-8", "--function", "fails", *store).out


def test_show_writes_a_page(shell: Shell, store: tuple[str, ...], tmp_path: Path) -> None:
    said = shell("show", "order-7", "--html", "order-7.html", *store)
    assert (said.code, said.out, said.err) == (0, "order-7.html\n", "")
    first = (tmp_path / "order-7.html").read_bytes()
    assert first.startswith(b"<!doctype html>")
    assert b"until the morning" in first
    shell("show", "order-7", "--html", "again.html", *store)
    assert (tmp_path / "again.html").read_bytes() == first
    both = shell("show", "order-7", "--html", "order-7.html", "--json", *store)
    assert (both.code, both.out) == (2, "")
    nowhere = shell("show", "order-7", "--html", "nowhere/order-7.html", *store)
    assert nowhere.code == 5
    assert "Traceback" not in nowhere.err

"""``durable-runner run`` and ``resume``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Shell

SQLITE = ("--store", "sqlite")


def test_a_run_prints_the_tree_and_the_result(shell: Shell) -> None:
    said = shell("run", "cli_handlers:adds", "--input", '{"n": 4}', "--name", "order-7")
    assert (said.code, said.err) == (0, "")
    assert said.out.splitlines() == [
        "✓ execution 'order-7' SUCCEEDED after 12 h, 2 invocations",
        "├─ ✓ Step 'double'  SUCCEEDED  at 0 s  = 8",
        "└─ ✓ Wait 'until the morning'  SUCCEEDED  at 0 s → 12 h  (12 h)",
        "  result: 8",
    ]


def test_input_comes_from_a_file_or_a_pipe(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"n": 5}')
    assert "result: 10" in shell("run", "cli_handlers:adds", "-i", "@order.json").out
    assert "result: 12" in shell("run", "cli_handlers:adds", "-i", "-", text='{"n": 6}').out


def test_json_is_the_execution_as_the_api_tells_it(shell: Shell) -> None:
    said = shell("run", "cli_handlers:adds", "--input", '{"n": 4}', "--name", "order-7", "--json")
    execution = json.loads(said.out)
    assert execution["Status"] == "SUCCEEDED"
    assert execution["Result"] == "8"
    assert execution["InputPayload"] == '{"n": 4}'
    assert execution["StartTimestamp"] == "2025-12-01T00:00:00+00:00"
    assert ":function:cli_handlers:$LATEST/durable-execution/order-7/" in execution["DurableExecutionArn"]


def test_an_execution_that_fails_is_exit_code_1(shell: Shell) -> None:
    said = shell("run", "cli_handlers:fails")
    assert said.code == 1
    assert "error: ValueError: no stock" in said.out
    assert said.err == ""


def test_an_execution_that_waits_is_exit_code_3_and_says_how_to_go_on(shell: Shell) -> None:
    said = shell("run", "cli_handlers:asks")
    assert said.code == 3
    assert "RUNNING" in said.out
    assert "--callback approval=RESULT" in said.err
    assert "durable-runner callback succeed" in said.err


def test_callbacks_are_answered_in_advance(shell: Shell) -> None:
    said = shell("run", "cli_handlers:asks", "--callback", "appro*=yes", "--callback", "never=no")
    assert (said.code, said.err) == (0, "--callback never: no callback of that name was opened.\n")
    assert 'result: {"answer": "yes"}' in said.out


def test_functions_that_a_handler_invokes(shell: Shell) -> None:
    assert "result: 10.0" in shell("run", "cli_handlers:invoices", "--function", "tax=cli_handlers:tax").out


def test_progress_goes_to_standard_error(shell: Shell) -> None:
    said = shell("run", "cli_handlers:adds", "--input", '{"n": 4}', "--progress")
    lines = said.err.splitlines()
    assert lines[0].split() == ["0", "s", "ExecutionStarted", "=", '{"n":', "4}"]
    assert "  12 h  ExecutionSucceeded  = 8" in lines
    assert "ExecutionSucceeded" not in said.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cli_handlers:add",), "Did you mean 'adds'?"),
        (("cli_handlers",), "'module:attribute'"),
        (("cli_nowhere:adds",), "No module named 'cli_nowhere'"),
        (("cli_handlers:tax",), "no durable function"),
        (("cli_handlers:adds", "-i", "{"), "--input is no JSON"),
        (("cli_handlers:adds", "-i", "@nowhere.json"), "cannot read nowhere.json"),
        (("cli_handlers:adds", "--callback", "approval"), "NAME=RESULT"),
        (("cli_handlers:adds", "--function", "=x"), "NAME=MODULE:HANDLER"),
        (("cli_handlers:adds", "--clock", "sand"), "sand"),
        (("cli_handlers:adds", "--name", "no name"), "ValidationException: "),
        ((), "MODULE:HANDLER"),
    ],
)
def test_wrong_usage_is_exit_code_2_and_words(shell: Shell, arguments: tuple[str, ...], words: str) -> None:
    said = shell("run", *arguments)
    assert said.code == 2
    assert words in said.err
    assert "Traceback" not in said.err


def test_an_execution_is_answered_and_resumed_later(shell: Shell) -> None:
    assert shell("run", "cli_handlers:asks", "--name", "order-7", *SQLITE).code == 3
    assert shell("callback", "succeed", "--execution", "order", "--result", "yes", *SQLITE).code == 0
    said = shell("resume", "order-7", "--handler", "cli_handlers:asks", *SQLITE)
    assert said.code == 0
    assert 'result: {"answer": "yes"}' in said.out
    again = shell("resume", "order-7", "--handler", "cli_handlers:asks", "--json", *SQLITE)
    assert (again.code, json.loads(again.out)["Status"]) == (0, "SUCCEEDED")


def test_resume_needs_a_handler_and_an_execution(shell: Shell) -> None:
    assert shell("resume", "order-7", *SQLITE).code == 2
    assert shell("resume", "order-7", "--handler", "cli_handlers:asks", *SQLITE).code == 5
    shell("run", "cli_handlers:asks", "--name", "order-7", *SQLITE)
    assert shell("resume", "order-8", "--handler", "cli_handlers:asks", *SQLITE).code == 4


def test_traceback_shows_where_an_error_comes_from(shell: Shell) -> None:
    with pytest.raises(Exception, match="no attribute"):
        raise_through(shell)


def raise_through(shell: Shell) -> None:
    from cli_kit import click_runner

    from async_durable_execution_runner._cli.app import app

    click_runner().invoke(app, ["--traceback", "run", "cli_handlers:add"], catch_exceptions=False)

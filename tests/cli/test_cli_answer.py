"""``callback`` and ``stop`` on a store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_kit import Shell

from async_durable_execution_runner import DurableFunctionTestRunner

SQLITE = ("--store", "sqlite")


def waiting(shell: Shell, handler: str = "asks") -> None:
    assert shell("run", f"cli_handlers:{handler}", "--name", "order-7", *SQLITE).code == 3


def callback_ids(shell: Shell) -> dict[str, str]:
    events = json.loads(shell("history", "order-7", "--json", *SQLITE).out)["Events"]
    started = [event for event in events if event["EventType"] == "CallbackStarted"]
    return {event["Name"]: event["CallbackStartedDetails"]["CallbackId"] for event in started}


def resumed(shell: Shell, handler: str = "asks") -> str:
    return shell("resume", "order-7", "--handler", f"cli_handlers:{handler}", *SQLITE).out


def test_a_callback_is_answered_by_its_id(shell: Shell, tmp_path: Path) -> None:
    waiting(shell)
    (tmp_path / "answer.txt").write_text("from a file")
    said = shell("callback", "succeed", callback_ids(shell)["approval"], "--result", "@answer.txt", *SQLITE)
    assert said.code == 0
    assert said.out.startswith("Answered a callback of arn:aws:lambda:")
    assert 'result: {"answer": "from a file"}' in resumed(shell)


def test_a_callback_fails(shell: Shell) -> None:
    waiting(shell)
    refusal = ("--error", "Refused", "--message", "too much")
    assert shell("callback", "fail", "--execution", "order-7", *refusal, *SQLITE).code == 0
    assert "Refused: too much" in resumed(shell)


def test_a_heartbeat_leaves_it_open(shell: Shell) -> None:
    waiting(shell)
    assert shell("callback", "heartbeat", "--execution", "order-7", *SQLITE).code == 0
    assert shell("callback", "succeed", "--execution", "order-7", *SQLITE).code == 0
    assert "SUCCEEDED" in resumed(shell)


def test_of_several_callbacks_one_has_to_be_named(shell: Shell) -> None:
    waiting(shell, "asks_twice")
    unnamed = shell("callback", "succeed", "--execution", "order-7", *SQLITE)
    assert unnamed.code == 4
    assert "2 open callbacks" in unnamed.err
    assert "'first', 'second'" in unnamed.err
    for name in ("second", "fir*"):
        answer = ("--name", name, "--result", name)
        assert shell("callback", "succeed", "--execution", "order-7", *answer, *SQLITE).code == 0
    assert 'result: ["fir*", "second"]' in resumed(shell, "asks_twice")


def test_which_callback_has_to_be_said_once(shell: Shell) -> None:
    waiting(shell)
    assert shell("callback", "succeed", *SQLITE).code == 2
    assert shell("callback", "succeed", "some-id", "--execution", "order-7", *SQLITE).code == 2
    unknown = shell("callback", "succeed", "some-id", *SQLITE)
    assert (unknown.code, "'some-id' is no callback's id" in unknown.err) == (4, True)


def test_a_callback_is_answered_once(shell: Shell) -> None:
    waiting(shell)
    callback_id = callback_ids(shell)["approval"]
    assert shell("callback", "succeed", callback_id, *SQLITE).code == 0
    again = shell("callback", "succeed", callback_id, *SQLITE)
    assert again.code == 5
    assert again.err.startswith("durable-runner: CallbackTimeoutException: ")
    assert shell("callback", "succeed", "--execution", "order-7", *SQLITE).code == 4


def test_an_execution_is_stopped(shell: Shell) -> None:
    waiting(shell)
    said = shell("stop", "order", "--error", "SoldOut", "--message", "no lamps", *SQLITE)
    assert said.code == 0
    assert said.out.startswith("STOPPED arn:")
    assert "error: SoldOut: no lamps" in shell("show", "order-7", *SQLITE).out
    assert shell("stop", "order", *SQLITE).out.startswith("STOPPED arn:")


def test_an_execution_whose_invocation_is_under_way_is_left_alone(shell: Shell) -> None:
    with DurableFunctionTestRunner("cli_handlers:asks", store="sqlite") as runner:
        arn = runner.run_async(execution_name="order-7")
        runner._local.executor.begin_invocation(arn, runner._local.clock.now_millis())
    before = shell("history", "order-7", *SQLITE).out
    said = shell("stop", "order-7", *SQLITE)
    assert said.code == 3
    assert "under way" in said.err
    assert shell("history", "order-7", *SQLITE).out == before


def test_an_execution_that_waits_for_an_invoke_is_left_alone(shell: Shell) -> None:
    run = ("run", "cli_handlers:asks_another", "--name", "parent", "--function", "asks=cli_handlers:asks")
    assert shell(*run, *SQLITE).code == 3
    said = shell("stop", "parent", *SQLITE)
    assert said.code == 3
    assert "'asks'" in said.err
    assert "RUNNING" in shell("show", "parent", *SQLITE).out


@pytest.mark.parametrize("command", ["stop", "show", "history"])
def test_an_unknown_execution_is_exit_code_4(shell: Shell, command: str) -> None:
    waiting(shell)
    assert shell(command, "invoice", *SQLITE).code == 4

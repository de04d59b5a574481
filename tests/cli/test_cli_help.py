"""Help: of every command, with examples that are spelled as the command is."""

from __future__ import annotations

import re
import shlex

import pytest
from cli_kit import Shell

pytest.importorskip("click", reason="the extra `cli` is not installed")
pytest.importorskip("rich", reason="the extra `cli` is not installed")

import click

from async_durable_execution_runner._cli.app import app
from async_durable_execution_runner._cli.problems import EXIT_CODES

COMMANDS = [(name,) for name in app.commands if name != "callback"]
COMMANDS += [("callback", name) for name in ("succeed", "fail", "heartbeat")]


def examples_of(text: str) -> list[str]:
    return re.findall(r"durable-runner (.+)", text.partition("Examples:")[2])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples_that_the_command_understands(shell: Shell, command: tuple[str, ...]) -> None:
    said = shell(*command, "--help")
    assert said.code == 0
    examples = examples_of(said.out)
    assert examples
    for example in examples:
        words = shlex.split(re.split(r" [|>] ", example)[0], comments=True)
        parse(app, words)


def parse(group: click.Group, words: list[str]) -> None:
    """Options and arguments, without running anything."""
    name, *rest = words
    each = group.commands[name]
    if isinstance(each, click.Group):
        parse(each, rest)
    else:
        each.make_context(name, rest)


def test_the_group_says_what_the_exit_codes_mean(shell: Shell) -> None:
    text = shell("--help").out
    for line in EXIT_CODES.splitlines():
        assert line.strip() in text


def test_a_command_that_does_not_exist(shell: Shell) -> None:
    said = shell("rnu")
    assert said.code == 2
    assert "No such command 'rnu'" in said.err

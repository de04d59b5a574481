"""``--watch``: lines in a pipe, a drawing on a terminal."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_kit import Shell, command, durable_runner, environment

pytest.importorskip("click", reason="the extra `cli` is not installed")
pytest.importorskip("rich", reason="the extra `cli` is not installed")

# Makes the terminal the process's own, so that Ctrl-C reaches it.
LEAD = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
HIDDEN, SHOWN = "\x1b[?25l", "\x1b[?25h"


def test_a_pipe_gets_a_line_for_each_event_and_then_the_tree(shell: Shell) -> None:
    said = shell("run", "cli_handlers:adds", "--input", '{"n": 4}', "--name", "order-7", "--watch")
    assert (said.code, said.err) == (0, "")
    lines = said.out.splitlines()
    head = lines.index("✓ execution 'order-7' SUCCEEDED after 12 h, 2 invocations")
    assert [line.split()[2] for line in lines[:head]] == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "WaitStarted",
        "InvocationCompleted",
        "WaitSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    assert "\x1b" not in said.out
    assert lines[-1] == "  result: 8"


def test_with_json_the_answer_stays_alone(shell: Shell) -> None:
    said = shell("run", "cli_handlers:adds", "--input", '{"n": 4}', "--watch", "--json")
    assert json.loads(said.out)["Status"] == "SUCCEEDED"
    assert "WaitSucceeded 'until the morning'" in said.err


def test_resume_can_be_watched_too(shell: Shell) -> None:
    assert shell("run", "cli_handlers:asks", "--name", "order-7", "--store", "sqlite").code == 3
    shell("callback", "succeed", "--execution", "order-7", "--result", "yes", "--store", "sqlite")
    said = shell("resume", "order-7", "--handler", "cli_handlers:asks", "--store", "sqlite", "--watch")
    assert "ExecutionSucceeded" in said.out.partition("✓ execution")[0]


def test_what_happens_on_a_pipe_is_not_said_twice(shell: Shell) -> None:
    said = shell("run", "cli_handlers:adds", "--input", '{"n": 4}', "--watch", "--progress")
    assert (said.out.count("WaitSucceeded"), said.err) == (1, "")


class Terminal:
    """The command on a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        import pty

        self._master, slave = pty.openpty()
        variables = environment() | {"TERM": "xterm-256color", "COLUMNS": "80", "LINES": "30"}
        leading = [sys.executable, "-c", LEAD, *command(*arguments)]
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}
        self.process = subprocess.Popen(leading, cwd=folder, env=variables, start_new_session=True, **streams)
        os.close(slave)
        self.text = ""

    def read_until(self, words: str) -> None:
        while words not in self.text:
            chunk = self._read()
            assert chunk, self.text
            self.text += chunk

    def read_all(self) -> str:
        while chunk := self._read():
            self.text += chunk
        self.process.wait(20)
        return self.text

    def press(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.wait(20)
        os.close(self._master)

    def _read(self) -> str:
        try:
            return os.read(self._master, 65_536).decode("utf-8", "replace")
        except OSError:  # what Linux says at the end
            return ""


@contextlib.contextmanager
def terminal(folder: Path, *arguments: str) -> Iterator[Terminal]:
    opened = Terminal(folder, *arguments)
    try:
        yield opened
    finally:
        opened.close()


on_posix = pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")


@on_posix
def test_a_terminal_shows_a_drawing_and_is_left_with_the_tree(tmp_path: Path) -> None:
    with terminal(tmp_path, "run", "cli_handlers:adds", "-i", '{"n": 4}', "--name", "order-7", "--watch") as shown:
        text = shown.read_all()
        assert shown.process.returncode == 0
    assert text.index(HIDDEN) < text.rindex(SHOWN) < text.index("result: 8")
    drawn, _, tree = text.rpartition(SHOWN)
    assert "virtual time" in drawn
    assert "until the morning" in drawn
    assert "ExecutionStarted" not in text
    assert "virtual time" not in tree
    # The drawing is wiped, line by line upwards, before the tree is printed.
    wiped = tree[: tree.index("execution 'order-7' ")]
    assert wiped.count("\x1b[1A\x1b[2K") >= 6


@on_posix
def test_ctrl_c_leaves_a_clean_terminal_and_an_execution_to_resume(tmp_path: Path) -> None:
    store = ("--store", "sqlite")
    arguments = ("run", "cli_handlers:sleeps_a_minute", "--clock", "real", "--watch", "--name", "order-7", *store)
    with terminal(tmp_path, *arguments) as shown:
        shown.read_until("a minute")
        shown.press(b"\x03")
        text = shown.read_all()
        assert shown.process.returncode == 130
    assert text.rindex(HIDDEN) < text.rindex(SHOWN)
    assert "is kept: go on with durable-runner resume." in text
    assert "Traceback" not in text
    assert '"order-7" RUNNING' not in text
    handler = ("--handler", "cli_handlers:sleeps_a_minute")
    resumed = durable_runner(tmp_path, "resume", "order-7", *handler, *store)
    assert resumed.returncode == 0, resumed.stderr
    assert 'result: "awake"' in resumed.stdout


def test_a_picture_that_fails_does_not_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.console import Console

    from async_durable_execution_runner._cli import watching
    from async_durable_execution_runner.runner import DurableFunctionTestRunner

    def broken(*_: object, **__: object) -> str:
        raise ZeroDivisionError("the renderer is broken")

    monkeypatch.setattr(watching, "render_timeline", broken)
    sys.path.insert(0, str(Path(__file__).parent))
    with DurableFunctionTestRunner("cli_handlers:sleeps") as runner:
        arn = runner.run_async({})
        console = Console(file=io.StringIO())
        console.print(watching._Picture(runner, arn))
        assert isinstance(console.file, io.StringIO)
        assert "cannot be drawn right now: ZeroDivisionError: the renderer is broken" in console.file.getvalue()

"""The command as a process: pipes, colours, signals, what is missing, and what it does not import."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cli_kit import command, durable_runner, environment

pytest.importorskip("click", reason="the extra `cli` is not installed")
pytest.importorskip("rich", reason="the extra `cli` is not installed")

RUN = ("run", "cli_handlers:adds", "--input", '{"n": 4}', "--name", "order-7")


def test_in_a_pipe_there_is_no_colour_and_no_progress(tmp_path: Path) -> None:
    done = durable_runner(tmp_path, *RUN)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert done.stdout.endswith("  result: 8\n")


def test_long_lines_are_not_broken_in_a_pipe(tmp_path: Path) -> None:
    done = durable_runner(tmp_path, "run", "cli_handlers:asks", "--callback", f"approval={'x' * 90}", COLUMNS="40")
    assert f'  result: {{"answer": "{"x" * 87}…' in done.stdout.splitlines()


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
@pytest.mark.parametrize(("variables", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_a_terminal_has_colour_and_progress_unless_no_color_is_set(
    tmp_path: Path, variables: dict[str, str], *, coloured: bool
) -> None:
    import pty

    main, terminal = pty.openpty()
    process = subprocess.Popen(
        command(*RUN),
        cwd=tmp_path,
        env=environment() | {"TERM": "xterm-256color"} | variables,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    printed = b""
    while chunk := read(main):
        printed += chunk
    assert process.wait(60) == 0
    assert b"ExecutionSucceeded" in printed
    assert (b"\x1b[32m" in printed) is coloured


def read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # on Linux a terminal that nobody holds any more
        return b""


@pytest.mark.skipif(os.name == "nt", reason="signals end processes in another way")
def test_ctrl_c_is_exit_code_130(tmp_path: Path) -> None:
    arguments = command("run", "cli_handlers:sleeps", "--clock", "real", "--progress")
    with subprocess.Popen(
        arguments, cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        while "InvocationCompleted" not in process.stderr.readline():
            pass
        process.send_signal(signal.SIGINT)
        rest = process.stderr.read()
    assert process.returncode == 130
    assert "Interrupted." in rest
    assert "Traceback" not in rest


def test_a_damaged_document_is_a_warning_in_words(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "order.json").write_text("{")
    done = durable_runner(tmp_path, "list", "--store-path", "kept")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("Warning: left out of the listing: ")
    assert "_cli" not in done.stderr


def test_modules_of_the_current_folder_are_found(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text("from cli_handlers import adds as handler\n")
    code = "from async_durable_execution_runner.cli import main; main()"
    # As the console script starts it: without the current folder on the path.
    arguments = [sys.executable, "-P", "-c", code, "run", "mine:handler", "--input", '{"n": 1}']
    done = subprocess.run(
        arguments, cwd=tmp_path, env=environment(), capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert "result: 2" in done.stdout, done.stderr


def test_a_missing_extra_is_named_with_the_command_that_installs_it(tmp_path: Path) -> None:
    code = (
        "import importlib.util, sys\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *more: None if name == 'rich' else find(name, *more)\n"
        "from async_durable_execution_runner.cli import main\n"
        "main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == ("durable-runner needs rich: python3 -m pip install 'async-durable-execution-runner[cli]'\n")


def test_importing_the_module_imports_neither_click_nor_rich() -> None:
    code = "import sys, async_durable_execution_runner.cli; print({'click', 'rich'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "set()"


def test_the_console_script_is_declared() -> None:
    path = Path(__file__).resolve().parents[2] / "pyproject.toml"
    scripts = tomllib.loads(path.read_text(encoding="utf-8"))["project"]["scripts"]
    assert scripts == {"durable-runner": "async_durable_execution_runner.cli:main"}

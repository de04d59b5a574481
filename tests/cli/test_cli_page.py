"""The commands of docs/cli.md work as they stand there, in one folder, from top to bottom, with each SDK's handler."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cli_kit import command, environment

pytest.importorskip("click", reason="the extra `cli` is not installed")
pytest.importorskip("rich", reason="the extra `cli` is not installed")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

import click

from async_durable_execution_runner._cli.app import app

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
TEXT = PAGE.read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FENCES = list(FENCE.finditer(TEXT))
HANDLERS = [fence[2] for fence in FENCES if fence[1] == "python"]


def shell_blocks() -> Iterator[tuple[str, str | None]]:
    """Commands, and what the page says they print."""
    for fence, behind in zip(FENCES, [*FENCES[1:], None], strict=True):
        before = TEXT[: fence.start()].rstrip().rpartition("\n")[2]
        if fence[1] == "sh" and "not run:" not in before:
            shown = behind is not None and TEXT[fence.end() : behind.start()].strip() == "prints:"
            yield fence[2], behind[2] if shown and behind is not None else None


def folder_with_orders(folder: Path, code: str) -> Path:
    (folder / "orders.py").write_text(code, encoding="utf-8")
    tool = folder / "bin" / "durable-runner"
    tool.parent.mkdir()
    tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m async_durable_execution_runner.cli "$@"\n')
    tool.chmod(0o755)
    return folder


@contextmanager
def served(folder: Path, text: str) -> Iterator[str]:
    """The server of the page on a port that is free; its address."""
    arguments = text.replace("&", "").split()[1:]
    process = subprocess.Popen(
        command(*arguments, "--port", "0"), cwd=folder, env=environment(), stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().removeprefix("Listening on ").strip()
    finally:
        process.terminate()
        process.communicate(timeout=30)
    assert process.returncode == (0 if os.name != "nt" else 1)


def run_block(folder: Path, text: str, address: str | None = None) -> str:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        ["sh", "-e", "-c", text.replace("http://127.0.0.1:8585", address or "nowhere")],
        cwd=folder,
        env=environment() | {"PATH": path},
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def lines_of(text: str) -> list[str]:
    """Without ids and ARNs, which the page leaves out or which are of no interest."""
    lines = (re.sub(r"  [0-9a-f]{8}$", "  id", line.rstrip()) for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("arn:")]


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no `sh` here")
@pytest.mark.parametrize("sdk", ["async_durable_execution", "aws_durable_execution_sdk_python"])
def test_the_commands_of_the_page_print_what_it_says(tmp_path: Path, sdk: str) -> None:
    pytest.importorskip(sdk)
    folder = folder_with_orders(tmp_path, next(code for code in HANDLERS if f"from {sdk} import" in code))
    blocks = list(shell_blocks())
    assert len(blocks) >= 7
    server = next(text for text, _ in blocks if text.rstrip().endswith("&"))
    number = [text for text, _ in blocks].index(server)
    for text, output in blocks[:number]:
        check(text, output, run_block(folder, text))
    with served(folder, server) as address:
        for text, output in blocks[number + 1 :]:
            check(text, output, run_block(folder, text, address))


def check(text: str, expected: str | None, printed: str) -> None:
    if expected is not None:
        said = iter(lines_of(printed))
        assert [line for line in lines_of(expected) if line not in said] == [], f"{text}\n{printed}"


def commands() -> Iterator[tuple[str, click.Command]]:
    for name, each in app.commands.items():
        inner = each.commands.items() if isinstance(each, click.Group) else []
        yield name, each
        yield from ((f"{name} {part}", command) for part, command in inner)


@pytest.mark.parametrize(("name", "each"), list(commands()), ids=[name for name, _ in commands()])
def test_every_command_and_option_is_on_the_page(name: str, each: click.Command) -> None:
    options = [option for param in each.params if isinstance(param, click.Option) for option in param.opts]
    assert f"`{name}`" in TEXT or f"[`{name}`]" in TEXT
    assert [option for option in options if option not in TEXT] == []

"""What tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


def environment() -> dict[str, str]:
    """Without what the machine says of stores, endpoints and colours."""
    dropped = ("AWS_", "NO_COLOR", "FORCE_COLOR", "PYTEST", "TTY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1", "PYTHONPATH": str(HERE)}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "async_durable_execution_runner.cli", *arguments]


def durable_runner(folder: Path, *arguments: str, text: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as a pipe sees it."""
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        env=environment() | variables,
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str


Shell = Callable[..., Said]


def click_runner() -> Any:
    """Standard error apart: click 8.1 has to be asked for it."""
    from click.testing import CliRunner

    try:
        return CliRunner(mix_stderr=False)
    except TypeError:
        return CliRunner()

"""What tests of the command line share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HANDLERS = """\
from datetime import timedelta

from async_durable_execution import create_callback, durable_callable, durable_execution, invoke, step, wait


@durable_callable
async def double(number: int) -> int:
    return number * 2


@durable_execution
async def adds(event):
    doubled = await step(double(event["n"]), name="double")
    await wait(timedelta(hours=12), name="until the morning")
    return doubled


@durable_execution
async def asks(event):
    approval = await create_callback(name="approval")
    return {"answer": await approval.result()}


@durable_execution
async def fails(event):
    raise ValueError("no stock")


@durable_execution
async def invoices(event):
    return await invoke("tax", {"amount": 40}, name="rate")


def tax(event, context):
    return event["amount"] * 0.25
"""


def environment() -> dict[str, str]:
    """Without what the machine says of stores, endpoints and colours."""
    dropped = ("AWS_", "NO_COLOR", "FORCE_COLOR", "PYTEST", "TTY_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | {"PYTHONIOENCODING": "utf-8", "PYTHONUTF8": "1"}


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

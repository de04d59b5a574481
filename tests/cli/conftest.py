"""A shell in a folder of its own, without a process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from cli_kit import Said, Shell, click_runner


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    pytest.importorskip("click", reason="the extra `cli` is not installed")
    pytest.importorskip("rich", reason="the extra `cli` is not installed")
    from async_durable_execution_runner._cli.app import app

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])

    def call(*arguments: str, text: str = "") -> Said:
        done = click_runner().invoke(app, list(arguments), input=text)
        return Said(done.exit_code, done.stdout, done.stderr)

    return call

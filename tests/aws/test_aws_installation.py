"""The first command of the page on AWS's SDK, in a fresh environment; and then the page's first examples, there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from aws_kit import since

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))

from pages import REPOSITORY, blocks_of, normalised

PAGE = REPOSITORY / "docs" / "aws-sdk.md"
FIRST = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_NETWORK = ("NewConnectionError", "Temporary failure in name resolution", "Network is unreachable")
pytestmark = since(3, 0)  # once, in the environment that this release has to itself


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of a fresh environment in which the page's first commands have run."""
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    scripts = folder / ("Scripts" if os.name == "nt" else "bin")
    commands = FIRST.search(PAGE.read_text(encoding="utf-8"))
    assert commands is not None
    for command in commands[1].splitlines():
        words = [word.strip('"') for word in command.split()]
        done = run([str(scripts / "python"), *words[1:]], REPOSITORY)
        if any(sign in done.stdout + done.stderr for sign in NO_NETWORK):
            pytest.skip("no package index can be reached")
        assert (words[0], done.returncode) == ("python3", 0), done.stdout + done.stderr
    return str(scripts / "python")


def run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV", "PYTHON"))}
    environment |= {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=300, check=False
    )


def test_the_first_examples_run_there(python: str, tmp_path: Path) -> None:
    first, with_pytest = blocks_of(PAGE)[:2]
    (tmp_path / "test_lamp.py").write_text(f"{first.code}\n\n{with_pytest.code}", encoding="utf-8")
    done = run([python, "test_lamp.py"], tmp_path)
    assert first.output is not None
    assert normalised(done.stdout) == normalised(first.output), done.stderr
    done = run([python, "-m", "pytest", "-q", "test_lamp.py"], tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_only_the_sdk_that_was_asked_for_is_there(python: str, tmp_path: Path) -> None:
    program = "import importlib.util as u; print(u.find_spec('async_durable_execution') is None)"
    assert run([python, "-c", program], tmp_path).stdout == "True\n"
    program = """
from async_durable_execution_runner import DurableFunctionTestRunner
async def handler(event): pass
try:
    DurableFunctionTestRunner(handler)
except Exception as error:
    print(type(error).__name__, error)
"""
    told = run([python, "-c", program], tmp_path).stdout
    assert told.startswith("SdkNotInstalledError handler __main__.handler needs the package async_durable_execution")
    assert told.rstrip().endswith("pip install async-durable-execution")

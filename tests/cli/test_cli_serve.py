"""``durable-runner serve`` as a process, and what it refuses."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest
from cli_kit import Shell, command, environment

pytest.importorskip("click", reason="the extra `cli` is not installed")
pytest.importorskip("rich", reason="the extra `cli` is not installed")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

FAILS = ("--function", "fails=cli_handlers:fails")


@pytest.mark.skipif(os.name == "nt", reason="signals end processes in another way")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_until_it_is_told_to_end(tmp_path: Path, ending: signal.Signals) -> None:
    arguments = command("serve", *FAILS, "--port", "0", "--store", "sqlite")
    with subprocess.Popen(
        arguments,
        cwd=tmp_path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().removeprefix("Listening on ").strip()
        client = boto3.client(
            "lambda",
            endpoint_url=url,
            region_name="us-west-2",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        answer: Any = client.invoke(FunctionName="fails")
        process.send_signal(ending)
        said = process.stderr.read()
    assert answer["FunctionError"] == "Unhandled"
    assert process.returncode == 0
    assert "Functions: fails." in said
    assert (tmp_path / ".durable_executions" / "executions.sqlite3").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "--function"),
        (("--function", "fails"), 2, "NAME=MODULE:HANDLER"),
        (("--function", "fails=cli_handlers:fail"), 2, "Did you mean 'fails'?"),
        ((*FAILS, "--host", "0.0.0.0"), 2, "--allow-remote"),
        ((*FAILS, "--port", "70000"), 2, "70000"),
        ((*FAILS, "--store", "mongo"), 5, "unknown store"),
    ],
)
def test_what_it_refuses(shell: Shell, arguments: tuple[str, ...], code: int, words: str) -> None:
    said = shell("serve", *arguments)
    assert said.code == code
    assert words in said.err


def test_a_port_that_is_taken_is_exit_code_5(shell: Shell) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        said = shell("serve", *FAILS, "--port", str(taken.getsockname()[1]))
    assert said.code == 5
    assert "in use" in said.err or "10048" in said.err

"""``durable-runner serve`` as a process, and what it refuses."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
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


@contextlib.contextmanager
def serving(folder: Path, *arguments: str) -> Iterator[tuple[Any, Any]]:
    """A client of what is served, and the process that serves."""
    with subprocess.Popen(
        command("serve", *arguments, "--port", "0"),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().removeprefix("Listening on ").strip().replace("0.0.0.0", "127.0.0.1")
            options = {"region_name": "us-west-2", "aws_access_key_id": "local", "aws_secret_access_key": "local"}
            yield boto3.client("lambda", endpoint_url=url, **options), process
        finally:
            process.terminate()


@pytest.mark.skipif(os.name == "nt", reason="terminate() ends it without a word there")
def test_a_warning_for_what_others_can_reach(tmp_path: Path) -> None:
    with serving(tmp_path, *FAILS, "--host", "0.0.0.0", "--allow-remote") as (client, process):
        assert client.invoke(FunctionName="fails")["FunctionError"] == "Unhandled"
        process.terminate()
        said = process.stderr.read()
    assert "Warning: whoever can reach 0.0.0.0 can run these functions; signatures are not checked" in said


@pytest.mark.skipif(os.name == "nt", reason="terminate() ends it without a word there")
def test_code_that_changes_while_it_is_served(tmp_path: Path) -> None:
    code = tmp_path / "tax.py"
    code.write_text("def handler(event, context):\n    return 1\n", encoding="utf-8")
    with serving(tmp_path, "--function", "tax=tax:handler", "--reload") as (client, process):
        assert client.invoke(FunctionName="tax")["Payload"].read() == b"1"
        code.write_text("def handler(event, context)\n", encoding="utf-8")
        assert b"Runtime.UserCodeSyntaxError" in client.invoke(FunctionName="tax")["Payload"].read()
        code.write_text("def handler(event, context):\n    return 22\n", encoding="utf-8")
        assert client.invoke(FunctionName="tax")["Payload"].read() == b"22"
        process.terminate()
        said = process.stderr.read()
    assert said.count("Reloading: tax.py changed.") >= 1
    assert said.count("cannot import the module of handler 'tax:handler': SyntaxError") == 1
    assert "Traceback" not in said


@pytest.mark.skipif(os.name == "nt", reason="no SIGKILL there")
def test_executions_that_a_killed_process_has_left(tmp_path: Path) -> None:
    arguments = ("--function", "asks=cli_handlers:asks", "--store", "sqlite")
    with serving(tmp_path, *arguments) as (client, process):
        client.invoke(FunctionName="asks", InvocationType="Event", DurableExecutionName="order-7")
        wait_for_callback(client)
        process.kill()
    with serving(tmp_path, *arguments) as (_, process):
        process.terminate()
        assert "The store has 1 that are not over" in process.stderr.read()
    with serving(tmp_path, *arguments, "--resume") as (client, process):
        client.send_durable_execution_callback_success(CallbackId=wait_for_callback(client), Result=b"yes")
        # The name is taken: what answers is the execution that was begun before.
        answer = client.invoke(FunctionName="asks", DurableExecutionName="order-7")
        assert answer["Payload"].read() == b'{"answer": "yes"}'
        process.terminate()
        assert "not over" not in process.stderr.read()


def wait_for_callback(client: Any) -> str:
    while True:
        for each in client.list_durable_executions_by_function(FunctionName="asks")["DurableExecutions"]:
            history = client.get_durable_execution_history(DurableExecutionArn=each["DurableExecutionArn"])
            for event in history["Events"]:
                if "CallbackStartedDetails" in event:
                    return str(event["CallbackStartedDetails"]["CallbackId"])


def test_functions_in_processes_of_their_own_and_behind_an_address(tmp_path: Path) -> None:
    (tmp_path / "where.py").write_text(
        "import os\ndef handler(event, context):\n    return os.getpid()\n", encoding="utf-8"
    )
    other = "other=http://127.0.0.1:1/2015-03-31/functions/function/invocations"
    arguments = ("--function", "where=where:handler", "--function", other, "--isolation", "process")
    with serving(tmp_path, *arguments) as (client, process):
        seen = {int(client.invoke(FunctionName="where")["Payload"].read()) for _ in range(2)}
        assert len(seen - {process.pid}) == 2
        assert client.invoke(FunctionName="other", InvocationType="Event")["StatusCode"] == 202


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ((), 2, "--function"),
        (("--function", "fails"), 2, "NAME=MODULE:HANDLER"),
        (("--function", "fails=cli_handlers:fail"), 2, "Did you mean 'fails'?"),
        ((*FAILS, "--host", "0.0.0.0"), 2, "--allow-remote"),
        ((*FAILS, "--port", "70000"), 2, "70000"),
        (("--function", "fails=http://"), 2, "is no address of a function"),
        (("--function", "fails=cli_handlers:fail", "--isolation", "process"), 2, "Did you mean 'fails'?"),
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

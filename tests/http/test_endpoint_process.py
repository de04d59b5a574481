"""``isolation="process"`` of the endpoint: a fresh interpreter for each invocation, beside everything else."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import (
    DurableEndpoint,
    DurableFunctionTestRunner,
    HandlerError,
    ServiceLimits,
)
from async_durable_execution_runner._wiring import child

MODULE = "process_handlers"
SOON = replace(ServiceLimits(), crash_backoff_seconds=0)


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "runner"))


def isolated(*names: str, **options: Any) -> DurableEndpoint:
    return DurableEndpoint({name: f"{MODULE}:{name}" for name in names}, isolation="process", **options)


def client_of(endpoint: DurableEndpoint) -> Any:
    return boto3.client("lambda", **endpoint.client_options)


def history(client: Any, arn: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    return events


def told(events: list[dict[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """What a history says apart from times and ids."""
    for event in events:
        details = event[f"{event['EventType']}Details"]
        error = details.get("Error", {}).get("Payload", {})
        words = re.sub(r"RequestId: \S+", "RequestId", error.get("ErrorMessage", ""))
        yield event["EventType"], error.get("ErrorType"), words, details.get("Result")


ENDS = [
    ("perishes", "exit"),
    ("perishes", "os._exit"),
    pytest.param("perishes", "kill", marks=pytest.mark.skipif(os.name == "nt", reason="no signals there")),
    ("perishes", "hang"),
    ("perishes", "hang in virtual time"),
    pytest.param("exhausts", None, marks=pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")),
    ("counts", {"pid": 0}),
]


@pytest.mark.parametrize(("name", "event"), ENDS)
def test_it_records_what_the_runner_records(
    name: str, event: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds = 3 if str(event).startswith("hang") else 60
    clock: Any = "virtual" if name == "counts" or event == "hang in virtual time" else "real"
    options: Any = {"limits": SOON, "invocation_timeout": seconds, "isolation": "process"}
    (tmp_path / "runner").mkdir()
    monkeypatch.setenv("SCRATCH", str(tmp_path / "runner"))
    with DurableFunctionTestRunner(f"{MODULE}:{name}", function_name=name, **options) as runner:
        of_runner = list(told(runner.run(event, timeout=60).events))
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    with isolated(name, limits=SOON, invocation_timeout=seconds, clock=clock) as endpoint:
        client = client_of(endpoint)
        answer = client.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        of_endpoint = list(told(history(client, answer["DurableExecutionArn"])))
    assert of_endpoint == of_runner
    assert MODULE not in sys.modules


def test_the_lambda_context() -> None:
    with isolated("context_seen", invocation_timeout=100) as endpoint:
        client = client_of(endpoint)
        answer = client.invoke(FunctionName="context_seen", InvocationType="RequestResponse")
        seen = json.loads(answer["Payload"].read())
        (completed,) = (
            event["InvocationCompletedDetails"]
            for event in history(client, answer["DurableExecutionArn"])
            if event["EventType"] == "InvocationCompleted"
        )
    assert 90_000 < seen["remaining"] <= 100_000
    assert seen["request_id"] == completed["RequestId"]
    assert seen["arn"] == "arn:aws:lambda:us-west-2:123456789012:function:context_seen:$LATEST"
    assert seen["name"] == "context_seen"
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", seen["stream"])
    assert seen["stream"] == seen["of the environment"]
    assert seen["group"] == "/aws/lambda/context_seen"


def test_the_time_of_an_invocation_begins_when_its_handler_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "slow_to_import.py").write_text(
        "import time\ntime.sleep(1.5)\nfrom process_handlers import tells\n", encoding="utf-8"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    with DurableEndpoint({"slow": "slow_to_import:tells"}, isolation="process", invocation_timeout=1) as endpoint:
        answer = client_of(endpoint).invoke(FunctionName="slow")
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_executions_do_not_wait_for_each_other() -> None:
    with isolated("meets") as endpoint, ThreadPoolExecutor(2) as pool:
        payloads = (b'{"me": "a", "other": "b"}', b'{"me": "b", "other": "a"}')
        answers = pool.map(lambda payload: client_of(endpoint).invoke(FunctionName="meets", Payload=payload), payloads)
        assert [answer["Payload"].read() for answer in answers] == [b'"met"', b'"met"']


def test_with_a_virtual_clock_one_runs_after_the_other() -> None:
    with isolated("counts", clock="virtual") as endpoint, ThreadPoolExecutor(2) as pool:
        client = client_of(endpoint)
        answers = pool.map(lambda _: client.invoke(FunctionName="counts", Payload=b'{"pid": 0}'), range(2))
        assert [answer["Payload"].read() for answer in answers] == [b"[1, 1, true]"] * 2


def test_ordinary_functions_have_processes_too() -> None:
    with isolated("plain", "plain_coroutine", invocation_timeout=3) as endpoint:
        client = client_of(endpoint)

        def call(payload: Any, name: str = "plain") -> Any:
            answer = client.invoke(FunctionName=name, Payload=json.dumps(payload).encode())
            return json.loads(answer["Payload"].read()), answer.get("FunctionError")

        content, error = call({"item": "lamp"})
        assert (content["event"], error) == ({"item": "lamp"}, None)
        assert content["process"] != os.getpid()
        assert 2_000 < content["left"] <= 3_000
        assert call([1], "plain_coroutine") == ([[1], "plain_coroutine"], None)
        content, error = call("raise")
        assert (content["errorType"], content["errorMessage"], error) == ("LookupError", "not in stock", "Unhandled")
        content, error = call("leave")
        assert (content["errorType"], error) == ("Runtime.ExitError", "Unhandled")
        content, error = call("hang")
        assert (content["errorType"], error) == ("Sandbox.Timedout", "Unhandled")
        assert "timed out after 3.00 seconds" in content["errorMessage"]


@pytest.mark.parametrize(
    ("functions", "message"),
    [
        ({"f": len}, "needs the name of the handler"),
        ({"f": "no_such_module:handler"}, "cannot find the module"),
        ({"f": f"{MODULE}:tell"}, "Did you mean 'tells'"),
        ({"f": f"{MODULE}:MODULE"}, "has no attribute"),
        ({"f": f"{MODULE}:SEEN"}, "is no function"),
    ],
)
def test_what_cannot_be_served_is_refused_at_once(functions: dict[str, Any], message: str) -> None:
    with pytest.raises(HandlerError, match=message):
        DurableEndpoint(functions, isolation="process")
    assert MODULE not in sys.modules


def test_a_module_that_ends_the_interpreter_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "leaves_at_once.py").write_text("import os\nos._exit(7)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(HandlerError, match=r"importing leaves_at_once:f ended the interpreter: .* exit status 7"):
        DurableEndpoint({"f": "leaves_at_once:f"}, isolation="process")


def test_a_module_that_exits_ends_the_invocation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "exits_at_once.py").write_text("raise SystemExit(4)\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    message = {"handler": "exits_at_once:f", "durable": False}
    with pytest.raises(SystemExit, match="4"):
        child._call(message, tmp_path / "begun")


def test_an_unknown_isolation() -> None:
    with pytest.raises(ValueError, match="unknown isolation: 'thread'"):
        DurableEndpoint({}, isolation="thread")


@pytest.mark.skipif(os.name == "nt", reason="it asks for a process in another way")
def test_no_child_outlives_the_endpoint(tmp_path: Path) -> None:
    with isolated("meets") as endpoint:
        client = client_of(endpoint)
        client.invoke(FunctionName="meets", InvocationType="Event", Payload=b'{"me": "pid", "other": "nobody"}')
        end = time.monotonic() + 20
        while not (tmp_path / "pid").exists() or not (pid := (tmp_path / "pid").read_text(encoding="utf-8")):
            assert time.monotonic() < end
            time.sleep(0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)

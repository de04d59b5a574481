"""Functions of another process, behind an address as the Runtime Interface Emulator has one."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import pytest

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution import durable_execution, invoke

from async_durable_execution_runner import DurableEndpoint, DurableFunctionTestRunner, HandlerError, ServiceLimits
from async_durable_execution_runner.stores.filesystem import FilesystemExecutionStore

HERE = Path(__file__).parent
INVOCATIONS = "/2015-03-31/functions/function/invocations"
SOON = replace(ServiceLimits(), crash_backoff_seconds=0)


def client_of(endpoint: DurableEndpoint) -> Any:
    return boto3.client("lambda", **endpoint.client_options)


def until(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def invoked(client: Any, name: str, payload: Any = None) -> tuple[Any, str | None]:
    answer = client.invoke(FunctionName=name, Payload=json.dumps(payload).encode())
    return json.loads(answer["Payload"].read()), answer.get("FunctionError")


# ------------------------------------------------------------------------------------- a process with an SDK in it


@dataclass
class Emulated:
    """A function in a process of its own."""

    url: str
    process: subprocess.Popen[str]

    def lead_to(self, endpoint: DurableEndpoint) -> None:
        """What ``docker run -e …`` would say."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://").partition("/")[0], timeout=10)
        connection.request("POST", "/environment", json.dumps(endpoint.environment))
        assert connection.getresponse().status == 200
        connection.close()


@contextlib.contextmanager
def emulated(handler: str, port: int = 0) -> Iterator[Emulated]:
    arguments = [sys.executable, str(HERE / "emulator.py"), f"remote_handlers:{handler}", str(port)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(arguments, cwd=HERE, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            listening = int(process.stdout.readline())
            yield Emulated(f"http://127.0.0.1:{listening}{INVOCATIONS}", process)
        finally:
            process.kill()


def test_a_durable_function_of_another_process() -> None:
    with emulated("order") as function, DurableEndpoint({"order": function.url}) as endpoint:
        function.lead_to(endpoint)
        client = client_of(endpoint)
        started = client.invoke(FunctionName="order", InvocationType="Event", Payload=b'{"item": "lamp"}')
        arn = started["DurableExecutionArn"]

        def opened() -> Any:
            events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
            found = [event["CallbackStartedDetails"] for event in events if event["EventType"] == "CallbackStarted"]
            return found and found[0]["CallbackId"]

        client.send_durable_execution_callback_success(CallbackId=until(opened), Result=b"yes")

        def over() -> Any:
            found = client.get_durable_execution(DurableExecutionArn=arn)
            return found if found["Status"] != "RUNNING" else None

        found = until(over)
        result = json.loads(found["Result"])
        assert result == {"process": function.process.pid, "approval": "yes", "event": {"item": "lamp"}}
        kinds = [e["EventType"] for e in client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]]
    assert kinds[:6] == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "WaitStarted",
        "InvocationCompleted",
        "WaitSucceeded",
    ]


def test_with_a_virtual_clock_its_waits_take_no_time() -> None:
    with emulated("calls") as function, DurableEndpoint({"calls": function.url}, clock="virtual") as endpoint:
        function.lead_to(endpoint)
        content, error = invoked(client_of(endpoint), "calls", {"function": "nobody", "payload": 1})
    assert error == "Unhandled"
    assert content["errorMessage"].startswith("Function not found")


def test_an_ordinary_function_of_another_process() -> None:
    with emulated("plain") as function, DurableEndpoint({"tax": f"plain+{function.url}"}) as endpoint:
        client = client_of(endpoint)
        content, error = invoked(client, "tax", {"amount": 40})
        assert (content["got"], content["process"], error) == ({"amount": 40}, function.process.pid, None)
        assert 890_000 < content["left"] <= 900_000
        content, error = invoked(client, "tax", "raise")
        assert (content["errorType"], content["errorMessage"], error) == ("LookupError", "not in stock", "Unhandled")
        assert content["stackTrace"] == ["here"]


def test_chained_invokes_from_and_to_other_processes() -> None:
    @durable_execution
    async def here(event: Any) -> Any:
        return await invoke("there", {"function": "tax", "payload": event}, name="there")

    with emulated("calls") as durable, emulated("plain") as plain:
        functions = {"here": here, "there": durable.url, "tax": f"plain+{plain.url}"}
        with DurableEndpoint(functions) as endpoint:
            durable.lead_to(endpoint)
            client = client_of(endpoint)
            content, error = invoked(client, "here", {"amount": 40})
            (child,) = client.list_durable_executions_by_function(FunctionName="there")["DurableExecutions"]
        assert (content["got"], content["process"], error) == ({"amount": 40}, plain.process.pid, None)
        assert child["Status"] == "SUCCEEDED"


def test_a_function_that_takes_one_call_at_a_time_is_asked_again(tmp_path: Path) -> None:
    """As the emulator does. Meanwhile nobody else waits."""

    def nap(event: Any, context: Any) -> str:
        return "rested"

    gate = tmp_path / "gate"
    with emulated("holds") as function, DurableEndpoint({"holds": function.url, "nap": nap}) as endpoint:
        function.lead_to(endpoint)
        client = client_of(endpoint)
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(invoked, client, "holds", str(gate)) for _ in range(2)]
            assert invoked(client, "nap") == ("rested", None)
            listed = until(lambda: len(_running(client, "holds")) == 2)
            gate.touch()
            assert [future.result(timeout=20) for future in waiting] == [("done", None)] * 2
    assert listed


def _running(client: Any, name: str) -> Any:
    return client.list_durable_executions_by_function(FunctionName=name, Statuses=["RUNNING"])["DurableExecutions"]


def test_a_process_that_dies_and_comes_back(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    limits = replace(ServiceLimits(), crash_backoff_seconds=1, crash_limit=30)
    with emulated("dies_once") as first, DurableEndpoint({"f": first.url}, limits=limits) as endpoint:
        first.lead_to(endpoint)
        client = client_of(endpoint)
        payload = json.dumps(str(gone)).encode()
        arn = client.invoke(FunctionName="f", InvocationType="Event", Payload=payload)["DurableExecutionArn"]

        def errors() -> list[Any]:
            events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
            ends = [event["InvocationCompletedDetails"] for event in events if "InvocationCompletedDetails" in event]
            return [end["Error"]["Payload"] for end in ends if "Error" in end]

        exit_error, refused = until(lambda: errors()[:2] if len(errors()) >= 2 else None)
        assert exit_error["ErrorType"] == "Runtime.ExitError"
        assert "broke off the connection" in exit_error["ErrorMessage"]
        assert refused["ErrorType"] == "Runner.FunctionUnreachable"
        assert refused["ErrorMessage"].startswith("Nothing listens at 127.0.0.1:")
        assert "start the function behind http://127.0.0.1:" in refused["ErrorMessage"]
        port = int(first.url.partition("/2015")[0].rpartition(":")[2])
        with emulated("dies_once", port) as second:
            second.lead_to(endpoint)
            found = until(lambda: _over(client, arn))
    assert (found["Status"], found["Result"]) == ("SUCCEEDED", '"survived"')


def _over(client: Any, arn: str) -> Any:
    found = client.get_durable_execution(DurableExecutionArn=arn)
    return found if found["Status"] != "RUNNING" else None


# ------------------------------------------------------------------------------------------- answers, one by one


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Scripted(ThreadingHTTPServer):
    """Answers invocations one after the other, the last answer for ever; ``None`` is no answer at all."""

    daemon_threads = True

    def __init__(self, *answers: Answer | None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers = list(answers)
        self.seen: list[tuple[str, dict[str, str], Any]] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server: Any = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.seen.append((self.path, dict(self.headers), body))
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        if answer is None:
            server.released.wait(20)
            return
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@contextlib.contextmanager
def scripted(*answers: Answer | None) -> Iterator[Scripted]:
    with Scripted(*answers) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="scripted")
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()


def ends_of(client: Any, arn: str) -> list[Any]:
    """Errors of the invocations of an execution, ``None`` for one without."""
    events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    ends = [event["InvocationCompletedDetails"] for event in events if "InvocationCompletedDetails" in event]
    return [end["Error"]["Payload"] if "Error" in end else None for end in ends]


SUCCEEDED = Answer(200, b'{"Status": "SUCCEEDED", "Result": "7"}')
RAISED = b'{"errorMessage": "not in stock", "errorType": "LookupError", "stackTrace": ["line 1"]}'
OF_NODE = b'{"errorMessage": "not in stock", "errorType": "RangeError", "trace": ["RangeError: not in stock"]}'
EXITED = b'{"errorType": "Runtime.ExitError", "errorMessage": "RequestId: 1 Error: exit status 3"}'


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    [
        (Answer(200, RAISED, (("X-Amz-Function-Error", "Unhandled"),)), "LookupError", "not in stock"),
        (Answer(200, RAISED), "LookupError", "not in stock"),
        (Answer(200, OF_NODE), "RangeError", "not in stock"),
        (Answer(502, EXITED), "Runtime.ExitError", "exit status 3"),
        (Answer(200, b'"gone"', (("X-Amz-Function-Error", "Unhandled"),)), "Unhandled", '"gone"'),
        (Answer(200, b"Task timed out after 3.00 seconds"), "Sandbox.Timedout", "timed out after 3.00 seconds"),
        (Answer(404, b"404 page not found"), "Runner.InvalidAnswer", f"takes invocations at {INVOCATIONS}"),
        (Answer(500, b"{}"), "Runner.InvalidAnswer", "HTTP status 500, '{}'"),
        (Answer(302, b"", (("Location", "http://127.0.0.1/"),)), "Runner.InvalidAnswer", "HTTP status 302: that"),
        (Answer(200, b'"' + b"x" * 8_000_000 + b'"'), "Function.ResponseSizeTooLarge", "larger than the 6 MB"),
    ],
)
def test_an_invocation_that_failed_is_repeated(answer: Answer, kind: str, words: str) -> None:
    with scripted(answer, SUCCEEDED) as function, DurableEndpoint({"f": function.url}, limits=SOON) as endpoint:
        client = client_of(endpoint)
        answered = client.invoke(FunctionName="f")
        assert answered["Payload"].read() == b"7"
        first, second = ends_of(client, answered["DurableExecutionArn"])
    assert first["ErrorType"] == kind
    assert words in first["ErrorMessage"]
    assert second is None


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<html>", "answered '<html>', which is no JSON"),
        (b"", "answered nothing, which is no JSON"),
        (b'{"Status": NaN}', "NaN is no JSON"),
        (b"[" * 100_000, "which is no JSON"),
        (b"[]", "expected an object with Status, got list"),
        (b'{"Status": "DONE"}', "Status must be one of"),
    ],
)
def test_an_answer_that_no_durable_function_gives_ends_the_execution(body: bytes, words: str) -> None:
    with scripted(Answer(200, body)) as function, DurableEndpoint({"f": function.url}) as endpoint:
        content, error = invoked(client_of(endpoint), "f")
    assert error == "Unhandled"
    assert words in content["errorMessage"]


def test_what_it_is_sent() -> None:
    with scripted(SUCCEEDED) as function, DurableEndpoint({"f": function.url}, invocation_timeout=9) as endpoint:
        answered = client_of(endpoint).invoke(FunctionName="f", Payload=b'{"item": "l\xc3\xa4mp"}')
        ((path, headers, event),) = function.seen
    assert path == INVOCATIONS, "an address without a path has the emulator's"
    assert event["DurableExecutionArn"] == answered["DurableExecutionArn"]
    (root,) = event["InitialExecutionState"]["Operations"]
    assert json.loads(root["ExecutionDetails"]["InputPayload"]) == {"item": "lämp"}
    assert isinstance(root["StartTimestamp"], int)
    assert headers["Lambda-Runtime-Invoked-Function-Arn"].endswith(":function:f:$LATEST")
    assert 8_000 < int(headers["Lambda-Runtime-Remaining-Ms"]) <= 9_000


@pytest.mark.parametrize("clock", ["real", "virtual"])
def test_a_function_that_does_not_answer_in_time(clock: str) -> None:
    options: Any = {"invocation_timeout": 1, "limits": SOON, "clock": clock}
    with scripted(None, SUCCEEDED) as function, DurableEndpoint({"f": function.url}, **options) as endpoint:
        client = client_of(endpoint)
        answered = client.invoke(FunctionName="f")
        first, second = ends_of(client, answered["DurableExecutionArn"])
    assert (first["ErrorType"], second) == ("Sandbox.Timedout", None)
    assert first["ErrorMessage"].endswith("Task timed out after 1.00 seconds")


@pytest.mark.parametrize("busy", [Answer(400, b""), Answer(429, b"{}"), Answer(503, b"busy")])
def test_one_that_is_always_busy_times_out(busy: Answer) -> None:
    with scripted(busy) as function:
        address = f"plain+{function.url}"
        with DurableEndpoint({"f": address}, invocation_timeout=1) as endpoint:
            content, error = invoked(client_of(endpoint), "f")
    assert (content["errorType"], error) == ("Sandbox.Timedout", "Unhandled")
    assert len(function.seen) > 2


def test_nobody_is_waited_for_when_it_closes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with scripted(None) as function:
        functions = {"f": function.url, "g": f"plain+{function.url}"}
        with DurableEndpoint(functions, store="filesystem", store_path=tmp_path) as endpoint:
            client = client_of(endpoint)
            arn = client.invoke(FunctionName="f", InvocationType="Event")["DurableExecutionArn"]
            client.invoke(FunctionName="g", InvocationType="Event")
            until(lambda: len(function.seen) == 2)
        until(lambda: not any(thread.name == "durable-runner-worker" for thread in threading.enumerate()))
    assert caplog.text == ""
    (invocation,) = FilesystemExecutionStore(tmp_path).load(arn).invocations
    assert invocation.ended_at is None, "whoever takes the execution up sees that it was cut off"


def test_an_ordinary_function_whose_answer_is_no_json() -> None:
    with scripted(Answer(200, b"<html>")) as function, DurableEndpoint({"f": f"plain+{function.url}"}) as endpoint:
        content, error = invoked(client_of(endpoint), "f")
    assert (content["errorType"], error) == ("Runner.InvalidAnswer", "Unhandled")
    assert "answered '<html>', which is no JSON" in content["errorMessage"]


def test_nothing_listens_there() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    with DurableEndpoint({"f": f"http://127.0.0.1:{port}/x"}, limits=SOON) as endpoint:
        content, error = invoked(client_of(endpoint), "f")
    assert (content["errorType"], error) == ("Runner.FunctionUnreachable", "Unhandled")
    assert content["errorMessage"].startswith(f"Nothing listens at 127.0.0.1:{port}: start the function behind http://")


@pytest.mark.parametrize("isolation", ["inline", "process"])
def test_an_address_is_for_an_endpoint_that_it_can_reach(isolation: str) -> None:
    with pytest.raises(HandlerError, match="are for functions of DurableEndpoint"):
        DurableFunctionTestRunner("http://127.0.0.1:9000/x", isolation=isolation)
    with pytest.raises(HandlerError, match=r"'ftp://127\.0\.0\.1/' is no handler's name"):
        DurableEndpoint({"f": "ftp://127.0.0.1/"}, isolation=isolation)


@pytest.mark.parametrize(
    "address",
    ["http://", "http://:9000", "http://user:secret@127.0.0.1/", "http://127.0.0.1:port/", "http://127.0.0.1/a b"],
)
def test_addresses_that_are_none(address: str) -> None:
    with pytest.raises(HandlerError, match=r"is no address of a function|Port could not"):
        DurableEndpoint({"f": address})

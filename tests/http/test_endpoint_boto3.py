"""A real boto3 client, with credentials that mean nothing, on a real socket."""

from __future__ import annotations

import base64
import http.client
import logging
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from async_durable_execution import durable_execution, wait
from http_kit import FUNCTIONS

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint, RunnerClosedError
from async_durable_execution_runner._http.messages import Request
from async_durable_execution_runner._wire.errors import status_code
from async_durable_execution_runner._wire.model import error_shape
from async_durable_execution_runner.exceptions import ServiceError, ServiceException


def client_of(endpoint: DurableEndpoint) -> Any:
    return boto3.client("lambda", **endpoint.client_options)


_log = logging.getLogger("orders")


@durable_execution
async def warns(event: Any) -> None:
    """Logs in each of two invocations."""
    _log.warning("order %s is late", event)
    await wait(1)
    _log.error("order %s is lost", event)


def chatters(event: Any, context: Any) -> None:
    for number in range(200):
        _log.warning("line %d", number)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DurableEndpoint]:
    with DurableEndpoint({**FUNCTIONS, "warns": warns, "chatters": chatters}) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(endpoint: DurableEndpoint) -> Any:
    return client_of(endpoint)


def until(look: Callable[[], Any]) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.01)
    raise AssertionError("it has not come within 20 seconds")


def opened(client: Any, name: str) -> tuple[str, str]:
    """ARN and callback id of a new execution that waits for its approval."""
    arn = client.invoke(FunctionName="asks", InvocationType="Event", DurableExecutionName=name)["DurableExecutionArn"]

    def callback_id() -> Any:
        events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        settled = [event for event in events if event["EventType"] == "InvocationCompleted"]
        found = [event["CallbackStartedDetails"] for event in events if event["EventType"] == "CallbackStarted"]
        return found[0]["CallbackId"] if found and settled else None

    return arn, until(callback_id)


def ended(client: Any, arn: str) -> Any:
    def over() -> Any:
        found = client.get_durable_execution(DurableExecutionArn=arn)
        return found if found["Status"] != "RUNNING" else None

    return until(over)


def test_a_synchronous_invocation_with_a_wait_of_a_second(client: Any) -> None:
    began = time.monotonic()
    answer = client.invoke(FunctionName="adds", Payload=b'{"n": 4}', TenantId="blue")
    assert (answer["StatusCode"], answer["Payload"].read(), answer["ExecutedVersion"]) == (200, b"8", "$LATEST")
    assert "FunctionError" not in answer
    assert time.monotonic() - began >= 0.9, "the clock is the real one"
    kinds = [
        e["EventType"]
        for e in client.get_paginator("get_durable_execution_history")
        .paginate(DurableExecutionArn=answer["DurableExecutionArn"], PaginationConfig={"PageSize": 2})
        .build_full_result()["Events"]
    ]
    assert kinds == [
        "ExecutionStarted",
        "StepStarted",
        "StepSucceeded",
        "WaitStarted",
        "InvocationCompleted",
        "WaitSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_a_dry_run_an_ordinary_function_and_a_failure(client: Any) -> None:
    assert client.invoke(FunctionName="asks", InvocationType="DryRun")["StatusCode"] == 204
    assert client.invoke(FunctionName="plain", Payload=b"[1]")["Payload"].read() == b'{"got": [1]}'
    failed = client.invoke(FunctionName="fails")
    assert failed["FunctionError"] == "Unhandled"
    assert b"no stock" in failed["Payload"].read()


def test_the_log_of_an_invocation(client: Any) -> None:
    answer = client.invoke(FunctionName="warns", Payload=b"1", LogType="Tail")
    lines = base64.b64decode(answer["LogResult"]).decode().splitlines()
    request_ids = {re.search(r"RequestId: (\S+)", line)[1] for line in lines if "RequestId" in line}  # type: ignore[index]
    words = [line.partition(":")[0].partition("\t")[0] for line in lines]
    assert words == [
        *("START RequestId", "[WARNING]", "END RequestId", "REPORT RequestId"),
        *("START RequestId", "[WARNING]", "[ERROR]", "END RequestId", "REPORT RequestId"),
    ]
    assert len(request_ids) == 2
    assert re.fullmatch(r"\[WARNING]\t\d{4}-\d\d-\d\dT[\d:.]+Z\torder 1 is late", lines[1])
    assert "LogResult" not in client.invoke(FunctionName="warns", Payload=b"1")
    assert "LogResult" not in client.invoke(FunctionName="warns", InvocationType="Event", LogType="Tail", Payload=b"1")


def test_the_log_of_an_ordinary_function_is_its_last_four_kilobytes(client: Any) -> None:
    answer = client.invoke(FunctionName="chatters", Payload=b"1", LogType="Tail")
    tail = base64.b64decode(answer["LogResult"])
    assert len(tail) == 4096
    assert tail.endswith(b"\tline 199\n")


def test_a_callback_from_start_to_end(client: Any) -> None:
    arn, callback_id = opened(client, "order-1")
    client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
    client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"yes")
    assert ended(client, arn)["Result"] == '{"event": null, "answer": "yes"}'
    with pytest.raises(client.exceptions.CallbackTimeoutException) as caught:
        client.send_durable_execution_callback_success(CallbackId=callback_id)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert caught.value.response["Error"]["Code"] == "CallbackTimeoutException"
    assert caught.value.response["Type"] == "User"


def test_a_callback_that_fails(client: Any) -> None:
    arn, callback_id = opened(client, "order-2")
    client.send_durable_execution_callback_failure(CallbackId=callback_id, Error={"ErrorMessage": "too dear"})
    found = ended(client, arn)
    assert (found["Status"], found["Error"]["ErrorMessage"]) == ("FAILED", "too dear")


def test_a_listing_and_a_stop(client: Any) -> None:
    arn, _ = opened(client, "order-3")
    started = client.get_durable_execution(DurableExecutionArn=arn)["StartTimestamp"]
    page = client.list_durable_executions_by_function(
        FunctionName="asks", DurableExecutionName="order-3", Statuses=["RUNNING"], StartedBefore=started, MaxItems=5
    )
    assert [each["DurableExecutionArn"] for each in page["DurableExecutions"]] in ([arn], [])
    page = client.list_durable_executions_by_function(FunctionName="asks", Statuses=["RUNNING"], StartedAfter=0)
    assert arn in [each["DurableExecutionArn"] for each in page["DurableExecutions"]]
    stopped = client.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorType": "Enough"})
    assert stopped["StopTimestamp"] >= started
    assert ended(client, arn)["Status"] == "STOPPED"


def test_a_handler_of_another_process_checkpoints(client: Any, endpoint: DurableEndpoint) -> None:
    local = endpoint._runner._local
    with local.lock:  # or the endpoint's own thread would take it
        arn = endpoint._runner._start({"n": 1}, "adds", "order-9", None, None, synchronous=False)
        local.executor.ready.remove(arn)
        token = local.executor.begin_invocation(arn, local.clock.now_millis()).token
    state = client.get_durable_execution_state(DurableExecutionArn=arn, CheckpointToken=token)
    assert [each["Type"] for each in state["Operations"]] == ["EXECUTION"]
    update = {"Id": "a", "Type": "WAIT", "Action": "START", "WaitOptions": {"WaitSeconds": 60}}
    answer = client.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken=token, Updates=[update])
    (wait,) = answer["NewExecutionState"]["Operations"]
    assert (wait["WaitDetails"]["ScheduledEndTimestamp"] - wait["StartTimestamp"]).total_seconds() == 60
    with pytest.raises(client.exceptions.InvalidParameterValueException, match="Invalid checkpoint token"):
        client.checkpoint_durable_execution(
            DurableExecutionArn=arn, CheckpointToken=token, Updates=[{**update, "Id": "b"}]
        )
    client.stop_durable_execution(DurableExecutionArn=arn)


def test_typed_excepts(client: Any) -> None:
    raised = client.exceptions
    unknown = "arn:aws:lambda:us-west-2:123456789012:function:asks:$LATEST/durable-execution/nobody/1"
    with pytest.raises(raised.ResourceNotFoundException, match="nobody"):
        client.get_durable_execution(DurableExecutionArn=unknown)
    with pytest.raises(raised.ResourceNotFoundException, match="Function not found"):
        client.invoke(FunctionName="nobody")
    with pytest.raises(raised.InvalidRequestContentException):
        client.invoke(FunctionName="adds", Payload=b"{")
    with pytest.raises(raised.InvalidParameterValueException):
        client.send_durable_execution_callback_heartbeat(CallbackId="bm9uZQ==")
    client.invoke(FunctionName="plain", Payload=b"{}")
    client.invoke(FunctionName="asks", InvocationType="Event", DurableExecutionName="taken", Payload=b"1")
    with pytest.raises(raised.DurableExecutionAlreadyStartedException) as caught:
        client.invoke(FunctionName="asks", InvocationType="Event", DurableExecutionName="taken", Payload=b"2")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409
    with pytest.raises(raised.ClientError, match="UnknownOperationException"):
        client.list_functions()


@pytest.mark.parametrize("kind", ServiceError.__subclasses__(), ids=lambda kind: kind.__name__)
def test_every_error_is_what_boto3_makes_of_the_services(
    endpoint: DurableEndpoint, kind: type[ServiceError], monkeypatch: pytest.MonkeyPatch
) -> None:
    def perform(**params: Any) -> Any:
        raise kind("no")

    monkeypatch.setitem(endpoint._server._app._operations, "get_durable_execution", perform)
    client = boto3.client("lambda", **endpoint.client_options, config=_no_retries())
    arn = "arn:aws:lambda:us-west-2:123456789012:function:asks:$LATEST/durable-execution/nobody/1"
    typed = getattr(client.exceptions, kind.__name__, client.exceptions.ClientError)
    with pytest.raises(typed) as caught:
        client.get_durable_execution(DurableExecutionArn=arn)
    client.close()
    response = caught.value.response
    assert response["Error"] == {"Code": kind.__name__, "Message": "no"}
    assert response["ResponseMetadata"]["HTTPStatusCode"] == status_code(kind.__name__)
    assert response["ResponseMetadata"]["RequestId"]
    shape = error_shape(kind.__name__)
    assert (typed is client.exceptions.ClientError) == (shape is None)
    if shape is not None:
        assert response["Type"] == ("Service" if kind is ServiceException else "User")
        assert {"message", "Message"} & response.keys() == {"message", "Message"} & shape.members.keys()


@pytest.mark.parametrize("megabytes", [7, 80])
def test_a_payload_over_the_limit(endpoint: DurableEndpoint, megabytes: int) -> None:
    client = boto3.client("lambda", **endpoint.client_options, config=_no_retries())
    payload = b'"' + b"x" * (megabytes * 1024 * 1024) + b'"'
    with pytest.raises(Exception, match=r"RequestTooLarge|Connection") as caught:
        client.invoke(FunctionName="plain", Payload=payload)
    if megabytes < 64:
        assert isinstance(caught.value, client.exceptions.RequestTooLargeException)
    assert client.invoke(FunctionName="plain")["StatusCode"] == 200, "it still serves"


def test_a_payload_of_the_limit_itself(client: Any) -> None:
    payload = b'"' + b"x" * (6 * 1024 * 1024 - 2) + b'"'
    assert client.invoke(FunctionName="plain", Payload=payload)["StatusCode"] == 200


def test_what_is_no_request_of_the_api(endpoint: DurableEndpoint) -> None:
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"), timeout=10)
    for method, path in (("GET", "/"), ("PATCH", "/2015-03-31/functions/a/invocations"), ("GET", "/%E0%80?%E0=%80")):
        connection.request(method, path)
        response = connection.getresponse()
        assert response.read().startswith(b'{"message":')
        assert (response.status, response.headers["x-amzn-errortype"]) in {
            (404, "UnknownOperationException"),
            (405, "UnknownOperationException"),
        }
        assert response.headers["x-amzn-requestid"]
    connection.close()


def test_answers_leave_at_once(endpoint: DurableEndpoint) -> None:
    connection = http.client.HTTPConnection(endpoint.url.removeprefix("http://"), timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    here = connection.sock.getsockname()
    transports = [protocol.transport for protocol in [*endpoint._server._server.server_state.connections]]
    (served,) = [each for each in transports if each.get_extra_info("peername") == here]
    option = served.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    connection.close()
    assert option, "a body would wait for the acknowledgement of its head"


def test_a_connection_may_be_idle_for_a_minute(endpoint: DurableEndpoint) -> None:
    # Clients keep theirs for about that long, and what they send on one that is just being closed gets no answer.
    assert endpoint._server._server.config.timeout_keep_alive >= 60


def test_many_callers_wait_at_a_time(endpoint: DurableEndpoint) -> None:
    client = boto3.client("lambda", **endpoint.client_options, config=_pool(60))
    with ThreadPoolExecutor(60) as pool:
        waiting = [
            pool.submit(client.invoke, FunctionName="asks", DurableExecutionName=f"many-{number}")
            for number in range(60)
        ]
        for number in range(60):
            _, callback_id = opened(client, f"many-{number}")
            client.send_durable_execution_callback_success(CallbackId=callback_id)
        assert {future.result(timeout=20)["StatusCode"] for future in waiting} == {200}


def _pool(size: int) -> Any:
    from botocore.config import Config

    return Config(max_pool_connections=size)


def test_a_callback_timeout_comes_in_real_time() -> None:
    from async_durable_execution import create_callback, durable_execution

    @durable_execution
    async def impatient(event: Any) -> Any:
        return await (await create_callback(name="approval", timeout=1)).result()

    with DurableEndpoint({"impatient": impatient}) as endpoint:
        answer = client_of(endpoint).invoke(FunctionName="impatient")
        assert answer["FunctionError"] == "Unhandled"
        assert b"Callback timed out" in answer["Payload"].read()


def test_a_virtual_clock_takes_no_time() -> None:
    from async_durable_execution import durable_execution, wait

    @durable_execution
    async def sleeps(event: Any) -> str:
        await wait(31_000_000)
        return "rested"

    with DurableEndpoint({"sleeps": sleeps}, clock="virtual") as endpoint:
        assert client_of(endpoint).invoke(FunctionName="sleeps")["Payload"].read() == b'"rested"'


def test_who_waits_when_it_closes_is_told() -> None:
    with DurableEndpoint(FUNCTIONS) as endpoint, ThreadPoolExecutor(1) as pool:
        client = boto3.client("lambda", **endpoint.client_options, config=_no_retries())
        waiting = pool.submit(client.invoke, FunctionName="asks", DurableExecutionName="order-1")
        opened(client, "order-1")
        endpoint.close()
        with pytest.raises(client.exceptions.ServiceException, match="closed before the execution ended"):
            waiting.result(timeout=20)
    endpoint.close()
    with pytest.raises(RunnerClosedError), endpoint:
        pass


def test_a_request_that_comes_while_it_closes_is_answered_in_words(caplog: pytest.LogCaptureFixture) -> None:
    endpoint = DurableEndpoint(FUNCTIONS)
    app = endpoint._server._app
    endpoint.close()
    answer = app(Request(method="POST", path="/2015-03-31/functions/asks/invocations", body=b"{}"))
    assert (answer.status, answer.headers["x-amzn-errortype"]) == (500, "ServiceException")
    assert b"closed before the execution ended" in answer.body
    assert caplog.text == ""


def _no_retries() -> Any:
    from botocore.config import Config

    return Config(retries={"max_attempts": 0})


def test_it_leaves_no_thread_behind() -> None:
    before = threading.active_count()
    with DurableEndpoint(FUNCTIONS) as endpoint:
        client_of(endpoint).invoke(FunctionName="plain")
    until(lambda: threading.active_count() <= before)


def test_it_listens_on_the_loopback_and_where_it_is_told_to() -> None:
    with DurableEndpoint({}) as first:
        assert first.url.startswith("http://127.0.0.1:")
        port = int(first.url.rpartition(":")[2])
        with pytest.raises(OSError, match=r"[Aa]ddress already in use|10048"), DurableEndpoint({}, port=port):
            pass
    assert first.environment["AWS_ENDPOINT_URL_LAMBDA"] == first.url


def test_a_store_shows_what_an_earlier_endpoint_ran(tmp_path: Path) -> None:
    options: Any = {"store": "sqlite", "store_path": tmp_path / "executions.db"}
    with DurableEndpoint(FUNCTIONS, **options) as endpoint:
        arn = client_of(endpoint).invoke(FunctionName="adds", Payload=b'{"n": 4}')["DurableExecutionArn"]
    with DurableEndpoint(FUNCTIONS, **options) as endpoint:
        assert client_of(endpoint).get_durable_execution(DurableExecutionArn=arn)["Result"] == "8"

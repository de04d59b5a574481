"""`runner.client`: what code under test takes for boto3's Lambda client."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import async_durable_execution as sdk
import boto3
import pytest
from botocore.exceptions import ClientError, OperationNotPageableError, ParamValidationError
from runner_kit import DONE, START, STEP, SUSPENDED, kinds

from async_durable_execution_runner.exceptions import RunnerClosedError
from async_durable_execution_runner.runner import DurableFunctionTestRunner

FUNCTION = "test-function:$LATEST"


async def nothing() -> None:
    """A step's body."""


@sdk.durable_execution
async def handler(event: Any) -> Any:
    if event == "fail":
        raise ValueError("as asked")
    if event == "ask":
        callback = await sdk.create_callback(name="approval")
        return await callback.result()
    await sdk.step(nothing, name="step")
    await sdk.wait(60)
    return {"got": event}


@pytest.fixture
def runner() -> Any:
    with DurableFunctionTestRunner(handler) as each:
        yield each


def read(response: dict[str, Any]) -> Any:
    return json.loads(response["Payload"].read())


def code(caught: Any) -> str:
    return caught.value.response["Error"]["Code"]


# ----------------------------------------------------------------------------------------------------------- invoke


def test_a_synchronous_invoke_returns_when_all_is_over(runner: Any) -> None:
    before = runner.now
    response = runner.client.invoke(FunctionName=FUNCTION, Payload=json.dumps({"a": 1}))
    assert response["StatusCode"] == 200
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert response["ExecutedVersion"] == "$LATEST"
    assert read(response) == {"got": {"a": 1}}
    assert (runner.now - before).total_seconds() == 60
    history = runner.get_execution_history(response["DurableExecutionArn"])
    assert kinds(history) == [*START, *STEP, "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE]


def test_an_event_only_starts(runner: Any) -> None:
    response = runner.client.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b"1")
    assert response["StatusCode"] == 202
    assert response["Payload"].read() == b""
    arn = response["DurableExecutionArn"]
    assert kinds(runner.get_execution_history(arn)) == START
    assert runner.wait_for_result(arn).value == {"got": 1}


def test_a_dry_run_starts_nothing(runner: Any) -> None:
    response = runner.client.invoke(FunctionName=FUNCTION, InvocationType="DryRun")
    assert response["StatusCode"] == 204
    assert runner.list_executions()["DurableExecutions"] == []


def test_a_failed_execution_is_a_function_error(runner: Any) -> None:
    response = runner.client.invoke(FunctionName=FUNCTION, Payload='"fail"')
    assert response["FunctionError"] == "Unhandled"
    body = read(response)
    assert body["errorMessage"] == "as asked"
    assert body["errorType"].endswith("ValueError")


@pytest.mark.parametrize("payload", [None, b"", "", b"null"])
def test_no_payload_is_null(runner: Any, payload: Any) -> None:
    given = {} if payload is None else {"Payload": payload}
    assert read(runner.client.invoke(FunctionName=FUNCTION, **given)) == {"got": None}


def test_a_named_execution_is_started_once(runner: Any) -> None:
    client = runner.client
    given = {"FunctionName": FUNCTION, "DurableExecutionName": "order-1"}
    first = client.invoke(**given, Payload=b"1")
    again = client.invoke(**given, Payload=b"1")
    assert first["DurableExecutionArn"] == again["DurableExecutionArn"]
    with pytest.raises(client.exceptions.DurableExecutionAlreadyStartedException) as caught:
        client.invoke(**given, Payload=b"2")
    assert isinstance(caught.value, ClientError)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 409


def test_an_unknown_function(runner: Any) -> None:
    client = runner.client
    with pytest.raises(
        client.exceptions.ResourceNotFoundException, match="Function not found: arn:aws:lambda"
    ) as caught:
        client.invoke(FunctionName="nobody")
    assert isinstance(caught.value, ClientError)
    assert code(caught) == "ResourceNotFoundException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 404


def test_a_payload_that_is_no_json(runner: Any) -> None:
    with pytest.raises(ClientError) as caught:
        runner.client.invoke(FunctionName=FUNCTION, Payload=b"{not json")
    assert code(caught) == "InvalidRequestContentException"
    with pytest.raises(ClientError) as caught:
        runner.client.invoke(FunctionName=FUNCTION, Payload=b"\xff\xfe")
    assert code(caught) == "InvalidRequestContentException"


@pytest.mark.parametrize("payload", [b"NaN", b"[Infinity]", b'{"a": -Infinity}'])
def test_a_payload_that_only_python_takes_for_json(runner: Any, payload: bytes) -> None:
    with pytest.raises(ClientError, match=r"request body into json: (NaN|-?Infinity) is no JSON") as caught:
        runner.client.invoke(FunctionName=FUNCTION, Payload=payload)
    assert code(caught) == "InvalidRequestContentException"


def test_plain_functions_and_stubs(runner: Any) -> None:
    def plain(event: Any, context: Any) -> Any:
        if event == "fail":
            raise KeyError("sku")
        return {"plain": event}

    async def plain_async(event: Any, context: Any) -> Any:
        return {"async": event}

    runner.register_function("plain", plain).register_function("plain-async", plain_async)
    runner.mock_invoke("stub", result=7).mock_invoke("broken", error="out of order")
    client = runner.client
    assert read(client.invoke(FunctionName="plain", Payload=b"1")) == {"plain": 1}
    assert read(client.invoke(FunctionName="plain-async", Payload=b"1")) == {"async": 1}
    failed = client.invoke(FunctionName="plain", Payload=b'"fail"')
    assert failed["FunctionError"] == "Unhandled"
    assert read(failed)["errorType"] == "KeyError"
    assert read(client.invoke(FunctionName="stub")) == 7
    assert read(client.invoke(FunctionName="broken"))["errorMessage"] == "out of order"
    assert client.invoke(FunctionName="plain", InvocationType="Event")["StatusCode"] == 202


def test_a_step_starts_another_execution() -> None:
    outer = DurableFunctionTestRunner()

    @sdk.durable_execution
    async def starting(event: Any) -> Any:
        async def start() -> str:
            answer = outer.client.invoke(FunctionName="other:$LATEST", InvocationType="Event", Payload=b'{"n": 1}')
            return answer["DurableExecutionArn"]

        return await sdk.step(start, name="start")

    outer.register_durable_function("test-function", starting).register_durable_function("other", handler)
    with outer:
        arn = outer.run(timeout=20).value
        assert outer.wait_for_result(arn).value == {"got": {"n": 1}}


def test_a_synchronous_invoke_inside_a_step_is_told_what_is_wrong() -> None:
    outer = DurableFunctionTestRunner()
    said: list[str] = []

    @sdk.durable_execution
    async def starting(event: Any) -> Any:
        async def start() -> None:
            try:
                outer.client.invoke(FunctionName="other:$LATEST", Payload=b"1")
            except Exception as error:  # noqa: BLE001 - looked at below
                said.append(f"{type(error).__name__}: {error}")

        await sdk.step(start, name="start")

    outer.register_durable_function("test-function", starting).register_durable_function("other", handler)
    with outer:
        outer.run(timeout=20)
    assert len(said) == 1
    assert said[0].startswith("RunnerBusyError: This runner is at work for the handler that it is running")


# -------------------------------------------------------------------------------------------------- durable operations


def test_every_durable_operation_is_there(runner: Any) -> None:
    client = runner.client
    real = boto3.client("lambda", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
    durable = [name for name in dir(real) if "durable" in name]
    assert durable
    for name in durable:
        assert callable(getattr(client, name)), name
    with pytest.raises(AttributeError, match="'create_function', which is no durable operation"):
        _ = client.create_function


def test_a_callback_is_answered(runner: Any) -> None:
    client = runner.client
    for send, given, value in (
        (client.send_durable_execution_callback_success, {"Result": b'"yes"'}, '"yes"'),
        (client.send_durable_execution_callback_success, {}, None),
        (client.send_durable_execution_callback_failure, {"Error": {"ErrorMessage": "no"}}, None),
    ):
        arn = runner.run_async("ask")
        callback_id = runner.wait_for_callback(arn)
        beat = client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
        assert beat["ResponseMetadata"]["HTTPStatusCode"] == 200
        send(CallbackId=callback_id, **given)
        result = runner.wait_for_result(arn)
        assert result.value == value
        with pytest.raises(client.exceptions.CallbackTimeoutException):
            send(CallbackId=callback_id, **given)
    assert result.error.message == "no"


def test_executions_are_looked_at_and_stopped(runner: Any) -> None:
    client = runner.client
    arn = client.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=b'"ask"')["DurableExecutionArn"]
    got = client.get_durable_execution(DurableExecutionArn=arn)
    assert (got["DurableExecutionArn"], got["Status"], got["InputPayload"]) == (arn, "RUNNING", '"ask"')
    stopped = client.stop_durable_execution(DurableExecutionArn=arn, Error={"ErrorMessage": "enough"})
    assert stopped["StopTimestamp"] == runner.now
    got = client.get_durable_execution(DurableExecutionArn=arn)
    assert (got["Status"], got["Error"]["ErrorMessage"]) == ("STOPPED", "enough")
    listed = client.list_durable_executions_by_function(FunctionName=FUNCTION, Statuses=["STOPPED"])
    assert [each["DurableExecutionArn"] for each in listed["DurableExecutions"]] == [arn]
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_durable_execution(DurableExecutionArn=arn[:-1] + ("0" if arn[-1] != "0" else "1"))


def test_a_history_in_pages(runner: Any) -> None:
    client = runner.client
    arn = client.invoke(FunctionName=FUNCTION, Payload=b"1")["DurableExecutionArn"]
    whole = client.get_durable_execution_history(DurableExecutionArn=arn)
    assert "NextMarker" not in whole
    first = client.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=3)
    second = client.get_durable_execution_history(DurableExecutionArn=arn, MaxItems=3, Marker=first["NextMarker"])
    assert first["Events"] + second["Events"] == whole["Events"][:6]
    turned = client.get_durable_execution_history(DurableExecutionArn=arn, ReverseOrder=True)
    assert turned["Events"] == whole["Events"][::-1]
    bare = client.get_durable_execution_history(DurableExecutionArn=arn, IncludeExecutionData=False)
    assert "Payload" not in bare["Events"][0]["ExecutionStartedDetails"]["Input"]
    assert whole["Events"] == runner.get_execution_history(arn)
    assert whole["Events"][0]["EventTimestamp"] == datetime(2025, 12, 1, tzinfo=UTC)


def test_paginators(runner: Any) -> None:
    client = runner.client
    arns = [runner.run_async(number) for number in range(5)]
    pages = list(
        client.get_paginator("list_durable_executions_by_function").paginate(
            FunctionName=FUNCTION, PaginationConfig={"PageSize": 2}
        )
    )
    assert [len(page["DurableExecutions"]) for page in pages] == [2, 2, 1]
    assert [each["DurableExecutionArn"] for page in pages for each in page["DurableExecutions"]] == arns[::-1]
    assert client.can_paginate("get_durable_execution_history")
    assert not client.can_paginate("stop_durable_execution")
    with pytest.raises(OperationNotPageableError):
        client.get_paginator("stop_durable_execution")


@pytest.mark.parametrize(
    ("method", "given", "said"),
    [
        ("invoke", {}, 'Missing required parameter in input: "FunctionName"'),
        ("invoke", {"FunctionName": 7}, "Invalid type for parameter FunctionName"),
        ("invoke", {"FunctionName": "f", "Nonsense": 1}, 'Unknown parameter in input: "Nonsense"'),
        ("stop_durable_execution", {}, "DurableExecutionArn"),
        ("get_durable_execution_history", {"DurableExecutionArn": "a", "MaxItems": "3"}, "MaxItems"),
        ("send_durable_execution_callback_success", {"CallbackId": ""}, "CallbackId"),
        ("send_durable_execution_callback_failure", {"CallbackId": "x", "Error": "text"}, "Error"),
        ("list_durable_executions_by_function", {"FunctionName": "f", "Statuses": "RUNNING"}, "Statuses"),
    ],
)
def test_parameters_are_checked_as_boto3_checks_them(runner: Any, method: str, given: Any, said: str) -> None:
    with pytest.raises(ParamValidationError) as caught:
        getattr(runner.client, method)(**given)
    assert said in str(caught.value)
    real = boto3.client("lambda", region_name="us-west-2", aws_access_key_id="x", aws_secret_access_key="x")
    with pytest.raises(ParamValidationError) as theirs:
        getattr(real, method)(**given)
    assert str(caught.value) == str(theirs.value)


def test_only_keywords(runner: Any) -> None:
    with pytest.raises(TypeError, match="only accepts keyword arguments"):
        runner.client.invoke(FUNCTION)


@pytest.mark.parametrize(
    ("method", "given"),
    [
        ("get_durable_execution", {"DurableExecutionArn": "no arn"}),
        ("get_durable_execution_history", {"DurableExecutionArn": "no arn"}),
        ("stop_durable_execution", {"DurableExecutionArn": "no arn"}),
        ("list_durable_executions_by_function", {"FunctionName": FUNCTION, "Statuses": ["DONE"]}),
        ("list_durable_executions_by_function", {"FunctionName": FUNCTION, "MaxItems": 1001}),
        ("checkpoint_durable_execution", {"DurableExecutionArn": "no arn", "CheckpointToken": "x"}),
        ("invoke", {"FunctionName": FUNCTION, "DurableExecutionName": "no name!"}),
    ],
)
def test_what_only_the_service_checks(runner: Any, method: str, given: Any) -> None:
    with pytest.raises(ClientError) as caught:
        getattr(runner.client, method)(**given)
    assert code(caught) in {"ValidationException", "InvalidParameterValueException", "ResourceNotFoundException"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in {400, 404}
    assert caught.value.operation_name.lower() == method.replace("_", "")


def test_a_stale_token_is_refused(runner: Any) -> None:
    arn = runner.run(1, timeout=20).execution_arn
    with pytest.raises(ClientError, match="Invalid checkpoint token") as caught:
        runner.client.checkpoint_durable_execution(DurableExecutionArn=arn, CheckpointToken="bWFkZSB1cA==")
    assert code(caught) == "InvalidParameterValueException"


def test_the_client_of_a_closed_runner(runner: Any) -> None:
    client = runner.client
    runner.close()
    for call in (
        lambda: client.invoke(FunctionName=FUNCTION),
        lambda: client.list_durable_executions_by_function(FunctionName=FUNCTION),
    ):
        with pytest.raises(RunnerClosedError):
            call()


def test_exceptions_as_code_under_test_catches_them(runner: Any) -> None:
    client = runner.client
    with pytest.raises(client.exceptions.ClientError):
        client.invoke(FunctionName="nobody")
    with pytest.raises(AttributeError):
        _ = client.exceptions.NoSuchThingException
    for name in (
        "CallbackTimeoutException",
        "DurableExecutionAlreadyStartedException",
        "InvalidParameterValueException",
        "ResourceNotFoundException",
        "TooManyRequestsException",
        "ServiceException",
    ):
        assert issubclass(getattr(client.exceptions, name), Exception)
    assert client.meta.region_name == "us-west-2"

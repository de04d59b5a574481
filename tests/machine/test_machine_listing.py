"""Looking at executions: one, its history, and lists of them."""

from __future__ import annotations

import base64
import threading
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from machine_kit import ERROR, FUNCTION_ARN, Service, callback, invoke, step

from async_durable_execution_runner import exceptions
from async_durable_execution_runner._engine.functions import DurableFunction
from async_durable_execution_runner._wire.errors import client_error
from async_durable_execution_runner.clock import from_millis
from async_durable_execution_runner.exceptions import (
    InvalidParameterValueException,
    ResourceNotFoundException,
    ValidationException,
)

UNKNOWN = "arn:aws:lambda:us-west-2:123456789012:function:fn:$LATEST/durable-execution/n/id"


def listed(service: Service, function: str = "fn", **more: Any) -> list[str]:
    """Names of all executions, over all pages."""
    return [each["DurableExecutionName"] for page in pages(service, function, **more) for each in page]


def pages(service: Service, function: str = "fn", **more: Any) -> list[list[dict[str, Any]]]:
    found = []
    while True:
        page = service.client.list_durable_executions_by_function(FunctionName=function, **more)
        found.append(page["DurableExecutions"])
        if "NextMarker" not in page:
            return found
        more["Marker"] = page["NextMarker"]


def several(count: int = 4, every: float = 10) -> Service:
    """Executions named e0, e1 … one every ten seconds."""
    service = Service()
    for number in range(count):
        service.at(number * every)
        service.start(execution_name=f"e{number}")
    return service


# ---------------------------------------------------------------------------------------------------------- one


def test_an_execution_while_it_runs_and_after() -> None:
    service = Service()
    handler = service.begin(execution_name="n")
    get = service.client.get_durable_execution
    running = {
        "DurableExecutionArn": handler.arn,
        "DurableExecutionName": "n",
        "FunctionArn": f"{FUNCTION_ARN}:$LATEST",
        "Status": "RUNNING",
        "StartTimestamp": from_millis(service.began),
        "InputPayload": '{"n":1}',
        "Version": "$LATEST",
    }
    assert get(DurableExecutionArn=handler.arn) == running
    service.at(3)
    handler.succeed('"r"')
    ended = {"EndTimestamp": from_millis(service.now), "Status": "SUCCEEDED", "Result": '"r"'}
    assert get(DurableExecutionArn=handler.arn) == running | ended


def test_a_failed_execution_has_its_error() -> None:
    service = Service()
    handler = service.begin(payload=None)
    service.client.stop_durable_execution(DurableExecutionArn=handler.arn, Error=ERROR)
    found = service.client.get_durable_execution(DurableExecutionArn=handler.arn)
    assert found["Error"] == ERROR
    assert {"Result", "InputPayload"}.isdisjoint(found)


@pytest.mark.parametrize("name", ["get_durable_execution", "get_durable_execution_history", "stop_durable_execution"])
def test_what_does_not_exist(name: str) -> None:
    ask = getattr(Service().client, name)
    with pytest.raises(
        ResourceNotFoundException, match=f"Durable execution not found: {UNKNOWN.split('$', maxsplit=1)[0]}"
    ) as caught:
        ask(DurableExecutionArn=UNKNOWN)
    assert isinstance(caught.value, ClientError)
    response = caught.value.response
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 404
    assert response["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == "ResourceNotFoundException"
    assert response["Error"] == {"Code": "ResourceNotFoundException", "Message": str(caught.value.message)}
    assert response["Type"] == "User"
    with pytest.raises(ValidationException, match="durableExecutionArn"):
        ask(DurableExecutionArn="arn")


# ------------------------------------------------------------------------------------------------------ history


def history(service: Service, arn: str, **more: Any) -> tuple[list[int], str | None]:
    page = service.client.get_durable_execution_history(DurableExecutionArn=arn, **more)
    return [event["EventId"] for event in page["Events"]], page.get("NextMarker")


def test_history_in_pages() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(*(step(str(number)) for number in range(249)))
    found, marker = history(service, handler.arn)
    assert found == list(range(1, 101)), "100 by default"
    assert history(service, handler.arn, MaxItems=0) == (found, marker)
    second, marker = history(service, handler.arn, Marker=marker)
    third, marker = history(service, handler.arn, Marker=marker)
    assert (second, third, marker) == (list(range(101, 201)), list(range(201, 251)), None)
    assert history(service, handler.arn, MaxItems=1000) == (list(range(1, 251)), None)
    assert history(service, handler.arn, MaxItems=250)[1] is None


def test_history_from_the_end() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(*(step(str(number)) for number in range(4)))
    first, marker = history(service, handler.arn, ReverseOrder=True, MaxItems=3)
    second, none = history(service, handler.arn, ReverseOrder=True, MaxItems=3, Marker=marker)
    assert (first, second, none) == ([5, 4, 3], [2, 1], None)


def test_history_without_data() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(
        callback("c"),
        invoke("i", "nobody"),
        step("a"),
        step("a", "SUCCEED", Payload="secret"),
        step("b"),
        step("b", "FAIL", Error=ERROR),
        step("n"),
        step("n", "SUCCEED"),
    )
    handler.succeed("secret")
    whole, without = service.events(handler.arn), service.events(handler.arn, IncludeExecutionData=False)
    assert service.events(handler.arn, IncludeExecutionData=True) == whole
    assert "secret" not in str(without)
    assert "ValueError" not in str(without)
    by_kind = {event["EventType"]: event[f"{event['EventType']}Details"] for event in without}
    assert by_kind["ExecutionStarted"]["Input"] == {"Truncated": True}
    assert by_kind["StepFailed"] == {"Error": {"Truncated": True}, "RetryDetails": {"CurrentAttempt": 1}}
    assert by_kind["StepSucceeded"]["Result"] == {"Truncated": False}, "there was nothing to leave out"
    assert by_kind["ExecutionSucceeded"] == {"Result": {"Truncated": True}}
    assert [event["EventId"] for event in without] == [event["EventId"] for event in whole]


@pytest.mark.parametrize(
    "marker", ["x", "!", "é", *(base64.b64encode(text).decode() for text in (b"-1", b"0", b"x", b" 5", b"1_0"))]
)
def test_a_marker_that_was_never_handed_out(marker: str) -> None:
    service = several()
    with pytest.raises(InvalidParameterValueException, match="was not handed out by this service"):
        listed(service, Marker=marker)


@pytest.mark.parametrize("count", [-1, 1001, "5", True])
def test_how_many_items_there_can_be(count: Any) -> None:
    with pytest.raises(ValidationException, match="maxItems"):
        listed(several(), MaxItems=count)


# -------------------------------------------------------------------------------------------------------- lists


def test_newest_first_unless_reversed() -> None:
    service = several()
    assert listed(service) == ["e3", "e2", "e1", "e0"]
    assert listed(service, ReverseOrder=True) == ["e0", "e1", "e2", "e3"]
    assert listed(several(3, every=0)) == ["e2", "e1", "e0"], "of equal age, the one created later is newer"
    assert listed(several(3, every=0), ReverseOrder=True) == ["e0", "e1", "e2"]


def test_lists_in_pages() -> None:
    service = several()
    assert [len(page) for page in pages(service, MaxItems=3)] == [3, 1]
    assert listed(service, MaxItems=1) == ["e3", "e2", "e1", "e0"]
    assert [len(page) for page in pages(several(101, every=0))] == [100, 1]


def test_an_entry() -> None:
    service = several(1)
    service.take().succeed()
    ((entry,),) = pages(service)
    assert entry == {
        "DurableExecutionArn": next(iter(service.executor.executions)),
        "DurableExecutionName": "e0",
        "FunctionArn": f"{FUNCTION_ARN}:$LATEST",
        "Status": "SUCCEEDED",
        "StartTimestamp": from_millis(service.began),
        "EndTimestamp": from_millis(service.began),
    }


def test_filters() -> None:
    service = several()
    service.take().succeed()
    service.take().fail()
    assert listed(service, DurableExecutionName="e2") == ["e2"]
    assert listed(service, Statuses=["FAILED"]) == ["e1"]
    assert listed(service, Statuses=["FAILED", "SUCCEEDED", "STOPPED"]) == ["e1", "e0"]
    assert listed(service, Statuses=["RUNNING"], DurableExecutionName="e0") == []
    tenth = from_millis(service.began) + timedelta(seconds=10)
    assert listed(service, StartedAfter=tenth) == ["e3", "e2"]
    assert listed(service, StartedBefore=tenth) == ["e0"]
    assert listed(service, StartedBefore=tenth.replace(tzinfo=None)) == ["e0"], "a naive instant is read as UTC"
    assert listed(service, StartedAfter=tenth.timestamp() - 0.001, StartedBefore=tenth.isoformat()) == []
    assert listed(service, StartedAfter=int(tenth.timestamp()), ReverseOrder=True, MaxItems=1) == ["e2", "e3"]


@pytest.mark.parametrize("statuses", [[], ["RUNNING"] * 11, ["NONE"], "RUNNING"])
def test_statuses_of_the_wrong_shape(statuses: Any) -> None:
    with pytest.raises(ValidationException, match="statuses"):
        listed(several(), Statuses=statuses)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("fn", ["e0"]),
        ("fn:$LATEST", ["e0"]),
        ("123456789012:function:fn", ["e0"]),
        (FUNCTION_ARN, ["e0"]),
        ("210987654321:function:fn", []),
        ("other", []),
        ("arn::lambda:us-west-2:123456789012:function:fn", []),
    ],
)
def test_the_function_may_be_named_in_every_way(text: str, found: list[str]) -> None:
    assert listed(several(1), text) == found


def test_a_function_has_its_own_executions() -> None:
    service = Service(functions={"other": DurableFunction(handler=None)})
    service.start(execution_name="mine")
    service.start(execution_name="theirs", function="other")
    assert listed(service) == ["mine"]
    assert listed(service, "other") == ["theirs"]


def test_qualifiers() -> None:
    service = Service(functions={"child": DurableFunction(handler=None)})
    handler = service.begin()
    handler.checkpoint(invoke("latest", "child"), invoke("third", "child:3"))
    versions = {
        qualifier: [each["FunctionArn"].rpartition(":")[2] for page in pages(service, "child", **more) for each in page]
        for qualifier, more in {
            "none": {},
            "latest": {"Qualifier": "$LATEST"},
            "third": {"Qualifier": "3"},
            "alias": {"Qualifier": "live"},
            "fourth": {"Qualifier": "4"},
        }.items()
    }
    assert versions == {
        "none": ["3", "$LATEST"],
        "latest": ["$LATEST"],
        "third": ["3"],
        "alias": ["$LATEST"],
        "fourth": [],
    }
    assert len(listed(service, "child:3")) == 1


def test_children_are_listed_too() -> None:
    service = Service(functions={"child": DurableFunction(handler=None)})
    service.begin().checkpoint(invoke("i", "child"))
    assert len(listed(service, "child")) == 1


# -------------------------------------------------------------------------------------------------------- locks


def test_a_refused_request_leaves_the_service_free_for_other_threads() -> None:
    service = several(1)
    with pytest.raises(ResourceNotFoundException):
        service.client.get_durable_execution(DurableExecutionArn=UNKNOWN)

    class Broken:
        def fire_due(self) -> None:
            raise RuntimeError("broken")

    kept, service.client.scheduler = service.client.scheduler, Broken()  # type: ignore[assignment]
    with pytest.raises(RuntimeError, match="broken"):
        listed(service)
    service.client.scheduler = kept
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.extend(listed(service)), daemon=True)
    thread.start()
    thread.join(5)
    assert found == ["e0"]


# ------------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (exceptions.InvalidParameterValueException, 400),
        (exceptions.ValidationException, 400),
        (exceptions.CallbackTimeoutException, 400),
        (exceptions.ResourceNotFoundException, 404),
        (exceptions.DurableExecutionAlreadyStartedException, 409),
        (exceptions.TooManyRequestsException, 429),
        (exceptions.ServiceException, 500),
    ],
)
def test_errors_are_those_of_a_real_client(kind: type[exceptions.ServiceError], status: int) -> None:
    error = client_error(kind("what happened"), "GetDurableExecution")
    assert isinstance(error, ClientError)
    assert isinstance(error, kind)
    assert error.response["Error"] == {"Code": kind.__name__, "Message": "what happened"}
    assert error.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert error.operation_name == "GetDurableExecution"
    assert "what happened" in str(error)

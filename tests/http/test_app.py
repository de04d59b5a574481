"""The app without a socket: each operation, each error, each way to write an ARN."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import quote

import pytest
from http_kit import LIMIT, Api, api, callback, content, error_of, execution

from async_durable_execution_runner import RunnerClosedError, ServiceLimits
from async_durable_execution_runner._http.app import App
from async_durable_execution_runner._http.messages import Request
from async_durable_execution_runner._wire.model import durable_operations, method_name, operation_model


def test_a_synchronous_invocation_answers_when_the_whole_execution_is_over() -> None:
    with api() as service:
        response = service.invoke("adds", {"n": 4}, durable_execution_name="order-7", tenant_id="blue")
        assert (response.status, response.body) == (200, b"8")
        assert response.headers["X-Amz-Executed-Version"] == "$LATEST"
        arn = response.headers["X-Amz-Durable-Execution-Arn"]
        assert "/durable-execution/order-7/" in arn
        assert "X-Amz-Function-Error" not in response.headers
        assert service.runner._local.executor.get(arn).header.tenant_id == "blue"


def test_an_event_is_accepted_at_once() -> None:
    with api() as service:
        response = service.invoke("asks", {}, invocation_type="Event")
        assert (response.status, response.body) == (202, b"")
        arn = response.headers["X-Amz-Durable-Execution-Arn"]
        assert content(service.send("GET", execution(arn)))["Status"] == "RUNNING"


def test_a_dry_run_runs_nothing() -> None:
    with api() as service:
        assert service.invoke("asks", {}, invocation_type="DryRun").status == 204
        assert service.runner.list_executions("asks")["DurableExecutions"] == []


def test_a_failed_execution_is_a_function_error() -> None:
    with api() as service:
        response = service.invoke("fails", {})
        assert (response.status, response.headers["X-Amz-Function-Error"]) == (200, "Unhandled")
        assert content(response)["errorMessage"] == "no stock"


def test_an_ordinary_function_is_invoked_too() -> None:
    with api() as service:
        assert content(service.invoke("plain", {"a": 1})) == {"got": {"a": 1}}


@pytest.mark.parametrize("write", [lambda arn: quote(arn, safe=""), lambda arn: arn, quote])
@pytest.mark.parametrize("action", ["", "/history"])
def test_an_arn_is_found_however_it_is_encoded(write: Any, action: str) -> None:
    with api() as service:
        arn, _ = service.opened()
        response = service.send("GET", f"/2025-12-01/durable-executions/{write(arn)}{action}")
        assert response.status == 200, response.body


def test_get_durable_execution() -> None:
    with api() as service:
        arn, _ = service.opened()
        found = content(service.send("GET", execution(arn)))
        assert found == {
            "DurableExecutionArn": arn,
            "DurableExecutionName": "order-7",
            "FunctionArn": "arn:aws:lambda:us-west-2:123456789012:function:asks:$LATEST",
            "InputPayload": "{}",
            "StartTimestamp": 1764547200.0,  # 2025-12-01, in seconds, as the protocol has timestamps in bodies
            "Status": "RUNNING",
            "Version": "$LATEST",
        }


def test_history_in_pages_backwards_and_without_data() -> None:
    with api() as service:
        arn, _ = service.opened()
        page = content(service.send("GET", execution(arn, "/history"), query={"MaxItems": 2, "ReverseOrder": "true"}))
        assert [event["EventId"] for event in page["Events"]] == [3, 2]
        query = {"MaxItems": 2, "ReverseOrder": "true", "Marker": page["NextMarker"]}
        rest = content(service.send("GET", execution(arn, "/history"), query=query))
        assert [event["EventId"] for event in rest["Events"]] == [1]
        bare = content(service.send("GET", execution(arn, "/history"), query={"IncludeExecutionData": "false"}))
        assert bare["Events"][0]["ExecutionStartedDetails"]["Input"] == {"Truncated": True}


def test_a_listing_with_every_filter() -> None:
    with api() as service:
        service.opened("order-7")
        service.opened("order-8")
        path = "/2025-12-01/functions/asks/durable-executions"

        def names(**query: Any) -> list[str]:
            found = content(service.send("GET", path, query=query))["DurableExecutions"]
            return [each["DurableExecutionName"] for each in found]

        assert names() == ["order-8", "order-7"]
        assert names(ReverseOrder="true") == ["order-7", "order-8"]
        assert names(DurableExecutionName="order-8") == ["order-8"]
        assert names(Statuses=["SUCCEEDED", "FAILED"]) == []
        assert names(Statuses=["SUCCEEDED", "RUNNING"]) == ["order-8", "order-7"]
        assert names(StartedAfter="2025-12-02T00:00:00Z") == []
        assert names(StartedBefore="2025-12-02T00:00:00Z") == ["order-8", "order-7"]
        assert names(StartedBefore="1764633600") == ["order-8", "order-7"]
        assert names(StartedAfter="2025-12-01T10:00:00+09:00") == []
        assert names(Qualifier="3") == []


def test_callbacks_are_answered() -> None:
    with api() as service:
        arn, callback_id = service.opened()
        assert service.send("POST", callback(callback_id, "heartbeat")).status == 200
        response = service.send("POST", callback(callback_id, "succeed"), body=b"yes")
        assert (response.status, content(response)) == (200, {})
        assert service.runner.wait_for_result(arn).value["answer"] == "yes"


def test_a_callback_is_answered_with_nothing() -> None:
    with api() as service:
        arn, callback_id = service.opened()
        assert service.send("POST", callback(callback_id, "succeed")).status == 200
        assert service.runner.wait_for_result(arn).value["answer"] is None


def test_a_callback_fails() -> None:
    with api() as service:
        arn, callback_id = service.opened()
        error = {"ErrorType": "Denied", "ErrorMessage": "too dear", "StackTrace": ["a"]}
        assert service.send("POST", callback(callback_id, "fail"), body=error).status == 200
        assert service.runner.wait_for_result(arn).error.message == "too dear"


@pytest.mark.parametrize("body", [b"", {"ErrorType": "Stop", "ErrorMessage": "enough"}])
def test_stop(body: Any) -> None:
    with api() as service:
        arn, _ = service.opened()
        stopped = content(service.send("POST", execution(arn, "/stop"), body=body))
        assert stopped == {"StopTimestamp": 1764547200.0}
        found = content(service.send("GET", execution(arn)))
        assert found["Status"] == "STOPPED"
        assert found.get("Error") == (body or {})


def test_a_checkpoint_and_the_state() -> None:
    with api() as service:
        arn, token = service.running()
        state = content(service.send("GET", execution(arn, "/state"), query={"CheckpointToken": token}))
        assert [each["Type"] for each in state["Operations"]] == ["EXECUTION"]
        step = {"Id": "a", "Type": "STEP", "Name": "double"}
        updates = [{**step, "Action": "START"}, {**step, "Action": "SUCCEED", "Payload": "2"}]
        body = {"CheckpointToken": token, "Updates": updates, "ClientToken": "once"}
        answer = content(service.send("POST", execution(arn, "/checkpoint"), body=body))
        assert answer["CheckpointToken"] != token
        assert answer == content(service.send("POST", execution(arn, "/checkpoint"), body=body)), "it is idempotent"
        steps = service.runner.get_result(arn).operations
        assert [(each.name, each.result) for each in steps] == [("double", "2")]


def test_every_durable_operation_of_the_installed_model_is_served() -> None:
    with api() as service:
        served = set(service.app._operations)
    newer = {f"{action}DurableExecution" for action in ("Pause", "Resume", "Delete")}
    assert {method_name(name) for name in durable_operations() if name not in newer} - served == set()


# --------------------------------------------------------------------------------------------------------- errors


def test_every_answer_has_a_request_id_of_its_own() -> None:
    with api() as service:
        answers = [service.invoke("plain", {}), service.invoke("nobody", {}), service.send("GET", "/")]
        assert len({answer.headers["x-amzn-requestid"] for answer in answers}) == 3


def test_an_unknown_route() -> None:
    with api() as service:
        for path in ("/", "/2025-12-01/durable", "/2025-12-01/durable-executions/", "/%zz", "/\udcff"):
            status, kind, _ = error_of(service.send("GET", path))
            assert (status, kind) == (404, "UnknownOperationException"), path


def test_a_wrong_method_says_which_are_right() -> None:
    with api() as service:
        response = service.send("DELETE", execution("x", "/checkpoint"))
        status, kind, message = error_of(response)
        assert (status, kind, response.headers["allow"]) == (405, "UnknownOperationException", "POST")
        assert "takes POST, not DELETE" in message


def test_another_operation_of_lambda_is_told_to_be_none_of_ours() -> None:
    with api() as service:
        status, kind, message = error_of(service.send("GET", operation_model("ListFunctions").http["requestUri"]))
        assert (status, kind) == (404, "UnknownOperationException")
        assert "ListFunctions" in message


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[1]",
        b'"text"',
        b"null",
        b"\xff\xfe",
        b'{"CheckpointToken": NaN}',
        b'{"CheckpointToken": "\\ud800"}',
        b"[" * 200_000,
        b"9" * 10_000,
    ],
)
def test_a_body_that_is_no_json_object(body: bytes) -> None:
    with api() as service:
        arn, _ = service.running()
        status, kind, message = error_of(service.send("POST", execution(arn, "/checkpoint"), body=body))
        assert (status, kind) == (400, "SerializationException")
        assert message.startswith("Could not parse request body into json: ")


@pytest.mark.parametrize("body", [b"{", b"\xff", b"x", b"[" * 200_000])
def test_a_payload_that_is_no_json(body: bytes) -> None:
    with api() as service:
        assert error_of(service.invoke("adds", body))[:2] == (400, "InvalidRequestContentException")


def test_a_payload_is_nested_too_deeply_or_it_is_not() -> None:
    with api() as service:
        # Where the one becomes the other depends on how deep Python's own stack is at the time.
        payloads = [b"[" * n + b"]" * n for n in range(700, 1000)]
        statuses = {service.invoke("adds", payload, invocation_type="Event").status for payload in payloads}
    assert statuses == {202, 400}


def test_what_does_not_fit_the_model() -> None:
    with api() as service:
        arn, token = service.running()
        bad = {"CheckpointToken": token, "Updates": [{"Id": "a b", "Type": "STEP", "Action": 7}]}
        status, kind, message = error_of(service.send("POST", execution(arn, "/checkpoint"), body=bad))
        assert (status, kind) == (400, "ValidationException")
        assert message.startswith("2 validation errors detected: ")
        query = {"MaxItems": "many", "ReverseOrder": "perhaps"}
        status, kind, message = error_of(service.send("GET", execution(arn, "/history"), query=query))
        assert (status, kind) == (400, "ValidationException")
        assert "Member must be an integer" in message
        assert "'perhaps' at 'reverseOrder' failed to satisfy constraint: Member must be true or false" in message


@pytest.mark.parametrize("when", ["yesterday", "", "NaN", "1e400", "99999-01-01"])
def test_an_instant_that_is_none(when: str) -> None:
    with api() as service:
        path = "/2025-12-01/functions/asks/durable-executions"
        status, kind, _ = error_of(service.send("GET", path, query={"StartedAfter": when}))
        assert (status, kind) == (400, "ValidationException")


@pytest.mark.parametrize("wrong", [{"Updates": 3}, {"Updates": [3]}, {"Updates": {"a": 1}}, {"CheckpointToken": 3}, {}])
def test_members_of_another_type(wrong: dict[str, Any]) -> None:
    with api() as service:
        arn, _ = service.running()
        assert error_of(service.send("POST", execution(arn, "/checkpoint"), body=wrong))[1] == "ValidationException"


def test_a_body_that_is_too_long() -> None:
    with api() as service:
        for response in (
            service.invoke("adds", b'"' + b"x" * LIMIT + b'"'),
            service.send("POST", execution("x", "/checkpoint"), cut=True),
        ):
            status, kind, message = error_of(response)
            assert (status, kind) == (413, "RequestTooLargeException")
            assert str(LIMIT) in message


def test_an_event_that_is_too_large_for_an_event() -> None:
    with api(limits=ServiceLimits(async_execution_payload_bytes=10)) as service:
        response = service.invoke("adds", b'"0123456789"', invocation_type="Event")
        assert error_of(response)[:2] == (413, "RequestTooLargeException")


def test_a_name_that_is_taken() -> None:
    with api() as service:
        service.invoke("adds", {"n": 1}, durable_execution_name="order-7")
        assert service.invoke("adds", {"n": 1}, durable_execution_name="order-7").status == 200
        status, kind, _ = error_of(service.invoke("adds", {"n": 2}, durable_execution_name="order-7"))
        assert (status, kind) == (409, "DurableExecutionAlreadyStartedException")


def test_bad_names_in_an_invocation() -> None:
    with api() as service:
        for response in (
            service.invoke("no/function", {}),
            service.invoke("adds", {}, durable_execution_name="no name"),
            service.invoke("adds", {}, invocation_type="Sometimes"),
        ):
            assert error_of(response)[:2] == (400, "ValidationException")


def test_a_stale_token() -> None:
    with api() as service:
        arn, _ = service.running()
        update = [{"Id": "a", "Type": "STEP", "Action": "START"}]
        body = {"CheckpointToken": base64.b64encode(b"x:1:1").decode(), "Updates": update}
        response = service.send("POST", execution(arn, "/checkpoint"), body=body)
        status, kind, message = error_of(response)
        assert (status, kind) == (400, "InvalidParameterValueException")
        assert message.startswith("Invalid checkpoint token")
        assert content(response)["Type"] == "User"


def test_a_mistake_of_ours_is_an_answer_without_a_stack_trace(caplog: pytest.LogCaptureFixture) -> None:
    def broken(**params: Any) -> dict[str, Any]:
        raise RunnerClosedError("secret")

    app = App({"get_durable_execution": broken}, LIMIT)
    arn = "arn:aws:lambda:us-west-2:123456789012:function:a:$LATEST/durable-execution/b/c"
    response = app(Request(method="GET", path=execution(arn)))
    assert error_of(response)[:2] == (500, "ServiceException")
    assert content(response)["Type"] == "Service"
    assert b"secret" not in response.body
    assert "secret" in caplog.text


# ----------------------------------------------------------------------------------------------------- whole model


@pytest.mark.parametrize("name", durable_operations())
@pytest.mark.parametrize("query", ["", "MaxItems=-1&Statuses=%00&StartedAfter=x&Marker=%F0%9F&=&&CheckpointToken"])
@pytest.mark.parametrize("body", [b"", b"{}", b"[]", b"\x00", json.dumps({"Updates": [{}], "Error": 3}).encode()])
def test_whatever_is_sent_to_an_operation_is_an_answer_below_500(name: str, query: str, body: bytes) -> None:
    model = operation_model(name)
    with api() as service:
        for label in ("x", "%00", "%2F", "..", "a" * 3000, "arn:aws:lambda:us-west-2:1:function:f"):
            path = model.http["requestUri"].partition("{")[0] + label + model.http["requestUri"].partition("}")[2]
            response = service.send(model.http["method"], path, query=query, body=body)
            assert response.status < 500, (path, response)
            _shape_of_an_answer(service, response)


def _shape_of_an_answer(service: Api, response: Any) -> None:
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-amzn-requestid"]
    assert response.status == 200 or response.headers["x-amzn-errortype"]
    json.loads(response.body)

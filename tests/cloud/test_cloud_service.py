"""The cloud runner with a service that throttles, refuses, pages and lags."""

from __future__ import annotations

import inspect
import socket
import time
from typing import Any

import botocore.exceptions
import pytest
from cloud_kit import ARN, ENDED, OPENED, STARTED, SUSPENDED, FakeClient, event, execution, refused

from async_durable_execution_runner import (
    CloudAccessError,
    DurableFunctionCloudTestRunner,
    DurableFunctionCloudTestRunnerConfig,
    DurableFunctionTestRunner,
    ExecutionTimeoutError,
    HandlerError,
    StoreError,
    TooManyRequestsException,
    UnsupportedInCloudError,
)
from async_durable_execution_runner._drivers import polling

THROTTLED = [refused("TooManyRequestsException", 429), refused("ThrottlingException"), refused("Odd", 429)]


def runner_of(**answers: Any) -> tuple[DurableFunctionCloudTestRunner, FakeClient]:
    client = FakeClient(**answers)
    return DurableFunctionCloudTestRunner("orders", client=client, poll_interval=0.05), client


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Pauses that take no time, and how long they would have been."""
    pauses: list[float] = []
    monkeypatch.setattr(polling.Patience, "pause", lambda _, seconds: pauses.append(round(seconds, 3)))
    return pauses


# ------------------------------------------------------------------------------------------------------ options


def test_the_surface_is_that_of_the_local_runner() -> None:
    def surface(cls: type) -> dict[str, Any]:
        return {
            name: str(inspect.signature(member).replace(return_annotation=Any)) if callable(member) else "property"
            for name, member in inspect.getmembers(cls)
            if not name.startswith("_") and (inspect.isfunction(member) or isinstance(member, property))
        }

    assert surface(DurableFunctionCloudTestRunner) == surface(DurableFunctionTestRunner)


def test_arguments_of_the_aws_library_are_taken_by_place() -> None:
    runner = DurableFunctionCloudTestRunner("orders", "eu-central-1", "http://127.0.0.1:1", 0.5)
    assert runner._config == DurableFunctionCloudTestRunnerConfig(
        function_name="orders", region="eu-central-1", lambda_endpoint="http://127.0.0.1:1", poll_interval=0.5
    )
    assert runner.client.meta.region_name == "eu-central-1"
    assert runner.client.meta.endpoint_url == "http://127.0.0.1:1"
    runner.close()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({}, ValueError, "function_name is the name or ARN of a deployed function, not None"),
        ({"function_name": "no such name!"}, ValueError, "not 'no such name!'"),
        ({"function_name": "orders", "poll_interval": 0}, ValueError, "poll_interval is more than 0"),
        ({"function_name": "orders", "poll_interval": "1"}, TypeError, "poll_interval is a number"),
        ({"function_name": "orders", "lambda_endpoint": "nonsense"}, CloudAccessError, "Invalid endpoint"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        DurableFunctionCloudTestRunner(**options)


def test_options_given_twice_and_a_store_that_is_none() -> None:
    config = DurableFunctionCloudTestRunnerConfig(function_name="orders", store_type="redis")
    with pytest.raises(TypeError, match="not in both"):
        DurableFunctionCloudTestRunner("orders", config=config)
    with pytest.raises(TypeError, match="not in both"):
        DurableFunctionCloudTestRunner(config=config, store="memory")
    with pytest.raises(StoreError, match="unknown store 'redis'"):
        DurableFunctionCloudTestRunner(config=config)


# --------------------------------------------------------------------------------------------------- invocations


@pytest.mark.parametrize(
    ("name", "qualifier"),
    [("orders", "$LATEST"), ("orders:live", None), ("arn:aws:lambda:us-west-2:123456789012:function:orders:7", None)],
)
def test_a_function_is_invoked_by_a_qualified_name(name: str, qualifier: str | None) -> None:
    runner, client = runner_of()
    assert runner.run('{"a": 1}', function_name=name, execution_name="x", tenant_id="blue").value == "shipped"
    wanted = {"FunctionName": name, "InvocationType": "Event", "Payload": b'{"a": 1}'}
    wanted |= {"DurableExecutionName": "x", "TenantId": "blue"} | ({"Qualifier": qualifier} if qualifier else {})
    assert client.calls[0] == ("invoke", wanted)


def test_a_function_that_is_not_durable() -> None:
    runner, _ = runner_of(invoke={"StatusCode": 202})
    with pytest.raises(HandlerError, match="'orders' has been invoked, but it is not durable"):
        runner.run()


# ---------------------------------------------------------------------------------------------------- patience


def test_throttled_calls_are_repeated_with_longer_pauses(quick: list[float]) -> None:
    runner, client = runner_of(
        invoke=[*THROTTLED, {"DurableExecutionArn": ARN}],
        get_durable_execution=[*THROTTLED * 2, execution()],
        get_durable_execution_history=[*THROTTLED, {"Events": [STARTED, ENDED]}],
    )
    assert runner.run().value == "shipped"
    assert client.names().count("invoke") == 4
    assert quick == [0.2, 0.4, 0.8, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 0.2, 0.4, 0.8]


def test_patience_with_throttling_ends() -> None:
    runner, _ = runner_of(get_durable_execution=THROTTLED[0])
    began = time.monotonic()
    with pytest.raises(TooManyRequestsException) as caught:
        runner.run(timeout=0.3)
    assert time.monotonic() - began < 5
    assert caught.value.__notes__ == ["GetDurableExecution was throttled for 0.3 s."]


def test_other_errors_are_not_repeated() -> None:
    runner, client = runner_of(invoke=refused("InvalidParameterValueException"))
    with pytest.raises(botocore.exceptions.ClientError, match="InvalidParameterValueException"):
        runner.run()
    assert client.names() == ["invoke"]


def test_pauses_begin_short_and_grow_to_the_interval(quick: list[float]) -> None:
    client = FakeClient(get_durable_execution=[*[execution("RUNNING")] * 9, execution()])
    DurableFunctionCloudTestRunner("orders", client=client, poll_interval=0.5).run()
    assert quick == [0.05, 0.075, 0.113, 0.169, 0.253, 0.38, 0.5, 0.5, 0.5]


def test_an_execution_that_the_service_does_not_know_yet() -> None:
    lag = [refused("ResourceNotFoundException", 404)] * 2
    runner, _ = runner_of(get_durable_execution=[*lag, execution()])
    assert runner.run().value == "shipped"
    runner, _ = runner_of(get_durable_execution=[*lag, execution("RUNNING")], get_durable_execution_history=WAITING)
    assert runner.wait_for_callback(runner.run_async(), "approval") == "callback-1"


def test_an_execution_that_never_appears() -> None:
    runner, _ = runner_of(get_durable_execution=refused("ResourceNotFoundException", 404))
    with pytest.raises(ExecutionTimeoutError, match="history could not be read: ExecutionNotFoundError: There is no"):
        runner.run(timeout=0.1)


def test_a_history_that_comes_late() -> None:
    late = {"Events": [STARTED, OPENED, SUSPENDED]}
    runner, client = runner_of(get_durable_execution_history=[late, late, {"Events": [*late["Events"], ENDED]}])
    assert [each["EventType"] for each in runner.run().events][-1] == "ExecutionSucceeded"
    assert client.names().count("get_durable_execution_history") == 3


def test_a_history_that_stays_behind(quick: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("async_durable_execution_runner._runner.cloud_core._LAG_SECONDS", 0.01)
    monkeypatch.setattr(polling.Patience, "pause", lambda *_: time.sleep(0.02))
    runner, _ = runner_of(get_durable_execution_history={"Events": [STARTED]})
    assert runner.run().value == "shipped"
    assert quick == []


# ------------------------------------------------------------------------------------------------ pages, callbacks

WAITING = {"Events": [STARTED, OPENED, SUSPENDED]}


def test_all_pages_of_a_history_are_read() -> None:
    events = [STARTED, OPENED, SUSPENDED, ENDED]
    pages = [{"Events": [each], "NextMarker": f"m{number}"} for number, each in enumerate(events[:-1])]
    runner, client = runner_of(get_durable_execution_history=[*pages, {"Events": [ENDED], "NextMarker": ""}])
    assert runner.get_execution_history(ARN) == events
    assert [params.get("Marker") for _, params in client.calls] == [None, "m0", "m1", "m2"]
    assert {params["MaxItems"] for _, params in client.calls} == {1000}


def test_a_callback_whose_invocation_still_runs_is_waited_for() -> None:
    early = {"Events": [STARTED, OPENED]}
    runner, client = runner_of(
        get_durable_execution=execution("RUNNING"), get_durable_execution_history=[early, early, WAITING]
    )
    assert runner.wait_for_callback(ARN) == "callback-1"
    assert client.names().count("get_durable_execution_history") == 3


def test_of_several_open_callbacks_the_oldest() -> None:
    other = event(3, "CallbackStarted", {"CallbackId": "callback-2"}, Id="d", Name="payment")
    events = {"Events": [STARTED, OPENED, other, {**SUSPENDED, "EventId": 4}]}
    runner, _ = runner_of(get_durable_execution=execution("RUNNING"), get_durable_execution_history=events)
    assert runner.wait_for_callback(ARN, "*") == "callback-1"
    assert runner.wait_for_callback(ARN, "pay*") == "callback-2"


# ----------------------------------------------------------------------------------------------------- credentials


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused("ExpiredTokenException", 403), "credentials have expired: log in again"),
        (botocore.exceptions.UnauthorizedSSOTokenError(), "credentials have expired: log in again"),
        (refused("UnrecognizedClientException", 403), "does not know these credentials: check account, profile"),
        (refused("AccessDeniedException", 403), "do not allow lambda:Invoke: add it to the policy"),
        (botocore.exceptions.NoCredentialsError(), "no usable AWS credentials: log in, or set AWS_PROFILE"),
        (botocore.exceptions.PartialCredentialsError(provider="env", cred_var="x"), "no usable AWS credentials"),
        (botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"), "cannot reach the endpoint of Lambda"),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"), "Invoke cannot reach the endpoint of Lambda"),
    ],
)
def test_no_way_in_is_said_in_words(error: Exception, words: str) -> None:
    runner, client = runner_of(invoke=error)
    with pytest.raises(CloudAccessError, match=words) as caught:
        runner.run()
    assert type(error).__name__ in str(caught.value)
    assert caught.value.__cause__ is error
    assert client.names() == ["invoke"]


def test_nobody_at_the_endpoint_of_a_real_client() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with (
            DurableFunctionCloudTestRunner("orders", lambda_endpoint=url) as runner,
            pytest.raises(CloudAccessError, match=f"cannot reach the endpoint {url}"),
        ):
            runner.run(timeout=5)


def test_a_profile_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(CloudAccessError, match="nobody"):
        DurableFunctionCloudTestRunner("orders")


def test_a_request_that_is_wrong_stays_what_it_is() -> None:
    with (
        DurableFunctionCloudTestRunner("orders", lambda_endpoint="http://127.0.0.1:1") as runner,
        pytest.raises(botocore.exceptions.ParamValidationError),
    ):
        runner.list_executions(max_items="many")  # type: ignore[arg-type]


# ----------------------------------------------------------------------------------------------------- unsupported


@pytest.mark.parametrize(
    ("method", "arguments", "instead"),
    [
        ("advance", (60,), "short waits"),
        ("run_until_suspended", (ARN,), "wait_for_callback"),
        ("resume", (ARN,), "wait_for_result"),
        ("on_callback", ("approval",), "send_callback_success"),
        ("register_function", ("tax", print), "deploy"),
        ("register_durable_function", ("tax", print), "deploy"),
        ("mock_invoke", ("tax",), "deploy"),
    ],
)
def test_what_a_cloud_cannot_do(method: str, arguments: Any, instead: str) -> None:
    runner, client = runner_of()
    with pytest.raises(UnsupportedInCloudError, match=rf"^{method}\(\) is not possible in the cloud: .*{instead}"):
        getattr(runner, method)(*arguments)
    assert client.calls == []


def test_another_account_is_in_the_functions_arn() -> None:
    runner, _ = runner_of()
    with pytest.raises(UnsupportedInCloudError, match=r"account_id= .* give function_name as an ARN"):
        runner.run(account_id="999999999999")

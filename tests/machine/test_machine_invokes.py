"""Chained invokes: durable children, ordinary functions, stubs, and targets that cannot be invoked."""

from __future__ import annotations

from typing import Any

import pytest
from machine_kit import FUNCTION_ARN, Handler, Service, invoke, step

from async_durable_execution_runner._engine.functions import (
    Account,
    DurableFunction,
    InvokeOutcome,
    PlainFunction,
    StubbedFunction,
)
from async_durable_execution_runner._engine.inputs import PlainCall
from async_durable_execution_runner._engine.scheduler import Call, Finished, Goal
from async_durable_execution_runner._model.errors import ErrorObject

ERROR = ErrorObject(type="ValueError", message="no")


def family(service: Service, function: str = "child", **more: Any) -> tuple[Handler, Handler]:
    """A suspended parent and the running handler of its child."""
    parent = service.begin(tenant_id="acme")
    parent.checkpoint(invoke("i", function, **more))
    parent.suspend()
    return parent, service.take()


def durable(**more: Any) -> Service:
    return Service(functions={"child": DurableFunction(handler=None, **more)})


def stubbed(outcome: InvokeOutcome, after: int = 0) -> tuple[Service, Handler]:
    service = Service(functions={"child": StubbedFunction(outcome=outcome, after=after)})
    handler = service.begin()
    handler.checkpoint(invoke("i", "child"))
    handler.suspend()
    return service, handler


# ----------------------------------------------------------------------------------------------- durable children


def test_the_started_event_of_a_durable_target() -> None:
    service = durable()
    parent, child = family(service, payload='"hello"')
    assert service.details(parent.arn, "ChainedInvokeStarted") == {
        "FunctionName": "child",
        "Input": {"Payload": '"hello"', "Truncated": False},
        "ExecutedVersion": "$LATEST",
        "DurableExecutionArn": child.arn,
    }
    assert service.details(child.arn, "ExecutionStarted")["Input"]["Payload"] == '"hello"'
    assert child.input.tenant_id == "acme", "the caller's tenant goes on"


def test_a_child_succeeds() -> None:
    service = durable()
    parent, child = family(service, payload=None)
    assert service.details(parent.arn, "ChainedInvokeStarted")["Input"] == {"Truncated": False}
    child.succeed('"r"')
    assert service.details(parent.arn, "ChainedInvokeSucceeded") == {"Result": {"Payload": '"r"', "Truncated": False}}
    again = service.take()
    assert again.input.updated_operation_ids == ("i",)
    assert service.operation(parent.arn, "i")["ChainedInvokeDetails"] == {"Result": '"r"'}
    again.succeed()
    assert service.kinds(parent.arn) == [
        "ChainedInvokeStarted",
        "InvocationCompleted",
        "ChainedInvokeSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]


def test_a_child_fails() -> None:
    service = durable()
    parent, child = family(service)
    child.fail(ERROR)
    assert service.details(parent.arn, "ChainedInvokeFailed")["Error"]["Payload"] == {
        "ErrorType": "ValueError",
        "ErrorMessage": "no",
    }
    assert service.operation(parent.arn, "i")["Status"] == "FAILED"


def test_a_child_times_out() -> None:
    service = durable(execution_timeout=30)
    parent, child = family(service)
    service.at(30)
    assert service.status(child.arn) == "TIMED_OUT"
    assert service.details(parent.arn, "ChainedInvokeTimedOut")["Error"]["Payload"] == {
        "ErrorType": "ChainedInvoke.Timeout",
        "ErrorMessage": "CHAINED_INVOKE timed out after 30 seconds.",
    }
    assert service.is_ready(parent.arn)


def test_a_child_is_stopped() -> None:
    service = durable()
    parent, child = family(service)
    service.executor.stop(child.arn, ERROR, service.now)
    assert service.details(parent.arn, "ChainedInvokeStopped")["Error"]["Payload"]["ErrorMessage"] == "no"
    assert service.operation(parent.arn, "i")["Status"] == "STOPPED"


def test_a_child_that_ends_while_its_parent_runs_is_told_in_a_checkpoint() -> None:
    service = durable()
    parent = service.begin()
    parent.checkpoint(invoke("i", "child"), step("s"))
    service.take().succeed("1")
    assert not service.is_ready(parent.arn)
    assert parent.told(step("s", "SUCCEED")) == [("i", "SUCCEEDED"), ("s", "SUCCEEDED")]


def test_a_child_outlives_its_parent_and_nobody_is_told() -> None:
    service = durable()
    parent, child = family(service)
    service.executor.stop(parent.arn, None, service.now)
    events = service.events(parent.arn)
    child.succeed()
    assert service.status(child.arn) == "SUCCEEDED"
    assert service.events(parent.arn) == events
    assert service.operation(parent.arn, "i")["Status"] == "STARTED"


def test_an_outcome_that_is_told_twice_counts_once() -> None:
    service = durable()
    parent, child = family(service)
    child.succeed()
    events = service.events(parent.arn)
    service.executor.end_chained_invoke(parent.arn, "i", InvokeOutcome(status="FAILED"), service.now)
    assert service.events(parent.arn) == events


def test_children_of_one_parent_are_different_executions_with_their_own_tenant() -> None:
    service = durable()
    parent = service.begin(tenant_id="acme")
    parent.checkpoint(invoke("i", "child"), invoke("j", "child", tenant="other"))
    first, second = service.take(), service.take()
    assert first.arn != second.arn
    assert (first.input.tenant_id, second.input.tenant_id) == ("acme", "other")
    assert service.details(parent.arn, "ChainedInvokeStarted")["TenantId"] == "other"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("child:3", "3"),
        ("child:$LATEST", "$LATEST"),
        ("child:live", "$LATEST"),
        (f"{FUNCTION_ARN.replace(':fn', ':child')}:7", "7"),
        ("123456789012:function:child", "$LATEST"),
    ],
)
def test_a_qualified_name_finds_the_function(text: str, version: str) -> None:
    service = durable()
    parent, child = family(service, text)
    started = service.details(parent.arn, "ChainedInvokeStarted")
    assert started["ExecutedVersion"] == version
    assert f":function:child:{version}/durable-execution/" in child.arn
    assert child.input.function_arn.endswith(f":function:child:{version}")
    assert service.client.get_durable_execution(DurableExecutionArn=child.arn)["Version"] == version


def test_an_exact_registration_goes_before_the_bare_name() -> None:
    service = durable()
    service.functions.register("child:3", StubbedFunction(outcome=InvokeOutcome(status="SUCCEEDED", result="3")))
    handler = service.begin()
    handler.checkpoint(invoke("i", "child:3"))
    service.at(0)
    assert service.operation(handler.arn, "i")["ChainedInvokeDetails"] == {"Result": "3"}
    assert sorted(service.functions) == ["child", "child:3", "fn"]


def test_a_bare_name_finds_the_only_qualified_registration() -> None:
    functions = Service().functions
    function = PlainFunction(handler=None)
    functions.register("other:7", function)
    assert functions.find("other") is function
    assert functions.find("other:8") is None
    assert functions.find("white space") is None


@pytest.mark.parametrize("name", ["white space", "", "arn:aws:s3:::bucket"])
def test_names_that_are_no_function_names(name: str) -> None:
    with pytest.raises(ValueError, match="no function name"):
        Service().functions.register(name, PlainFunction(handler=None))


def test_a_durable_function_cannot_have_a_dot_in_its_name() -> None:
    with pytest.raises(ValueError, match="allow no dot"):
        Service().functions.register("a.b", DurableFunction(handler=None))


# ----------------------------------------------------------------------------------------------- other functions


def test_an_ordinary_function_is_called_once() -> None:
    service = Service(functions={"plain": PlainFunction(handler=None)})
    handler = service.begin(tenant_id="acme")
    handler.checkpoint(invoke("i", "plain", payload='"x"'))
    assert service.details(handler.arn, "ChainedInvokeStarted") == {
        "FunctionName": "plain",
        "Input": {"Payload": '"x"', "Truncated": False},
    }
    handler.suspend()
    action = service.next()
    assert isinstance(action, Call)
    call = action.call
    assert isinstance(call, PlainCall)
    assert (call.function_name, call.payload, call.tenant_id) == ("plain", '"x"', "acme")
    outcome = InvokeOutcome(status="SUCCEEDED", result="null")
    service.executor.end_chained_invoke(call.execution_arn, call.operation_id, outcome, service.now)
    assert service.details(handler.arn, "ChainedInvokeSucceeded")["Result"]["Payload"] == "null"
    assert service.is_ready(handler.arn)


@pytest.mark.parametrize(
    ("outcome", "event", "status"),
    [
        (InvokeOutcome(status="SUCCEEDED"), "ChainedInvokeSucceeded", "SUCCEEDED"),
        (InvokeOutcome(status="FAILED", error=ERROR), "ChainedInvokeFailed", "FAILED"),
        (InvokeOutcome(status="FAILED"), "ChainedInvokeFailed", "FAILED"),
        (InvokeOutcome(status="TIMED_OUT", error=ERROR), "ChainedInvokeTimedOut", "TIMED_OUT"),
        (InvokeOutcome(status="STOPPED", error=ERROR), "ChainedInvokeStopped", "STOPPED"),
    ],
)
def test_every_outcome_of_a_stub(outcome: InvokeOutcome, event: str, status: str) -> None:
    service, handler = stubbed(outcome, after=12_000)
    assert not service.is_ready(handler.arn)
    service.next_handler()
    assert service.elapsed == 12
    assert service.kinds(handler.arn)[-1] == event
    assert service.operation(handler.arn, "i")["Status"] == status
    assert len(service.details(handler.arn, event)) == 1, "a result or an error, always one of them"


def test_a_stub_goes_with_its_caller() -> None:
    service, handler = stubbed(InvokeOutcome(status="SUCCEEDED"), after=5_000)
    service.executor.stop(handler.arn, None, service.now)
    assert service.armed(handler.arn) == []


def test_an_answer_to_a_caller_that_is_over_is_dropped() -> None:
    service = Service(functions={"plain": PlainFunction(handler=None)})
    handler = service.begin()
    handler.checkpoint(invoke("i", "plain"))
    handler.succeed()
    events = service.events(handler.arn)
    service.executor.end_chained_invoke(handler.arn, "i", InvokeOutcome(status="SUCCEEDED"), service.now)
    assert service.events(handler.arn) == events


# --------------------------------------------------------------------------------------- what cannot be invoked


@pytest.mark.parametrize(
    ("text", "kind", "message"),
    [
        ("nobody", "ResourceNotFoundException", f"Function not found: {FUNCTION_ARN.replace(':fn', ':nobody')}"),
        ("nobody:3", "ResourceNotFoundException", f"Function not found: {FUNCTION_ARN.replace(':fn', ':nobody')}:3"),
        ("eu-west-1:123456789012:function:child", "InvalidParameterValueException", "another region"),
        ("210987654321:function:child", "InvalidParameterValueException", "another account"),
        ("arn::lambda:us-west-2:123456789012:function:child", "InvalidParameterValueException", "Invalid function"),
    ],
)
def test_a_target_that_cannot_be_invoked_fails_in_the_answer_itself(text: str, kind: str, message: str) -> None:
    service = durable()
    handler = service.begin()
    answer = handler.checkpoint(invoke("i", text, Name="call"))
    (operation,) = answer["NewExecutionState"]["Operations"]
    assert (operation["Status"], operation["Name"]) == ("FAILED", "call")
    assert operation["ChainedInvokeDetails"]["Error"]["ErrorType"] == kind
    assert message in operation["ChainedInvokeDetails"]["Error"]["ErrorMessage"]
    assert operation["EndTimestamp"] == operation["StartTimestamp"]
    assert service.kinds(handler.arn) == ["ChainedInvokeStarted", "ChainedInvokeFailed"]
    assert service.details(handler.arn, "ChainedInvokeStarted") == {"FunctionName": text}
    assert not service.executor.ready


def test_a_registered_arn_of_elsewhere_may_be_invoked() -> None:
    service = Service()
    elsewhere = "arn:aws:lambda:eu-west-1:210987654321:function:far"
    service.functions.register(elsewhere, StubbedFunction(outcome=InvokeOutcome(status="SUCCEEDED")))
    handler = service.begin()
    assert handler.told(invoke("i", elsewhere)) == [("i", "STARTED")]


def test_a_chain_has_an_end() -> None:
    service = Service(chained_invoke_depth=2)
    handler = service.begin()
    for _ in range(2):
        handler.checkpoint(invoke("i", "fn"))
        handler.suspend()
        handler = service.take()
    answer = handler.checkpoint(invoke("i", "fn"))
    (operation,) = answer["NewExecutionState"]["Operations"]
    assert operation["ChainedInvokeDetails"]["Error"]["ErrorType"] == "RecursiveInvocationException"
    assert "at most 2 links" in operation["ChainedInvokeDetails"]["Error"]["ErrorMessage"]


@pytest.mark.parametrize(("region", "partition"), [("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")])
def test_partitions(region: str, partition: str) -> None:
    account = Account(region=region, account_id="123456789012")
    assert account.function_arn("fn").startswith(f"arn:{partition}:lambda:{region}:")
    assert account.execution_arn("fn", "n", "s", "210987654321").account_id == "210987654321"


def test_a_goal_that_is_reached_ends_the_driving() -> None:
    service = Service()
    assert service.scheduler.next(Goal(lambda: True)) == Finished()

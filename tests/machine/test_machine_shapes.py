"""Everything that the service tells, held against the installed API model: members, required ones, types, patterns."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import botocore.loaders
import botocore.model
import pytest
from machine_kit import ERROR, Service, callback, context, invoke, step, update, wait

from async_durable_execution_runner._engine.functions import DurableFunction, InvokeOutcome, StubbedFunction
from async_durable_execution_runner._engine.pausing import PauseRequest
from async_durable_execution_runner._model.enums import (
    TERMINAL_STATUSES,
    ExecutionStatus,
    OperationAction,
    OperationStatus,
    OperationType,
)
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._wire.rendering import render_event, render_operation

MODEL = botocore.model.ServiceModel(botocore.loaders.Loader().load_service_model("lambda", "service-2"), "lambda")
LATER = frozenset({"ExecutionPaused", "ExecutionResumed"})
"""Event types of newer API models."""

PAUSES = frozenset({ExecutionStatus.PAUSING, ExecutionStatus.PAUSED})
"""States of newer API models."""


def complaints(shape: botocore.model.Shape, value: Any, path: str) -> list[str]:
    """What of a value does not fit a shape: unknown members count too."""
    if isinstance(shape, botocore.model.StructureShape):
        if not isinstance(value, dict):
            return [f"{path}: {value!r} is no structure"]
        found = [f"{path}.{name} is unknown" for name in value if name not in shape.members]
        found += [f"{path}.{name} is missing" for name in shape.required_members if name not in value]
        for name, member in shape.members.items():
            if name in value:
                found += complaints(member, value[name], f"{path}.{name}")
        return found
    if isinstance(shape, botocore.model.ListShape):
        if not isinstance(value, list):
            return [f"{path}: {value!r} is no list"]
        return [
            text for number, item in enumerate(value) for text in complaints(shape.member, item, f"{path}[{number}]")
        ]
    return scalar_complaints(shape, value, path)


def scalar_complaints(shape: botocore.model.Shape, value: Any, path: str) -> list[str]:
    types = {"string": str, "integer": int, "long": int, "boolean": bool, "timestamp": datetime}
    if type(value) is not types[shape.type_name]:
        return [f"{path}: {value!r} is no {shape.type_name}"]
    traits = shape._shape_model
    low, high = traits.get("min"), traits.get("max")
    size = len(value) if isinstance(value, str) else value
    found = []
    if (low is not None and size < low) or (high is not None and size > high):
        found.append(f"{path}: {value!r} is not within {low} and {high}")
    if "enum" in traits and value not in traits["enum"]:
        found.append(f"{path}: {value!r} is none of {traits['enum']}")
    if "pattern" in traits and re.fullmatch(traits["pattern"], value) is None:
        found.append(f"{path}: {value!r} does not match {traits['pattern']}")
    if isinstance(value, datetime) and value.utcoffset() is None:
        found.append(f"{path}: {value!r} is naive")
    return found


def check(shape: str, value: Any) -> None:
    assert complaints(MODEL.shape_for(shape), value, shape) == []


@pytest.fixture(scope="module")
def lived() -> Service:
    """A service that has seen everything."""
    outcomes = {
        "well": InvokeOutcome(status="SUCCEEDED", result="1"),
        "badly": InvokeOutcome(status="FAILED", error=ErrorObject(message="no")),
        "late": InvokeOutcome(status="TIMED_OUT", error=ErrorObject(type="ChainedInvoke.Timeout")),
        "ended": InvokeOutcome(status="STOPPED"),
    }
    functions: dict[str, Any] = {name: StubbedFunction(outcome=outcome) for name, outcome in outcomes.items()}
    service = Service(functions={**functions, "child": DurableFunction(handler=None, execution_timeout=9)})
    handler = service.begin(execution_timeout=1_000_000, tenant_id="acme", execution_name="everything")
    named = {"Name": "a name, 100 %", "SubType": "Step"}
    handler.checkpoint(
        step("s1", **named),
        step("s1", "SUCCEED", Payload="1", **named),
        step("s2"),
        step("s2", "FAIL", Error=ERROR),
        step("s3"),
        step("s3", "RETRY", delay=1, Error=ERROR),
        step("s4"),
        step("s4", "RETRY", delay=1, Payload="state"),
        step("s5"),
        step("s5", "FAIL"),
        context("c1", Name="ctx", SubType="RunInChildContext"),
        wait("w1", 5, ParentId="c1"),
        context("c1", "SUCCEED", Name="ctx", SubType="RunInChildContext", Payload="1", replay=True),
        context("c2"),
        context("c2", "FAIL", Error=ERROR),
        wait("w2", 5),
        update("WAIT", "CANCEL", "w2", Error=ERROR),
        wait("w3", 5),
        update("WAIT", "CANCEL", "w3"),
        callback("k1", 60, 60),
        callback("k2"),
        callback("k3", 3),
        callback("k4", 0, 3),
        callback("k5"),
        *(invoke(f"i-{name}", name) for name in outcomes),
        invoke("i-child", "child", payload=None, tenant="other"),
        invoke("i-nobody", "nobody"),
    )
    client = service.client
    client.send_durable_execution_callback_success(CallbackId=service.callback_id(handler.arn, "k1"), Result=b"1")
    client.send_durable_execution_callback_failure(CallbackId=service.callback_id(handler.arn, "k2"), Error=ERROR)
    handler.crash()
    service.at(10)
    for _ in range(len(service.executor.ready) - 1):
        service.take()
    service.start()
    for end in ("succeed", "fail"):
        getattr(service.begin(), end)()
    client.stop_durable_execution(DurableExecutionArn=service.start(), Error=ERROR)
    client.stop_durable_execution(DurableExecutionArn=service.start())
    return service


def test_every_event_fits_its_shape_and_every_type_occurs(lived: Service) -> None:
    seen = set()
    for arn, execution in lived.executor.executions.items():
        assert arn == execution.header.arn
        for event in execution.events:
            for include in (True, False):
                wire = render_event(event, include)
                check("Event", wire)
                kind = wire["EventType"]
                seen.add(kind)
                details = {name for name in wire if name.endswith("Details")}
                assert details == {f"{kind}Details"}
    assert seen == set(MODEL.shape_for("EventType").enum) - LATER


@pytest.mark.skipif("PauseDetails" not in MODEL.shape_names, reason="the installed API model has no pauses")
def test_a_pause_fits_its_shapes() -> None:
    service = Service()
    arn = service.start()
    for reason in (None, "night"):
        service.executor.pausing.pause(arn, PauseRequest(reason=reason), service.now)
        check("GetDurableExecutionResponse", service.client.get_durable_execution(DurableExecutionArn=arn))
        service.executor.pausing.resume(arn, PauseRequest(reason=reason), service.now)
    for include in (True, False):
        for event in service.events(arn, IncludeExecutionData=include):
            check("Event", event)
    assert set(service.kinds(arn)) == LATER


def test_every_operation_fits_its_shape_in_every_state(lived: Service) -> None:
    seen = set()
    for execution in lived.executor.executions.values():
        for operation in execution.operations.values():
            wire = render_operation(operation)
            check("Operation", wire)
            seen.add((wire["Type"], wire["Status"]))
            assert ("EndTimestamp" in wire) is (wire["Status"] in TERMINAL_STATUSES)
    assert {kind for kind, _ in seen} == set(MODEL.shape_for("OperationType").enum)
    assert {status for _, status in seen} == set(MODEL.shape_for("OperationStatus").enum) - {"PENDING"}


def test_a_pending_step_fits_its_shape() -> None:
    service = Service()
    handler = service.begin()
    (wire,) = handler.checkpoint(step("s"), step("s", "RETRY", delay=1))["NewExecutionState"]["Operations"]
    check("Operation", wire)
    assert wire["Status"] == "PENDING"


def test_every_execution_and_every_entry_of_a_list_fits_its_shape(lived: Service) -> None:
    seen = set()
    for arn in lived.executor.executions:
        found = lived.client.get_durable_execution(DurableExecutionArn=arn)
        check("GetDurableExecutionResponse", found)
        seen.add(found["Status"])
    assert seen == set(ExecutionStatus) - PAUSES
    for function in ("fn", "child"):
        page = lived.client.list_durable_executions_by_function(FunctionName=function)
        check("ListDurableExecutionsByFunctionResponse", page)
        assert page["DurableExecutions"]


def test_every_answer_fits_its_shape() -> None:
    service = Service(state_page_operations=1)
    handler = service.begin()
    answer = handler.checkpoint(step("s"), wait("w"))
    check("CheckpointDurableExecutionResponse", answer)
    check("GetDurableExecutionStateResponse", handler.state(Marker=answer["NewExecutionState"]["NextMarker"]))
    check("GetDurableExecutionStateResponse", handler.state())
    page = service.client.get_durable_execution_history(DurableExecutionArn=handler.arn, MaxItems=1)
    check("GetDurableExecutionHistoryResponse", page)
    stopped = service.client.stop_durable_execution(DurableExecutionArn=handler.arn)
    check("StopDurableExecutionResponse", stopped)


@pytest.mark.parametrize(
    ("shape", "words"),
    [("OperationType", OperationType), ("OperationAction", OperationAction), ("OperationStatus", OperationStatus)],
)
def test_the_words_are_those_of_the_api(shape: str, words: Any) -> None:
    assert {str(word) for word in words} == set(MODEL.shape_for(shape).enum)


def test_the_states_of_an_execution_are_words_of_the_api() -> None:
    assert {str(word) for word in set(ExecutionStatus) - PAUSES} <= set(MODEL.shape_for("ExecutionStatus").enum)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ({"EventId": "1"}, "Event.EventId: '1' is no integer"),
        ({"EventId": 0}, "Event.EventId: 0 is not within 1 and None"),
        ({"Id": "no id"}, "Event.Id: 'no id' does not match"),
        ({"Nothing": 1}, "Event.Nothing is unknown"),
        ({"EventType": "Nothing"}, "Event.EventType: 'Nothing' is none of"),
        ({"WaitStartedDetails": {"Duration": 1}}, "Event.WaitStartedDetails.ScheduledEndTimestamp is missing"),
        ({"EventTimestamp": datetime(2025, 1, 1)}, "is naive"),  # noqa: DTZ001 - a naive one is the point
        ({"StepStartedDetails": []}, "Event.StepStartedDetails: [] is no structure"),
    ],
)
def test_the_check_itself_sees_what_is_wrong(value: dict[str, Any], complaint: str) -> None:
    assert any(complaint in text for text in complaints(MODEL.shape_for("Event"), value, "Event"))

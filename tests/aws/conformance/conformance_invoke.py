"""Handlers of the suite "invoke", and the functions that they call."""

from __future__ import annotations

import json
import os

from aws_durable_execution_sdk_python import InvokeError, durable_execution
from aws_durable_execution_sdk_python.config import InvokeConfig
from aws_durable_execution_sdk_python.serdes import SerDes
from conformance_common import constant, failing, seconds


class CapitalPayload(SerDes):
    """JSON of an object whose texts were turned into capitals."""

    def serialize(self, value, serdes_context):
        return json.dumps({key: text.upper() for key, text in value.items()})

    def deserialize(self, data, serdes_context):
        return json.loads(data)


class CapitalResult(SerDes):
    """What came back is turned into capitals as it is, quotes and all."""

    def serialize(self, value, serdes_context):
        return json.dumps(value)

    def deserialize(self, data, serdes_context):
        return data.upper()


def target():
    return os.environ["TARGET_FUNCTION_NAME"]


@durable_execution
def echo(event, context):
    return event


@durable_execution
def broken(event, context):
    failing(event)


@durable_execution
def measure(event, context):
    return {"length": len(event["text"])}


@durable_execution
def pass_on(event, context):
    return context.invoke(target(), event)


@durable_execution
def named_by_input(event, context):
    return context.invoke(target(), event["payload"], name=event["name"])


@durable_execution
def failure_is_caught(event, context):
    try:
        return context.invoke(target(), event)
    except InvokeError:
        return "fallback"


@durable_execution
def large_payload(event, context):
    return context.invoke(target(), {"text": "x" * 240_000})


@durable_execution
def for_a_tenant(event, context):
    return context.invoke(target(), event["payload"], config=InvokeConfig(tenant_id=event["tenantId"]))


@durable_execution
def success_is_cached(event, context):
    value = context.invoke(target(), event)
    context.wait(seconds(1))
    return value


@durable_execution
def failure_is_cached(event, context):
    try:
        value = context.invoke(target(), event)
    except InvokeError:
        value = "fallback"
    context.wait(seconds(1))
    return value


@durable_execution
def step_first(event, context):
    return context.invoke(target(), context.step(constant("from the step")))


@durable_execution
def then_step(event, context):
    return context.step(constant(context.invoke(target(), event)))


@durable_execution
def in_child_context(event, context):
    return context.run_in_child_context(lambda child: child.invoke(target(), event))


@durable_execution
def one_after_the_other(event, context):
    return [context.invoke(target(), word) for word in ("first", "second")]


@durable_execution
def payload_serdes(event, context):
    return context.invoke(target(), event, config=InvokeConfig(serdes_payload=CapitalPayload()))


@durable_execution
def result_serdes(event, context):
    return context.invoke(target(), event, config=InvokeConfig(serdes_result=CapitalResult()))

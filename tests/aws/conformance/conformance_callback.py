"""Handlers of the suite "callback"."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass

from aws_durable_execution_sdk_python import CallbackError, durable_execution
from aws_durable_execution_sdk_python.config import CallbackConfig
from aws_durable_execution_sdk_python.serdes import SerDes
from conformance_common import constant, seconds


@dataclass(frozen=True)
class Message:
    id: str
    message: str
    timestamp: dt.datetime


class MessageSerDes(SerDes):
    """JSON text with an ISO timestamp to and from ``Message``."""

    def serialize(self, value, serdes_context):
        return json.dumps({"id": value.id, "message": value.message, "timestamp": value.timestamp.isoformat()})

    def deserialize(self, data, serdes_context):
        fields = json.loads(data)
        moment = dt.datetime.fromisoformat(fields["timestamp"])
        return Message(fields["id"], fields["message"], moment)


class Number(SerDes):
    """Digits to and from an ``int``."""

    def serialize(self, value, serdes_context):
        return str(value)

    def deserialize(self, data, serdes_context):
        return int(data)


@durable_execution
def named_by_input(event, context):
    return context.create_callback(name=event).result()


@durable_execution
def named_approval(event, context):
    return context.create_callback(name="approval").result()


@durable_execution
def five_seconds(event, context):
    return context.create_callback(name=event, config=CallbackConfig(timeout=seconds(5))).result()


@durable_execution
def heartbeat_within_five(event, context):
    return context.create_callback(name=event, config=CallbackConfig(heartbeat_timeout=seconds(5))).result()


@durable_execution
def heartbeat_within_ten(event, context):
    return context.create_callback(name=event, config=CallbackConfig(heartbeat_timeout=seconds(10))).result()


@durable_execution
def step_before_result(event, context):
    callback = context.create_callback(name=event)
    context.step(constant("meanwhile"))
    return callback.result()


@durable_execution
def timeout_after_step(event, context):
    callback = context.create_callback(name=event, config=CallbackConfig(timeout=seconds(5)))
    context.step(constant("meanwhile"))
    return callback.result()


@durable_execution
def wait_before_result(event, context):
    callback = context.create_callback(name=event)
    context.wait(seconds(5))
    return callback.result()


@durable_execution
def timeout_during_wait(event, context):
    callback = context.create_callback(name=event, config=CallbackConfig(timeout=seconds(3)))
    context.wait(seconds(6))
    return callback.result()


@durable_execution
def then_wait(event, context):
    answer = context.create_callback(name=event).result()
    context.wait(seconds(2))
    return answer


@durable_execution
def wait_after_failure(event, context):
    callback = context.create_callback(name=event)
    try:
        outcome = callback.result()
    except CallbackError as error:
        outcome = str(error)
    context.wait(seconds(2))
    return outcome


@durable_execution
def wait_after_timeout(event, context):
    callback = context.create_callback(name=event, config=CallbackConfig(timeout=seconds(3)))
    try:
        outcome = callback.result()
    except CallbackError as error:
        outcome = str(error)
    context.wait(seconds(2))
    return outcome


@durable_execution
def typed_payload(event, context):
    got = context.create_callback(name=event, config=CallbackConfig(serdes=MessageSerDes())).result()
    return {"received": {"id": got.id, "message": got.message, "timestamp": int(got.timestamp.timestamp())}}


@durable_execution
def number_payload(event, context):
    count = context.create_callback(name=event, config=CallbackConfig(serdes=Number())).result()
    return {"count": count, "doubled": 2 * count}


@durable_execution
def one_after_the_other(event, context):
    return [context.create_callback(name=name).result() for name in event]


@durable_execution
def two_open(event, context):
    callbacks = [context.create_callback(name=name) for name in event]
    return [callback.result() for callback in callbacks]


@durable_execution
def two_open_second_awaited_first(event, context):
    first, second = [context.create_callback(name=name) for name in event]
    answer = second.result()
    return [first.result(), answer]

"""Handlers of the suite "wait"."""

from __future__ import annotations

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import Duration
from conformance_common import seconds


@durable_execution
def two_seconds(event, context):
    context.wait(seconds(2))


@durable_execution
def named(event, context):
    context.wait(seconds(2), name="custom_wait_name")


@durable_execution
def one_after_another(event, context):
    for number in (1, 2):
        context.wait(seconds(2), name=f"wait-{number}")
    return {"completedWaits": 2}


@durable_execution
def one_minute(event, context):
    context.wait(Duration.from_minutes(1))


@durable_execution
def one_hour(event, context):
    context.wait(Duration.from_hours(1))

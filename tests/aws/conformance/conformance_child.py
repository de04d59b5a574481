"""Handlers of the suite "child"."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import boto3
from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import ChildConfig, StepConfig
from conformance_common import NO_RETRY, constant, failing, once_more, say_even_in_replay, seconds
from conformance_step import Capitals, works_from_attempt


def step_then_wait(value):
    """A child context of a step and a wait."""

    def body(child):
        got = child.step(constant(value))
        child.wait(seconds(1))
        return got

    return body


def until_started(context):
    """Wait for the service to know of the running step: the SDK tells it while the step is already under way."""
    client, arn = boto3.client("lambda"), context.execution_context.durable_execution_arn
    started = False
    while not started:
        events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        started = any(event["EventType"] == "StepStarted" for event in events)


@durable_execution
def single_step(event, context):
    return context.run_in_child_context(lambda child: child.step(constant(event)))


@durable_execution
def named_by_input(event, context):
    return context.run_in_child_context(lambda child: child.step(constant(event["value"])), name=event["name"])


@durable_execution
def two_steps(event, context):
    def body(child):
        first = child.step(constant(event), name="first")
        return child.step(constant(first), name="second")

    return context.run_in_child_context(body, name="two-steps")


@durable_execution
def failing_step(event, context):
    return context.run_in_child_context(lambda child: child.step(failing, config=NO_RETRY), name="failing")


@durable_execution
def failing_step_is_caught(event, context):
    with contextlib.suppress(Exception):
        context.run_in_child_context(lambda child: child.step(failing, config=NO_RETRY))
    return context.step(constant(event), name="recovery")


@durable_execution
def nested(event, context):
    def outer(child):
        value = child.step(constant(event))
        return child.run_in_child_context(lambda inner: inner.step(constant(value)), name="inner")

    return context.run_in_child_context(outer, name="outer")


@durable_execution
def step_is_retried(event, context):
    def body(child):
        return child.step(works_from_attempt(2, event), config=StepConfig(retry_strategy=once_more()))

    return context.run_in_child_context(body, name="retrying")


@durable_execution
def step_fails_twice(event, context):
    def body(child):
        return child.step(failing, config=StepConfig(retry_strategy=once_more()))

    return context.run_in_child_context(body, name="exhausted")


@durable_execution
def then_wait(event, context):
    value = context.run_in_child_context(lambda child: child.step(constant(event)))
    context.wait(seconds(1))
    return value


@durable_execution
def step_and_wait(event, context):
    return context.run_in_child_context(step_then_wait(event), name="step-and-wait")


@durable_execution
def large_result(event, context):
    def body(child):
        say_even_in_replay(child, f"building from {event}")
        kilobyte = child.step(constant("x" * 1024), name="kilobyte")
        return kilobyte * 300

    text = context.run_in_child_context(body, name="large")
    context.wait(seconds(1))
    return {"length": len(text)}


@durable_execution
def killed_once(event, context):
    def step(_):
        mark = Path(os.environ["SCRATCH"], "killed")
        if not mark.exists():
            mark.touch()
            until_started(context)
            os._exit(1)
        return event

    return context.run_in_child_context(lambda child: child.step(step))


@durable_execution
def only_a_wait_inside(event, context):
    def body(child):
        child.wait(seconds(1))
        return event

    value = context.run_in_child_context(body, name="waiting")
    return context.step(constant(value), name="outer-step")


@durable_execution
def capitals_serdes(event, context):
    config = ChildConfig(serdes=Capitals())
    return context.run_in_child_context(lambda child: child.step(constant(event)), name="capitals", config=config)


@durable_execution
def raises_itself(event, context):
    return context.run_in_child_context(failing, name="raising")


@durable_execution
def nothing(event, context):
    return context.run_in_child_context(constant(None), name="nothing")


@durable_execution
def only_logs(event, context):
    def body(child):
        say_even_in_replay(child, f"the child got {event}")
        return event

    value = context.run_in_child_context(body, name="logging")
    context.wait(seconds(1))
    return value


@durable_execution
def step_and_wait_inside_and_after(event, context):
    value = context.run_in_child_context(step_then_wait(event), name="step-and-wait")
    again = context.step(constant(value))
    context.wait(seconds(1))
    return again

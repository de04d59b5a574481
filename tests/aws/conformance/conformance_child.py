"""Handlers of the suite "child"."""

from __future__ import annotations

import contextlib

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import StepConfig
from conformance_common import NO_RETRY, constant, failing, once_more, say_even_in_replay, seconds
from conformance_step import works_from_attempt


@durable_execution
def single_step(event, context):
    return context.run_in_child_context(lambda child: child.step(constant(event)))


@durable_execution
def two_steps(event, context):
    def body(child):
        first = child.step(constant(event), name="first")
        return child.step(constant(first), name="second")

    return context.run_in_child_context(body, name="two-steps")


@durable_execution
def failing_step_is_caught(event, context):
    with contextlib.suppress(Exception):
        context.run_in_child_context(lambda child: child.step(failing, config=NO_RETRY))
    return context.step(constant(event), name="recovery")


@durable_execution
def step_is_retried(event, context):
    def body(child):
        return child.step(works_from_attempt(2, event), config=StepConfig(retry_strategy=once_more()))

    return context.run_in_child_context(body, name="retrying")


@durable_execution
def then_wait(event, context):
    value = context.run_in_child_context(lambda child: child.step(constant(event)))
    context.wait(seconds(1))
    return value


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
def only_a_wait_inside(event, context):
    def body(child):
        child.wait(seconds(1))
        return event

    value = context.run_in_child_context(body, name="waiting")
    return context.step(constant(value), name="outer-step")


@durable_execution
def raises_itself(event, context):
    return context.run_in_child_context(failing, name="raising")


@durable_execution
def only_logs(event, context):
    def body(child):
        say_even_in_replay(child, f"the child got {event}")
        return event

    value = context.run_in_child_context(body, name="logging")
    context.wait(seconds(1))
    return value

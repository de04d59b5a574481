"""Handlers of the suite "wait_for_callback"."""

from __future__ import annotations

from aws_durable_execution_sdk_python import CallbackError, durable_execution
from aws_durable_execution_sdk_python.config import WaitForCallbackConfig
from aws_durable_execution_sdk_python.serdes import JsonSerDes
from conformance_common import constant, failing, once_more, seconds


def submit(callback_id, submitter):
    """Gets to know the callback id; there is no other system to hand it to."""
    submitter.logger.info("to be answered: %s", callback_id)


@durable_execution
def named_by_input(event, context):
    return context.wait_for_callback(submit, name=event)


@durable_execution
def named_approval(event, context):
    return context.wait_for_callback(submit, name="approval")


@durable_execution
def anonymous(event, context):
    return context.wait_for_callback(lambda callback_id, _: None)


@durable_execution
def three_seconds(event, context):
    return context.wait_for_callback(submit, name=event, config=WaitForCallbackConfig(timeout=seconds(3)))


@durable_execution
def failure_is_caught(event, context):
    try:
        return context.wait_for_callback(submit, name=event)
    except CallbackError:
        return "recovered"


@durable_execution
def submitter_fails(event, context):
    config = WaitForCallbackConfig(retry_strategy=once_more())
    return context.wait_for_callback(lambda callback_id, _: failing(callback_id), name=event, config=config)


@durable_execution
def in_child_context(event, context):
    return context.run_in_child_context(lambda child: child.wait_for_callback(submit, name=event), name="wrapper")


@durable_execution
def one_after_the_other(event, context):
    context.wait_for_callback(submit, name="first")
    return context.wait_for_callback(submit, name="second")


@durable_execution
def after_wait_and_step(event, context):
    context.wait(seconds(1))
    context.step(constant("fixed"))
    return context.wait_for_callback(submit, name=event)


@durable_execution
def json_payload(event, context):
    return context.wait_for_callback(submit, name=event, config=WaitForCallbackConfig(serdes=JsonSerDes()))["status"]


@durable_execution
def heartbeat_within_five(event, context):
    return context.wait_for_callback(submit, name=event, config=WaitForCallbackConfig(heartbeat_timeout=seconds(5)))


@durable_execution
def heartbeat_within_ten(event, context):
    return context.wait_for_callback(submit, name=event, config=WaitForCallbackConfig(heartbeat_timeout=seconds(10)))


@durable_execution
def timeout_is_caught(event, context):
    try:
        return context.wait_for_callback(submit, name=event, config=WaitForCallbackConfig(timeout=seconds(3)))
    except CallbackError:
        return "timed-out-handled"

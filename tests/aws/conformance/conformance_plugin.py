"""Handlers of the suite "plugin", and the plugins that they have."""

from __future__ import annotations

import copy
import functools
import json
import sys

from aws_durable_execution_sdk_python import durable_execution
from aws_durable_execution_sdk_python.config import StepConfig
from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin, OperationType
from conformance_common import NO_RETRY, failing, once_more, seconds
from conformance_step import works_from_attempt


class Saying(DurableInstrumentationPlugin):
    """Prints JSON lines that say whose execution they are about; what to say of which hook is up to its subclasses."""

    def __init__(self, name="CONFPLUGIN"):
        self.name = name

    def create_plugin(self, info, /):
        """Since release 3.0 each invocation has a plugin of its own, and this is asked for it."""
        return copy.copy(self)

    def on_invocation_start(self, info):
        self.arn = info.execution_arn

    def say(self, hook, **fields):
        record = {"plugin": self.name, "hook": hook, **fields, "durableExecutionArn": self.arn}
        sys.stdout.write(json.dumps(record) + "\n")


class Invocations(Saying):
    def on_invocation_start(self, info):
        super().on_invocation_start(info)
        self.say("invocation-start", first=info.is_first_invocation)

    def on_invocation_end(self, info):
        self.say("invocation-end", status=info.status.value)


def of_steps(hook):
    """Only steps are of interest."""

    @functools.wraps(hook)
    def only_steps(plugin, info):
        if info.operation_type is OperationType.STEP:
            hook(plugin, info)

    return only_steps


class Operations(Saying):
    @of_steps
    def on_operation_start(self, info):
        self.say("operation-start", op=info.operation_id)

    @of_steps
    def on_operation_end(self, info):
        self.say("operation-end", op=info.operation_id, status=info.status.value)


class Attempts(Saying):
    @of_steps
    def on_user_function_start(self, info):
        self.say("attempt-start", n=info.attempt, op=info.operation_id)

    @of_steps
    def on_user_function_end(self, info):
        self.say("attempt-end", n=info.attempt, outcome=info.outcome.value, op=info.operation_id)


class Faulty(Invocations, Operations, Attempts):
    """Every hook says what it has to say, and fails."""

    def say(self, hook, **fields):
        super().say(hook)
        raise RuntimeError(f"the plugin fails in {hook}")


def greet(event, context):
    def greeting(step):
        step.logger.info("Greeting step running for: %s", event)
        return f"Hello, {event}!"

    return context.step(greeting)


invocations = durable_execution(greet, plugins=[Invocations()])
operations = durable_execution(greet, plugins=[Operations()])
faulty = durable_execution(greet, plugins=[Faulty("CONFPLUGIN-FAULTY")])
two_plugins = durable_execution(greet, plugins=[Invocations("CONFPLUGIN-A"), Invocations("CONFPLUGIN-B")])


@durable_execution(plugins=[Attempts()])
def attempts(event, context):
    return context.step(works_from_attempt(2, "Operation succeeded"), config=StepConfig(retry_strategy=once_more()))


@durable_execution(plugins=[Invocations()])
def replayed(event, context):
    context.wait(seconds(2))


@durable_execution(plugins=[Invocations()])
def failed(event, context):
    return context.step(failing, config=NO_RETRY)

"""Handlers of the suite "step"."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python import StepError, durable_execution
from aws_durable_execution_sdk_python.config import StepConfig, StepSemantics
from aws_durable_execution_sdk_python.retries import RetryDecision, RetryPresets
from aws_durable_execution_sdk_python.serdes import SerDes
from conformance_common import NO_RETRY, constant, failing, once_more, retrying, seconds


class TransientError(Exception):
    """The failure that a retry strategy tells apart by its class."""


class Capitals(SerDes):
    """A text is stored in capitals."""

    def serialize(self, value, serdes_context):
        return value.upper()

    def deserialize(self, data, serdes_context):
        return data


def works_from_attempt(number: int, value: Any, error: type[Exception] = RuntimeError) -> Callable[[Any], Any]:
    """A step that raises until the given attempt and then returns ``value``."""

    def unreliable(step: Any) -> Any:
        if step.attempt < number:
            raise error(f"attempt {step.attempt} was in vain")
        return value

    return unreliable


@durable_execution
def greeting(event, context):
    return context.step(constant(f"Hello, {event}!"))


@durable_execution
def named_greeting(event, context):
    return context.step(constant(f"Hello, {event}!"), name="custom_step_name")


@durable_execution
def second_needs_first(event, context):
    first = context.step(constant("first"))
    return context.step(constant(f"{first}_second"))


@durable_execution
def nested_object(event, context):
    return context.step(constant({"user": event, "count": len(event["tags"])}))


@durable_execution
def nothing(event, context):
    return context.step(constant(None))


@durable_execution
def capitals_serdes(event, context):
    return context.step(constant(event), config=StepConfig(serdes=Capitals()))


@durable_execution
def logging_greeting(event, context):
    def greet(step):
        step.logger.info("Greeting step started for: %s", event)
        words = f"Hello, {event}!"
        step.logger.info("Greeting step completed with: %s", words)
        return words

    return context.step(greet)


@durable_execution
def then_wait(event, context):
    value = context.step(constant("computed"))
    context.wait(seconds(2))
    return value


@durable_execution
def success_is_cached(event, context):
    def announce(step):
        step.logger.info("step executed")
        return "cached_value"

    value = context.step(announce)
    context.wait(seconds(1))
    return value


@durable_execution
def failure_is_cached(event, context):
    def announce(step):
        step.logger.info("step executed")
        failing(step)

    with contextlib.suppress(StepError):
        context.step(announce, config=NO_RETRY)
    context.wait(seconds(1))


@durable_execution
def second_attempt_works(event, context):
    return context.step(works_from_attempt(2, "Operation succeeded"), config=StepConfig(retry_strategy=once_more()))


@durable_execution
def retry_as_by_default(event, context):
    return context.step(works_from_attempt(3, "third time lucky"))


@durable_execution
def fails_four_times(event, context):
    return context.step(failing, config=StepConfig(retry_strategy=retrying(4)))


@durable_execution
def longer_delays(event, context):
    config = StepConfig(retry_strategy=retrying(5, delay=2, rate=3))
    return context.step(works_from_attempt(3, "third time lucky"), config=config)


@durable_execution
def retry_transient_only(event, context):
    def if_transient(error, attempts_made):
        again = isinstance(error, TransientError)
        return RetryDecision.retry(seconds(1)) if again else RetryDecision.no_retry()

    return context.step(works_from_attempt(2, "passed", TransientError), config=StepConfig(retry_strategy=if_transient))


@durable_execution
def transient_is_not_retried(event, context):
    def unless_transient(error, attempts_made):
        again = not isinstance(error, TransientError)
        return RetryDecision.retry(seconds(1)) if again else RetryDecision.no_retry()

    config = StepConfig(retry_strategy=unless_transient)
    return context.step(works_from_attempt(2, "passed", TransientError), config=config)


@durable_execution
def crash_without_retry(event, context):
    def crash(step):
        step.logger.info("crashing on %s", event)
        os._exit(1)

    once = StepConfig(retry_strategy=RetryPresets.none(), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
    context.step(crash, name="at_most_once_flaky_step", config=once)


@durable_execution
def crash_is_retried(event, context):
    def crash_at_first(step):
        step.logger.info("attempt %s of %s", step.attempt, event)
        if step.attempt == 1:
            os._exit(1)
        return "succeeded on second attempt"

    config = StepConfig(retry_strategy=once_more(), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)
    return context.step(crash_at_first, config=config)


@durable_execution
def fails_for_good(event, context):
    return context.step(failing, config=NO_RETRY)


@durable_execution
def fallback_after_failure(event, context):
    try:
        value = context.step(failing, config=NO_RETRY)
    except StepError:
        value = "fallback_result"
    return context.step(constant(value))

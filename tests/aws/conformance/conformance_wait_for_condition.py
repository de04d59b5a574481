"""Handlers of the suite "wait_for_condition"."""

from __future__ import annotations

import base64

from aws_durable_execution_sdk_python import WaitForConditionError, durable_execution
from aws_durable_execution_sdk_python.config import JitterStrategy
from aws_durable_execution_sdk_python.serdes import SerDes
from aws_durable_execution_sdk_python.waits import (
    WaitForConditionConfig,
    WaitForConditionDecision,
    WaitStrategyConfig,
    create_wait_strategy,
)
from conformance_common import constant, failing, seconds


def plus_one(state, _):
    return state + 1


def polling(start, is_met, delay=1, serdes=None):
    """Poll again after ``delay`` seconds until the state is as wanted."""

    def decide(state, attempts_made):
        if is_met(state):
            return WaitForConditionDecision.stop_polling()
        return WaitForConditionDecision.continue_waiting(seconds(delay))

    return WaitForConditionConfig(wait_strategy=decide, initial_state=start, serdes=serdes)


class Base64Text(SerDes):
    def serialize(self, value, serdes_context):
        return base64.b64encode(value.encode()).decode()

    def deserialize(self, data, serdes_context):
        return base64.b64decode(data).decode()


@durable_execution
def counts_up(event, context):
    return context.wait_for_condition(plus_one, polling(0, lambda state: state >= event))


@durable_execution
def met_at_once(event, context):
    return context.wait_for_condition(lambda state, _: state, polling(5, lambda state: state >= 5))


@durable_execution
def named(event, context):
    return context.wait_for_condition(plus_one, polling(0, lambda state: state >= 2), name="poll-status")


@durable_execution
def counts_from_five(event, context):
    return context.wait_for_condition(plus_one, polling(5, lambda state: state >= event))


@durable_execution
def every_two_seconds(event, context):
    return context.wait_for_condition(plus_one, polling(0, lambda state: state >= event, delay=2))


@durable_execution
def never_met(event, context):
    three = WaitStrategyConfig(
        should_continue_polling=lambda state: True,
        max_attempts=3,
        initial_delay=seconds(1),
        backoff_rate=1,
        jitter_strategy=JitterStrategy.NONE,
    )
    config = WaitForConditionConfig(wait_strategy=create_wait_strategy(three), initial_state=event)
    return context.wait_for_condition(plus_one, config)


@durable_execution
def check_raises(event, context):
    return context.wait_for_condition(lambda state, _: failing(state), polling(0, lambda state: True))


@durable_execution
def raising_check_is_caught(event, context):
    try:
        return context.wait_for_condition(lambda state, _: failing(state), polling(0, lambda state: True))
    except WaitForConditionError:
        return "recovered"


@durable_execution
def object_as_state(event, context):
    def look(state, _):
        attempts = state["attempts"] + 1
        return {"status": "DONE" if attempts >= 2 else "PENDING", "attempts": attempts}

    start = {"status": "PENDING", "attempts": 0}
    return context.wait_for_condition(look, polling(start, lambda state: state["status"] == "DONE"))


@durable_execution
def nothing(event, context):
    return context.wait_for_condition(lambda state, _: None, polling(0, lambda state: True))


@durable_execution
def state_serdes(event, context):
    return context.wait_for_condition(
        lambda state, _: state + "x", polling("", lambda state: len(state) >= 2, serdes=Base64Text())
    )


@durable_execution
def step_with_final_state(event, context):
    state = context.wait_for_condition(plus_one, polling(0, lambda state: state >= event))
    return context.step(constant(10 * state))


@durable_execution
def one_after_the_other(event, context):
    state = context.wait_for_condition(plus_one, polling(0, lambda state: state >= 2))
    return context.wait_for_condition(plus_one, polling(state, lambda state: state >= 4))

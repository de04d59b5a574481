"""Handlers of the suite "step"."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

from async_durable_execution import (
    JitterStrategy,
    RetryStrategy,
    StepSemantics,
    durable_execution,
    get_step_context,
    step,
    wait,
)
from handlers_common import ONCE_ONLY, Capitals, at_attempt, attempts, raising, returning

logger = logging.getLogger(__name__)


class TransientError(Exception):
    """A failure that passes by itself."""


class JsonInCapitals(Capitals):
    """JSON with capitals only."""

    async def serialize(self, value: str) -> str:
        return json.dumps(value).upper()

    async def deserialize(self, data: str) -> str:
        return str(json.loads(data))


@durable_execution
async def greeting(event: str) -> Any:
    return await step(returning(f"Hello, {event}!"))


@durable_execution
async def named(event: str) -> Any:
    return await step(returning(f"Hello, {event}!"), name="custom_step_name")


@durable_execution
async def second_needs_first(event: None) -> Any:
    first = await step(returning("first"))
    return await step(returning(f"{first}_second"))


@durable_execution
async def nested_object(event: dict[str, Any]) -> Any:
    tags = event["tags"]
    return await step(returning({"user": {"name": event["name"], "tags": tags}, "count": len(tags)}))


@durable_execution
async def nothing(event: None) -> Any:
    return await step(returning(None))


@durable_execution
async def capitals(event: str) -> Any:
    return await step(returning(event), serdes=JsonInCapitals())


@durable_execution
async def greeting_is_logged(event: str) -> Any:
    async def greet() -> str:
        logger.info("Greeting step started for: %s", event)
        words = f"Hello, {event}!"
        logger.info("Greeting step completed with: %s", words)
        return words

    return await step(greet)


@durable_execution
async def then_wait(event: None) -> Any:
    value = await step(returning("computed"))
    await wait(2)
    return value


@durable_execution
async def success_is_kept(event: None) -> Any:
    async def announced() -> str:
        logger.info("step executed")
        return "cached_value"

    value = await step(announced)
    await wait(1)
    return value


@durable_execution
async def failure_is_kept(event: None) -> None:
    async def announced() -> None:
        logger.info("step executed")
        raise RuntimeError("it ran and was in vain")

    try:
        await step(announced, retry_strategy=ONCE_ONLY)
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it, now and when it is replayed
        await wait(1)
    else:
        raise AssertionError("the step has succeeded")


@durable_execution
async def two_attempts(event: None) -> Any:
    return await step(at_attempt(2, "Operation succeeded"), retry_strategy=attempts(2))


@durable_execution
async def four_attempts(event: None) -> None:
    await step(raising(), retry_strategy=attempts(4))


@durable_execution
async def retried_by_default(event: None) -> Any:
    return await step(at_attempt(3, "third time"))


@durable_execution
async def threefold_delays(event: None) -> Any:
    async def third_time() -> int | None:
        attempt = get_step_context().attempt
        if attempt != 3:
            raise RuntimeError(f"attempt {attempt} is too early")
        return attempt

    patient = RetryStrategy(max_attempts=5, initial_delay=2, backoff_rate=3, jitter_strategy=JitterStrategy.NONE)
    return await step(third_time, retry_strategy=patient)


@durable_execution
async def transient_is_retried(event: None) -> Any:
    async def flaky() -> str:
        if get_step_context().attempt == 1:
            raise TransientError("it will pass")
        return "it has passed"

    strategy = RetryStrategy(
        retryable_error_types=[TransientError], initial_delay=1, jitter_strategy=JitterStrategy.NONE
    )
    return await step(flaky, retry_strategy=strategy)


@durable_execution
async def transient_is_not_retried(event: None) -> None:
    async def flaky() -> None:
        raise TransientError("it would pass")

    strategy = RetryStrategy(retryable_error_types=[KeyError])
    await step(flaky, retry_strategy=strategy)


@durable_execution
async def crash_without_retry(event: str) -> Any:
    async def crash() -> None:
        logger.info("on to %s", event)
        sys.exit(1)

    return await step(
        crash,
        name="at_most_once_flaky_step",
        retry_strategy=ONCE_ONLY,
        step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
    )


@durable_execution
async def crash_with_retry(event: str) -> Any:
    async def crash_once() -> str:
        logger.info("on to %s", event)
        if get_step_context().attempt == 1:
            sys.exit(1)
        return "succeeded on second attempt"

    return await step(crash_once, retry_strategy=attempts(2), step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)


@durable_execution
async def failure_spreads(event: None) -> None:
    await step(raising(), retry_strategy=ONCE_ONLY)


@durable_execution
async def caught(event: None) -> Any:
    try:
        value = await step(raising(), retry_strategy=ONCE_ONLY)
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        value = "fallback_result"
    return await step(returning(value))

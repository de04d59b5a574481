"""Small parts that the handlers of several suites share."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from async_durable_execution import (
    CompletionConfig,
    CompletionDecision,
    CompletionReason,
    CompletionStatus,
    JitterStrategy,
    RetryStrategy,
    SerDes,
    get_durable_context,
    get_step_context,
)

ONCE_ONLY = RetryStrategy.none()

Body = Callable[[], Awaitable[Any]]


class Capitals(SerDes[str]):
    """A text that is written in capitals, without quotation marks."""

    async def serialize(self, value: str) -> str:
        return value.upper()

    async def deserialize(self, data: str) -> str:
        return data


def returning(value: Any) -> Body:
    """A body of a step, child context or branch that returns ``value``."""

    async def give() -> Any:
        return value

    return give


def raising(message: str = "out of order") -> Body:
    """A body that always raises."""

    async def give_up() -> None:
        raise RuntimeError(message)

    return give_up


def at_attempt(number: int, value: Any) -> Body:
    """A body of a step that raises until its attempt of this ``number``, which returns ``value``."""

    async def persist() -> Any:
        attempt = get_step_context().attempt
        if attempt != number:
            raise RuntimeError(f"attempt {attempt} is too early")
        return value

    return persist


def attempts(number: int) -> RetryStrategy:
    """So many attempts, a second apart."""
    return RetryStrategy(max_attempts=number, initial_delay=1, backoff_rate=1, jitter_strategy=JitterStrategy.NONE)


def say_in_replays_too(message: str) -> None:
    """A line of the execution's log, as JSON: the SDK's filter of loggers drops what a replay says."""
    print(json.dumps({"message": message, "executionArn": get_durable_context().durable_execution_arn}), flush=True)


def summary_of(batch: Any, *wanted: str) -> dict[str, Any]:
    """What a batch says about itself, under the names that the requirements use."""
    counts = {"successCount": batch.success_count, "failureCount": batch.failure_count, "totalCount": batch.total_count}
    words = {"completionReason": batch.completion_reason.value, "status": batch.status.value}
    return {key: value for key, value in (words | counts).items() if key in wanted}


def tolerating_percent(percentage: int) -> CompletionConfig:
    """A tolerated share of failures, for which the SDK has no threshold."""

    def decide(status: CompletionStatus) -> CompletionDecision:
        if status.failure_count * 100 > percentage * status.total_count:
            return CompletionDecision.complete(CompletionReason.FAILURE_TOLERANCE_EXCEEDED)
        if status.all_completed:
            return CompletionDecision.complete(CompletionReason.ALL_COMPLETED)
        return CompletionDecision.continue_execution()

    return CompletionConfig.custom(decide)

"""Small parts that the handlers of several suites share."""

from __future__ import annotations

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


def attempts(number: int) -> RetryStrategy:
    """So many attempts, a second apart."""
    return RetryStrategy(max_attempts=number, initial_delay=1, backoff_rate=1, jitter_strategy=JitterStrategy.NONE)


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

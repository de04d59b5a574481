"""Small parts that the handlers of several suites share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_durable_execution_sdk_python.config import Duration, JitterStrategy, StepConfig
from aws_durable_execution_sdk_python.retries import RetryPresets, RetryStrategyConfig, create_retry_strategy

NO_RETRY = StepConfig(retry_strategy=RetryPresets.none())


def seconds(number: int) -> Duration:
    return Duration.from_seconds(number)


def constant(value: Any) -> Callable[[Any], Any]:
    """A step or branch that returns ``value``."""
    return lambda _: value


def failing(_: Any) -> None:
    """A step or branch that always raises."""
    raise RuntimeError("it does not work")


def retrying(attempts: int, *, delay: int = 1, rate: int = 1) -> Any:
    """A retry strategy of so many attempts, the first ``delay`` seconds apart and ``rate`` times as much each time."""
    return create_retry_strategy(
        RetryStrategyConfig(
            max_attempts=attempts, initial_delay=seconds(delay), backoff_rate=rate, jitter_strategy=JitterStrategy.NONE
        )
    )


def once_more() -> Any:
    """A retry strategy of two attempts, a second apart."""
    return retrying(2)


def say_even_in_replay(context: Any, message: str) -> None:
    """One log line of this execution, in a replay as well: the context's own logger drops what a replay says."""
    arn = context.execution_context.durable_execution_arn
    context.logger.get_logger().info(message, extra={"executionArn": arn})


def projection(batch: Any, *fields: str) -> dict[str, Any]:
    """The named facts about a batch result, under the names that the requirements use."""
    facts = {
        "completionReason": batch.completion_reason.value,
        "status": batch.status.value,
        "successCount": batch.success_count,
        "failureCount": batch.failure_count,
        "totalCount": batch.total_count,
    }
    return {field: facts[field] for field in fields}

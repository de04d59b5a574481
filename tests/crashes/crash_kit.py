"""What the tests of crashes share."""

from __future__ import annotations

from typing import Any

from async_durable_execution_runner import DurableFunctionTestResult


def kinds(result: DurableFunctionTestResult) -> list[str]:
    """Types of the events."""
    return [event["EventType"] for event in result.events]


def errors(result: DurableFunctionTestResult) -> list[str | None]:
    """Of each invocation the type of its error."""
    return [each.error.type if each.error is not None else None for each in result.invocations]


def values(result: DurableFunctionTestResult) -> list[Any]:
    """Status and value."""
    return [str(result.execution_status), result.value]

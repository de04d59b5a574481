"""What tests with AWS's own SDK share. Importing it skips the module where that SDK is not installed."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from typing import Any

import pytest

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner.runner import DurableFunctionTestResult

sdk = pytest.importorskip("aws_durable_execution_sdk_python")
config = pytest.importorskip("aws_durable_execution_sdk_python.config")
retries = pytest.importorskip("aws_durable_execution_sdk_python.retries")
waits = pytest.importorskip("aws_durable_execution_sdk_python.waits")
service = pytest.importorskip("aws_durable_execution_sdk_python.lambda_service")

RELEASE = tuple(int(part) for part in importlib.metadata.version("aws-durable-execution-sdk-python").split(".")[:2])

START, DONE = ["ExecutionStarted"], ["InvocationCompleted", "ExecutionSucceeded"]
FAILED = ["InvocationCompleted", "ExecutionFailed"]
STEP = ["StepStarted", "StepSucceeded"]
SUSPENDED = ["InvocationCompleted"]


def since(*release: int) -> pytest.MarkDecorator:
    """Skips a test on releases of the SDK before this one."""
    return pytest.mark.skipif(release > RELEASE, reason=f"needs release {'.'.join(map(str, release))} of the SDK")


def seconds(number: int) -> Any:
    return config.Duration.from_seconds(number)


def durable(function: Callable[[Any, Any], Any]) -> Any:
    return sdk.durable_execution(function)


def run(handler: Any, event: Any = None, **options: Any) -> DurableFunctionTestResult:
    """One run with a runner of its own. A hang of a test that must not hang ends after 20 seconds."""
    with DurableFunctionTestRunner(handler, **options) as runner:
        return runner.run(event, timeout=20)


def kinds(source: Any) -> list[str]:
    """The types of a history's events, in order."""
    events = source if isinstance(source, list) else source.events
    return [event["EventType"] for event in events]


def of(result: Any, kind: str, name: str | None = None) -> list[dict[str, Any]]:
    """Details of all events of one type (of one operation's name)."""
    return [
        event[f"{kind}Details"]
        for event in result.events
        if event["EventType"] == kind and (name is None or event.get("Name") == name)
    ]


def check_history(events: list[dict[str, Any]]) -> None:
    """What is true of every history."""
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    times = [event["EventTimestamp"] for event in events]
    assert times == sorted(times)
    identity: dict[str, tuple[Any, ...]] = {}
    for event in events:
        assert f"{event['EventType']}Details" in event, event
        if "Id" in event:
            told = (event.get("Name"), event.get("SubType"), event.get("ParentId"))
            assert identity.setdefault(event["Id"], told) == told


def virtual_seconds(result: Any) -> float:
    """How long an execution took on the runner's clock."""
    took = result.events[-1]["EventTimestamp"] - result.events[0]["EventTimestamp"]
    return float(took.total_seconds())


def retrying(attempts: int, delay: int) -> Any:
    """Options of a step that is tried so often, with the same delay each time."""

    def decide(_: Exception, attempt: int) -> Any:
        no_more = attempt >= attempts
        return retries.RetryDecision.no_retry() if no_more else retries.RetryDecision.retry(seconds(delay))

    return config.StepConfig(retry_strategy=decide)

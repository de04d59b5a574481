"""What tests of the runner share: short words for histories, and which SDK is under test."""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable
from typing import Any

import async_durable_execution as sdk
import pytest

from async_durable_execution_runner.runner import DurableFunctionTestResult, DurableFunctionTestRunner

SDK_VERSION = tuple(int(part) for part in importlib.metadata.version("async-durable-execution").split(".")[:2])


def needs(*names: str) -> pytest.MarkDecorator:
    """Skips a test on an SDK release that has not all of ``names``."""
    missing = [name for name in names if not hasattr(sdk, name)]
    release = ".".join(map(str, SDK_VERSION))
    return pytest.mark.skipif(bool(missing), reason=f"async-durable-execution {release} has no {', '.join(missing)}")


def run(handler: Any, event: Any = None, **options: Any) -> DurableFunctionTestResult:
    """One run with a runner of its own. A hang of a test that must not hang ends after 20 seconds."""
    with DurableFunctionTestRunner(handler, **options) as runner:
        return runner.run(event, timeout=20)


def kinds(source: Any) -> list[str]:
    """The types of a history's events, in order."""
    events = source if isinstance(source, list) else source.events
    return [event["EventType"] for event in events]


def of(source: Any, kind: str, name: str | None = None) -> list[dict[str, Any]]:
    """Details of all events of one type (of one operation's name)."""
    events = source if isinstance(source, list) else source.events
    return [
        event.get(f"{kind}Details", {})
        for event in events
        if event["EventType"] == kind and (name is None or event.get("Name") == name)
    ]


def event_of(source: Any, kind: str, name: str | None = None) -> dict[str, Any]:
    """The only event of a type (and name)."""
    events = source if isinstance(source, list) else source.events
    found = [each for each in events if each["EventType"] == kind and (name is None or each.get("Name") == name)]
    assert len(found) == 1, f"{len(found)} of {kind} {name}: {kinds(events)}"
    return found[0]


def seconds_between(first: dict[str, Any], second: dict[str, Any]) -> float:
    """Time on the runner's clock between two events."""
    return (second["EventTimestamp"] - first["EventTimestamp"]).total_seconds()


def virtual_seconds(result: DurableFunctionTestResult) -> float:
    """How long an execution took on the runner's clock."""
    return seconds_between(result.events[0], result.events[-1])


def real_seconds(work: Callable[[], Any]) -> float:
    """How long ``work`` takes on the machine's clock."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def check_history(events: list[dict[str, Any]]) -> None:
    """What is true of every history (wire facts 1 and 2)."""
    assert [event["EventId"] for event in events] == list(range(1, len(events) + 1))
    assert events[0]["EventType"] == "ExecutionStarted"
    times = [event["EventTimestamp"] for event in events]
    assert times == sorted(times)
    assert all(moment.tzinfo is not None for moment in times)
    identity: dict[str, tuple[Any, ...]] = {}
    for event in events:
        assert f"{event['EventType']}Details" in event, event
        if "Id" in event:
            told = (event.get("Name"), event.get("SubType"), event.get("ParentId"))
            assert identity.setdefault(event["Id"], told) == told
        else:
            assert event["EventType"].startswith("Execution") or event["EventType"] == "InvocationCompleted"
    ended = [n for n, event in enumerate(events) if event["EventType"].startswith("Execution") and n]
    assert ended in ([], [len(events) - 1])


START, DONE = ["ExecutionStarted"], ["InvocationCompleted", "ExecutionSucceeded"]
FAILED = ["InvocationCompleted", "ExecutionFailed"]
STEP = ["StepStarted", "StepSucceeded"]
SUSPENDED = ["InvocationCompleted"]

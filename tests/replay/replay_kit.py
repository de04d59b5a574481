"""What the tests of replays share: a recorded run, and a replay of another handler against it."""

from __future__ import annotations

from typing import Any

from async_durable_execution import durable_callable

from async_durable_execution_runner import DurableFunctionTestRunner, ReplayReport, replay
from async_durable_execution_runner.result import DurableFunctionTestResult

RAN: list[str] = []
"""Bodies that have run."""


@durable_callable
async def work(name: str, value: Any = None) -> Any:
    RAN.append(name)
    return value if value is not None else name


def recorded(handler: Any, value: Any = None) -> DurableFunctionTestResult:
    with DurableFunctionTestRunner(handler) as runner:
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        return runner.run(value, execution_name="order-7")


def replayed(handler: Any, history: Any, **options: Any) -> ReplayReport:
    before = list(RAN)
    report = replay(handler, history, raise_on_failure=False, **options)
    assert before == RAN, "a replay runs no bodies"
    return report


def found(report: ReplayReport) -> list[tuple[str, str]]:
    return [(drift.kind.value, drift.operation) for drift in report.drifts]

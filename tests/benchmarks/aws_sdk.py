"""Speed with AWS's own SDK: ``hatch run aws:bench [crashes] [ROUNDS]``.

The floor is the SDK itself with a client that keeps nothing. It waits about 0.1 s of real time at the end of every
invocation, so wall time says more here than CPU time. Histories are the same with tuning and without.
"""

from __future__ import annotations

import datetime as dt
import functools
import logging
import sys
from types import SimpleNamespace
from typing import Any

from aws_durable_execution_sdk_python import durable_execution
from measure import Table, interleaved, times_one

from async_durable_execution_runner import DurableFunctionTestRunner

ARN = "arn:aws:lambda:us-west-2:123456789012:function:floor:$LATEST/durable-execution/floor/root"
NOW = dt.datetime(2025, 12, 1, tzinfo=dt.UTC)
CONTEXT = SimpleNamespace(aws_request_id="floor", get_remaining_time_in_millis=lambda: 900_000)
TESTS = 200


def steps(event: int, context: Any) -> None:
    for _ in range(event):
        context.step(lambda _: 1, name="one")


class Careless:
    """The floor's client: accepts everything, and says what the SDK waits to hear."""

    def checkpoint_durable_execution(self, **params: Any) -> dict[str, Any]:
        operations = {update["Id"]: self.operation(update) for update in params["Updates"]}
        return {"CheckpointToken": "token", "NewExecutionState": {"Operations": list(operations.values())}}

    def operation(self, update: dict[str, Any]) -> dict[str, Any]:
        status = "SUCCEEDED" if update["Action"] == "SUCCEED" else "STARTED"
        details = {"Attempt": 1, "Result": update.get("Payload")}
        known = {"Id": update["Id"], "Type": update["Type"], "Status": status}
        return {**known, "StartTimestamp": NOW, "StepDetails": details}


def floor(number: int) -> None:
    started = {"Id": "root", "Type": "EXECUTION", "Status": "STARTED", "StartTimestamp": 0}
    operation = {**started, "ExecutionDetails": {"InputPayload": str(number)}}
    state = {"Operations": [operation], "NextMarker": ""}
    event = {"DurableExecutionArn": ARN, "CheckpointToken": "token", "InitialExecutionState": state}
    assert durable_execution(steps, boto3_client=Careless())(event, CONTEXT)["Status"] == "SUCCEEDED"


def ours(number: int, *, tuning: bool) -> None:
    with DurableFunctionTestRunner(durable_execution(steps), sdk_tuning=tuning) as runner:
        runner.run(number).ensure_succeeded()


def many(work: Any) -> None:
    for _ in range(TESTS):
        work(1)


def crashes(table: Table, rounds: int) -> None:
    """A workflow killed at every boundary, against one run of it."""
    handler = durable_execution(steps)

    def explore() -> None:
        with DurableFunctionTestRunner(handler) as runner:
            places = len(runner.explore_crashes(50).runs)
        assert places == 101, places  # before and after each of 50 checkpoints, and at the end

    measured = times_one(rounds, explore, functools.partial(ours, 50, tuning=True))
    table.times("101 places of 50 steps killed", *measured, goal="goal <= 120")


def main() -> int:
    """Print one table."""
    only_crashes = "crashes" in sys.argv[1:]
    rounds = next((int(each) for each in sys.argv[1:] if each.isdigit()), 1)
    logging.disable(logging.CRITICAL)
    table = Table()
    crashes(table, max(7, rounds))
    if only_crashes:
        return 0
    tuned, untuned = functools.partial(ours, tuning=True), functools.partial(ours, tuning=False)
    fast, slow, least = interleaved(rounds, *[functools.partial(many, work) for work in (tuned, untuned, floor)])
    table.row(f"{TESTS} one-step tests", fast, least, goal="20 x faster than with AWS's library")
    table.row("  without tuning", slow, least, goal="wall <= 1.3 x floor")
    for size in (10, 100, 1000):
        works = [functools.partial(work, size) for work in (tuned, untuned, floor)]
        fast, slow, least = interleaved(max(9, rounds), *works)
        table.row(f"{size} steps of one test", fast, least, goal="cpu <= 1.25 x floor")
        table.row("  without tuning", slow, least)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Handlers of the suite "parallel"."""

from __future__ import annotations

import json
from typing import Any

from async_durable_execution import (
    CompletionConfig,
    NestingType,
    SerDes,
    durable_execution,
    parallel,
    step,
    wait,
)
from handlers_common import Body, raising, returning, summary_of, tolerating_percent


class Envelope(SerDes[Any]):
    """JSON in an object that has nothing else."""

    async def serialize(self, value: Any) -> str:
        return json.dumps({"wrapped": value})

    async def deserialize(self, data: str) -> Any:
        return json.loads(data)["wrapped"]


def in_a_step(value: Any) -> Body:
    """A branch that has a step."""

    async def branch() -> Any:
        return await step(returning(value))

    return branch


async def after_two_seconds() -> str:
    await wait(2)
    return "b1"


async def one_by_one(name: str, branches: list[Body], completion: CompletionConfig) -> Any:
    return await parallel(branches, name=name, max_concurrency=1, completion_config=completion)


@durable_execution
async def two_steps(event: None) -> Any:
    batch = await parallel([in_a_step("task-1"), in_a_step("task-2")], name="parallel", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def without_a_name(event: None) -> Any:
    batch = await parallel([returning("alpha"), returning("beta")], max_concurrency=1)
    return batch.get_results()


@durable_execution
async def named_branches(event: None) -> Any:
    branches = {"first": returning("one"), "second": returning("two")}
    batch = await parallel(branches.values(), name="named", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def three_types(event: None) -> Any:
    branches = [returning(value) for value in ("hello", 42, {"k": "v"})]
    batch = await parallel(branches, name="hetero", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def no_branches(event: None) -> Any:
    batch = await parallel([], name="empty")
    return batch.get_results()


@durable_execution
async def fail_fast(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=0)
    batch = await one_by_one("failfast", [returning("ok"), raising(), returning("late")], completion)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def rethrown(event: None) -> None:
    completion = CompletionConfig.thresholds(tolerated_failure_count=0)
    batch = await one_by_one("throwing", [raising(), returning("late")], completion)
    batch.throw_if_error()


@durable_execution
async def two_are_enough(event: None) -> Any:
    completion = CompletionConfig.thresholds(min_successful=2)
    batch = await one_by_one("min-successful", [returning(f"branch {number}") for number in range(4)], completion)
    return summary_of(batch, "completionReason", "successCount", "totalCount")


@durable_execution
async def one_may_fail(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=1)
    batch = await one_by_one("tolerated", [returning("first"), raising(), returning("last")], completion)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def second_failure_is_too_many(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=1)
    batch = await one_by_one("tolerated-exceeded", [raising(), raising(), returning("late")], completion)
    return summary_of(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
async def two_at_a_time(event: None) -> Any:
    batch = await parallel([returning(f"r{number}") for number in range(3)], name="concurrent", max_concurrency=2)
    return batch.get_results()


@durable_execution
async def flat(event: None) -> Any:
    branches = [in_a_step("fa"), in_a_step("fb")]
    batch = await parallel(branches, name="flat", max_concurrency=1, nesting_type=NestingType.FLAT)
    return batch.get_results()


@durable_execution
async def half_failed(event: None) -> Any:
    branches = [raising(), raising(), returning("late"), returning("later")]
    batch = await one_by_one("tolerated-pct", branches, tolerating_percent(25))
    return summary_of(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
async def second_branch_waits(event: None) -> Any:
    batch = await parallel([in_a_step("b0"), after_two_seconds], name="replay", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def item_serdes(event: None) -> Any:
    batch = await parallel([returning("x"), returning("y")], name="serde", max_concurrency=1, item_serdes=Envelope())
    return batch.get_results()


@durable_execution
async def all_fail_and_may(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=3)
    batch = await one_by_one("all-fail", [raising(), raising(), raising()], completion)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def too_few_succeed(event: None) -> Any:
    completion = CompletionConfig.thresholds(min_successful=3, tolerated_failure_count=3)
    batch = await one_by_one("min-not-reached", [returning("first"), raising(), returning("last")], completion)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def two_thresholds(event: None) -> Any:
    completion = CompletionConfig.thresholds(min_successful=3, tolerated_failure_count=1)
    branches = [raising(), raising(), returning("late"), returning("later")]
    batch = await one_by_one("combined", branches, completion)
    return summary_of(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
async def none_at_a_time(event: None) -> Any:
    batch = await parallel([returning("first"), returning("second")], name="bad-concurrency", max_concurrency=0)
    return batch.get_results()


@durable_execution
async def told_by_accessors(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=1)
    batch = await one_by_one("accessors", [returning("first"), raising(), returning("last")], completion)
    lengths = {"successCount": batch.succeeded(), "failureCount": batch.failed(), "errorCount": batch.get_errors()}
    return {"hasFailure": batch.has_failure} | {name: len(items) for name, items in lengths.items()}


@durable_execution
async def one_in_another(event: None) -> Any:
    async def outer() -> Any:
        batch = await parallel([in_a_step("i1"), in_a_step("i2")], name="inner", max_concurrency=1)
        return batch.get_results()

    batch = await parallel([outer], name="outer", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def quarter_failed(event: None) -> Any:
    branches = [raising(), returning("second"), returning("third"), returning("fourth")]
    batch = await one_by_one("pct-boundary", branches, tolerating_percent(25))
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")

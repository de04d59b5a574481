"""Handlers of the suite "parallel"."""

from __future__ import annotations

import json

from aws_durable_execution_sdk_python import ParallelBranch, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, NestingType, ParallelConfig
from aws_durable_execution_sdk_python.serdes import SerDes
from conformance_common import constant, failing, projection, seconds

ONE = ParallelConfig(max_concurrency=1)


def stepping(value):
    """A branch of one step."""
    return lambda branch: branch.step(constant(value))


def one_at_a_time(**completion):
    return ParallelConfig(max_concurrency=1, completion_config=CompletionConfig(**completion))


class Envelope(SerDes):
    """A value ``v`` is stored as ``{"wrapped": v}``."""

    def serialize(self, value, serdes_context):
        return json.dumps({"wrapped": value})

    def deserialize(self, data, serdes_context):
        return json.loads(data)["wrapped"]


@durable_execution
def two_steps(event, context):
    return context.parallel([stepping("task-1"), stepping("task-2")], name="parallel", config=ONE).get_results()


@durable_execution
def anonymous(event, context):
    return context.parallel([constant("alpha"), constant("beta")], config=ONE).get_results()


@durable_execution
def named_branches(event, context):
    branches = [ParallelBranch(constant("one"), name="first"), ParallelBranch(constant("two"), name="second")]
    return context.parallel(branches, name="named", config=ONE).get_results()


@durable_execution
def different_types(event, context):
    branches = [constant("hello"), constant(42), constant({"k": "v"})]
    return context.parallel(branches, name="hetero", config=ONE).get_results()


@durable_execution
def no_branches(event, context):
    return context.parallel([], name="empty").get_results()


@durable_execution
def fail_fast(event, context):
    config = one_at_a_time(tolerated_failure_count=0)
    batch = context.parallel([constant("ok"), failing, constant("late")], name="failfast", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def rethrown(event, context):
    config = one_at_a_time(tolerated_failure_count=0)
    batch = context.parallel([failing, constant("late")], name="throwing", config=config)
    batch.throw_if_error()
    return batch.get_results()


@durable_execution
def two_are_enough(event, context):
    branches = [constant(f"b{index}") for index in range(4)]
    batch = context.parallel(branches, name="min-successful", config=one_at_a_time(min_successful=2))
    return projection(batch, "completionReason", "successCount", "totalCount")


@durable_execution
def one_failure_tolerated(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.parallel([constant("b0"), failing, constant("b2")], name="tolerated", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def two_failures_are_too_many(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.parallel([failing, failing, constant("late")], name="tolerated-exceeded", config=config)
    return projection(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
def two_at_a_time(event, context):
    branches = [constant(f"r{index}") for index in range(3)]
    return context.parallel(branches, name="concurrent", config=ParallelConfig(max_concurrency=2)).get_results()


@durable_execution
def flat(event, context):
    config = ParallelConfig(max_concurrency=1, nesting_type=NestingType.FLAT)
    return context.parallel([stepping("fa"), stepping("fb")], name="flat", config=config).get_results()


@durable_execution
def half_failed(event, context):
    branches = [failing, failing, constant("late"), constant("later")]
    config = one_at_a_time(tolerated_failure_percentage=25)
    batch = context.parallel(branches, name="tolerated-pct", config=config)
    return projection(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
def second_branch_waits(event, context):
    def patient(branch):
        branch.wait(seconds(2))
        return "b1"

    return context.parallel([stepping("b0"), patient], name="replay", config=ONE).get_results()


@durable_execution
def branch_serdes(event, context):
    config = ParallelConfig(max_concurrency=1, item_serdes=Envelope())
    return context.parallel([constant("x"), constant("y")], name="serde", config=config).get_results()


@durable_execution
def all_failures_tolerated(event, context):
    config = one_at_a_time(tolerated_failure_count=3)
    batch = context.parallel([failing] * 3, name="all-fail", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def never_enough(event, context):
    config = one_at_a_time(min_successful=3)
    batch = context.parallel([constant("b0"), failing, constant("b2")], name="min-not-reached", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def too_many_failures_before_enough(event, context):
    branches = [failing, failing, constant("b2"), constant("b3")]
    config = one_at_a_time(min_successful=3, tolerated_failure_count=1)
    batch = context.parallel(branches, name="combined", config=config)
    return projection(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
def concurrency_of_zero(event, context):
    config = ParallelConfig(max_concurrency=0)
    return context.parallel([constant("b0"), constant("b1")], name="bad-concurrency", config=config).get_results()


@durable_execution
def accessors(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.parallel([constant("b0"), failing, constant("b2")], name="accessors", config=config)
    return {
        "hasFailure": batch.has_failure,
        "successCount": len(batch.succeeded()),
        "failureCount": len(batch.failed()),
        "errorCount": len(batch.get_errors()),
    }


@durable_execution
def nested(event, context):
    def branch(child):
        return child.parallel([stepping("i1"), stepping("i2")], name="inner", config=ONE).get_results()

    return context.parallel([branch], name="outer", config=ONE).get_results()


@durable_execution
def quarter_failed(event, context):
    branches = [failing, constant("b1"), constant("b2"), constant("b3")]
    config = one_at_a_time(tolerated_failure_percentage=25)
    batch = context.parallel(branches, name="pct-boundary", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")

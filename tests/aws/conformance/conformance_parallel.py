"""Handlers of the suite "parallel"."""

from __future__ import annotations

import json

from aws_durable_execution_sdk_python import ParallelBranch, durable_execution
from aws_durable_execution_sdk_python.config import CompletionConfig, ParallelConfig
from aws_durable_execution_sdk_python.serdes import SerDes
from conformance_common import constant, failing, projection

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
def named_branches(event, context):
    branches = [ParallelBranch(constant("one"), name="first"), ParallelBranch(constant("two"), name="second")]
    return context.parallel(branches, name="named", config=ONE).get_results()


@durable_execution
def no_branches(event, context):
    return context.parallel([], name="empty").get_results()


@durable_execution
def rethrown(event, context):
    config = one_at_a_time(tolerated_failure_count=0)
    batch = context.parallel([failing, constant("late")], name="throwing", config=config)
    batch.throw_if_error()
    return batch.get_results()


@durable_execution
def one_failure_tolerated(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.parallel([constant("b0"), failing, constant("b2")], name="tolerated", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def two_at_a_time(event, context):
    branches = [constant(f"r{index}") for index in range(3)]
    return context.parallel(branches, name="concurrent", config=ParallelConfig(max_concurrency=2)).get_results()


@durable_execution
def half_failed(event, context):
    branches = [failing, failing, constant("late"), constant("later")]
    config = one_at_a_time(tolerated_failure_percentage=25)
    batch = context.parallel(branches, name="tolerated-pct", config=config)
    return projection(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
def branch_serdes(event, context):
    config = ParallelConfig(max_concurrency=1, item_serdes=Envelope())
    return context.parallel([constant("x"), constant("y")], name="serde", config=config).get_results()


@durable_execution
def never_enough(event, context):
    config = one_at_a_time(min_successful=3)
    batch = context.parallel([constant("b0"), failing, constant("b2")], name="min-not-reached", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def concurrency_of_zero(event, context):
    config = ParallelConfig(max_concurrency=0)
    return context.parallel([constant("b0"), constant("b1")], name="bad-concurrency", config=config).get_results()


@durable_execution
def nested(event, context):
    def branch(child):
        return child.parallel([stepping("i1"), stepping("i2")], name="inner", config=ONE).get_results()

    return context.parallel([branch], name="outer", config=ONE).get_results()

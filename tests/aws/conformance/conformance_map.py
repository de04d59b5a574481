"""Handlers of the suite "map"."""

from __future__ import annotations

from aws_durable_execution_sdk_python import BatchResult, durable_execution
from aws_durable_execution_sdk_python.concurrency.models import BatchItem, CompletionReason
from aws_durable_execution_sdk_python.config import BatchItemStatus, CompletionConfig, MapConfig, NestingType
from aws_durable_execution_sdk_python.serdes import ExtendedTypeSerDes, SerDes
from conformance_common import constant, failing, projection, seconds

FAIL = "fail"
ONE = MapConfig(max_concurrency=1)


def one_at_a_time(**completion):
    return MapConfig(max_concurrency=1, completion_config=CompletionConfig(**completion))


def itself_or_failure(item_context, item, index, items):
    """The item as its own result, except that the item "fail" raises."""
    return failing(item) if item == FAIL else item


def in_capitals(item_context, item, index, items):
    return item.upper()


def in_a_step(item_context, item, index, items):
    return item_context.step(constant(item))


class Wrapped(SerDes):
    def serialize(self, value, serdes_context):
        return f"wrapped:{value}"

    def deserialize(self, data, serdes_context):
        return data.removeprefix("wrapped:")


class WholeResult(SerDes):
    """A batch of texts, all of them successful, as one line."""

    def serialize(self, value, serdes_context):
        return "OPSERDE:" + ",".join(value.get_results())

    def deserialize(self, data, serdes_context):
        texts = data.removeprefix("OPSERDE:").split(",")
        items = [BatchItem(index, BatchItemStatus.SUCCEEDED, text) for index, text in enumerate(texts)]
        return BatchResult(items, CompletionReason.ALL_COMPLETED)


# Without one for the items, that of the operation would be used for them too.
WHOLE = MapConfig(max_concurrency=1, serdes=WholeResult(), item_serdes=ExtendedTypeSerDes())


@durable_execution
def greetings(event, context):
    def greet(item_context, item, index, items):
        return item_context.step(constant(f"Hello, {item}!"))

    return context.map(event, greet, name="map", config=ONE).get_results()


@durable_execution
def doubled(event, context):
    return context.map(event, lambda child, item, index, items: 2 * item, config=ONE).get_results()


@durable_execution
def item_plus_index(event, context):
    return context.map(event, lambda child, item, index, items: item + index, name="indexed", config=ONE).get_results()


@durable_execution
def no_items(event, context):
    return context.map(event, itself_or_failure, name="empty").get_results()


@durable_execution
def fail_fast(event, context):
    config = one_at_a_time(tolerated_failure_count=0)
    batch = context.map(["ok", FAIL, "late"], itself_or_failure, name="failfast", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def rethrown(event, context):
    config = one_at_a_time(tolerated_failure_count=0)
    batch = context.map([FAIL, "late"], itself_or_failure, name="throwing", config=config)
    batch.throw_if_error()
    return batch.get_results()


@durable_execution
def two_are_enough(event, context):
    config = one_at_a_time(min_successful=2)
    batch = context.map(["i0", "i1", "i2", "i3"], itself_or_failure, name="min-successful", config=config)
    return projection(batch, "completionReason", "successCount", "totalCount")


@durable_execution
def one_failure_tolerated(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.map(["i0", FAIL, "i2"], itself_or_failure, name="tolerated", config=config)
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def two_failures_are_too_many(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.map([FAIL, FAIL, "late"], itself_or_failure, name="tolerated-exceeded", config=config)
    return projection(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
def half_failed(event, context):
    config = one_at_a_time(tolerated_failure_percentage=25)
    batch = context.map([FAIL, FAIL, "late", "later"], itself_or_failure, name="tolerated-pct", config=config)
    return projection(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
def two_at_a_time(event, context):
    config = MapConfig(max_concurrency=2)
    return context.map(["r0", "r1", "r2"], itself_or_failure, name="concurrent", config=config).get_results()


@durable_execution
def flat(event, context):
    config = MapConfig(max_concurrency=1, nesting_type=NestingType.FLAT)
    return context.map(["fa", "fb"], in_a_step, name="flat", config=config).get_results()


@durable_execution
def named_items(event, context):
    config = MapConfig(max_concurrency=1, item_namer=lambda item, index: f"item-{item}")
    batch = context.map(event, lambda child, item, index, items: 10 * item, name="named-items", config=config)
    return batch.get_results()


@durable_execution
def item_serdes(event, context):
    config = MapConfig(max_concurrency=1, item_serdes=Wrapped())
    return context.map(["x", "y"], in_capitals, name="serdes", config=config).get_results()


@durable_execution
def second_item_waits(event, context):
    def patient(item_context, item, index, items):
        if index == 1:
            item_context.wait(seconds(1))
        return item_context.step(constant(item))

    return context.map(["r0", "r1"], patient, name="suspend", config=ONE).get_results()


@durable_execution
def large_results(event, context):
    batch = context.map(range(4), lambda child, item, index, items: "x" * 70_000, name="large", config=ONE)
    return projection(batch, "successCount", "totalCount")


@durable_execution
def then_wait(event, context):
    batch = context.map(["a", "b"], in_capitals, name="then-wait", config=ONE)
    context.wait(seconds(1))
    return batch.get_results()


@durable_execution
def failure_then_wait(event, context):
    config = one_at_a_time(tolerated_failure_count=1)
    batch = context.map(["ok", FAIL], itself_or_failure, name="fail-then-wait", config=config)
    context.wait(seconds(1))
    return projection(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
def whole_result_serdes(event, context):
    return context.map(["x", "y"], in_capitals, name="op-serde", config=WHOLE).get_results()


@durable_execution
def whole_result_serdes_then_wait(event, context):
    batch = context.map(["x", "y"], in_capitals, name="op-serde-replay", config=WHOLE)
    context.wait(seconds(1))
    return batch.get_results()

"""Handlers of the suite "map"."""

from __future__ import annotations

from typing import Any

from async_durable_execution import (
    BatchItem,
    BatchItemStatus,
    BatchResult,
    CompletionConfig,
    CompletionReason,
    ExtendedTypeSerDes,
    NestingType,
    SerDes,
    durable_execution,
    get_map_item_context,
    step,
    wait,
)
from async_durable_execution import map as durable_map
from handlers_common import returning, summary_of, tolerating_percent


class Wrapped(SerDes[str]):
    """A text after a mark."""

    async def serialize(self, value: str) -> str:
        return f"wrapped:{value}"

    async def deserialize(self, data: str) -> str:
        return data.removeprefix("wrapped:")


class OnOneLine(SerDes[BatchResult[str]]):
    """All results of a batch in which nothing has failed."""

    async def serialize(self, value: BatchResult[str]) -> str:
        return f"OPSERDE:{','.join(value.get_results())}"

    async def deserialize(self, data: str) -> BatchResult[str]:
        _, _, texts = data.partition(":")
        items = [BatchItem(index, BatchItemStatus.SUCCEEDED, text) for index, text in enumerate(texts.split(","))]
        return BatchResult(items, CompletionReason.ALL_COMPLETED)


async def unless_none(item: Any) -> Any:
    """The item itself; there is nothing to be done for ``None``."""
    if item is None:
        raise ValueError("an item is missing")
    return item


async def upper(item: str) -> str:
    return item.upper()


async def as_a_step(item: Any) -> Any:
    return await step(returning(item))


async def double(item: int) -> int:
    return 2 * item


async def tenfold(item: int) -> int:
    return 10 * item


async def greet(item: str) -> Any:
    return await as_a_step(f"Hello, {item}!")


async def plus_index(item: int) -> int:
    return item + get_map_item_context().index


async def checked(name: str, items: list[Any], completion: CompletionConfig) -> Any:
    """A batch in which ``None`` fails, one item after the other."""
    return await durable_map(unless_none, items, name=name, max_concurrency=1, completion_config=completion)


async def on_one_line(name: str) -> Any:
    """A batch whose whole result has a serializer of its own, and whose items have the SDK's."""
    return await durable_map(
        upper, ["x", "y"], name=name, max_concurrency=1, serdes=OnOneLine(), item_serdes=ExtendedTypeSerDes[Any]()
    )


@durable_execution
async def greetings(event: list[str]) -> Any:
    batch = await durable_map(greet, event, name="map", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def without_a_name(event: list[int]) -> Any:
    batch = await durable_map(double, event, max_concurrency=1)
    return batch.get_results()


@durable_execution
async def item_and_index(event: list[int]) -> Any:
    batch = await durable_map(plus_index, event, name="indexed", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def no_items(event: list[Any]) -> Any:
    batch = await durable_map(double, event, name="empty")
    return batch.get_results()


@durable_execution
async def fail_fast(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=0)
    batch = await checked("failfast", ["ok", None, "late"], completion)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def rethrown(event: None) -> None:
    completion = CompletionConfig.thresholds(tolerated_failure_count=0)
    batch = await checked("throwing", [None, "late"], completion)
    batch.throw_if_error()


@durable_execution
async def two_are_enough(event: None) -> Any:
    completion = CompletionConfig.thresholds(min_successful=2)
    batch = await checked("min-successful", ["first", "second", "late", "later"], completion)
    return summary_of(batch, "completionReason", "successCount", "totalCount")


@durable_execution
async def one_may_fail(event: None) -> Any:
    batch = await checked("tolerated", ["first", None, "last"], CompletionConfig.thresholds(tolerated_failure_count=1))
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def second_failure_is_too_many(event: None) -> Any:
    completion = CompletionConfig.thresholds(tolerated_failure_count=1)
    batch = await checked("tolerated-exceeded", [None, None, "late"], completion)
    return summary_of(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
async def half_failed(event: None) -> Any:
    batch = await checked("tolerated-pct", [None, None, "late", "later"], tolerating_percent(25))
    return summary_of(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
async def two_at_a_time(event: None) -> Any:
    batch = await durable_map(unless_none, ["r0", "r1", "r2"], name="concurrent", max_concurrency=2)
    return batch.get_results()


@durable_execution
async def flat(event: None) -> Any:
    batch = await durable_map(as_a_step, ["fa", "fb"], name="flat", max_concurrency=1, nesting_type=NestingType.FLAT)
    return batch.get_results()


@durable_execution
async def named_items(event: list[int]) -> Any:
    batch = await durable_map(
        tenfold, event, name="named-items", max_concurrency=1, item_namer=lambda item, index: f"item-{item}"
    )
    return batch.get_results()


@durable_execution
async def item_serdes(event: None) -> Any:
    batch = await durable_map(upper, ["x", "y"], name="serdes", max_concurrency=1, item_serdes=Wrapped())
    return batch.get_results()


@durable_execution
async def second_item_waits(event: None) -> Any:
    async def wait_unless_first(item: str) -> Any:
        if get_map_item_context().index > 0:
            await wait(1)
        return await as_a_step(item)

    batch = await durable_map(wait_unless_first, ["r0", "r1"], name="suspend", max_concurrency=1)
    return batch.get_results()


@durable_execution
async def large_results(event: None) -> Any:
    async def seventy_kilobytes(item: str) -> str:
        return item * 70 * 1024

    batch = await durable_map(seventy_kilobytes, "abcd", name="large", max_concurrency=1)
    return summary_of(batch, "successCount", "totalCount")


@durable_execution
async def then_wait(event: None) -> Any:
    batch = await durable_map(upper, ["a", "b"], name="then-wait", max_concurrency=1)
    await wait(1)
    return batch.get_results()


@durable_execution
async def failure_then_wait(event: None) -> Any:
    batch = await checked("fail-then-wait", ["ok", None], CompletionConfig.thresholds(tolerated_failure_count=1))
    await wait(1)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def whole_result_serdes(event: None) -> Any:
    batch = await on_one_line("op-serde")
    return batch.get_results()


@durable_execution
async def whole_result_serdes_then_wait(event: None) -> Any:
    batch = await on_one_line("op-serde-replay")
    await wait(1)
    return batch.get_results()

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


async def checked(name: str, items: list[Any], completion: CompletionConfig) -> Any:
    """A batch in which ``None`` fails, one item after the other."""
    return await durable_map(unless_none, items, name=name, max_concurrency=1, completion_config=completion)


@durable_execution
async def without_a_name(event: list[int]) -> Any:
    batch = await durable_map(double, event, max_concurrency=1)
    return batch.get_results()


@durable_execution
async def no_items(event: list[Any]) -> Any:
    batch = await durable_map(double, event, name="empty")
    return batch.get_results()


@durable_execution
async def rethrown(event: None) -> None:
    completion = CompletionConfig.thresholds(tolerated_failure_count=0)
    batch = await checked("throwing", [None, "late"], completion)
    batch.throw_if_error()


@durable_execution
async def one_may_fail(event: None) -> Any:
    batch = await checked("tolerated", ["first", None, "last"], CompletionConfig.thresholds(tolerated_failure_count=1))
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def half_failed(event: None) -> Any:
    batch = await checked("tolerated-pct", [None, None, "late", "later"], tolerating_percent(25))
    return summary_of(batch, "completionReason", "successCount", "failureCount", "totalCount")


@durable_execution
async def flat(event: None) -> Any:
    batch = await durable_map(as_a_step, ["fa", "fb"], name="flat", max_concurrency=1, nesting_type=NestingType.FLAT)
    return batch.get_results()


@durable_execution
async def item_serdes(event: None) -> Any:
    batch = await durable_map(upper, ["x", "y"], name="serdes", max_concurrency=1, item_serdes=Wrapped())
    return batch.get_results()


@durable_execution
async def large_results(event: None) -> Any:
    async def seventy_kilobytes(item: str) -> str:
        return item * 70 * 1024

    batch = await durable_map(seventy_kilobytes, "abcd", name="large", max_concurrency=1)
    return summary_of(batch, "successCount", "totalCount")


@durable_execution
async def failure_then_wait(event: None) -> Any:
    batch = await checked("fail-then-wait", ["ok", None], CompletionConfig.thresholds(tolerated_failure_count=1))
    await wait(1)
    return summary_of(batch, "completionReason", "status", "successCount", "failureCount", "totalCount")


@durable_execution
async def whole_result_serdes_then_wait(event: None) -> Any:
    batch = await durable_map(
        upper,
        ["x", "y"],
        name="op-serde-replay",
        max_concurrency=1,
        serdes=OnOneLine(),
        item_serdes=ExtendedTypeSerDes[Any](),
    )
    await wait(1)
    return batch.get_results()

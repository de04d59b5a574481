"""Handlers of the suite "wait"."""

from __future__ import annotations

from datetime import timedelta

from async_durable_execution import durable_execution, wait


@durable_execution
async def two_seconds(event: None) -> None:
    await wait(2)


@durable_execution
async def named(event: None) -> None:
    await wait(2, name="custom_wait_name")


@durable_execution
async def one_after_the_other(event: None) -> dict[str, int]:
    names = ("wait-1", "wait-2")
    for name in names:
        await wait(2, name=name)
    return {"completedWaits": len(names)}


@durable_execution
async def one_minute(event: None) -> None:
    await wait(timedelta(minutes=1))


@durable_execution
async def one_hour(event: None) -> None:
    await wait(timedelta(hours=1))

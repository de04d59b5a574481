"""Functions that the tests of the command line run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from async_durable_execution import create_callback, durable_callable, durable_execution, invoke, step, wait


@durable_callable
async def double(number: int) -> int:
    return number * 2


@durable_execution
async def adds(event: Any) -> Any:
    doubled = await step(double(event["n"]), name="double")
    await wait(timedelta(hours=12), name="until the morning")
    return doubled


@durable_execution
async def asks(event: Any) -> Any:
    approval = await create_callback(name="approval")
    return {"answer": await approval.result()}


@durable_execution
async def asks_twice(event: Any) -> Any:
    first = await create_callback(name="first")
    second = await create_callback(name="second")
    return [await first.result(), await second.result()]


@durable_execution
async def fails(event: Any) -> Any:
    raise ValueError("no stock")


@durable_execution
async def invoices(event: Any) -> Any:
    return await invoke("tax", {"amount": 40}, name="rate")


@durable_execution
async def asks_another(event: Any) -> Any:
    return await invoke("asks", {}, name="another")


@durable_execution
async def sleeps(event: Any) -> Any:
    await wait(timedelta(hours=1), name="long")


def tax(event: Any, context: Any) -> Any:
    return event["amount"] * 0.25


@durable_execution
async def sleeps_a_minute(event: Any) -> Any:
    await step(double(1), name="before")
    await wait(timedelta(minutes=1), name="a minute")
    return "awake"

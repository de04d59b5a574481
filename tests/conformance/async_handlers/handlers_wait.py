"""Handlers of the suite "wait"."""

from __future__ import annotations

from datetime import timedelta

from async_durable_execution import durable_execution, wait


@durable_execution
async def named(event: None) -> None:
    await wait(2, name="custom_wait_name")


@durable_execution
async def one_minute(event: None) -> None:
    await wait(timedelta(minutes=1))

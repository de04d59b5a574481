"""Handlers of the suite "callback"."""

from __future__ import annotations

from typing import Any

from async_durable_execution import SerDes, create_callback, durable_execution, step, wait
from handlers_common import returning


class Number(SerDes[int]):
    """A whole number in decimal digits."""

    async def serialize(self, value: int) -> str:
        return str(value)

    async def deserialize(self, data: str) -> int:
        return int(data)


@durable_execution
async def approval(event: None) -> Any:
    callback = await create_callback(name="approval")
    return await callback.result()


@durable_execution
async def no_sign_of_life(event: str) -> Any:
    callback = await create_callback(name=event, heartbeat_timeout=5)
    return await callback.result()


@durable_execution
async def named_by_input(event: str) -> Any:
    callback = await create_callback(name=event)
    return await callback.result()


@durable_execution
async def step_before_timeout(event: str) -> Any:
    callback = await create_callback(name=event, timeout=5)
    await step(returning("in between"))
    return await callback.result()


@durable_execution
async def wait_before_failure(event: str) -> Any:
    callback = await create_callback(name=event)
    await wait(5)
    return await callback.result()


@durable_execution
async def wait_after_success(event: str) -> Any:
    callback = await create_callback(name=event)
    result = await callback.result()
    await wait(2)
    return result


@durable_execution
async def wait_after_timeout(event: str) -> Any:
    callback = await create_callback(name=event, timeout=3)
    try:
        outcome = await callback.result()
    except Exception as error:  # noqa: BLE001 - whichever class the SDK gives it, now and when it is replayed
        outcome = str(error)
    await wait(2)
    return outcome


@durable_execution
async def number(event: str) -> Any:
    callback = await create_callback(name=event, serdes=Number())
    count = await callback.result()
    return {"count": count, "doubled": 2 * count}


@durable_execution
async def two_open_first_awaited_first(event: list[str]) -> Any:
    callbacks = [await create_callback(name=name) for name in event]
    return [await callback.result() for callback in callbacks]

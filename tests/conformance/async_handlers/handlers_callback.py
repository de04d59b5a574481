"""Handlers of the suite "callback"."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from async_durable_execution import SerDes, create_callback, durable_execution, step, wait
from handlers_common import returning


class Number(SerDes[int]):
    """A whole number in decimal digits."""

    async def serialize(self, value: int) -> str:
        return str(value)

    async def deserialize(self, data: str) -> int:
        return int(data)


@dataclass(frozen=True, kw_only=True)
class Message:
    """What somebody has to say, and when they said it, in seconds since 1970."""

    id: str
    message: str
    timestamp: int


class MessageSerDes(SerDes[Message]):
    """A message as JSON, in which time is a text."""

    async def serialize(self, value: Message) -> str:
        said_at = datetime.fromtimestamp(value.timestamp, UTC).isoformat()
        return json.dumps(dataclasses.asdict(value) | {"timestamp": said_at})

    async def deserialize(self, data: str) -> Message:
        fields = json.loads(data)
        said_at = datetime.fromisoformat(fields["timestamp"])
        return Message(id=fields["id"], message=fields["message"], timestamp=int(said_at.timestamp()))


@durable_execution
async def approval(event: None) -> Any:
    callback = await create_callback(name="approval")
    return await callback.result()


@durable_execution
async def no_answer(event: str) -> Any:
    callback = await create_callback(name=event, timeout=5)
    return await callback.result()


@durable_execution
async def no_sign_of_life(event: str) -> Any:
    callback = await create_callback(name=event, heartbeat_timeout=5)
    return await callback.result()


@durable_execution
async def sign_of_life(event: str) -> Any:
    callback = await create_callback(name=event, heartbeat_timeout=10)
    return await callback.result()


@durable_execution
async def named_by_input(event: str) -> Any:
    callback = await create_callback(name=event)
    return await callback.result()


@durable_execution
async def step_before_failure(event: str) -> Any:
    callback = await create_callback(name=event)
    await step(returning("in between"))
    return await callback.result()


@durable_execution
async def step_before_timeout(event: str) -> Any:
    callback = await create_callback(name=event, timeout=5)
    await step(returning("in between"))
    return await callback.result()


@durable_execution
async def wait_before_answer(event: str) -> Any:
    callback = await create_callback(name=event)
    await wait(5)
    return await callback.result()


@durable_execution
async def timeout_during_wait(event: str) -> Any:
    callback = await create_callback(name=event, timeout=3)
    await wait(6)
    return await callback.result()


@durable_execution
async def wait_after_success(event: str) -> Any:
    callback = await create_callback(name=event)
    result = await callback.result()
    await wait(2)
    return result


@durable_execution
async def wait_after_failure(event: str) -> Any:
    callback = await create_callback(name=event)
    try:
        outcome = await callback.result()
    except Exception as error:  # noqa: BLE001 - whichever class the SDK gives it, now and when it is replayed
        outcome = str(error)
    await wait(2)
    return outcome


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
async def message(event: str) -> Any:
    callback = await create_callback(name=event, serdes=MessageSerDes())
    return {"received": dataclasses.asdict(await callback.result())}


@durable_execution
async def number(event: str) -> Any:
    callback = await create_callback(name=event, serdes=Number())
    count = await callback.result()
    return {"count": count, "doubled": 2 * count}


@durable_execution
async def one_after_the_other(event: list[str]) -> Any:
    results = []
    for name in event:
        callback = await create_callback(name=name)
        results.append(await callback.result())
    return results


@durable_execution
async def two_open_first_awaited_first(event: list[str]) -> Any:
    callbacks = [await create_callback(name=name) for name in event]
    return [await callback.result() for callback in callbacks]


@durable_execution
async def two_open_second_awaited_first(event: list[str]) -> Any:
    callbacks = [await create_callback(name=name) for name in event]
    results = [await callback.result() for callback in reversed(callbacks)]
    return results[::-1]

"""Handlers of the suite "invoke", and the functions that they call."""

from __future__ import annotations

import json
import os
from typing import Any

from async_durable_execution import SerDes, durable_execution, invoke, run_in_child_context, step, wait
from handlers_common import returning


class ResultInCapitals(SerDes[Any]):
    """JSON text that is read as it stands, in capitals."""

    async def serialize(self, value: Any) -> str:
        return json.dumps(value)

    async def deserialize(self, data: str) -> str:
        return data.upper()


class PayloadInCapitals(SerDes[Any]):
    """A payload that is sent as JSON text in capitals."""

    async def serialize(self, value: Any) -> str:
        return json.dumps(value).upper()

    async def deserialize(self, data: str) -> Any:
        return json.loads(data)


def target() -> str:
    return os.environ["TARGET_FUNCTION_NAME"]


@durable_execution
async def echo(event: Any) -> Any:
    return event


@durable_execution
async def faulty(event: Any) -> None:
    raise RuntimeError("the function that was called is out of order")


@durable_execution
async def as_given(event: Any) -> Any:
    return await invoke(target(), event)


@durable_execution
async def named_by_input(event: dict[str, str]) -> Any:
    return await invoke(target(), event["payload"], name=event["name"])


@durable_execution
async def nothing(event: None) -> Any:
    return await invoke(target(), None)


@durable_execution
async def failure_is_caught(event: None) -> Any:
    try:
        return await invoke(target(), event)
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        return "fallback"


@durable_execution
async def large_payload(event: None) -> int:
    answer = await invoke(target(), {"text": "p" * 250 * 1024})
    return len(answer["text"])


@durable_execution
async def for_a_tenant(event: dict[str, str]) -> Any:
    return await invoke(target(), event["payload"], tenant_id=event["tenantId"])


@durable_execution
async def then_wait(event: None) -> Any:
    answer = await invoke(target(), "answer")
    await wait(1)
    return answer


@durable_execution
async def failure_is_kept(event: None) -> Any:
    try:
        await invoke(target(), event)
    except Exception as error:  # noqa: BLE001 - whichever class the SDK gives it, now and when it is replayed
        await wait(1)
        return str(error)
    raise AssertionError("the call has succeeded")


@durable_execution
async def after_step(event: None) -> Any:
    return await invoke(target(), await step(returning("from a step")))


@durable_execution
async def then_step(event: None) -> Any:
    answer = await invoke(target(), "answer")
    return await step(returning(f"step after {answer}"))


@durable_execution
async def in_child_context(event: None) -> Any:
    async def child() -> Any:
        return await invoke(target(), "from inside")

    return await run_in_child_context(child)


@durable_execution
async def one_after_the_other(event: None) -> Any:
    first = await invoke(target(), "first")
    return await invoke(os.environ["SECOND_FUNCTION_NAME"], f"second after {first}")


@durable_execution
async def payload_serdes(event: dict[str, str]) -> Any:
    return await invoke(target(), event, serdes_payload=PayloadInCapitals())


@durable_execution
async def result_serdes(event: str) -> Any:
    return await invoke(target(), event, serdes_result=ResultInCapitals())

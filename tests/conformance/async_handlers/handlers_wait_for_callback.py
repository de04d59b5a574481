"""Handlers of the suite "wait_for_callback"."""

from __future__ import annotations

from functools import partial
from typing import Any

from async_durable_execution import (
    JsonSerDes,
    durable_execution,
    get_wait_for_callback_context,
    run_in_child_context,
    step,
    wait,
    wait_for_callback,
)
from handlers_common import attempts, raising, returning


async def submit() -> None:
    """Where the callback's id would be handed to somebody who answers."""
    assert get_wait_for_callback_context().callback_id


@durable_execution
async def approval(event: None) -> Any:
    return await wait_for_callback(submit, name="approval")


@durable_execution
async def without_a_name(event: None) -> Any:
    return await wait_for_callback(partial(submit))


@durable_execution
async def named_by_input(event: str) -> Any:
    return await wait_for_callback(submit, name=event)


@durable_execution
async def no_answer(event: str) -> Any:
    return await wait_for_callback(submit, name=event, timeout=3)


@durable_execution
async def failure_is_caught(event: str) -> Any:
    try:
        return await wait_for_callback(submit, name=event)
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        return "recovered"


@durable_execution
async def submitted_twice_in_vain(event: str) -> Any:
    return await wait_for_callback(raising(), name=event, retry_strategy=attempts(2))


@durable_execution
async def in_child_context(event: str) -> Any:
    async def child() -> Any:
        return await wait_for_callback(submit, name=event)

    return await run_in_child_context(child, name="wrapper")


@durable_execution
async def one_after_the_other(event: None) -> Any:
    await wait_for_callback(submit, name="first")
    return await wait_for_callback(submit, name="second")


@durable_execution
async def after_wait_and_step(event: str) -> Any:
    await wait(1)
    await step(returning({"prepared": True}))
    return await wait_for_callback(submit, name=event)


@durable_execution
async def answer_is_an_object(event: str) -> Any:
    answer = await wait_for_callback(submit, name=event, serdes=JsonSerDes())
    return answer["status"]


@durable_execution
async def no_sign_of_life(event: str) -> Any:
    return await wait_for_callback(submit, name=event, heartbeat_timeout=5)


@durable_execution
async def sign_of_life(event: str) -> Any:
    return await wait_for_callback(submit, name=event, heartbeat_timeout=10)


@durable_execution
async def timeout_is_caught(event: str) -> Any:
    try:
        return await wait_for_callback(submit, name=event, timeout=3)
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        return "timed-out-handled"

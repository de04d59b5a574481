"""Handlers of the suite "child"."""

from __future__ import annotations

import asyncio
import sys
from typing import Any

from async_durable_execution import (
    durable_execution,
    get_durable_context,
    get_step_context,
    run_in_child_context,
    step,
    wait,
)
from handlers_common import ONCE_ONLY, Body, Capitals, at_attempt, attempts, raising, returning, say_in_replays_too


def one_step(body: Body, **options: Any) -> Body:
    """A child context with a step, whose result is its own."""

    async def child() -> Any:
        return await step(body, **options)

    return child


def step_and_pause(value: Any) -> Body:
    """A child context with a step and a wait."""

    async def child() -> Any:
        result = await step(returning(value))
        await wait(1)
        return result

    return child


@durable_execution
async def one_step_inside(event: str) -> Any:
    return await run_in_child_context(one_step(returning(event)))


@durable_execution
async def named_by_input(event: dict[str, str]) -> Any:
    return await run_in_child_context(one_step(returning(event["value"])), name=event["name"])


@durable_execution
async def two_steps(event: str) -> Any:
    async def child() -> Any:
        first = await step(returning(event))
        return await step(returning(first))

    return await run_in_child_context(child, name="two steps")


@durable_execution
async def failure_spreads(event: None) -> None:
    await run_in_child_context(one_step(raising(), retry_strategy=ONCE_ONLY), name="failing")


@durable_execution
async def failure_is_caught(event: str) -> Any:
    try:
        return await run_in_child_context(one_step(raising(), retry_strategy=ONCE_ONLY))
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        return await step(returning(event))


@durable_execution
async def one_in_another(event: str) -> Any:
    async def outer() -> Any:
        value = await step(returning(event))
        return await run_in_child_context(one_step(returning(value)), name="inner")

    return await run_in_child_context(outer, name="outer")


@durable_execution
async def second_attempt(event: str) -> Any:
    return await run_in_child_context(one_step(at_attempt(2, event), retry_strategy=attempts(2)), name="stubborn")


@durable_execution
async def two_attempts_in_vain(event: None) -> None:
    await run_in_child_context(one_step(raising(), retry_strategy=attempts(2)), name="stubborn")


@durable_execution
async def then_wait(event: str) -> Any:
    value = await run_in_child_context(one_step(returning(event)))
    await wait(1)
    return value


@durable_execution
async def step_and_wait(event: str) -> Any:
    return await run_in_child_context(step_and_pause(event), name="mixed")


@durable_execution
async def large_result(event: str) -> int:
    async def child() -> str:
        say_in_replays_too(event)
        kilobyte: str = await step(returning("k" * 1024))
        return kilobyte * 300

    text = await run_in_child_context(child, name="large")
    await wait(1)
    return len(text)


async def both_starts_are_known() -> None:
    """The SDK tells the service of a step that has begun while the step is running already."""
    context = get_step_context()
    while context.operation_id not in context.execution_state.operations:  # noqa: ASYNC110 - nothing tells when it is
        await asyncio.sleep(0.01)


@durable_execution
async def crash_in_a_step(event: str) -> Any:
    async def child() -> Any:
        is_first_time = not get_durable_context().is_replaying()

        async def interrupted() -> str:
            if is_first_time:
                await both_starts_are_known()
                sys.exit(1)
            return event

        return await step(interrupted)

    return await run_in_child_context(child)


@durable_execution
async def wait_inside(event: str) -> Any:
    async def child() -> str:
        await wait(1)
        return event

    return await step(returning(await run_in_child_context(child, name="pausing")))


@durable_execution
async def capitals(event: str) -> Any:
    return await run_in_child_context(one_step(returning(event)), name="capitals", serdes=Capitals())


@durable_execution
async def no_operation_but_failure(event: None) -> None:
    await run_in_child_context(raising(), name="failing")


@durable_execution
async def nothing(event: None) -> Any:
    return await run_in_child_context(returning(None), name="nothing")


@durable_execution
async def not_run_again(event: str) -> Any:
    async def child() -> str:
        say_in_replays_too(event)
        return event

    value = await run_in_child_context(child, name="talking")
    await wait(1)
    return value


@durable_execution
async def step_and_wait_twice(event: str) -> Any:
    value = await run_in_child_context(step_and_pause(event), name="inside")
    result = await step(returning(value))
    await wait(1)
    return result

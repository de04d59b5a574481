"""Handlers of the suite "wait_for_condition"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from async_durable_execution import JitterStrategy, PollingStrategy, durable_execution, step, wait_for_condition
from handlers_common import returning


async def one_more(state: int | None) -> int:
    return (state or 0) + 1


async def unchanged(state: Any) -> Any:
    return state


async def broken(state: Any) -> None:
    raise RuntimeError("the condition cannot be looked at")


def at_least(threshold: int) -> Callable[[Any, int], int | None]:
    """Poll every second until the state has grown to ``threshold``."""
    return lambda state, attempts_made: None if state >= threshold else 1


def never_met(attempts: int) -> Callable[[Any, int], int | None]:
    """The SDK's own strategy, to which no state is good enough: it takes whatever is true for the condition."""
    strategy = PollingStrategy[Any](
        max_attempts=attempts, initial_delay=1, backoff_rate=1, jitter_strategy=JitterStrategy.NONE
    )
    return lambda state, attempts_made: strategy(False, attempts_made)


@durable_execution
async def met_at_once(event: int) -> Any:
    return await wait_for_condition(unchanged, initial_state=5, polling_strategy=at_least(event))


@durable_execution
async def begins_with_five(event: int) -> Any:
    return await wait_for_condition(one_more, initial_state=5, polling_strategy=at_least(event))


@durable_execution
async def three_attempts_in_vain(event: int) -> Any:
    return await wait_for_condition(one_more, initial_state=event, polling_strategy=never_met(3))


@durable_execution
async def failure_is_caught(event: None) -> Any:
    try:
        return await wait_for_condition(broken, polling_strategy=at_least(1))
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        return "recovered"


@durable_execution
async def nothing(event: None) -> Any:
    return await wait_for_condition(unchanged, polling_strategy=lambda state, attempts_made: None)


@durable_execution
async def then_step(event: int) -> Any:
    state = await wait_for_condition(one_more, initial_state=0, polling_strategy=at_least(event))
    return await step(returning(10 * state))

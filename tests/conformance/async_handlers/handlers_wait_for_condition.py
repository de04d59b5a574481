"""Handlers of the suite "wait_for_condition"."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from async_durable_execution import JitterStrategy, PollingStrategy, SerDes, durable_execution, step, wait_for_condition
from handlers_common import returning


class Hexadecimal(SerDes[str]):
    """A text as the digits of its bytes."""

    async def serialize(self, value: str) -> str:
        return value.encode().hex()

    async def deserialize(self, data: str) -> str:
        return bytes.fromhex(data).decode()


async def one_more(state: int | None) -> int:
    return (state or 0) + 1


async def unchanged(state: Any) -> Any:
    return state


async def broken(state: Any) -> None:
    raise RuntimeError("the condition cannot be looked at")


async def look(state: dict[str, Any]) -> dict[str, Any]:
    """Looks at something that is done when it has been looked at twice."""
    attempts = state["attempts"] + 1
    return {"status": "DONE" if attempts == 2 else state["status"], "attempts": attempts}


async def one_letter_more(state: str) -> str:
    return f"{state}x"


def at_least(threshold: int, every: int = 1) -> Callable[[Any, int], int | None]:
    """Poll ``every`` so many seconds until the state has grown to ``threshold``."""
    return lambda state, attempts_made: None if state >= threshold else every


def never_met(attempts: int) -> Callable[[Any, int], int | None]:
    """The SDK's own strategy, to which no state is good enough: it takes whatever is true for the condition."""
    strategy = PollingStrategy[Any](
        max_attempts=attempts, initial_delay=1, backoff_rate=1, jitter_strategy=JitterStrategy.NONE
    )
    return lambda state, attempts_made: strategy(False, attempts_made)


@durable_execution
async def counted_up(event: int) -> Any:
    return await wait_for_condition(one_more, initial_state=0, polling_strategy=at_least(event))


@durable_execution
async def met_at_once(event: int) -> Any:
    return await wait_for_condition(unchanged, initial_state=5, polling_strategy=at_least(event))


@durable_execution
async def named(event: int) -> Any:
    return await wait_for_condition(one_more, name="poll-status", initial_state=0, polling_strategy=at_least(event))


@durable_execution
async def begins_with_five(event: int) -> Any:
    return await wait_for_condition(one_more, initial_state=5, polling_strategy=at_least(event))


@durable_execution
async def every_two_seconds(event: int) -> Any:
    return await wait_for_condition(one_more, initial_state=0, polling_strategy=at_least(event, every=2))


@durable_execution
async def three_attempts_in_vain(event: int) -> Any:
    return await wait_for_condition(one_more, initial_state=event, polling_strategy=never_met(3))


@durable_execution
async def failure_spreads(event: None) -> Any:
    return await wait_for_condition(broken, polling_strategy=at_least(1))


@durable_execution
async def failure_is_caught(event: None) -> Any:
    try:
        return await wait_for_condition(broken, polling_strategy=at_least(1))
    except Exception:  # noqa: BLE001 - whichever class the SDK gives it
        return "recovered"


@durable_execution
async def state_is_an_object(event: None) -> Any:
    return await wait_for_condition(
        look,
        initial_state={"status": "PENDING", "attempts": 0},
        polling_strategy=lambda state, attempts_made: None if state["status"] == "DONE" else 1,
    )


@durable_execution
async def nothing(event: None) -> Any:
    return await wait_for_condition(unchanged, polling_strategy=lambda state, attempts_made: None)


@durable_execution
async def state_serdes(event: None) -> Any:
    return await wait_for_condition(
        one_letter_more,
        initial_state="",
        polling_strategy=lambda state, attempts_made: None if len(state) == 2 else 1,
        serdes=Hexadecimal(),
    )


@durable_execution
async def then_step(event: int) -> Any:
    state = await wait_for_condition(one_more, initial_state=0, polling_strategy=at_least(event))
    return await step(returning(10 * state))


@durable_execution
async def second_begins_with_first(event: None) -> Any:
    first = await wait_for_condition(one_more, initial_state=0, polling_strategy=at_least(2))
    return await wait_for_condition(one_more, initial_state=first, polling_strategy=at_least(4))

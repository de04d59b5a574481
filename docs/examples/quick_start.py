"""An order that is priced, approved by a person within two days, and shipped the morning after.

Run it with ``hatch run quickstart``: almost two days pass, and it takes no time.
"""

from __future__ import annotations

from datetime import timedelta

from async_durable_execution import (
    durable_callable,
    durable_execution,
    get_current_context,
    run_in_child_context,
    step,
    wait,
    wait_for_callback,
)

from async_durable_execution_runner import DurableFunctionTestRunner

PRICES = {"lamp": 40, "desk": 250}


@durable_callable
async def price(item: str, quantity: int) -> int:
    return PRICES[item] * quantity


@durable_callable
async def ask_for_approval() -> None:
    """Send the callback's id to whoever is to answer. Here it is printed."""
    print(f"Please approve: {get_current_context().callback_id[:16]}…\n")


@durable_callable
async def reserve(item: str) -> str:
    return f"{item} reserved"


@durable_callable
async def book_truck(items: list[str]) -> str:
    return f"truck for {len(items)}"


@durable_callable
async def ship(items: list[str]) -> list[str]:
    """A child context: its steps are kept together in the tree."""
    reserved = [await step(reserve(item), name=f"reserve {item}") for item in items]
    return [*reserved, await step(book_truck(items), name="book truck")]


@durable_execution
async def handler(order: dict[str, int]) -> dict[str, object]:
    total = sum([await step(price(item, quantity), name=f"price {item}") for item, quantity in order.items()])
    approved_by = await wait_for_callback(ask_for_approval(), name="approval", timeout=timedelta(days=2))
    await wait(timedelta(hours=12), name="until the morning")
    shipped = await run_in_child_context(ship(list(order)), name="ship")
    return {"total": total, "approved_by": approved_by, "shipped": shipped}


def main() -> None:
    with DurableFunctionTestRunner(handler, function_name="orders") as runner:
        execution = runner.run_async({"lamp": 2, "desk": 1}, execution_name="order-7")
        callback_id = runner.wait_for_callback(execution, "approval")
        runner.advance(timedelta(days=1, hours=6))  # it takes a while
        runner.send_callback_success(callback_id, "manager")
        result = runner.wait_for_result(execution).ensure_succeeded()
    print(result.render())
    print()
    print("total:      ", result.value["total"])
    print("approved by:", result.value["approved_by"])
    print("shipped:    ", ", ".join(result.value["shipped"]))


if __name__ == "__main__":
    main()

"""Executions of every kind, for drawings of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import async_durable_execution as sdk

from async_durable_execution_runner._model.execution import ExecutionRecord
from async_durable_execution_runner._render.reading import read_execution
from async_durable_execution_runner._render.timeline import render_timeline
from async_durable_execution_runner._render.view import Bar, ExecutionView, Lane
from async_durable_execution_runner.runner import DurableFunctionTestRunner

THREE_TIMES = sdk.RetryStrategy(max_attempts=3, initial_delay=30, jitter_strategy=sdk.JitterStrategy.NONE)
ONCE = sdk.RetryStrategy(max_attempts=1)
MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000

Driver = Callable[[DurableFunctionTestRunner], str]


@sdk.durable_callable
async def work(result: Any = "done") -> Any:
    return result


@sdk.durable_callable
async def third_time_lucky() -> str:
    if sdk.get_step_context().attempt < 3:
        raise ConnectionError("no answer from the bank")
    return "paid"


@sdk.durable_callable
async def explode() -> None:
    raise LookupError("no such courier")


@sdk.durable_callable
async def branch(item: str) -> str:
    reserved = await sdk.step(work(item), name=f"reserve {item}")
    if item == "desk":
        await sdk.wait(timedelta(days=2), name="delivery")
    return reserved


@sdk.durable_callable
async def stock(items: list[str]) -> Any:
    return (await sdk.parallel([branch(item) for item in items], name="all items")).get_results()


@sdk.durable_execution
async def order(event: Any) -> Any:
    """A retry, a callback, a child context with a parallel, a wait, and a failure."""
    paid = await sdk.step(third_time_lucky(), name="charge", retry_strategy=THREE_TIMES)
    approval = await sdk.create_callback(name="approval", timeout=timedelta(days=7))
    await approval.result()
    await sdk.run_in_child_context(stock(["lamp", "desk"]), name="stock")
    await sdk.wait(timedelta(hours=12), name="until the morning")
    await sdk.step(explode(), name="hand to the courier", retry_strategy=ONCE)
    return paid


@sdk.durable_execution
async def year(event: Any) -> None:
    for number in range(3):
        await sdk.step(work(), name=f"step {number}")
    await sdk.wait(timedelta(days=365), name="a year")
    await sdk.step(work(), name="after")


@sdk.durable_execution
async def asks(event: Any) -> Any:
    approval = await sdk.create_callback(name="approval", timeout=timedelta(days=7))
    await sdk.wait(timedelta(hours=1), name="meanwhile")
    return await approval.result()


@sdk.durable_execution
async def think(event: Any) -> int:
    await sdk.wait(timedelta(hours=2), name="think")
    return 1


@sdk.durable_execution
async def invokes(event: Any) -> Any:
    return await sdk.invoke("think", {}, name="ask the child")


def many(count: int, retried: int | None = None) -> Any:
    """``count`` operations, each tenth of them a wait."""

    @sdk.durable_execution
    async def handler(event: Any) -> None:
        for number in range(count):
            if number == retried:
                await sdk.step(third_time_lucky(), name="charge", retry_strategy=THREE_TIMES)
            elif number % 10 == 9:
                await sdk.wait(timedelta(hours=number), name=f"pause {number}")
            else:
                await sdk.step(work(), name=f"reserve {number}")

    return handler


def run(runner: DurableFunctionTestRunner) -> str:
    """To the end."""
    return runner.run({}, execution_name="order-7", timeout=20).execution_arn


def answered(runner: DurableFunctionTestRunner) -> str:
    """To the end, with an answer after an hour."""
    runner.on_callback("approval", result="yes", after=timedelta(hours=1))
    return run(runner)


def until_suspended(runner: DurableFunctionTestRunner) -> str:
    """Until nothing can happen without time."""
    arn = runner.run_async({}, execution_name="order-8")
    runner.run_until_suspended(arn)
    return arn


def record_of(handler: Any, drive: Driver = run, **options: Any) -> tuple[ExecutionRecord, int]:
    """The record of an execution of ``handler``, and the clock's now."""
    with DurableFunctionTestRunner(handler, **options) as runner:
        runner.register_durable_function("think", think)
        arn = drive(runner)
        record = runner._local.executor.get(arn).snapshot()
        return record, runner._local.clock.now_millis()


def view_of(handler: Any, drive: Driver = run, **options: Any) -> ExecutionView:
    """What an execution of ``handler`` looks like."""
    return read_execution(*record_of(handler, drive, **options))


def lane(view: ExecutionView, name: str) -> Lane:
    """The only lane of that name."""
    (found,) = [each for each in view.lanes if each.name == name]
    return found


def spans(view: ExecutionView, bars: tuple[Bar, ...]) -> list[tuple[str, str, int, int]]:
    """Shape, outcome, and begin and end in milliseconds since the execution's start."""
    return [(bar.shape, bar.outcome, bar.start.at - view.start, bar.end.at - view.start) for bar in bars]


def drawn(view: ExecutionView, **options: Any) -> list[str]:
    """The lines of a timeline."""
    return render_timeline(view, **options).splitlines()

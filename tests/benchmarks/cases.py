"""What is measured."""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import itertools
import tempfile
from pathlib import Path
from typing import Any

from async_durable_execution import create_callback, durable_execution, step, wait
from async_durable_execution import map as durable_map
from measure import Table, Timing, interleaved, process, times_one

from async_durable_execution_runner import DurableFunctionTestRunner, ServiceLimits
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.sqlite import SqliteExecutionStore
from async_durable_execution_runner.testing import samples

UNLIMITED = ServiceLimits.unlimited()
ARN = "arn:aws:lambda:us-west-2:123456789012:function:floor:$LATEST/durable-execution/floor/root"
NOW = int(dt.datetime(2025, 12, 1, tzinfo=dt.UTC).timestamp() * 1000)


async def nothing() -> int:
    return 1


@durable_execution
async def many_steps(event: int) -> None:
    for _ in range(event):
        await step(nothing)


@durable_execution
async def many_items(event: int) -> int:
    async def item(number: int) -> int:
        return await step(nothing)

    batch = await durable_map(item, list(range(event)))
    return len(batch.get_results())


@durable_execution
async def many_waits(event: list[int]) -> None:
    for seconds in event:
        await wait(seconds)


@durable_execution
async def many_callbacks(event: int) -> list[Any]:
    answers = []
    for number in range(event):
        callback = await create_callback(name=f"question-{number}")
        answers.append(await callback.result())
    return answers


class Careless:
    """The floor's client: accepts everything, keeps nothing."""

    async def checkpoint_durable_execution(self, **_: Any) -> dict[str, Any]:
        return {"CheckpointToken": "token", "NewExecutionState": {"Operations": []}}

    async def get_durable_execution_state(self, **_: Any) -> dict[str, Any]:
        raise AssertionError("there is only one page")


class Context:
    """As much of a Lambda context as the SDK asks for."""

    aws_request_id = "floor"

    def get_remaining_time_in_millis(self) -> int:
        return 900_000


def floor(handler: Any, payload: str) -> Any:
    """The SDK alone, for one invocation."""
    loop = asyncio.new_event_loop()
    bound: Any = durable_execution(handler.__wrapped__, boto3_client=Careless())  # type: ignore[arg-type]
    root = {
        "Id": "root",
        "Type": "EXECUTION",
        "Status": "STARTED",
        "StartTimestamp": NOW,
        "ExecutionDetails": {"InputPayload": payload},
    }
    event = {
        "DurableExecutionArn": ARN,
        "CheckpointToken": "token",
        "InitialExecutionState": {"Operations": [root], "NextMarker": ""},
    }
    try:
        output = loop.run_until_complete(bound._async_handler(event, Context()))
    finally:
        loop.close()
    assert output["Status"] == "SUCCEEDED", output


def ours(handler: Any, payload: Any) -> None:
    with DurableFunctionTestRunner(handler, limits=UNLIMITED) as runner:
        runner.run(payload).ensure_succeeded()


def steps(table: Table, args: argparse.Namespace) -> None:
    """Sequential steps against the floor, and whether a step's price depends on how many there are."""
    price: dict[int, float] = {}
    for size in args.sizes:
        rounds = max(3, args.rounds // 2) if size >= 10_000 else args.rounds
        mine, bare = interleaved(rounds, lambda n=size: ours(many_steps, n), lambda n=size: floor(many_steps, str(n)))
        price[size] = mine.cpu / size
        table.row(f"{size} steps", mine, bare, "ratio <= 1.25")
    if {100, 10_000} <= price.keys():
        table.note(f"a step at 10 000 costs {price[10_000] / price[100]:.2f} x one at 100   (goal <= 1.1)")


def map_of_1000(table: Table, args: argparse.Namespace) -> None:
    """A map with a step in each item."""
    mine, bare = interleaved(
        max(3, args.rounds // 2), lambda: ours(many_items, 1000), lambda: floor(many_items, "1000")
    )
    table.row("map of 1 000 items, a step each", mine, bare, "ratio <= 1.25")


def two_hundred_tests(table: Table, args: argparse.Namespace) -> None:
    """As a suite of small tests does it: a runner each."""

    def suite() -> None:
        for _ in range(200):
            ours(many_steps, 1)

    (timing,) = interleaved(args.rounds, suite)
    table.row("200 one-step tests", timing)
    each = Timing(timing.cpu / 200, timing.wall / 200)
    table.row("  one of them", each, goal="<= 3 ms")


def ten_callbacks(table: Table, args: argparse.Namespace) -> None:
    """Ten callbacks, each answered by the test when it is open."""

    def answer() -> None:
        with DurableFunctionTestRunner(many_callbacks) as runner:
            arn = runner.run_async(10)
            for number in range(10):
                runner.send_callback_success(runner.wait_for_callback(arn, f"question-{number}"), "yes")
            assert len(runner.wait_for_result(arn).value) == 10

    (timing,) = interleaved(args.rounds, answer)
    table.row("10 callbacks answered by the test", timing, goal="<= 20 ms")


def a_year(table: Table, args: argparse.Namespace) -> None:
    """Ten waits of a year against ten waits of a second."""
    year, second = interleaved(
        args.rounds, lambda: ours(many_waits, [31_536_000] * 10), lambda: ours(many_waits, [1] * 10)
    )
    table.row("10 waits of a year (floor: 1 s)", year, second, "ratio about 1")


def crashes(table: Table, args: argparse.Namespace) -> None:
    """A workflow killed at every boundary, against one run of it."""

    def explore() -> None:
        with DurableFunctionTestRunner(many_steps) as runner:
            places = len(runner.explore_crashes(50).runs)
        assert places == 101, places  # before and after each of 50 checkpoints, and at the end

    measured = times_one(args.rounds, explore, lambda: ours(many_steps, 50))
    table.times("101 places of 50 steps killed", *measured, goal="goal <= 120")


def imports(table: Table, args: argparse.Namespace) -> None:
    """What importing costs, above an interpreter that does nothing."""
    names = ("async_durable_execution_runner", "async_durable_execution_runner.pytest_plugin")
    idle, *times = process(["-c", "pass"], ["-c", "import pytest"], *(["-c", f"import {n}"] for n in names), rounds=5)
    bare, package, plugin = times
    table.note(f"import of the package: {(package - idle) * 1e3:.1f} ms")
    table.note(f"import of the plugin, above pytest's own: {(plugin - bare) * 1e3:.1f} ms")


def plugin(table: Table, args: argparse.Namespace) -> None:
    """A pytest session that does not use the plugin, with and without it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text("def test_nothing():\n    pass\n")
        base = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", folder, folder]
        without, with_it = process([*base, "-p", "no:durable_execution"], base, rounds=max(5, args.rounds))
    table.note(f"the plugin in a session that does not use it: {(with_it - without) * 1e3:.1f} ms   (goal < 30 ms)")


def stores(table: Table, args: argparse.Namespace) -> None:
    """10 000 checkpoints in each store on disk against memory, the size of what is kept, and a large listing."""
    with tempfile.TemporaryDirectory() as folder:
        places = (Path(folder, str(number)) for number in itertools.count())

        def run(kind: str, steps: int) -> Path:
            place = next(places)
            with DurableFunctionTestRunner(many_steps, store=kind, store_path=place, limits=UNLIMITED) as runner:
                runner.run(steps).ensure_succeeded()
            return place

        kinds = ("filesystem", "sqlite")
        works = [lambda kind=kind: run(kind, 5000) for kind in ("memory", *kinds)]  # a step is two checkpoints
        memory, *disk = interleaved(max(3, args.rounds // 2), *works)
        for kind, timing in zip(kinds, disk, strict=True):
            table.row(f"10 000 checkpoints, {kind}", timing, memory, "ratio <= 2")
            small, large = (_bytes(run(kind, steps)) / steps for steps in (500, 5000))
            table.note(f"  bytes per step, {kind}: {small:.0f} at 500, {large:.0f} at 5 000")
        listing(table, Path(folder, "many"), args.rounds)


def _bytes(place: Path) -> int:
    files = [place] if place.is_file() else [*place.iterdir()]
    return sum(file.stat().st_size for file in files)


def listing(table: Table, place: Path, rounds: int) -> None:
    """10 000 executions by function and status: half of them, and all."""
    store = SqliteExecutionStore(place)
    for number in range(10_000):
        record = samples.new(f"n{number}", started_at=samples.START + number)
        store.create(record)
        if number % 2:
            store.append(record.header.arn, samples.closing(record.header, 2))
    half = ExecutionQuery(function_arn=samples.FUNCTION, statuses=frozenset({"SUCCEEDED"}))
    every = ExecutionQuery(function_arn=samples.FUNCTION, statuses=frozenset({"SUCCEEDED", "RUNNING"}))
    for what, query in (("5 000 of", half), ("all", every)):
        (timing,) = interleaved(rounds, lambda query=query: store.list(query))
        table.row(f"SQLite: list {what} 10 000", timing, goal="<= 50 ms")
    store.close()

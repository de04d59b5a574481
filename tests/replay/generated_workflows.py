"""Workflows made up at random, the same for a seed everywhere: nested operations of every kind."""

# ruff: noqa: A004, BLE001 - handlers under test use the SDK's names, and catch what comes

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from async_durable_execution import (
    JitterStrategy,
    RetryStrategy,
    create_callback,
    durable_execution,
    invoke,
    map,
    parallel,
    run_in_child_context,
    step,
    wait,
    wait_for_callback,
    wait_for_condition,
)

LEAVES = ("step", "failing", "retried", "wait", "callback", "submitted", "invoke", "condition", "race")
NESTS = ("child", "parallel", "map", "first", "gather", "caught")


@dataclass
class Node:
    """One operation of a workflow. ``number`` is its own."""

    kind: str
    number: int
    inside: list[list[Node]] = field(default_factory=list)


def made_up(seed: int) -> list[Node]:
    """A workflow of a few operations, nested up to three deep."""
    chance = random.Random(seed)
    numbers = iter(range(1, 1000))
    return _sequence(chance, numbers, depth=0)


def _sequence(chance: random.Random, numbers: Iterator[int], depth: int) -> list[Node]:
    return [_node(chance, numbers, depth) for _ in range(chance.randint(1, 4 if depth == 0 else 2))]


def _node(chance: random.Random, numbers: Iterator[int], depth: int) -> Node:
    kind = chance.choice(LEAVES if depth == 3 or chance.random() < 0.6 else NESTS)
    node = Node(kind, next(numbers))
    if kind in NESTS:
        count = 1 if kind in {"child", "caught"} else chance.randint(2, 3)
        node.inside = [_sequence(chance, numbers, depth + 1) for _ in range(count)]
    return node


class Workflow:
    """The handler of a made-up workflow. ``bodies`` counts what ran that must not run in a replay."""

    def __init__(self, nodes: list[Node]) -> None:
        self.nodes = nodes
        self.bodies = 0
        self.at_once: int | None = None
        """How many branches are begun at once where the first to succeed is enough."""
        self._failed: dict[int, int] = {}

        @durable_execution
        async def handler(event: Any) -> Any:
            return await self._run(self.nodes, 0)

        self.handler = handler

    async def _run(self, nodes: list[Node], value: int) -> int:
        for node in nodes:
            got = await getattr(self, f"_{node.kind}")(node, value)
            value = (value * 3 + (got if isinstance(got, int) else len(str(got)))) % 1009
        return value

    def _body(self, value: int) -> Any:
        async def body() -> int:
            self.bodies += 1
            return value + 1

        return body

    async def _step(self, node: Node, value: int) -> Any:
        return await step(self._body(value), name=f"step {node.number}")

    async def _failing(self, node: Node, value: int) -> Any:
        async def fail() -> None:
            self.bodies += 1
            raise ValueError(f"{node.number} is out of luck")

        try:
            await step(fail, name=f"failing {node.number}", retry_strategy=_attempts(1))
        except Exception as error:
            return len(str(error))

    async def _retried(self, node: Node, value: int) -> Any:
        async def fail_once() -> int:
            self.bodies += 1
            self._failed[node.number] = self._failed.get(node.number, 0) + 1
            if self._failed[node.number] < 3:
                raise ValueError("not yet")
            return value

        return await step(fail_once, name=f"retried {node.number}", retry_strategy=_attempts(4))

    async def _wait(self, node: Node, value: int) -> Any:
        await wait(node.number % 7 + 1, name=f"wait {node.number}" if node.number % 2 else None)

    async def _callback(self, node: Node, value: int) -> Any:
        callback = await create_callback(name=f"callback {node.number}", timeout=timedelta(hours=1))
        await step(self._body(value), name=f"meanwhile {node.number}")
        try:
            return await callback.result()
        except Exception as error:
            return len(str(error))

    async def _submitted(self, node: Node, value: int) -> Any:
        async def submit() -> None:
            self.bodies += 1

        return await wait_for_callback(submit, name=f"submitted {node.number}")

    async def _invoke(self, node: Node, value: int) -> Any:
        return await invoke("other", {"value": value, "number": node.number}, name=f"invoke {node.number}")

    async def _condition(self, node: Node, value: int) -> Any:
        async def check(state: int | None) -> int:
            self.bodies += 1
            return (state or 0) + 1

        def until(state: int, attempt: int) -> Any:
            return 2 if state < node.number % 3 + 1 else None

        return await wait_for_condition(check, initial_state=0, polling_strategy=until, name=f"until {node.number}")

    async def _race(self, node: Node, value: int) -> Any:
        """Two operations begun before the first is awaited."""
        one = step(self._body(value), name=f"one {node.number}")
        two = step(self._body(value + 1), name=f"two {node.number}")
        return await one + await two

    async def _child(self, node: Node, value: int) -> Any:
        return await run_in_child_context(lambda: self._run(node.inside[0], value), name=f"child {node.number}")

    async def _caught(self, node: Node, value: int) -> Any:
        async def inside() -> None:
            await self._run(node.inside[0], value)
            raise LookupError("nothing there")

        try:
            await run_in_child_context(inside, name=f"caught {node.number}")
        except Exception as error:
            return len(type(error).__name__)

    async def _parallel(self, node: Node, value: int) -> Any:
        result = await parallel([self._branch(each, value) for each in node.inside], name=f"parallel {node.number}")
        return sum(result.get_results())

    async def _first(self, node: Node, value: int) -> Any:
        branches = [self._branch(each, value) for each in node.inside]
        name, enough = f"first {node.number}", _first_successful()
        result = await parallel(branches, name=name, completion_config=enough, max_concurrency=self.at_once)
        return sum(result.get_results())

    async def _map(self, node: Node, value: int) -> Any:
        async def each(item: int) -> int:
            return await self._run(node.inside[item], value)

        result = await map(each, list(range(len(node.inside))), name=f"map {node.number}", max_concurrency=2)
        return sum(result.get_results())

    async def _gather(self, node: Node, value: int) -> Any:
        children = [
            run_in_child_context(self._branch(each, value), name=f"side {node.number}.{number}")
            for number, each in enumerate(node.inside)
        ]
        return sum(await asyncio.gather(*children))

    def _branch(self, nodes: list[Node], value: int) -> Any:
        return lambda: self._run(nodes, value)


def _attempts(count: int) -> RetryStrategy:
    return RetryStrategy(max_attempts=count, initial_delay=3, jitter_strategy=JitterStrategy.NONE)


def _first_successful() -> Any:
    from async_durable_execution import CompletionConfig

    return CompletionConfig(min_successful=1)

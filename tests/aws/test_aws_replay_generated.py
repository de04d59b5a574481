"""Workflows made up at random for AWS's SDK: unchanged, they never drift. DURABLE_GENERATED says how many."""

# ruff: noqa: BLE001 - handlers under test catch what comes

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import aws_durable_execution_sdk_python as sdk
import pytest
from aws_durable_execution_sdk_python.config import (
    CompletionConfig,
    Duration,
    InvokeConfig,
    MapConfig,
    ParallelConfig,
    StepConfig,
)
from aws_durable_execution_sdk_python.retries import RetryDecision
from aws_durable_execution_sdk_python.waits import WaitForConditionConfig, WaitForConditionDecision
from test_aws_replay import pytestmark as only_where_it_can_be_listened_to

from async_durable_execution_runner import DurableFunctionTestRunner, replay
from async_durable_execution_runner._plugin.radar import RadarOfTest
from async_durable_execution_runner._replay.radar import look

pytestmark = only_where_it_can_be_listened_to
COUNT = int(os.environ.get("DURABLE_GENERATED", "12"))
LEAVES = ("step", "failing", "retried", "wait", "callback", "invoke", "condition")
NESTS = ("child", "parallel", "map", "first", "caught")


@dataclass
class Node:
    kind: str
    number: int
    inside: list[list[Node]] = field(default_factory=list)


def sequence(chance: random.Random, numbers: Iterator[int], depth: int) -> list[Node]:
    return [node(chance, numbers, depth) for _ in range(chance.randint(1, 3 if depth == 0 else 2))]


def node(chance: random.Random, numbers: Iterator[int], depth: int) -> Node:
    kind = chance.choice(LEAVES if depth == 2 or chance.random() < 0.6 else NESTS)
    made = Node(kind, next(numbers))
    if kind in NESTS:
        count = 1 if kind in {"child", "caught"} else chance.randint(2, 3)
        made.inside = [sequence(chance, numbers, depth + 1) for _ in range(count)]
    return made


class Workflow:
    def __init__(self, nodes: list[Node]) -> None:
        self.bodies = 0
        self.at_once: int | None = None
        """How many branches are begun at once where the first to succeed is enough."""
        self._failed: dict[int, int] = {}

        @sdk.durable_execution
        def handler(event: Any, context: Any) -> Any:
            return self._run(context, nodes, 0)

        self.handler = handler

    def _run(self, context: Any, nodes: list[Node], value: int) -> int:
        for each in nodes:
            got = getattr(self, f"_{each.kind}")(context, each, value)
            value = (value * 3 + (got if isinstance(got, int) else len(str(got)))) % 1009
        return value

    def _body(self, value: int) -> Any:
        def body(_: Any) -> int:
            self.bodies += 1
            return value + 1

        return body

    def _step(self, context: Any, each: Node, value: int) -> Any:
        return context.step(self._body(value), name=f"step {each.number}")

    def _failing(self, context: Any, each: Node, value: int) -> Any:
        def fail(_: Any) -> None:
            self.bodies += 1
            raise ValueError(f"{each.number} is out of luck")

        config = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())
        try:
            context.step(fail, name=f"failing {each.number}", config=config)
        except Exception as error:
            return len(str(error))

    def _retried(self, context: Any, each: Node, value: int) -> Any:
        def fail_once(_: Any) -> int:
            self.bodies += 1
            self._failed[each.number] = self._failed.get(each.number, 0) + 1
            if self._failed[each.number] < 2:
                raise ValueError("not yet")
            return value

        config = StepConfig(retry_strategy=lambda error, attempt: RetryDecision.retry(Duration.from_seconds(3)))
        return context.step(fail_once, name=f"retried {each.number}", config=config)

    def _wait(self, context: Any, each: Node, value: int) -> None:
        context.wait(Duration.from_seconds(each.number % 7 + 1), name=f"wait {each.number}")

    def _callback(self, context: Any, each: Node, value: int) -> Any:
        callback = context.create_callback(name=f"callback {each.number}")
        context.step(self._body(value), name=f"meanwhile {each.number}")
        return callback.result()

    def _invoke(self, context: Any, each: Node, value: int) -> Any:
        payload = {"value": value, "number": each.number}
        return context.invoke("other", payload, name=f"invoke {each.number}", config=InvokeConfig())

    def _condition(self, context: Any, each: Node, value: int) -> Any:
        def check(state: int, _: Any) -> int:
            self.bodies += 1
            return state + 1

        def until(state: int, attempt: int) -> Any:
            if state > each.number % 3:
                return WaitForConditionDecision.stop_polling()
            return WaitForConditionDecision.continue_waiting(Duration.from_seconds(2))

        config = WaitForConditionConfig(wait_strategy=until, initial_state=0)
        return context.wait_for_condition(check, config, name=f"until {each.number}")

    def _child(self, context: Any, each: Node, value: int) -> Any:
        return context.run_in_child_context(lambda c: self._run(c, each.inside[0], value), name=f"child {each.number}")

    def _caught(self, context: Any, each: Node, value: int) -> Any:
        def inside(inner: Any) -> None:
            self._run(inner, each.inside[0], value)
            raise LookupError("nothing there")

        try:
            context.run_in_child_context(inside, name=f"caught {each.number}")
        except Exception as error:
            return len(type(error).__name__)

    def _parallel(self, context: Any, each: Node, value: int) -> Any:
        return sum(context.parallel(self._branches(each, value), name=f"parallel {each.number}").get_results())

    def _first(self, context: Any, each: Node, value: int) -> Any:
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=1), max_concurrency=self.at_once)
        branches = self._branches(each, value)
        return sum(context.parallel(branches, name=f"first {each.number}", config=config).get_results())

    def _map(self, context: Any, each: Node, value: int) -> Any:
        def one(inner: Any, item: int, index: int, items: Any) -> int:
            return self._run(inner, each.inside[item], value)

        items, config = list(range(len(each.inside))), MapConfig(max_concurrency=2)
        return sum(context.map(items, one, name=f"map {each.number}", config=config).get_results())

    def _branches(self, each: Node, value: int) -> list[Any]:
        return [lambda inner, nodes=nodes: self._run(inner, nodes, value) for nodes in each.inside]


@pytest.mark.parametrize("seed", range(COUNT))
def test_an_unchanged_workflow_never_drifts(seed: int) -> None:
    workflow = Workflow(sequence(random.Random(seed), iter(range(1, 1000)), 0))
    radar = RadarOfTest(6)
    with DurableFunctionTestRunner(workflow.handler) as runner:
        radar.watch(runner)
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        result = runner.run({})
        ran = workflow.bodies
        reports = [
            replay(workflow.handler, result, raise_on_failure=False, max_replays=12),
            *look(radar._seen(), 6),
        ]
    assert workflow.bodies == ran, "a replay runs no bodies"
    assert all(report.ok for report in reports), "\n".join(report.render() for report in reports)


@pytest.mark.parametrize(("then", "now"), [(1, None), (None, 1)])
@pytest.mark.parametrize("seed", range(COUNT))
def test_branches_that_another_one_made_needless_may_be_begun_or_not(
    seed: int, then: int | None, now: int | None
) -> None:
    workflow = Workflow(sequence(random.Random(seed), iter(range(1, 1000)), 0))
    workflow.at_once = then
    with DurableFunctionTestRunner(workflow.handler) as runner:
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        result = runner.run({})
        workflow.at_once = now
        report = replay(workflow.handler, result, raise_on_failure=False, max_replays=12)
    assert report.ok, report.render()


def test_a_branch_that_was_needless_is_not_taken_for_one_of_another_batch() -> None:
    at_once: list[int | None] = [1]

    def first_of_two(context: Any) -> Any:
        config = ParallelConfig(completion_config=CompletionConfig(min_successful=1), max_concurrency=at_once[0])
        return context.parallel([lambda _: "a", lambda _: "b"], name="inner", config=config).get_results()

    @sdk.durable_execution
    def handler(event: Any, context: Any) -> Any:
        config = ParallelConfig(max_concurrency=1)
        return context.parallel([first_of_two, lambda _: "c"], name="outer", config=config).get_results()

    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run({})
    at_once[0] = None
    report = replay(handler, result, raise_on_failure=False)
    assert [each.name for each in result.get_context("inner").child_operations] == ["parallel-branch-0"]
    assert report.ok, report.render()


def test_what_a_needless_branch_would_have_come_to_is_no_result() -> None:
    workflow = Workflow([Node("first", 1, [[Node("wait", 2), Node("step", 3)], [Node("step", 4), Node("step", 5)]])])
    workflow.at_once = 1
    with DurableFunctionTestRunner(workflow.handler) as runner:
        result = runner.run({})
    workflow.at_once = None
    report = replay(workflow.handler, result, raise_on_failure=False)
    assert len(result.invocations) == 2
    assert report.ok, report.render()

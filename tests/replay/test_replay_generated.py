"""Workflows made up at random: unchanged, they never drift. DURABLE_GENERATED says how many; the full number is 200."""

from __future__ import annotations

import os
import warnings
from typing import Any

import pytest
from async_durable_execution import CompletionConfig, durable_execution, parallel
from generated_workflows import Node, Workflow, made_up

from async_durable_execution_runner import DurableFunctionTestRunner, UnawaitedOperationWarning, replay
from async_durable_execution_runner._plugin.radar import RadarOfTest
from async_durable_execution_runner._replay.radar import look

COUNT = int(os.environ.get("DURABLE_GENERATED", "24"))


@pytest.mark.parametrize("seed", range(COUNT))
def test_an_unchanged_workflow_never_drifts(seed: int) -> None:
    workflow, radar = Workflow(made_up(seed)), RadarOfTest(20)
    with DurableFunctionTestRunner(workflow.handler) as runner:
        radar.watch(runner)
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        with warnings.catch_warnings():
            # A gathering that fails leaves the others behind: so be it.
            warnings.simplefilter("ignore", UnawaitedOperationWarning)
            result = runner.run({})
        ran = workflow.bodies
        reports = [
            replay(workflow.handler, result, raise_on_failure=False, max_replays=60),
            replay(workflow.handler, result.events, raise_on_failure=False, prefixes="invocations"),
            *look(radar._seen(), 20),
        ]
    assert workflow.bodies == ran, "a replay runs no bodies"
    assert all(report.ok for report in reports), "\n".join(report.render() for report in reports)


@pytest.mark.parametrize(("then", "now"), [(1, None), (None, 1)])
@pytest.mark.parametrize("seed", range(COUNT))
def test_branches_that_another_one_made_needless_may_be_begun_or_not(
    seed: int, then: int | None, now: int | None
) -> None:
    workflow = Workflow(made_up(seed))
    workflow.at_once = then
    with DurableFunctionTestRunner(workflow.handler) as runner, warnings.catch_warnings():
        warnings.simplefilter("ignore", UnawaitedOperationWarning)
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        result = runner.run({})
        workflow.at_once = now
        report = replay(workflow.handler, result, raise_on_failure=False, max_replays=60)
    assert report.ok, report.render()


def test_a_branch_that_was_needless_is_not_taken_for_one_of_another_batch() -> None:
    at_once: list[int | None] = [1]

    async def answer() -> str:
        return "yes"

    async def first_of_two() -> Any:
        enough = CompletionConfig(min_successful=1)
        both = await parallel([answer, answer], name="inner", completion_config=enough, max_concurrency=at_once[0])
        return both.get_results()

    @durable_execution
    async def handler(event: Any) -> Any:
        return (await parallel([first_of_two, answer], name="outer", max_concurrency=1)).get_results()

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

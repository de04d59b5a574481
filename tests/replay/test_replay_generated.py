"""Workflows made up at random: unchanged, they never drift. DURABLE_GENERATED says how many; the full number is 200."""

from __future__ import annotations

import os
import warnings

import pytest
from generated_workflows import Workflow, made_up

from async_durable_execution_runner import DurableFunctionTestRunner, UnawaitedOperationWarning, replay
from async_durable_execution_runner._pytest_radar import RadarOfTest
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

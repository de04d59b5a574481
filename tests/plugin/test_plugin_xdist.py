"""Many processes: reports travel, and histories are the same bytes everywhere."""

from __future__ import annotations

import hashlib
import json
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from plugin_kit import ORDERS, Suite

from async_durable_execution_runner.runner import DurableFunctionTestRunner

EVERYWHERE = """
import hashlib, json, os, pathlib

@pytest.mark.parametrize("number", range(24))
@use(handler=order)
def test_it(durable_runner, number):
    arn = durable_runner.run({"order": 7}).ensure_succeeded().execution_arn
    history = json.dumps(durable_runner.get_execution_history(arn), default=str)
    found = hashlib.sha256(history.encode()).hexdigest() + " " + os.environ["PYTEST_XDIST_WORKER"]
    pathlib.Path("found", str(number)).write_text(found)
"""
SHARED = """
@pytest.mark.parametrize("number", range(8))
@use(handler=order)
def test_it(durable_runner, number):
    durable_runner.run("the same").ensure_succeeded()
    durable_runner.run(number).ensure_succeeded()
"""
FAILS = """
@use(handler=order)
def test_fails(durable_runner):
    assert durable_runner.run(1).value == "nonsense"

@use(handler=order)
def test_forgets(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    durable_runner.run(1)

@use(handler=order, clok="real")
def test_typo(durable_runner): pass
"""


@pytest.fixture
def xdist_suite(suite: Suite) -> Suite:
    pytest.importorskip("xdist")
    return suite


def test_eight_workers_write_the_same_history(xdist_suite: Suite) -> None:
    found = xdist_suite.pytester.mkdir("found")
    xdist_suite.run_apart(EVERYWHERE, "-n8").assert_outcomes(passed=24)
    lines = [path.read_text().split() for path in found.iterdir()]
    assert len(lines) == 24
    assert len({worker for _, worker in lines}) == 8
    assert len({digest for digest, _ in lines}) == 1


def test_reports_travel(xdist_suite: Suite) -> None:
    target = xdist_suite.folder / "report.xml"
    result = xdist_suite.run_apart(FAILS, "-n2", f"--junitxml={target}")
    result.assert_outcomes(failed=1, passed=1, errors=2)
    text = result.stdout.str()
    assert text.count("- durable execution -") == 2
    assert text.count("Wait 'delivery'") == 2
    assert "has no argument 'clok'. Did you mean 'clock'?" in text
    values = [each.get("value") or "" for each in ET.parse(target).iter("property")]
    assert [value.split()[0] for value in values if value.startswith("SUCCEEDED")] == ["SUCCEEDED"] * 2


def test_options_of_the_command_line_reach_the_workers(xdist_suite: Suite) -> None:
    result = xdist_suite.run_apart(FAILS, "-n2", "--durable-history=never")
    result.assert_outcomes(failed=1, passed=1, errors=2)
    result.stdout.no_fnmatch_line("*- durable execution -*")


def test_the_cloud_mode_reaches_the_workers(xdist_suite: Suite) -> None:
    result = xdist_suite.run_apart(FAILS, "-n2", "--durable-mode=cloud")
    result.assert_outcomes(errors=3)
    result.stdout.fnmatch_lines(["*in cloud mode lambda_function_name= says which deployed function to run*"])


@pytest.mark.parametrize("store", ["filesystem", "sqlite"])
def test_workers_may_share_a_store(xdist_suite: Suite, store: str) -> None:
    xdist_suite.ini(f"durable_store = {store}", "durable_store_path = rest")
    xdist_suite.run_apart(SHARED, "-n2").assert_outcomes(passed=8)
    assert (xdist_suite.folder / "rest").exists()


def test_a_hundred_runs_in_one_process_write_the_same_history(
    durable_runner_factory: Callable[..., DurableFunctionTestRunner],
) -> None:
    functions: dict[str, object] = {}
    exec(ORDERS, functions)
    digests = set()
    for _ in range(100):
        runner = durable_runner_factory(functions["order"])
        arn = runner.run({"order": 7}).ensure_succeeded().execution_arn
        history = json.dumps(runner.get_execution_history(arn), default=str)
        digests.add(hashlib.sha256(history.encode()).hexdigest())
    assert len(digests) == 1

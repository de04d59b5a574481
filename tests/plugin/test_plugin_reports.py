"""What a report shows of a test's executions."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any, NoReturn

import pytest
from plugin_kit import Suite, reports, sections

from async_durable_execution_runner._plugin.runners import RunnersOfTest
from async_durable_execution_runner.options import PluginOptions
from async_durable_execution_runner.runner import DurableFunctionTestResult, DurableFunctionTestRunner

PASSES = """
@use(handler=order)
def test_it(durable_runner):
    assert durable_runner.run(1).execution_status == "SUCCEEDED"
"""
SLEEPY = """
import time
import async_durable_execution as sdk

async def tea():
    return "chamomile"

@sdk.durable_execution
async def sleepy(event):
    await sdk.step(tea, name="tea")
    time.sleep(30)

@use(handler=sleepy)
def test_it(durable_runner):
    durable_runner.run(1, timeout=0.2)
"""
FAILS = """
@use(handler=order)
def test_it(durable_runner):
    assert durable_runner.run(1).value == "nonsense"
"""


def section_of(suite: Suite, code: str, *arguments: str, when: str = "call") -> str:
    """The one section of the one report."""
    result = suite.run(code, *arguments)
    (report,) = reports(result, when)
    (section,) = sections(report)
    return section


def test_a_failed_test_shows_the_operation_tree(suite: Suite) -> None:
    section = section_of(suite, FAILS)
    head, charge, delivery, *_ = section.splitlines()
    assert head.endswith("SUCCEEDED after 3 d, 2 invocations")
    assert charge.startswith("├─ ✓ Step 'charge'  SUCCEEDED")
    assert delivery.startswith("└─ ✓ Wait 'delivery'  SUCCEEDED  at 0 s → 3 d")
    assert type(section) is str


def test_it_stands_below_the_failure(suite: Suite) -> None:
    suite.run(FAILS).stdout.fnmatch_lines(["*AssertionError*", "*- durable execution -*", "*Wait 'delivery'*"])


def test_the_log_of_the_sdk_can_be_left_out_and_the_tree_stay(suite: Suite) -> None:
    code = """
import logging

@use(handler=broken)
def test_it(durable_runner):
    logging.getLogger("sdk").error("a long story")
    durable_runner.run(1).ensure_succeeded()
"""
    assert "- Captured log call -" in suite.run(code).stdout.str()
    result = suite.run(code, "--log-level=CRITICAL")
    assert "- Captured log call -" not in result.stdout.str()
    assert "- durable execution -" in result.stdout.str()


def test_a_test_that_passed_shows_none(suite: Suite) -> None:
    result = suite.run(PASSES, "-rP")
    assert [sections(report) for report in reports(result)] == [[]]


def test_all_shows_those_that_passed_too(suite: Suite) -> None:
    assert "Wait 'delivery'" in section_of(suite, PASSES, "--durable-history=all")
    suite.run(PASSES, "--durable-history=all", "-rP").stdout.fnmatch_lines(["*- durable execution -*", "*'delivery'*"])


def test_all_adds_nothing_to_the_phases_around_the_test(suite: Suite) -> None:
    result = suite.run(PASSES, "--durable-history=all")
    assert [sections(report) for when in ("setup", "teardown") for report in reports(result, when)] == [[], []]


def test_all_shows_one_that_failed_once(suite: Suite) -> None:
    assert "Wait 'delivery'" in section_of(suite, FAILS, "--durable-history=all")


def test_all_shows_one_that_is_expected_to_fail(suite: Suite) -> None:
    code = "@pytest.mark.xfail" + FAILS
    assert "Wait 'delivery'" in section_of(suite, code, "--durable-history=all")
    assert [sections(report) for report in reports(suite.run(code))] == [[]]


def test_never_shows_nothing(suite: Suite) -> None:
    result = suite.run(FAILS, "--durable-history=never")
    assert [sections(report) for report in reports(result)] == [[]]


def test_the_ini_file_says_so_too(suite: Suite) -> None:
    suite.ini("durable_history = all")
    assert "Wait 'delivery'" in section_of(suite, PASSES)


def test_every_execution_of_every_runner(suite: Suite) -> None:
    section = section_of(
        suite,
        """
@use(handler=order)
def test_it(durable_runner, durable_runner_factory):
    durable_runner.run(1, execution_name="first")
    durable_runner.run(2, execution_name="second")
    durable_runner_factory(broken).run(3, execution_name="third")
    raise AssertionError
""",
    )
    heads = [tree.splitlines()[0] for tree in section.split("\n\n")]
    expected = [("✓", "first", "SUCCEEDED"), ("✓", "second", "SUCCEEDED"), ("✗", "third", "FAILED")]
    assert [(head[0], head.split("'")[1], head.split()[3]) for head in heads] == expected


def test_an_error_of_the_handler_is_shown_with_its_place(suite: Suite) -> None:
    code = "@use(handler=broken)\ndef test_it(durable_runner):\n    durable_runner.run(1).ensure_succeeded()"
    section = section_of(suite, code)
    assert "LookupError: no such order" in section
    assert "orders.py" in section


@pytest.mark.parametrize(
    ("code", "error", "shown"),
    [
        (
            "@use(handler=approval)\ndef test_it(durable_runner): durable_runner.run(1)",
            "ExecutionStuckError",
            "'approval'",
        ),
        (
            SLEEPY,
            "ExecutionTimeoutError",
            "'tea'",
        ),
    ],
)
def test_an_exception_of_run_itself(suite: Suite, code: str, error: str, shown: str) -> None:
    result = suite.run(code)
    (report,) = reports(result)
    assert error in str(report.longrepr)
    assert shown in sections(report)[0]


def test_a_complaint_in_teardown(suite: Suite) -> None:
    code = """
@use(handler=order)
def test_it(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    durable_runner.run(1)
"""
    result = suite.run(code)
    assert [sections(report) for report in reports(result, "call")] == [[]]
    (report,) = reports(result, "teardown")
    assert "UnusedResponderError" in str(report.longrepr)
    assert "Wait 'delivery'" in sections(report)[0]


def test_a_failure_in_teardown_does_not_show_it_twice(suite: Suite) -> None:
    result = suite.run("""
@pytest.fixture
def rude():
    yield
    raise RuntimeError

@use(handler=order)
def test_it(durable_runner, rude):
    durable_runner.run(1)
    raise AssertionError
""")
    shown = {report.when: sections(report) for when in ("call", "teardown") for report in reports(result, when)}
    assert len(shown["call"]) == 1
    assert shown["teardown"] == []


def test_a_failure_in_setup(suite: Suite) -> None:
    code = """
@pytest.fixture
def paid(durable_runner):
    assert durable_runner.run(1).value == "nonsense"

@use(handler=order)
def test_it(paid): pass
"""
    assert "Wait 'delivery'" in section_of(suite, code, when="setup")


def test_a_test_without_an_execution_has_no_section(suite: Suite) -> None:
    result = suite.run("@use(handler=order)\ndef test_it(durable_runner): raise AssertionError")
    assert [sections(report) for report in reports(result)] == [[]]


def test_a_test_without_a_runner_has_no_section(suite: Suite) -> None:
    result = suite.run("def test_it(): raise AssertionError", "--durable-history=all")
    assert [report.sections for report in reports(result)] == [[]]


def _fall_over(*_: Any, **__: Any) -> NoReturn:
    raise ZeroDivisionError("the renderer is broken")


def test_a_tree_that_cannot_be_drawn_says_why(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DurableFunctionTestResult, "render", _fall_over)
    section = section_of(suite, FAILS)
    assert section.startswith("arn:aws:lambda:")
    assert "could not be shown: ZeroDivisionError: the renderer is broken" in section


def test_results_that_cannot_be_had_say_why(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DurableFunctionTestRunner, "_results", _fall_over)
    section = section_of(suite, FAILS)
    assert section == "the execution could not be shown: ZeroDivisionError: the renderer is broken"


def properties(suite: Suite, code: str, *arguments: str) -> list[tuple[str | None, str | None]]:
    """Properties in the JUnit file."""
    target = suite.folder / "report.xml"
    suite.run(code, f"--junitxml={target}", *arguments)
    return [(each.get("name"), each.get("value")) for each in ET.parse(target).iter("property")]


def test_statuses_are_in_the_junit_file(suite: Suite) -> None:
    code = """
@use(handler=order, lambda_function_name="orders")
def test_it(durable_runner, durable_runner_factory):
    durable_runner.run(1, execution_name="first")
    durable_runner_factory(broken, lambda_function_name="broken").run(1, execution_name="second")
"""
    (first, one), (second, two) = properties(suite, code)
    assert first == second == "durable_execution"
    assert one is not None
    assert one.startswith(
        "SUCCEEDED arn:aws:lambda:us-west-2:123456789012:function:orders:$LATEST/durable-execution/first/"
    )
    assert two is not None
    assert two.startswith("FAILED arn:")


def test_statuses_are_in_the_report_of_the_test_itself(suite: Suite) -> None:
    (report,) = reports(suite.run(PASSES))
    ((name, value),) = report.user_properties
    assert name == "durable_execution"
    assert str(value).startswith("SUCCEEDED arn:")


def test_statuses_of_a_failed_setup_are_in_the_junit_file(suite: Suite) -> None:
    code = """
@pytest.fixture
def paid(durable_runner):
    durable_runner.run(1)
    raise AssertionError

@use(handler=order)
def test_it(paid): pass
"""
    ((_, value),) = properties(suite, code)
    assert value is not None
    assert value.startswith("SUCCEEDED arn:")


def test_a_junit_file_comes_though_results_cannot_be_had(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DurableFunctionTestRunner, "_results", _fall_over)
    assert properties(suite, PASSES) == []


def test_nothing_of_a_test_is_kept_when_it_is_over(suite: Suite) -> None:
    result = suite.run("""
import gc, weakref
kept = []

@use(handler=order)
def test_first(durable_runner):
    durable_runner.run(1)
    kept.append(weakref.ref(durable_runner))

def test_second():
    gc.collect()
    assert kept[0]() is None
""")
    result.assert_outcomes(passed=2)


def test_closing_closes_all_and_raises_what_it_found() -> None:
    class Rude:
        def _finish(self, *, failed: bool) -> None:
            raise OSError("rude")

    runners = RunnersOfTest(PluginOptions(mode="local", history="failed", runner={}))
    runners._runners = [Rude(), Rude()]  # type: ignore[list-item]
    with pytest.raises(ExceptionGroup, match="several runners of this test complain") as caught:
        runners.close()
    assert len(caught.value.exceptions) == 2

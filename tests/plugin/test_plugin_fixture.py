"""The fixtures: from the marker to a runner, and its end."""

from __future__ import annotations

import inspect

import pytest
from plugin_kit import Suite

from async_durable_execution_runner.options import MARKER_ARGUMENTS, MARKER_ONLY
from async_durable_execution_runner.runner import DurableFunctionTestRunner


def test_the_example_of_the_documentation(suite: Suite) -> None:
    result = suite.run("""
@pytest.mark.durable_execution(handler=order, lambda_function_name="my_function")
def test_it(durable_runner):
    with durable_runner:
        result = durable_runner.run(input={"data": "test"}, timeout=10)
    assert result.ensure_succeeded().value == {"charged": {"data": "test"}}
    assert ":function:my_function:" in result.execution_arn
""")
    result.assert_outcomes(passed=1)


def test_with_may_be_left_out(suite: Suite) -> None:
    result = suite.run("""
@use(handler=order)
def test_it(durable_runner):
    result = durable_runner.run(7)
    assert result.value == {"charged": 7}
    assert ":function:test-function:" in result.execution_arn
""")
    result.assert_outcomes(passed=1)


def test_the_marker_takes_every_option_of_the_runner() -> None:
    parameters = list(inspect.signature(DurableFunctionTestRunner).parameters)
    assert sorted(MARKER_ARGUMENTS) == sorted([*parameters, "lambda_function_name", *MARKER_ONLY])


def test_options_of_the_marker_reach_the_runner(suite: Suite) -> None:
    result = suite.run("""
from datetime import UTC, datetime, timedelta
from async_durable_execution_runner import ExecutionObserver, ServiceLimits

@use(
    handler=order, store="memory", clock="virtual", start_time=datetime(2030, 1, 1, tzinfo=UTC),
    execution_timeout=timedelta(days=1), invocation_timeout=60, retention_period_days=30,
    limits=ServiceLimits.unlimited(), isolation="inline", region="eu-central-1", account_id="111122223333",
    function_name="orders", observers=[], poll_interval=0.1,
)
def test_it(durable_runner):
    assert durable_runner.now == datetime(2030, 1, 1, tzinfo=UTC)
    result = durable_runner.run(1)
    assert result.execution_status == "TIMED_OUT"  # the delivery takes three days
    assert result.execution_arn.startswith("arn:aws:lambda:eu-central-1:111122223333:function:orders:")
""")
    result.assert_outcomes(passed=1)


def test_the_nearest_marker_decides_alone(suite: Suite) -> None:
    result = suite.run("""
pytestmark = use(handler=broken)

def test_of_the_module(durable_runner):
    assert durable_runner.run(1).execution_status == "FAILED"

@use(handler=order, region="eu-west-1")
class TestOrders:
    def test_of_the_class(self, durable_runner):
        assert "eu-west-1" in durable_runner.run(1).ensure_succeeded().execution_arn

    @use(handler=order)
    def test_of_its_own(self, durable_runner):
        assert "us-west-2" in durable_runner.run(1).ensure_succeeded().execution_arn

@pytest.mark.parametrize("expected", [
    pytest.param("SUCCEEDED", marks=use(handler=order)),
    pytest.param("FAILED", marks=use(handler=broken)),
])
def test_of_a_parameter(durable_runner, expected):
    assert durable_runner.run(1).execution_status == expected
""")
    result.assert_outcomes(passed=5)


def test_a_handler_by_name(suite: Suite) -> None:
    result = suite.run("""
@use(handler="orders:order")
def test_it(durable_runner):
    assert durable_runner.run(1).value == {"charged": 1}
""")
    result.assert_outcomes(passed=1)


def test_the_factory_needs_no_marker_and_makes_runners_of_their_own(suite: Suite) -> None:
    result = suite.run("""
def test_it(durable_runner_factory):
    first = durable_runner_factory(order, lambda_function_name="first")
    with durable_runner_factory(approval, function_name="second") as second:
        assert ":function:first:" in first.run(1).ensure_succeeded().execution_arn
        arn = second.run_async(1)
        second.send_callback_success(second.wait_for_callback(arn, "approval"), "yes")
        assert second.wait_for_result(arn).value == "yes"
        assert ":function:second:" in arn
""")
    result.assert_outcomes(passed=1)


def test_both_fixtures_in_one_test(suite: Suite) -> None:
    result = suite.run("""
@use(handler=order)
def test_it(durable_runner, durable_runner_factory):
    assert durable_runner is not durable_runner_factory(order)
    assert durable_runner.run(1).execution_status == "SUCCEEDED"
    assert durable_runner_factory(broken).run(1).execution_status == "FAILED"
""")
    result.assert_outcomes(passed=1)


def test_every_runner_is_closed_with_its_test(suite: Suite) -> None:
    result = suite.run("""
from async_durable_execution_runner import RunnerClosedError
kept = []

@use(handler=order)
def test_first(durable_runner, durable_runner_factory):
    kept.extend([durable_runner, durable_runner_factory(order), durable_runner_factory(order)])
    durable_runner.run(1)

def test_second():
    for runner in kept:
        with pytest.raises(RunnerClosedError):
            runner.run(1)
""")
    result.assert_outcomes(passed=2)


def test_every_runner_is_closed_though_one_complains(suite: Suite) -> None:
    result = suite.run("""
from async_durable_execution_runner import RunnerClosedError
kept = []

def test_first(durable_runner_factory):
    for number in range(3):
        kept.append(durable_runner_factory(order))
        kept[-1].on_callback(f"never-{number}", result=1)

def test_second():
    for runner in kept:
        with pytest.raises(RunnerClosedError):
            runner.run(1)
""")
    result.assert_outcomes(passed=2, errors=1)
    result.stdout.fnmatch_lines(["*never-2*", "*never-1*", "*never-0*"])


def test_each_test_has_a_runner_of_its_own(suite: Suite) -> None:
    result = suite.run("""
@pytest.mark.parametrize("number", range(3))
@use(handler=order)
def test_it(durable_runner, number):
    assert durable_runner.list_executions()["DurableExecutions"] == []
    durable_runner.run(number)
""")
    result.assert_outcomes(passed=3)


def test_nothing_happens_to_a_test_that_asks_for_no_runner(suite: Suite) -> None:
    result = suite.run("""
@use(handler="there:is-none")
def test_it(request):
    assert not [name for name in request.fixturenames if "durable" in name]
""")
    result.assert_outcomes(passed=1)


def test_an_answer_that_nothing_asked_for_fails_the_test_in_teardown(suite: Suite) -> None:
    result = suite.run("""
@use(handler=order)
def test_it(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    durable_runner.run(1)
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(
        ["*ERROR at teardown of test_it*", "*on_callback('approval') was scripted*optional=True*"]
    )


@pytest.mark.parametrize(
    ("body", "outcomes"),
    [
        ("assert durable_runner.run(1).value == 'nonsense'", {"failed": 1}),
        ("pytest.skip('not today')", {"skipped": 1}),
        ("pytest.xfail('known')", {"xfailed": 1}),
    ],
)
def test_a_test_that_did_not_pass_hears_no_other_complaint(suite: Suite, body: str, outcomes: dict[str, int]) -> None:
    result = suite.run(f"""
@use(handler=order)
def test_it(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    {body}
""")
    result.assert_outcomes(**outcomes)
    result.stdout.no_fnmatch_line("*UnusedResponderError*")


def test_an_answer_that_was_checked_by_with_is_not_checked_again(suite: Suite) -> None:
    result = suite.run("""
@use(handler=order)
def test_it(durable_runner):
    from async_durable_execution_runner import UnusedResponderError
    with pytest.raises(UnusedResponderError), durable_runner:
        durable_runner.on_callback("approval", result="yes")
""")
    result.assert_outcomes(passed=1)


def test_a_fixture_may_ask_for_the_runner(suite: Suite) -> None:
    result = suite.run("""
@pytest.fixture
def paid(durable_runner):
    return durable_runner.run({"order": 1}).ensure_succeeded()

@use(handler=order)
def test_it(paid):
    assert paid.value == {"charged": {"order": 1}}
""")
    result.assert_outcomes(passed=1)


def test_two_plugins_of_one_name_are_no_surprise(suite: Suite) -> None:
    result = suite.run("def test_it(): pass", "-p", "no:durable_execution")
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("*durable_mode*")

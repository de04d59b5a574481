"""Subtests of a test that is killed everywhere, and of one that is not."""

from __future__ import annotations

import pytest
from plugin_kit import Suite, reports, sections
from test_plugin_crash import BANK, PROPERTY

pytestmark = pytest.mark.skipif(
    pytest.version_tuple < (9,), reason="pytest has subtests since 9; before, a plugin of another name brings them"
)

FUNCTION = """
{above}@use(handler=pay, crash="{crash}", radar={radar})
def test_it(durable_runner, subtests):
    runner, subtest, skip = durable_runner, subtests.test, pytest.skip
"""
TEST_CASE = """
import unittest

{above}@use(handler=pay, crash="{crash}", radar={radar})
class TestPay(unittest.TestCase):
  @pytest.fixture(autouse=True)
  def _runner(self, durable_runner):
    self.runner = durable_runner

  def test_it(self):
    runner, subtest, skip = self.runner, self.subTest, self.skipTest
"""
ANSWERS = """
    global bank
    bank = runner.effects("bank")
    runner.on_callback("approval", result="yes")
"""
COUNTS = """
    with subtest("result"):
        assert runner.run().value == "shipped"
    with subtest("bank", order=7):
        bank.{expects}("order-7")
"""
THREE = """
    runs.append(1)
    for number in range(3):
        with subtest(number=number):
            result = runner.run()
            assert number != 1 or result.value == "nonsense"
"""
SENTENCE = (
    "Killed in invocation 1, after step 'charge' had run, before its result was saved: "
    "effect 'bank' for 'order-7' happened twice"
)
both = pytest.mark.parametrize("form", [FUNCTION, TEST_CASE], ids=["function", "TestCase"])


def code(form: str, body: str, *, above: str = "", crash: str = "everywhere", radar: bool = True) -> str:
    return f"{BANK}\nruns = []\n{form.format(above=above, crash=crash, radar=radar)}{ANSWERS}{body}"


def told(result: pytest.RunResult) -> tuple[list[pytest.TestReport], pytest.TestReport]:
    """The reports of the subtests, and that of the test."""
    *subtests, own = reports(result)
    return subtests, own


def message(report: pytest.TestReport) -> str:
    return str(report.longrepr.reprcrash.message)  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------------ killed everywhere


@both
def test_a_subtest_that_fails_after_a_death_is_told_once_and_so_is_its_test(suite: Suite, form: str) -> None:
    result = suite.run(code(form, COUNTS.format(expects="exactly_once")))
    (passed, failed), own = told(result)
    assert (passed.outcome, failed.outcome, own.outcome) == ("passed", "failed", "failed")
    assert message(failed) == SENTENCE
    matrix = dict(failed.sections)["crash matrix"].splitlines()
    assert matrix[0] == SENTENCE
    assert matrix[2] == f'run it again: pytest {own.nodeid} --durable-plan="die-before:1.1+0"'
    assert matrix[3:] == ["11 places, 1 of them failed"]
    assert own.longrepr == f"{SENTENCE.partition(':')[0]}: contains 1 failed subtest"
    (tree,) = sections(failed)
    assert "invocation 1 failed: Runtime.ExitError" in tree
    assert sections(own) == []


@both
def test_subtests_that_hold_everywhere_are_told_once(suite: Suite, form: str) -> None:
    result = suite.run(code(form, COUNTS.format(expects="at_least_once")))
    subtests, own = told(result)
    assert [report.outcome for report in [*subtests, own]] == ["passed"] * 3
    (teardown,) = reports(result, "teardown")
    assert [value for name, value in teardown.user_properties if name == PROPERTY] == [11]
    result.assert_outcomes(passed=1)


@both
def test_a_subtest_that_fails_anyway_is_told_as_ever_and_nothing_is_killed(suite: Suite, form: str) -> None:
    result = suite.run(code(form, THREE) + "\n\ndef test_after():\n    assert runs == [1]\n")
    *subtests, own, after = reports(result)
    assert [report.outcome for report in subtests] == ["passed", "failed", "passed"]
    assert (own.outcome, own.longrepr) == ("failed", "contains 1 failed subtest")
    assert after.passed
    assert "crash matrix" not in dict(subtests[1].sections)


@both
def test_a_skipped_subtest_is_no_reason_to_stop(suite: Suite, form: str) -> None:
    body = COUNTS.format(expects="exactly_once") + "    with subtest('later'):\n        skip('not today')\n"
    subtests, _ = told(suite.run(code(form, body)))
    assert [report.outcome for report in subtests] == ["passed", "failed", "skipped"]
    assert message(subtests[1]) == SENTENCE


@both
def test_every_subtest_of_the_run_that_is_told_says_what_was_killed(suite: Suite, form: str) -> None:
    body = COUNTS.format(expects="exactly_once") + "    with subtest('again'):\n        assert bank.total < 2\n"
    subtests, own = told(suite.run(code(form, body)))
    assert [message(report).partition(":")[0] for report in subtests[1:]] == [SENTENCE.partition(":")[0]] * 2
    assert str(own.longrepr).endswith("contains 2 failed subtests")
    assert ["crash matrix" in dict(report.sections) for report in subtests] == [False, True, False]


@both
@pytest.mark.parametrize(("expects", "outcome"), [("exactly_once", "xfailed"), ("at_least_once", "xpassed")])
def test_a_subtest_may_be_what_a_test_is_expected_to_fail_for(
    suite: Suite, form: str, expects: str, outcome: str
) -> None:
    above = "@pytest.mark.xfail(reason='charges twice')\n"
    result = suite.run(code(form, COUNTS.format(expects=expects), above=above))
    _, own = told(result)
    assert own.outcome == {"xfailed": "skipped", "xpassed": "passed"}[outcome]
    assert own.wasxfail == "charges twice"  # type: ignore[attr-defined]
    assert result.ret == pytest.ExitCode.OK


@both
def test_with_the_printed_plan_the_subtest_fails_again(suite: Suite, form: str) -> None:
    plan = "--durable-plan=die-before:1.1+0"
    subtests, own = told(suite.run(code(form, COUNTS.format(expects="exactly_once")), plan))
    assert message(subtests[1]) == SENTENCE
    assert own.failed


@both
def test_workers_tell_of_subtests_as_well(suite: Suite, form: str) -> None:
    pytest.importorskip("xdist")
    result = suite.run_apart(code(form, COUNTS.format(expects="exactly_once")), "-n2")
    lines = [line for line in result.outlines if line.startswith(("SUBFAILED", "FAILED"))]
    assert [line.split("[")[0].split()[0] for line in lines] == ["SUBFAILED", "FAILED"]
    result.stdout.fnmatch_lines(["*Killed in invocation 1, after step 'charge' had run*happened twice*"])


def test_a_subtest_that_fails_in_the_second_clean_run(suite: Suite) -> None:
    body = "    runs.append(1)\n    with subtest():\n        runner.run()\n        assert runs == [1]\n"
    (failed,), own = told(suite.run(code(FUNCTION, body)))
    assert failed.failed
    assert own.failed
    assert dict(failed.sections)["crash matrix"].startswith("The test passes, and when it is run a second time")


# -------------------------------------------------------------------------------------------------- killed nowhere


@both
def test_a_subtest_shows_what_has_run_since_the_one_before(suite: Suite, form: str) -> None:
    (first, second, third), own = told(suite.run(code(form, THREE, crash="off")))
    assert (sections(first), sections(third), sections(own)) == ([], [], [])
    (tree,) = sections(second)
    assert tree.count("✓ execution '") == 1
    executions = [value for name, value in own.user_properties if name == "durable_execution"]
    assert len(executions) == len(set(executions)) == 3


@both
def test_a_subtest_that_runs_nothing_shows_what_has_run(suite: Suite, form: str) -> None:
    body = """
    with subtest():
        result = runner.run()
    with subtest():
        assert result.value == "nonsense"
"""
    (_, failed), _ = told(suite.run(code(form, body, crash="off")))
    (tree,) = sections(failed)
    assert tree.count("✓ execution '") == 1


@both
def test_the_radar_does_not_look_at_a_test_with_a_subtest_that_failed(suite: Suite, form: str) -> None:
    drifts = code(form, "    with subtest():\n        assert runner.run().value == VALUE\n", crash="off")
    drifts = drifts.replace("handler=pay", "handler=drifter").replace("runs = []", DRIFTER)
    drifts = drifts.replace('    runner.on_callback("approval", result="yes")\n', "")
    # It is one that the radar complains of, if nothing else has failed.
    result = suite.run(drifts.replace("VALUE", "None"))
    assert "determinism radar" in str(reports(result)[-1].longrepr)
    result = suite.run(drifts.replace("VALUE", "1"))
    assert "determinism radar" not in str(reports(result)[-1].longrepr)


def test_the_page_of_a_test_has_what_ran_after_its_subtests(suite: Suite) -> None:
    body = THREE + "    runner.run()\n"
    result = suite.run(code(FUNCTION, body, crash="off"), "--durable-html=pages")
    (page,) = (suite.folder / "pages").iterdir()
    assert page.read_text("utf-8").count("✓ execution &#x27;") == 4
    assert "durable_execution_page" in dict(told(result)[1].user_properties)


DRIFTER = """
import uuid

@sdk.durable_execution
async def drifter(event):
    await sdk.step(ship, name=str(uuid.uuid4()))
"""

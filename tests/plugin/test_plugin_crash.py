"""The crash matrix of a test: the marker, the options, and what a failure says."""

from __future__ import annotations

import pytest
from _pytest.terminal import TerminalReporter
from plugin_kit import Suite, reports, sections

from async_durable_execution_runner._plugin.crashes import PROPERTY

BANK = """
import async_durable_execution as sdk

bank = None

async def charge():
    bank.record("order-7")
    return 290

async def ship():
    return "shipped"

@sdk.durable_execution
async def pay(event):
    await sdk.step(charge, name="charge")
    callback = await sdk.create_callback(name="approval", timeout=60)
    await callback.result()
    await sdk.wait(5, name="pause")
    return await sdk.step(ship, name="ship")

@sdk.durable_execution
async def counting(event):
    seen = []

    async def count():
        seen.append(1)

    await sdk.step(count, name="ship")
    return len(seen)
"""
PAYS = (
    BANK
    + """
@use(handler=pay{marker})
def test_it(durable_runner):
    global bank
    bank = durable_runner.effects("bank")
    execution = durable_runner.run_async()
    callback = durable_runner.wait_for_callback(execution, "approval")
    durable_runner.send_callback_success(callback, "yes")
    assert durable_runner.wait_for_result(execution).value == "shipped"
    bank.{expects}()
"""
)


def pays(expects: str = "at_least_once", marker: str = ', crash="everywhere"') -> str:
    return PAYS.format(expects=expects, marker=marker)


def places(report: pytest.TestReport) -> list[object]:
    return [value for name, value in report.user_properties if name == PROPERTY]


# ------------------------------------------------------------------------------------------------------ what is run


def test_a_test_that_holds_everywhere(suite: Suite) -> None:
    result = suite.run(pays())
    result.assert_outcomes(passed=1)
    (teardown,) = reports(result, "teardown")
    assert places(teardown) == [11]
    assert len(reports(result)) == 1


def test_nothing_is_killed_unless_asked_for(suite: Suite) -> None:
    result = suite.run(pays("exactly_once", marker=""))
    result.assert_outcomes(passed=1)
    assert places(reports(result, "teardown")[0]) == []


@pytest.mark.parametrize(
    ("marker", "arguments", "ini", "count"),
    [
        ("", ["--durable-crash=everywhere"], "", [11]),
        ("", ["--durable-crash=sample:4"], "", [4]),
        ("", [], "durable_crash = sample:3", [3]),
        ("", ["--durable-crash=off"], "durable_crash = sample:3", []),
        (', crash="sample:2"', ["--durable-crash=everywhere"], "", [2]),
        (', crash="off"', ["--durable-crash=everywhere"], "", []),
    ],
)
def test_the_marker_goes_before_the_command_line_and_that_before_the_ini_file(
    suite: Suite, marker: str, arguments: list[str], ini: str, count: list[int]
) -> None:
    suite.ini(ini)
    result = suite.run(pays(marker=marker), *arguments)
    result.assert_outcomes(passed=1)
    assert places(reports(result, "teardown")[0]) == count


def test_tests_without_a_runner_are_left_alone(suite: Suite) -> None:
    result = suite.run("def test_it(): pass", "--durable-crash=everywhere")
    result.assert_outcomes(passed=1)


def test_fixtures_are_the_tests_own_in_every_run_and_those_of_the_module_are_kept(suite: Suite) -> None:
    result = suite.run(
        """
made = []

@pytest.fixture
def mine():
    made.append("mine")
    yield []
    made.append("gone")

@pytest.fixture(scope="module")
def shared():
    made.append("shared")
    yield []
    made.append("last")

@use(handler=order, crash="sample:2")
def test_it(durable_runner, mine, shared, tmp_path):
    assert mine == []
    mine.append(1)
    (tmp_path / "file").touch(exist_ok=False)
    shared.append(1)
    durable_runner.run(7)

def test_after(shared):
    assert shared == [1, 1, 1, 1]
    assert made == ["shared", *["mine", "gone"] * 4]
"""
    )
    result.assert_outcomes(passed=2)


def test_several_runners_and_executions_of_one_test(suite: Suite) -> None:
    result = suite.run("""
@use(crash="everywhere")
def test_it(durable_runner_factory):
    for name in ("a", "b"):
        runner = durable_runner_factory(order)
        for number in (1, 2):
            assert runner.run(number, execution_name=f"{name}{number}").value == {"charged": number}
""")
    result.assert_outcomes(passed=1)
    # Each execution: two checkpoints, killed before and after, and two ends of invocations.
    assert places(reports(result, "teardown")[0]) == [24]


def test_async_tests(suite: Suite) -> None:
    result = suite.run("""
@pytest.mark.asyncio
@use(handler=order, crash="everywhere")
async def test_it(durable_runner):
    async with durable_runner:
        assert (await durable_runner.run(7)).value == {"charged": 7}
""")
    result.assert_outcomes(passed=1)
    assert places(reports(result, "teardown")[0]) == [6]


def test_workers(suite: Suite) -> None:
    pytest.importorskip("xdist")
    result = suite.run_apart(pays("exactly_once"), "-n2")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*Killed in invocation 1, after step 'charge' had run*happened twice*"])


# ------------------------------------------------------------------------------------------------- what is told


def test_a_failure_says_in_one_sentence_what_was_killed_where_and_what_then_happened_twice(suite: Suite) -> None:
    result = suite.run(pays("exactly_once"))
    result.assert_outcomes(failed=1)
    sentence = (
        "Killed in invocation 1, after step 'charge' had run, before its result was saved: "
        "effect 'bank' for 'order-7' happened twice"
    )
    (report,) = reports(result)
    assert report.longrepr.reprcrash.message == sentence  # type: ignore[union-attr]
    (matrix,) = [text for title, text in report.sections if title == "crash matrix"]
    assert matrix.splitlines() == [
        sentence,
        "That run is shown here. Without a death the test passes.",
        'run it again: pytest test_inner.py::test_it --durable-plan="die-before:1.1+0"',
        "11 places, 1 of them failed",
    ]
    (tree,) = sections(report)
    assert "invocation 1 failed: Runtime.ExitError: Runtime exited with error: signal: killed" in tree
    assert "✓ Step 'charge'" in tree


def test_another_result_fails_a_test_that_asserts_nothing(suite: Suite) -> None:
    result = suite.run(
        BANK
        + """
@use(handler=counting, crash="everywhere", radar=False)
def test_it(durable_runner):
    durable_runner.run()
"""
    )
    result.assert_outcomes(failed=1)
    (report,) = reports(result)
    where = "Killed in invocation 1, after the result of step 'ship' was saved, before the handler heard of it"
    assert str(report.longrepr) == f"{where}: it gave 0 instead of 1."
    (matrix,) = [text for title, text in report.sections if title == "crash matrix"]
    assert "3 places, 2 of them failed; also:" in matrix
    assert matrix.count("Killed in invocation 1, ") == 2
    result.stdout.fnmatch_lines(["FAILED test_inner.py::test_it - *Killed in invocation 1*"])


def test_what_was_captured_is_that_of_the_run_that_is_shown(suite: Suite) -> None:
    result = suite.run(
        BANK
        + """
runs = []

@use(handler=counting, crash="everywhere", radar=False)
def test_it(durable_runner):
    runs.append(1)
    print(f"run {len(runs)}")
    durable_runner.run()
"""
    )
    (report,) = reports(result)
    assert report.capstdout == "run 4\n"


def test_a_test_that_fails_anyway_is_told_as_ever_and_killed_nowhere(suite: Suite) -> None:
    result = suite.run(
        """
runs = []

@use(handler=order, crash="everywhere")
def test_it(durable_runner):
    runs.append(1)
    assert durable_runner.run(7).value == "nonsense"

def test_after():
    assert runs == [1]

@use(handler=order, crash="everywhere")
def test_skipped(durable_runner):
    pytest.skip("for a reason")
"""
    )
    result.assert_outcomes(failed=1, passed=1, skipped=1)
    assert [title for title, _ in reports(result)[0].sections if title == "crash matrix"] == []


def test_a_test_that_cannot_be_run_twice(suite: Suite) -> None:
    result = suite.run("""
runs = []

@use(handler=order, crash="everywhere")
def test_it(durable_runner):
    runs.append(1)
    durable_runner.run(7)
    assert runs == [1]
""")
    result.assert_outcomes(failed=1)
    (report,) = reports(result)
    (matrix,) = [text for title, text in report.sections if title == "crash matrix"]
    assert matrix.startswith("The test passes, and when it is run a second time in the same process, killed nowhere,")


def test_a_failure_of_a_teardown_counts(suite: Suite) -> None:
    result = suite.run("""
runs = []

@pytest.fixture
def tidy():
    runs.append(1)
    yield
    assert len(runs) < 3, "not tidy"

@use(handler=order, crash="sample:1")
def test_it(durable_runner, tidy):
    durable_runner.run(7)
""")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["Killed in invocation 1, after the start of wait 'delivery' was saved, *: not tidy"])


# ------------------------------------------------------------------------------------------------------------ again


def test_the_printed_plan_gives_the_same_run_again(suite: Suite) -> None:
    code = pays("exactly_once")
    (first,) = reports(suite.run(code))
    (again,) = reports(suite.run(code, "--durable-plan=die-before:1.1+0"))
    assert again.longrepr.reprcrash.message == first.longrepr.reprcrash.message  # type: ignore[union-attr]
    assert sections(again) == sections(first)
    assert "places" not in dict(again.sections)["crash matrix"]


def test_another_plan_passes(suite: Suite) -> None:
    result = suite.run(pays("exactly_once"), "--durable-plan=die-after:1.1,pages:1")
    result.assert_outcomes(passed=1)


def test_a_plan_that_is_not_reached_is_a_mistake(suite: Suite) -> None:
    result = suite.run(pays(), "--durable-plan=die-before:charg")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*FaultNotReachedError*'die-before:charg' was planned, and the run never came there*"])


SEVERAL = (
    PAYS
    + """
@use(handler=order, crash="everywhere")
def test_without_a_fourth_checkpoint(durable_runner):
    durable_runner.run(7)

@use(handler=pay, faults="die-before:charge")
def test_with_faults_of_its_own(durable_runner):
    global bank
    bank = durable_runner.effects("bank")
    durable_runner.on_callback("approval", result="yes")
    assert len(durable_runner.run().invocations) == 4

@use()
def test_with_such_a_runner(durable_runner_factory):
    global bank
    runner = durable_runner_factory(pay, faults="die-before:charge")
    bank = runner.effects("bank")
    runner.on_callback("approval", result="yes")
    assert len(runner.run().invocations) == 4

@use(handler=pay, crash="off")
def test_off(durable_runner):
    global bank
    bank = durable_runner.effects("bank")
    durable_runner.on_callback("approval", result="yes")
    assert len(durable_runner.run().invocations) == 3

def test_without_a_runner():
    pass
"""
)


def test_of_several_tests_a_plan_is_for_those_that_come_to_its_places(suite: Suite) -> None:
    code = SEVERAL.format(marker=', crash="everywhere"', expects="at_least_once")
    result = suite.run(code, "--durable-plan=die-after:3.1+0", "-rs")
    result.assert_outcomes(passed=3, skipped=3)
    skipped = {report.location[2]: str(report.longrepr[2]) for report in reports(result) if report.skipped}  # type: ignore[index]
    not_for_it = "Skipped: --durable-plan=die-after:3.1+0 is not for it: "
    assert skipped == {
        "test_without_a_fourth_checkpoint": f"{not_for_it}its run does not come to any place of the plan",
        "test_with_faults_of_its_own": f"{not_for_it}it has faults of its own",
        "test_with_such_a_runner": f"{not_for_it}it has faults of its own",
    }


def test_of_several_tests_one_that_fails_by_the_plan_fails(suite: Suite) -> None:
    code = SEVERAL.format(marker=', crash="everywhere"', expects="exactly_once")
    result = suite.run(code, "--durable-plan=die-before:1.1+0")
    result.assert_outcomes(passed=3, failed=1, skipped=2)
    result = suite.run(code, "--durable-plan=pages:1")
    result.assert_outcomes(passed=4, skipped=2)


@pytest.mark.parametrize(
    ("test", "plan", "outcome"),
    [
        ("test_without_a_fourth_checkpoint", "die-after:3.1+0", {"passed": 1, "errors": 1}),
        ("test_with_faults_of_its_own", "die-after:3.1+0", {"failed": 1}),
        ("test_with_such_a_runner", "die-after:3.1+0", {"failed": 1}),
        ("test_off", "die-after:3.1+0", {"failed": 1}),
        ("test_it", "die-after:3.1+0", {"passed": 1}),
    ],
)
def test_a_single_test_is_run_by_the_plan_whatever_it_says(
    suite: Suite, test: str, plan: str, outcome: dict[str, int]
) -> None:
    code = SEVERAL.format(marker=', crash="everywhere"', expects="at_least_once")
    suite._write(code)
    result = suite.pytester.runpytest_inprocess(f"test_inner.py::{test}", f"--durable-plan={plan}")
    result.assert_outcomes(**outcome)


@pytest.mark.parametrize(
    ("argument", "complaint"),
    [
        ("--durable-plan=nonsense", "*--durable-plan: 'nonsense' is no*decision of a plan; valid: die-before:2.3*"),
        ("--durable-crash=all", "*--durable-crash: crash is 'everywhere' or 'sample:N'*not 'all'; or 'off'*"),
    ],
)
def test_options_that_make_no_sense(suite: Suite, argument: str, complaint: str) -> None:
    result = suite.run_apart(pays(), argument)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([complaint])


def test_a_marker_that_makes_no_sense(suite: Suite) -> None:
    result = suite.run(pays(marker=', crash="everywheer"'))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*crash is 'everywhere' or 'sample:N', for example 'sample:50', not 'everywheer'*"])


def test_faults_of_the_marker(suite: Suite) -> None:
    result = suite.run(pays("exactly_once", marker=', faults="die-before:charge"'))
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*effect 'bank' for 'order-7' happened twice*"])


def test_progress_is_shown_on_a_terminal(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(TerminalReporter, "rewrite", lambda self, text, **markup: shown.append(text))
    suite.pytester.makeconftest("""
def pytest_collection_finish(session):
    session.config.pluginmanager.get_plugin("terminalreporter").isatty = True
""")
    suite.run(pays()).assert_outcomes(passed=1)
    assert shown == ["test_it: killed at 10 of 11 places ", ""]


EXPECTED_TO_FAIL = BANK + PAYS.removeprefix(BANK).replace("@use", "@pytest.mark.xfail(strict={strict})\n@use")


@pytest.mark.parametrize(
    ("expects", "strict", "outcome"),
    [
        ("exactly_once", False, "xfailed"),
        ("exactly_once", True, "xfailed"),
        ("at_least_once", False, "xpassed"),
        ("at_least_once", True, "failed"),
    ],
)
def test_a_death_may_be_what_a_test_is_expected_to_fail_for(
    suite: Suite, expects: str, strict: bool, outcome: str
) -> None:
    code = EXPECTED_TO_FAIL.format(marker=', crash="everywhere"', expects=expects, strict=strict)
    suite.run(code).assert_outcomes(**{outcome: 1})

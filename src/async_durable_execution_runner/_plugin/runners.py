"""The runners of one test: made, shown in its reports, and closed."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any, cast

import pytest

from .._model.plan import Plan
from ..exceptions import DurableRunnerError
from ..faults import plan as plan_of
from ..options import PluginOptions, RunnerOptions
from ..runner import DurableFunctionTestResult, DurableFunctionTestRunner
from .colours import SECTION
from .drawings import drawing_of
from .radar import RadarOfTest
from .reports import has_failed

if TYPE_CHECKING:
    from .crashes import CleanRun, PlannedRun

PROPERTY = "durable_execution"
_Key = tuple[int, str]
"""An execution: of which runner, and which."""
_FAILED_PLAN = pytest.StashKey[bool]()
"""Whether a test's page shows a run with a death in it."""


class RunnersOfTest:
    """Every runner that the fixtures made for one test.

    Nothing here raises while a report is made: what cannot be shown is said in the report.
    """

    def __init__(
        self, options: PluginOptions, clean: CleanRun | None = None, planned: PlannedRun | None = None
    ) -> None:
        self._history = options.history
        self._in_cloud = options.mode == "cloud"
        self._defaults = options.runner
        self._radar = RadarOfTest(options.replay.radar)
        self._planned = planned
        self._plan = planned.plan if planned is not None else None
        if clean is not None:
            self._plan = Plan()
        self._runners: list[DurableFunctionTestRunner] = []
        self._refused: pytest.UsageError | None = None
        self._config: pytest.Config | None = None
        self._html, self._html_for = options.html, options.html_for
        self._passed = False
        self.called = False
        """Whether the test function has just come to its end. Else what is reported of a call is a subtest's."""
        self.subtest_failed = False
        self._earlier: set[_Key] = set()
        """Executions that were there when the last subtest ended."""
        self._shown: set[_Key] = set()
        self._paged = False

    # ---------------------------------------------------------------------------------------------- for fixtures

    def from_marker(self, item: pytest.Item) -> DurableFunctionTestRunner:
        """The runner that a test's marker asks for. Raises ``UsageError``."""
        __tracebackhide__ = True
        try:
            return self._make(RunnerOptions.from_marker(item, self._defaults, needs_handler=not self._in_cloud))
        except pytest.UsageError as error:
            self._refused = error
            raise

    def from_call(self, handler: Any, keywords: Mapping[str, Any]) -> DurableFunctionTestRunner:
        """One more runner. Raises ``UsageError``."""
        __tracebackhide__ = True
        return self._make(RunnerOptions.from_call(handler, keywords, self._defaults))

    def _make(self, options: RunnerOptions) -> DurableFunctionTestRunner:
        __tracebackhide__ = True
        runner = self._cloud(options) if self._in_cloud else self._local(options)
        self._runners.append(runner)
        if options.radar and not self._in_cloud and self._planned is None:
            self._radar.watch(runner)
        return runner

    def _local(self, options: RunnerOptions) -> DurableFunctionTestRunner:
        __tracebackhide__ = True
        keywords: dict[str, Any] = options.resolved()
        try:
            if self._plan is not None:
                keywords["faults"] = self._faults(plan_of(keywords.get("faults") or ()), self._plan)
            runner = DurableFunctionTestRunner(options.handler, **keywords)
        except (TypeError, ValueError, DurableRunnerError) as error:
            raise pytest.UsageError(options.rejected(error)) from None
        if self._planned is not None:
            self._planned.prepare(runner)
        return runner

    def _faults(self, asked: Plan, plan: Plan) -> Plan:
        if asked.decisions and self._planned is not None and self._planned.spares:
            self._planned.spared = True
            return asked
        return asked + plan.of_runner(len(self._runners) + 1)

    @staticmethod
    def _cloud(options: RunnerOptions) -> DurableFunctionTestRunner:
        __tracebackhide__ = True
        from .cloud import cloud_runner

        # To a test it is the same: what it lacks skips the test.
        return cast("DurableFunctionTestRunner", cloud_runner(options))

    def check_determinism(self) -> None:
        """Replay what the test has run, now that it has passed."""
        self._radar.check()

    def close(self) -> None:
        """Close every runner, and only then complain of unused answers, if the test passed."""
        __tracebackhide__ = True
        errors: list[Exception] = []
        for runner in reversed(self._runners):
            try:
                runner._finish(failed=not self._passed)  # noqa: SLF001 - what leaving `with` does, for both of them
            except Exception as error:  # noqa: BLE001 - the others must be closed too
                errors.append(error)
        if len(errors) > 1:
            raise ExceptionGroup("several runners of this test complain", errors)
        if errors:
            raise errors[0]

    # ----------------------------------------------------------------------------------------------- for reports

    @property
    def all(self) -> list[DurableFunctionTestRunner]:
        """Every runner so far, in the order in which they were made."""
        return self._runners

    def is_of_subtest(self, call: pytest.CallInfo[Any]) -> bool:
        """Whether a report is about to be made of a subtest, and not of a phase: pytest calls both a call."""
        return call.when == "call" and not self.called

    def subtest_ended(self, call: pytest.CallInfo[Any], planned: PlannedRun | None) -> None:
        """Say of a subtest that failed which run it is of. The test goes on, whatever it was."""
        if planned is not None and call.excinfo is not None:
            # Before pytest 9, what a skipped subtest of unittest has raised comes wrapped once too often.
            with contextlib.suppress(TypeError):
                planned.explain(call.excinfo.value)

    def show_in_subtest(self, report: pytest.TestReport) -> None:
        """Add to the report of a subtest that failed what has run since the one before; if nothing has, everything."""
        there = self._executions()
        self.subtest_failed |= has_failed(report)
        if report.failed and self._history != "never":
            self._show(report, there.keys() - self._earlier - self._shown or there.keys() - self._shown)
        self._earlier = set(there)

    def phase_ended(
        self, item: pytest.Item, call: pytest.CallInfo[Any], clean: CleanRun | None, planned: PlannedRun | None
    ) -> None:
        """Note what became of a phase, before its report takes the item's properties."""
        self._config = item.config
        if call.when == "call":
            self.called = False
            self._passed = call.excinfo is None and not self.subtest_failed
            if clean is not None:
                clean.ran(self._runners)
        if planned is not None:
            if call.excinfo is not None:
                planned.explain(call.excinfo.value)
            return
        if call.when == "call" or (call.when == "setup" and call.excinfo is not None):
            item.user_properties += [(PROPERTY, _status(result)) for result in self._results()]

    def show_in(self, report: pytest.TestReport, call: pytest.CallInfo[Any]) -> None:
        """Add the executions, as trees and timelines, to a report that should show them."""
        if call.excinfo is not None and call.excinfo.value is self._refused:
            # The message says what is wrong with the marker; the way there leads through pytest and this plugin only.
            report.longrepr = call.excinfo.getrepr(style="value")
        if report.when == "call" and self._history == "all":
            self._show(report, self._executions().keys())
        elif report.failed and self._history != "never":
            self._show(report, self._executions().keys() - self._shown)

    def _show(self, report: pytest.TestReport, which: AbstractSet[_Key]) -> None:
        drawings = [_drawing(run, self._config) for key, run in self._executions().items() if key in which]
        if drawings:
            report.sections.append((SECTION, "\n\n".join(drawings)))
        if report.failed:
            self._shown |= which

    def write_page(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """Write the page of a test that should have one, and link it."""
        if self._html is None or self._paged or not self._wants_page_of(item, report):
            return
        results = self._results()
        if not results:
            return
        self._paged = True
        item.stash[_FAILED_PLAN] = self._planned is not None
        try:
            from .pages import link, write_page

            said = f"page: {link(item, report, write_page(self._html, item.nodeid, results))}"
        except Exception as error:  # noqa: BLE001 - a report must come, whatever becomes of the page
            said = f"the page could not be written: {type(error).__name__}: {error}"
        _add(report, said)

    def _wants_page_of(self, item: pytest.Item, report: pytest.TestReport) -> bool:
        if self._planned is not None:
            # Of the runs of a crash matrix the first that failed is reported.
            failed = report.failed or (report.when == "call" and self.subtest_failed)
            return failed and not item.stash.get(_FAILED_PLAN, False)
        is_call = report.when == "call"
        return report.failed or (is_call and (self._html_for == "all" or self.subtest_failed))

    def _executions(self) -> dict[_Key, DurableFunctionTestResult | Exception]:
        """All of them, and what stands in the way of seeing those of a runner."""
        found: dict[_Key, DurableFunctionTestResult | Exception] = {}
        for number, runner in enumerate(self._runners):
            try:
                found |= {(number, result.execution_arn): result for result in runner._results()}  # noqa: SLF001 - made for this
            except Exception as error:  # noqa: BLE001 - a report must come, whatever the runner is in
                found[number, ""] = error
        return found

    def _results(self) -> list[DurableFunctionTestResult]:
        """Results for the properties of a report; the section says it when there are none to be had."""
        return [each for each in self._executions().values() if not isinstance(each, Exception)]


def _add(report: pytest.TestReport, line: str) -> None:
    """Say something at the end of the section, if it is shown."""
    for number, (title, text) in enumerate(report.sections):
        if title == SECTION:
            report.sections[number] = title, f"{text}\n{line}"


def _drawing(run: DurableFunctionTestResult | Exception, config: pytest.Config | None) -> str:
    if isinstance(run, Exception):
        return _excuse(run)
    try:
        return drawing_of(run, config)
    except Exception as error:  # noqa: BLE001 - a report must come, whatever the history is
        return f"{run.execution_arn}: {_excuse(error)}"


def _excuse(error: Exception) -> str:
    return f"the execution could not be shown: {type(error).__name__}: {error}"


def _status(result: DurableFunctionTestResult) -> str:
    return f"{result.execution_status} {result.execution_arn}"

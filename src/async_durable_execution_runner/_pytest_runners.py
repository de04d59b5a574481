"""The runners of one test: made, shown in its reports, and closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

import pytest

from ._model.plan import Plan
from ._pytest_colours import SECTION
from ._pytest_drawings import drawing_of
from ._pytest_radar import RadarOfTest
from .exceptions import DurableRunnerError
from .faults import plan as plan_of
from .options import PluginOptions, RunnerOptions
from .runner import DurableFunctionTestResult, DurableFunctionTestRunner

if TYPE_CHECKING:
    from ._pytest_crashes import CleanRun, PlannedRun

PROPERTY = "durable_execution"
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
        self._shown = False
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
                asked = plan_of(keywords.get("faults") or ())
                keywords["faults"] = asked + self._plan.of_runner(len(self._runners) + 1)
            runner = DurableFunctionTestRunner(options.handler, **keywords)
        except (TypeError, ValueError, DurableRunnerError) as error:
            raise pytest.UsageError(options.rejected(error)) from None
        if self._planned is not None:
            self._planned.prepare(runner)
        return runner

    @staticmethod
    def _cloud(options: RunnerOptions) -> DurableFunctionTestRunner:
        __tracebackhide__ = True
        from ._pytest_cloud import cloud_runner

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

    def phase_ended(
        self, item: pytest.Item, call: pytest.CallInfo[Any], clean: CleanRun | None, planned: PlannedRun | None
    ) -> None:
        """Note what became of a phase, before its report takes the item's properties."""
        self._config = item.config
        if call.when == "call":
            self._passed = call.excinfo is None
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
        failed = report.failed and not self._shown and self._history != "never"
        if not failed and not (report.when == "call" and self._history == "all"):
            return
        self._shown = report.failed
        drawings = self._drawings()
        if drawings:
            report.sections.append((SECTION, "\n\n".join(drawings)))

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
            from ._pytest_pages import link, write_page

            said = f"page: {link(item, report, write_page(self._html, item.nodeid, results))}"
        except Exception as error:  # noqa: BLE001 - a report must come, whatever becomes of the page
            said = f"the page could not be written: {type(error).__name__}: {error}"
        _add(report, said)

    def _wants_page_of(self, item: pytest.Item, report: pytest.TestReport) -> bool:
        if self._planned is not None:
            # Of the runs of a crash matrix the first that failed is reported.
            return report.failed and not item.stash.get(_FAILED_PLAN, False)
        return report.failed or (self._html_for == "all" and report.when == "call")

    def _drawings(self) -> list[str]:
        return [drawing for runner in self._runners for drawing in self._drawings_of(runner)]

    def _drawings_of(self, runner: DurableFunctionTestRunner) -> list[str]:
        try:
            results = runner._results()  # noqa: SLF001 - made for this
        except Exception as error:  # noqa: BLE001 - a report must come, whatever the runner is in
            return [_excuse(error)]
        return [self._drawing(result) for result in results]

    def _drawing(self, result: DurableFunctionTestResult) -> str:
        try:
            return drawing_of(result, self._config)
        except Exception as error:  # noqa: BLE001 - a report must come, whatever the history is
            return f"{result.execution_arn}: {_excuse(error)}"

    def _results(self) -> list[DurableFunctionTestResult]:
        return [result for runner in self._runners for result in _results_of(runner)]


def _add(report: pytest.TestReport, line: str) -> None:
    """Say something at the end of the section, if it is shown."""
    for number, (title, text) in enumerate(report.sections):
        if title == SECTION:
            report.sections[number] = title, f"{text}\n{line}"


def _results_of(runner: DurableFunctionTestRunner) -> list[DurableFunctionTestResult]:
    """Results for the properties of a report; the section says it when there are none to be had."""
    try:
        return runner._results()  # noqa: SLF001 - made for this
    except Exception:  # noqa: BLE001 - a report must come, whatever the runner is in
        return []


def _excuse(error: Exception) -> str:
    return f"the execution could not be shown: {type(error).__name__}: {error}"


def _status(result: DurableFunctionTestResult) -> str:
    return f"{result.execution_status} {result.execution_arn}"

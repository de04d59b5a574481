"""What one run of a test has reported: its phases, and the subtests in them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from _pytest.runner import runtestprotocol  # what plugins that run a test again use: there is no public name for it

_UNEXPECTED = "[XPASS(strict)]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """The reports of one run of a test."""

    phases: list[pytest.TestReport]
    subtests: list[pytest.TestReport]
    failed: list[pytest.TestReport]
    """Those that failed, as was expected or not; subtests come first, as they do in the run."""

    @property
    def stopped(self) -> bool:
        """Whether the test did not come to its end, or to a good one."""
        return bool(self.failed) or any(report.skipped for report in self.phases)

    def skipped(self, item: pytest.Item, reason: str) -> Reported:
        """The same of a test that has passed, told as skipped."""
        for report in self.phases:
            if report.when == "call":
                report.outcome = "skipped"
                report.longrepr = (str(item.path), (item.location[1] or 0) + 1, f"Skipped: {reason}")
        return self

    def in_order(self) -> Iterator[pytest.TestReport]:
        """All of them, as pytest reports them."""
        *before, last = self.phases
        called = last if last.when == "call" else next((each for each in before if each.when == "call"), last)
        for report in self.phases:
            if report is called:
                yield from self.subtests
            yield report


def run_once(item: pytest.Item, nextitem: pytest.Item) -> Reported:
    """Run a test, and report nothing of it yet.

    A test with a subtest that failed has failed, too: of ``unittest``, and of pytest before 9, it would pass.
    """
    item._report_sections.clear()  # noqa: SLF001 - what was captured in an earlier run
    with _kept(item.session) as subtests:
        phases = runtestprotocol(item, log=False, nextitem=nextitem)
    _forget_failed_subtests(item)
    expected = item.get_closest_marker("xfail") is not None
    failed = [report for report in subtests if has_failed(report) and (expected or report.failed)]
    if failed:
        _fail(phases, failed)
        subtests = [report for report in subtests if not _passed_unexpectedly(report)]
    failed += [report for report in phases if has_failed(report)]
    return Reported(phases=phases, subtests=subtests, failed=failed)


def has_failed(report: pytest.TestReport) -> bool:
    """Whether a phase of a test failed. pytest calls it skipped where that was expected, and failed where it passed."""
    if report.failed:
        return not _passed_unexpectedly(report)
    return report.skipped and hasattr(report, "wasxfail")


def _passed_unexpectedly(report: pytest.TestReport) -> bool:
    return report.failed and str(report.longrepr).startswith(_UNEXPECTED)


def _fail(phases: list[pytest.TestReport], subtests: list[pytest.TestReport]) -> None:
    called: Any = next((report for report in phases if report.when == "call"), None)
    if called is None or has_failed(called):
        return
    count = len(subtests)
    called.outcome = subtests[0].outcome
    called.longrepr = f"contains {count} failed subtest{'' if count == 1 else 's'}"
    if hasattr(subtests[0], "wasxfail"):
        called.wasxfail = subtests[0].wasxfail


@contextlib.contextmanager
def _kept(session: pytest.Session) -> Iterator[list[pytest.TestReport]]:
    """Whatever a test logs of itself while it runs: its subtests. Nobody else hears of it."""
    found: list[pytest.TestReport] = []
    hooks_of: Any = session.gethookproxy
    # Subtests log themselves through their item's hooks, and an item asks the session for them.
    session.gethookproxy = lambda path: _Hooks(hooks_of(path), found)  # type: ignore[method-assign, assignment, return-value]
    try:
        yield found
    finally:
        session.gethookproxy = hooks_of  # type: ignore[method-assign]


class _Hooks:
    """Hooks that keep what is logged."""

    def __init__(self, hooks: Any, found: list[pytest.TestReport]) -> None:
        self._hooks = hooks
        self._found = found

    def pytest_runtest_logreport(self, *, report: pytest.TestReport) -> None:
        self._found.append(report)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hooks, name)


def _forget_failed_subtests(item: pytest.Item) -> None:
    """Let pytest 9 not count the failed subtests of a run that may never be told."""
    key = getattr(sys.modules.get("_pytest.subtests"), "failed_subtests_key", None)
    counts = item.config.stash.get(key, None) if key is not None else None
    if counts is not None:
        for name in (item.nodeid, getattr(item, "id", None)):
            counts.pop(name, None)

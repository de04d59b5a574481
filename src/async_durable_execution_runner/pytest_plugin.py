"""The pytest plugin: hooks and fixtures of a few lines around ``options`` and the runners of a test.

pytest imports this module in every session, so it imports neither the runner nor an SDK before a test asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from .options import MARKER_HELP, PluginOptions, add_options

if TYPE_CHECKING:
    from pathlib import Path

    from ._plugin.crashes import CleanRun, PlannedRun
    from ._plugin.histories import HistoryFile, Recorder
    from ._plugin.runners import RunnersOfTest
    from .runner import DurableFunctionTestRunner

__all__ = ["durable_runner", "durable_runner_factory"]

_OPTIONS = pytest.StashKey[PluginOptions]()
_RUNNERS = pytest.StashKey["RunnersOfTest"]()
_RECORDER: pytest.StashKey[Recorder] = pytest.StashKey()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--durable-*`` and the ini file's ``durable_*``."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and read the session's options at once: a wrong one should not wait for a test."""
    config.addinivalue_line("markers", MARKER_HELP)
    options = config.stash[_OPTIONS] = PluginOptions.of(config)
    if options.mode == "cloud":
        from ._plugin.cloud import CloudSkips

        config.pluginmanager.register(CloudSkips())
    if options.replay.record and options.mode == "local":
        from ._plugin.histories import recorder_for

        recorder = config.stash[_RECORDER] = recorder_for(options.replay.histories)
        config.pluginmanager.register(recorder)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> HistoryFile | None:
    """Take the histories of the folder that ``durable_histories`` names for tests."""
    options = parent.config.stash[_OPTIONS].replay
    if file_path.suffix != ".json" or options.histories is None or options.histories not in file_path.parents:
        return None
    from ._plugin.histories import HistoryFile

    file: HistoryFile = HistoryFile.from_parent(parent, path=file_path)
    file.handlers, file.folder = options.handlers, options.histories
    return file


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run a test that is to be killed everywhere: once clean, then once for every place."""
    options = item.config.stash[_OPTIONS]
    scope = options.crash_of(item)
    if scope == "off":
        return None
    from ._plugin.crashes import run_matrix

    return run_matrix(item, nextitem, scope, options.plan)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None]:
    """Look at what a passed test has run.

    After a run with a death in it, compare what came of it with the clean run. Else replay it, and record it if that
    is asked for.
    """
    try:
        yield
    finally:
        runners = item.stash.get(_RUNNERS, None)
        if runners is not None:
            runners.called = True
    _, planned = _matrix_run(item)
    if runners is None:
        return
    if planned is not None:
        planned.check(runners.all)
        return
    if runners.subtest_failed:
        return
    runners.check_determinism()
    recorder = item.config.stash.get(_RECORDER, None)
    if recorder is not None:
        recorder.record(item, runners.all)


def _matrix_run(item: pytest.Item) -> tuple[CleanRun | None, PlannedRun | None]:
    """Which run of a crash matrix this is, if it is one."""
    if item.config.stash[_OPTIONS].crash_of(item) == "off":
        return None, None
    from ._plugin.crashes import CLEAN, PLANNED

    return item.stash.get(CLEAN, None), item.stash.get(PLANNED, None)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the executions of a test in its report, and in those of its subtests."""
    runners = item.stash.get(_RUNNERS, None)
    if runners is None:
        return (yield)
    if runners.is_of_subtest(call):
        runners.subtest_ended(call, _matrix_run(item)[1])
        report = yield
        runners.show_in_subtest(report)
        return report
    runners.phase_ended(item, call, *_matrix_run(item))
    report = yield
    runners.show_in(report, call)
    runners.write_page(item, report)
    if call.when == "teardown":
        del item.stash[_RUNNERS]
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Generator[None, Any, Any]:
    """Print sections in colours where the terminal has them."""
    if not terminalreporter.config.get_terminal_writer().hasmarkup:
        return (yield)
    from ._plugin.colours import while_printed

    return (yield from while_printed(terminalreporter.stats))


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker of xdist, which has no terminal, how wide the session's is."""
    if node.config.pluginmanager.hasplugin("terminalreporter"):
        node.workerinput["durable_width"] = node.config.get_terminal_writer().fullwidth


@pytest.fixture
def _durable_runners(request: pytest.FixtureRequest) -> Generator[RunnersOfTest]:
    """The runners of the test, closed with it."""
    __tracebackhide__ = True
    from ._plugin.runners import RunnersOfTest

    runners = RunnersOfTest(request.config.stash[_OPTIONS], *_matrix_run(request.node))
    request.node.stash[_RUNNERS] = runners
    yield runners
    runners.close()


@pytest.fixture
def durable_runner(request: pytest.FixtureRequest, _durable_runners: RunnersOfTest) -> DurableFunctionTestRunner:
    """Runs the durable function that the nearest ``@pytest.mark.durable_execution(handler=…)`` names.

    The marker takes every option of ``DurableFunctionTestRunner`` by keyword. ``async with durable_runner:`` makes its
    methods awaitable; ``with durable_runner:`` may be left out. It is closed with the test. In cloud mode it is a
    ``DurableFunctionCloudTestRunner`` of the function that ``lambda_function_name`` names.
    """
    __tracebackhide__ = True
    return _durable_runners.from_marker(request.node)


@pytest.fixture
def durable_runner_factory(_durable_runners: RunnersOfTest) -> Callable[..., DurableFunctionTestRunner]:
    """Makes runners, for tests that need several: ``durable_runner_factory(handler, **options)``.

    The options are those of ``DurableFunctionTestRunner``. All are closed with the test and shown in its report.
    """

    def make(handler: Any, **options: Any) -> DurableFunctionTestRunner:
        __tracebackhide__ = True
        return _durable_runners.from_call(handler, options)

    return make

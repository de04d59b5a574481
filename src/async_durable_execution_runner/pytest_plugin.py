"""The pytest plugin: hooks and fixtures of a few lines around ``options`` and the runners of a test.

pytest imports this module in every session, so it imports neither the runner nor an SDK before a test asks for one.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import pytest

from .options import MARKER_HELP, PluginOptions, add_options

if TYPE_CHECKING:
    from ._pytest_runners import RunnersOfTest
    from .runner import DurableFunctionTestRunner

__all__ = ["durable_runner", "durable_runner_factory"]

_OPTIONS = pytest.StashKey[PluginOptions]()
_RUNNERS = pytest.StashKey["RunnersOfTest"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare ``--durable-*`` and the ini file's ``durable_*``."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Describe the marker, and read the session's options at once: a wrong one should not wait for a test."""
    config.addinivalue_line("markers", MARKER_HELP)
    options = config.stash[_OPTIONS] = PluginOptions.of(config)
    if options.mode == "cloud":
        from ._pytest_cloud import CloudSkips

        config.pluginmanager.register(CloudSkips())


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the executions of a test in its report."""
    runners = item.stash.get(_RUNNERS, None)
    if runners is None:
        return (yield)
    runners.phase_ended(item, call)
    report = yield
    runners.show_in(report, call)
    if call.when == "teardown":
        del item.stash[_RUNNERS]
    return report


@pytest.fixture
def _durable_runners(request: pytest.FixtureRequest) -> Generator[RunnersOfTest]:
    """The runners of the test, closed with it."""
    __tracebackhide__ = True
    from ._pytest_runners import RunnersOfTest

    runners = RunnersOfTest(request.config.stash[_OPTIONS])
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

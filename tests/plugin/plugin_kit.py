"""A suite of a user's, in a folder and a pytest of its own."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

# The pytest inside forgets what it imported. What is here already stays, and is not loaded once more in every test.
importlib.import_module("async_durable_execution")
importlib.import_module("async_durable_execution_runner._plugin.runners")

INI = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest --strict-markers
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""

ORDERS = '''
"""Durable functions under test."""

import logging
from datetime import timedelta

import async_durable_execution as sdk

logging.getLogger("async_durable_execution").disabled = True


@sdk.durable_execution
async def order(event):
    async def charge():
        return {"charged": event}

    paid = await sdk.step(charge, name="charge")
    await sdk.wait(timedelta(days=3), name="delivery")
    return paid


@sdk.durable_execution
async def approval(event):
    callback = await sdk.create_callback(name="approval")
    return await callback.result()


@sdk.durable_execution
async def broken(event):
    raise LookupError("no such order")
'''


class Suite:
    """Runs test files with the functions of ``orders.py`` at hand."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        pytester.makepyfile(orders=ORDERS)
        self.ini()

    @property
    def folder(self) -> Path:
        return self.pytester.path

    def ini(self, *lines: str) -> None:
        """Write the ini file, with these lines more."""
        self.pytester.makeini("\n".join([INI, *lines]))

    def run(self, code: str, *arguments: str) -> pytest.RunResult:
        """Run a test file in this process."""
        self._write(code)
        return self.pytester.runpytest_inprocess(*arguments)

    def run_apart(self, code: str, *arguments: str) -> pytest.RunResult:
        """Run a test file in a process of its own."""
        self._write(code)
        return self.pytester.runpytest_subprocess(*arguments, timeout=100)

    def _write(self, code: str) -> None:
        head = "import pytest\nfrom orders import approval, broken, order\n\nuse = pytest.mark.durable_execution\n"
        self.pytester.makepyfile(test_inner=head + code)


def reports(result: pytest.RunResult, when: str = "call") -> list[pytest.TestReport]:
    """Reports of one phase, of a run in this process."""
    everything = result.reprec.getreports("pytest_runtest_logreport")  # type: ignore[attr-defined]
    return [report for report in everything if report.when == when]


def sections(report: pytest.TestReport) -> list[str]:
    """The operation trees in a report."""
    return [text for title, text in report.sections if title == "durable execution"]

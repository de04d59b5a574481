"""The plugin's cloud mode: runners of deployed functions, and skips for what a cloud cannot do."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from typing import Any

import pytest

from ..cloud import DurableFunctionCloudTestRunner, DurableFunctionCloudTestRunnerConfig
from ..exceptions import DurableRunnerError, UnsupportedInCloudError
from ..options import RunnerOptions

NAME_MAP, REGION, ENDPOINT = "PYTEST_FUNCTION_NAME_MAP", "AWS_REGION", "LAMBDA_ENDPOINT"
_EMULATED = ("start_time", "execution_timeout", "invocation_timeout", "limits", "observers", "faults")
"""Options of a runner that a test relies on, and that only an emulation has."""


def cloud_runner(options: RunnerOptions) -> DurableFunctionCloudTestRunner:
    """The runner of the deployed function that a test names. Skips the test, or raises ``UsageError``."""
    __tracebackhide__ = True
    _skip_emulated(options)
    try:
        runner = DurableFunctionCloudTestRunner(config=_config(options))
    except (TypeError, ValueError, DurableRunnerError) as error:
        raise pytest.UsageError(options.rejected(error)) from None
    runner._speak_as(options.handler)  # noqa: SLF001 - made for this
    return runner


def deployed_name(name: str) -> str:
    """What a function is called where it is deployed: ``PYTEST_FUNCTION_NAME_MAP`` says, else as here."""
    text = os.environ.get(NAME_MAP)
    if not text:
        return name
    try:
        names = json.loads(text)
    except ValueError as error:
        raise pytest.UsageError(f"{NAME_MAP} is no JSON: {error}") from None
    if not isinstance(names, dict) or not isinstance(names.get(name, name), str):
        raise pytest.UsageError(f'{NAME_MAP} is a JSON object of names, such as {{"orders": "orders-7f3a:live"}}')
    return str(names.get(name, name))


class CloudSkips:
    """Hooks that make skips of tests that turn out to need what only an emulation can do."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, Any, Any]:
        """For fixtures."""
        return (yield from _skipping())

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self) -> Generator[None, Any, Any]:
        """For tests."""
        return (yield from _skipping())


def _skipping() -> Generator[None, Any, Any]:
    try:
        return (yield)
    except UnsupportedInCloudError as error:
        # At the test's own line, as a marker `skip` would be.
        raise pytest.skip.Exception(str(error), _use_item_location=True) from None


def _skip_emulated(options: RunnerOptions) -> None:
    used = [f"{name}=" for name in _EMULATED if options.keywords.get(name)]
    if options.keywords.get("clock", "real") != "real":
        used.append("clock=")
    if used:
        reason = f"{options.asked}: {', '.join(used)} is not possible in the cloud: only an emulation has it."
        raise pytest.skip.Exception(reason, _use_item_location=True)


def _config(options: RunnerOptions) -> DurableFunctionCloudTestRunnerConfig:
    given: dict[str, Any] = options.resolved()
    name = given.get("function_name")
    if name is None:
        raise pytest.UsageError(
            f"{options.asked}: in cloud mode lambda_function_name= says which deployed function to run; "
            "or set durable_function_name in the ini file."
        )
    region = options.keywords.get("region") or os.environ.get(REGION) or given.get("region")
    return DurableFunctionCloudTestRunnerConfig(
        function_name=deployed_name(name),
        region=str(region or "us-west-2"),
        lambda_endpoint=os.environ.get(ENDPOINT) or None,
        poll_interval=given.get("poll_interval", 1.0),
        store_type=given.get("store"),
        store_path=given.get("store_path"),
    )

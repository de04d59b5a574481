"""No option, method, field, hook or error is missing from its page."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from async_durable_execution_runner import (
    Drift,
    DriftKind,
    DurableEndpoint,
    DurableFunctionCloudTestRunner,
    DurableFunctionCloudTestRunnerConfig,
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
    ExecutionObserver,
    ReplayReport,
    ServiceLimits,
    exceptions,
    options,
    replay,
    result,
)
from async_durable_execution_runner._plugin import cloud as cloud_mode

DOCS = Path(__file__).resolve().parents[2] / "docs"
RUNNER, CLOUD = DurableFunctionTestRunner, DurableFunctionCloudTestRunner
VIEWS = [getattr(result, name) for name in result.__all__ if name.endswith("Operation")]


def public(owner: type) -> set[str]:
    return {name for name in dir(owner) if not name.startswith("_")}


def fields_of(owner: type) -> set[str]:
    """Without plumbing, which neither shows nor counts when two are compared."""
    return {field.name for field in dataclasses.fields(owner) if field.repr or field.compare}


def ini_names() -> set[str]:
    return {option.ini for option in options.RUNNER_OPTIONS if option.read is not None}


COMMAND_LINE = {"--durable-mode", "--runner-mode", "--durable-history", "--durable-radar", "--durable-record"}
INI = {"durable_mode", "durable_history", "durable_radar", "durable_histories", "durable_history_handlers"}

EXPECTED: list[tuple[str, str, Iterable[str]]] = [
    ("runner.md", "options", inspect.signature(RUNNER).parameters),
    ("runner.md", "methods", public(RUNNER)),
    ("cloud.md", "options", [*inspect.signature(CLOUD).parameters, *fields_of(DurableFunctionCloudTestRunnerConfig)]),
    ("cloud.md", "methods", public(CLOUD)),
    ("cloud.md", "variables", [cloud_mode.NAME_MAP, cloud_mode.REGION, cloud_mode.ENDPOINT]),
    ("results.md", "members of the result", public(DurableFunctionTestResult) - {"source"}),
    ("results.md", "views", [view.__name__ for view in VIEWS if view.__name__ != "Operation"]),
    ("results.md", "fields of views", set().union(*map(fields_of, VIEWS))),
    ("limits.md", "fields", fields_of(ServiceLimits)),
    ("limits.md", "profiles", {name for name in public(ServiceLimits) if callable(getattr(ServiceLimits, name))}),
    ("observers.md", "hooks", public(ExecutionObserver)),
    ("endpoint.md", "options", inspect.signature(DurableEndpoint).parameters),
    ("endpoint.md", "members", public(DurableEndpoint)),
    ("replay.md", "options", inspect.signature(replay).parameters),
    ("replay.md", "fields", fields_of(Drift) | fields_of(ReplayReport)),
    ("replay.md", "kinds", list(DriftKind)),
    ("errors.md", "exceptions", set(exceptions.__all__) - {"ServiceError"}),
    ("pytest.md", "ini settings of pages", {"durable_html", "durable_html_for"}),
    ("pytest.md", "command line of pages", {"--durable-html", "--durable-html-for"}),
    ("pytest.md", "ini settings", ini_names() | INI),
    ("pytest.md", "command line", COMMAND_LINE),
    ("pytest.md", "modes and histories", {"failed", "all", "never", "local", "cloud"}),
]


@pytest.mark.parametrize(("page", "what", "names"), EXPECTED, ids=[f"{page}-{what}" for page, what, _ in EXPECTED])
def test_every_name_is_on_its_page(page: str, what: str, names: Iterable[str]) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert sorted(name for name in names if not re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", text)) == []

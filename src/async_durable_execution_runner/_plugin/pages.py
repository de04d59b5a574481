"""``--durable-html``: a page for the executions of a test, and links to it."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ..result import DurableFunctionTestResult, ExecutionStatus

PROPERTY = "durable_execution_page"
MOST = 40
"""Executions on one page; those that did not succeed come first."""


def file_name(nodeid: str) -> str:
    """A name for the page of a test: readable, valid everywhere, and no other test's."""
    readable = re.sub(r"[^A-Za-z0-9_.]+", "-", nodeid).strip("-.")[-80:].lstrip("-.")
    return f"{readable or 'test'}-{hashlib.sha256(nodeid.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}.html"


def write_page(folder: Path, nodeid: str, results: Sequence[DurableFunctionTestResult]) -> Path:
    """Write the page of a test; where it is. Whoever looks meanwhile sees the old one or the new one, whole."""
    from .._render.page import render_page

    chosen = _chosen(results)
    data = [result.source.page_data() for result in chosen]
    text = "\n\n".join(result.render() for result in chosen)
    page = render_page(nodeid, data, text, test=nodeid, left=len(results) - len(chosen))
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / file_name(nodeid)
    # Workers of xdist are processes, and two of them may be given the same folder by two sessions.
    unfinished = target.with_suffix(f".{os.getpid()}.tmp")
    unfinished.write_bytes(page)
    unfinished.replace(target)
    return target


def _chosen(results: Sequence[DurableFunctionTestResult]) -> list[DurableFunctionTestResult]:
    if len(results) <= MOST:
        return list(results)
    order = sorted(range(len(results)), key=lambda at: results[at].execution_status is ExecutionStatus.SUCCEEDED)
    return [results[at] for at in sorted(order[:MOST])]


def link(item: pytest.Item, report: pytest.TestReport, page: Path) -> str:
    """Name a page in everything that may be made of a report; how the report itself says it."""
    shown = _relative(page, item.config.invocation_params.dir)
    for properties in (item.user_properties, report.user_properties):
        if (PROPERTY, shown) not in properties:
            properties.append((PROPERTY, shown))
    if item.config.pluginmanager.hasplugin("html"):
        _link_in_pytest_html(item.config, report, page)
    return shown


def _link_in_pytest_html(config: pytest.Config, report: Any, page: Path) -> None:
    from pytest_html import extras

    written = config.getoption("htmlpath", None)
    beside = Path(written).parent if written else Path()
    address = _relative(page, config.invocation_params.dir / beside)
    report.extras = [*getattr(report, "extras", []), extras.url(address, name="durable execution")]


def _relative(page: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(page, folder)).as_posix()
    except ValueError:  # another drive
        return page.as_posix()

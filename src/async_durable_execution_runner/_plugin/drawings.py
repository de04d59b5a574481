"""What a test's report shows of an execution: the tree, and below it the timeline."""

from __future__ import annotations

from typing import Any

import pytest

from .._render.canvas import in_encoding
from .._terminal import encoding
from ..result import DurableFunctionTestResult

LINES = 24
"""About how many operations the timeline of a report shows; it counts the others."""
TREE = 60
"""The same of the tree, which has also what they returned and raised."""
WIDTH = "durable_width"
"""What a worker of xdist is told of the terminal, under this name."""


def drawing_of(result: DurableFunctionTestResult, config: pytest.Config | None) -> str:
    """An execution for a section of a report, without colours."""
    parts = [in_encoding(result.render(limit=TREE), encoding())]
    if result.operations:
        parts.append(result.render_timeline(width=_width(config), color=False, limit=LINES))
    return "\n".join(parts)


def _width(config: pytest.Config | None) -> int | None:
    """As wide as the terminal on which the session is reported, if there is one."""
    if config is None:
        return None
    told: dict[str, Any] = getattr(config, "workerinput", {})
    if WIDTH in told:
        return int(told[WIDTH])
    return config.get_terminal_writer().fullwidth if config.pluginmanager.hasplugin("terminalreporter") else None

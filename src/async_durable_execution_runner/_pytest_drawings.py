"""What a test's report shows of an execution: the tree, and below it the timeline."""

from __future__ import annotations

from typing import Any

import pytest

from ._render.canvas import in_encoding
from ._terminal import encoding
from .result import DurableFunctionTestResult

LINES = 24
"""About how many operations the timeline of a report shows; it counts the others."""


def drawing_of(result: DurableFunctionTestResult, config: pytest.Config | None) -> str:
    """An execution for a section of a report."""
    # A session of a terminal reporter, or one that only sends its reports on, as a worker of xdist does.
    reporter: Any = config.pluginmanager.getplugin("terminalreporter") if config is not None else None
    writer = config.get_terminal_writer() if config is not None and reporter is not None else None
    parts = [in_encoding(result.render(), encoding())]
    if result.operations:
        width, colour = (writer.fullwidth, writer.hasmarkup) if writer is not None else (None, False)
        parts.append(result.render_timeline(width=width, color=colour, limit=LINES))
    return "\n".join(parts)

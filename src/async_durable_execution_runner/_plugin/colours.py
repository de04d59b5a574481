"""Colours for the sections of reports, put on where they are printed.

A report itself is plain: it travels between processes, and other plugins put it into files.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Mapping
from typing import Any

SECTION = "durable execution"
_CODES = {"good": "32", "bad": "31", "warn": "33", "busy": "36", "dim": "2"}
_SIGNS = re.compile(
    r"(?P<good>[✓◆]|\bSUCCEEDED\b)|(?P<bad>[✗\u2573]|\b(?:FAILED|TIMED_OUT)\b)"
    r"|(?P<warn>[■⊘↻▹]|\b(?:STOPPED|CANCELLED)\b)"
    r"|(?P<busy>▸|…(?= )|\b(?:RUNNING|STARTED|PENDING|READY)\b)|(?P<dim>[│├└─┊╌┄┬┌┤⋮·]+)"
)


def coloured(text: str) -> str:
    """A tree or timeline with a terminal's colours."""
    return _SIGNS.sub(lambda sign: f"\x1b[{_CODES[str(sign.lastgroup)]}m{sign[0]}\x1b[0m", text)


def while_printed(stats: Mapping[str, Iterable[Any]]) -> Generator[None, Any, Any]:
    """Have colours on the sections of these reports for a while."""
    plain = [
        (report, report.sections)
        for reports in stats.values()
        for report in reports
        if any(title == SECTION for title, _ in getattr(report, "sections", ()))
    ]
    for report, sections in plain:
        report.sections = [(title, coloured(text) if title == SECTION else text) for title, text in sections]
    try:
        return (yield)
    finally:
        for report, sections in plain:
            report.sections = sections

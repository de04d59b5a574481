"""What is printed: plain text in a pipe, colours on a terminal that wants them."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from .._model.execution import ExecutionRecord
from .._render.canvas import in_encoding
from .._render.reading import read_execution
from .._render.timeline import render_timeline
from .._render.words import duration, shorten
from ..observer import ExecutionObserver

# rich itself respects NO_COLOR, and a pipe is no terminal for it.
_STYLES = (
    (r"✓|\bSUCCEEDED\b", "green"),
    (r"✗|\b(FAILED|TIMED_OUT)\b", "red"),
    (r"[■⊘]|\b(STOPPED|CANCELLED)\b", "yellow"),
    (r"…(?= )|\b(RUNNING|PAUSING|PAUSED|STARTED|PENDING|READY)\b", "cyan"),
    (r"[│├└─]+", "dim"),
)


TIMELINE = 200
"""Operations that a timeline shows at most; it counts the others."""


def show(text: str) -> None:
    """Print text whose statuses have colours."""
    _print(sys.stdout, text)


def _print(stream: Any, text: str, style: str = "") -> None:
    text = in_encoding(text, getattr(stream, "encoding", None))
    console = Console(file=stream, soft_wrap=True, highlight=False, markup=False, emoji=False)
    styled = Text(text, style=style)
    for pattern, colour in _STYLES:
        styled.highlight_regex(pattern, colour)
    console.print(styled)


def show_timeline(record: ExecutionRecord, now: int) -> None:
    """Print an execution against time, as wide as the terminal is; nothing where there are no operations."""
    view = read_execution(record, now)
    if not view.lanes:
        return
    console = Console()
    colour = console.color_system is not None and not console.no_color
    text = render_timeline(view, width=shutil.get_terminal_size().columns, colour=colour, limit=TIMELINE)
    click.echo(in_encoding(text, sys.stdout.encoding), color=colour)


def show_json(value: Any) -> None:
    """Print as the AWS CLI prints answers."""
    click.echo(json.dumps(value, indent=4, default=_plain, ensure_ascii=False))


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows in columns, two spaces between them."""
    table = [list(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip() for row in table]


def moment(instant: datetime | None) -> str:
    """An instant, to the second, in UTC."""
    return instant.strftime("%Y-%m-%d %H:%M:%S") if instant is not None else "-"


def span(start: datetime, end: datetime | None) -> str:
    """How long something took, or a dash while it does."""
    return duration(round((end - start).total_seconds() * 1000)) if end is not None else "-"


def event_line(event: dict[str, Any]) -> tuple[str, str]:
    """What an event tells: type and name, and a few of its details."""
    details = event.get(f"{event['EventType']}Details", {})
    name = f"{event['EventType']} '{event['Name']}'" if event.get("Name") else event["EventType"]
    return name, _facts(details)


def _facts(details: dict[str, Any]) -> str:
    error = details.get("Error", {}).get("Payload") or {}
    for key in ("Result", "Input"):
        text = details.get(key, {}).get("Payload")
        if text is not None:
            return f"= {shorten(text, 60)}"
    if error:
        return shorten(": ".join(error[key] for key in ("ErrorType", "ErrorMessage") if error.get(key)), 80)
    if "Duration" in details:
        return f"({duration(details['Duration'] * 1000)})"
    return f"id {details['CallbackId']}" if "CallbackId" in details else ""


class Progress(ExecutionObserver):
    """Says on standard error, or on another stream, what happens, while it happens."""

    def __init__(self, stream: Any = None) -> None:
        self._began: datetime | None = None
        self._stream = stream

    def on_event(self, execution_arn: str, event: dict[str, Any]) -> None:
        """See ``ExecutionObserver``."""
        del execution_arn
        self._began = self._began or event["EventTimestamp"]
        name, facts = event_line(event)
        line = f"  {span(self._began, event['EventTimestamp'])}  {name}  {facts}".rstrip()
        _print(self._stream or sys.stderr, line, "dim")

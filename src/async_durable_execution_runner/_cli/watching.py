"""``--watch``: an execution while it runs, drawn anew on a terminal, line by line in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.text import Text

from .._render.canvas import in_encoding
from .._render.reading import read_execution
from .._render.timeline import render_timeline
from .._render.view import ExecutionView
from .._render.words import duration
from ..observer import ExecutionObserver
from ..runner import DurableFunctionTestRunner
from .output import Progress

_PER_SECOND = 8
_AROUND = 9
"""Lines of the terminal that are not operations: head, axis, invocations, what is left out, legend."""


class Watch:
    """Shows what becomes of an execution, on ``stream``."""

    def __init__(self, stream: Any) -> None:
        self._console = Console(file=stream, highlight=False)
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self.observers: list[ExecutionObserver] = [] if self._live else [Progress(stream)]

    @contextmanager
    def following(self, runner: DurableFunctionTestRunner, execution_arn: str) -> Iterator[None]:
        """While this lasts the execution is drawn; nothing of the drawing is left behind."""
        if not self._live:
            yield
            return
        picture = _Picture(runner, execution_arn)
        with Live(picture, console=self._console, refresh_per_second=_PER_SECOND, transient=True):
            yield


class _Picture:
    """Draws the execution as it is at the moment."""

    def __init__(self, runner: DurableFunctionTestRunner, execution_arn: str) -> None:
        local = runner._local  # noqa: SLF001 - as the other commands
        self._executor, self._clock, self._arn = local.executor, local.clock, execution_arn

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """See rich. It is called by a thread of rich's own, so nothing of a failure may get out."""
        try:
            yield Text.from_ansi(self._drawn(options.max_width, console.size.height, console), end="")
        except Exception as error:  # noqa: BLE001 - the run goes on, and the next picture may succeed
            yield Text(f"cannot be drawn right now: {type(error).__name__}: {error}")

    def _drawn(self, width: int, height: int, console: Console) -> str:
        # Copied in one go each, so that the thread that runs the handler need not stop.
        view = read_execution(self._executor.get(self._arn).snapshot(), self._clock.now_millis())
        colour = console.color_system is not None and not console.no_color
        limit = max(3, height - _AROUND)
        drawing = render_timeline(view, width=width - 1, colour=colour, limit=limit, latest=True)
        lines = [_head(view), *drawing.splitlines()]
        return in_encoding("\n".join(lines[: height - 1]), console.encoding)


def _head(view: ExecutionView) -> str:
    over = sum(1 for lane in view.lanes if not lane.is_open)
    parts = [
        f"execution '{view.name}' {view.status}",
        f"for {duration(view.end - view.start)}",
        f"{over} of {len(view.lanes)} operations over",
    ]
    return ", ".join(parts)


def watch_for(*, as_json: bool) -> Watch:
    """Where standard output is for the answer alone, the watching goes to standard error."""
    return Watch(sys.stderr if as_json else sys.stdout)

"""The determinism radar of one test: its runners are listened to, and what they ran is replayed once it has passed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .._replay.radar import Seen, look
from .._replay.watching import Watch
from .._runner.seen import seen_by
from ..runner import DurableFunctionTestRunner

_HOW_OFF = "If it has to be so, say radar=False in the marker; durable_radar = off in the ini file is for all tests."


class RadarOfTest:
    """Listens to the runners of a test. ``most`` bounds the invocations that are replayed."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._watched: list[DurableFunctionTestRunner] = []

    def watch(self, runner: DurableFunctionTestRunner) -> None:
        """Listen to a runner from now on."""
        runner._local.watch = Watch()  # noqa: SLF001 - made for this
        self._watched.append(runner)

    def check(self) -> None:
        """Fail the test if anything that it ran does not bear being replayed."""
        reports = look(self._seen(), self._most)
        if reports:
            text = "\n\n".join(report.render() for report in reports)
            pytest.fail(f"The determinism radar has found a drift.\n\n{text}\n\n{_HOW_OFF}", pytrace=False)

    def _seen(self) -> Iterator[Seen]:
        for runner in self._watched:
            yield from seen_by(runner._local)  # noqa: SLF001 - made for this

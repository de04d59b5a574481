"""Waiting for something elsewhere: looking again and again, in real time, ever less often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

_FIRST_PAUSE = 0.05
_GROWTH = 1.5
_FIRST_BACKOFF, _LONGEST_BACKOFF = 0.2, 5.0


class OutOfPatienceError(Exception):
    """The time of a wait is over."""


class AbandonedError(Exception):
    """Nobody waits any more."""


class Patience:
    """How long somebody waits, in real seconds. ``given_up`` ends every pause at once."""

    def __init__(self, seconds: float, given_up: threading.Event | None = None) -> None:
        self.seconds = seconds
        self._deadline = time.monotonic() + seconds
        self._given_up = given_up if given_up is not None else threading.Event()

    @property
    def is_over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._deadline

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than to the end. Raises ``AbandonedError`` once nobody waits any more."""
        left = max(0.0, self._deadline - time.monotonic())
        if self._given_up.wait(min(seconds, left)):
            raise AbandonedError


def poll(look: Callable[[], T | None], patience: Patience, longest_pause: float) -> T:
    """What ``look`` finds, as soon as it finds something.

    Pauses start short, so that what is quick is seen quickly, and grow to ``longest_pause`` seconds. The last look is
    at the end of the time. Raises ``OutOfPatienceError``.
    """
    pause = min(_FIRST_PAUSE, longest_pause)
    while True:
        last = patience.is_over
        found = look()
        if found is not None:
            return found
        if last:
            raise OutOfPatienceError
        patience.pause(pause)
        pause = min(pause * _GROWTH, longest_pause)


def retried(call: Callable[[], T], is_throttled: Callable[[Exception], bool], patience: Patience) -> T:
    """What ``call`` returns. While it is throttled it is repeated, after pauses that double up to 5 seconds.

    Raises what ``call`` raises; a throttled one's error once the time is over.
    """
    pause = _FIRST_BACKOFF
    while True:
        try:
            return call()
        except Exception as error:
            if not is_throttled(error) or patience.is_over:
                raise
        patience.pause(pause)
        pause = min(pause * 2, _LONGEST_BACKOFF)

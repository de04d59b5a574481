"""A process that writes to a store and is killed while it does."""

from __future__ import annotations

import os
import signal
import threading
import warnings
from collections.abc import Callable
from contextlib import suppress

from ..stores.base import ExecutionStore
from . import samples

__all__ = ["ENOUGH", "acknowledged_by_a_killed_writer"]

ENOUGH = 8
"""Changes that are acknowledged before the child is killed."""


def acknowledged_by_a_killed_writer(
    factory: Callable[[], ExecutionStore], arn: str, size: int, delay: float
) -> int | None:
    """Let a child append changes of a size until it is killed, ``delay`` seconds after it has done some.

    Returns how many were acknowledged; ``None`` where there is no ``fork``.
    """
    if not hasattr(os, "fork"):
        return None
    reader, writer = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # about threads: the child uses what it opens itself
        child = os.fork()
    if child == 0:
        os.close(reader)
        _write(factory, arn, "x" * size, writer)
    os.close(writer)
    acknowledged = _read(reader, ENOUGH)
    threading.Event().wait(delay)
    with suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)
    acknowledged += _read(reader)
    os.close(reader)
    os.waitpid(child, 0)
    return acknowledged


def _read(pipe: int, most: int | None = None) -> int:
    """Count the bytes of a pipe, to its end or until there are enough."""
    count = 0
    while most is None or count < most:
        got = os.read(pipe, 1)
        if not got:
            break
        count += 1
    return count


def _write(factory: Callable[[], ExecutionStore], arn: str, text: str, pipe: int) -> None:
    """Append and say so, for ever. An error ends the process, and the parent sees what is missing."""
    try:
        store = factory()
        for number in range(2, 1_000_000):
            store.append(arn, samples.step(number, text))
            os.write(pipe, b".")
    finally:
        os._exit(1)

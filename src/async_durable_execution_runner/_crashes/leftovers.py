"""What runs leave behind in memory, and the garbage collector."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def set_aside() -> Iterator[Callable[[], None]]:
    """Gives a function that takes all that is in memory out of the garbage collector's sight until the block ends.

    A killed handler stays in memory, and the collector would look at it again and again: a tenth of the time of a
    matrix. Somebody who does the same already is not disturbed.
    """
    if gc.get_freeze_count():
        yield _nothing
        return
    try:
        yield gc.freeze
    finally:
        gc.unfreeze()


def _nothing() -> None:
    """Somebody else does it."""

"""What runs leave behind in memory, and the garbage collector."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator

_SELDOM = 50_000
"""Objects that come to be between two looks at them."""


@contextlib.contextmanager
def set_aside() -> Iterator[Callable[[], None]]:
    """Gives a function that takes all that is in memory out of the garbage collector's sight until the block ends.

    A killed handler stays in memory, and the collector would look at it again and again: a tenth of the time of a
    matrix. Within a run it looks more seldom: most of what it would find is there to stay. Somebody who does the same
    already is not disturbed.
    """
    if gc.get_freeze_count():
        yield _nothing
        return
    often, *older = gc.get_threshold()
    if often:  # else there is no collector
        gc.set_threshold(max(often, _SELDOM), *older)
    try:
        yield gc.freeze
    finally:
        gc.unfreeze()
        gc.set_threshold(often, *older)


def _nothing() -> None:
    """Somebody else does it."""

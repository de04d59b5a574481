"""Names of an SDK that stand for something else while they are needed so."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Exchange = tuple[Any, str, Any]
"""A class or module, a name in it, and what stands in for its value."""


class Exchanged:
    """Exchanges values for as long as there is a user.

    Users may overlap, on any thread; the last one puts the values back.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._own: list[Exchange] = []

    @contextlib.contextmanager
    def by(self, exchanges: Callable[[], Iterable[Exchange]]) -> Iterator[None]:
        """Hold the exchanges until the block ends. Only the first of several users is asked which they are."""
        with self._lock:
            if self._users == 0:
                wanted = list(exchanges())
                self._own = [(holder, name, vars(holder)[name]) for holder, name, _ in wanted]
                _put(wanted)
            self._users += 1
        try:
            yield
        finally:
            with self._lock:
                self._users -= 1
                if self._users == 0:
                    _put(self._own)
                    self._own = []


def _put(exchanges: Iterable[Exchange]) -> None:
    for holder, name, value in exchanges:
        setattr(holder, name, value)

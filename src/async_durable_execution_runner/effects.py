"""Side effects, counted: what happened outside of the execution, how often, and in which run."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass, field

__all__ = ["Effects"]


@dataclass(slots=True)
class _Run:
    """What happened in one run; ``where`` is the sentence that says what was killed, or nothing for a clean run."""

    where: str = ""
    counts: Counter[Hashable] = field(default_factory=Counter)


class Effects:
    """A recorder that a test hands to its steps, from ``runner.effects("bank")``.

        bank = runner.effects("bank")

        async def charge(order):
            bank.record(order["id"])

    The assertions look at every run there was: the test's own, and each run of a crash exploration. They take the keys
    that they are about; without any they are about all. Safe to use from any thread. A handler in a process of its own
    (``isolation="process"``) does not reach it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._lock = threading.Lock()
        self._runs = [_Run()]
        self._expected: dict[Hashable, None] = {}

    def __repr__(self) -> str:
        return f"<Effects {self.name!r} {dict(self.counts)}>"

    def __call__(self, key: Hashable = None) -> int:
        """The same as ``record``."""
        return self.record(key)

    def record(self, key: Hashable = None) -> int:
        """The effect happens now, for ``key``. Returns how often it has happened in this run."""
        with self._lock:
            run = self._runs[-1]
            if len(self._runs) == 1 and not run.where:
                self._expected[key] = None
            run.counts[key] += 1
            return run.counts[key]

    @property
    def counts(self) -> Counter[Hashable]:
        """How often it has happened in this run, by key."""
        with self._lock:
            return Counter(self._runs[-1].counts)

    @property
    def total(self) -> int:
        """How often it has happened in this run."""
        return self.counts.total()

    def at_most_once(self, *keys: Hashable) -> None:
        """Raise ``AssertionError`` if it has happened twice for a key, in any run."""
        __tracebackhide__ = True
        self._assert(keys, most=1)

    def at_least_once(self, *keys: Hashable) -> None:
        """Raise ``AssertionError`` if it has not happened for a key, in any run.

        Without ``keys``: for a key of the clean run; if that had none, at all.
        """
        __tracebackhide__ = True
        self._assert(keys, least=1)

    def exactly_once(self, *keys: Hashable) -> None:
        """Raise ``AssertionError`` if it has not happened once for each key, in every run."""
        __tracebackhide__ = True
        self._assert(keys, least=1, most=1)

    # ------------------------------------------------------------------------------------------- for explorations

    def begin_run(self, where: str) -> None:
        """From here on another run is counted."""
        with self._lock:
            self._runs.append(_Run(where))

    def expect(self, keys: Iterable[Hashable], where: str) -> None:
        """This is a run with a death in it: what the clean run had, which was counted elsewhere, and what is killed."""
        with self._lock:
            self._expected.update(dict.fromkeys(keys))
            self._runs[-1].where = where

    @property
    def keys(self) -> tuple[Hashable, ...]:
        """The keys of the clean run."""
        with self._lock:
            return tuple(self._expected)

    def _assert(self, keys: tuple[Hashable, ...], *, least: int = 0, most: int | None = None) -> None:
        __tracebackhide__ = True
        with self._lock:
            wrong = [line for run in self._runs[self._first() :] for line in self._complaints(run, keys, least, most)]
        if wrong:
            more = f"\n… and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
            raise AssertionError("\n".join(wrong[:_SHOWN]) + more)

    def _first(self) -> int:
        """Leave out a test's own run that never happened because all was left to an exploration."""
        return 1 if len(self._runs) > 1 and not self._runs[0].counts else 0

    def _complaints(self, run: _Run, keys: tuple[Hashable, ...], least: int, most: int | None) -> Iterator[str]:
        where = f"{run.where}: " if run.where else ""
        if least and not keys and not self._expected and not run.counts:
            yield f"{where}effect {self.name!r} never happened"
        for key in keys or dict.fromkeys([*self._expected, *run.counts]):
            count = run.counts[key]
            what = f"effect {self.name!r}" + (f" for {key!r}" if key is not None else "")
            # Without keys, one that only this run had is no omission of the others.
            if count < least and (keys or key in self._expected):
                yield f"{where}{what} never happened"
            elif most is not None and count > most:
                yield f"{where}{what} happened {_TIMES.get(count, f'{count} times')}"


_TIMES = {2: "twice"}
_SHOWN = 5

"""The determinism radar: what has run is replayed in another world, and must not notice."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .._bridges import Bridge, bridge_for
from .._drivers.replaying import apart_from_any_loop
from .._drivers.turning import turned_sets
from .._drivers.varying import varied
from .._model.execution import ExecutionRecord
from .comparing import drifts_of
from .places import is_users
from .player import play
from .recording import Recording, Window
from .report import Drift, ReplayReport, merged
from .watching import Log
from .wording import name_of

_IDLE_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """An execution that has run while somebody listened."""

    handler: Any
    record: ExecutionRecord
    log: Log


@dataclass(frozen=True, slots=True)
class _Flight:
    """One replay to be made."""

    seen: Seen
    bridge: Bridge
    recording: Recording
    window: Window


def look(executions: Iterable[Seen], most: int) -> list[ReplayReport]:
    """Replay every execution from the beginnings of its invocations, at most ``most`` of them; reports with drifts.

    The clock is later, ``random`` has another state, and sets are gone through the other way round, as far as the
    user's own modules see them.
    """
    flights = _chosen([list(_flights(each)) for each in executions], most)
    found: list[ReplayReport] = apart_from_any_loop(lambda: _reports(flights)) if flights else []
    return found


def _flights(seen: Seen) -> Iterator[_Flight]:
    bridge, recording = bridge_for(seen.handler), Recording(seen.record)
    for window in recording.windows():
        yield _Flight(seen, bridge, recording, window)


def _chosen(by_execution: list[list[_Flight]], most: int) -> list[_Flight]:
    """First the first of each execution, then the second of each, and so on: evenly, and in the order of the runs."""
    turns = [
        (turn, number, flight) for number, flights in enumerate(by_execution) for turn, flight in enumerate(flights)
    ]
    return [flight for _, _, flight in sorted(turns, key=lambda each: each[:2])[:most]]


def _reports(flights: list[_Flight]) -> list[ReplayReport]:
    found: dict[int, tuple[_Flight, list[Drift], list[str]]] = {}
    with _another_world([flight.seen.handler for flight in flights]):
        for flight in flights:
            _, drifts, moments = found.setdefault(id(flight.recording), (flight, [], []))
            played = play(flight.bridge, flight.seen.handler, flight.recording, flight.window, patience=_IDLE_SECONDS)
            if played is not None:
                drifts += drifts_of(flight.recording, played, flight.seen.log.asks)
                moments.append(flight.window.label)
    return [_report(*each) for each in found.values() if each[1]]


def _report(flight: _Flight, drifts: list[Drift], moments: list[str]) -> ReplayReport:
    name = flight.recording.header.name
    return ReplayReport(
        name=f"{name_of(flight.seen.handler)}, execution '{name}'",
        drifts=merged(iter(drifts)),
        replayed=tuple(moments),
    )


@contextlib.contextmanager
def _another_world(handlers: list[Any]) -> Iterator[None]:
    modules = list(sys.modules.values())
    with warnings.catch_warnings(), varied(is_users, len(modules)), turned_sets(is_users, modules, handlers):
        warnings.simplefilter("ignore")
        yield

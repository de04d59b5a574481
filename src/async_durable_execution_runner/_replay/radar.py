"""The determinism radar: what has run is replayed in another world, and must not notice."""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
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
from .wording import name_of, place_of_handler
from .world import nothing_gets_out

_IDLE_SECONDS = 0.5
"""Real seconds after which a replay is given up in which nothing happens."""
_TIME_LEFT = 2_000
"""What a replayed handler hears is left of its invocation, in milliseconds: little, as of one that has done much."""


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

    The clock is later, ``random`` has another state, sets are gone through the other way round, and the process is
    another one with little time left, as far as the user's own modules see it.
    """
    # Each execution's first invocation comes before any second one, so no more than these can have a turn.
    flights = _chosen([list(_flights(each)) for each in islice(executions, most)], most)
    found: list[ReplayReport] = apart_from_any_loop(lambda: _reports(flights)) if flights else []
    return found


def _flights(seen: Seen) -> Iterator[_Flight]:
    bridge, recording = bridge_for(seen.handler), Recording(seen.record)
    for window in recording.windows():
        yield _Flight(seen, bridge, recording, window)


def _chosen(by_execution: list[list[_Flight]], most: int) -> list[list[_Flight]]:
    """So many that no execution has two more than another has left out; each in the order of its run."""
    turns = sorted((turn, number) for number, flights in enumerate(by_execution) for turn in range(len(flights)))
    counts = [0] * len(by_execution)
    for _, number in turns[:most]:
        counts[number] += 1
    return [flights[:count] for flights, count in zip(by_execution, counts, strict=True) if count]


def _reports(by_execution: list[list[_Flight]]) -> list[ReplayReport]:
    found = (_report(flights) for flights in by_execution)
    return [report for report in found if not report.ok]


def _drifts(flight: _Flight) -> list[Drift] | None:
    """What one replay shows; ``None`` if it could not be made, which says nothing about the handler."""
    seen, recording = flight.seen, flight.recording
    try:
        played = play(
            flight.bridge, seen.handler, recording, flight.window, patience=_IDLE_SECONDS, time_left=_TIME_LEFT
        )
        return None if played is None or played.gave_up else drifts_of(recording, played, seen.log.asks)
    except Exception:  # noqa: BLE001 - a test that has passed must not fail for what the radar cannot do
        return None


def _report(flights: list[_Flight]) -> ReplayReport:
    first = flights[0]
    drifts: list[Drift] = []
    moments: list[str] = []
    with _another_world(first.seen):
        for flight in flights:
            found = _drifts(flight)
            if found is None:
                break
            drifts += found
            moments.append(flight.window.label)
    return ReplayReport(
        name=f"{name_of(first.seen.handler)}, execution '{first.recording.header.name}'",
        drifts=merged(iter(drifts), place_of_handler(first.seen.handler)),
        replayed=tuple(moments),
    )


@contextlib.contextmanager
def _another_world(seen: Seen) -> Iterator[None]:
    """What the handler has found around it, on another day."""
    world, modules = seen.log.world, list(sys.modules.values())
    with contextlib.ExitStack() as stack:
        if world is not None:
            stack.enter_context(world.put_back())
        stack.enter_context(varied(is_users, len(modules)))
        stack.enter_context(turned_sets(is_users, modules, [seen.handler]))
        stack.enter_context(nothing_gets_out())
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        yield

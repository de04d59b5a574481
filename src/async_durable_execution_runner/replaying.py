"""A handler replayed against a recorded history: does it still do what it did?

from async_durable_execution_runner import replay

replay(handler, "tests/histories/order-7.json")
"""

from __future__ import annotations

from typing import Any

from ._bridges import Bridge, bridge_for, load_handler
from ._drivers.replaying import apart_from_any_loop
from ._replay.comparing import drifts_of
from ._replay.player import Played, play
from ._replay.reading import read_history
from ._replay.recording import Recording, Window
from ._replay.report import Drift, DriftKind, ReplayReport, Row, merged
from ._replay.wording import name_of, place_of_handler
from .exceptions import HandlerError, NonDeterministicExecutionError

__all__ = ["Drift", "DriftKind", "ReplayReport", "Row", "replay"]

_PREFIXES = ("events", "invocations")


def replay(
    handler: Any,
    history: Any,
    *,
    raise_on_failure: bool = True,
    prefixes: str = "events",
    max_replays: int = 500,
) -> ReplayReport:
    """Run a handler once more against what was recorded, and report every difference.

    No step, submitter, check or chained function runs: all answers come from the history. Code between them does run.

    ``handler`` is what ``DurableFunctionTestRunner`` takes. ``history`` is a result, ``(store, execution_arn)``, the
    events of ``get_execution_history()``, or the path of a JSON file as ``aws lambda get-durable-execution-history
    --include-execution-data`` prints it. ``prefixes="events"`` replays each invocation from its beginning and from
    every event in it, as after a crash or a deploy at that moment; ``"invocations"`` from the beginnings only.
    ``max_replays`` bounds their number, evenly spread.

    Raises ``NonDeterministicExecutionError`` with both sides beside each other, unless ``raise_on_failure`` is false;
    ``HistoryReadError`` for a history that cannot be replayed; ``HandlerError`` for a handler that cannot be.
    """
    __tracebackhide__ = True
    if prefixes not in _PREFIXES:
        raise ValueError(f"prefixes is 'events' or 'invocations', not {prefixes!r}")
    handler = load_handler(handler) if isinstance(handler, str) else handler
    bridge = bridge_for(handler)
    recording = Recording(read_history(history))
    windows = _spread(_moments(recording, prefixes), max_replays)
    played = apart_from_any_loop(lambda: _all_played(bridge, handler, recording, windows))
    report = ReplayReport(
        name=f"{name_of(handler)} against execution '{recording.header.name}'",
        drifts=merged((drift for each in played for drift in drifts_of(recording, each)), place_of_handler(handler)),
        replayed=tuple(each.window.label for each in played),
        skipped=tuple(each.label for each in windows[len(played) :]),
    )
    if raise_on_failure and not report.ok:
        raise NonDeterministicExecutionError(report.render())
    return report


def _moments(recording: Recording, prefixes: str) -> list[Window]:
    windows = recording.windows()
    if prefixes == "invocations":
        return windows
    return [moment for window in windows for moment in (window, *recording.moments(window))]


def _spread(windows: list[Window], most: int) -> list[Window]:
    if len(windows) <= most:
        return windows
    return [windows[number * len(windows) // most] for number in range(most)]


def _all_played(bridge: Bridge, handler: Any, recording: Recording, windows: list[Window]) -> list[Played]:
    """Up to the first that is given up: the others would take as long, and tell the same."""
    found: list[Played] = []
    for window in windows:
        found.append(_played(bridge, handler, recording, window))
        if found[-1].gave_up:
            break
    return found


def _played(bridge: Bridge, handler: Any, recording: Recording, window: Window) -> Played:
    played = play(bridge, handler, recording, window)
    if played is None:
        raise HandlerError(
            f"handler {name_of(handler)} cannot be replayed: this release of {bridge.package} can only be watched "
            "on the wire, where a step is seen after it has begun. Replay it with a newer release of the SDK."
        )
    return played

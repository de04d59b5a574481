"""Options of the plugin about replays: the radar, and histories that are tests. Nothing here imports the runner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

RADAR_INVOCATIONS = 20
"""How many invocations of a test's executions the radar replays, if nobody says otherwise."""

_ON, _OFF = {"on", "true", "yes"}, {"off", "false", "no"}


def add_replay_options(group: pytest.OptionGroup, parser: pytest.Parser) -> None:
    """Declare the command line's options and the ini file's."""
    group.addoption(
        "--durable-radar",
        dest="durable_radar",
        metavar="on|off|N",
        help="whether what a passed test has run is replayed, with another clock and other random numbers, to find "
        f"what is not deterministic: on (the default: at most {RADAR_INVOCATIONS} invocations of each test), off, or "
        "another number of invocations. Example: --durable-radar=off",
    )
    group.addoption(
        "--durable-record",
        dest="durable_record",
        action="store_true",
        help="write the histories of passed tests into the folder that durable_histories in the ini file names, those "
        "that are not there yet; nothing is replaced, and nothing written where CI is set",
    )
    parser.addini("durable_radar", "the default of --durable-radar: on, off, or a number of invocations")
    parser.addini("durable_histories", "a folder of recorded histories, each of which is replayed as a test")
    parser.addini(
        "durable_history_handlers",
        "whose the histories are that do not say it themselves: lines GLOB = module:attribute",
        type="linelist",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayOptions:
    """What the session was told about replays."""

    radar: int = RADAR_INVOCATIONS
    """How many invocations the radar replays; 0 turns it off."""
    histories: Path | None = None
    """The folder of recorded histories."""
    handlers: Mapping[str, str] = field(default_factory=dict)
    """Whose the histories are that do not say it: handlers by globs of file names."""
    record: bool = False

    @classmethod
    def of(cls, config: pytest.Config) -> ReplayOptions:
        """Read the command line and the ini file. Raises ``UsageError`` with what is valid."""
        folder = str(config.getini("durable_histories") or "")
        root = config.inipath.parent if config.inipath is not None else config.rootpath
        return cls(
            radar=_radar(str(config.getoption("durable_radar") or config.getini("durable_radar") or "on").lower()),
            histories=(root / folder).resolve() if folder else None,
            handlers=dict(map(_mapped, config.getini("durable_history_handlers"))),
            record=bool(config.getoption("durable_record")),
        )


def _radar(given: str) -> int:
    if given.isdigit():
        return int(given)
    if given not in _ON | _OFF:
        raise pytest.UsageError(f"durable_radar = {given!r} is unknown; valid: on, off, or a number of invocations")
    return RADAR_INVOCATIONS if given in _ON else 0


def _mapped(line: str) -> tuple[str, str]:
    glob, equals, name = (part.strip() for part in line.partition("="))
    if not equals or ":" not in name:
        raise pytest.UsageError(
            f"durable_history_handlers = {line!r} (ini file): a line is GLOB = module:attribute, for example "
            "order-*.json = orders:handler"
        )
    return glob, name


def asked_radar(asked: str, keywords: dict[str, Any]) -> bool:
    """Whether a test wants the radar: the marker's ``radar``, taken out of its keywords. Raises ``UsageError``."""
    radar = keywords.pop("radar", True)
    if not isinstance(radar, bool):
        raise pytest.UsageError(f"{asked}: radar is True or False, not {radar!r}")
    return radar

"""Options of a runner, read and checked where they are given."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

from .._engine.functions import Account
from ..clock import Clock, RealClock, VirtualClock, to_seconds

Duration = float | timedelta
NOT_GIVEN: Any = object()
"""Tells an argument that was left out from ``None``."""


def read_account(region: Any, account_id: Any) -> Account:
    if not isinstance(region, str) or not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
        raise ValueError(f"region is an AWS region such as 'us-west-2', not {region!r}")
    require_account(account_id)
    return Account(region=region, account_id=account_id)


def require_account(account_id: Any) -> None:
    if not isinstance(account_id, str) or not re.fullmatch(r"\d{12}", account_id):
        raise ValueError(f"account_id has 12 digits, as text: not {account_id!r}")


def require_isolation(isolation: Any) -> None:
    if isolation not in {"inline", "process"}:
        raise ValueError(f"unknown isolation: {isolation!r}; valid: 'inline', 'process'")


def read_clock(clock: Any, start_time: datetime | None) -> Clock:
    if start_time is not None and not isinstance(start_time, datetime):
        raise TypeError(f"start_time is a datetime, not {start_time!r}")
    if isinstance(clock, str):
        if clock == "virtual":
            return VirtualClock(start_time)
        if clock != "real":
            raise ValueError(f"unknown clock {clock!r}; valid: 'virtual', 'real', or a Clock")
    elif not isinstance(clock, Clock):
        raise TypeError(f"unknown clock {clock!r}; valid: 'virtual', 'real', or a Clock")
    if start_time is not None:
        raise ValueError("start_time is for a virtual clock made by the runner; this clock has its own time")
    return RealClock() if isinstance(clock, str) else clock


def read_timeout(value: Duration | None, what: str, most: int | None) -> int | None:
    if value is None:
        return None
    seconds = to_seconds(value, what)
    if seconds < 1 or (most is not None and seconds > most) or seconds != int(seconds):
        limit = f" to {most}" if most is not None else " up"
        raise ValueError(f"{what} is a whole number of seconds from 1{limit}, not {value!r}")
    return int(seconds)


def read_millis(value: Duration, what: str) -> int:
    return round(to_seconds(value, what) * 1000)

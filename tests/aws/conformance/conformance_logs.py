"""How the log of an execution is not what a requirement wants of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from conformance_records import Record


def matching(matcher: Record, records: list[Record]) -> list[int]:
    """Where the records are that have all these fields; a text between slashes is looked for, others must be equal."""
    return [
        at
        for at, record in enumerate(records)
        if all(name in record and _is(want, record[name]) for name, want in matcher.items())
    ]


def _is(want: Any, got: Any) -> bool:
    if isinstance(want, str) and len(want) > 1 and want.startswith("/") and want.endswith("/"):
        return re.search(want[1:-1], str(got)) is not None
    return type(want) is type(got) and bool(want == got)


def differences(wanted: list[dict[str, Any]], records: list[Record]) -> list[str]:
    """How a log is not what is wanted of it: how many lines there are of each kind, and which come after which."""
    return [line for entry in wanted for line in [*_miscounted(entry, records), *_misplaced(entry, records)]]


def _miscounted(entry: dict[str, Any], records: list[Record]) -> Iterator[str]:
    found = len(matching(entry["match"], records))
    least, most = _bounds(entry)
    if found < least or (most is not None and found > most):
        wanted = f"at least {least}" if most is None else f"{least} to {most}" if least != most else least
        yield f"log: {found} lines with {entry['match']}, wanted {wanted}"


def _bounds(entry: dict[str, Any]) -> tuple[int, int | None]:
    """How many lines there have to be, and may be: at least one when nothing is said."""
    if "count" in entry:
        return entry["count"], entry["count"]
    return entry.get("min_count", 0 if "max_count" in entry else 1), entry.get("max_count")


def _misplaced(entry: dict[str, Any], records: list[Record]) -> Iterator[str]:
    own = matching(entry["match"], records)
    for side in ("before", "after"):
        anchors = entry.get(side) or []
        for anchor in [anchors] if isinstance(anchors, dict) else anchors:
            there = matching(anchor, records)
            if not there:
                yield f"log: no line with {anchor}, which others are {side}"
            elif own and (own[-1] > there[0] if side == "before" else own[0] < there[-1]):
                yield f"log: lines with {entry['match']} are not all {side} those with {anchor}"

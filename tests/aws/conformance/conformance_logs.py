"""What an execution says, as CloudWatch would have it: one record, a mapping, for each line of its function's log."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

Record = dict[str, Any]
ARN_FIELDS = ("durableExecutionArn", "executionArn")
LOG_FILE = "log"


class Log(logging.Handler):
    """Takes down what loggers are told and what is printed as a JSON object, in one order.

    A line is written to ``file`` as soon as it is there, when one is given: a process that is killed leaves it behind.
    """

    def __init__(self, file: Path | None = None) -> None:
        super().__init__(logging.INFO)
        self._file = file
        self.records: list[Record] = []

    def emit(self, record: logging.LogRecord) -> None:
        arns = {name: vars(record)[name] for name in ARN_FIELDS if name in vars(record)}
        self.add({"message": record.getMessage(), **arns})

    def add(self, record: Record) -> None:
        self.records.append(record)
        if self._file is not None:
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(record) + "\n")

    def install(self) -> None:
        root = logging.getLogger()
        root.addHandler(self)
        root.setLevel(logging.INFO)


class _Stdout(io.TextIOBase):
    """Standard output, on which each line is written at once."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def write(self, text: str) -> int:
        for record in parsed(text):
            self._log.add(record)
        return len(text)


def parsed(text: str) -> Iterator[Record]:
    """The JSON objects among the lines of a text."""
    for line in text.splitlines():
        with suppress(ValueError):
            record = json.loads(line)
            if isinstance(record, dict):
                yield record


@contextmanager
def listening() -> Iterator[Log]:
    """All that is logged and printed meanwhile."""
    log, root = Log(), logging.getLogger()
    level = root.level
    log.install()
    try:
        with redirect_stdout(_Stdout(log)):
            yield log
    finally:
        root.removeHandler(log)
        root.setLevel(level)


def said_by(arn: str, log: Log, scratch: Path) -> list[Record]:
    """The records of one execution, which say so themselves, also those that its own processes have left behind."""
    file = scratch / LOG_FILE
    left = parsed(file.read_text(encoding="utf-8")) if file.exists() else ()
    return [each for each in [*left, *log.records] if arn in (each.get(name) for name in ARN_FIELDS)]


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

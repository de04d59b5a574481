"""What an execution says, as CloudWatch would have it: one record, a mapping, for each line of its function's log."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from pathlib import Path
from typing import Any

Record = dict[str, Any]
ARN_FIELDS = ("durableExecutionArn", "executionArn")
SCRATCH = "SCRATCH"
"""The variable that names a folder for what has to outlive a process."""


class Log(logging.Handler):
    """Takes down what loggers are told and what is printed as a JSON object, in one order.

    A line is written to ``file`` as soon as it is there, when one is given: a process that ends leaves it behind.
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
        # An SDK that is there already says whose line it is, and drops what a replay says, in filters of the root.
        self.filters = list(root.filters)
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


def log_file() -> Path:
    """Where processes that end leave their log."""
    return Path(os.environ[SCRATCH], "log")


def said_by(arn: str, log: Log) -> list[Record]:
    """The records of one execution, which say so themselves, also those that its own processes have left behind."""
    file = log_file()
    left = parsed(file.read_text(encoding="utf-8")) if file.exists() else ()
    return [each for each in [*left, *log.records] if arn in (each.get(name) for name in ARN_FIELDS)]

"""A folder of recorded histories as tests, and how they get there."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from .._bridges import load_handler
from .._engine.functions import DurableFunction
from .._model.execution import ExecutionRecord
from .._replay.reading import parse_file, read_document
from .._wire.rendering import render_event
from ..exceptions import DurableRunnerError, HandlerError
from ..replaying import replay
from ..runner import DurableFunctionTestRunner


class HistoryFile(pytest.File):
    """A JSON file with a history: one test."""

    handlers: Mapping[str, str]
    folder: Path
    """The folder of all histories."""

    def collect(self) -> Iterator[pytest.Item]:
        """See ``pytest.Collector``."""
        yield HistoryItem.from_parent(self, name="replay")


class HistoryItem(pytest.Item):
    """The replay of one history."""

    def runtest(self) -> None:
        """Replay it. Raises ``NonDeterministicExecutionError``, ``HistoryReadError`` and ``HandlerError``."""
        __tracebackhide__ = True
        document = parse_file(self.path)
        replay(self._handler(document), read_document(document, self.path.name))

    def _handler(self, document: Mapping[str, Any]) -> Any:
        assert isinstance(self.parent, HistoryFile)
        mapped = (name for glob, name in self.parent.handlers.items() if fnmatch.fnmatch(self.path.name, glob))
        name = document.get("handler") or next(mapped, None)
        if not isinstance(name, str):
            raise HandlerError(
                f'{self.path.name} does not say whose history it is: add "handler": "module:attribute" to the JSON '
                "object, or map the file in the ini file: durable_history_handlers = GLOB = module:attribute"
            )
        with _importable(self.config.rootpath, self.parent.folder.parent):
            return load_handler(name)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """See ``pytest.Item``. What is wrong is in the message; the way there leads through this plugin only."""
        if isinstance(excinfo.value, DurableRunnerError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """See ``pytest.Item``."""
        return self.path, None, f"replay of {self.path.name}"


@contextmanager
def _importable(*folders: Path) -> Iterator[None]:
    """Let modules be found where pytest finds them when it collects tests beside the histories, too."""
    before = list(sys.path)
    sys.path[:0] = [str(folder) for folder in folders if str(folder) not in before]
    try:
        yield
    finally:
        sys.path[:] = before


class Recorder:
    """Writes histories of executions into the folder, where there are none yet. Nothing is ever replaced."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.said: list[str] = []
        """What to tell at the end of the session."""

    def record(self, item: pytest.Item, runners: list[DurableFunctionTestRunner]) -> None:
        """Keep what a passed test has run."""
        found = [each for runner in runners for each in _executions(runner)]
        for number, (name, record) in enumerate(found, start=1):
            path = self._folder / _file_name(item, number)
            if name is None:
                self.said.append(f"{path.name}: not recorded: the handler is no attribute of a module")
            elif _write(path, name, record):
                self.said.append(f"{path.name}: recorded")

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Tell what was recorded."""
        if self.said:
            terminalreporter.section("durable histories")
            for line in self.said:
                terminalreporter.write_line(line)


def _executions(runner: DurableFunctionTestRunner) -> Iterator[tuple[str | None, ExecutionRecord]]:
    local = runner._local  # noqa: SLF001 - made for this
    for execution in local.executor.executions.values():
        function = local.functions.find(execution.header.function_arn.rpartition(":")[2])
        if execution.header.parent_arn is None and isinstance(function, DurableFunction) and local.isolation is None:
            yield _name_of(function.handler), execution.snapshot()


def _name_of(handler: Any) -> str | None:
    """The handler as ``module:attribute``, if that leads back to it."""
    name = f"{getattr(handler, '__module__', '')}:{getattr(handler, '__qualname__', '')}"
    try:
        return name if load_handler(name) is handler else None
    except HandlerError:
        return None


def _file_name(item: pytest.Item, number: int) -> str:
    test = re.sub(r"[^A-Za-z0-9_.-]+", "-", f"{item.path.stem}.{item.name}").strip("-")
    return f"{test}.json" if number == 1 else f"{test}.{number}.json"


def _write(path: Path, handler: str, record: ExecutionRecord) -> bool:
    """Whether the file was written: not if there is one."""
    document = {
        "handler": handler,
        "DurableExecutionArn": record.header.arn,
        "DurableExecutionName": record.header.name,
        "Events": [render_event(event) for event in record.events],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2, ensure_ascii=False, default=_instant) + "\n")
    except FileExistsError:
        return False
    return True


def _instant(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"an event holds {type(value).__name__}")


def recorder_for(folder: Path | None) -> Recorder:
    """The recorder of ``--durable-record``. Raises ``UsageError`` where there is no folder to write to, or in CI."""
    if folder is None:
        raise pytest.UsageError("--durable-record needs a folder: durable_histories = tests/histories in the ini file")
    if os.environ.get("CI"):
        raise pytest.UsageError("--durable-record writes nothing where CI is set: record on a machine of your own")
    return Recorder(folder)

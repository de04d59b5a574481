"""Handlers for conformance requirements: plays them, and tells in short what they have left.

A folder of them has ``manifest.yaml``, which says who answers which requirement, ``expected.yaml``, which says what
happens from outside and what comes of it, and ``isolated.txt`` with those whose handlers end their own process.
"""

from __future__ import annotations

import fnmatch
import importlib
import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner.runner import DurableFunctionTestResult

_ARN_OF = re.compile(r"\$\{(\w+)\.Arn\}")


@dataclass(frozen=True, kw_only=True)
class Function:
    """A function of the manifest."""

    handler: str
    environment: dict[str, str] = field(default_factory=dict)
    timeout: int = 60
    execution_timeout: int = 300

    @classmethod
    def read(cls, entry: Any) -> Function:
        return cls(**({"handler": entry} if isinstance(entry, str) else entry))

    @property
    def targets(self) -> list[str]:
        return [name for value in self.environment.values() for name in _ARN_OF.findall(value)]

    def variables(self) -> dict[str, str]:
        return {name: _ARN_OF.sub(r"\1", value) for name, value in self.environment.items()}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is said to a callback, ``after`` so many seconds."""

    operation: str
    callback: str = "*"
    payload: Any = None
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What happens to a handler from outside."""

    event: Any = None
    answers: tuple[Answer, ...] = ()
    ends: bool = True

    @classmethod
    def read(cls, entry: dict[str, Any]) -> Plan:
        """Of an entry in ``expected.yaml``."""
        answers = [Answer(**answer) for answer in entry.get("answers", ())]
        return cls(event=entry.get("event"), answers=tuple(answers), ends="status" in entry)


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of it: the result with its history, and the lines that the execution has logged in this process."""

    result: DurableFunctionTestResult
    logs: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Handlers:
    """A folder of handlers."""

    folder: Path
    manifest: dict[str, Any]
    expected: dict[str, Any]
    isolated: frozenset[str]

    @classmethod
    def read(cls, folder: Path) -> Handlers:
        return cls(
            folder=folder,
            manifest=yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8")),
            expected=yaml.safe_load((folder / "expected.yaml").read_text(encoding="utf-8")),
            isolated=ids_in(folder / "isolated.txt"),
        )

    def play(self, requirement: str, plan: Plan, *, tuning: bool = True, isolated: bool | None = None) -> Played:
        """Run the handler of a requirement, in a process of its own if it needs one and nothing else is said."""
        function = Function.read(self.manifest["requirements"][requirement])
        apart = requirement in self.isolated if isolated is None else isolated
        with self._surroundings(function) as lines, self._runner(requirement, function, tuning, apart) as runner:
            arn = runner.run_async(json.dumps(plan.event), execution_name=f"requirement-{requirement}")
            _answer(runner, arn, list(plan.answers))
            result = runner.wait_for_result(arn) if plan.ends else runner.run_until_suspended(arn)
            return Played(result=result, logs=lines.of(arn))

    @contextmanager
    def _surroundings(self, function: Function) -> Iterator[_Lines]:
        """The function's environment and the folder of its module, and its log at hand."""
        root = logging.getLogger()
        lines, level = _Lines(root), root.level
        root.addHandler(lines)
        root.setLevel(logging.INFO)
        path = [str(self.folder), *sys.path]
        try:
            with mock.patch.dict(os.environ, function.variables()), mock.patch("sys.path", path):
                yield lines
        finally:
            root.removeHandler(lines)
            root.setLevel(level)

    def _runner(self, requirement: str, function: Function, tuning: bool, apart: bool) -> DurableFunctionTestRunner:
        runner = DurableFunctionTestRunner(
            function.handler if apart else _load(function.handler),
            isolation="process" if apart else "inline",
            function_name=f"requirement-{requirement}",
            execution_timeout=function.execution_timeout,
            invocation_timeout=function.timeout,
            sdk_tuning=tuning,
        )
        for name in function.targets:
            runner.register_durable_function(name, _load(Function.read(self.manifest["targets"][name]).handler))
        return runner


def ids_in(file: Path) -> frozenset[str]:
    """Requirements that a file names, one a line; what follows a ``#`` is a remark."""
    lines = (line.partition("#")[0] for line in file.read_text(encoding="utf-8").splitlines())
    return frozenset(word for line in lines for word in line.split())


class _Lines(logging.Handler):
    def __init__(self, root: logging.Logger) -> None:
        super().__init__(logging.INFO)
        # An SDK says whose line it is, and drops what a replay says, in a filter that the handlers it found have got.
        self.filters = list(root.filters)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    def of(self, arn: str) -> tuple[str, ...]:
        return tuple(each.getMessage() for each in self.records if getattr(each, "executionArn", None) == arn)


def _load(handler: str) -> Any:
    module, _, attribute = handler.partition(":")
    return getattr(importlib.import_module(module), attribute)


def _answer(runner: DurableFunctionTestRunner, arn: str, left: list[Answer]) -> None:
    """The callback that has been open longest gets the first answer that is meant for it."""
    while left:
        callback_id = runner.wait_for_callback(arn)
        name = _name_of(callback_id, runner.get_execution_history(arn))
        answer = next(each for each in left if fnmatch.fnmatch(name, each.callback))
        left.remove(answer)
        runner.advance(answer.after)
        if answer.operation == "heartbeat":
            runner.send_callback_heartbeat(callback_id)
            continue
        send = runner.send_callback_failure if answer.operation == "failure" else runner.send_callback_success
        payload = None if answer.payload is None else json.dumps(answer.payload)
        send(callback_id, answer.payload if answer.operation == "failure" else payload)
        runner.run_until_suspended(arn)


def _name_of(callback_id: str, history: list[dict[str, Any]]) -> str:
    names = [
        str(each.get("Name", ""))
        for each in history
        if each["EventType"] == "CallbackStarted" and each["CallbackStartedDetails"]["CallbackId"] == callback_id
    ]
    return names[0]


# ---------------------------------------------------------------------------- what they have left, in short


_FIELDS = ("Duration", "Timeout", "HeartbeatTimeout", "TenantId")
_PAYLOADS = (("Input", "with"), ("Result", "="))


def lines_of(events: list[dict[str, Any]]) -> list[str]:
    """A history in short: operations have letters, and ``b<a`` is one inside another."""
    letters: dict[str, str] = {}
    return [line_of(event, letters) for event in events[1:]]


def line_of(event: dict[str, Any], letters: dict[str, str]) -> str:
    kind, details = event["EventType"], event[f"{event['EventType']}Details"]
    words = [kind]
    if "Id" in event and not kind.startswith("Execution"):
        own = letters.setdefault(event["Id"], chr(ord("a") + len(letters)))
        words.append(f"{own}<{letters[event['ParentId']]}" if "ParentId" in event else own)
        words.append(event.get("SubType", ""))
    if "Name" in event:
        words.append(f"'{event['Name']}'")
    words += [f"{key}={details[key]}" for key in _FIELDS if details.get(key)]
    retry = details.get("RetryDetails") or {}
    words += [f"attempt={retry['CurrentAttempt']}"] if retry.get("CurrentAttempt", 1) > 1 else []
    words += [f"next={retry['NextAttemptDelaySeconds']}"] if "NextAttemptDelaySeconds" in retry else []
    error = (details.get("Error") or {}).get("Payload") or {}
    words += [error["ErrorType"]] if "ErrorType" in error else []
    for key, sign in _PAYLOADS:
        payload = (details.get(key) or {}).get("Payload")
        words += [] if payload is None else [f"{sign} {payload[:50]}"]
    return " ".join(filter(None, words))


def unlike(lines: list[str], entry: dict[str, Any]) -> list[str]:
    """The lines of a history that are not as ``expected.yaml`` has them, where ``*`` stands for anything."""
    wanted: list[str] = entry["history"]
    if entry.get("any order"):
        kinds = sorted(line.partition(" ")[0] for line in lines)
        return [] if kinds == sorted(line.partition(" ")[0] for line in wanted) else lines
    if len(lines) != len(wanted):
        return lines
    return [line for line, want in zip(lines, wanted, strict=True) if not _fits(line, want)]


def _fits(line: str, expected: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split("*"))), line) is not None

"""Handlers for conformance requirements, and how they are played.

A folder of them has ``manifest.yaml``, which says who answers which requirement, ``expected.yaml``, which says what
happens from outside and what comes of it, and ``isolated.txt`` with those whose handlers end their own process.
"""

from __future__ import annotations

import fnmatch
import importlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner.runner import DurableFunctionTestResult
from conformance_records import SCRATCH, Record, listening, said_by

HERE = Path(__file__).resolve().parent
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
    def sandboxed(self) -> str:
        """Its handler in a process that leaves its log behind."""
        return f"conformance_process:{self.handler.replace(':', '.')}"

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
    """What came of it: the result with its history, and what the execution has logged."""

    result: DurableFunctionTestResult
    logs: list[Record]


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
        with (
            self.surroundings(function),
            listening() as log,
            self._runner(requirement, function, tuning, apart) as runner,
        ):
            arn = runner.run_async(json.dumps(plan.event), execution_name=f"requirement-{requirement}")
            _answer(runner, arn, list(plan.answers))
            result = runner.wait_for_result(arn) if plan.ends else runner.run_until_suspended(arn)
            return Played(result=result, logs=said_by(arn, log))

    @contextmanager
    def surroundings(self, function: Function) -> Iterator[None]:
        """The function's environment, the folder of its module, and one for what has to outlive its process."""
        with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
            variables = function.variables() | {SCRATCH: scratch}
            path = [str(self.folder), str(HERE), *sys.path]
            with mock.patch.dict(os.environ, variables), mock.patch("sys.path", path):
                yield

    def _runner(self, requirement: str, function: Function, tuning: bool, apart: bool) -> DurableFunctionTestRunner:
        runner = DurableFunctionTestRunner(
            function.sandboxed if apart else load(function.handler),
            isolation="process" if apart else "inline",
            function_name=f"requirement-{requirement}",
            execution_timeout=function.execution_timeout,
            invocation_timeout=function.timeout,
            sdk_tuning=tuning,
        )
        for name in function.targets:
            runner.register_durable_function(name, load(Function.read(self.manifest["targets"][name]).handler))
        return runner


def ids_in(file: Path) -> frozenset[str]:
    """Requirements that a file names, one a line; what follows a ``#`` is a remark."""
    lines = (line.partition("#")[0] for line in file.read_text(encoding="utf-8").splitlines())
    return frozenset(word for line in lines for word in line.split())


def load(handler: str) -> Any:
    """A handler by its name, ``module:attribute``."""
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

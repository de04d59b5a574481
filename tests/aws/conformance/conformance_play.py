"""Plays a handler of the manifest: starts it, answers its callbacks, and gives what came of it."""

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
from conformance_logs import Record, listening, said_by

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner.runner import DurableFunctionTestResult

HERE = Path(__file__).resolve().parent
MANIFEST = yaml.safe_load((HERE / "manifest.yaml").read_text(encoding="utf-8"))
IN_A_PROCESS = {"1-17", "1-18", "3-12"}
"""Their handlers end the process that they are in."""


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
        return [name for value in self.environment.values() for name in re.findall(r"\$\{(\w+)\.Arn\}", value)]

    def variables(self) -> dict[str, str]:
        return {name: re.sub(r"\$\{(\w+)\.Arn\}", r"\1", value) for name, value in self.environment.items()}


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


@dataclass(frozen=True, kw_only=True)
class Played:
    """What came of it: the result with its history, and what the execution has logged."""

    result: DurableFunctionTestResult
    logs: list[Record]


def play(requirement: str, plan: Plan, *, tuning: bool = True) -> Played:
    """Run the handler of a requirement."""
    function = Function.read(MANIFEST["requirements"][requirement])
    with _surroundings(function) as scratch, listening() as log, _runner(requirement, function, tuning) as runner:
        arn = runner.run_async(json.dumps(plan.event), execution_name=f"requirement-{requirement}")
        _answer(runner, arn, list(plan.answers))
        result = runner.wait_for_result(arn) if plan.ends else runner.run_until_suspended(arn)
        return Played(result=result, logs=said_by(arn, log, scratch))


@contextmanager
def _surroundings(function: Function) -> Iterator[Path]:
    """The function's environment, the folder of its module, and a folder for what has to outlive its process."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as scratch:
        variables = function.variables() | {"SCRATCH": scratch}
        with mock.patch.dict(os.environ, variables), mock.patch("sys.path", [str(HERE), *sys.path]):
            yield Path(scratch)


def _runner(requirement: str, function: Function, tuning: bool) -> DurableFunctionTestRunner:
    apart = requirement in IN_A_PROCESS
    runner = DurableFunctionTestRunner(
        f"conformance_sandbox:{function.handler.replace(':', '.')}" if apart else _load(function.handler),
        isolation="process" if apart else "inline",
        function_name=f"requirement-{requirement}",
        execution_timeout=function.execution_timeout,
        invocation_timeout=function.timeout,
        sdk_tuning=tuning,
    )
    for name in function.targets:
        runner.register_durable_function(name, _load(Function.read(MANIFEST["targets"][name]).handler))
    return runner


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

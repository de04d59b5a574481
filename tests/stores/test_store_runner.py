"""A runner with a store on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from async_durable_execution import durable_execution, step, wait

from async_durable_execution_runner import DurableFunctionTestRunner, StoreError
from async_durable_execution_runner._model.execution import Change
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.memory import MemoryExecutionStore
from async_durable_execution_runner.stores.selection import open_store

ON_DISK = pytest.mark.parametrize("kind", ["filesystem", "sqlite"])


async def one() -> str:
    return "zażółć"


@durable_execution
async def order(event: int) -> str:
    for _ in range(event):
        await step(one)
        await wait(3600)
    return "shipped"


@ON_DISK
def test_a_run_is_there_afterwards_as_it_was(kind: str, tmp_path: Path) -> None:
    with DurableFunctionTestRunner(order, store=kind, store_path=tmp_path / "place") as runner:
        result = runner.run(3).ensure_succeeded()
        live = runner._find(result.execution_arn).snapshot()
    store = open_store(kind, tmp_path / "place")
    assert store.load(result.execution_arn) == live
    assert len(live.invocations) == 4
    store.close()


@ON_DISK
def test_the_environment_names_the_store(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", kind)
    monkeypatch.setenv("AWS_DEX_STORE_PATH", str(tmp_path / "place"))
    with DurableFunctionTestRunner(order) as runner:
        runner.run(1).ensure_succeeded()
    store = open_store(kind, tmp_path / "place")
    assert len(store.list(ExecutionQuery())) == 1
    store.close()


@ON_DISK
def test_a_second_runner_replaces_nothing(kind: str, tmp_path: Path) -> None:
    arns = set()
    for number in range(3):
        with DurableFunctionTestRunner(order, store=kind, store_path=tmp_path / "place") as runner:
            arns.add(runner.run(number).execution_arn)
            arns.add(runner.run(number, execution_name="named").execution_arn)
    store = open_store(kind, tmp_path / "place")
    assert {header.arn for header in store.list(ExecutionQuery())} == arns
    assert len(arns) == 6
    store.close()


KILLED = """
import sys
from async_durable_execution import durable_callable, durable_execution, step
from async_durable_execution_runner import DurableFunctionTestRunner

@durable_callable
async def one(number):
    print(number, flush=True)
    return "x" * 1000

@durable_execution
async def forever(event):
    number = 0
    while True:
        number += 1
        await step(one(number))

with DurableFunctionTestRunner(forever, store=sys.argv[1], store_path=sys.argv[2]) as runner:
    runner.run()
"""


@ON_DISK
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a thing of POSIX")
@pytest.mark.parametrize("steps", [1, 100])
def test_what_was_checkpointed_survives_kill_9(kind: str, steps: int, tmp_path: Path) -> None:
    command = [sys.executable, "-c", KILLED, kind, str(tmp_path / "place")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        number = 0
        while number < steps:
            number = int(child.stdout.readline())
        os.kill(child.pid, signal.SIGKILL)
        number = max([number, *map(int, child.stdout.read().split())])
    store = open_store(kind, tmp_path / "place")
    (header,) = store.list(ExecutionQuery())
    record = store.load(header.arn)
    done = [event for event in record.events if event.event_type == "StepSucceeded"]
    # A step's body runs once its start is acknowledged, and that only follows the end of the one before.
    assert number - 1 <= len(done) <= number
    assert [event.event_id for event in record.events] == list(range(1, len(record.events) + 1))
    assert [each.ended_at for each in record.invocations] == [None]
    store.close()


def test_what_the_store_cannot_keep_has_not_happened(tmp_path: Path) -> None:
    """A full disk in the middle of a run: the test is told which file, and live and stored history agree."""

    class Full(MemoryExecutionStore):
        room = 6

        def append(self, execution_arn: str, change: Change) -> None:
            self.room -= 1
            if self.room < 0:
                raise StoreError("cannot write orders.journal: no space left on device")
            super().append(execution_arn, change)

    store = Full()
    runner = DurableFunctionTestRunner(order, store=store)
    with pytest.raises(StoreError, match=r"orders\.journal: no space left"):
        runner.run(20)
    (arn,) = runner._local.executor.executions
    live, kept = runner._find(arn).snapshot(), store.load(arn)
    assert live.events == kept.events
    assert live.operations == kept.operations
    runner.close()


def test_a_second_writer_of_one_execution_is_found_out(tmp_path: Path) -> None:
    with DurableFunctionTestRunner(order, store="sqlite", store_path=tmp_path / "place") as runner:
        arn = runner.run_async(2)
        runner.run_until_suspended(arn)
    one = DurableFunctionTestRunner(order, store="sqlite", store_path=tmp_path / "place")
    two = DurableFunctionTestRunner(order, store="sqlite", store_path=tmp_path / "place")
    one.resume(arn)
    two.resume(arn)
    assert one.wait_for_result(arn).value == "shipped"
    with pytest.raises(StoreError, match="was written by somebody else while it was running"):
        two.wait_for_result(arn)
    one.close()
    two.close()
    store = open_store("sqlite", tmp_path / "place")
    ids = [event.event_id for event in store.load(arn).events]
    assert ids == list(range(1, len(ids) + 1))
    store.close()

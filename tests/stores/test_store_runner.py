"""A runner with a store on disk."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from async_durable_execution import RetryStrategy, durable_execution, step, wait

from async_durable_execution_runner import DurableFunctionTestRunner, StoreError
from async_durable_execution_runner._model.execution import Change
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.memory import MemoryExecutionStore
from async_durable_execution_runner.stores.selection import open_store
from async_durable_execution_runner.testing import samples

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
    # And it goes on once there is room.
    for room in (0, 1, 2, 3, 1000):
        store.room = room
        if room < 1000:
            with pytest.raises(StoreError):
                runner.wait_for_result(arn)
    result = runner.wait_for_result(arn)
    assert result.value == "shipped"
    assert [event["EventId"] for event in result.events] == list(range(1, len(result.events) + 1))
    assert store.load(arn) == runner._find(arn).snapshot()
    runner.close()


@ON_DISK
@pytest.mark.parametrize("waits", [2, 40])
def test_a_second_writer_of_one_execution_is_found_out(kind: str, waits: int, tmp_path: Path) -> None:
    with DurableFunctionTestRunner(order, store=kind, store_path=tmp_path / "place") as runner:
        arn = runner.run_async(waits)
        runner.run_until_suspended(arn)
    one = DurableFunctionTestRunner(order, store=kind, store_path=tmp_path / "place")
    two = DurableFunctionTestRunner(order, store=kind, store_path=tmp_path / "place")
    one.resume(arn)
    two.resume(arn)
    one.advance(3600)
    for _ in range(2):  # also when it is tried again
        with pytest.raises(StoreError, match="was written by somebody else while"):
            two.advance(3600)
    assert one.wait_for_result(arn).value == "shipped"
    one.close()
    two.close()
    store = open_store(kind, tmp_path / "place")
    ids = [event.event_id for event in store.load(arn).events]
    assert ids == list(range(1, len(ids) + 1))
    store.close()


RIVAL = """
import sys
from async_durable_execution_runner import StoreError
from async_durable_execution_runner.stores.selection import open_store
from async_durable_execution_runner.testing import samples

kind, place = sys.argv[1:]
arn = samples.arn_of("contested")
won = 0
for _ in range(60):
    store = open_store(kind, place)
    number = len(store.load(arn).events)
    try:
        for step in range(5):
            store.append(arn, samples.step(number + 1 + step))
            won += 1
    except StoreError as error:
        assert "by somebody else" in str(error), error
    # Not closed: as good as killed.
print(won)
"""


@ON_DISK
def test_processes_that_race_for_one_execution_spoil_nothing(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "place"
    store = open_store(kind, place)
    store.create(samples.new("contested"))
    store.close()
    rivals = [
        subprocess.Popen([sys.executable, "-c", RIVAL, kind, str(place)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    won = [int(rival.communicate(timeout=60)[0]) for rival in rivals]
    store = open_store(kind, place)
    ids = [event.event_id for event in store.load(samples.arn_of("contested")).events]
    assert ids == list(range(1, sum(won) + 2))
    store.close()


async def refuse() -> None:
    raise ConnectionError("the bank does not answer")


@durable_execution
async def failing(event: object) -> None:
    await step(refuse, name="charge", retry_strategy=RetryStrategy(max_attempts=1))


@pytest.mark.parametrize("kind", ["memory", "filesystem", "sqlite"])
def test_a_failed_run_read_back_tells_of_its_first_error(kind: str, tmp_path: Path) -> None:
    store = open_store(kind, tmp_path / "place")
    with DurableFunctionTestRunner(failing, store=store) as runner:
        first = runner.run()
    text = first.render()
    assert "first error, in Step 'charge', at " in text
    assert 'raise ConnectionError("the bank does not answer")' in text
    if kind != "memory":
        store = open_store(kind, tmp_path / "place")
    with DurableFunctionTestRunner(failing, store=store) as runner:
        again = runner.get_result(first.execution_arn)
    assert again == first
    assert again.render() == text


DENIED = """
import os, sys, tempfile
from pathlib import Path
from async_durable_execution_runner import StoreError
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.selection import open_store
from async_durable_execution_runner.testing import samples

kind = sys.argv[1]
with tempfile.TemporaryDirectory() as folder:
    os.chmod(folder, 0o755)
    place = Path(folder, "executions", "place" if kind == "filesystem" else "place.sqlite3")
    store = open_store(kind, place)
    store.create(samples.new("order"))
    arn = samples.arn_of("order")
    store.append(arn, samples.step(2))
    store.close()
    home = place if place.is_dir() else place.parent
    files = list(home.iterdir())
    before = {each: each.read_bytes() for each in files}
    for each in files:
        each.chmod(0o444)
    home.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    for name, attempt in {
        "append": lambda store: store.append(arn, samples.step(3)),
        "create": lambda store: store.create(samples.new("other")),
    }.items():
        try:
            attempt(open_store(kind, place))
        except StoreError as error:
            print(name, "refused:", error)
    if os.getuid() == 0:
        os.seteuid(0)
    home.chmod(0o755)
    for each in files:
        each.chmod(0o644)
    print("untouched", all(each.read_bytes() == text for each, text in before.items()))
    print("listed", [header.name for header in open_store(kind, place).list(ExecutionQuery())])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions are a thing of POSIX")
@ON_DISK
def test_permission_denied_by_the_system(kind: str) -> None:
    done = subprocess.run([sys.executable, "-c", DENIED, kind], capture_output=True, text=True, timeout=60, check=False)
    lines = done.stdout.splitlines()
    assert [line.partition(":")[0] for line in lines[:2]] == ["append refused", "create refused"], done.stderr
    assert all("/place" in line for line in lines[:2])
    assert lines[2:] == ["untouched True", "listed ['order']"]

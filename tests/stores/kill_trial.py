"""A workflow of some 500 checkpoints in a process that is killed with ``kill -9``, and what is left of it.

``python tests/stores/kill_trial.py filesystem --rounds 200`` plays it many times and prints what it saw; the tests play
it a few times.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from async_durable_execution import RetryStrategy, StepSemantics, durable_execution, run_in_child_context, step, wait

from async_durable_execution_runner import DurableFunctionTestRunner, ExecutionStatus
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.selection import open_store

ROUNDS, STEPS = 24, 9
"""Each round has steps, a wait and a child context: about 20 checkpoints, one invocation."""
EXPECTED = sum(range(ROUNDS * STEPS)) + ROUNDS


def append(path: Path, line: str) -> None:
    """One line in one write: it is there or it is not."""
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{line}\n".encode())
    os.close(descriptor)


@durable_execution
async def workflow(event: str) -> int:
    place = Path(event)
    total = 0
    for part in range(ROUNDS):
        for number in range(part * STEPS, (part + 1) * STEPS):
            total += await charge(place, number)
            append(place / "acknowledged", str(number))
        total += await run_in_child_context(one, name=f"child-{part}")
        await wait(60, name=f"wait-{part}")
    return total


async def one() -> int:
    return 1


async def charge(place: Path, number: int) -> int:
    """A step with an effect that must not happen twice; interrupted, it is looked up instead of repeated."""

    async def effect() -> int:
        append(place / "effects", str(number))
        return number

    async def look_up() -> int:
        return number

    try:
        return await step(
            effect,
            name=f"charge-{number}",
            step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
            retry_strategy=RetryStrategy.none(),
        )
    except Exception:  # noqa: BLE001 - whatever the SDK makes of an interrupted step
        return await step(look_up, name=f"look-up-{number}")


@dataclass(frozen=True)
class Seen:
    """What one trial showed."""

    acknowledged: int
    status_before: str
    doubled: int


def live(kind: str, place: Path) -> None:
    """The child's life."""
    with DurableFunctionTestRunner(workflow, store=kind, store_path=place / "store") as runner:
        append(place / "born", "")
        runner.run(str(place)).ensure_succeeded()
    append(place / "done", "")


def trial(kind: str, place: Path, chance: random.Random) -> Seen:
    """Kill a child at some moment of its life, look at what is kept, and go on from it."""
    child = subprocess.Popen(
        [sys.executable, __file__, kind, "--live", str(place)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while not (place / "born").exists():
        assert child.poll() is None, "the child died by itself"
        time.sleep(0.001)
    time.sleep(chance.uniform(0, 0.7))
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    return examine(kind, place)


def examine(kind: str, place: Path) -> Seen:
    """No acknowledged checkpoint is missing, everything is readable, the execution ends well, no effect came twice."""
    acknowledged = lines(place / "acknowledged")
    store = open_store(kind, place / "store")
    headers = store.list(ExecutionQuery())
    assert len(headers) <= 1
    if not headers:
        assert not acknowledged
        return Seen(0, "nothing", 0)
    record = store.load(headers[0].arn)
    store.close()
    kept = {op.name for op in record.operations if op.status == "SUCCEEDED"}
    missing = [n for n in acknowledged if f"charge-{n}" not in kept and f"look-up-{n}" not in kept]
    assert not missing, f"acknowledged and not kept: {missing}"
    assert [event.event_id for event in record.events] == list(range(1, len(record.events) + 1))
    with DurableFunctionTestRunner(workflow, store=kind, store_path=place / "store") as runner:
        runner.resume(record.header.arn)
        result: Any = runner.wait_for_result(record.header.arn)
    assert result.execution_status is ExecutionStatus.SUCCEEDED, result.render()[-2000:]
    assert result.value == EXPECTED
    doubled = [number for number, times in Counter(lines(place / "effects")).items() if times > 1]
    assert not doubled, f"effects that came twice: {doubled}"
    return Seen(len(set(acknowledged)), str(record.header.status), len(doubled))


def lines(path: Path) -> list[str]:
    return path.read_text().split() if path.exists() else []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["filesystem", "sqlite"])
    parser.add_argument("--live", type=Path, help="be the child, in this folder")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.live:
        live(args.kind, args.live)
        return
    chance, seen = random.Random(args.seed), []
    for number in range(1, args.rounds + 1):
        with tempfile.TemporaryDirectory() as place:
            seen.append(trial(args.kind, Path(place), chance))
        print(f"\r{number} of {args.rounds}", end="", flush=True, file=sys.stderr)
    points = sorted(each.acknowledged for each in seen)
    print(
        f"\n{args.kind}: {len(seen)} kills, at {points[0]} to {points[-1]} acknowledged steps "
        f"(median {points[len(points) // 2]}), {sum(each.status_before == 'RUNNING' for each in seen)} unfinished; "
        "nothing lost, nothing unreadable, all resumed to the right result, no effect twice"
    )


if __name__ == "__main__":
    main()

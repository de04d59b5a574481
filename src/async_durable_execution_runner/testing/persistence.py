"""Checks of stores that keep executions beyond their own life."""

from __future__ import annotations

from .._model.execution import Change
from ..exceptions import ResourceConflictException, ResourceNotFoundException
from ..stores.base import ExecutionQuery
from ..stores.folding import Folded
from . import samples
from .bench import Bench, Check, compare, listed, refuses, require, short
from .killed import ENOUGH, acknowledged_by_a_killed_writer

__all__ = ["CHECKS"]


def is_there_when_reopened(bench: Bench) -> None:
    """After ``close`` the next store has it all, and goes on with it."""
    expected = Folded(samples.new("reopened"))
    arn = bench.create(expected.record())
    for change in [*samples.of_every_kind(), *map(samples.step, range(8, 12))]:
        bench.store.append(arn, change)
        expected.apply(change)
        bench.reopen()
        bench.expect(expected.record(), "after close and opening again")
    change = samples.closing(expected.header, 12)
    bench.store.append(arn, change)
    expected.apply(change)
    bench.reopen()
    bench.expect(expected.record(), "ended, after close and opening again")


def is_there_without_close(bench: Bench) -> None:
    """What was acknowledged is there for a store that is opened while the writer never closes."""
    expected = Folded(samples.new("abandoned"))
    arn = bench.create(expected.record())
    changes: list[Change] = [*samples.of_every_kind(), *map(samples.step, range(8, 12))]
    for number, change in enumerate(changes, 1):
        bench.store.append(arn, change)
        expected.apply(change)
        bench.store = bench.another() if number % 3 == 0 else bench.store
        compare(
            bench.another().load(arn), expected.record(), f"seen by another store after change {number}, not closed"
        )


def keeps_the_order_of_creation(bench: Bench) -> None:
    """Also of executions that started at the same instant and were created by stores one after the other."""
    function = f"{samples.FUNCTION}-reopened"
    names = ["d", "b", "f", "a", "e", "c"]
    for number, name in enumerate(names):
        bench.create(samples.new(name, function_arn=function))
        if number % 2:
            bench.reopen()
    found = listed(bench, function_arn=function, reverse=True)
    require(found == names, f"created in the order {names}, listed after opening again as {found}")


def is_there_for_others(bench: Bench) -> None:
    """Two stores of one place, as of two processes: each sees what the other has created, ended and deleted."""
    other = bench.another()
    record = samples.new("shared")
    arn = bench.create(record)
    compare(other.load(arn), record, "seen by another store")
    query = ExecutionQuery(function_arn=samples.FUNCTION, name="shared", statuses=frozenset({"SUCCEEDED"}))
    require(not other.list(query), "another store lists it as succeeded too early")
    bench.store.append(arn, samples.closing(record.header, 2))
    require(len(other.list(query)) == 1, "another store does not list it after its end")
    refuses(ResourceConflictException, lambda: other.create(record), "create by another store of an ARN that is taken")
    other.delete(arn)
    refuses(ResourceNotFoundException, lambda: bench.store.load(arn), "load after another store has deleted it")


def survives_a_killed_writer(bench: Bench) -> None:
    """A process that is killed while it writes leaves everything that it was told is kept, and nothing unreadable."""
    record = samples.new("killed")
    for size, delay in ((10, 0.0), (10, 0.003), (10, 0.05), (300_000, 0.0), (300_000, 0.005), (1_000_000, 0.01)):
        arn = bench.create(record)
        bench.reopen()
        acknowledged = acknowledged_by_a_killed_writer(bench.factory, arn, size, delay)
        if acknowledged is None:
            return  # a system without fork
        bench.reopen()
        numbers = [event.event_id for event in bench.store.load(arn).events]
        require(acknowledged >= ENOUGH, f"a process that only writes gave up after {acknowledged} changes")
        require(len(numbers) > acknowledged, f"{acknowledged} changes were acknowledged, {len(numbers) - 1} are there")
        require(
            numbers == list(range(1, len(numbers) + 1)), f"after a writer was killed, the events are {short(numbers)}"
        )
        bench.store.append(arn, samples.step(len(numbers) + 1))
        bench.reopen()
        require(len(bench.store.load(arn).events) == len(numbers) + 1, "after a writer was killed, a change is lost")


CHECKS: dict[str, Check] = {
    "reopened": is_there_when_reopened,
    "reopened without close": is_there_without_close,
    "order of creation": keeps_the_order_of_creation,
    "two stores of one place": is_there_for_others,
    "killed writer": survives_a_killed_writer,
}

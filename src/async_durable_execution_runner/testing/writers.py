"""Checks with several threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable

from ..exceptions import ResourceConflictException
from ..stores.base import ExecutionQuery
from . import samples
from .bench import Bench, Check, require, short

__all__ = ["CHECKS"]


def _at_once(works: Iterable[Callable[[], None]]) -> None:
    """Run works in threads of their own; the first error is raised."""
    errors: list[BaseException] = []
    works = list(works)
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], None]) -> None:
        gate.wait()
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - raised below, on the thread of the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def serves_writers_at_once(bench: Bench) -> None:
    """Executions that are written at the same time, and read meanwhile."""
    arns = [bench.create(samples.new(f"thread{number}")) for number in range(8)]

    def write(arn: str) -> Callable[[], None]:
        def work() -> None:
            for number in range(2, 42):
                bench.store.append(arn, samples.step(number))
                if number % 10 == 0:
                    bench.store.list(ExecutionQuery(function_arn=samples.FUNCTION))

        return work

    _at_once(map(write, arns))
    for arn in arns:
        numbers = [event.event_id for event in bench.store.load(arn).events]
        require(numbers == list(range(1, 42)), f"8 threads wrote 40 changes each; one execution has {short(numbers)}")


def serves_writers_of_one(bench: Bench) -> None:
    """Changes of one execution from several threads: all are kept, those of each thread in order."""
    arn = bench.create(samples.new("one"))

    def write(first: int) -> Callable[[], None]:
        def work() -> None:
            for number in range(20):
                bench.store.append(arn, samples.step(first + number))

        return work

    _at_once(write(1000 * number) for number in range(1, 7))
    numbers = [event.event_id for event in bench.store.load(arn).events[1:]]
    for first in range(1000, 7000, 1000):
        own = [number for number in numbers if first <= number < first + 1000]
        require(
            own == list(range(first, first + 20)), f"of 20 changes of one thread among 6, {len(own)} are kept in order"
        )


def gives_an_arn_once(bench: Bench) -> None:
    """Of several that create the same ARN at the same time, one succeeds."""
    record = samples.new("contested")
    bench.store.delete(bench.create(record))
    created: list[int] = []

    def create(number: int) -> Callable[[], None]:
        def work() -> None:
            with contextlib.suppress(ResourceConflictException):
                bench.store.create(record)
                created.append(number)

        return work

    _at_once(map(create, range(6)))
    require(len(created) == 1, f"6 threads created the same ARN, and {len(created)} were told that they had")
    bench.expect(record, "after 6 threads created it")


CHECKS: dict[str, Check] = {
    "writers at once": serves_writers_at_once,
    "writers of one execution": serves_writers_of_one,
    "creators of one ARN": gives_an_arn_once,
}

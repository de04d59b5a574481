"""The threads that answer requests: as many as are busy, used again, and never in anybody's way."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from async_durable_execution_runner._drivers.workers import Workers

NAME = "test-worker"


def threads() -> int:
    return sum(thread.name == NAME for thread in threading.enumerate())


def until(count: int) -> None:
    end = time.monotonic() + 20
    while threads() != count:
        assert time.monotonic() < end, threads()
        time.sleep(0.001)


@pytest.fixture
def workers() -> Iterator[Workers]:
    made = Workers(NAME)
    yield made
    made.shutdown()
    until(0)


def test_one_after_the_other_is_one_thread(workers: Workers) -> None:
    used = {workers.submit(threading.get_ident).result(timeout=20) for _ in range(20)}
    assert len(used) == threads() == 1


def test_who_blocks_is_in_nobodys_way(workers: Workers) -> None:
    blocked = threading.Event()
    futures = [workers.submit(blocked.wait, 20) for _ in range(5)]
    assert workers.submit(lambda: "done").result(timeout=20) == "done"
    assert threads() == 6
    blocked.set()
    assert all(future.result(timeout=20) for future in futures)
    assert workers.submit(lambda: "more").result(timeout=20) == "more"
    assert threads() == 6


def test_what_a_job_raises_belongs_to_who_asked(workers: Workers) -> None:
    with pytest.raises(ZeroDivisionError):
        workers.submit(lambda: 1 // 0).result(timeout=20)
    assert workers.submit(lambda: 1).result(timeout=20) == 1
    assert threads() == 1


def test_many_askers_at_a_time(workers: Workers) -> None:
    answers: list[int] = []

    def ask(number: int) -> None:
        answers.extend(workers.submit(int, number).result(timeout=20) for number in range(number, number + 50))

    askers = [threading.Thread(target=ask, args=(50 * each,)) for each in range(10)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(20)
    assert sorted(answers) == list(range(500))
    assert threads() <= 10


def test_threads_without_work_go_home() -> None:
    workers = Workers(NAME, idle_seconds=0.001)
    assert workers.submit(lambda: 1).result(timeout=20) == 1
    until(0)
    assert workers.submit(lambda: 2).result(timeout=20) == 2
    workers.shutdown()
    until(0)


def test_after_the_end_there_is_no_more_work(workers: Workers) -> None:
    workers.shutdown()
    with pytest.raises(RuntimeError, match="sent home"):
        workers.submit(lambda: 1)

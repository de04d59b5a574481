"""When the threads of a replayed handler count as waiting."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from async_durable_execution_runner._drivers.quiet import Quiet

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only time tells")


@pytest.fixture
def begin() -> Iterator[Callable[[Callable[[threading.Event], object]], None]]:
    """Begins threads that end when the event that they are given is set."""
    over, threads = threading.Event(), []

    def begin(work: Callable[[threading.Event], object]) -> None:
        threads.append(threading.Thread(target=work, args=(over,), daemon=True))
        threads[-1].start()

    yield begin
    over.set()
    for thread in threads:
        thread.join()


def looks(quiet: Quiet, activity: int = 0) -> list[bool]:
    found = []
    for _ in range(3):
        found.append(quiet.look(activity))
        time.sleep(quiet.seconds)
    return found


@pytest.fixture
def quiet() -> Quiet:
    """Its patience is endless, so that only what it sees tells."""
    made = Quiet(None)
    made.patience = 3600
    return made


def test_threads_that_wait_for_each_other_are_quiet(quiet: Quiet, begin: Callable[..., None]) -> None:
    begin(lambda over: over.wait())
    assert until(lambda: looks(quiet)[-1])


def test_not_before_two_looks_at_the_same(quiet: Quiet) -> None:
    assert not quiet.look(0)
    assert not quiet.look(1)


def test_a_thread_that_runs_is_not_quiet(quiet: Quiet, begin: Callable[..., None]) -> None:
    def run(over: threading.Event) -> None:
        while not over.is_set():
            pass

    begin(run)
    assert not any(any(looks(quiet)) for _ in range(20))


def test_a_thread_that_sleeps_in_code_of_its_own_is_on_its_way(quiet: Quiet, begin: Callable[..., None]) -> None:
    def sleep(over: threading.Event) -> None:
        while not over.is_set():
            time.sleep(0.05)

    begin(sleep)
    assert not any(any(looks(quiet)) for _ in range(20))


def test_a_bystander_may_sleep_where_it_will(begin: Callable[..., None]) -> None:
    def sleep(over: threading.Event) -> None:
        while not over.is_set():
            time.sleep(0.05)

    begin(sleep)
    quiet = Quiet(None)
    quiet.patience = 3600
    assert until(lambda: looks(quiet)[-1])


def test_a_bystander_that_runs_delays_it(begin: Callable[..., None]) -> None:
    def run(over: threading.Event) -> None:
        while not over.is_set():
            pass

    begin(run)
    quiet = Quiet(None)
    quiet.patience = 3600
    begin(lambda over: over.wait())
    assert not quiet.look(0)
    assert until(lambda: looks(quiet)[-1])


def test_patience_ends() -> None:
    quiet = Quiet(None)
    quiet.patience = 0.0
    assert quiet.look(0)


def until(holds: Callable[[], bool]) -> bool:
    return any(holds() for _ in range(1000))

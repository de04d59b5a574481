"""A store that cannot keep a change: it has not happened, and still can."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from machine_kit import Handler, Service, callback, step, wait

from async_durable_execution_runner._model.execution import Change
from async_durable_execution_runner._model.failure import FailureNote
from async_durable_execution_runner.exceptions import StoreError
from async_durable_execution_runner.stores.memory import MemoryExecutionStore

NOTE = FailureNote(operation_id="s", place="orders.py:7", traceback=("ValueError: no",))


class Store(MemoryExecutionStore):
    """Refuses changes while ``full``."""

    full = False

    def append(self, execution_arn: str, change: Change) -> None:
        if self.full:
            raise StoreError("no space left on device")
        super().append(execution_arn, change)


def service() -> Service:
    return Service(store=Store())


@contextmanager
def refused(about: Service, arn: str) -> Iterator[None]:
    """A change that is refused, and leaves everything as it was."""
    before = about.execution(arn).snapshot(), about.armed(arn), about.is_ready(arn)
    about.store.full = True
    with pytest.raises(StoreError):
        yield
    about.store.full = False
    assert (about.execution(arn).snapshot(), about.armed(arn), about.is_ready(arn)) == before
    assert about.store.load(arn) == before[0]


def test_the_beginning_of_an_invocation() -> None:
    here = service()
    arn = here.start()
    with refused(here, arn):
        here.next()
    assert here.next().invocation.number == 1


@pytest.mark.parametrize("end", [Handler.crash, Handler.succeed, Handler.fail])
def test_the_end_of_an_invocation(end: Callable[[Handler], Any]) -> None:
    here = service()
    handler = here.begin()
    handler.checkpoint(step("s"))
    for _ in range(10):  # more often than a handler may crash
        with refused(here, handler.arn):
            end(handler)
    handler.checkpoint(step("s", "SUCCEED", Payload="1"))
    handler.succeed()
    assert here.status(handler.arn) == "SUCCEEDED"


def test_an_invocation_that_never_came_to_an_end_times_out() -> None:
    here = service()
    handler = here.begin()
    with refused(here, handler.arn):
        handler.succeed()
    again = here.next_handler()
    assert here.elapsed == 905
    again.succeed()
    assert here.kinds(handler.arn) == ["InvocationCompleted", "InvocationCompleted", "ExecutionSucceeded"]


@pytest.mark.parametrize("update", [wait("w", 10), callback("c", timeout=10)])
def test_a_deadline(update: dict[str, Any]) -> None:
    here = service()
    handler = here.begin()
    handler.checkpoint(update)
    handler.suspend()
    for _ in range(2):
        with refused(here, handler.arn):
            here.at(10)
    assert here.next_handler().input.updated_operation_ids == (update["Id"],)


def test_a_checkpoint() -> None:
    here = service()
    handler = here.begin()
    with refused(here, handler.arn):
        handler.checkpoint(step("s"))
    assert handler.told(step("s")) == [("s", "STARTED")]


def test_the_first_failure_is_kept_and_no_other() -> None:
    here = service()
    handler = here.begin()
    with refused(here, handler.arn):
        here.executor.note_failure(handler.arn, NOTE)
    here.executor.note_failure(handler.arn, NOTE)
    here.executor.note_failure(handler.arn, FailureNote(operation_id=None, place=None, traceback=()))
    assert here.store.load(handler.arn).first_failure == here.execution(handler.arn).snapshot().first_failure == NOTE

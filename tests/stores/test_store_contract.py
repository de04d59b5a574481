"""The stores that come with the package keep the contract; stores with one mistake each do not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from stores_broken import BROKEN, PERSISTENT_BROKEN

from async_durable_execution_runner.stores.base import ExecutionStore
from async_durable_execution_runner.stores.filesystem import FilesystemExecutionStore
from async_durable_execution_runner.stores.memory import MemoryExecutionStore
from async_durable_execution_runner.stores.sqlite import SqliteExecutionStore
from async_durable_execution_runner.testing import check_store


def test_memory() -> None:
    check_store(MemoryExecutionStore)
    check_store(MemoryExecutionStore, persistent=False)


def test_filesystem(tmp_path: Path) -> None:
    check_store(lambda: FilesystemExecutionStore(tmp_path / "executions"), persistent=True)
    assert [path for path in (tmp_path / "executions").iterdir() if path.suffix != ".tmp"] == []


def test_sqlite(tmp_path: Path) -> None:
    check_store(lambda: SqliteExecutionStore(tmp_path / "executions.sqlite3"), persistent=True)


def test_a_place_that_an_earlier_run_has_left_untidy_is_no_complaint(tmp_path: Path) -> None:
    for _ in range(2):
        check_store(lambda: FilesystemExecutionStore(tmp_path))


@pytest.mark.parametrize(("make", "complaint"), BROKEN.values(), ids=BROKEN)
def test_a_mistake_is_found(make: Callable[[], ExecutionStore], complaint: str) -> None:
    with pytest.raises(AssertionError, match=complaint) as caught:
        check_store(make, persistent=False)
    assert "checks of the store failed" in str(caught.value)


@pytest.mark.parametrize(("make", "complaint"), PERSISTENT_BROKEN.values(), ids=PERSISTENT_BROKEN)
def test_a_mistake_of_a_store_on_disk_is_found(
    make: Callable[[Path], ExecutionStore], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(AssertionError, match=complaint):
        check_store(lambda: make(tmp_path), persistent=True)


def test_a_store_that_forgets_is_told_so_only_if_it_said_that_it_does_not() -> None:
    with pytest.raises(AssertionError, match="reopened: ResourceNotFoundException"):
        check_store(MemoryExecutionStore, persistent=True)

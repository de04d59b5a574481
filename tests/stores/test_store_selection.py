"""Which store a runner uses."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from async_durable_execution_runner.exceptions import StoreError
from async_durable_execution_runner.stores import selection
from async_durable_execution_runner.stores.base import ExecutionStore, StoreType
from async_durable_execution_runner.stores.filesystem import FilesystemExecutionStore
from async_durable_execution_runner.stores.memory import MemoryExecutionStore
from async_durable_execution_runner.stores.selection import open_store
from async_durable_execution_runner.stores.sqlite import SqliteExecutionStore


class Theirs(MemoryExecutionStore):
    def __init__(self, path: Path | str | None) -> None:
        super().__init__()
        self.path = path


def unable(_path: object) -> ExecutionStore:
    raise ConnectionError("nobody listens")


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stores of other packages, and nothing in the environment."""
    for name in ("AWS_DEX_STORE_TYPE", "AWS_DEX_STORE_PATH"):
        monkeypatch.delenv(name, raising=False)
    values = {"theirs": "Theirs", "unable": "unable", "none": "Path", "sqlite": "unable", "gone": "gone"}
    points = [EntryPoint(name, f"{__name__}:{value}", selection.ENTRY_POINTS) for name, value in values.items()]
    monkeypatch.setattr(selection, "entry_points", lambda group: points if group == selection.ENTRY_POINTS else [])


@pytest.mark.parametrize("kind", [StoreType.FILESYSTEM, "filesystem"])
def test_files(kind: Any, tmp_path: Path) -> None:
    store = open_store(kind, tmp_path / "here")
    assert isinstance(store, FilesystemExecutionStore)
    assert store.folder == tmp_path / "here"


def test_sqlite_is_ours_whoever_offers_one_of_that_name(tmp_path: Path) -> None:
    store = open_store(StoreType.SQLITE, tmp_path / "here.sqlite3")
    assert isinstance(store, SqliteExecutionStore)
    store.close()


def test_memory_is_the_default() -> None:
    assert isinstance(open_store(None), MemoryExecutionStore)


def test_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "filesystem")
    monkeypatch.setenv("AWS_DEX_STORE_PATH", str(tmp_path / "environment"))
    store = open_store(None)
    assert isinstance(store, FilesystemExecutionStore)
    assert store.folder == tmp_path / "environment"
    assert isinstance(open_store("memory"), MemoryExecutionStore)
    other = open_store(None, tmp_path / "argument")
    assert isinstance(other, FilesystemExecutionStore)
    assert other.folder == tmp_path / "argument"


def test_a_store_of_another_package(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_store("theirs", "somewhere")
    assert isinstance(store, Theirs)
    assert store.path == "somewhere"
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "theirs")
    assert isinstance(open_store(None), Theirs)


@pytest.mark.parametrize(("name", "source"), [("mongo", ""), (None, " (AWS_DEX_STORE_TYPE)")])
def test_an_unknown_name_lists_those_there_are(name: Any, source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "mongo")
    with pytest.raises(StoreError) as caught:
        open_store(name)
    valid = "'memory', 'filesystem', 'sqlite', 'gone', 'none', 'theirs', 'unable'"
    assert str(caught.value) == f"unknown store 'mongo'{source}; valid: {valid}"


def test_a_store_that_cannot_be_opened() -> None:
    with pytest.raises(
        StoreError, match=r"the store 'unable' .* cannot be opened: ConnectionError\('nobody listens'\)"
    ):
        open_store("unable")
    with pytest.raises(StoreError, match="the store 'gone'"):
        open_store("gone")


def test_what_is_no_store() -> None:
    with pytest.raises(
        StoreError, match="which is no ExecutionStore: it lacks create, append, load, list, delete, close"
    ):
        open_store(object())  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="it is a class, not a store"):
        open_store(MemoryExecutionStore)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match="entry point 'none'"):
        open_store("none", "x")

"""Executions in an SQLite file: what is particular about it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from async_durable_execution_runner.exceptions import ResourceNotFoundException, StoreError
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.sqlite import SqliteExecutionStore
from async_durable_execution_runner.testing import samples

ALL = ExecutionQuery()
ARN = samples.arn_of("order")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteExecutionStore]:
    store = SqliteExecutionStore(tmp_path / "executions.sqlite3")
    store.create(samples.new("order"))
    for number in range(2, 5):
        store.append(ARN, samples.step(number))
    yield store
    store.close()


def damage(store: SqliteExecutionStore, statement: str) -> None:
    with sqlite3.connect(store.path) as database:
        database.execute(statement)
    database.close()


def test_the_default_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    SqliteExecutionStore().close()
    assert (tmp_path / ".durable_executions" / "executions.sqlite3").is_file()


def test_a_folder_holds_the_file(tmp_path: Path) -> None:
    SqliteExecutionStore(tmp_path).close()
    assert [path.name for path in tmp_path.iterdir()] == ["executions.sqlite3"]


def test_it_writes_ahead(store: SqliteExecutionStore) -> None:
    with sqlite3.connect(store.path) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    database.close()


@pytest.mark.parametrize(
    "query",
    [
        ExecutionQuery(function_arn="f"),
        ExecutionQuery(function_arn="f", statuses=frozenset({"RUNNING"})),
        ExecutionQuery(function_arn="f", name="n"),
        ExecutionQuery(function_arn="f", started_after=1, started_before=9),
    ],
    ids=["function", "status", "name", "age"],
)
def test_listings_use_an_index(store: SqliteExecutionStore, query: ExecutionQuery) -> None:
    seen: list[str] = []
    assert store._connection is not None
    store._connection.set_trace_callback(seen.append)
    store.list(query)
    store._connection.set_trace_callback(None)
    (statement,) = [each for each in seen if each.startswith("SELECT")]
    plan = [row[3] for row in store._connection.execute(f"EXPLAIN QUERY PLAN {statement}")]
    assert plan[0].startswith("SEARCH executions USING INDEX executions_by_")


def test_a_store_that_was_closed_opens_again(store: SqliteExecutionStore) -> None:
    store.close()
    store.close()
    store.append(ARN, samples.step(5))
    assert len(store.load(ARN).events) == 5


def test_a_file_of_something_else_is_refused_and_left(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no database " * 200, encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot use .*notes\.txt: file is not a database"):
        SqliteExecutionStore(text)
    other = tmp_path / "other.sqlite3"
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE theirs (id)")
    database.close()
    before = other.read_bytes()
    with pytest.raises(StoreError, match=r"other\.sqlite3 is a database of something else"):
        SqliteExecutionStore(other)
    assert other.read_bytes() == before


@pytest.mark.parametrize(("version", "age"), [(0, "an older"), (2, "a newer")])
def test_another_schema_version_is_refused(store: SqliteExecutionStore, version: int, age: str) -> None:
    store.close()
    damage(store, f"PRAGMA user_version = {version}")
    with pytest.raises(StoreError, match=f"sqlite3 was written by {age} release: its schema version is {version}"):
        SqliteExecutionStore(store.path)


def test_a_damaged_execution_is_named_and_skipped(store: SqliteExecutionStore) -> None:
    store.create(samples.new("other"))
    damage(store, "UPDATE changes SET change = substr(change, 1, 20) WHERE id = 2")
    with pytest.raises(StoreError, match=r"sqlite3 is damaged in what it keeps of .*order"):
        store.load(ARN)
    damage(store, "UPDATE executions SET header = '{' WHERE name = 'order'")
    with pytest.warns(RuntimeWarning, match=r"left out of the listing: damaged in .*sqlite3"):
        assert [header.name for header in store.list(ALL)] == ["other"]
    store.delete(ARN)
    assert len(store.list(ALL)) == 1


def test_a_file_deleted_under_us(store: SqliteExecutionStore) -> None:
    store.path.unlink()
    for _ in range(2):
        with pytest.raises(StoreError, match="sqlite3 was deleted while it was in use"):
            store.append(ARN, samples.step(5))


def test_a_full_disk(store: SqliteExecutionStore) -> None:
    assert store._connection is not None
    store._connection.execute("PRAGMA max_page_count = 20")
    with pytest.raises(StoreError, match="cannot use .*sqlite3: database or disk is full"):  # noqa: RUF043
        store.append(ARN, samples.step(5, "x" * 200_000))
    with pytest.raises(StoreError, match="full"):
        store.append(ARN, samples.closing(samples.header("order"), 5, result="x" * 200_000))
    store.append(ARN, samples.step(5))
    store.close()
    record = store.load(ARN)
    assert [event.event_id for event in record.events] == [1, 2, 3, 4, 5]
    assert record.header.status == "RUNNING"


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot use .*executions"):  # noqa: RUF043
        SqliteExecutionStore(tmp_path / "file" / "executions.sqlite3")


def test_nothing_of_a_deleted_execution_stays(store: SqliteExecutionStore) -> None:
    store.delete(ARN)
    with pytest.raises(ResourceNotFoundException):
        store.load(ARN)
    with sqlite3.connect(store.path) as database:
        assert database.execute("SELECT count(*) FROM changes").fetchone() == (0,)
    database.close()


CREATOR = """
import sys
from async_durable_execution_runner.stores.selection import open_store
from async_durable_execution_runner.testing import samples
kind, path, number = sys.argv[1:]
store = open_store(kind, path)
for each in range(20):
    name = f"p{number}-{each}"
    store.create(samples.new(name))
    for event in range(2, 12):
        store.append(samples.arn_of(name), samples.step(event))
    store.append(samples.arn_of(name), samples.closing(samples.header(name), 12))
store.close()
"""


@pytest.mark.parametrize("kind", ["sqlite", "filesystem"])
def test_processes_share_a_new_place(kind: str, tmp_path: Path) -> None:
    from async_durable_execution_runner.stores.selection import open_store

    path = tmp_path / "shared"
    children = [
        subprocess.Popen([sys.executable, "-c", CREATOR, kind, str(path), str(number)], stderr=subprocess.PIPE)
        for number in range(6)
    ]
    complaints = [child.communicate(timeout=90)[1].decode() for child in children]
    assert complaints == [""] * 6
    store = open_store(kind, path)
    headers = store.list(ExecutionQuery(statuses=frozenset({"SUCCEEDED"})))
    assert len(headers) == 120
    for header in headers:
        assert [event.event_id for event in store.load(header.arn).events] == list(range(1, 13))
    store.close()

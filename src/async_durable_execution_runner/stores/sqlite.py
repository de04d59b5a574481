"""Executions in one SQLite file: for many of them."""

from __future__ import annotations

import builtins
import contextlib
import os
import sqlite3
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from .._model.execution import Change, ExecutionHeader, ExecutionRecord
from ..exceptions import ResourceConflictException, ResourceNotFoundException, StoreError
from .base import ExecutionQuery
from .codec import SCHEMA_VERSION, from_data, from_json, to_data, to_json
from .folding import Folded

__all__ = ["SqliteExecutionStore"]

DEFAULT_FILE = Path(".durable_executions", "executions.sqlite3")
_APPLICATION = 0x44757261
"""Says in the file's head whose file it is ("Dura")."""
_PATIENCE = 30.0
"""Seconds to wait for another process that writes."""
_ATTEMPTS = 100
_AT_ONCE = 500
"""Headers read with one statement; SQLite takes at least 999 values."""

# What is asked for stands in columns; what is kept, in JSON. Changes are rows behind one another, as they come.
_TABLES = """
    CREATE TABLE executions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        arn TEXT NOT NULL UNIQUE,
        function_arn TEXT NOT NULL,
        name TEXT NOT NULL,
        status TEXT NOT NULL,
        started_at INTEGER NOT NULL,
        header TEXT NOT NULL,
        record TEXT NOT NULL
    );
    CREATE INDEX executions_by_function ON executions (function_arn, started_at, id);
    CREATE INDEX executions_by_status ON executions (function_arn, status, started_at, id);
    CREATE INDEX executions_by_name ON executions (function_arn, name);
    CREATE TABLE changes (
        id INTEGER PRIMARY KEY,
        execution INTEGER NOT NULL REFERENCES executions (id) ON DELETE CASCADE,
        change TEXT NOT NULL
    );
    CREATE INDEX changes_by_execution ON changes (execution);
"""
_INSERT = (
    "INSERT INTO executions (arn, function_arn, name, status, started_at, header, record) VALUES (?, ?, ?, ?, ?, ?, ?)"
)
_APPEND = "INSERT INTO changes (execution, change) SELECT id, ? FROM executions WHERE arn = ?"
_APPEND_AFTER = f"{_APPEND} AND (SELECT MAX(id) FROM changes WHERE execution = executions.id) IS ?"
_UPDATE = "UPDATE executions SET status = ?, header = ? WHERE arn = ?"


class SqliteExecutionStore:
    """Keeps executions in the SQLite file ``path``; in a folder, in ``executions.sqlite3`` there.

    What ``append`` has acknowledged survives the death of the process. Processes may share the file. Raises
    ``StoreError``, which names the file, for all that the disk or the file refuses.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        given = Path(path if path is not None else DEFAULT_FILE).absolute()
        self.path = given / DEFAULT_FILE.name if given.is_dir() else given
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._file = 0
        self._ends: dict[str, int | None] = {}
        """Where each execution ended when this store last wrote or read it: whoever writes there next is its writer."""
        with self._database():
            pass  # a file that is of no use is found out at once

    # ------------------------------------------------------------------------------------------------- protocol

    def create(self, record: ExecutionRecord) -> None:
        """See ``ExecutionStore.create``."""
        header = record.header
        row = (header.arn, header.function_arn, header.name, header.status, header.started_at)
        try:
            with self._database() as database:
                database.execute(_INSERT, (*row, _text(header), _text(record)))
                self._ends[header.arn] = None
        except sqlite3.IntegrityError:
            raise ResourceConflictException(f"Durable execution already exists: {header.arn}") from None

    def append(self, execution_arn: str, change: Change) -> None:
        """See ``ExecutionStore.append``."""
        header, text = change.header, _text(change)
        with self._database() as database:
            if header is None:
                self._write(database, execution_arn, text)
                return
            with _transaction(database):
                self._write(database, execution_arn, text)
                database.execute(_UPDATE, (header.status, _text(header), execution_arn))

    def _write(self, database: sqlite3.Connection, execution_arn: str, text: str) -> None:
        """One more change, behind the last one this store knows of. One statement, so nobody can come between."""
        if execution_arn not in self._ends:
            cursor = database.execute(_APPEND, (text, execution_arn))
            _found(cursor, execution_arn)
        else:
            cursor = database.execute(_APPEND_AFTER, (text, execution_arn, self._ends[execution_arn]))
            if cursor.rowcount == 0:
                _found(
                    database.execute("UPDATE executions SET arn = arn WHERE arn = ?", (execution_arn,)), execution_arn
                )
                raise StoreError(f"{self.path}: {execution_arn} was written by somebody else while it was running")
        self._ends[execution_arn] = cursor.lastrowid

    def load(self, execution_arn: str) -> ExecutionRecord:
        """See ``ExecutionStore.load``."""
        with self._database() as database, _transaction(database, "DEFERRED"):
            row = database.execute("SELECT id, record FROM executions WHERE arn = ?", (execution_arn,)).fetchone()
            if row is None:
                raise _unknown(execution_arn)
            query = "SELECT id, change FROM changes WHERE execution = ? ORDER BY id"
            changes = database.execute(query, row[:1]).fetchall()
            self._ends[execution_arn] = changes[-1][0] if changes else None
        return self._folded(execution_arn, row[1], [text for _, text in changes]).record()

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        """See ``ExecutionStore.list``. An execution that cannot be read is left out, with a ``RuntimeWarning``.

        What is given back reads headers when they are looked at: a page of a long listing costs a page.
        """
        conditions, values = _conditions(query)
        order = "ASC" if query.reverse else "DESC"
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        text = f"SELECT id, json_valid(header), arn FROM executions {where} ORDER BY started_at {order}, id {order}"
        with self._database() as database:
            rows = database.execute(text, values).fetchall()
        damaged = [arn for _, valid, arn in rows if not valid]
        if damaged:
            what = f"left out of the listing: damaged in {self.path}: {', '.join(damaged)}"
            warnings.warn(what, RuntimeWarning, stacklevel=2)
        return _Headers([number for number, valid, _ in rows if valid], self._headers_of)

    def delete(self, execution_arn: str) -> None:
        """See ``ExecutionStore.delete``."""
        with self._database() as database:
            _found(database.execute("DELETE FROM executions WHERE arn = ?", (execution_arn,)), execution_arn)
            self._ends.pop(execution_arn, None)

    def close(self) -> None:
        """Release the file. Used again, the store opens it again."""
        with self._lock:
            if self._connection is not None:
                connection, self._connection = self._connection, None
                connection.close()

    # -------------------------------------------------------------------------------------------------- reading

    def _folded(self, execution_arn: str, record: str, changes: Sequence[str]) -> Folded:
        try:
            folded = Folded(from_data(ExecutionRecord, from_json(record)))
            for change in changes:
                folded.apply(from_data(Change, from_json(change)))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{self.path} is damaged in what it keeps of {execution_arn}: {error}") from error
        return folded

    def _headers_of(self, numbers: Sequence[int]) -> builtins.list[ExecutionHeader]:
        found: dict[int, str] = {}
        with self._database() as database:
            for start in range(0, len(numbers), _AT_ONCE):
                part = numbers[start : start + _AT_ONCE]
                marks = ",".join("?" * len(part))
                found.update(database.execute(f"SELECT id, header FROM executions WHERE id IN ({marks})", part))
        try:
            # All in one go: it is the parser that takes time, and it is fastest when it is not called.
            data = from_json(f"[{','.join(found[number] for number in numbers if number in found)}]")
            return [from_data(ExecutionHeader, each) for each in data]
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise StoreError(f"{self.path} is damaged in what it lists: {error}") from error

    # ------------------------------------------------------------------------------------------------- the file

    @contextlib.contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """The file, for one thread at a time, and its errors as ours."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._open()
                    self._file = self.path.stat().st_ino
                elif not self._is_there():
                    raise StoreError(f"{self.path} was deleted while it was in use")
                yield self._connection
            except sqlite3.IntegrityError:
                raise
            except (sqlite3.Error, OSError) as error:
                raise StoreError(f"cannot use {self.path}: {error}") from error

    def _is_there(self) -> bool:
        """Whether the path still leads to the file that is open; otherwise what is written is written to nowhere."""
        try:
            return self.path.stat().st_ino == self._file
        except FileNotFoundError:
            return False

    def _open(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        # No isolation level: a statement is a transaction, unless we say where one begins.
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, database: sqlite3.Connection) -> None:
        database.execute("PRAGMA foreign_keys = ON")
        # What is written is with the operating system when a transaction ends, and that is the promise; waiting for the
        # disk as well would make a checkpoint a hundred times as slow.
        database.execute("PRAGMA synchronous = NORMAL")
        if not self._is_ours(database):
            self._make_tables(database)
        version = _pragma(database, "user_version")
        if version != SCHEMA_VERSION:
            age = "a newer" if version > SCHEMA_VERSION else "an older"
            raise StoreError(
                f"{self.path} was written by {age} release: its schema version is {version}, this release reads "
                f"{SCHEMA_VERSION}. Read it with that release, or use another store path."
            )

    def _make_tables(self, database: sqlite3.Connection) -> None:
        if database.execute("SELECT 1 FROM sqlite_master").fetchone() and not self._is_ours(database):
            raise StoreError(f"{self.path} is a database of something else; it is left as it is")
        _write_ahead(database)
        with _transaction(database, "EXCLUSIVE"):
            if self._is_ours(database):
                return  # another process was faster
            for statement in _TABLES.split(";"):
                database.execute(statement)
            database.execute(f"PRAGMA application_id = {_APPLICATION}")
            database.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @staticmethod
    def _is_ours(database: sqlite3.Connection) -> bool:
        return _pragma(database, "application_id") == _APPLICATION


def _write_ahead(database: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side. Other processes may be opening the new file at the same moment."""
    for _ in range(_ATTEMPTS):
        with contextlib.suppress(sqlite3.OperationalError):
            database.execute("PRAGMA journal_mode = WAL")
            return
        with _transaction(database, "EXCLUSIVE"):
            pass  # waits for the others, which the statement above does not do by itself
    raise sqlite3.OperationalError("other processes keep it locked")


def _pragma(database: sqlite3.Connection, name: str) -> int:
    return int(database.execute(f"PRAGMA {name}").fetchone()[0])


@contextlib.contextmanager
def _transaction(database: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    database.execute(f"BEGIN {kind}")
    try:
        yield
    except BaseException:
        database.execute("ROLLBACK")
        raise
    database.execute("COMMIT")


def _text(record: Any) -> str:
    return to_json(to_data(record)).decode()


class _Headers(Sequence[ExecutionHeader]):
    """A listing whose headers are read when they are looked at. One deleted meanwhile is an ``IndexError``."""

    def __init__(self, numbers: Sequence[int], read: Callable[[Sequence[int]], list[ExecutionHeader]]) -> None:
        self._numbers = numbers
        self._read = read

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> ExecutionHeader: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[ExecutionHeader]: ...

    def __getitem__(self, index: int | slice) -> ExecutionHeader | Sequence[ExecutionHeader]:
        if isinstance(index, slice):
            return self._read(self._numbers[index])
        return self._read([self._numbers[index]])[0]

    def __iter__(self) -> Iterator[ExecutionHeader]:
        return iter(self._read(self._numbers))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]


def _conditions(query: ExecutionQuery) -> tuple[list[str], list[Any]]:
    given: list[tuple[str, Any]] = [
        ("function_arn = ?", query.function_arn),
        ("name = ?", query.name),
        ("started_at > ?", query.started_after),
        ("started_at < ?", query.started_before),
    ]
    asked = [(condition, value) for condition, value in given if value is not None]
    conditions, values = [condition for condition, _ in asked], [value for _, value in asked]
    if query.statuses:
        conditions.append(f"status IN ({', '.join('?' * len(query.statuses))})")
        values += sorted(query.statuses)
    return conditions, values


def _found(cursor: sqlite3.Cursor, execution_arn: str) -> None:
    if cursor.rowcount == 0:
        raise _unknown(execution_arn)


def _unknown(execution_arn: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Durable execution not found: {execution_arn}")

"""Executions as files that people can read: a JSON document each, and a journal while one is running."""

from __future__ import annotations

import builtins
import hashlib
import os
import re
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .._model.execution import Change, ExecutionHeader, ExecutionRecord
from ..exceptions import ResourceConflictException, ResourceNotFoundException, StoreError
from .base import ExecutionQuery
from .codec import from_data, to_data, to_json
from .documents import place, read_document, rendered, replace, write_aside
from .folding import Folded
from .journal import Entry, Journal, read_journal

__all__ = ["FilesystemExecutionStore"]

DEFAULT_FOLDER = ".durable_executions"
_SMALL = 64 * 1024
_HELD_OPEN = 64
_READABLE = 120


class _Listed(NamedTuple):
    """What a listing needs of an execution, and the state of the files that it was read from."""

    state: tuple[object, ...]
    header: ExecutionHeader
    created: int


class _Running:
    """An execution that this process writes."""

    __slots__ = ("created", "folded", "journal", "path", "state")

    def __init__(self, path: Path, folded: Folded, created: int, journal: Journal) -> None:
        self.path, self.folded, self.created, self.journal = path, folded, created, journal
        self.state = _state(path)

    def append(self, change: Change) -> None:
        """Keep a change, and fold the journal into the document where it is time to."""
        with self.journal.alone():
            self.check()
            self.journal.append(len(self.folded.marks) + 1, to_json(to_data(change)))
            self.folded.apply(change)
            ended = change.invocation is not None and change.invocation.ended_at is not None
            if self.folded.header.ended_at is not None or (ended and self._is_worth_folding()):
                self.fold()

    def _is_worth_folding(self) -> bool:
        """A large document waits until the journal is half its size, so that all folding together is linear."""
        size = self.path.stat().st_size
        return size + self.journal.size <= _SMALL or self.journal.size * 2 >= size

    def fold(self) -> None:
        """Write the document anew with all changes. If that fails nothing is lost: the journal has them."""
        if not self.journal.size:
            return
        try:
            aside, state = write_aside(self.path, lambda _: rendered(self.folded, self.created))
            replace(aside, self.path)
            self.state = _state_of(state)
            self.journal.clear()
        except (OSError, StoreError) as error:
            warnings.warn(f"{error}; its journal keeps what happened since", RuntimeWarning, stacklevel=2)

    def check(self) -> None:
        """Raise ``StoreError`` if the files are no longer what this process has left there."""
        self.journal.check()
        if _state(self.path) != self.state:
            if not self.path.exists():
                raise StoreError(f"{self.path} was deleted while its execution was running")
            raise _taken_over(self.path)

    def rest(self) -> None:
        """Fold, and leave no journal behind if that has worked. Files that somebody else has taken over are theirs."""
        if _state(self.path) == self.state and self.journal.is_as_left():
            self.fold()
            if not self.journal.size:
                self.journal.remove()
        self.journal.release()


class FilesystemExecutionStore:
    """Keeps executions in ``folder``, which is created when missing: ``<readable name>.<hash>.json`` for each.

    While an execution runs, its changes are appended to ``….journal`` beside it, and folded into the document when an
    invocation ends and when the execution does. What ``append`` has acknowledged survives the death of the process.
    Processes may share a folder. Raises ``StoreError``, which names the file, for all that the disk refuses.
    """

    def __init__(self, folder: str | os.PathLike[str] | None = None) -> None:
        self.folder = Path(folder if folder is not None else DEFAULT_FOLDER).absolute()
        self._lock = threading.RLock()
        self._running: dict[str, _Running] = {}
        self._held: dict[str, Journal] = {}
        self._ends: dict[str, int] = {}
        """How many changes an execution had when this store last wrote or read it: who writes next is its writer."""
        self._listed: dict[str, _Listed] = {}
        self._last_created = 0
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"cannot make the folder {self.folder}: {error.strerror}") from error

    def path_of(self, execution_arn: str) -> Path:
        """Where an execution's document is, or would be.

        The hash keeps ARNs apart that look alike once everything is taken out that a file name may not hold.
        """
        telling = re.sub(r"^arn:[^/]*?:function:", "", execution_arn)
        readable = re.sub(r"[^A-Za-z0-9_-]+", "_", telling)[-_READABLE:].lstrip("-_")
        digest = hashlib.sha256(execution_arn.encode("utf-8", "surrogatepass")).hexdigest()[:24]
        return self.folder / f"{readable}.{digest}.json"

    # ------------------------------------------------------------------------------------------------- protocol

    def create(self, record: ExecutionRecord) -> None:
        """See ``ExecutionStore.create``."""
        arn = record.header.arn
        path = self.path_of(arn)
        with self._lock:
            if path.exists():
                raise _taken(arn)
            folded = Folded(record)
            try:
                created = self._place(path, folded)
                path.with_suffix(".journal").unlink(missing_ok=True)  # of a document that somebody removed by hand
            except FileExistsError:
                raise _taken(arn) from None
            except OSError as error:
                raise StoreError(f"cannot write {path}: {error.strerror}") from error
            self._ends[arn] = 0
            self._running[arn] = _Running(path, folded, created, Journal(path.with_suffix(".journal"), 0))

    def append(self, execution_arn: str, change: Change) -> None:
        """See ``ExecutionStore.append``."""
        with self._lock:
            running = self._running.get(execution_arn) or self._open(execution_arn)
            try:
                running.append(change)
            except StoreError:
                self._forget(execution_arn)
                raise
            self._ends[execution_arn] = len(running.folded.marks)
            self._hold(execution_arn, running.journal)
            if running.folded.is_at_rest:
                running.rest()
                self._forget(execution_arn)

    def load(self, execution_arn: str) -> ExecutionRecord:
        """See ``ExecutionStore.load``."""
        with self._lock:
            folded = self._current(execution_arn).folded
            self._ends[execution_arn] = len(folded.marks)
            return folded.handed_out()

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        """See ``ExecutionStore.list``. A file that cannot be read is left out, with a ``RuntimeWarning``."""
        with self._lock:
            found = [listed for listed in self._all() if query.matches(listed.header)]
        found.sort(key=lambda listed: (listed.header.started_at, listed.created), reverse=not query.reverse)
        return [listed.header for listed in found]

    def delete(self, execution_arn: str) -> None:
        """See ``ExecutionStore.delete``. A damaged file is deleted as well: it was asked for by name."""
        path = self.path_of(execution_arn)
        with self._lock:
            running = self._running.get(execution_arn)
            try:
                if running is not None:
                    running.rest()  # the document first has everything: who dies in between leaves all or nothing
                self._forget(execution_arn)
                path.with_suffix(".journal").unlink(missing_ok=True)
                path.unlink()
                self._ends.pop(execution_arn, None)
            except FileNotFoundError:
                raise _unknown(execution_arn) from None
            except OSError as error:
                raise StoreError(f"cannot delete {path}: {error.strerror}") from error

    def close(self) -> None:
        """Fold what is left and release all files. Used again, the store opens them again."""
        with self._lock:
            for arn, running in list(self._running.items()):
                running.rest()
                self._forget(arn)

    # ------------------------------------------------------------------------------------------------- documents

    def _place(self, path: Path, folded: Folded) -> int:
        """Write a new execution's document. Returns what orders it among those that started at the same instant."""

        # The file system's clock, and never the same twice: a virtual clock starts all executions at one instant.
        def text(empty: os.stat_result) -> Iterator[bytes]:
            self._last_created = max(empty.st_mtime_ns, self._last_created + 1)
            return rendered(folded, self._last_created)

        aside, _ = write_aside(path, text)
        place(aside, path)
        return self._last_created

    def _open(self, execution_arn: str) -> _Running:
        """An execution that this process is going to write."""
        running = self._read(execution_arn)
        known = self._ends.get(execution_arn, len(running.folded.marks))
        if known != len(running.folded.marks):
            raise _taken_over(running.path)
        self._running[execution_arn] = running
        return running

    def _current(self, execution_arn: str) -> _Running:
        """An execution as it stands, whoever writes it."""
        running = self._running.get(execution_arn)
        if running is not None:
            running.check()
            return running
        return self._read(execution_arn)

    def _read(self, execution_arn: str) -> _Running:
        path = self.path_of(execution_arn)
        try:
            return _read(path, self.path_of)
        except FileNotFoundError:
            journal = path.with_suffix(".journal")
            if journal.exists():
                raise StoreError(f"{path} was deleted, but not {journal.name} beside it") from None
            raise _unknown(execution_arn) from None

    def _hold(self, execution_arn: str, journal: Journal) -> None:
        """Keep only so many journals open: a process has few files."""
        self._held.pop(execution_arn, None)
        self._held[execution_arn] = journal
        if len(self._held) > _HELD_OPEN:
            self._held.pop(next(iter(self._held))).release()

    def _forget(self, execution_arn: str) -> None:
        running = self._running.pop(execution_arn, None)
        self._held.pop(execution_arn, None)
        if running is not None:
            running.journal.release()

    # -------------------------------------------------------------------------------------------------- listings

    def _all(self) -> Iterator[_Listed]:
        mine = {running.path.name: running for running in self._running.values()}
        for name in self._names():
            running = mine.get(name)
            if running is not None:
                yield _Listed((), running.folded.header, running.created)
                continue
            try:
                yield self._header(self.folder / name)
            except FileNotFoundError:
                continue  # deleted meanwhile
            except StoreError as error:
                warnings.warn(f"left out of the listing: {error}", RuntimeWarning, stacklevel=4)

    def _names(self) -> builtins.list[str]:
        try:
            return [name for name in os.listdir(self.folder) if name.endswith(".json")]  # noqa: PTH208 - ten times as fast
        except OSError as error:
            raise StoreError(f"cannot read the folder {self.folder}: {error.strerror}") from error

    def _header(self, path: Path) -> _Listed:
        """What a listing needs of a file; read again only if it has changed."""
        state = (_state(path), _state(path.with_suffix(".journal")))
        known = self._listed.get(path.name)
        if known is None or known.state != state:
            read = _read(path, self.path_of)
            known = self._listed[path.name] = _Listed(state, read.folded.header, read.created)
        return known


def _read(path: Path, path_of: Callable[[str], Path]) -> _Running:
    """An execution from its files. The journal first: what is folded meanwhile is in the document then."""
    journal = path.with_suffix(".journal")
    entries, size = read_journal(journal)
    document = read_document(path)
    arn = document.record.header.arn
    if path_of(arn) != path:
        raise StoreError(f"{path} holds another execution than its name says: {arn}")
    folded = Folded(document.record, document.marks)
    for entry in entries:
        if entry.number > len(folded.marks):
            folded.apply(_change(entry, journal))
    return _Running(path, folded, document.created, Journal(journal, size))


def _change(entry: Entry, journal: Path) -> Change:
    try:
        return from_data(Change, entry.change)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise StoreError(f"{journal} has a change that this release cannot read, number {entry.number}") from error


def _state(path: Path) -> tuple[int, ...]:
    try:
        return _state_of(path.stat())
    except OSError:
        return ()


def _state_of(state: os.stat_result) -> tuple[int, ...]:
    return state.st_ino, state.st_size, state.st_mtime_ns


def _taken_over(path: Path) -> StoreError:
    return StoreError(
        f"{path} was written by somebody else while its execution was running here. Two that drive one execution would "
        "spoil its history: go on with the other one, or resume the execution anew."
    )


def _unknown(execution_arn: str) -> ResourceNotFoundException:
    return ResourceNotFoundException(f"Durable execution not found: {execution_arn}")


def _taken(execution_arn: str) -> ResourceConflictException:
    return ResourceConflictException(f"Durable execution already exists: {execution_arn}")

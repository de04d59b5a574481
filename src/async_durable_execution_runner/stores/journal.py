"""Changes on disk, one line each, so that a line is there as a whole or not at all.

A line is ``<number> <checksum> <change as JSON>``. It is written by one ``write`` to the end of the file. A process
that is killed meanwhile leaves at most a last line without its end: that change was never acknowledged, and is dropped.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ..exceptions import StoreError
from .codec import from_json

try:
    import fcntl
except ImportError:  # Windows: what another process writes in the same instant is found out at the next change
    fcntl = None  # type: ignore[assignment]

__all__ = ["Entry", "Journal", "read_journal"]

_BINARY = getattr(os, "O_BINARY", 0)


class Entry(NamedTuple):
    """One line."""

    number: int
    change: dict[str, Any]


def read_journal(path: Path) -> tuple[list[Entry], int]:
    """The lines of a journal and the size of all complete ones; no file is an empty journal.

    Raises ``StoreError`` if a complete line is not what was written.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    end = data.rfind(b"\n") + 1
    lines = data[: end - 1].split(b"\n") if end else []
    return [_entry(line, place, path) for place, line in enumerate(lines, 1)], end


def _entry(line: bytes, place: int, path: Path) -> Entry:
    try:
        number, checksum, body = line.split(b" ", 2)
        if int(checksum, 16) == _checksum(int(number), body):
            return Entry(int(number), from_json(body))
    except ValueError:
        pass
    raise StoreError(
        f"{path} is damaged: line {place} is not what was written. It is left as it is; move it and "
        f"{path.with_suffix('.json').name} away to go on without this execution."
    )


def _take(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX)


def _give_back(file: int) -> None:
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_UN)


def _checksum(number: int, body: bytes) -> int:
    # The number goes in, too: a line that has come to another place is not what was written.
    return zlib.crc32(body, number)


class Journal:
    """The end of a journal that one process writes. Not thread-safe."""

    def __init__(self, path: Path, size: int) -> None:
        self.path = path
        self.size = size
        """Bytes of complete lines."""
        self._file: int | None = None

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Keep other writers of this execution away meanwhile. The end of the process gives it back, too."""
        is_new = self._file is None
        file = self._open()
        _take(file)
        try:
            if is_new:
                self._drop_torn_line()
            yield
        finally:
            if self._file is not None:  # a closed one is given back as well
                _give_back(file)

    def append(self, number: int, body: bytes) -> None:
        """Write one line. When this returns, it is with the operating system; when it raises, nothing is changed."""
        line = b"%d %08x %s\n" % (number, _checksum(number, body), body)
        file = self._open()
        try:
            written = os.write(file, line)
        except OSError as error:
            self._undo()
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error
        if written != len(line):
            self._undo()
            raise StoreError(f"cannot write {self.path}: no room for {len(line)} bytes, only for {written}")
        self.size += written

    def check(self) -> None:
        """Raise ``StoreError`` if somebody else has removed or written the file."""
        if self._file is None:
            return
        state = os.fstat(self._file)
        if state.st_nlink == 0:
            self.release()
            raise StoreError(f"{self.path} was deleted while its execution was running")
        if state.st_size != self.size:
            self.release()
            raise StoreError(f"{self.path} was written by somebody else while its execution was running")

    def is_as_left(self) -> bool:
        """Whether nobody else has removed or written the file. No file is the same as an empty one."""
        try:
            return self.path.stat().st_size == self.size
        except OSError:
            return self.size == 0

    def clear(self) -> None:
        """Drop all lines: they are in the document now."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
        elif self.size:
            os.truncate(self.path, 0)
        self.size = 0

    def remove(self) -> None:
        """Drop the file."""
        self.release()
        self.path.unlink(missing_ok=True)
        self.size = 0

    def release(self) -> None:
        """Hold the file open no longer; the next line opens it again."""
        if self._file is not None:
            file, self._file = self._file, None
            os.close(file)

    @property
    def is_held(self) -> bool:
        """Whether the file is held open."""
        return self._file is not None

    def _open(self) -> int:
        if self._file is None:
            try:
                self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | _BINARY, 0o666)
            except OSError as error:
                raise StoreError(f"cannot write {self.path}: {error.strerror}") from error
        return self._file

    def _drop_torn_line(self) -> None:
        """Drop what stands behind the complete lines if it is the beginning of one, left by a writer that died."""
        assert self._file is not None
        try:
            torn = os.fstat(self._file).st_size > self.size and b"\n" not in self.path.read_bytes()[self.size :]
            if torn:
                os.ftruncate(self._file, self.size)
        except OSError as error:
            raise StoreError(f"cannot write {self.path}: {error.strerror}") from error

    def _undo(self) -> None:
        """Take back what a failed write has left. If that fails as well, opening the file again does it."""
        with contextlib.suppress(OSError):
            os.ftruncate(self._file or -1, self.size)
        self.release()

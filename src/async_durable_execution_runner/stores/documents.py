"""One execution as one JSON file that people can read."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._model.execution import ExecutionRecord
from ..exceptions import StoreError
from .codec import SCHEMA_VERSION, from_data, from_json, to_data, to_json
from .folding import Folded, Mark

__all__ = ["Document", "place", "read_document", "rendered", "replace", "write_aside"]

_KIND = "durable execution"
_LINE = 110
_LISTS = ("operations", "events", "invocations")
_MARKS = "checkpoints"
# In a file it is simply the input; only a record has to tell it from the other payloads.
_RENAMED = {"input_payload": "input"}
_NAMES = {new: old for old, new in _RENAMED.items()}
_count = itertools.count()


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says. ``created`` orders executions that started at the same instant."""

    record: ExecutionRecord
    marks: list[Mark]
    created: int


# -------------------------------------------------------------------------------------------------------- reading


def read_document(path: Path) -> Document:
    """Read a file. Raises ``FileNotFoundError``, or ``StoreError`` with the path for what cannot be understood."""
    try:
        data = from_json(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise _damaged(path, error) from error
    _check_schema(path, data)
    try:
        return _document(data)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"{path} is damaged: {type(error).__name__}: {error}. It is left as it is; move it away to go on without it."
    )


def _check_schema(path: Path, data: Any) -> None:
    if not isinstance(data, dict) or data.get("kind") != _KIND:
        raise StoreError(f"{path} is damaged, or no execution that this package wrote")
    version = data.get("schema_version")
    if version != SCHEMA_VERSION:
        age = "a newer" if isinstance(version, int) and version > SCHEMA_VERSION else "an older"
        raise StoreError(
            f"{path} was written by {age} release: its schema version is {version!r}, this release reads "
            f"{SCHEMA_VERSION}. Read it with that release, or use another store path."
        )


def _document(data: dict[str, Any]) -> Document:
    parts = {name: data.pop(name) for name in _LISTS}
    marks = [Mark(tuple(each["events"]), tuple(each["operations"]), each["invocation"]) for each in data.pop(_MARKS)]
    envelope = {name: data.pop(name) for name in ("kind", "schema_version", "created", "more")}
    header = {_NAMES.get(name, name): value for name, value in data.items()}
    record = from_data(ExecutionRecord, {"header": header, **parts, **envelope["more"]})
    return Document(record=record, marks=marks, created=int(envelope["created"]))


# -------------------------------------------------------------------------------------------------------- writing


def rendered(folded: Folded, created: int) -> Iterator[bytes]:
    """The text of a file, piece by piece."""
    data = to_data(folded.record())
    # All of it: who opens the file looks for a result, also where there is none yet.
    header = {_RENAMED.get(name, name): value for name, value in to_data(folded.header, whole=True).items()}
    lists = {name: data.pop(name, []) for name in _LISTS}
    del data["header"]
    envelope = {"kind": _KIND, "schema_version": SCHEMA_VERSION, **header, "created": created, "more": data}
    yield b"{"
    for name, value in envelope.items():
        yield b"\n  " + to_json(name) + b": " + _laid_out(value, b"\n  ") + b","
    for name, items in lists.items():
        yield b"\n  " + to_json(name) + b": [" + _joined(_laid_out(each, b"\n    ") for each in items) + b"],"
    yield b"\n  " + to_json(_MARKS) + b": [" + _joined(map(_mark, itertools.count(1), folded.marks)) + b"]\n}\n"


def _joined(items: Iterable[bytes]) -> bytes:
    text = b",".join(b"\n    " + item for item in items)
    return text + b"\n  " if text else text


def _mark(number: int, mark: Mark) -> bytes:
    return to_json({"number": number, **mark._asdict()}, spaced=True)


def _laid_out(value: Any, indent: bytes) -> bytes:
    """JSON as a person would write it: what fits on a line stands on a line, all else is indented."""
    text = to_json(value, spaced=True)
    if len(text) <= _LINE or not isinstance(value, dict | list):
        return text
    inner = indent + b"  "
    if isinstance(value, list):
        return b"[" + b",".join(inner + _laid_out(each, inner) for each in value) + indent + b"]"
    parts = (inner + to_json(name) + b": " + _laid_out(each, inner) for name, each in value.items())
    return b"{" + b",".join(parts) + indent + b"}"


def write_aside(path: Path, text: Callable[[os.stat_result], Iterable[bytes]]) -> tuple[Path, os.stat_result]:
    """Write a new file in the same folder, from where it can take its place in one step.

    ``text`` gets the state of the file while it is empty, which tells what time it is. Returns the file and its state.
    """
    aside = path.with_suffix(f".{os.getpid()}-{next(_count)}.tmp")
    try:
        with aside.open("wb") as file:
            file.writelines(text(os.fstat(file.fileno())))
            file.flush()
            return aside, os.fstat(file.fileno())
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def replace(aside: Path, path: Path) -> None:
    """Put a finished file where another one is."""
    try:
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink(missing_ok=True)
        raise StoreError(f"cannot write {path}: {error.strerror}") from error


def place(aside: Path, path: Path) -> None:
    """Put a finished file where no file is yet. Raises ``FileExistsError`` if one is."""
    try:
        try:
            os.link(aside, path)  # unlike a rename it never replaces
        except FileExistsError:
            raise
        except OSError:  # a file system without hard links
            if path.exists():
                raise FileExistsError(path) from None
            aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)

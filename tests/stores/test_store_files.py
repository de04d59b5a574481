"""Executions as files: what is in them, and what happens to them when the disk or somebody else is against us."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest

from async_durable_execution_runner.exceptions import ResourceNotFoundException, StoreError
from async_durable_execution_runner.stores import journal as journals
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.filesystem import FilesystemExecutionStore
from async_durable_execution_runner.testing import samples

ALL = ExecutionQuery()


@pytest.fixture
def store(tmp_path: Path) -> FilesystemExecutionStore:
    return FilesystemExecutionStore(tmp_path / "executions")


def begun(store: FilesystemExecutionStore, name: str = "order", changes: int = 3) -> tuple[str, Path, Path]:
    """An execution with some changes in its journal: its ARN, its document and its journal."""
    store.create(samples.new(name))
    arn = samples.arn_of(name)
    for number in range(2, 2 + changes):
        store.append(arn, samples.step(number))
    path = store.path_of(arn)
    return arn, path, path.with_suffix(".journal")


def numbers(store: FilesystemExecutionStore, arn: str) -> list[int]:
    return [event.event_id for event in store.load(arn).events]


def open_files() -> int:
    """How many this process has open, where that can be seen."""
    seen = Path("/proc/self/fd")
    return len(list(seen.iterdir())) if seen.exists() else 0


def fresh(store: FilesystemExecutionStore) -> FilesystemExecutionStore:
    """The same folder as another process sees it."""
    return FilesystemExecutionStore(store.folder)


# ------------------------------------------------------------------------------------------------ what is in them


def test_the_document_is_for_people(store: FilesystemExecutionStore) -> None:
    arn, path, journal = begun(store)
    store.append(arn, samples.invoked(1))
    store.append(arn, samples.invoked(1, samples.START + 5))
    store.append(arn, samples.closing(samples.header("order"), 6))
    assert not journal.exists()
    text = path.read_text(encoding="utf-8")
    data = json.loads(text)
    assert (data["schema_version"], data["arn"], data["status"]) == (1, arn, "SUCCEEDED")
    assert (data["input"], data["result"], data["error"]) == ('{"order": 7}', '"ok"', None)
    assert [each["id"] for each in data["operations"]] == ["root", "step-2", "step-3", "step-4"]
    assert [each["event_id"] for each in data["events"]] == [1, 2, 3, 4, 6]
    assert [each["number"] for each in data["invocations"]] == [1]
    assert data["checkpoints"][0] == {"number": 1, "events": [2], "operations": ["step-2"], "invocation": None}
    assert len(data["checkpoints"]) == 6
    assert max(map(len, text.splitlines())) <= 120
    assert '\n  "operations": [\n    {\n      "id": "root",\n' in text


def test_unicode_stands_in_the_document_as_it_is(store: FilesystemExecutionStore) -> None:
    store.create(samples.new("text", input_payload='"zażółć"'))
    assert "zażółć" in store.path_of(samples.arn_of("text")).read_text(encoding="utf-8")


def test_the_default_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    begun(FilesystemExecutionStore())
    assert len(list((tmp_path / ".durable_executions").glob("*.json"))) == 1


@pytest.mark.parametrize("arn", ["../../etc/passwd", "..", "/", "con", "a" * 1024, "\0", "-rf", "a b\nc", "é" * 300])
def test_no_arn_leads_out_of_the_folder(store: FilesystemExecutionStore, arn: str) -> None:
    store.create(samples.new("any", arn=arn))
    path = store.path_of(arn)
    assert path.parent == store.folder
    assert path.is_file()
    assert len(path.name) <= 160
    assert path.name.isascii()
    assert fresh(store).load(arn).header.arn == arn


def test_names_tell_arns_apart_whatever_the_case(store: FilesystemExecutionStore) -> None:
    arns = ["a/b", "a_b", "A/b", "a//b", "a/b/", "a" * 1023 + "b", "a" * 1023 + "c"]
    assert len({store.path_of(arn).name.lower() for arn in arns}) == len(arns)


# -------------------------------------------------------------------------------------------------------- folding


def test_a_small_execution_is_folded_whenever_an_invocation_ends(store: FilesystemExecutionStore) -> None:
    arn, path, journal = begun(store)
    assert len(json.loads(path.read_bytes())["events"]) == 1
    store.append(arn, samples.invoked(1, samples.START))
    assert len(json.loads(path.read_bytes())["events"]) == 4
    assert journal.stat().st_size == 0


def test_folding_a_large_one_does_not_cost_more_than_what_was_written(store: FilesystemExecutionStore) -> None:
    arn, path, _ = begun(store)
    folded, written, last = 0, 0, path.stat().st_ino
    for number in range(1, 301):
        change = samples.step(number + 10, "x" * 2000)
        written += 2 * 2000
        store.append(arn, change)
        store.append(arn, samples.invoked(number, samples.START))
        state = path.stat()
        if state.st_ino != last:
            folded, last = folded + state.st_size, state.st_ino
    assert folded < 5 * written
    store.close()
    assert len(json.loads(path.read_bytes())["invocations"]) == 300
    assert list(store.folder.iterdir()) == [path]


def test_size_is_linear(store: FilesystemExecutionStore) -> None:
    sizes = []
    for changes in (100, 1000):
        _, path, _ = begun(store, f"n{changes}", changes)
        store.close()
        sizes.append(path.stat().st_size / changes)
    assert sizes[1] < sizes[0] * 1.1


def test_many_executions_do_not_use_up_the_files_of_the_process(store: FilesystemExecutionStore) -> None:
    before = open_files()
    arns = [begun(store, f"n{number}", 1)[0] for number in range(200)]
    assert open_files() - before < 100
    for arn in arns:
        store.append(arn, samples.step(3))
    assert all(numbers(fresh(store), arn) == [1, 2, 3] for arn in arns)
    store.close()
    assert open_files() == before


def test_a_store_that_was_closed_opens_again(store: FilesystemExecutionStore) -> None:
    arn, _, _ = begun(store)
    store.close()
    store.close()
    store.append(arn, samples.step(5))
    assert numbers(store, arn) == [1, 2, 3, 4, 5]


# ------------------------------------------------------------------------------------------------------- damages


@pytest.mark.parametrize("tail", [b"4", b"4 0123", b'4 01234567 {"events":[{"ev', b"\x00" * 20])
def test_a_torn_last_line_is_dropped(store: FilesystemExecutionStore, tail: bytes) -> None:
    arn, _, journal = begun(store)
    with journal.open("ab") as file:
        file.write(tail)
    other = fresh(store)
    assert numbers(other, arn) == [1, 2, 3, 4]
    other.append(arn, samples.step(5))
    assert numbers(fresh(store), arn) == [1, 2, 3, 4, 5]


def test_every_place_a_line_can_be_torn_at(store: FilesystemExecutionStore) -> None:
    arn, _, journal = begun(store)
    whole = journal.read_bytes()
    last = whole.rindex(b"\n", 0, -1) + 1
    for end in range(last, len(whole)):
        journal.write_bytes(whole[:end])
        assert numbers(fresh(store), arn) == [1, 2, 3]


def test_a_damaged_line_is_named_and_left(store: FilesystemExecutionStore) -> None:
    arn, path, journal = begun(store)
    damaged = journal.read_bytes().replace(b"step 3", b"step 4")
    journal.write_bytes(damaged)
    other = fresh(store)
    with pytest.raises(StoreError, match=r"\.journal is damaged: line 2 is not what was written"):
        other.load(arn)
    with pytest.raises(StoreError, match="is damaged"):
        other.append(arn, samples.step(5))
    assert journal.read_bytes() == damaged
    with pytest.warns(RuntimeWarning, match="left out of the listing: .*damaged"):
        assert other.list(ALL) == []
    assert path.exists()


@pytest.mark.parametrize("keep", [0, 1, 0.5, 0.99])
def test_a_truncated_document_is_named_skipped_and_left(store: FilesystemExecutionStore, keep: float) -> None:
    arn, path, _ = begun(store)
    begun(store, "other")
    store.close()
    damaged = path.read_bytes()[: int(keep if keep in {0, 1} else keep * path.stat().st_size)]
    path.write_bytes(damaged)
    with pytest.raises(StoreError, match=f"{path.name} is damaged"):
        store.load(arn)
    with pytest.raises(StoreError, match="is damaged"):
        store.append(arn, samples.step(5))
    with pytest.warns(RuntimeWarning, match=path.name):
        assert [header.name for header in store.list(ALL)] == ["other"]
    assert path.read_bytes() == damaged
    store.delete(arn)  # unless it is asked for by name
    assert [header.name for header in store.list(ALL)] == ["other"]


@pytest.mark.parametrize(
    ("version", "complaint"),
    [(0, "by an older release: its schema version is 0"), (2, "by a newer release: its schema version is 2")],
)
def test_another_schema_version_is_refused(store: FilesystemExecutionStore, version: int, complaint: str) -> None:
    arn, path, _ = begun(store)
    store.close()
    path.write_bytes(path.read_bytes().replace(b'"schema_version": 1', b'"schema_version": %d' % version))
    with pytest.raises(StoreError, match=f"{path.name} was written {complaint}, this release reads 1"):
        store.load(arn)


@pytest.mark.parametrize("text", ["[]", "{}", '{"kind": "package"}', "null", "[" * 100_000])
def test_a_file_of_something_else_is_left_out(store: FilesystemExecutionStore, text: str) -> None:
    begun(store)
    (store.folder / "package.json").write_text(text, encoding="utf-8")
    with pytest.warns(RuntimeWarning, match=r"package\.json is damaged"):
        assert [header.name for header in store.list(ALL)] == ["order"]


def test_a_copy_under_another_name_is_not_listed_twice(store: FilesystemExecutionStore) -> None:
    _, path, _ = begun(store)
    (store.folder / "copy.json").write_bytes(path.read_bytes())
    with pytest.warns(RuntimeWarning, match="holds another execution than its name says"):
        assert len(store.list(ALL)) == 1


def test_a_document_deleted_under_us(store: FilesystemExecutionStore) -> None:
    arn, path, _ = begun(store)
    other, _, _ = begun(store, "other")
    path.unlink()
    with pytest.raises(StoreError, match=f"{path.name} was deleted while"):
        store.append(arn, samples.step(5))
    with pytest.raises(StoreError, match=f"{path.name} was deleted, but not"):
        fresh(store).load(arn)
    store.append(other, samples.step(5))
    assert numbers(fresh(store), other) == [1, 2, 3, 4, 5]


def test_a_journal_deleted_under_us(store: FilesystemExecutionStore) -> None:
    arn, _, journal = begun(store)
    journal.unlink()
    with pytest.raises(StoreError, match=f"{journal.name} was deleted while"):
        store.append(arn, samples.step(5))


def test_a_folder_deleted_under_us(store: FilesystemExecutionStore) -> None:
    arn, path, journal = begun(store)
    for each in (path, journal):
        each.unlink()
    store.folder.rmdir()
    with pytest.raises(StoreError, match="was deleted while"):
        store.append(arn, samples.step(5))
    with pytest.raises(StoreError, match=r"cannot write .*order"):
        store.create(samples.new("order-2"))
    with pytest.raises(StoreError, match="cannot read the folder"):
        store.list(ALL)


def test_two_writers_of_one_execution_are_found_out(store: FilesystemExecutionStore) -> None:
    arn, path, journal = begun(store)
    other = fresh(store)
    other.append(arn, samples.step(5))
    with pytest.raises(StoreError, match=f"{journal.name} was written by somebody else"):
        store.append(arn, samples.step(6))
    with pytest.raises(StoreError, match=f"{path.name} was written by somebody else"):
        store.append(arn, samples.step(6))
    other.append(arn, samples.step(6))
    store.close()
    assert numbers(fresh(store), arn) == [1, 2, 3, 4, 5, 6]


def test_closing_late_does_not_bring_back_what_another_has_changed(store: FilesystemExecutionStore) -> None:
    arn, path, _ = begun(store)
    other = fresh(store)
    other.append(arn, samples.closing(samples.header("order"), 5))
    text = path.read_bytes()
    store.close()
    assert path.read_bytes() == text
    other.delete(arn)
    with pytest.raises(ResourceNotFoundException):
        fresh(store).load(arn)


def test_a_journal_left_by_a_document_that_was_removed_by_hand_is_not_taken_over(
    store: FilesystemExecutionStore,
) -> None:
    arn, path, _ = begun(store)
    path.unlink()
    other = fresh(store)
    other.create(samples.new("order"))
    assert numbers(other, arn) == [1]


# --------------------------------------------------------------------------------------------------- disk refuses


class Disk:
    """The calls of ``os`` that a journal makes, one of them refused."""

    def __init__(self, write: Any) -> None:
        self.write = write

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def no_space(_file: int, _data: bytes) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


def half(file: int, data: bytes) -> int:
    return os.write(file, data[: len(data) // 2])


@pytest.mark.parametrize(("write", "complaint"), [(no_space, "No space left"), (half, "no room for")])
def test_a_full_disk(store: FilesystemExecutionStore, monkeypatch: Any, write: Any, complaint: str) -> None:
    arn, _, journal = begun(store)
    whole = journal.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(journals, "os", Disk(write))
        with pytest.raises(StoreError, match=f"cannot write .*{journal.name}: {complaint}"):
            store.append(arn, samples.step(5))
    assert journal.read_bytes() == whole
    store.append(arn, samples.step(5))
    assert numbers(fresh(store), arn) == [1, 2, 3, 4, 5]


def test_a_full_disk_when_folding_loses_nothing(store: FilesystemExecutionStore, monkeypatch: Any) -> None:
    arn, path, _ = begun(store)
    document = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", lambda *_: no_space(0, b""))
        with pytest.warns(RuntimeWarning, match=f"cannot write .*{path.name}: No space left.*journal keeps"):
            store.append(arn, samples.closing(samples.header("order"), 5))
    assert path.read_bytes() == document
    assert str(fresh(store).load(arn).header.status) == "SUCCEEDED"
    assert [str(header.status) for header in fresh(store).list(ALL)] == ["SUCCEEDED"]
    assert [each.suffix for each in sorted(store.folder.iterdir())] == [".journal", ".json"]


LIMITED = """
import resource, signal, sys
from async_durable_execution_runner.exceptions import StoreError
from async_durable_execution_runner.stores.filesystem import FilesystemExecutionStore
from async_durable_execution_runner.testing import samples
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
store = FilesystemExecutionStore(sys.argv[1])
store.create(samples.new("order"))
for number in range(2, 1000):
    try:
        store.append(samples.arn_of("order"), samples.step(number, "x" * 300))
    except StoreError as error:
        print(number - 1, error)
        break
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are a thing of POSIX")
def test_a_real_limit_of_the_file(store: FilesystemExecutionStore) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(store.folder)], capture_output=True, text=True, timeout=60, check=False
    )
    kept, _, complaint = done.stdout.partition(" ")
    assert "journal: " in complaint, done.stderr
    assert numbers(store, samples.arn_of("order")) == list(range(1, int(kept) + 1))


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot make the folder .*file"):
        FilesystemExecutionStore(tmp_path / "file" / "executions")


def test_permission_denied(store: FilesystemExecutionStore, monkeypatch: Any) -> None:
    arn, path, journal = begun(store, changes=0)

    def denied(*_: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    disk = Disk(os.write)
    disk.open = denied  # type: ignore[attr-defined]
    with monkeypatch.context() as patch:
        patch.setattr(journals, "os", disk)
        with pytest.raises(StoreError, match=f"cannot write .*{journal.name}: Permission denied"):
            store.append(arn, samples.step(2))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", denied)
        with pytest.raises(StoreError, match=r"cannot read .*: Permission denied"):
            fresh(store).load(arn)
    assert path.exists()


def test_no_temporary_files_stay(store: FilesystemExecutionStore) -> None:
    arn, path, _ = begun(store)
    store.append(arn, samples.closing(samples.header("order"), 5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.list(ALL)
    assert list(store.folder.iterdir()) == [path]

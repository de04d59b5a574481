"""Stores with one mistake each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from async_durable_execution_runner._model.execution import Change, ExecutionHeader, ExecutionRecord
from async_durable_execution_runner.exceptions import ResourceNotFoundException
from async_durable_execution_runner.stores.base import ExecutionQuery, ExecutionStore
from async_durable_execution_runner.stores.codec import from_data, to_data
from async_durable_execution_runner.stores.filesystem import FilesystemExecutionStore
from async_durable_execution_runner.stores.folding import Folded
from async_durable_execution_runner.stores.memory import MemoryExecutionStore
from async_durable_execution_runner.stores.sqlite import SqliteExecutionStore


class HandsOutItsOwn(MemoryExecutionStore):
    def load(self, execution_arn: str) -> ExecutionRecord:
        kept = self._find(execution_arn)
        return replace(super().load(execution_arn), events=tuple(kept.events))


class HandsOutItsListing(MemoryExecutionStore):
    def __init__(self) -> None:
        super().__init__()
        self.listings: dict[ExecutionQuery, Any] = {}

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        headers = super().list(query)
        known = self.listings.setdefault(replace(query, name=None), headers)
        return known if not known else headers


class RaisesKeyError(MemoryExecutionStore):
    def load(self, execution_arn: str) -> ExecutionRecord:
        if execution_arn not in self._kept:
            raise KeyError(execution_arn)
        return super().load(execution_arn)


class AppendsToAnything(MemoryExecutionStore):
    def append(self, execution_arn: str, change: Change) -> None:
        if execution_arn in self._kept:
            super().append(execution_arn, change)


class DeletesAnything(MemoryExecutionStore):
    def delete(self, execution_arn: str) -> None:
        self._kept.pop(execution_arn, None)


class Replaces(MemoryExecutionStore):
    def create(self, record: ExecutionRecord) -> None:
        self._kept.pop(record.header.arn, None)
        super().create(record)


class KeepsWhatIsDeleted(MemoryExecutionStore):
    def __init__(self) -> None:
        super().__init__()
        self.changes: dict[str, list[Change]] = {}

    def create(self, record: ExecutionRecord) -> None:
        super().create(record)
        for change in self.changes.get(record.header.arn, []):
            super().append(record.header.arn, change)

    def append(self, execution_arn: str, change: Change) -> None:
        super().append(execution_arn, change)
        self.changes.setdefault(execution_arn, []).append(change)


class Alters(MemoryExecutionStore):
    """Alters what it is told."""

    def __init__(self, alter: Callable[[Change], Change]) -> None:
        super().__init__()
        self.alter = alter

    def append(self, execution_arn: str, change: Change) -> None:
        super().append(execution_arn, self.alter(change))


class KeepsEveryState(MemoryExecutionStore):
    def append(self, execution_arn: str, change: Change) -> None:
        if execution_arn in self._kept:
            operations = self._kept[execution_arn].operations
            for operation in change.operations:
                if operation.id in operations:
                    operations[f"{operation.id}, before"] = operations.pop(operation.id)
        super().append(execution_arn, change)


class MovesWhatChanges(MemoryExecutionStore):
    def append(self, execution_arn: str, change: Change) -> None:
        if execution_arn in self._kept:
            for operation in change.operations:
                self._kept[execution_arn].operations.pop(operation.id, None)
        super().append(execution_arn, change)


class Lists(MemoryExecutionStore):
    """Lists something else than it is asked for."""

    def __init__(
        self, query: Callable[[ExecutionQuery], ExecutionQuery], then: Callable[[Any], Any] = lambda found: found
    ) -> None:
        super().__init__()
        self.query, self.then = query, then

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        return self.then(super().list(self.query(query)))


class IncludesBounds(MemoryExecutionStore):
    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        after, before = query.started_after, query.started_before
        after, before = (None if after is None else after - 1), (None if before is None else before + 1)
        return super().list(replace(query, started_after=after, started_before=before))


class ComparesNamesLoosely(MemoryExecutionStore):
    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        name = query.name.lower() if query.name else None
        return super().list(replace(query, name=name))


class TiesTheOtherWay(MemoryExecutionStore):
    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        return sorted(
            super().list(replace(query, reverse=True)), key=lambda header: header.started_at, reverse=not query.reverse
        )


class ListsAsItWas(MemoryExecutionStore):
    def __init__(self) -> None:
        super().__init__()
        self.first: dict[str, ExecutionHeader] = {}

    def create(self, record: ExecutionRecord) -> None:
        super().create(record)
        self.first[record.header.arn] = record.header

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        return [self.first[header.arn] for header in super().list(query)]


class FoldsArns(MemoryExecutionStore):
    """Keeps executions under a name made of the ARN."""

    def __init__(self, name: Callable[[str], str]) -> None:
        super().__init__()
        self.name = name

    def create(self, record: ExecutionRecord) -> None:
        kept = MemoryExecutionStore()
        kept.create(record)
        self._kept[self.name(record.header.arn)] = kept._kept[record.header.arn]

    def append(self, execution_arn: str, change: Change) -> None:
        super().append(self.name(execution_arn), change)

    def load(self, execution_arn: str) -> ExecutionRecord:
        return super().load(self.name(execution_arn))

    def delete(self, execution_arn: str) -> None:
        super().delete(self.name(execution_arn))


class Unlocked(MemoryExecutionStore):
    """Reads, thinks, writes."""

    def append(self, execution_arn: str, change: Change) -> None:
        folded = Folded(self.load(execution_arn))
        folded.apply(change)
        time.sleep(0.001)
        kept = MemoryExecutionStore()
        kept.create(folded.record())
        self._kept[execution_arn] = kept._kept[execution_arn]


class ChecksThenCreates(MemoryExecutionStore):
    def create(self, record: ExecutionRecord) -> None:
        if record.header.arn not in self._kept:
            time.sleep(0.01)
            self._kept.pop(record.header.arn, None)
        super().create(record)


def ascii_only(record: Any) -> Any:
    data = json.dumps(to_data(record), ensure_ascii=False).encode("ascii", "replace")
    return from_data(type(record), json.loads(data))


def cut(record: Any) -> Any:
    def shorter(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: shorter(each) for key, each in value.items()}
        if isinstance(value, list):
            return [shorter(each) for each in value]
        return value[: 1024 * 1024] if isinstance(value, str) else value

    return from_data(type(record), shorter(json.loads(json.dumps(to_data(record)))))


def generated(found: Sequence[ExecutionHeader]) -> Iterator[ExecutionHeader]:
    yield from found


def same(query: ExecutionQuery) -> ExecutionQuery:
    return query


BROKEN: dict[str, tuple[Callable[[], ExecutionStore], str]] = {
    "hands out its own": (HandsOutItsOwn, "isolation: after the data of a loaded event was changed"),
    "hands out its listing": (HandsOutItsListing, "isolation: a listing was emptied"),
    "raises KeyError": (RaisesKeyError, "unknown ARNs: load of an ARN that was never created raised KeyError"),
    "appends to anything": (AppendsToAnything, "unknown ARNs: append to an ARN never created raised nothing"),
    "deletes anything": (DeletesAnything, "unknown ARNs: delete of an ARN that was never created raised nothing"),
    "replaces": (Replaces, "taken ARNs: create of an ARN that is taken raised nothing"),
    "keeps what is deleted": (KeepsWhatIsDeleted, "delete: created again after delete: operations"),
    "loses events": (
        lambda: Alters(lambda each: replace(each, events=each.events[:1])),
        "what it is given: .*: events",
    ),
    "forgets the first failure": (
        lambda: Alters(lambda each: replace(each, first_failure=None)),
        "given: after change 5: first_failure",
    ),
    "turns events round": (lambda: Alters(lambda each: replace(each, events=each.events[::-1])), "given: .*: events"),
    "loses headers": (lambda: Alters(lambda each: replace(each, header=None)), "given: after the end: header"),
    "loses invocations": (lambda: Alters(lambda each: replace(each, invocation=None)), "given: .*: invocations"),
    "keeps every state": (KeepsEveryState, "given: after change .: operations"),
    "moves what changes": (MovesWhatChanges, "given: after change 6: operations"),
    "ASCII only": (lambda: Alters(ascii_only), "text: text of every kind: operations"),
    "cuts payloads": (lambda: Alters(cut), "6 MB: payloads of 6 MB: header"),
    "ARNs in one case": (lambda: FoldsArns(str.lower), "similar ARNs: 9 ARNs"),
    "ARNs cut": (lambda: FoldsArns(lambda arn: arn[:255]), "similar ARNs: 9 ARNs"),
    "ARNs as paths": (lambda: FoldsArns(os.path.normpath), "similar ARNs: 9 ARNs"),
    "oldest first": (lambda: Lists(lambda each: replace(each, reverse=not each.reverse)), "order of listings: newest"),
    "no reverse": (lambda: Lists(lambda each: replace(each, reverse=False)), "listings: with reverse, oldest first"),
    "ties the other way": (TiesTheOtherWay, "order of listings: newest first, of equal age"),
    "no function": (
        lambda: Lists(lambda each: replace(each, function_arn=None)),
        "filters of listings: .*function_arn",
    ),
    "no name": (lambda: Lists(lambda each: replace(each, name=None)), "filters of listings: .*name='n1'"),
    "no status": (lambda: Lists(lambda each: replace(each, statuses=frozenset())), "filters of listings: .*RUNNING"),
    "one status": (
        lambda: Lists(lambda each: replace(each, statuses=frozenset(sorted(each.statuses)[:1]))),
        "filters of listings: .*(SUCCEEDED.*FAILED|FAILED.*SUCCEEDED)",
    ),
    "no lower bound": (lambda: Lists(lambda each: replace(each, started_after=None)), "filters .*started_after=1"),
    "no upper bound": (lambda: Lists(lambda each: replace(each, started_before=None)), "filters .*started_before=1"),
    "bounds included": (IncludesBounds, "filters of listings: .*started_after=1"),
    "names loosely": (ComparesNamesLoosely, "filters of listings: .*name='N1'"),
    "lists as it was": (ListsAsItWas, "listings are up to date: after its end it is listed as"),
    "a page is all": (lambda: Lists(same, lambda found: found[:20]), "pages of listings: 25 executions"),
    "a generator": (lambda: Lists(same, generated), "pages of listings: TypeError"),
    "unlocked": (Unlocked, "writers of one execution: of 20 changes of one thread among 6"),
    "checks, then creates": (ChecksThenCreates, "creators of one ARN: 6 threads"),
}


class WritesWhenClosed(FilesystemExecutionStore):
    """Acknowledges what it has only in memory."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.waiting: list[tuple[str, Change]] = []

    def append(self, execution_arn: str, change: Change) -> None:
        super().load(execution_arn)
        self.waiting.append((execution_arn, change))

    def load(self, execution_arn: str) -> ExecutionRecord:
        self.close()
        return super().load(execution_arn)

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        self.close()
        return super().list(query)

    def close(self) -> None:
        waiting, self.waiting = self.waiting, []
        for arn, change in waiting:
            super().append(arn, change)
        super().close()


class RewritesInPlace(FilesystemExecutionStore):
    """One file, written anew by every change, where it stands."""

    def append(self, execution_arn: str, change: Change) -> None:
        with self._lock:
            folded = Folded(self.load(execution_arn))
            folded.apply(change)
            path = self.path_of(execution_arn)
            text = self._text(folded)
            path.write_bytes(text[: len(text) // 2])
            if "killed" in execution_arn:
                time.sleep(0.1)  # somebody is certain to be killed here
            path.write_bytes(text)
            self._forget(execution_arn)

    def _text(self, folded: Folded) -> bytes:
        from async_durable_execution_runner.stores.documents import rendered

        return b"".join(rendered(folded, 1))


class ForgetsTheOrder(SqliteExecutionStore):
    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        found = sorted(super().list(query), key=lambda header: (header.started_at, header.arn))
        return found if query.reverse else found[::-1]


class LooksOnce(SqliteExecutionStore):
    """Keeps a listing until it changes something itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.listings: dict[ExecutionQuery, Sequence[ExecutionHeader]] = {}

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        if query not in self.listings:
            self.listings[query] = super().list(query)
        return list(self.listings[query])

    def create(self, record: ExecutionRecord) -> None:
        self.listings.clear()
        super().create(record)

    def append(self, execution_arn: str, change: Change) -> None:
        self.listings.clear()
        super().append(execution_arn, change)

    def delete(self, execution_arn: str) -> None:
        self.listings.clear()
        super().delete(execution_arn)


class LoadsNothingOld(SqliteExecutionStore):
    """Knows what it has created itself."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.mine: set[str] = set()

    def create(self, record: ExecutionRecord) -> None:
        super().create(record)
        self.mine.add(record.header.arn)

    def load(self, execution_arn: str) -> ExecutionRecord:
        if execution_arn not in self.mine:
            raise ResourceNotFoundException(execution_arn)
        return super().load(execution_arn)


PERSISTENT_BROKEN: dict[str, tuple[Callable[[Path], ExecutionStore], str]] = {
    "writes when closed": (WritesWhenClosed, "killed writer: "),
    "writes when closed, seen": (WritesWhenClosed, "reopened without close: seen by another store"),
    "rewrites in place": (RewritesInPlace, "killed writer: "),
    "forgets the order": (ForgetsTheOrder, "order of listings: newest first, of equal age"),
    "looks once": (LooksOnce, "two stores of one place: another store does not list it"),
    "loads nothing old": (LoadsNothingOld, "reopened: ResourceNotFoundException"),
}

"""Executions in memory: fast, and gone with the process."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .._model.execution import Change, ExecutionHeader, ExecutionRecord, Invocation
from .._model.history import HistoryEvent
from .._model.operation import Operation
from ..exceptions import ResourceConflictException, ResourceNotFoundException
from .base import ExecutionQuery

__all__ = ["MemoryExecutionStore"]


class _Kept:
    """One execution. Its parts are immutable, so a snapshot copies references only."""

    __slots__ = ("events", "first_failure", "header", "invocations", "operations")

    def __init__(self, record: ExecutionRecord) -> None:
        self.header = record.header
        self.operations: dict[str, Operation] = {operation.id: operation for operation in record.operations}
        self.events: list[HistoryEvent] = list(record.events)
        self.invocations: dict[int, Invocation] = {each.number: each for each in record.invocations}
        self.first_failure = record.first_failure


class MemoryExecutionStore:
    """The default store. Thread-safe; hands out snapshots, never what it keeps itself."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: dict[str, _Kept] = {}

    def create(self, record: ExecutionRecord) -> None:
        """See ``ExecutionStore.create``."""
        arn = record.header.arn
        with self._lock:
            if arn in self._kept:
                raise ResourceConflictException(f"Durable execution already exists: {arn}")
            self._kept[arn] = _Kept(record)

    def append(self, execution_arn: str, change: Change) -> None:
        """See ``ExecutionStore.append``."""
        with self._lock:
            kept = self._find(execution_arn)
            kept.events += change.events
            for operation in change.operations:
                kept.operations[operation.id] = operation
            if change.header is not None:
                kept.header = change.header
            if change.invocation is not None:
                kept.invocations[change.invocation.number] = change.invocation
            if change.first_failure is not None:
                kept.first_failure = change.first_failure

    def load(self, execution_arn: str) -> ExecutionRecord:
        """See ``ExecutionStore.load``."""
        with self._lock:
            kept = self._find(execution_arn)
            return ExecutionRecord(
                header=kept.header,
                operations=tuple(kept.operations.values()),
                # The only part that could be changed by whoever gets it.
                events=tuple([event._replace(data=dict(event.data)) for event in kept.events]),
                invocations=tuple(kept.invocations.values()),
                first_failure=kept.first_failure,
            )

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        """See ``ExecutionStore.list``."""
        with self._lock:
            return query.select(kept.header for kept in self._kept.values())

    def delete(self, execution_arn: str) -> None:
        """See ``ExecutionStore.delete``."""
        with self._lock:
            self._find(execution_arn)
            del self._kept[execution_arn]

    def close(self) -> None:
        """Nothing is held open."""

    def _find(self, execution_arn: str) -> _Kept:
        kept = self._kept.get(execution_arn)
        if kept is None:
            raise ResourceNotFoundException(f"Durable execution not found: {execution_arn}")
        return kept

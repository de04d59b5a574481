"""The contract of an execution store.

A store keeps what the engine has accepted. It is told of a new execution once and of every accepted change in order;
it gives back immutable records. It needs no knowledge of what the records mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, runtime_checkable

from .._model.execution import Change, ExecutionHeader, ExecutionRecord

__all__ = ["Change", "ExecutionHeader", "ExecutionQuery", "ExecutionRecord", "ExecutionStore", "StoreType"]


class StoreType(StrEnum):
    """The stores that come with the package, by the names that ``AWS_DEX_STORE_TYPE`` understands."""

    MEMORY = "memory"
    FILESYSTEM = "filesystem"
    SQLITE = "sqlite"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionQuery:
    """Filters of ListDurableExecutionsByFunction; ``None`` and empty mean no filter. Instants in Unix milliseconds."""

    function_arn: str | None = None
    name: str | None = None
    statuses: frozenset[str] = frozenset()
    started_after: int | None = None
    started_before: int | None = None
    reverse: bool = False

    def matches(self, header: ExecutionHeader) -> bool:
        """Whether an execution passes every filter."""
        return (
            (self.function_arn is None or header.function_arn == self.function_arn)
            and (self.name is None or header.name == self.name)
            and (not self.statuses or header.status in self.statuses)
            and (self.started_after is None or header.started_at > self.started_after)
            and (self.started_before is None or header.started_at < self.started_before)
        )

    def select(self, headers: Iterable[ExecutionHeader]) -> list[ExecutionHeader]:
        """The headers that match, as a listing has them. They are to come in the order in which they were created."""
        found = sorted(filter(self.matches, headers), key=lambda header: header.started_at)
        return found if self.reverse else found[::-1]


@runtime_checkable
class ExecutionStore(Protocol):
    """What the engine needs from a store. Every method may be called from any thread."""

    def create(self, record: ExecutionRecord) -> None:
        """Keep a new execution. Raises ``ResourceConflictException`` if its ARN is taken: nothing is ever replaced."""

    def append(self, execution_arn: str, change: Change) -> None:
        """Keep one accepted change: new events, the new state of operations, and header and invocation if changed.

        When this returns, the change is acknowledged and must survive whatever the store promises to survive.
        """

    def load(self, execution_arn: str) -> ExecutionRecord:
        """Everything kept of an execution. Raises ``ResourceNotFoundException`` for an unknown ARN."""

    def list(self, query: ExecutionQuery) -> Sequence[ExecutionHeader]:
        """Headers that match, newest first; with ``reverse`` oldest first.

        Of equal age, the one created later is newer.
        """

    def delete(self, execution_arn: str) -> None:
        """Forget an execution. Raises ``ResourceNotFoundException`` for an unknown ARN."""

    def close(self) -> None:
        """Release what the store holds open. Nothing is lost."""

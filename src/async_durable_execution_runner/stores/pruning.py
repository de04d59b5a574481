"""Old executions, forgotten on request. Nothing is ever deleted by itself."""

from __future__ import annotations

from datetime import datetime

from .._model.instants import to_millis
from .base import ExecutionQuery, ExecutionStore

__all__ = ["prune"]

_DAY = 86_400_000
"""Milliseconds."""


def prune(store: ExecutionStore, now: datetime) -> list[str]:
    """Delete executions whose retention is over at ``now``, and return their ARNs, the oldest first.

    Retention begins when an execution ends and lasts its ``retention_period_days``; one that has not ended stays.
    Raises ``StoreError`` if the store cannot delete.
    """
    moment = to_millis(now)
    over = [
        header.arn
        for header in store.list(ExecutionQuery(reverse=True))
        if header.ended_at is not None and header.ended_at + header.retention_period_days * _DAY < moment
    ]
    for arn in over:
        store.delete(arn)
    return over

"""Checkpoints that are sent at once.

The first releases of ``async-durable-execution`` hold each one back for 0.1 s of real time, in the hope of more to send
along. Nothing is saved by that here, and later releases no longer do it for a checkpoint that somebody waits for.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

_lock = threading.Lock()
_users = 0


def holds_back(state: Any) -> bool:
    """Whether the SDK's module ``state`` is one of a release that waits before it sends."""
    collect = getattr(getattr(state, "ExecutionState", None), "_collect_checkpoint_batch", None)
    code = getattr(collect, "__code__", None)
    names = (*code.co_names, *code.co_varnames) if code is not None else ()
    config = getattr(state, "CheckpointBatcherConfig", None)
    return "max_batch_time_seconds" in names and "has_sync_checkpoint" not in names and isinstance(config, type)


@contextlib.contextmanager
def sent_at_once(state: Any) -> Iterator[None]:
    """Let the SDK send checkpoints without waiting, for as long as an invocation runs."""
    global _users  # noqa: PLW0603 - invocations of several runners may overlap; the last one puts things back
    with _lock:
        _users += 1
        if _users == 1:
            own = state.CheckpointBatcherConfig
            state.CheckpointBatcherConfig = functools.partial(own, max_batch_time_seconds=0.0)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                state.CheckpointBatcherConfig = state.CheckpointBatcherConfig.func

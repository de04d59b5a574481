"""Checkpoints that are sent at once.

The first releases of ``async-durable-execution`` hold each one back for 0.1 s of real time, in the hope of more to send
along. Nothing is saved by that here, and later releases no longer do it for a checkpoint that somebody waits for.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import threading
from collections.abc import Awaitable, Callable, Iterator
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
    own, changed = _changes(state)
    with _lock:
        _users += 1
        if _users == 1:
            _put(state, changed)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _put(state, own)


@functools.cache
def _changes(state: Any) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
    """Configuration and collecting method, the SDK's own and ours."""
    config, collect = state.CheckpointBatcherConfig, state.ExecutionState._collect_checkpoint_batch  # noqa: SLF001
    return (config, collect), (functools.partial(config, max_batch_time_seconds=0.0), _with_what_is_ready(collect))


def _put(state: Any, values: tuple[Any, Any]) -> None:
    state.CheckpointBatcherConfig, state.ExecutionState._collect_checkpoint_batch = values  # noqa: SLF001


def _with_what_is_ready(collect: Callable[[Any], Awaitable[list[Any]]]) -> Callable[[Any], Awaitable[list[Any]]]:
    """A batch of what tasks have ready by now, as waiting would have found it: operations side by side go together."""

    @functools.wraps(collect)
    async def collected(self: Any) -> list[Any]:
        batch = await collect(self)
        size = sum(self._calculate_operation_size(each) for each in batch)
        while batch and await _has_more(self._checkpoint_queue):
            queued = self._checkpoint_queue.get_nowait()
            if queued is None:  # the SDK's sign to stop, which it looks at elsewhere
                continue
            size += self._calculate_operation_size(queued)
            limits = self._batcher_config
            if len(batch) >= limits.max_batch_operations or size > limits.max_batch_size_bytes:
                self._overflow_queue.append(queued)
                break
            batch.append(queued)
        return batch

    return collected


async def _has_more(queue: asyncio.Queue[Any]) -> bool:
    if queue.empty():
        await asyncio.sleep(0)  # noqa: TID251 - no time passes: tasks that are ready get their turn
    return not queue.empty()

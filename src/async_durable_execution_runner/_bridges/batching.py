"""Checkpoints that are sent at once.

The first releases of ``async-durable-execution`` hold each one back for 0.1 s of real time, in the hope of more to send
along. Nothing is saved by that here, and later releases no longer do it for a checkpoint that somebody waits for.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any

from .exchanged import Exchange, Exchanged

_exchanged = Exchanged()


def holds_back(state: Any) -> bool:
    """Whether the SDK's module ``state`` is one of a release that waits before it sends."""
    collect = getattr(getattr(state, "ExecutionState", None), "_collect_checkpoint_batch", None)
    code = getattr(collect, "__code__", None)
    names = (*code.co_names, *code.co_varnames) if code is not None else ()
    config = getattr(state, "CheckpointBatcherConfig", None)
    return "max_batch_time_seconds" in names and "has_sync_checkpoint" not in names and isinstance(config, type)


def sent_at_once(state: Any) -> AbstractContextManager[None]:
    """Let the SDK send checkpoints without waiting, for as long as an invocation runs."""
    return _exchanged.by(lambda: _exchanges(state))


@functools.cache
def _exchanges(state: Any) -> list[Exchange]:
    name = "_collect_checkpoint_batch"
    config = functools.partial(state.CheckpointBatcherConfig, max_batch_time_seconds=0.0)
    collect = _with_what_is_ready(vars(state.ExecutionState)[name])
    return [(state, "CheckpointBatcherConfig", config), (state.ExecutionState, name, collect)]


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

"""Which operation a frame or a task is working on, seen from outside."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

from .apart import Crew

_PACKAGE = str(Path(__file__).parent.parent)
Entry = tuple[str, int, str]
"""File, line, function."""


def operation_of(task: asyncio.Task[Any]) -> str | None:
    """The operation a task of an SDK stands for, in words, or ``None`` for any other task."""
    names = [name for frame in _await_chain(task.get_coro()) if (name := _operation_in(frame)) is not None]
    return names[-1] if names else None


def places(tasks: list[asyncio.Task[Any]], frame: FrameType | None) -> Iterator[tuple[str | None, list[Entry]]]:
    """Operation and stack of each task, and of an interrupted frame with the threads that it waits for."""
    callers = _callers(frame)
    chains = [_below_us(callers)] if callers else []
    chains += [_callers(at) for crew in map(_crew_of, callers) if crew is not None for _, at in crew.frames()]
    chains += [list(_await_chain(task.get_coro())) for task in tasks]
    for chain in chains:
        yield _last_operation(chain), [_entry(each) for each in chain]


def _crew_of(frame: FrameType) -> Crew | None:
    crew = frame.f_locals.get("crew") if frame.f_code.co_filename.startswith(_PACKAGE) else None
    return crew if isinstance(crew, Crew) else None


def _last_operation(chain: list[FrameType]) -> str | None:
    names = [name for frame in chain if (name := _operation_in(frame)) is not None]
    return names[-1] if names else None


def _operation_in(frame: FrameType) -> str | None:
    """An SDK's frame works for an object that knows the operation, or has its identifier at hand."""
    owner = frame.f_locals.get("self")
    identifier = getattr(owner, "operation_identifier", None) or frame.f_locals.get("operation_identifier")
    if identifier is None or not hasattr(identifier, "operation_id"):
        return None
    sub_type = getattr(identifier, "sub_type", None)
    kind = getattr(sub_type, "value", sub_type) or "operation"
    name = getattr(identifier, "name", None)
    return f"{kind} '{name}'" if name else f"an unnamed {kind}"


def _await_chain(coroutine: Any) -> Iterator[FrameType]:
    """Frames from a coroutine down to what it waits for."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            yield frame
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)


def _callers(frame: FrameType | None) -> list[FrameType]:
    found = []
    while frame is not None:
        found.append(frame)
        frame = frame.f_back
    return found[::-1]


def _below_us(chain: list[FrameType]) -> list[FrameType]:
    """The frames that the runner has called; not those that have called the runner."""
    ours = [number for number, frame in enumerate(chain) if frame.f_code.co_filename.startswith(_PACKAGE)]
    return chain[ours[-1] + 1 :] if ours else chain


def _entry(frame: FrameType) -> Entry:
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name

"""What the drivers are handed from rooms they do not know."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from .._engine.inputs import InvocationEnd, InvocationInput
from .outcome import ReadError


class BoundHandler(Protocol):
    """A handler bound to the in-process client; see the bridges."""

    @property
    def call(self) -> Callable[[dict[str, Any], Any], Awaitable[Any]] | None:
        """Awaited on an event loop."""

    @property
    def call_blocking(self) -> Callable[[dict[str, Any], Any], Any] | None:
        """Called where no loop runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Functions of other rooms."""

    bind: Callable[[str], BoundHandler]
    event: Callable[[InvocationInput, int], dict[str, Any]]
    read_error: ReadError
    around: Callable[[InvocationInput], AbstractContextManager[Any]]
    """Opened around every call of a handler."""
    left_behind: Callable[[InvocationInput, list[asyncio.Task[Any]]], None]
    """Told of tasks that a handler that succeeded has not awaited."""
    describe: Callable[[str, bool], str]
    """What an execution is waiting for, in words, and whether it waits in vain."""
    where: Callable[[list[asyncio.Task[Any]], Any], str]
    """Where a handler was when its time was up, in words."""
    ended: Callable[[InvocationInput, InvocationEnd], InvocationEnd]
    """Says how an invocation ends whose handler has come to an end."""
    mortal: Callable[[], bool]
    """Whether the next invocation may be lost while its handler runs."""
    works_for: Callable[[], Collection[int]] = tuple
    """Idents of threads that wait for the calling thread, which an SDK has started for a handler."""

"""What a bridge to an SDK gives the rest of the runner."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from .._engine.client import InMemoryServiceClient
from .asking import Listener
from .remembering import Memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A handler bound to a client. Exactly one of the two ways to call it is there.

    ``call`` is awaited on an event loop. ``call_blocking`` is a plain call; the SDK's own coroutine is handed to the
    runner given at binding, which must not be inside a running loop.
    """

    call: Callable[[dict[str, Any], Any], Awaitable[Any]] | None = None
    call_blocking: Callable[[dict[str, Any], Any], Any] | None = None


RunCoroutine = Callable[[Awaitable[Any]], Any]


class Bridge(Protocol):
    """One SDK, as the runner needs it."""

    package: str
    runs_in_threads: bool
    """Whether handlers run in threads of the SDK's, and not on an event loop."""
    invocation_status: Any
    operation_status: Any
    operation_type: Any
    operation_sub_type: Any

    def error_object(
        self, message: str | None, kind: str | None, data: str | None, stack_trace: list[str] | None
    ) -> Any:
        """An error as the SDK's own ``ErrorObject``."""

    def decode(self, text: str | None) -> Any:
        """A stored result of a step or context as a value: as the SDK reads it by default, else JSON, else the text."""

    def bind(self, handler: Any, client: InMemoryServiceClient, run: RunCoroutine) -> Binding:
        """The handler, talking to ``client`` instead of AWS; decorators above the SDK's keep working."""

    def decorate(self, function: Any) -> Callable[[dict[str, Any], Any], Any]:
        """A function that nobody decorated, decorated by the SDK, with the client that this makes by itself."""

    def step_handler(self, step: Any, name: str | None, options: dict[str, Any]) -> Any:
        """A decorated handler whose only operation is this step, with the options of the SDK's own ``step``."""

    def child_context_handler(self, block: Any, name: str | None, options: dict[str, Any]) -> Any:
        """Ditto, with a child context."""

    def block_handler(self, block: Any) -> Any:
        """A decorated handler that does what the block does, in no context of its own."""

    def tuned(self) -> AbstractContextManager[None]:
        """What makes the SDK faster without changing what it does, for as long as an invocation runs."""

    def remembering(self, memory: Memory) -> AbstractContextManager[None]:
        """Let the SDK use what it has made of its models in other runs, until the block ends."""

    def failures(self) -> AbstractContextManager[Any]:
        """Watch for exceptions the SDK catches, so that their tracebacks are not lost."""

    def listened(self, listener: Listener, execution_arn: str) -> AbstractContextManager[None] | None:
        """Let ``listener`` hear what an execution asks for; ``None`` if this release of the SDK has no place for it."""

"""Where both SDKs can be seen asking for an operation, before anything of it happens.

Every operation passes through one method of one class. It is exchanged while somebody listens, and put back after the
last one. A release that has no such method cannot be listened to: ``Hooks.of`` finds nothing to exchange.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

from .._model.enums import OperationType as Type
from .asks import Ask
from .exchanged import Exchange, Exchanged


class Door(Protocol):
    """The SDK's own state of the running invocation."""

    def put(self, operation: dict[str, Any]) -> None:
        """Let it know an operation, in wire shape with instants in Unix milliseconds."""

    def drop(self, operation_id: str) -> None:
        """Let it forget an operation."""


class Ticket:
    """An answer that is still to come. The asking task or thread waits for ``release``."""

    __slots__ = ("_on_release", "released", "suspends")

    def __init__(self) -> None:
        self.released = False
        self.suspends = False
        self._on_release: Callable[[], None] | None = None

    def on_release(self, callback: Callable[[], None]) -> None:
        """Be told, at once if it is released already."""
        self._on_release = callback
        if self.released:
            callback()

    def release(self, *, suspends: bool) -> None:
        """Let whoever waits go on: with what the SDK's state now holds, or by suspending."""
        self.suspends, self.released = suspends, True
        if self._on_release is not None:
            self._on_release()


class Listener(Protocol):
    """Who hears what a handler asks for."""

    answers: bool
    """Whether it decides what is answered; else it only watches."""

    def created(self, operation_id: str, frame: FrameType) -> None:
        """The user's code makes an operation, with this frame below its own."""

    def asked(self, ask: Ask, door: Door) -> Ticket | None:
        """An operation is asked for. ``None`` lets the SDK go on at once."""

    def returned(self, ask: Ask, door: Door) -> Ticket | None:
        """A context has come to its end, or suspended. ``None`` lets it be so.

        Else the SDK reads from its state what the context has ended with, once the ticket is released.
        """


current: ContextVar[Listener | None] = ContextVar("durable_runner_listener", default=None)
"""The listener of the running invocation, for an SDK whose tasks inherit their context."""

_by_arn: dict[str, Listener] = {}
"""The same for an SDK whose threads do not."""


def listener_of(execution_arn: str) -> Listener | None:
    """Who listens to an execution, asked from whichever thread."""
    return _by_arn.get(execution_arn)


def somebody_answers() -> bool:
    """Whether any execution is being replayed."""
    return any(each.answers for each in list(_by_arn.values()))


class Hooks:
    """The exchanges that an SDK needs to be listened to, made while at least one listener is there."""

    def __init__(self, exchanges: list[Exchange]) -> None:
        self._exchanges = exchanges
        self._exchanged = Exchanged()

    @contextlib.contextmanager
    def listening(self, listener: Listener, execution_arn: str) -> Iterator[None]:
        """Let ``listener`` hear what an invocation of the execution asks for."""
        token = current.set(listener)
        before, _by_arn[execution_arn] = _by_arn.get(execution_arn), listener
        try:
            with self._exchanged.by(lambda: self._exchanges):
                yield
        finally:
            current.reset(token)
            if before is None:
                _by_arn.pop(execution_arn, None)
            else:
                _by_arn[execution_arn] = before


@dataclass(frozen=True, slots=True)
class _Kind:
    type: Type
    inputs: tuple[str, ...]


_KINDS = {
    "StepOperationExecutor": _Kind(Type.STEP, ("func",)),
    "StatefulStepOperationExecutor": _Kind(Type.STEP, ("func", "initial_state")),
    "WaitForConditionOperationExecutor": _Kind(Type.STEP, ("check", "initial_state")),
    "WaitOperationExecutor": _Kind(Type.WAIT, ("seconds",)),
    "InvokeOperationExecutor": _Kind(Type.CHAINED_INVOKE, ("function_name", "payload", "tenant_id")),
    "CallbackOperationExecutor": _Kind(Type.CALLBACK, ("timeout_seconds", "heartbeat_timeout_seconds")),
    "ChildOperationExecutor": _Kind(Type.CONTEXT, ("func",)),
}
"""What the SDKs call the objects that carry an operation out. Both use the same names."""


def read_ask(executor: Any) -> Ask | None:
    """The operation that one of the SDK's objects is about to carry out; ``None`` for one that is none of its own."""
    kind = next((_KINDS[each.__name__] for each in type(executor).__mro__ if each.__name__ in _KINDS), None)
    if kind is None:
        return None
    identifier, config = executor.operation_identifier, getattr(executor, "config", None)
    if getattr(executor, "is_virtual", False) or getattr(config, "is_virtual", False):
        return None  # such a context leaves no trace; what is inside belongs to the one around it
    return Ask(
        operation_id=identifier.operation_id,
        type=kind.type,
        parent_id=identifier.parent_id,
        sub_type=_text(identifier.sub_type),
        name=identifier.name or None,
        inputs={name: _input(executor, config, name) for name in kind.inputs},
        custom=frozenset(_custom(executor, config)),
    )


def _input(executor: Any, config: Any, name: str) -> Any:
    value = getattr(executor, name, None)
    return value if value is not None else getattr(config, name, None)


def _custom(executor: Any, config: Any) -> Iterator[str]:
    for name, stands_for in (("serdes", "result"), ("item_serdes", "result"), ("serdes_payload", "payload")):
        if _input(executor, config, name) is not None:
            yield stands_for


def _text(sub_type: Any) -> str | None:
    value = getattr(sub_type, "value", sub_type)
    return str(value) if value is not None else None

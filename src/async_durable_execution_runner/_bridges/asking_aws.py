"""Listening to ``aws-durable-execution-sdk-python``."""

from __future__ import annotations

import importlib
import inspect
import sys
import threading
from typing import Any

from .._model.enums import OperationType
from .asking import Hooks, Ticket, listener_of, read_ask, somebody_answers
from .exchanged import Exchange


class _StateDoor:
    """See ``Door``. The SDK reads its state from many threads, under its own lock."""

    def __init__(self, state: Any, operation: Any) -> None:
        self._operation = operation
        own: dict[str, Any] | None = getattr(state, "_operations", None)
        self._operations = own if own is not None else state.operations
        self._lock = getattr(state, "_operations_lock", None) or threading.Lock()

    def put(self, operation: dict[str, Any]) -> None:
        known = self._operation.from_json_dict(operation)
        with self._lock:
            self._operations[known.operation_id] = known

    def drop(self, operation_id: str) -> None:
        with self._lock:
            self._operations.pop(operation_id, None)


def hooks_of(package: str, operation: Any) -> Hooks | None:
    """What has to be exchanged in this release, or ``None`` if it is built differently, as the first ones are."""
    executor = _found(package, "operation.base", "OperationExecutor")
    suspend = _found(package, "exceptions", "SuspendExecution")
    own = vars(executor).get("process") if executor is not None else None
    known = inspect.isfunction(own) and list(inspect.signature(own).parameters) == ["self"]
    if suspend is None or not known or not hasattr(operation, "from_json_dict"):
        return None
    exchanges: list[Exchange] = [(executor, "process", _process(own, suspend, operation))]
    identifier = _found(package, "identifier", "OperationIdentifier")
    validate = vars(identifier).get("validate_checkpoint") if identifier is not None else None
    if inspect.isfunction(validate):
        exchanges.append((identifier, "validate_checkpoint", _validate(validate)))
    return Hooks(exchanges)


def _process(own: Any, suspend: type[BaseException], operation: Any) -> Any:
    def process(self: Any) -> Any:
        listener = listener_of(self.state.durable_execution_arn)
        ask = read_ask(self) if listener is not None else None
        if listener is None or ask is None:
            return own(self)
        door = _StateDoor(self.state, operation)
        listener.created(ask.operation_id, sys._getframe(1))  # noqa: SLF001 - the documented way to see a caller
        ticket = listener.asked(ask, door)
        if ticket is not None:
            _wait_for(ticket)
            if ticket.suspends:
                raise suspend("The recorded history has no answer to this yet.")
        if not listener.answers or ask.type is not OperationType.CONTEXT:
            return own(self)
        return _context(own, self, suspend, lambda: listener.returned(ask, door))

    return process


def _context(own: Any, executor: Any, suspend: type[BaseException], returned: Any) -> Any:
    """A context's own code has run; what goes on from there is what was recorded, where something was."""
    result, problem = None, None
    try:
        result = own(executor)
    except (Exception, suspend) as error:  # noqa: BLE001 - it goes on from here, unless there is a recorded answer
        problem = error
    ticket = returned()
    if ticket is not None:
        _wait_for(ticket)
        return own(executor)
    if problem is not None:
        raise problem
    return result


def _wait_for(ticket: Ticket) -> None:
    released = threading.Event()
    ticket.on_release(released.set)
    released.wait()


def _validate(own: Any) -> Any:
    """The SDK's check of identities comes before the operation is asked for; who answers makes one of its own."""

    def validate_checkpoint(self: Any, checkpoint: Any) -> None:
        if not somebody_answers():
            own(self, checkpoint)

    return validate_checkpoint


def _found(package: str, module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(f"{package}.{module}"), name, None)
    except ImportError:
        return None

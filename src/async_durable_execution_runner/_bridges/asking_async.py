"""Listening to ``async-durable-execution``."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import sys
from typing import Any

from .._model.enums import OperationType
from .asking import Hooks, Ticket, current, read_ask
from .exchanged import Exchange

_EXECUTORS = ("_primitive.base", "primitive.base")
_COUNTERS = ("_core.context", "primitive.child")


class _StateDoor:
    """See ``Door``."""

    def __init__(self, state: Any, models: Any) -> None:
        self._state, self._models = state, models

    def put(self, operation: dict[str, Any]) -> None:
        known = self._models.Operation.from_dict(operation)
        self._state.operations[known.operation_id] = known

    def drop(self, operation_id: str) -> None:
        self._state.operations.pop(operation_id, None)


def hooks_of(package: str, models: Any) -> Hooks | None:
    """What has to be exchanged in this release, or ``None`` if it is built differently."""
    executor = _found(package, _EXECUTORS, "OperationExecutor")
    counter = _found(package, _COUNTERS, "OperationIdGenerator")
    own = vars(executor).get("process") if executor is not None else None
    suspend = _suspension(package)
    if suspend is None or not inspect.iscoroutinefunction(own) or list(inspect.signature(own).parameters) != ["self"]:
        return None
    exchanges: list[Exchange] = [(executor, "process", _process(own, suspend, models))]
    make_id = vars(counter).get("create_step_id") if counter is not None else None
    if inspect.isfunction(make_id):
        exchanges.append((counter, "create_step_id", _create_step_id(make_id)))
    return Hooks(exchanges)


def _process(own: Any, suspend: type[BaseException], models: Any) -> Any:
    async def process(self: Any) -> Any:
        listener = current.get()
        ask = read_ask(self) if listener is not None else None
        if listener is None or ask is None:
            return await own(self)
        door = _StateDoor(self.state, models)
        ticket = listener.asked(ask, door)
        if ticket is not None:
            await _released(ticket)
            if ticket.suspends:
                raise suspend("The recorded history has no answer to this yet.")
        if not listener.answers or ask.type is not OperationType.CONTEXT:
            return await own(self)
        return await _context(own, self, suspend, lambda: listener.returned(ask, door))

    return process


async def _context(own: Any, executor: Any, suspend: type[BaseException], returned: Any) -> Any:
    """A context's own code has run; what goes on from there is what was recorded, where something was."""
    result, problem = None, None
    try:
        result = await own(executor)
    except (Exception, suspend) as error:  # noqa: BLE001 - it goes on from here, unless there is a recorded answer
        problem = error
    ticket = returned()
    if ticket is not None:
        await _released(ticket)
        return await own(executor)
    if problem is not None:
        raise problem
    return result


async def _released(ticket: Ticket) -> None:
    future = asyncio.get_running_loop().create_future()
    ticket.on_release(lambda: None if future.done() else future.set_result(None))
    await future


def _create_step_id(own: Any) -> Any:
    def create_step_id(self: Any) -> Any:
        operation_id = own(self)
        listener = current.get()
        if listener is not None:
            listener.created(operation_id, sys._getframe(1))  # noqa: SLF001 - the documented way to see a caller
        return operation_id

    return create_step_id


def _suspension(package: str) -> type[BaseException] | None:
    found: type[BaseException] | None = _found(package, ("_core.exceptions", "exceptions"), "SuspendExecution")
    return found


def _found(package: str, modules: tuple[str, ...], name: str) -> Any:
    for module in modules:
        try:
            found = getattr(importlib.import_module(f"{package}.{module}"), name, None)
        except ImportError:
            continue
        if found is not None:
            return found
    return None

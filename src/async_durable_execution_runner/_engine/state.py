"""Which operations an invocation is sent, page by page."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .._model.enums import OperationType as Type
from .._model.execution import Execution, RunningInvocation
from .._model.operation import ContextDetails, Operation
from ..exceptions import InvalidParameterValueException

_OFFSET = re.compile("[1-9][0-9]{0,8}")


@dataclass(frozen=True, slots=True)
class StatePage:
    """A page of operations and where the next one begins."""

    operations: tuple[Operation, ...]
    next_marker: str | None


def visible_operations(execution: Execution) -> tuple[Operation, ...]:
    """All operations in order of start, without what lies below a finished context.

    A context that asked for ``ReplayChildren`` will run its body again, so its children are sent.
    """
    closed: set[str] = set()
    visible = []
    for operation in execution.operations.values():
        if operation.parent_id in closed:
            if operation.type is Type.CONTEXT:
                closed.add(operation.id)
            continue
        visible.append(operation)
        if operation.type is Type.CONTEXT and operation.is_terminal:
            details = operation.details
            if not (isinstance(details, ContextDetails) and details.replay_children):
                closed.add(operation.id)
    return tuple(visible)


def first_page(running: RunningInvocation, operations: tuple[Operation, ...], size: int) -> StatePage:
    """The first page of the whole state as it is now; the rest stays as it is now for this invocation."""
    name = f"state-{len(running.pages)}"
    if len(operations) > size:
        running.pages[name] = operations
    return _page(operations, name, 0, size)


def next_page(running: RunningInvocation, marker: str, size: int) -> StatePage:
    """The page at ``marker``. Raises ``InvalidParameterValueException`` for a marker that was never handed out."""
    name, _, digits = marker.rpartition(".")
    operations = running.pages.get(name, ())
    offset = int(digits) if _OFFSET.fullmatch(digits) else 0
    if not 0 < offset < len(operations):
        raise InvalidParameterValueException(f"Invalid Marker: '{marker}' was not handed out to this invocation.")
    return _page(operations, name, offset, size)


def _page(operations: tuple[Operation, ...], name: str, offset: int, size: int) -> StatePage:
    end = offset + size
    return StatePage(operations[offset:end], f"{name}.{end}" if end < len(operations) else None)

"""What a run gave: the result of an execution, and views of its operations.

Everything here is frozen. Statuses, types and errors are the members and classes of the handler's own SDK.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeVar

from ._model.enums import ExecutionStatus
from .exceptions import ExecutionFailedError, OperationLookupError

__all__ = [
    "CallbackOperation",
    "ContextOperation",
    "DurableFunctionTestResult",
    "ExecutionOperation",
    "ExecutionStatus",
    "InvocationRecord",
    "InvokeOperation",
    "Operation",
    "StepOperation",
    "WaitOperation",
]

ViewT = TypeVar("ViewT", bound="Operation")


def decoded(text: str | None) -> Any:
    """A payload as a value: JSON decoded, anything else as it is."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation (API Reference: Operation). ``events`` are its events in wire shape."""

    operation_id: str
    operation_type: Any
    sub_type: Any
    status: Any
    parent_id: str | None
    name: str | None
    start_timestamp: datetime
    end_timestamp: datetime | None
    events: list[dict[str, Any]] = field(repr=False)

    def describe(self) -> str:
        """Type and name, as messages list candidates."""
        name = f"'{self.name}'" if self.name else "without a name"
        return f"{getattr(self.operation_type, 'value', self.operation_type)} {name}"


@dataclass(frozen=True, kw_only=True)
class ExecutionOperation(Operation):
    """The execution itself."""

    input_payload: str | None


@dataclass(frozen=True, kw_only=True)
class _WithOutcome(Operation):
    result: str | None
    """The payload as it was stored."""
    error: Any
    decode: Callable[[str | None], Any] = field(default=decoded, repr=False, compare=False)
    """How the handler's SDK reads what it stored by default."""

    @property
    def value(self) -> Any:
        """The result as the handler got it: read as its SDK does by default, else from JSON, else the text itself."""
        return self.decode(self.result)


@dataclass(frozen=True, kw_only=True)
class StepOperation(_WithOutcome):
    """A step or a polled condition. ``attempt`` counts finished attempts."""

    attempt: int
    next_attempt_timestamp: datetime | None


@dataclass(frozen=True, kw_only=True)
class WaitOperation(Operation):
    """A wait. ``duration`` in seconds."""

    duration: int
    scheduled_end_timestamp: datetime


@dataclass(frozen=True, kw_only=True)
class CallbackOperation(_WithOutcome):
    """A callback. Timeouts in seconds, ``None`` for none."""

    callback_id: str
    timeout: int | None
    heartbeat_timeout: int | None


@dataclass(frozen=True, kw_only=True)
class InvokeOperation(_WithOutcome):
    """A chained invoke. ``execution_arn`` is the child's, where the target is durable."""

    function_name: str
    execution_arn: str | None


@dataclass(frozen=True, kw_only=True)
class InvocationRecord:
    """One call of the handler. ``error`` is set when the call itself failed."""

    number: int
    request_id: str
    start_timestamp: datetime
    end_timestamp: datetime | None
    error: Any


class _Lookup:
    """Finding operations below something: by name, index and id, checked and with help on a miss."""

    def _below(self) -> Iterator[Operation]:
        """All operations below, depth first in order of start."""
        raise NotImplementedError

    def _where(self) -> str:
        raise NotImplementedError

    def get_step(self, name: str, index: int | None = None) -> StepOperation:
        """The step of that name. Raises ``OperationLookupError``: none, another type, or several and no ``index``."""
        __tracebackhide__ = True
        return self._get(StepOperation, "step", name, index)

    def get_wait(self, name: str, index: int | None = None) -> WaitOperation:
        """The wait of that name. Raises ``OperationLookupError``."""
        __tracebackhide__ = True
        return self._get(WaitOperation, "wait", name, index)

    def get_callback(self, name: str, index: int | None = None) -> CallbackOperation:
        """The callback of that name. Raises ``OperationLookupError``."""
        __tracebackhide__ = True
        return self._get(CallbackOperation, "callback", name, index)

    def get_context(self, name: str, index: int | None = None) -> ContextOperation:
        """The context of that name: child context, map, parallel, branch, wait-for-callback.

        Raises ``OperationLookupError``.
        """
        __tracebackhide__ = True
        return self._get(ContextOperation, "context", name, index)

    def get_invoke(self, name: str, index: int | None = None) -> InvokeOperation:
        """The chained invoke of that name. Raises ``OperationLookupError``."""
        __tracebackhide__ = True
        return self._get(InvokeOperation, "invoke", name, index)

    def get_operation_by_name(self, name: str, index: int | None = None) -> Operation:
        """The operation of that name, of any type. Raises ``OperationLookupError``."""
        __tracebackhide__ = True
        return self._get(Operation, "operation", name, index)

    def get_operation_by_id(self, operation_id: str) -> Operation:
        """The operation of that id. Raises ``OperationLookupError``."""
        __tracebackhide__ = True
        for operation in self._below():
            if operation.operation_id == operation_id:
                return operation
        raise OperationLookupError(f"{self._where()} has no operation with id {operation_id!r}.")

    def get_all_operations(self) -> list[Operation]:
        """All operations below, depth first, in order of start."""
        return list(self._below())

    def _get(self, kind: type[ViewT], what: str, name: str, index: int | None) -> ViewT:
        __tracebackhide__ = True
        everything = list(self._below())
        named = [operation for operation in everything if operation.name == name]
        found = [operation for operation in named if isinstance(operation, kind)]
        if not found:
            raise OperationLookupError(self._miss(what, name, named, everything))
        if index is not None:
            if not -len(found) <= index < len(found):
                raise OperationLookupError(
                    f"{self._where()} has {len(found)} of {what} {name!r}: there is no index {index}."
                )
            return found[index]
        if len(found) > 1:
            rows = "\n".join(
                f"  [{number}] {operation.describe()}, started {operation.start_timestamp.isoformat()}, "
                f"{getattr(operation.status, 'value', operation.status)}"
                for number, operation in enumerate(found)
            )
            raise OperationLookupError(
                f"{self._where()} has {len(found)} of {what} {name!r}; say which one with index=…:\n{rows}"
            )
        return found[0]

    def _miss(self, what: str, name: str, named: list[Operation], everything: list[Operation]) -> str:
        if named:
            return f"{self._where()} has no {what} {name!r}, but {', '.join(o.describe() for o in named)}."
        names = [operation.name for operation in everything if operation.name]
        close = difflib.get_close_matches(str(name), names, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        there = ", ".join(dict.fromkeys(operation.describe() for operation in everything)) or "nothing"
        return f"{self._where()} has no {what} {name!r}.{hint} There is: {there}."


@dataclass(frozen=True, kw_only=True)
class ContextOperation(_WithOutcome, _Lookup):
    """A child context, map, parallel, branch or wait-for-callback, with what ran inside."""

    child_operations: list[Operation] = field(repr=False)

    def _below(self) -> Iterator[Operation]:
        return walk(self.child_operations)

    def _where(self) -> str:
        return f"Context {self.name!r}"


def walk(operations: list[Operation]) -> Iterator[Operation]:
    """Operations and what is inside them, depth first."""
    for operation in operations:
        yield operation
        if isinstance(operation, ContextOperation):
            yield from walk(operation.child_operations)


class ResultSource(Protocol):
    """What a result is made from."""

    def operations(self) -> list[Operation]:
        """See ``DurableFunctionTestResult.operations``."""

    def events(self) -> list[dict[str, Any]]:
        """See ``DurableFunctionTestResult.events``."""

    def invocations(self) -> list[InvocationRecord]:
        """See ``DurableFunctionTestResult.invocations``."""

    def execution(self) -> ExecutionOperation:
        """See ``DurableFunctionTestResult.get_execution``."""

    def render(self, limit: int | None) -> str:
        """See ``DurableFunctionTestResult.render``."""

    def render_timeline(self, width: int | None, color: bool | None, limit: int) -> str:
        """See ``DurableFunctionTestResult.render_timeline``."""

    def page_data(self) -> dict[str, Any]:
        """What a page of this execution shows."""


@dataclass(frozen=True, kw_only=True)
class DurableFunctionTestResult(_Lookup):
    """What became of an execution, at the moment it was asked for."""

    status: Any
    """The SDK's own ``InvocationStatus``: SUCCEEDED, FAILED, or PENDING while it is not over."""
    execution_status: ExecutionStatus
    result: str | None
    """The result as JSON text, as the handler's SDK wrote it."""
    error: Any
    """The SDK's own ``ErrorObject``, or ``None``."""
    execution_arn: str
    source: ResultSource = field(repr=False)
    """Where the rest comes from when somebody asks: a run of thousands of steps is not drawn for nothing."""

    @functools.cached_property
    def operations(self) -> list[Operation]:
        """Operations of the top level, in order of start."""
        return self.source.operations()

    @functools.cached_property
    def events(self) -> list[dict[str, Any]]:
        """The whole history in wire shape, timestamps as aware datetimes."""
        return self.source.events()

    @functools.cached_property
    def invocations(self) -> list[InvocationRecord]:
        """The calls of the handler, in order."""
        return self.source.invocations()

    @property
    def value(self) -> Any:
        """The result, decoded from JSON."""
        return decoded(self.result)

    def get_execution(self) -> ExecutionOperation:
        """The EXECUTION operation."""
        return self.source.execution()

    def ensure_succeeded(self) -> DurableFunctionTestResult:
        """This result, if it succeeded. Raises ``ExecutionFailedError`` with the operation tree otherwise."""
        __tracebackhide__ = True
        if self.execution_status is not ExecutionStatus.SUCCEEDED:
            raise ExecutionFailedError(
                f"The execution did not succeed: it is {self.execution_status}.\n{self.render()}"
            )
        return self

    def render(self, *, limit: int | None = None) -> str:
        """The operation tree as text: names, attempts, statuses, times, the first error, and what is pending.

        Of more than ``limit`` operations some are only counted, those without a story first.
        """
        return self.source.render(limit)

    def render_timeline(self, *, width: int | None = None, color: bool | None = None, limit: int = 60) -> str:
        """The operations against virtual time, as text: attempts, waits, callbacks, invocations, and what is pending.

        ``width`` in characters; ``color`` adds a terminal's control sequences. Both default to what standard output is:
        80 characters and no colour where it is no terminal. Of more than ``limit`` operations some are only counted.
        """
        return self.source.render_timeline(width, color, limit)

    def __repr__(self) -> str:
        outcome = f"result={self.result!r}" if self.error is None else f"error={self.error!r}"
        text = f"<DurableFunctionTestResult {self.execution_status} {outcome} operations={len(list(self._below()))}>"
        return text if len(text) <= 200 else text[:196] + "…>"

    def _below(self) -> Iterator[Operation]:
        return walk(self.operations)

    def _where(self) -> str:
        return "The execution"

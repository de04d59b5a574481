"""Executions as the engine would hand them to a store, small and of every kind."""

from __future__ import annotations

from typing import Any

from .._model.enums import ExecutionStatus, OperationStatus, OperationType
from .._model.errors import ErrorObject
from .._model.execution import Change, ExecutionHeader, ExecutionRecord, Invocation
from .._model.failure import FailureNote
from .._model.history import HistoryEvent
from .._model.operation import (
    CallbackDetails,
    ChainedInvokeDetails,
    ContextDetails,
    Details,
    ExecutionDetails,
    Operation,
    StepDetails,
    WaitDetails,
)

__all__ = ["FUNCTION", "START", "arn_of", "closing", "event", "header", "invoked", "new", "operation", "step"]

START = 1_764_547_200_000
FUNCTION = "arn:aws:lambda:us-west-2:123456789012:function:contract"


def arn_of(name: str, function_arn: str = FUNCTION) -> str:
    """The ARN of the execution of a name."""
    return f"{function_arn}:$LATEST/durable-execution/{name}/0"


def header(name: str, **more: Any) -> ExecutionHeader:
    """A running execution's header; ``more`` are fields of it."""
    function_arn = more.get("function_arn", FUNCTION)
    parts: dict[str, Any] = {
        "arn": arn_of(name, function_arn),
        "function_arn": function_arn,
        "name": name,
        "started_at": START,
        "input_payload": '{"order": 7}',
    }
    return ExecutionHeader(**{**parts, **more})


def new(name: str, **more: Any) -> ExecutionRecord:
    """An execution at its start."""
    head = header(name, **more)
    root = operation(
        "root", OperationType.EXECUTION, ExecutionDetails(input_payload=head.input_payload), name=head.name
    )
    return ExecutionRecord(
        header=head, operations=(root,), events=(event(1, "ExecutionStarted", input=head.input_payload),)
    )


def operation(
    identity: str,
    kind: OperationType,
    details: Details,
    status: OperationStatus = OperationStatus.STARTED,
    **more: Any,
) -> Operation:
    """An operation that started when its execution did."""
    return Operation(id=identity, type=kind, status=status, started_at=START, details=details, **more)


def event(number: int, kind: str, about: Operation | None = None, **data: Any) -> HistoryEvent:
    """An event of an operation, or of the execution itself."""
    if about is None:
        return HistoryEvent(number, kind, START + number, None, None, None, None, data)
    return HistoryEvent(number, kind, START + number, about.id, about.name, about.sub_type, about.parent_id, data)


def step(number: int, result: str | None = '"done"', identity: str | None = None) -> Change:
    """A step that succeeded. Its event has the given number."""
    about = operation(
        identity or f"step-{number}",
        OperationType.STEP,
        StepDetails(attempt=1, result=result),
        OperationStatus.SUCCEEDED,
        ended_at=START + number,
        name=f"step {number}",
        sub_type="Step",
        parent_id="context",
    )
    return Change(events=(event(number, "StepSucceeded", about, result=result, attempt=1),), operations=(about,))


def invoked(number: int, ended_at: int | None = None, error: ErrorObject | None = None) -> Change:
    """A call of the handler that begins, or ends."""
    record = Invocation(number=number, request_id=f"request-{number}", started_at=START, ended_at=ended_at, error=error)
    return Change(events=(), operations=(), invocation=record)


def closing(head: ExecutionHeader, number: int, status: str = "SUCCEEDED", result: str | None = '"ok"') -> Change:
    """The end of an execution."""
    parts = {field: getattr(head, field) for field in head.__dataclass_fields__}
    parts |= {"status": ExecutionStatus(status), "ended_at": START + number, "result": result}
    return Change(
        events=(event(number, "ExecutionSucceeded", result=result),), operations=(), header=ExecutionHeader(**parts)
    )


def of_every_kind() -> list[Change]:
    """Changes with every type of operation, errors, and states that replace earlier ones."""
    error = ErrorObject(message="no", type="Refused", data="{}", stack_trace=("line 1", "line 2"))
    pending = operation("step", OperationType.STEP, StepDetails(attempt=1, next_attempt_at=START + 9, error=error))
    kinds: list[tuple[OperationType, Details]] = [
        (OperationType.CONTEXT, ContextDetails(replay_children=True)),
        (OperationType.WAIT, WaitDetails(duration=5, scheduled_end_at=START + 5000)),
        (OperationType.CALLBACK, CallbackDetails(callback_id="id", timeout=60, heartbeat_timeout=5)),
        (OperationType.CHAINED_INVOKE, ChainedInvokeDetails(function_name="other", input_payload="1", error=error)),
    ]
    operations = tuple(operation(kind.lower(), kind, details, name=kind.lower()) for kind, details in kinds)
    opened = tuple(event(number, f"{each.type}Started", each) for number, each in enumerate(operations, 3))
    return [
        invoked(1),
        Change(events=(event(2, "StepFailed", pending, error=error, delay=9, flag=True),), operations=(pending,)),
        Change(events=opened, operations=operations),
        invoked(1, START + 7, error),
        Change(
            events=(),
            operations=(),
            first_failure=FailureNote(operation_id="step", place="orders.py:7", traceback=("Refused: no",)),
        ),
        step(7, identity="step"),
    ]

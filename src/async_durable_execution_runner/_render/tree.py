"""The operation tree as text."""

from __future__ import annotations

import sysconfig
import traceback
from collections.abc import Mapping
from types import TracebackType

from .._model.enums import ExecutionStatus
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import ExecutionRecord
from .._model.operation import CallbackDetails, Operation, StepDetails, WaitDetails
from .pending import pending_lines
from .words import MARKS, duration, shorten

WIDTH = 100
Failures = Mapping[str | None, BaseException]


def render_tree(record: ExecutionRecord, now: int, failures: Failures | None = None) -> str:
    """The execution as a tree: names, attempts, statuses, times since its start, and what is pending."""
    header = record.header
    end = header.ended_at if header.ended_at is not None else now
    head = f"{MARKS[header.status]} execution '{shorten(header.name, 40)}' {header.status}"
    took, calls = duration(end - header.started_at), _count(len(record.invocations), "invocation")
    lines = [f"{head} after {took}, {calls}"]
    children: dict[str | None, list[Operation]] = {}
    for operation in record.operations:
        if operation.type is not Type.EXECUTION:
            children.setdefault(operation.parent_id, []).append(operation)
    _branches(lines, children, None, "", header.started_at)
    if header.result is not None:
        lines.append(f"  result: {shorten(header.result, WIDTH)}")
    if header.error is not None:
        lines.append(f"  error: {error_line(header.error)}")
    lines += _invocation_errors(record)
    lines += _pending_section(record, now)
    if header.status is not ExecutionStatus.SUCCEEDED:
        lines += first_failure(failures or {}, record)
    return "\n".join(lines)


def error_line(error: ErrorObject) -> str:
    """An error in one line."""
    return shorten(": ".join(part for part in (error.type, error.message) if part) or "no details", WIDTH)


def _branches(
    lines: list[str], children: dict[str | None, list[Operation]], parent: str | None, indent: str, start: int
) -> None:
    branch = children.get(parent, [])
    for number, operation in enumerate(branch, start=1):
        last = number == len(branch)
        lines.append(f"{indent}{'└─' if last else '├─'} {_line(operation, start)}")
        _branches(lines, children, operation.id, indent + ("   " if last else "│  "), start)


def _line(operation: Operation, start: int) -> str:
    kind = _kind(operation)
    name = f" '{operation.name}'" if operation.name else ""
    began = duration(operation.started_at - start)
    took = ""
    if operation.ended_at is not None and operation.ended_at != operation.started_at:
        took = f" → {duration(operation.ended_at - start)}"
    parts = [
        f"{MARKS[operation.status]} {kind}{name}",
        operation.status.value,
        f"at {began}{took}",
        *_facts(operation),
    ]
    return "  ".join(parts)


def _kind(operation: Operation) -> str:
    sub_type = operation.sub_type
    return sub_type or operation.type.title().replace("_", " ")


def _facts(operation: Operation) -> list[str]:
    details = operation.details
    facts = []
    if isinstance(details, StepDetails) and details.attempt > 1:
        facts.append(f"{details.attempt} attempts")
    if isinstance(details, WaitDetails):
        facts.append(f"({duration(details.duration * 1000)})")
    if isinstance(details, CallbackDetails) and details.timeout:
        facts.append(f"(timeout {duration(details.timeout * 1000)})")
    error = getattr(details, "error", None)
    result = getattr(details, "result", None)
    if error is not None:
        facts.append(error_line(error))
    elif result is not None and operation.type is not Type.CONTEXT:
        facts.append(f"= {shorten(result, 40)}")
    return facts


def _invocation_errors(record: ExecutionRecord) -> list[str]:
    return [
        f"  invocation {each.number} failed: {error_line(each.error)}"
        for each in record.invocations
        if each.error is not None
    ]


def _pending_section(record: ExecutionRecord, now: int) -> list[str]:
    lines = pending_lines(record, now)
    if not lines:
        return []
    over = record.header.status is not ExecutionStatus.RUNNING
    return ["  left open:" if over else "  pending:", *(f"    {line}" for line in lines)]


def first_failure(failures: Failures, record: ExecutionRecord) -> list[str]:
    """The first exception that user code raised, with its traceback, once."""
    if not failures:
        return []
    operation_id, error = next(iter(failures.items()))
    operation = next((op for op in record.operations if op.id == operation_id), None)
    where = f"in {_kind(operation)} {operation.label}" if operation is not None else "in the handler"
    place = user_place(error.__traceback__)
    head = f"  first error, {where}" + (f", at {place}:" if place else ":")
    text = "".join(traceback.format_exception(type(error), error, user_traceback(error.__traceback__), chain=False))
    return [head, *(f"    {line}" for line in text.rstrip().splitlines())]


def user_traceback(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the user's first frame on: what is above belongs to the SDK."""
    current = trace
    while current is not None:
        if is_user_file(current.tb_frame.f_code.co_filename):
            return current
        current = current.tb_next
    return trace


def user_place(trace: TracebackType | None) -> str | None:
    """File and line of the innermost frame that is the user's own."""
    place = None
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if is_user_file(filename):
            place = f"{filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def is_user_file(filename: str) -> bool:
    """Whether a file is neither the standard library's, nor installed, nor ours."""
    if "site-packages" in filename or "async_durable_execution_runner" in filename or filename.startswith("<frozen"):
        return False
    return not filename.startswith(_STDLIB)


_STDLIB = sysconfig.get_paths()["stdlib"]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")

"""The operation tree as text."""

from __future__ import annotations

import itertools
import re

from .._model.enums import ExecutionStatus
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import ExecutionRecord
from .._model.operation import CallbackDetails, ChainedInvokeDetails, Operation, StepDetails, WaitDetails
from .pending import pending_lines
from .words import MARKS, duration, shorten

WIDTH, ERROR_WIDTH = 100, 140
_REQUEST = re.compile(r"^RequestId: [0-9a-f-]+ Error: ")


def render_tree(record: ExecutionRecord, now: int) -> str:
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
    lines += _hints(record)
    lines += _pending_section(record, now)
    if header.status is not ExecutionStatus.SUCCEEDED:
        lines += _first_failure(record)
    return "\n".join(lines)


def error_line(error: ErrorObject) -> str:
    """An error in one line, without the request id that Lambda's runtime puts in front."""
    message = _REQUEST.sub("", error.message) if error.message else None
    return shorten(": ".join(part for part in (error.type, message) if part) or "no details", ERROR_WIDTH)


def _branches(
    lines: list[str], children: dict[str | None, list[Operation]], parent: str | None, indent: str, start: int
) -> None:
    branch = children.get(parent, [])
    for number, operation in enumerate(branch, start=1):
        last = number == len(branch)
        lines.append(f"{indent}{'└─' if last else '├─'} {_line(operation, start)}")
        _branches(lines, children, operation.id, indent + ("   " if last else "│  "), start)


def _line(operation: Operation, start: int) -> str:
    kind = kind_of(operation)
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


def kind_of(operation: Operation) -> str:
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
    """Invocations that failed; those that failed alike in one line."""
    failed = [(each.number, error_line(each.error)) for each in record.invocations if each.error is not None]
    lines = []
    for text, group in itertools.groupby(failed, key=lambda pair: pair[1]):
        numbers = [number for number, _ in group]
        which = f"invocation {numbers[0]}" if len(numbers) == 1 else f"invocations {numbers[0]} to {numbers[-1]}"
        lines.append(f"  {which} failed: {text}")
    return lines


def _hints(record: ExecutionRecord) -> list[str]:
    """What to do about mistakes of the test rather than of the code under test."""
    unknown = {
        operation.details.function_name: None
        for operation in record.operations
        if isinstance(operation.details, ChainedInvokeDetails)
        and operation.details.error is not None
        and operation.details.error.type == "ResourceNotFoundException"
    }
    return [
        f"  hint: this runner has no function {name!r}: give it one with "
        "register_durable_function, register_function or mock_invoke"
        for name in unknown
    ]


def _pending_section(record: ExecutionRecord, now: int) -> list[str]:
    lines = pending_lines(record, now)
    if not lines:
        return []
    over = record.header.status is not ExecutionStatus.RUNNING
    return ["  left open:" if over else "  pending:", *(f"    {line}" for line in lines)]


def _first_failure(record: ExecutionRecord) -> list[str]:
    """The first exception that user code raised, with its traceback, once."""
    failure = record.first_failure
    if failure is None:
        return []
    operation = next((op for op in record.operations if op.id == failure.operation_id), None)
    where = f"in {kind_of(operation)} {operation.label}" if operation is not None else "in the handler"
    head = f"  first error, {where}" + (f", at {failure.place}:" if failure.place else ":")
    return [head, *(f"    {line}" for line in failure.traceback)]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")

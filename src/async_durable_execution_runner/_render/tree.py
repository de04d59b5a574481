"""The operation tree as text."""

from __future__ import annotations

import itertools
import re

from .._model.enums import ExecutionStatus, OperationStatus
from .._model.enums import OperationType as Type
from .._model.errors import ErrorObject
from .._model.execution import ExecutionRecord
from .._model.operation import CallbackDetails, ChainedInvokeDetails, Operation, StepDetails, WaitDetails
from .folds import chosen, counted
from .pending import pending_lines
from .words import MARKS, duration, shorten

WIDTH, ERROR_WIDTH = 100, 140
_REQUEST = re.compile(r"^RequestId: [0-9a-f-]+ Error: ")


def render_tree(record: ExecutionRecord, now: int, limit: int | None = None) -> str:
    """The execution as a tree: names, attempts, statuses, times since its start, and what is pending.

    Of more than ``limit`` operations some are only counted.
    """
    header = record.header
    end = header.ended_at if header.ended_at is not None else now
    head = f"{MARKS[header.status]} execution '{shorten(header.name, 40)}' {header.status}"
    took, calls = duration(end - header.started_at), _count(len(record.invocations), "invocation")
    lines = [f"{head} after {took}, {calls}"]
    lines += _Branches(record, limit).lines
    if header.result is not None:
        lines.append(f"  result: {shorten(header.result, WIDTH)}")
    if header.error is not None:
        lines.append(f"  error: {error_line(header.error)}")
    lines += _invocation_errors(record)
    lines += _hints(record)
    lines += _pending_section(record, now, limit)
    if header.status is not ExecutionStatus.SUCCEEDED:
        lines += _first_failure(record)
    return "\n".join(lines)


def error_line(error: ErrorObject) -> str:
    """An error in one line, without the request id that Lambda's runtime puts in front."""
    message = _REQUEST.sub("", error.message) if error.message else None
    return shorten(": ".join(part for part in (error.type, message) if part) or "no details", ERROR_WIDTH)


class _Branches:
    """The lines of the operations."""

    def __init__(self, record: ExecutionRecord, limit: int | None) -> None:
        self.lines: list[str] = []
        self._start = record.header.started_at
        self._children: dict[str | None, list[Operation]] = {}
        operations = [operation for operation in record.operations if operation.type is not Type.EXECUTION]
        for operation in operations:
            self._children.setdefault(operation.parent_id, []).append(operation)
        everything = limit is None or len(operations) <= limit
        self._shown = None if everything else chosen(operations, limit or 0, _has_story)
        self._add(None, "")

    def _add(self, parent: str | None, indent: str) -> None:
        branch = self._children.get(parent, [])
        groups = [(shown, list(group)) for shown, group in itertools.groupby(branch, key=self._is_shown)]
        for number, (shown, group) in enumerate(groups, start=1):
            last = number == len(groups)
            if not shown:
                self.lines.append(f"{indent}{'└─' if last else '├─'} {self._left_out(group)}")
                continue
            for operation in group:
                ends = last and operation is group[-1]
                self.lines.append(f"{indent}{'└─' if ends else '├─'} {_line(operation, self._start)}")
                self._add(operation.id, indent + ("   " if ends else "│  "))

    def _is_shown(self, operation: Operation) -> bool:
        return self._shown is None or operation.id in self._shown

    def _left_out(self, operations: list[Operation]) -> str:
        everything = list(operations)
        for operation in everything:  # grows while it is walked through
            everything += self._children.get(operation.id, [])
        return f"⋮ {len(everything)} more  {counted(each.status for each in everything)}"


def _has_story(operation: Operation) -> bool:
    retried = isinstance(operation.details, StepDetails) and operation.details.attempt > 1
    return retried or operation.status is not OperationStatus.SUCCEEDED


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


def _pending_section(record: ExecutionRecord, now: int, limit: int | None) -> list[str]:
    lines = pending_lines(record, now)
    if not lines:
        return []
    if limit is not None and len(lines) > limit // 2:
        lines[limit // 2 :] = [f"and {len(lines) - limit // 2} more"]
    over = record.header.status.is_over
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

"""What an execution is waiting for, in words, and why nothing will happen."""

from __future__ import annotations

from .._model.enums import OperationStatus as Status
from .._model.enums import OperationType as Type
from .._model.execution import ExecutionRecord, Pause
from .._model.operation import CallbackDetails, ChainedInvokeDetails, Operation, StepDetails, WaitDetails
from .words import duration


def pending_lines(record: ExecutionRecord, now: int) -> list[str]:
    """One line for each operation that is not finished and on which something depends, and for a pause."""
    by_id = {operation.id: operation for operation in record.operations}
    pause = record.header.pause
    lines = [] if pause is None else [_paused(pause)]
    for operation in record.operations:
        if operation.is_terminal or operation.type in {Type.EXECUTION, Type.CONTEXT}:
            continue
        lines.append(f"{path_of(operation, by_id)}: {state_of(operation, now)}")
    return lines


def _paused(pause: Pause) -> str:
    why = f", because of {pause.reason!r}" if pause.reason else ""
    return f"ResumeDurableExecution: it is paused{why}; client.resume_durable_execution(…) lets it go on"


def path_of(operation: Operation, by_id: dict[str, Operation]) -> str:
    """An operation's type and name, with the contexts it is in."""
    names = [_called(operation)]
    parent = by_id.get(operation.parent_id or "")
    while parent is not None:
        names.append(_called(parent))
        parent = by_id.get(parent.parent_id or "")
    return f"{operation.type.lower().replace('_', ' ')} '{' / '.join(reversed(names))}'"


def _called(operation: Operation) -> str:
    return operation.name or f"unnamed {operation.sub_type or operation.type.title()}"


def stuck_message(record: ExecutionRecord, now: int, unused: list[str]) -> str:
    """Why an execution will never end, and what to do about it."""
    callback = _open_callback(record)
    lines = [f"Execution '{record.header.name}' is stuck: nothing can run and no deadline is pending."]
    lines += [f"  waiting for {line}" for line in pending_lines(record, now)]
    if callback is not None:
        lines.append(
            "Nothing will answer it: no answer is scripted, it has no timeout, "
            "and no other thread of this test is at work."
        )
        lines.append(_how_to_answer(callback))
    elif len(lines) == 1:
        lines.append("The handler suspended without anything pending.")
    if unused:
        lines.append(f"Scripted answers that no callback has asked for: {', '.join(map(repr, unused))}.")
    return "\n".join(lines)


def unfinished_message(record: ExecutionRecord, now: int, unused: list[str]) -> str:
    """What an execution was about when the patience of its test was over."""
    header, callback = record.header, _open_callback(record)
    passed, count = duration((header.ended_at or now) - header.started_at), len(record.invocations)
    invoked = f"{count} invocation{'s' if count != 1 else ''}"
    lines = [f"Execution '{header.name}' is {header.status} after {passed} on its clock and {invoked}."]
    lines += [f"  waiting for {line}" for line in pending_lines(record, now)]
    if callback is not None:
        lines.append(f"No answer has come. {_how_to_answer(callback)}")
        if unused:
            lines.append(f"Scripted answers that no callback has asked for: {', '.join(map(repr, unused))}.")
    return "\n".join(lines)


def elsewhere_message(record: ExecutionRecord, now: int) -> str:
    """What an execution that nobody here can drive was about when the patience of its test was over."""
    header, callback = record.header, _open_callback(record)
    passed, count = duration((header.ended_at or now) - header.started_at), len(record.invocations)
    finished = f"{count} finished invocation{'s' if count != 1 else ''}"
    lines = [f"Execution '{header.name}' is {header.status} after {passed} and {finished}."]
    lines += [f"  waiting for {line}" for line in pending_lines(record, now)]
    if callback is not None:
        name = callback.name or "*"
        lines.append(
            f"No answer has come. Start with run_async(), then wait_for_callback(arn, {name!r}) and "
            "send_callback_success(callback_id, …)."
        )
    return "\n".join(lines)


def _open_callback(record: ExecutionRecord) -> Operation | None:
    found = (op for op in record.operations if op.type is Type.CALLBACK and op.status is Status.STARTED)
    return next(found, None)


def _how_to_answer(callback: Operation) -> str:
    name = callback.name or "*"
    return (
        f"Script one before the run, runner.on_callback({name!r}, result=…), or start with run_async(), "
        f"wait_for_callback(arn, {name!r}) and send_callback_success(callback_id, …)."
    )


def state_of(operation: Operation, now: int) -> str:
    """What an operation that is not over waits for."""
    details = operation.details
    if isinstance(details, WaitDetails):
        left = details.scheduled_end_at - now
        return f"waits {duration(details.duration * 1000)}, {duration(max(0, left))} to go"
    if isinstance(details, CallbackDetails):
        limits = [
            f"{what} {duration(seconds * 1000)}"
            for what, seconds in (
                ("timeout", details.timeout),
                ("heartbeat timeout", details.heartbeat_timeout),
            )
            if seconds
        ]
        return f"open, {', '.join(limits) if limits else 'no timeout'}, id {details.callback_id[:24]}…"
    if isinstance(details, ChainedInvokeDetails):
        return f"invoked {details.function_name}, no result yet"
    if isinstance(details, StepDetails) and details.next_attempt_at is not None:
        left = max(0, details.next_attempt_at - now)
        return f"attempt {details.attempt} ended, next in {duration(left)}"
    if isinstance(details, StepDetails):
        return f"attempt {details.attempt + 1} running"
    return operation.status.lower()

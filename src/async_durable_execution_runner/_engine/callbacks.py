"""Answers to callbacks, from wherever they come."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass, field, replace

from .._checkpoint.base import size_of
from .._model.effects import Deadline
from .._model.enums import OperationStatus as Status
from .._model.errors import ErrorObject
from .._model.execution import Execution
from .._model.ids import read_callback_id
from .._model.limits import ServiceLimits
from .._model.operation import CallbackDetails, Operation
from .._model.plan import AnswerDeed, Plan
from ..exceptions import CallbackTimeoutException, InvalidParameterValueException, ResourceNotFoundException
from .completion import completed_operation
from .executor import Executor
from .timers import Timer


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a callback is told: a result, or an error. Neither is a success without payload."""

    result: str | None = None
    error: ErrorObject | None = None


def answer_callback(executor: Executor, callback_id: str, answer: Answer, now: int) -> None:
    """Complete a callback.

    Raises ``InvalidParameterValueException`` for a malformed id or too large an answer, ``ResourceNotFoundException``
    for an unknown one, ``CallbackTimeoutException`` when the callback is no longer open.
    """
    execution, operation = find_callback(executor, callback_id)
    _require_open(execution, operation)
    check_answer(answer, executor.limits)
    status = Status.SUCCEEDED if answer.error is None else Status.FAILED
    completed, event, data = completed_operation(operation, status, answer.result, answer.error, now)
    executor.complete(execution, completed, event, data, now)


def check_answer(answer: Answer, limits: ServiceLimits) -> None:
    """Raise ``InvalidParameterValueException`` for an answer that is larger than the service takes."""
    if answer.result is not None and size_of(answer.result) > limits.callback_payload_bytes:
        raise InvalidParameterValueException(
            f"CALLBACK result payload size must be less than or equal to {limits.callback_payload_bytes} bytes."
        )
    if answer.error is not None and answer.error.size > limits.error_bytes:
        raise InvalidParameterValueException(
            f"Error object size must be less than or equal to {limits.error_bytes} bytes."
        )


def heartbeat(executor: Executor, callback_id: str, now: int) -> None:
    """Say that an answer is still being worked on: the heartbeat timeout begins anew. Raises as ``answer_callback``."""
    execution, operation = find_callback(executor, callback_id)
    details = _require_open(execution, operation)
    if details.heartbeat_timeout:
        due = now + details.heartbeat_timeout * 1000
        executor.timers.arm(Timer(Deadline.CALLBACK_HEARTBEAT, execution.header.arn, due, operation.id))
        executor.note(execution, replace(operation, details=replace(details, heartbeat_at=now)), now)


def find_callback(executor: Executor, callback_id: str) -> tuple[Execution, Operation]:
    """The callback of that id and its execution."""
    parts = read_callback_id(callback_id)
    if parts is None:
        raise InvalidParameterValueException(
            f"Invalid callback id: {callback_id!r} was not handed out by this service."
        )
    execution = executor.executions.get(parts[0])
    operation = execution.operations.get(parts[1]) if execution is not None else None
    if execution is None or operation is None or not isinstance(operation.details, CallbackDetails):
        raise ResourceNotFoundException(f"Callback not found: {callback_id}")
    return execution, operation


def open_callbacks(execution: Execution) -> list[Operation]:
    """Callbacks that still wait for an answer, oldest first. None of an execution that is over."""
    if execution.is_closed:
        return []
    found = (execution.operations[key] for key in execution.pending)
    return [operation for operation in found if isinstance(operation.details, CallbackDetails)]


def callback_names(execution: Execution, operation: Operation) -> tuple[str, ...]:
    """The names a callback goes by: its own, and that of the wait-for-callback it was made by.

    The SDKs name the inner callback after the outer operation, each in its own way; what the author wrote is the outer.
    """
    parent = execution.operations.get(operation.parent_id or "")
    outer = parent.name if parent is not None else None
    # The first releases of both SDKs use an ordinary child context.
    inner = (f"{outer}-callback", f"{outer} create callback id")
    if parent is not None and parent.sub_type != "WaitForCallback" and operation.name not in inner:
        outer = None
    return tuple(name for name in (operation.name, outer) if name)


def fits(pattern: str, names: tuple[str, ...]) -> bool:
    """Whether ``pattern``, a name or a glob, means one of the names. ``*`` also means a callback without a name."""
    return any(name == pattern or fnmatch.fnmatchcase(name, pattern) for name in names or ("",))


def _require_open(execution: Execution, operation: Operation) -> CallbackDetails:
    details = operation.details
    assert isinstance(details, CallbackDetails)
    if operation.is_terminal:
        raise CallbackTimeoutException(f"The callback {operation.label} is closed: it is {operation.status}.")
    if execution.is_closed:
        raise CallbackTimeoutException(
            f"The callback {operation.label} is closed: its execution is {execution.header.status}."
        )
    return details


@dataclass(slots=True, kw_only=True)
class Responder:
    """An answer scripted in advance. ``after`` and ``heartbeat_every`` in milliseconds."""

    pattern: str
    answer: Answer
    after: int = 0
    heartbeat_every: int | None = None
    optional: bool = False
    used: int = 0


@dataclass(slots=True)
class Responders:
    """Scripted answers, and the timers that carry them out. An exact name goes before a glob."""

    executor: Executor
    scripted: list[Responder] = field(default_factory=list)
    plan: Plan = field(default_factory=Plan)

    def opened(self, execution_arn: str, operation: Operation, now: int) -> None:
        """A callback was opened: arm the answer that fits, if there is one."""
        names = callback_names(self.executor.get(execution_arn), operation)
        responder = self._find(names)
        if responder is None:
            return
        responder.used += 1
        timers = self.executor.timers
        decided = {each.deed: each for each in self.plan.answers if fits(each.name, names)}
        late = decided.get(AnswerDeed.LATE)
        after = responder.after + (late.by * 1000 if late is not None else 0)
        if responder.heartbeat_every:
            for due in range(now + responder.heartbeat_every, now + after, responder.heartbeat_every):
                timers.arm(Timer(Deadline.ANSWER, execution_arn, due, operation.id))
        answer = Timer(Deadline.ANSWER, execution_arn, now + after, operation.id, responder.answer)
        if AnswerDeed.EARLY in decided:
            self.fire(answer, now)
        else:
            timers.arm(answer)
        if AnswerDeed.DUPLICATE in decided:
            timers.arm(answer)

    def fire(self, timer: Timer, now: int) -> None:
        """Give a scripted answer. One that comes too late is refused by the service, as it would be in life."""
        execution = self.executor.get(timer.execution_arn)
        details = execution.operations[timer.operation_id or ""].details
        assert isinstance(details, CallbackDetails)
        try:
            if timer.payload is None:
                heartbeat(self.executor, details.callback_id, now)
            else:
                answer_callback(self.executor, details.callback_id, timer.payload, now)
        except CallbackTimeoutException:
            pass

    def unused(self) -> list[Responder]:
        """Answers that nothing ever asked for, without those that were marked as optional."""
        return [responder for responder in self.scripted if not responder.used and not responder.optional]

    def _find(self, names: tuple[str, ...]) -> Responder | None:
        exact = (responder for responder in self.scripted if responder.pattern in names)
        globs = (responder for responder in self.scripted if fits(responder.pattern, names))
        return next(exact, None) or next(globs, None)

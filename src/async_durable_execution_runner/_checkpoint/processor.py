"""The one way in which a running invocation changes its execution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from .._model.enums import ExecutionStatus
from .._model.enums import OperationType as Type
from .._model.execution import Execution, RunningInvocation, Transaction
from .._model.ids import read_checkpoint_token
from .._model.limits import ServiceLimits
from .._model.operation import Operation, OperationUpdate
from ..exceptions import InvalidParameterValueException
from .base import Processor, Validator
from .callback import CallbackProcessor, CallbackValidator
from .chained_invoke import ChainedInvokeProcessor, ChainedInvokeValidator, TargetResolver
from .context import ContextProcessor, ContextValidator
from .execution import ExecutionProcessor, ExecutionValidator
from .step import StepProcessor, StepValidator
from .validator import CheckpointValidator
from .wait import WaitProcessor, WaitValidator

_VALIDATORS: dict[Type, Validator] = {
    Type.STEP: StepValidator(),
    Type.WAIT: WaitValidator(),
    Type.CALLBACK: CallbackValidator(),
    Type.CONTEXT: ContextValidator(),
    Type.CHAINED_INVOKE: ChainedInvokeValidator(),
    Type.EXECUTION: ExecutionValidator(),
}


class CheckpointAnswer(NamedTuple):
    """What a checkpoint is told. No token: the invocation is to end."""

    token: str | None
    operations: tuple[Operation, ...]
    next_marker: str | None = None


class CheckpointProcessor:
    """Checks token and idempotency, stages each update behind its validators, and commits all of them or none."""

    def __init__(self, limits: ServiceLimits, targets: TargetResolver) -> None:
        self._limits = limits
        self._validator = CheckpointValidator(limits, _VALIDATORS)
        self._processors: dict[Type, Processor] = {
            Type.STEP: StepProcessor(),
            Type.WAIT: WaitProcessor(),
            Type.CALLBACK: CallbackProcessor(),
            Type.CONTEXT: ContextProcessor(),
            Type.CHAINED_INVOKE: ChainedInvokeProcessor(targets),
            Type.EXECUTION: ExecutionProcessor(),
        }

    def recall(self, execution: Execution, token: str, client_token: str | None, now: int) -> CheckpointAnswer | None:
        """The answer already given to the same request, if there was one within the idempotency window."""
        if client_token is None:
            return None
        known = execution.answers.get(client_token)
        if known is None or now - known[1] > self._limits.idempotency_seconds * 1000:
            return None
        if known[0] != token:
            raise InvalidParameterValueException("ClientToken was already used with another checkpoint token.")
        answer: CheckpointAnswer = known[2]
        return answer

    def authorise(self, execution: Execution, token: str) -> RunningInvocation:
        """The running invocation that holds ``token``.

        Raises ``InvalidParameterValueException`` in the wording of the profile, because the SDKs recognise it.
        """
        running = execution.running
        if running is not None and running.token == token and not execution.is_closed:
            return running
        raise InvalidParameterValueException(
            self._limits.stale_token_message.format(reason=_why_stale(execution, token))
        )

    def authorise_reader(self, execution: Execution, token: str) -> RunningInvocation:
        """The running invocation that holds or held ``token``: reading does not use a token up."""
        running, parts = execution.running, read_checkpoint_token(token)
        if (
            running is not None
            and parts is not None
            and (parts.execution_id, parts.invocation) == (execution.id, running.record.number)
            and parts.sequence <= running.sequence
            and not execution.is_closed
        ):
            return running
        raise InvalidParameterValueException(
            self._limits.stale_token_message.format(reason=_why_stale(execution, token))
        )

    def stage(self, execution: Execution, updates: Sequence[OperationUpdate], now: int) -> Transaction:
        """A batch as a transaction to commit, or ``InvalidParameterValueException``. Changes nothing yet."""
        validator = self._validator
        validator.validate_batch(updates)
        if execution.outcome is not None:
            raise InvalidParameterValueException("The execution has already been given its result in this invocation.")
        transaction = execution.begin(now)
        for update in updates:
            is_execution = update.type is Type.EXECUTION
            current = execution.root() if is_execution else transaction.operation(update.id)
            validator.validate(update, current, transaction)
            self._processors[update.type].process(update, current, transaction)
        return transaction

    def committed(self, running: RunningInvocation, transaction: Transaction) -> None:
        """A batch of this invocation has been committed: the answer will tell of it."""
        changed = running.changed
        for key, operation in transaction.operations.items():
            changed[key] = None
            # A chained invoke of a function that is not there, which the service itself has ended.
            if operation.type is Type.CHAINED_INVOKE and operation.is_terminal:
                running.from_outside = True  # the handler may suspend on it all the same, and is then invoked again

    def answer(self, execution: Execution, running: RunningInvocation) -> CheckpointAnswer:
        """A new token and what changed since this invocation last heard."""
        operations = tuple([execution.operations[key] for key in running.changed])
        running.changed.clear()
        running.undelivered = False
        rotated = execution.rotate_token(running)
        token = rotated if execution.outcome is None and not running.is_cut else None
        return self._paged(running, "delta", operations, token)

    def remember(
        self, execution: Execution, token: str, client_token: str | None, answer: CheckpointAnswer, now: int
    ) -> None:
        """Keep an answer for the repetition of its request."""
        if client_token is not None:
            execution.answers[client_token] = (token, now, answer)

    def _paged(
        self, running: RunningInvocation, name: str, operations: tuple[Operation, ...], token: str | None
    ) -> CheckpointAnswer:
        size = self._limits.state_page_operations
        if len(operations) <= size:
            return CheckpointAnswer(token, operations)
        name = f"{name}-{running.sequence}"
        running.pages[name] = operations
        return CheckpointAnswer(token, operations[:size], f"{name}.{size}")


def _why_stale(execution: Execution, token: str) -> str:
    parts = read_checkpoint_token(token)
    if parts is None or parts.execution_id != execution.id:
        return "it is not a token of this execution."
    if execution.is_closed:
        return f"the execution is over ({execution.header.status})."
    if execution.header.status is ExecutionStatus.PAUSED:
        return "the execution is paused."
    running = execution.running
    if running is None or running.record.number != parts.invocation:
        return f"invocation {parts.invocation} is over."
    return "it has been used; a token is good for one checkpoint."

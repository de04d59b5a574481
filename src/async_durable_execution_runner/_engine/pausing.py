"""Pausing and resuming executions: what PauseDurableExecution and ResumeDurableExecution do.

A paused execution is not invoked; what it waits for goes on. While an invocation runs the execution is pausing, until
the invocation's next checkpoint, whose answer has no token, or until its end.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from .._model.effects import ArmTimer, Deadline
from .._model.enums import ExecutionStatus as Status
from .._model.execution import Execution, ExecutionHeader, Pause, Transaction
from .._model.limits import ServiceLimits
from ..exceptions import InvalidParameterValueException, ResourceConflictException
from .ledger import Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseRequest:
    """A request to pause, or without ``timeout_paused`` one to resume."""

    reason: str | None = None
    client_token: str | None = None
    timeout_paused: bool | None = None


class Pausing:
    """Pauses executions of a ledger and resumes them. ``limits`` for how long an execution may last at all."""

    def __init__(self, ledger: Ledger, limits: ServiceLimits) -> None:
        self._ledger = ledger
        self._limits = limits

    def pause(self, execution_arn: str, request: PauseRequest, now: int) -> None:
        """Pause an execution, at once or as soon as its invocation lets it.

        Raises ``ResourceConflictException`` unless it is running; a repeated request with the same client token is no
        mistake.
        """
        execution = self._ledger.get(execution_arn)
        if self._is_repeated(execution, request, now):
            return
        if execution.header.status is not Status.RUNNING:
            raise _conflict(execution, "paused: only one that is RUNNING can be")
        pause = Pause(requested_at=now, reason=request.reason, timeout_paused=request.timeout_paused is not False)
        transaction = execution.begin(now)
        transaction.header = replace(execution.header, status=Status.PAUSING, pause=pause)
        if execution.running is None:
            self.settle(transaction)
        self._ledger.commit(execution, transaction, now)
        _remember(execution, request, now)
        if execution_arn in self._ledger.ready:
            self._ledger.ready.remove(execution_arn)
            execution.is_held = True

    def settle(self, transaction: Transaction) -> None:
        """What was pausing is paused from here on."""
        header, now = transaction.header or transaction.execution.header, transaction.now
        pause = header.pause
        assert pause is not None
        transaction.header = replace(header, status=Status.PAUSED, pause=replace(pause, paused_at=now))
        data = {
            "pause_requested_at": pause.requested_at,
            "timeout_paused": pause.timeout_paused,
            **({"reason": pause.reason} if pause.reason is not None else {}),
        }
        transaction.record("ExecutionPaused", None, data)
        self._rearm(transaction)

    def resume(self, execution_arn: str, request: PauseRequest, now: int) -> None:
        """Let an execution go on. One that was only pausing goes on as if nothing had been asked.

        It is invoked if the pause has cut an invocation off, or something has happened meanwhile. Raises
        ``ResourceConflictException`` unless it is paused or pausing; as for ``pause``.
        """
        execution = self._ledger.get(execution_arn)
        if self._is_repeated(execution, request, now):
            return
        header, pause = execution.header, execution.header.pause
        if pause is None:
            raise _conflict(execution, "resumed: only one that is PAUSED or PAUSING can be")
        transaction = execution.begin(now)
        paused = now - pause.paused_at if pause.paused_at is not None and pause.timeout_paused else 0
        extension = header.timeout_extension + paused
        transaction.header = replace(header, status=Status.RUNNING, pause=None, timeout_extension=extension)
        if pause.paused_at is not None:
            reason = {"reason": request.reason} if request.reason is not None else {}
            transaction.record("ExecutionResumed", None, {"resume_requested_at": now, **reason})
            self._rearm(transaction)
        self._ledger.commit(execution, transaction, now)
        _remember(execution, request, now)
        if execution.is_held:
            execution.is_held = False
            self._ledger.make_ready(execution_arn)

    def timeout_due(self, header: ExecutionHeader) -> int | None:
        """When the execution times out, with what pauses have added; no later than any execution may last."""
        if not header.execution_timeout:
            return None
        last = header.started_at + self._limits.max_execution_timeout * 1000
        if header.pause is not None and header.pause.paused_at is not None and header.pause.timeout_paused:
            return last
        return min(last, header.started_at + header.execution_timeout * 1000 + header.timeout_extension)

    def _rearm(self, transaction: Transaction) -> None:
        header = transaction.header
        assert header is not None
        due = self.timeout_due(header)
        if due is not None:
            transaction.effects.append(ArmTimer(Deadline.EXECUTION_TIMEOUT, header.arn, due))

    def _is_repeated(self, execution: Execution, request: PauseRequest, now: int) -> bool:
        """Whether the same was asked for before.

        Raises ``InvalidParameterValueException`` if something else was, with the same client token.
        """
        known = execution.requests.get(request.client_token or "")
        if known is None or now - known[1] > self._limits.idempotency_seconds * 1000:
            return False
        if known[0] != request:
            raise InvalidParameterValueException("ClientToken was already used with other parameters.")
        return True


def _remember(execution: Execution, request: PauseRequest, now: int) -> None:
    """Keep a request for its repetition."""
    if request.client_token is not None:
        execution.requests[request.client_token] = (request, now)


def _conflict(execution: Execution, what: str) -> ResourceConflictException:
    header = execution.header
    return ResourceConflictException(f"The execution '{header.name}' is {header.status} and cannot be {what}.")

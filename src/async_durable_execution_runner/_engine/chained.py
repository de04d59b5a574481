"""Chained invokes: from the operation to the function and back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from .._model.effects import Deadline
from .._model.enums import ExecutionStatus
from .._model.errors import ErrorObject
from .._model.execution import Execution, ExecutionHeader
from .._model.ids import ExecutionArn, derived_uuid
from .completion import completed_operation
from .functions import DurableFunction, FunctionRegistry, InvokeOutcome, StubbedFunction
from .inputs import PlainCall
from .ledger import Ledger
from .timers import Timer


class ChainedInvokes:
    """Sets off what an operation asked for, and ends the operation when it is done.

    ``create`` makes a new execution live; calls of ordinary functions wait in ``calls`` for a driver.
    """

    def __init__(
        self,
        ledger: Ledger,
        functions: FunctionRegistry,
        create: Callable[[Execution, int], None],
        retention_period_days: int,
    ) -> None:
        self.calls: deque[PlainCall] = deque()
        self._ledger = ledger
        self._functions = functions
        self._create = create
        self._retention_days = retention_period_days

    def start(self, execution: Execution, operation_id: str, now: int) -> None:
        """Set off what a chained invoke stands for."""
        details: Any = execution.operations[operation_id].details
        arn = execution.header.arn
        function = self._functions.find(details.function_name)
        if isinstance(function, DurableFunction):
            self._start_child(execution, operation_id, details, function, now)
        elif isinstance(function, StubbedFunction):
            due = now + function.after
            self._ledger.timers.arm(Timer(Deadline.CHAINED_INVOKE, arn, due, operation_id, function.outcome))
        else:
            self.calls.append(
                PlainCall(
                    execution_arn=arn,
                    operation_id=operation_id,
                    function_name=details.function_name,
                    payload=details.input_payload,
                    tenant_id=details.tenant_id or execution.header.tenant_id,
                    request_id=derived_uuid("call", arn, operation_id),
                )
            )

    def _start_child(
        self, parent: Execution, operation_id: str, details: Any, function: DurableFunction, now: int
    ) -> None:
        arn = ExecutionArn.parse(details.execution_arn)
        assert arn is not None
        header = ExecutionHeader(
            arn=details.execution_arn,
            function_arn=arn.function_arn,
            name=arn.name,
            started_at=now,
            input_payload=details.input_payload,
            execution_timeout=function.execution_timeout,
            retention_period_days=self._retention_days,
            tenant_id=details.tenant_id or parent.header.tenant_id,
            parent_arn=parent.header.arn,
            parent_operation_id=operation_id,
            depth=parent.header.depth + 1,
            synchronous=False,
        )
        self._create(Execution(header, arn), now)

    def end(self, execution_arn: str, operation_id: str, outcome: InvokeOutcome, now: int) -> None:
        """A chained function is done. Nobody is told if the caller has ended meanwhile."""
        execution = self._ledger.get(execution_arn)
        operation = execution.operations[operation_id]
        if execution.is_closed or operation.is_terminal:
            return
        completed, event, data = completed_operation(operation, outcome.status, outcome.result, outcome.error, now)
        self._ledger.complete(execution, completed, event, data, now)

    def report(self, execution: Execution, now: int) -> None:
        """A child execution has ended: so has its caller's operation."""
        header = execution.header
        if header.parent_arn is not None and header.parent_operation_id is not None:
            error = header.error
            if header.status is ExecutionStatus.TIMED_OUT:
                message = f"CHAINED_INVOKE timed out after {header.execution_timeout} seconds."
                error = ErrorObject(type="ChainedInvoke.Timeout", message=message)
            outcome = InvokeOutcome(status=header.status, result=header.result, error=error)
            self.end(header.parent_arn, header.parent_operation_id, outcome, now)

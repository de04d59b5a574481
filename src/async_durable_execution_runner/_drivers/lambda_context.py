"""The context object that Lambda hands to a handler."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .._engine.inputs import InvocationInput, PlainCall
from ..clock import Clock, from_millis


@dataclass(frozen=True, kw_only=True)
class LambdaContext:
    """What a handler gets as its second argument (Lambda developer guide: context object in Python)."""

    aws_request_id: str
    function_name: str
    invoked_function_arn: str
    deadline: int = field(repr=False)
    clock: Clock = field(repr=False)
    log_stream_name: str
    function_version: str = "$LATEST"
    memory_limit_in_mb: str = "128"
    tenant_id: str | None = None
    client_context: Any = None
    identity: Any = None

    @property
    def log_group_name(self) -> str:
        """The log group that Lambda gives a function."""
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        """What is left of the invocation timeout, on the runner's clock."""
        return max(0, self.deadline - self.clock.now_millis())

    def log(self, message: object) -> None:
        """Write to the function's log: here, standard output."""
        print(message)  # noqa: T201 - this is what the method is for


def context_of(invocation: InvocationInput, clock: Clock) -> LambdaContext:
    """The context of an invocation."""
    day = from_millis(invocation.started_at)
    return LambdaContext(
        aws_request_id=invocation.request_id,
        function_name=invocation.function_name,
        invoked_function_arn=invocation.function_arn,
        deadline=invocation.deadline,
        clock=clock,
        log_stream_name=f"{day:%Y/%m/%d}/[$LATEST]{invocation.request_id.replace('-', '')}",
        tenant_id=invocation.tenant_id,
    )


def context_of_call(call: PlainCall, function_arn: str, deadline: int, clock: Clock) -> LambdaContext:
    """The context of an ordinary function's call."""
    return LambdaContext(
        aws_request_id=call.request_id,
        function_name=function_arn.rpartition(":")[2],
        invoked_function_arn=function_arn,
        deadline=deadline,
        clock=clock,
        log_stream_name=f"[$LATEST]{call.request_id.replace('-', '')}",
        tenant_id=call.tenant_id,
    )

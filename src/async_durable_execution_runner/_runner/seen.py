"""What the determinism radar gets to see of a runner."""

from __future__ import annotations

from collections.abc import Iterator

from .._engine.functions import DurableFunction
from .._replay.radar import Seen
from .._wiring.local import Local


def seen_by(local: Local) -> Iterator[Seen]:
    """The executions that ran while somebody listened, with their handlers. Not of handlers in other processes."""
    logs = local.watch.logs if local.watch is not None else {}
    for arn, execution in local.executor.executions.items():
        function = local.functions.find(execution.header.function_arn.rpartition(":")[2])
        if arn in logs and isinstance(function, DurableFunction) and local.isolation is None:
            yield Seen(handler=function.handler, record=execution.snapshot(), log=logs[arn])

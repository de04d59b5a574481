"""From an execution's record to what it looks like."""

from __future__ import annotations

import bisect
from collections.abc import Iterable

from .._model.enums import OperationType as Type
from .._model.execution import ExecutionRecord, Invocation
from .._model.operation import CallbackDetails, ChainedInvokeDetails, Operation, StepDetails, WaitDetails
from .bars import Bars
from .ordering import Order, order_of
from .pending import state_of
from .tree import error_line, kind_of
from .view import Ending, ExecutionView, InvocationSpan, Lane, Mark, Moment, Outcome
from .words import duration


def read_execution(record: ExecutionRecord, now: int) -> ExecutionView:
    """What an execution looks like at the instant ``now``; the end of one that is over."""
    header = record.header
    order = order_of(record, now)
    return ExecutionView(
        name=header.name,
        arn=header.arn,
        status=header.status,
        start=header.started_at,
        end=header.ended_at if header.ended_at is not None else order.last.at,
        moments=tuple(order.instants),
        lanes=tuple(_lanes(record, order)),
        invocations=tuple(_spans(record, order)),
        event_orders=tuple(moment.order for moment in order.events),
    )


def _lanes(record: ExecutionRecord, order: Order) -> list[Lane]:
    """Operations with what is inside them, depth first, in order of their start."""
    known = {operation.id for operation in record.operations}
    children: dict[str | None, list[Operation]] = {}
    for operation in record.operations:
        if operation.type is not Type.EXECUTION:
            # A parent that is not there leaves its children at the top, not out.
            parent = operation.parent_id if operation.parent_id in known else None
            children.setdefault(parent, []).append(operation)
    bars, lanes = Bars(record, order), []
    stack = [(operation, 0) for operation in reversed(children.get(None, []))]
    while stack:
        operation, depth = stack.pop()
        inside = children.get(operation.id, [])
        lanes.append(_lane(operation, depth, len(inside), bars, order))
        stack += [(child, depth + 1) for child in reversed(inside)]
    return lanes


def _lane(operation: Operation, depth: int, children: int, bars: Bars, order: Order) -> Lane:
    own, details = bars.of(operation.id), operation.details
    error = getattr(details, "error", None)
    beat = order.heartbeats.get(operation.id)
    return Lane(
        id=operation.id,
        name=operation.name,
        kind=kind_of(operation),
        type=operation.type,
        status=operation.status,
        parent_id=operation.parent_id,
        depth=depth,
        children=children,
        start=operation.started_at,
        end=operation.ended_at,
        attempts=details.attempt if isinstance(details, StepDetails) else 0,
        bars=own,
        marks=(Mark(what="heartbeat", moment=beat),) if beat is not None else (),
        facts=tuple(_facts(operation)),
        error=error_line(error) if error is not None else None,
        pending=_pending(operation, own[-1].outcome if own else None, order.last.at),
    )


def _pending(operation: Operation, last: Outcome | None, now: int) -> str | None:
    if operation.is_terminal or operation.type is Type.CONTEXT:
        return None
    if last is Outcome.INTERRUPTED:
        return "interrupted: runs again with the next invocation"
    return state_of(operation, now)


def _facts(operation: Operation) -> list[str]:
    details = operation.details
    if isinstance(details, WaitDetails):
        return [f"waits {duration(details.duration * 1000)}"]
    if isinstance(details, ChainedInvokeDetails):
        return [f"invokes {details.function_name}"]
    if isinstance(details, CallbackDetails):
        limits = (("timeout", details.timeout), ("heartbeat timeout", details.heartbeat_timeout))
        return [f"{what} {duration(seconds * 1000)}" for what, seconds in limits if seconds]
    return []


def _spans(record: ExecutionRecord, order: Order) -> list[InvocationSpan]:
    ended = sorted(_ends(record, order))
    return [
        _span(record, invocation, order, bisect.bisect_left(ended, order.began[invocation.number]))
        for invocation in record.invocations
    ]


def _ends(record: ExecutionRecord, order: Order) -> Iterable[Moment]:
    """When each operation that is over ended."""
    over = {operation.id for operation in record.operations if operation.is_terminal}
    last: dict[str, Moment] = {}
    for event, moment in zip(record.events, order.events, strict=True):
        if event.operation_id in over:
            last[event.operation_id] = moment
    return last.values()


def _span(record: ExecutionRecord, invocation: Invocation, order: Order, replayed: int) -> InvocationSpan:
    return InvocationSpan(
        number=invocation.number,
        request_id=invocation.request_id,
        start=order.began[invocation.number],
        end=order.completed.get(invocation.number, order.last),
        ending=_ending(record, invocation),
        replayed=replayed,
        error=error_line(invocation.error) if invocation.error is not None else None,
    )


_DECIDED = {"ExecutionSucceeded": Ending.SUCCEEDED, "ExecutionFailed": Ending.FAILED}


def _ending(record: ExecutionRecord, invocation: Invocation) -> Ending:
    is_last = invocation is record.invocations[-1]
    if invocation.error is not None:
        return Ending.CRASHED
    if invocation.ended_at is None:
        return Ending.RUNNING if is_last and record.header.ended_at is None else Ending.CUT_OFF
    closing = record.events[-1].event_type if record.events else ""
    return _DECIDED.get(closing, Ending.SUSPENDED) if is_last else Ending.SUSPENDED

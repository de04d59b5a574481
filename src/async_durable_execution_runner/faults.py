"""Fault plans: what the service does to a run, decided in advance.

    from async_durable_execution_runner import DurableFunctionTestRunner, faults

    with DurableFunctionTestRunner(handler, faults=[faults.die_before("charge"), faults.pages(1)]) as runner:
        runner.run(order)

A place is a checkpoint of an operation, by the name of the operation (or a glob): its result, or with ``part="start"``
its start, the ``nth`` time. Or it is a checkpoint by its number: ``invocation=2, checkpoint=3``; without
``checkpoint`` the end of the invocation. Every decision happens once.

A plan has a text form, ``str(plan)``, which can be given instead: ``faults="die-before:charge,pages:1"``.

An invocation that dies is recorded as ``Runtime.ExitError``, as the service records a process that was killed, and the
handler is invoked again. Nothing more of the dead one runs, no ``finally`` block either: its frames stay where they are
until the process ends. With AWS's SDK, which runs handlers in threads, and for decorators above the SDK's, ``finally``
blocks do run, but durable operations in them are refused. What a step has handed to another thread goes on.
``isolation="process"`` is exact: the process is killed.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from ._model.plan import AnswerDeed, AnswerFault, Decision, Deed, Fault, OperationPlace, Pages, Part, Place, Plan
from .clock import to_seconds

__all__ = [
    "Decision",
    "Plan",
    "die_after",
    "die_before",
    "die_between",
    "duplicate_answer",
    "early_answer",
    "fail_checkpoint",
    "late_answer",
    "pages",
    "plan",
    "time_out",
    "withhold_token",
]

Faults = Plan | Decision | str | Iterable[Decision]


def die_before(
    name: str | None = None,
    *,
    part: str = "result",
    nth: int = 1,
    invocation: int | None = None,
    checkpoint: int | None = None,
    execution: int = 1,
    again_after: int | None = None,
) -> Fault:
    """The invocation dies before the checkpoint is applied.

    Before the result of a step that is: its body has run, and nobody knows. ``again_after`` is how many seconds of the
    clock pass before the handler is invoked again; ``None`` for what the service takes.
    """
    at = _place(name, part, nth, invocation, checkpoint, execution)
    return Fault(deed=Deed.DIE_BEFORE, at=at, again_after=again_after)


def die_after(
    name: str | None = None,
    *,
    part: str = "result",
    nth: int = 1,
    invocation: int | None = None,
    checkpoint: int | None = None,
    execution: int = 1,
    again_after: int | None = None,
) -> Fault:
    """The invocation dies once the checkpoint is applied, before the handler hears the answer. See ``die_before``."""
    at = _place(name, part, nth, invocation, checkpoint, execution)
    return Fault(deed=Deed.DIE_AFTER, at=at, again_after=again_after)


def die_between(name: str, *, nth: int = 1, again_after: int | None = None) -> Fault:
    """The invocation dies between a step's body and its result. The same as ``die_before(name)``."""
    return die_before(name, nth=nth, again_after=again_after)


def time_out(
    name: str | None = None,
    *,
    part: str = "result",
    nth: int = 1,
    invocation: int | None = None,
    checkpoint: int | None = None,
    execution: int = 1,
) -> Fault:
    """The checkpoint hangs until the invocation times out, and is never applied. Recorded as ``Sandbox.Timedout``."""
    return Fault(deed=Deed.TIME_OUT_BEFORE, at=_place(name, part, nth, invocation, checkpoint, execution))


def fail_checkpoint(
    name: str | None = None,
    *,
    error: str = "ServiceException",
    part: str = "result",
    nth: int = 1,
    invocation: int | None = None,
    checkpoint: int | None = None,
    execution: int = 1,
) -> Fault:
    """The service refuses the checkpoint with ``error``: the name of one of its errors.

    SDKs take ``ServiceException`` and ``TooManyRequestsException`` as passing, ``InvalidParameterValueException`` as
    final. Raises ``ValueError`` for any other name.
    """
    from ._engine.director import service_error

    service_error(error)
    return Fault(deed=Deed.FAIL, at=_place(name, part, nth, invocation, checkpoint, execution), error=error)


def withhold_token(
    name: str | None = None,
    *,
    part: str = "result",
    nth: int = 1,
    invocation: int | None = None,
    checkpoint: int | None = None,
    execution: int = 1,
) -> Fault:
    """The checkpoint is applied, and its answer has no token: the handler is to suspend, and is invoked again."""
    return Fault(deed=Deed.WITHHOLD_TOKEN, at=_place(name, part, nth, invocation, checkpoint, execution))


def duplicate_answer(name: str) -> AnswerFault:
    """The scripted answer to a callback of that name (or glob) is given twice; the service refuses the second."""
    return AnswerFault(deed=AnswerDeed.DUPLICATE, name=name)


def late_answer(name: str, by: float | timedelta) -> AnswerFault:
    """The scripted answer comes ``by`` seconds later than the script says."""
    return AnswerFault(deed=AnswerDeed.LATE, name=name, by=round(to_seconds(by, "by")))


def early_answer(name: str) -> AnswerFault:
    """The scripted answer comes at once: before the handler has heard that its callback is open."""
    return AnswerFault(deed=AnswerDeed.EARLY, name=name)


def pages(size: int = 1) -> Pages:
    """State is handed out in pages of ``size`` operations."""
    _require_whole("the size of a page", size)
    return Pages(size=size)


def plan(given: Faults) -> Plan:
    """A plan from its text, from decisions, or from one.

    Raises ``ValueError`` for a text that is none, ``TypeError`` for anything else.
    """
    if isinstance(given, Plan):
        return _checked(given)
    if isinstance(given, str):
        return _checked(Plan.parse(given))
    if isinstance(given, Fault | AnswerFault | Pages):
        return _checked(Plan((given,)))
    decisions: tuple[Any, ...] = tuple(given) if _is_iterable(given) else (given,)
    for each in decisions:
        if not isinstance(each, Fault | AnswerFault | Pages):
            raise TypeError(f"faults are decisions such as faults.die_before('charge'), or a plan's text: not {each!r}")
    return _checked(Plan(decisions))


def _is_iterable(given: Any) -> bool:
    return isinstance(given, Iterable)


def _require_whole(what: str, number: Any) -> None:
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{what} is a whole number from 1 up, not {number!r}")


def _checked(read: Plan) -> Plan:
    from ._engine.director import service_error

    if read.page_size is not None:
        _require_whole("the size of a page", read.page_size)
    for fault in read.faults:
        if isinstance(fault.at, Place) and fault.at.checkpoint is None and fault.deed is not Deed.DIE_BEFORE:
            raise ValueError(
                f"'{fault}': at the end of an invocation it can only die, 'die-before:{fault.at}'; "
                "any other fault is at a checkpoint, by checkpoint=… or by the name of an operation"
            )
        if fault.error is not None:
            service_error(fault.error)
        _require_numbers(fault.at)
    return read


def _require_numbers(at: Place | OperationPlace) -> None:
    names = ("nth",) if isinstance(at, OperationPlace) else ("invocation", "checkpoint", "execution", "runner")
    for name in names:
        number = getattr(at, name)
        if number is not None:
            _require_whole(name, number)


def _place(
    name: str | None, part: str, nth: int, invocation: int | None, checkpoint: int | None, execution: int
) -> Place | OperationPlace:
    if (name is None) == (invocation is None):
        raise TypeError("a fault is at an operation, by its name, or at a checkpoint, by invocation=… and checkpoint=…")
    if part not in set(Part):
        raise ValueError(f"part is 'start' or 'result', not {part!r}")
    numbers = {"nth": nth, "invocation": invocation, "checkpoint": checkpoint, "execution": execution}
    for what, number in numbers.items():
        if number is not None:
            _require_whole(what, number)
    if name is not None:
        return OperationPlace(name=name, part=Part(part), nth=nth)
    assert invocation is not None
    return Place(invocation=invocation, checkpoint=checkpoint, execution=execution)

"""Places of a run in the words of the user's operations."""

from __future__ import annotations

from .._engine.director import Boundary
from .._model.enums import OperationAction as Action
from .._model.enums import OperationType as Type
from .._model.operation import OperationUpdate
from .._model.plan import Deed, Fault

_NOUNS = {
    "Step": "step",
    "WaitForCondition": "condition check",
    "Wait": "wait",
    "Callback": "callback",
    "ChainedInvoke": "invoke",
    "RunInChildContext": "child context",
    "WaitForCallback": "wait-for-callback",
    "Map": "map",
    "MapIteration": "iteration",
    "Parallel": "parallel",
    "ParallelBranch": "branch",
}
_DEEDS = {
    Deed.DIE_BEFORE: "Killed",
    Deed.DIE_AFTER: "Killed",
    Deed.TIME_OUT_BEFORE: "Timed out",
    Deed.FAIL: "Checkpoint refused with {error}",
    Deed.WITHHOLD_TOKEN: "Told to suspend",
}


def sentence(fault: Fault, boundary: Boundary) -> str:
    """What was done where: "Killed in invocation 2, after step 'charge' had run, before its result was saved"."""
    place = boundary.place
    deed = _DEEDS[fault.deed].format(error=fault.error)
    of = f" of execution {place.execution}" if place.execution != 1 else ""
    return f"{deed} in invocation {place.invocation}{of}, {_where(fault, boundary)}"


def _where(fault: Fault, boundary: Boundary) -> str:
    if boundary.place.checkpoint is None:
        return "when its handler had come to its end, before that reached the service"
    update = _telling(boundary.updates)
    rest = len({each.id for each in boundary.updates} - {update.id})
    more = f" (with {rest} more operation{'s' if rest > 1 else ''})" if rest else ""
    if fault.deed in {Deed.DIE_AFTER, Deed.WITHHOLD_TOKEN}:
        return f"{_after(update)}{more}, before the handler heard of it"
    return f"{_before(update)}{more}"


def _telling(updates: tuple[OperationUpdate, ...]) -> OperationUpdate:
    """The update of a batch that says best where the run was: a result before a start, a step before the rest."""
    return min(updates, key=lambda each: (each.action is Action.START, each.type is not Type.STEP))


def noun(update: OperationUpdate) -> str:
    """An operation as its author would name it."""
    kind = _NOUNS.get(update.sub_type or "", update.type.lower().replace("_", " "))
    return f"{kind} {update.name!r}" if update.name else f"an unnamed {kind}"


def _before(update: OperationUpdate) -> str:
    if update.type is Type.EXECUTION:
        return "before the handler's result was saved"
    what = noun(update)
    if update.action is Action.START:
        return f"before the start of {what} was saved"
    ran = "had run" if update.type is Type.STEP else "had finished"
    if update.action is Action.FAIL or (update.action is Action.RETRY and update.error is not None):
        return f"after {what} had failed, before its failure was saved"
    return f"after {what} {ran}, before its result was saved"


def _after(update: OperationUpdate) -> str:
    if update.type is Type.EXECUTION:
        return "after the handler's result was saved"
    what = noun(update)
    if update.action is Action.START:
        return f"after the start of {what} was saved"
    failed = update.action is Action.FAIL or (update.action is Action.RETRY and update.error is not None)
    return f"after the {'failure' if failed else 'result'} of {what} was saved"

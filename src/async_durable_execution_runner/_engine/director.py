"""Who carries out a plan: it stands between the handler's checkpoints and the executor, and notes every place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .. import exceptions
from .._checkpoint.processor import CheckpointAnswer
from .._model.enums import OperationAction as Action
from .._model.errors import ErrorObject
from .._model.execution import RunningInvocation
from .._model.operation import OperationUpdate
from .._model.plan import Deed, Fault, OperationPlace, Part, Place, Plan
from .executor import Executor
from .inputs import Crashed, InvocationEnd
from .scheduler import Scheduler


class InvocationLost(Exception):
    """The invocation that made this call is dead. Whoever hears it must see to it that nothing more of it runs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundary:
    """A place that a run came to: a checkpoint with what it brought, or the end of an invocation."""

    place: Place
    execution_arn: str
    updates: tuple[OperationUpdate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A decision that was carried out, and where."""

    fault: Fault
    boundary: Boundary


class Director:
    """Carries out the faults of a plan, each once. Without faults it only notes the places that a run comes to."""

    def __init__(self, plan: Plan, executor: Executor, scheduler: Scheduler) -> None:
        self.plan = plan
        self.boundaries: list[Boundary] = []
        self.taken: list[Taken] = []
        self._executor = executor
        self._scheduler = scheduler
        self._left = list(plan.faults)
        self._is_planned = bool(self._left)
        self._seen: dict[int, int] = {}
        """How often the operation that a fault names was there, by the fault's identity."""
        self._counts: dict[tuple[str, int], int] = {}
        self._lost: dict[tuple[str, int], Fault] = {}

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do and to note: all that was planned has happened."""
        return self._is_planned and not self._left

    @property
    def not_reached(self) -> tuple[Fault, ...]:
        """Faults whose place the run never came to."""
        return tuple(self._left)

    def checkpoint(
        self,
        execution_arn: str,
        token: str,
        updates: Sequence[OperationUpdate],
        client_token: str | None,
        now: int,
    ) -> CheckpointAnswer:
        """See ``Executor.checkpoint``. Raises ``InvocationLost`` besides."""
        running = self._executor.get(execution_arn).running
        if running is not None and (execution_arn, running.record.number) in self._lost:
            raise InvocationLost
        fault = None
        if updates and not self.is_over and running is not None and running.token == token:
            fault = self._due(self._note(execution_arn, running.record.number, tuple(updates)))
            self._before(fault, execution_arn, running)
        answer = self._executor.checkpoint(execution_arn, token, updates, client_token, now)
        if fault is None or running is None:
            return answer
        if fault.deed is Deed.WITHHOLD_TOKEN:
            running.undelivered = True  # so the end of this invocation calls for another one
            return answer._replace(token=None)
        raise self._lose(execution_arn, running, fault)

    def ended(self, execution_arn: str, number: int, end: InvocationEnd) -> InvocationEnd:
        """How an invocation ends, when its handler has come to an end."""
        running = self._executor.get(execution_arn).running
        if running is None or running.record.number != number:
            return end
        fault = self._lost.get((execution_arn, number))
        if fault is None and self.is_over:
            return end
        if fault is None:
            fault = self._due(self._note(execution_arn, number, None))
            if fault is None:
                return end
        request = running.record.request_id
        error = ErrorObject(
            type="Runtime.ExitError", message=f"RequestId: {request} Error: Runtime exited with error: signal: killed"
        )
        return Crashed(error=error, again_after=fault.again_after)

    def _before(self, fault: Fault | None, execution_arn: str, running: RunningInvocation) -> None:
        """What happens instead of the checkpoint."""
        if fault is None:
            return
        if fault.deed is Deed.FAIL:
            raise service_error(fault.error or "")
        if fault.deed is Deed.DIE_BEFORE:
            raise self._lose(execution_arn, running, fault)
        if fault.deed is Deed.TIME_OUT_BEFORE:
            lost = self._lose(execution_arn, running, fault)
            self._scheduler.walk_to(running.record.started_at + self._executor.invocation_timeout * 1000)
            raise lost

    def _lose(self, execution_arn: str, running: RunningInvocation, fault: Fault) -> InvocationLost:
        self._lost[execution_arn, running.record.number] = fault
        return InvocationLost()

    def _note(self, execution_arn: str, number: int, updates: tuple[OperationUpdate, ...] | None) -> Boundary:
        checkpoint = None
        if updates is not None:
            checkpoint = self._counts[execution_arn, number] = self._counts.get((execution_arn, number), 0) + 1
        place = Place(
            invocation=number,
            checkpoint=checkpoint,
            execution=list(self._executor.executions).index(execution_arn) + 1,
        )
        boundary = Boundary(place=place, execution_arn=execution_arn, updates=updates or ())
        self.boundaries.append(boundary)
        return boundary

    def _due(self, boundary: Boundary) -> Fault | None:
        """The fault that is to happen here. It happens once."""
        due = [fault for fault in self._left if self._is_here(fault, boundary)]
        if not due:
            return None
        self._left.remove(due[0])
        self.taken.append(Taken(fault=due[0], boundary=boundary))
        return due[0]

    def _is_here(self, fault: Fault, boundary: Boundary) -> bool:
        if isinstance(fault.at, Place):
            return fault.at == boundary.place
        here = sum(brings(update, fault.at) for update in boundary.updates)
        seen = self._seen.get(id(fault), 0)
        self._seen[id(fault)] = seen + here
        return seen < fault.at.nth <= seen + here


def brings(update: OperationUpdate, place: OperationPlace) -> bool:
    """Whether an update is one that a place names."""
    part = Part.START if update.action is Action.START else Part.RESULT
    # What has no result of its own to report (a wait, a callback, an invoke) is meant by its start.
    starts_only = update.action is Action.START and update.type in {"WAIT", "CALLBACK", "CHAINED_INVOKE"}
    return place.fits(update.name) and (part is place.part or starts_only)


def service_error(name: str) -> exceptions.ServiceError:
    """The service's error of that name. Raises ``ValueError`` for any other."""
    kinds = {kind.__name__: kind for kind in exceptions.ServiceError.__subclasses__()}
    if name not in kinds:
        raise ValueError(f"{name!r} is no error of the service; valid: {', '.join(sorted(kinds))}")
    return kinds[name]("A fault plan refused this checkpoint.")

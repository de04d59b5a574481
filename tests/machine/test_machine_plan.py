"""Plans as text and as data, and the director that carries them out."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from machine_kit import ERROR, Handler, Service, callback, context, execution, invoke, operations_of, step, wait

from async_durable_execution_runner._engine.callbacks import Answer, Responder
from async_durable_execution_runner._engine.client import InMemoryServiceClient
from async_durable_execution_runner._engine.director import Director, InvocationLost, brings, service_error
from async_durable_execution_runner._engine.inputs import Crashed, Returned
from async_durable_execution_runner._model.enums import OperationAction, OperationType
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.operation import OperationUpdate
from async_durable_execution_runner._model.plan import (
    AnswerDeed,
    AnswerFault,
    Deed,
    Fault,
    OperationPlace,
    Pages,
    Part,
    Place,
    Plan,
)
from async_durable_execution_runner._wire.border import BotocoreWire

TEXTS = [
    "die-before:2.3",
    "die-before:2.end@2/1+0",
    "die-after:charge:start#2",
    "time-out-before:charge",
    "fail=ServiceException:charge",
    "withhold-token:1.1",
    "duplicate:approval",
    "late:approval+3600",
    'early:"my, \\"x\\": y"',
    "early:appr*",
    "pages:1",
    'die-before:"2.3"',
    'die-before:2.3,pages:1,die-before:"pack a+b"',
]


class Killing(Service):
    """A service with a director, whose handlers are told when they are dead."""

    def __init__(self, plan: str = "", **more: Any) -> None:
        super().__init__(**more)
        self.director = Director(Plan.parse(plan) if plan else Plan(), self.executor, self.scheduler)
        self.responders.plan = self.director.plan
        self.client.checkpoint = self.director.checkpoint

    def end(self, handler: Handler, end: Returned | Crashed | None = None) -> None:
        """A handler has come to its end."""
        given = end or Returned(status="SUCCEEDED", result="1")
        self.executor.end_invocation(
            handler.arn, handler.input.number, self.director.ended(handler.arn, handler.input.number, given), self.now
        )


# --------------------------------------------------------------------------------------------------------- as text


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_and_its_plan(text: str) -> None:
    assert str(Plan.parse(text)) == text
    assert Plan.parse(str(Plan.parse(text))) == Plan.parse(text)


@pytest.mark.parametrize(
    "text",
    ["", "die", "die-before", "fail:1.1", "die-before=X:1.1", "kill:1.2", ",", '"', "pages:x", "late", 'die-before:"x'],
)
def test_a_text_that_is_no_plan(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no (plan|decision of a plan); valid: die-before:2\.3"):
        Plan.parse(text)


def test_the_parts_of_a_plan() -> None:
    plan = Plan.parse("die-before:2.3,late:approval+60,pages:4") + Plan.parse("early:other")
    assert [type(each) for each in plan] == [Fault, AnswerFault, Pages, AnswerFault]
    assert len(plan) == 4
    assert plan.faults == (Fault(deed=Deed.DIE_BEFORE, at=Place(invocation=2, checkpoint=3)),)
    assert plan.answers == (
        AnswerFault(deed=AnswerDeed.LATE, name="approval", by=60),
        AnswerFault(deed=AnswerDeed.EARLY, name="other"),
    )
    assert (plan.page_size, Plan().page_size) == (4, None)


def test_a_plan_for_several_runners() -> None:
    plan = Plan.parse("die-before:1.1,die-before:charge,die-after:1.2@1/2,pages:1")
    assert str(plan.of_runner(1)) == "die-before:1.1,die-before:charge,pages:1"
    assert str(plan.of_runner(2)) == "die-after:1.2,pages:1"


def test_shrinking_leaves_what_is_needed() -> None:
    plan = Plan.parse("die-before:1.1,die-before:1.2,pages:1,early:a,die-after:2.1,late:b+5")
    asked: list[Plan] = []

    def fails(smaller: Plan) -> bool:
        asked.append(smaller)
        return {"die-before:1.2", "late:b+5"} <= set(map(str, smaller))

    assert str(plan.shrunk(fails)) == "die-before:1.2,late:b+5"
    assert len(asked) < 20
    assert plan.shrunk(lambda _: True) == Plan()
    assert plan.shrunk(lambda _: False) == plan
    assert Plan().shrunk(lambda _: True) == Plan()


def test_places_of_operations() -> None:
    start = OperationUpdate(id="s", type=OperationType.STEP, action=OperationAction.START, name="charge")
    result = OperationUpdate(id="s", type=OperationType.STEP, action=OperationAction.SUCCEED, name="charge")
    pause = OperationUpdate(id="w", type=OperationType.WAIT, action=OperationAction.START)
    assert brings(result, OperationPlace(name="charge"))
    assert not brings(start, OperationPlace(name="charge"))
    assert brings(start, OperationPlace(name="ch*", part=Part.START))
    assert brings(pause, OperationPlace(name="*"))
    assert not brings(pause, OperationPlace(name="charge"))


def test_errors_by_name() -> None:
    assert service_error("TooManyRequestsException").code == "TooManyRequestsException"
    with pytest.raises(ValueError, match="'Oops' is no error of the service; valid: CallbackTimeoutException, "):
        service_error("Oops")


# ----------------------------------------------------------------------------------------------------- carried out


def test_without_faults_the_places_are_noted() -> None:
    here = Killing()
    handler = here.begin()
    handler.checkpoint(wait("w", 5), wait("v"))
    handler.checkpoint()  # asks for news
    handler.checkpoint(step("a"))
    here.end(handler, Returned(status="PENDING"))
    other = here.begin()
    here.end(other)
    assert [str(each.place) for each in here.director.boundaries] == ["1.1", "1.2", "1.end", "1.end@2/1"]
    assert [len(each.updates) for each in here.director.boundaries] == [2, 1, 0, 0]
    assert here.director.not_reached == ()


def test_dying_before_a_checkpoint() -> None:
    here = Killing("die-before:1.2")
    handler = here.begin()
    handler.checkpoint(step("a"))
    with pytest.raises(InvocationLost):
        handler.checkpoint(step("a", "SUCCEED", Payload="1"))
    with pytest.raises(InvocationLost):
        handler.checkpoint(step("b"))
    assert here.operation(handler.arn, "a")["Status"] == "STARTED"
    here.end(handler)
    assert here.kinds(handler.arn) == ["StepStarted", "InvocationCompleted"]
    error = here.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]
    assert error["ErrorType"] == "Runtime.ExitError"
    assert error["ErrorMessage"].endswith("signal: killed")
    again = here.next_handler()
    assert here.elapsed == 5
    again.checkpoint(step("a", "SUCCEED", Payload="1"))  # each fault happens once
    assert [str(each.fault) for each in here.director.taken] == ["die-before:1.2"]


def test_dying_after_a_checkpoint_and_being_invoked_at_once() -> None:
    here = Killing("die-after:charge+0")
    handler = here.begin()
    with pytest.raises(InvocationLost):
        handler.checkpoint(step("a", Name="charge"), step("a", "SUCCEED", Payload="1", Name="charge"))
    assert here.operation(handler.arn, "a")["Status"] == "SUCCEEDED"
    here.end(handler, Crashed(error=ErrorObject(type="InvocationLost")))
    here.next_handler()
    assert here.elapsed == 0


def test_dying_at_the_end() -> None:
    here = Killing("die-before:1.end")
    handler = here.begin()
    here.end(handler)
    assert here.kinds(handler.arn) == ["InvocationCompleted"]
    here.end(here.next_handler())
    assert here.status(handler.arn) == "SUCCEEDED"


def test_the_nth_time() -> None:
    here = Killing("die-before:charge#2")
    handler = here.begin()
    handler.checkpoint(step("a", Name="charge"), step("a", "RETRY", Name="charge", Error=ERROR, delay=1))
    handler.suspend()
    again = here.next_handler()
    with pytest.raises(InvocationLost):
        again.checkpoint(step("a", Name="charge"), step("a", "SUCCEED", Name="charge", Payload="1"))


def test_timing_out() -> None:
    here = Killing("time-out-before:1.1", invocation_timeout=60)
    handler = here.begin()
    with pytest.raises(InvocationLost):
        handler.checkpoint(step("a"))
    assert here.elapsed == 60
    here.end(handler)  # too late
    assert here.details(handler.arn, "InvocationCompleted")["Error"]["Payload"]["ErrorType"] == "Sandbox.Timedout"
    assert here.kinds(handler.arn) == ["InvocationCompleted"]


def test_a_refused_checkpoint() -> None:
    here = Killing("fail=TooManyRequestsException:1.1")
    handler = here.begin()
    with pytest.raises(Exception, match="TooManyRequestsException"):
        handler.checkpoint(step("a"))
    assert here.kinds(handler.arn) == []
    handler.checkpoint(step("a"))
    assert here.kinds(handler.arn) == ["StepStarted"]


def test_an_answer_without_a_token() -> None:
    here = Killing("withhold-token:1.1")
    handler = here.begin()
    assert operations_of(handler.checkpoint(step("a"), wait("w", 1000)))
    assert handler.token is None
    here.end(handler, Returned(status="PENDING"))
    assert here.take().input.number == 2


def test_a_stale_token_and_an_unknown_execution_are_told_as_ever() -> None:
    here = Killing("die-before:1.1")
    handler = here.begin()
    old = handler.token
    with pytest.raises(Exception, match="Invalid checkpoint token"):
        handler.checkpoint(step("a"), token="stale")
    handler.crash()
    with pytest.raises(Exception, match="Invalid checkpoint token"):
        handler.checkpoint(step("a"), token=old)
    assert here.director.boundaries == []


def test_whoever_drives_the_invocation_is_told_that_it_is_lost() -> None:
    class Pace:
        lost = 0

        def reachable(self) -> int | None:
            return None

        def shift(self) -> int:
            return 0

        def lose(self) -> None:
            self.lost += 1

    here, pace = Killing("die-before:1.1"), Pace()
    here.client = InMemoryServiceClient(
        here.executor, here.scheduler, here.clock, BotocoreWire(), threading.RLock(), pace
    )
    here.client.checkpoint = here.director.checkpoint
    handler = here.begin()
    with pytest.raises(InvocationLost):
        handler.checkpoint(context("c"), invoke("i", "fn"), execution())
    assert pace.lost == 1


# --------------------------------------------------------------------------------------------------------- answers


def answered(plan: str, *, after: int = 0, every: int | None = None) -> tuple[Killing, Handler, list[str]]:
    """A callback that is answered by script, and what its first checkpoint was told."""
    here = Killing(plan)
    answer = Answer(result='"yes"')
    here.responders.scripted.append(Responder(pattern="ok", answer=answer, after=after, heartbeat_every=every))
    handler = here.begin()
    told = handler.told(callback("c", timeout=10_000, Name="ok"))
    return here, handler, [status for _, status in told]


def test_an_answer_as_scripted() -> None:
    here, handler, told = answered("")
    assert told == ["STARTED"]
    here.end(handler, Returned(status="PENDING"))
    here.next_handler()
    assert here.elapsed == 0


def test_an_early_answer() -> None:
    _, _, told = answered("early:ok", after=5_000)
    assert told == ["SUCCEEDED"]


def test_a_late_answer() -> None:
    here, handler, _ = answered("late:ok+60", after=5_000, every=20_000)
    here.end(handler, Returned(status="PENDING"))
    here.next_handler()
    assert here.elapsed == 65


def test_an_answer_that_comes_twice() -> None:
    here, handler, _ = answered("duplicate:o*")
    here.end(handler, Returned(status="PENDING"))
    again = here.next_handler()
    assert again.input.updated_operation_ids == ("c",)
    here.end(again)
    assert here.kinds(handler.arn).count("CallbackSucceeded") == 1
    assert here.status(handler.arn) == "SUCCEEDED"

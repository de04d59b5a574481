"""Checkpoints: tokens, repetition, answers, state in pages, and everything that is refused."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from botocore.exceptions import ClientError
from machine_kit import ERROR, Handler, Service, callback, context, execution, invoke, step, update, wait

from async_durable_execution_runner._checkpoint.transitions import ALLOWED
from async_durable_execution_runner._engine.functions import InvokeOutcome, StubbedFunction
from async_durable_execution_runner._model.enums import OperationAction as Action
from async_durable_execution_runner._model.enums import OperationStatus as Status
from async_durable_execution_runner._model.enums import OperationType as Type
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.ids import checkpoint_token
from async_durable_execution_runner.exceptions import (
    InvalidParameterValueException,
    ResourceNotFoundException,
    ValidationException,
)

UNKNOWN = "arn:aws:lambda:us-west-2:123456789012:function:fn:$LATEST/durable-execution/n/id"


def refused(
    handler: Handler, *updates: dict[str, Any], code: type = InvalidParameterValueException, **more: Any
) -> str:
    """The message with which a batch is refused; nothing of it may be left behind."""
    service, live = handler.service, handler.service.execution(handler.arn)
    before, timers, token = live.snapshot(), list(service.executor.timers), live.running and live.running.token
    with pytest.raises(code) as caught:
        handler.checkpoint(*updates, **more)
    assert isinstance(caught.value, ClientError)
    assert caught.value.response["Error"]["Code"] == code.__name__
    assert live.snapshot() == before == service.store.load(handler.arn)
    assert list(service.executor.timers) == timers
    assert (live.running and live.running.token) == token
    return str(caught.value.message)


# ------------------------------------------------------------------------------------------------------- tokens


def test_the_token_rotates_and_is_good_for_one_checkpoint() -> None:
    service = Service()
    handler = service.begin()
    first = handler.token
    handler.checkpoint(step("a"))
    second = handler.token
    assert first != second
    message = refused(handler, step("b"), token=first)
    assert message == "Invalid checkpoint token: it has been used; a token is good for one checkpoint."
    assert handler.told(step("b")) == [("b", "STARTED")], "a refused checkpoint does not use the token up"


def test_a_token_of_an_invocation_that_was_given_up() -> None:
    service = Service(invocation_timeout=60)
    late = service.begin()
    service.at(60)
    assert refused(late, step("a")) == "Invalid checkpoint token: invocation 1 is over."
    service.at(65)
    handler = service.take()
    assert refused(late, step("a")) == "Invalid checkpoint token: invocation 1 is over."
    late.succeed("late")
    assert service.status(handler.arn) == "RUNNING", "a late handler is not heard"
    assert handler.told(step("a")) == [("a", "STARTED")]


def test_a_token_after_the_end() -> None:
    service = Service()
    handler = service.begin()
    service.executor.stop(handler.arn, None, service.now)
    assert refused(handler, step("a")) == "Invalid checkpoint token: the execution is over (STOPPED)."
    with pytest.raises(InvalidParameterValueException, match=r"the execution is over \(STOPPED\)"):
        handler.state()


@pytest.mark.parametrize(
    "token", ["x", "abcd", base64.b64encode(b"a:b:c").decode(), base64.b64encode(b"\xff:1:1").decode()]
)
def test_a_token_that_is_not_ours(token: str) -> None:
    handler = Service().begin()
    assert refused(handler, step("a"), token=token).endswith("it is not a token of this execution.")


def test_a_token_of_another_execution() -> None:
    service = Service()
    handler, other = service.begin(), service.begin()
    assert refused(handler, step("a"), token=other.token).endswith("it is not a token of this execution.")


def test_the_wording_of_a_stale_token_belongs_to_the_profile() -> None:
    service = Service(stale_token_message="Invalid Checkpoint Token: {reason}")
    handler = service.begin()
    assert refused(handler, token="x").startswith("Invalid Checkpoint Token: ")


def test_a_refused_empty_checkpoint_lets_no_time_pass() -> None:
    service = Service()
    handler = service.begin()
    first = handler.token
    handler.checkpoint(wait("w", 5))
    refused(handler, token=first)
    assert service.elapsed == 0


def test_an_unknown_execution() -> None:
    service = Service()
    handler = service.begin()
    for ask in (service.client.checkpoint_durable_execution, service.client.get_durable_execution_state):
        with pytest.raises(ResourceNotFoundException, match="Durable execution not found"):
            ask(DurableExecutionArn=UNKNOWN, CheckpointToken=handler.token)


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"DurableExecutionArn": "arn"}, "'durableExecutionArn'"),
        ({"DurableExecutionArn": None}, "Value null at 'durableExecutionArn'"),
        ({"CheckpointToken": "not a token"}, "'checkpointToken'"),
        ({"CheckpointToken": None}, "Value null at 'checkpointToken'"),
        ({"ClientToken": ""}, "'clientToken'"),
        ({"ClientToken": "x" * 65}, "'clientToken'"),
        ({"Updates": 5}, "'updates'"),
        ({"Updates": [5]}, "'updates.1.member'"),
    ],
)
def test_a_request_of_the_wrong_shape(changes: dict[str, Any], where: str) -> None:
    service = Service()
    handler = service.begin()
    params: dict[str, Any] = {"DurableExecutionArn": handler.arn, "CheckpointToken": handler.token}
    with pytest.raises(ValidationException) as caught:
        service.client.checkpoint_durable_execution(**params | changes)
    assert where in str(caught.value)


# --------------------------------------------------------------------------------------------------- repetition


def test_the_same_request_gets_the_same_answer_and_is_applied_once() -> None:
    service = Service()
    handler = service.begin()
    token = handler.token
    answer = handler.checkpoint(step("a"), ClientToken="t")
    events = service.events(handler.arn)
    assert handler.checkpoint(step("a"), ClientToken="t", token=token) == answer
    assert service.events(handler.arn) == events
    assert handler.told(step("a", "SUCCEED")) == [("a", "SUCCEEDED")], "the token of the repeated answer is good"


def test_a_repeated_empty_checkpoint_lets_time_pass_once() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(wait("a", 5), wait("b", 9))
    token = handler.token
    answer = handler.checkpoint(ClientToken="t")
    assert handler.checkpoint(ClientToken="t", token=token) == answer
    assert service.elapsed == 5


def test_a_client_token_does_not_stand_for_another_request() -> None:
    handler = Service().begin()
    handler.checkpoint(step("a"), ClientToken="t")
    assert "ClientToken was already used" in refused(handler, step("b"), ClientToken="t")


def test_a_repetition_is_known_for_15_minutes() -> None:
    service = Service(invocation_timeout=10_000)
    handler = service.begin()
    token = handler.token
    answer = handler.checkpoint(step("a"), ClientToken="t")
    current = handler.token
    service.at(900)
    assert handler.checkpoint(step("a"), ClientToken="t", token=token) == answer
    service.at(901)
    assert "it has been used" in refused(handler, step("a"), ClientToken="t", token=token)
    handler.checkpoint(step("a", "SUCCEED"), ClientToken="t", token=current)


def test_a_repetition_is_answered_after_the_invocation_is_over() -> None:
    service = Service()
    handler = service.begin()
    token = handler.token
    answer = handler.checkpoint(step("a"), ClientToken="t")
    handler.succeed()
    assert handler.checkpoint(step("a"), ClientToken="t", token=token) == answer


# ------------------------------------------------------------------------------------------------------ answers


def test_an_answer_has_what_changed_since_the_last_one_and_nothing_else() -> None:
    service = Service()
    handler = service.begin()
    assert handler.told(step("a"), wait("w", 3)) == [("a", "STARTED"), ("w", "STARTED")]
    assert handler.told(step("a", "SUCCEED"), callback("c")) == [("a", "SUCCEEDED"), ("c", "STARTED")]
    service.at(3)
    service.client.send_durable_execution_callback_success(CallbackId=service.callback_id(handler.arn, "c"))
    assert handler.told(step("b")) == [("w", "SUCCEEDED"), ("c", "SUCCEEDED"), ("b", "STARTED")]
    assert handler.told(step("b", "SUCCEED")) == [("b", "SUCCEEDED")]


def test_the_next_invocation_is_sent_everything_and_then_only_news() -> None:
    service = Service()
    handler = service.begin()
    assert handler.input.updated_operation_ids is None
    handler.checkpoint(step("a"), step("a", "SUCCEED"), wait("w", 3))
    handler.suspend()
    handler = service.next_handler()
    assert [each.id for each in handler.input.operations] == [service.execution(handler.arn).id, "a", "w"]
    assert handler.input.updated_operation_ids == ("w",)
    assert handler.told(step("b")) == [("b", "STARTED")]


def test_a_retry_that_comes_due_while_the_handler_runs_is_told() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(step("a"), step("a", "RETRY", delay=2), step("b"))
    service.at(2)
    assert handler.told(step("b", "SUCCEED")) == [("a", "READY"), ("b", "SUCCEEDED")]


# -------------------------------------------------------------------------------------------------------- pages


def ids(page: dict[str, Any]) -> list[str]:
    return [each["Id"] for each in page["Operations"]]


def all_pages(handler: Handler, first: dict[str, Any]) -> list[list[str]]:
    pages, marker = [ids(first)], first.get("NextMarker")
    while marker is not None:
        page = handler.state(Marker=marker)
        pages.append(ids(page))
        marker = page.get("NextMarker")
    return pages


def test_state_in_pages_of_one() -> None:
    service = Service(state_page_operations=1)
    handler = service.begin()
    answer = handler.checkpoint(step("a"), step("b"), wait("w", 3))["NewExecutionState"]
    assert all_pages(handler, answer) == [["a"], ["b"], ["w"]]
    handler.suspend()
    handler = service.next_handler()
    root = service.execution(handler.arn).id
    assert [each.id for each in handler.input.operations] == [root]
    first = {"Operations": [{"Id": root}], "NextMarker": handler.input.next_marker}
    handler.checkpoint(step("a", "SUCCEED"))
    assert all_pages(handler, first) == [[root], ["a"], ["b"], ["w"]], "a marker stays good while the invocation runs"


def test_two_paged_answers_do_not_mix() -> None:
    handler = Service(state_page_operations=1).begin()
    first = handler.checkpoint(step("a"), step("b"))["NewExecutionState"]
    second = handler.checkpoint(step("c"), step("d"))["NewExecutionState"]
    assert all_pages(handler, first) == [["a"], ["b"]]
    assert all_pages(handler, second) == [["c"], ["d"]]


def test_without_a_marker_the_state_is_that_of_now() -> None:
    service = Service()
    handler = service.begin()
    root = service.execution(handler.arn).id
    assert ids(handler.state()) == [root]
    handler.checkpoint(step("a"), step("b"))
    page = handler.state(MaxItems=2)
    assert ids(page) == [root, "a"]
    handler.checkpoint(step("a", "SUCCEED"), step("c"))
    assert ids(handler.state(Marker=page["NextMarker"])) == ["b"], "pages that belong together show one moment"
    assert ids(handler.state(MaxItems=0)) == [root, "a", "b", "c"]
    assert handler.state()["Operations"][1]["Status"] == "SUCCEEDED"


def test_a_page_is_never_larger_than_the_service_allows() -> None:
    handler = Service(state_page_operations=2).begin()
    handler.checkpoint(step("a"), step("b"))
    assert len(handler.state(MaxItems=1000)["Operations"]) == 2


@pytest.mark.parametrize(
    "marker",
    ["x", "x.1", "delta-1.0", "delta-1.2", "delta-1.-1", "delta-1.²", "delta-1.", "delta-1." + "9" * 5000, "."],
)
def test_a_marker_that_was_never_handed_out(marker: str) -> None:
    handler = Service(state_page_operations=1).begin()
    handler.checkpoint(step("a"), step("b"))
    with pytest.raises(InvalidParameterValueException, match="was not handed out to this invocation"):
        handler.state(Marker=marker)


def test_reading_uses_no_token_up_and_takes_an_older_one() -> None:
    handler = Service().begin()
    first = handler.token
    handler.checkpoint(step("a"))
    for token in (first, handler.token):
        params = {"DurableExecutionArn": handler.arn, "CheckpointToken": token}
        assert len(handler.service.client.get_durable_execution_state(**params)["Operations"]) == 2


@pytest.mark.parametrize("token", ["x", "future", "other invocation", "none runs"])
def test_a_reader_needs_a_token_of_the_running_invocation(token: str) -> None:
    service = Service()
    handler = service.begin()
    own = service.execution(handler.arn).id
    texts = {"future": checkpoint_token(own, 1, 1), "other invocation": checkpoint_token(own, 2, 0)}
    if token == "none runs":
        handler.crash()
    params = {"DurableExecutionArn": handler.arn, "CheckpointToken": texts.get(token, handler.token)}
    if token == "x":
        params["CheckpointToken"] = "x"
    with pytest.raises(InvalidParameterValueException, match="Invalid checkpoint token"):
        service.client.get_durable_execution_state(**params)


# ----------------------------------------------------------------------------------------------- replay children


def visible(*updates: dict[str, Any]) -> list[str]:
    service = Service()
    handler = service.begin()
    handler.checkpoint(*updates)
    return ids(handler.state())[1:]


def test_what_lies_below_a_finished_context_is_left_out() -> None:
    updates = [context("c"), step("c-1", ParentId="c"), context("c-2", ParentId="c"), step("c-2-1", ParentId="c-2")]
    assert visible(*updates) == ["c", "c-1", "c-2", "c-2-1"]
    assert visible(*updates, context("c", "SUCCEED"), step("d")) == ["c", "d"]
    assert visible(*updates, context("c", "FAIL")) == ["c"]
    assert visible(*updates, context("c-2", "SUCCEED", ParentId="c")) == ["c", "c-1", "c-2"]


def test_a_context_that_replays_its_children_is_sent_with_them() -> None:
    updates = [context("c"), step("c-1", ParentId="c"), context("c-2", ParentId="c"), step("c-2-1", ParentId="c-2")]
    replay = context("c", "SUCCEED", replay=True, Payload="summary")
    assert visible(*updates, replay) == ["c", "c-1", "c-2", "c-2-1"]
    inner = context("c-2", "SUCCEED", ParentId="c")
    assert visible(*updates, inner, replay) == ["c", "c-1", "c-2"]
    both = context("c-2", "SUCCEED", ParentId="c", replay=True)
    assert visible(*updates, both, context("c", "SUCCEED", replay=False)) == ["c"]


def test_the_flag_is_in_the_state_and_not_in_the_history() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(context("c"), context("c", "SUCCEED", replay=True))
    assert service.operation(handler.arn, "c")["ContextDetails"] == {"ReplayChildren": True}
    assert service.details(handler.arn, "ContextSucceeded") == {"Result": {"Truncated": False}}


# -------------------------------------------------------------------------------------------------- transitions

MADE = {
    Type.STEP: {
        Status.STARTED: [step("o")],
        Status.PENDING: [step("o"), step("o", "RETRY", delay=9)],
        Status.SUCCEEDED: [step("o"), step("o", "SUCCEED")],
        Status.FAILED: [step("o"), step("o", "FAIL")],
    },
    Type.CONTEXT: {
        Status.STARTED: [context("o")],
        Status.SUCCEEDED: [context("o"), context("o", "SUCCEED")],
        Status.FAILED: [context("o"), context("o", "FAIL")],
    },
    Type.WAIT: {
        Status.STARTED: [wait("o")],
        Status.CANCELLED: [wait("o"), update("WAIT", "CANCEL", "o")],
    },
    Type.CALLBACK: {Status.STARTED: [callback("o")]},
    Type.CHAINED_INVOKE: {Status.STARTED: [invoke("o", "stub")], Status.FAILED: [invoke("o", "nobody")]},
    Type.EXECUTION: {Status.STARTED: [step("other")]},
}
"""How an operation of each type gets into each state that a handler alone can bring it into."""


def an_update(kind: Type, action: Action) -> dict[str, Any]:
    if kind is Type.EXECUTION:
        return execution(action.value)
    made = {Type.WAIT: wait("o"), Type.CALLBACK: callback("o"), Type.CHAINED_INVOKE: invoke("o", "stub")}
    if action is Action.START and kind in made:
        return made[kind]
    more = {"StepOptions": {"NextAttemptDelaySeconds": 9}} if (kind, action) == (Type.STEP, Action.RETRY) else {}
    return update(kind.value, action.value, "o", **more)


CASES = [
    (kind, action, state)
    for kind in Type
    for action in Action
    for state in [*MADE[kind], *([None] * (kind != "EXECUTION"))]
]


@pytest.mark.parametrize(("kind", "action", "state"), CASES, ids=str)
def test_an_action_is_accepted_exactly_where_the_table_says_so(
    kind: Type, action: Action, state: Status | None
) -> None:
    service = Service(functions={"stub": StubbedFunction(outcome=InvokeOutcome(status="SUCCEEDED"), after=9_000)})
    handler = service.begin()
    for each in MADE[kind][state] if state is not None else []:
        handler.checkpoint(each)
    if state in ALLOWED.get((kind, action), ()):
        handler.checkpoint(an_update(kind, action))
        return
    message = refused(handler, an_update(kind, action))
    if (kind, action) not in ALLOWED:
        assert message == f"Invalid {kind} action: {action}."
    elif state is None:
        assert message.endswith("it was never started.")
    else:
        assert str(state) in message


def test_the_table_has_every_action_that_makes_sense() -> None:
    assert {kind: {action for each, action in ALLOWED if each is kind} for kind in Type} == {
        Type.EXECUTION: {Action.SUCCEED, Action.FAIL},
        Type.CONTEXT: {Action.START, Action.SUCCEED, Action.FAIL},
        Type.STEP: {Action.START, Action.SUCCEED, Action.FAIL, Action.RETRY},
        Type.WAIT: {Action.START, Action.CANCEL},
        Type.CALLBACK: {Action.START},
        Type.CHAINED_INVOKE: {Action.START},
    }
    for states in ALLOWED.values():
        assert states, "an action that is never allowed has no place in the table"
        assert not any(state is not None and state in {"SUCCEEDED", "FAILED", "CANCELLED"} for state in states)


def test_a_refusal_names_the_operation() -> None:
    handler = Service().begin()
    assert "'pay' (o)" in refused(handler, step("o", "SUCCEED", Name="pay"))


# ------------------------------------------------------------------------------------------------- whole batches


def test_one_wrong_update_refuses_the_whole_batch() -> None:
    handler = Service().begin()
    refused(handler, step("a"), wait("w", 5), callback("c", 5), invoke("i", "fn"), step("b", "SUCCEED"))
    assert not handler.service.executor.ready
    assert handler.service.execution(handler.arn).stored_bytes == 0


@pytest.mark.parametrize(
    "updates",
    [
        [step("a"), step("a")],
        [step("a"), step("a", "SUCCEED"), step("a", "SUCCEED")],
        [step("a"), step("a", "RETRY", delay=1), step("a")],
        [step("a", "SUCCEED"), step("a")],
    ],
)
def test_an_operation_is_updated_once_in_a_batch_or_started_and_ended(updates: list[dict[str, Any]]) -> None:
    assert "Cannot checkpoint multiple updates of the operation 'a'" in refused(Service().begin(), *updates)


@pytest.mark.parametrize("updates", [[execution(), step("a")], [execution(), execution("FAIL")]])
def test_the_end_of_the_execution_comes_last(updates: list[dict[str, Any]]) -> None:
    assert refused(Service().begin(), *updates) == "EXECUTION checkpoint must be the last update."


def test_nothing_comes_after_the_end_of_the_execution() -> None:
    service = Service()
    handler = service.begin()
    handler.checkpoint(execution())
    running = service.execution(handler.arn).running
    assert running is not None
    assert "already been given its result" in refused(handler, step("a"), token=running.token)


def test_parents() -> None:
    handler = Service().begin()
    handler.checkpoint(context("done"), context("done", "SUCCEED"), step("s"))
    for parent, problem in (
        ("nobody", "no such operation"),
        ("s", "it is a STEP, not a CONTEXT"),
        ("done", "it has ended (SUCCEEDED)"),
        (handler.service.execution(handler.arn).id, "it is a EXECUTION, not a CONTEXT"),
    ):
        message = refused(handler, step("x", ParentId=parent, Name="child"))
        assert message == f"Invalid parent operation id '{parent}' of STEP 'child' (x): {problem}."


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"Type": "CONTEXT"},
            "Inconsistent operation type of 'a' (o): it was started with 'STEP', the update has 'CONTEXT'.",
        ),
        ({"SubType": "Other"}, "Inconsistent operation subtype"),
        ({"Name": "b"}, "Inconsistent operation name"),
        ({"Name": None}, "the update has none"),
        ({"ParentId": "d"}, "Inconsistent parent operation id"),
    ],
)
def test_an_operation_stays_what_it_is(change: dict[str, Any], message: str) -> None:
    handler = Service().begin()
    handler.checkpoint(context("c"), context("d"), step("o", Name="a", SubType="Step", ParentId="c"))
    ended = step("o", "SUCCEED", Name="a", SubType="Step", ParentId="c") | change
    assert message in refused(handler, ended)


def test_the_root_is_no_ordinary_operation() -> None:
    handler = Service().begin()
    assert "Inconsistent operation type" in refused(handler, step(handler.service.execution(handler.arn).id))


# ------------------------------------------------------------------------------------- what an action may carry

STEP = [step("o")]
REFUSED: list[tuple[list[dict[str, Any]], dict[str, Any], str]] = [
    ([], step("o", Payload="1"), "Cannot provide a Payload for START action: STEP."),
    ([], step("o", Error=ERROR), "Cannot provide an Error for START action: STEP."),
    ([], step("o", delay=1), "Invalid StepOptions for the given action: STEP START."),
    (STEP, step("o", "SUCCEED", Error=ERROR), "Cannot provide an Error for SUCCEED action: STEP."),
    (STEP, step("o", "FAIL", Payload="1"), "Cannot provide a Payload for FAIL action: STEP."),
    (STEP, step("o", "RETRY"), "Invalid StepOptions for the given action: RETRY needs a delay."),
    (
        STEP,
        step("o", "RETRY", delay=1, Payload="1", Error=ERROR),
        "Cannot provide both error and payload to RETRY a STEP.",
    ),
    (
        STEP,
        step("o", "SUCCEED", WaitOptions={"WaitSeconds": 1}),
        "Invalid WaitOptions for the given action: STEP SUCCEED.",
    ),
    ([], wait("o", Payload="1"), "Cannot provide a Payload for START action: WAIT."),
    ([], update("WAIT", "START", "o"), "Invalid WaitOptions for the given action: START needs WaitSeconds."),
    ([], wait("o", CallbackOptions={}), "Invalid CallbackOptions for the given action: WAIT START."),
    ([wait("o")], update("WAIT", "CANCEL", "o", Payload="1"), "Cannot provide a Payload for CANCEL action: WAIT."),
    ([], callback("o", Payload="1"), "Cannot provide a Payload for START action: CALLBACK."),
    ([], callback("o", ContextOptions={}), "Invalid ContextOptions for the given action: CALLBACK START."),
    ([], context("o", Error=ERROR), "Cannot provide an Error for START action: CONTEXT."),
    ([], context("o", replay=True), "Invalid ContextOptions for the given action: CONTEXT START."),
    (
        [context("o")],
        context("o", "SUCCEED", StepOptions={}),
        "Invalid StepOptions for the given action: CONTEXT SUCCEED.",
    ),
    ([context("o")], context("o", "SUCCEED", Error=ERROR), "Cannot provide an Error for SUCCEED action: CONTEXT."),
    ([context("o")], context("o", "FAIL", Payload="1"), "Cannot provide a Payload for FAIL action: CONTEXT."),
    (
        [],
        update("CHAINED_INVOKE", "START", "o"),
        "Invalid ChainedInvokeOptions for the given action: START needs a FunctionName.",
    ),
    ([], invoke("o", "fn", Error=ERROR), "Cannot provide an Error for START action: CHAINED_INVOKE."),
    ([], invoke("o", "fn", StepOptions={}), "Invalid StepOptions for the given action: CHAINED_INVOKE START."),
    ([], execution(Error=ERROR), "Cannot provide an Error for SUCCEED action: EXECUTION."),
    ([], execution("FAIL", Payload="1"), "Cannot provide a Payload for FAIL action: EXECUTION."),
    ([], execution(StepOptions={}), "Invalid StepOptions for the given action: EXECUTION SUCCEED."),
]


@pytest.mark.parametrize(("before", "wrong", "message"), REFUSED, ids=[case[2] for case in REFUSED])
def test_what_an_action_cannot_carry(before: list[dict[str, Any]], wrong: dict[str, Any], message: str) -> None:
    handler = Service().begin()
    for each in before:
        handler.checkpoint(each)
    assert refused(handler, wrong) == message


# ------------------------------------------------------------------------------------------------ the API's shapes


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            wait("o", 0),
            (
                "Value '0' at 'updates.2.member.waitOptions.waitSeconds' failed to satisfy constraint: "
                "Member must have value greater than or equal to 1"
            ),
        ),
        (wait("o", 31_622_401), "Member must have value less than or equal to 31622400"),
        (step("o", "RETRY", StepOptions={"NextAttemptDelaySeconds": 0}), "'updates.2.member.stepOptions."),
        (
            step("o", "SUCCEED", Payload="x" * 6_291_457),
            (
                "Value at 'updates.2.member.payload' failed to satisfy "
                "constraint: Member must have length less than or equal to 6291456"
            ),
        ),
        (step("o o"), "Value 'o o' at 'updates.2.member.id' failed to satisfy constraint: Member must satisfy regular"),
        (step(""), "Member must have length greater than or equal to 1"),
        (step("o" * 65), "Member must have length less than or equal to 64"),
        (step("o", Name="\n"), "updates.2.member.name"),
        (step("o", Name="n" * 257), "Member must have length less than or equal to 256"),
        (step("o", SubType="s" * 33), "Member must have length less than or equal to 32"),
        (step("o", ParentId=7), "'updates.2.member.parentId' failed to satisfy constraint: Member must be a string"),
        (step("o", Name=["unhashable"]), "Member must be a string"),
        (update("STEP", ["START"], "o"), "Member must be a string"),  # type: ignore[arg-type]
        (update("STEP", "BEGIN", "o"), "Member must satisfy enum value set: [START, SUCCEED, FAIL, RETRY, CANCEL]"),
        (
            {"Type": "STEP", "Action": "START"},
            "Value null at 'updates.2.member.id' failed to satisfy constraint: Member must not be null",
        ),
    ],
    ids=lambda value: value[:60] if isinstance(value, str) else "",
)
def test_shapes_of_updates(wrong: dict[str, Any], message: str) -> None:
    """Shape errors win: the first update is wrong in another way, and nobody says so."""
    handler = Service().begin()
    text = refused(handler, step("never", "SUCCEED"), wrong, code=ValidationException)
    assert text.startswith("1 validation error detected: ")
    assert message in text


# ------------------------------------------------------------------------------------------------------- limits

AT_LAUNCH = {"step_payload_bytes": 262_144, "context_payload_bytes": 262_144, "error_bytes": 262_144}
LARGE = "x" * 262_145


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (
            step("o"),
            step("o", "SUCCEED", Payload=LARGE),
            "STEP output payload size must be less than or equal to 262144 bytes.",
        ),
        (
            step("o"),
            step("o", "RETRY", delay=1, Payload=LARGE),
            "STEP output payload size must be less than or equal to 262144 bytes.",
        ),
        (
            step("o"),
            step("o", "FAIL", Error={"ErrorData": LARGE}),
            "Error object size must be less than or equal to 262144 bytes.",
        ),
        (
            context("o"),
            context("o", "SUCCEED", Payload=LARGE),
            "CONTEXT output payload size must be less than or equal to 262144 bytes.",
        ),
        (
            context("o"),
            context("o", "FAIL", Error={"StackTrace": ["é" * 140_000]}),
            "Error object size must be less than",
        ),
        (
            wait("o"),
            update("WAIT", "CANCEL", "o", Error={"ErrorMessage": LARGE}),
            "Error object size must be less than",
        ),
    ],
    ids=["step", "retry", "step error", "context", "context error", "cancel error"],
)
def test_sizes_at_launch(start: dict[str, Any], end: dict[str, Any], message: str) -> None:
    handler = Service(**AT_LAUNCH).begin()
    handler.checkpoint(start)
    assert message in refused(handler, end)


def test_sizes_count_bytes_and_the_limit_itself_fits() -> None:
    handler = Service(step_payload_bytes=4).begin()
    handler.checkpoint(step("a"), step("b"), step("c"))
    handler.checkpoint(step("a", "SUCCEED", Payload="éé"), step("b", "SUCCEED", Payload="1234"))
    refused(handler, step("c", "SUCCEED", Payload="ééx"))
    refused(handler, step("c", "SUCCEED", Payload="12345"))


def test_the_input_of_a_chained_invoke() -> None:
    handler = Service().begin()
    message = refused(handler, invoke("o", "fn", payload="x" * 1_048_577))
    assert message == "CHAINED_INVOKE input payload size must be less than or equal to 1048576 bytes."


@pytest.mark.parametrize(("synchronous", "limit"), [(True, 20), (False, 10)])
def test_the_result_by_checkpoint_has_the_limit_of_an_answer(synchronous: bool, limit: int) -> None:
    service = Service(execution_payload_bytes=20, async_execution_payload_bytes=10)
    handler = service.begin(synchronous=synchronous)
    message = refused(handler, execution(Payload="x" * (limit + 1)))
    assert message == f"EXECUTION output payload size must be less than or equal to {limit} bytes."
    handler.checkpoint(execution(Payload="x" * limit))


def test_the_number_of_operations() -> None:
    handler = Service(max_operations=3).begin()
    handler.checkpoint(step("a"))
    message = refused(handler, step("b"), step("c"), step("d", Name="last"))
    assert message == (
        "Operation limit exceeded: an execution can have at most 3 operations; STEP 'last' (d) is one too many."
    )
    handler.checkpoint(step("a", "SUCCEED"), step("b"), step("c"))
    assert "STEP 'd' is one too many" in refused(handler, step("d"))
    handler.checkpoint(step("b", "SUCCEED"))


def test_no_limit_on_the_number_of_operations() -> None:
    handler = Service(max_operations=None).begin()
    handler.checkpoint(*(step(str(number)) for number in range(3_100)))
    assert len(handler.service.execution(handler.arn).operations) == 3_101


def test_what_an_execution_may_keep() -> None:
    handler = Service(max_execution_bytes=10).begin()
    handler.checkpoint(step("a"), step("b"), step("c"))
    handler.checkpoint(step("a", "SUCCEED", Payload="123456"))
    message = refused(handler, step("b", "SUCCEED", Payload="1234"), step("c", "FAIL", Error={"ErrorMessage": "x"}))
    assert message == ("Execution data size must be less than or equal to 10 bytes; STEP 'c' would make it 11.")
    handler.checkpoint(step("b", "SUCCEED", Payload="1234"), step("c", "SUCCEED"))
    assert "would make it 11" in refused(handler, execution(Payload="1"))


def test_no_limit_on_what_an_execution_may_keep() -> None:
    handler = Service(max_execution_bytes=None).begin()
    handler.checkpoint(step("a"), step("a", "SUCCEED", Payload="123456"))
    assert handler.service.execution(handler.arn).stored_bytes == 6


def test_the_number_of_updates_in_a_checkpoint() -> None:
    handler = Service(max_updates_per_checkpoint=2).begin()
    handler.checkpoint(step("a"), step("b"))
    assert refused(handler, step("c"), step("d"), step("e")) == "A checkpoint can have at most 2 updates, not 3."


def test_the_size_of_an_error_is_that_of_all_its_parts() -> None:
    assert ErrorObject().size == 0
    assert ErrorObject(message="é", type="ab", data="c", stack_trace=("d", "e")).size == 7

"""Small workflows with one mistake each, and their correct twins, with AWS's SDK: each mistake is found and named."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable
from typing import Any

import pytest
from aws_kit import sdk, seconds
from test_aws_replay import pytestmark  # noqa: F401 - what cannot be listened to has no radar

from async_durable_execution_runner import DurableFunctionTestRunner, Effects

Workflow = Callable[[Any, bool], Any]
EFFECTS: dict[str, Effects] = {}


def first_run_only(context: Any, faulty: bool) -> Any:
    bank = EFFECTS["bank"]

    def charge(_: Any) -> None:
        if not bank.counts.get("order-7"):  # a bank that knows its orders
            bank.record("order-7")

    if faulty and not context.is_replaying():
        bank.record("order-7")
    if not faulty:
        context.step(charge, name="charge")
    context.step(lambda _: None, name="tell")


def request_id_as_a_key(context: Any, faulty: bool) -> Any:
    invocation = context.lambda_context
    made = context.step(lambda _: invocation.aws_request_id, name="make key")
    key = invocation.aws_request_id if faulty else made
    context.wait(seconds(5), name="before the charge")
    context.step(lambda _: f"charged {key}", name="charge")


def stops_when_time_is_short(context: Any, faulty: bool) -> Any:
    for number in range(3):
        context.step(lambda _: None, name=f"page {number}")
        if faulty and context.lambda_context.get_remaining_time_in_millis() < 60_000:
            context.wait(seconds(1), name="go on later")


def seen_by_a_child(context: Any, faulty: bool) -> Any:
    seen: list[int] = []

    def child(inner: Any) -> Any:
        seen.append(inner.step(lambda _: 5, name="count"))
        return seen[0]

    counted = context.run_in_child_context(child, name="counting")
    total = sum(seen) if faulty else counted
    return context.step(lambda _: total, name="add up")


def machine_in_an_invoke(context: Any, faulty: bool) -> Any:
    machine = socket.gethostname() if faulty else context.step(lambda _: socket.gethostname(), name="where")
    return context.invoke("other", {"from": machine}, name="tell")


NAMED: list[tuple[Workflow, str]] = [
    (first_run_only, "step 'tell' had run, before its result was saved: effect 'bank' for 'order-7' happened twice"),
    (request_id_as_a_key, "value changed: the argument key of Step 'charge'"),
    (stops_when_time_is_short, "added: Wait 'go on later' was never recorded"),
    (seen_by_a_child, "child context 'counting' was saved, before the handler heard of it: it gave 0 instead of 5"),
    (machine_in_an_invoke, "value changed: the payload of ChainedInvoke 'tell'"),
]


def told(workflow: Workflow, *, faulty: bool) -> str:
    """What the matrix, the radar and the bank have to say."""

    @sdk.durable_execution
    def handler(event: Any, context: Any) -> Any:
        return workflow(context, faulty)

    with DurableFunctionTestRunner(handler) as runner:
        bank = EFFECTS["bank"] = runner.effects("bank")
        runner.mock_invoke("other", result=1)
        report = runner.explore_crashes(raise_on_failure=False)
    assert str(report.clean.execution_status) == "SUCCEEDED"
    found = "" if report.ok else report.render()
    try:
        bank.at_most_once()
    except AssertionError as error:
        found += str(error)
    return found


@pytest.mark.parametrize(("workflow", "named"), NAMED, ids=[workflow.__name__ for workflow, _ in NAMED])
def test_a_mistake_is_found_and_named_and_nothing_is_said_of_its_twin(workflow: Workflow, named: str) -> None:
    assert re.search(re.escape(named), told(workflow, faulty=True))
    assert told(workflow, faulty=False) == ""

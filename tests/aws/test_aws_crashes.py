"""Faults and crash explorations with AWS's SDK."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from aws_kit import sdk, seconds

from async_durable_execution_runner import DurableFunctionTestRunner, Effects

LOG: list[str] = []
BANK = Effects("bank")


@pytest.fixture(autouse=True)
def _fresh_log() -> None:
    LOG.clear()


def note(word: str) -> Any:
    """A step's body that notes that it ran."""

    def body(_: Any) -> str:
        LOG.append(word)
        return word

    return body


@sdk.durable_execution
def pay(event: Any, context: Any) -> list[Any]:
    try:
        paid = context.step(note("charge"), name="charge")
        return [paid, context.step(note("mail"), name="mail")]
    finally:
        LOG.append("finally")
        context.step(note("tidy"), name="tidy")


@sdk.durable_execution
def plain(event: Any, context: Any) -> Any:
    context.step(note("charge"), name="charge")
    context.wait(seconds(60), name="pause")
    return context.run_in_child_context(lambda child: child.step(note("mail"), name="mail"), name="tell")


@sdk.durable_execution
def charges(event: Any, context: Any) -> Any:
    return context.step(lambda _: BANK.record("order-7"), name="charge") and "charged"


@pytest.mark.parametrize(
    ("plan", "log", "errors"),
    [
        ("die-before:charge", "charge charge mail", ["Runtime.ExitError", None, None]),
        ("die-after:charge", "charge mail", ["Runtime.ExitError", None, None]),
        ("die-before:mail", "charge mail mail", [None, "Runtime.ExitError", None]),
        ("die-before:1.end+60", "charge mail", ["Runtime.ExitError", None]),
        ("time-out-before:charge", "charge charge mail", ["Sandbox.Timedout", None, None]),
        ("pages:1", "charge mail", [None, None]),
    ],
)
def test_a_run_by_a_plan(plan: str, log: str, errors: list[str | None]) -> None:
    with DurableFunctionTestRunner(plain, faults=plan) as runner:
        result = runner.run(timeout=30)
    assert result.value == "mail"
    assert log.split() == LOG
    assert [each.error.type if each.error else None for each in result.invocations] == errors


def test_what_a_dead_handler_asks_for_is_refused() -> None:
    before = threading.active_count()
    with DurableFunctionTestRunner(pay, faults="die-before:charge") as runner:
        assert runner.run(timeout=30).value == ["charge", "mail"]
    # Its `finally` ran, as no thread can be killed; the step in it did not.
    assert LOG.count("charge") == 2
    assert LOG.index("finally") < LOG.index("charge", 1)
    assert LOG[LOG.index("finally") + 1] != "tidy"
    assert threading.active_count() == before


def test_every_boundary() -> None:
    with DurableFunctionTestRunner(plain) as runner:
        report = runner.explore_crashes()
    assert len(report.runs) >= 8
    assert report.clean.value == "mail"


def test_an_effect_that_comes_twice() -> None:
    with DurableFunctionTestRunner(charges) as runner:
        runner._effects["bank"] = BANK
        report = runner.explore_crashes(raise_on_failure=False)
    assert report.ok
    with pytest.raises(AssertionError, match=r"after step 'charge' had run, .*for 'order-7' happened twice"):
        BANK.exactly_once()

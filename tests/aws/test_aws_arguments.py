"""The radar calls an argument of a step what the step's author has called it."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any

import aws_durable_execution_sdk_python as sdk
import pytest
from aws_durable_execution_sdk_python.config import Duration

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner._bridges import bridge_for
from async_durable_execution_runner._plugin.radar import RadarOfTest
from async_durable_execution_runner._replay.radar import look
from async_durable_execution_runner._replay.watching import Log


def handler_of(code: Any) -> Any:
    @sdk.durable_execution
    def handler(event: Any, context: Any) -> None:
        code(context)

    return handler


pytestmark = pytest.mark.skipif(
    bridge_for(handler_of(None)).listened(Log(), "arn") is None, reason="this release can only be watched on the wire"
)


def new() -> str:
    return str(uuid.uuid4())


@sdk.durable_step
def charge(step_context: Any, key: str, amount: int = 5, *coupons: str, currency: str = "EUR", **labels: str) -> str:
    return key


@sdk.durable_step
def positional(step_context: Any, key: str, /, note: Any = None) -> None: ...


@sdk.durable_step
def anything(*everything: Any) -> None: ...


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*args: Any, **values: Any) -> Any:
        return function(*args, **values)

    return wrapper


def silent(function: Callable[..., Any]) -> Callable[..., Any]:
    def stand_in(*given: Any, **more: Any) -> Any:
        return function(*given, **more)

    return stand_in


@sdk.durable_step
@logged
def decorated(step_context: Any, key: str) -> None: ...


@logged
@sdk.durable_step
def decorated_outside(step_context: Any, key: str) -> None: ...


@sdk.durable_step
@silent
def decorated_silently(step_context: Any, key: str) -> None: ...


class Shop:
    @sdk.durable_step
    def charge(step_context: Any, self: Any, key: str) -> None: ...  # noqa: N805 - the SDK puts its context first

    @staticmethod
    @sdk.durable_step
    def charge_static(step_context: Any, key: str) -> None: ...

    @sdk.durable_step
    @staticmethod
    def charge_inside(step_context: Any, key: str) -> None: ...

    def plain(self, step_context: Any, key: str) -> None: ...

    def __init__(self) -> None:
        self.charge_bound = sdk.durable_step(self.plain)


SHOP = Shop()


def refund(step_context: Any, key: str, *, why: str) -> None: ...


CASES: dict[str, tuple[Callable[[], Any], set[str]]] = {
    "positional": (lambda: charge(new()), {"argument key"}),
    "by name": (lambda: charge(key=new()), {"argument key"}),
    "in place of a default": (lambda: charge("a", new()), {"argument amount"}),
    "a rest": (lambda: charge("a", 1, "WINTER", new()), {"argument coupons[1]"}),
    "keyword-only": (lambda: charge("a", currency=new()), {"argument currency"}),
    "a rest by name": (lambda: charge("a", customer=new()), {"argument labels.customer"}),
    "inside of one": (lambda: positional("a", note={"lines": [1, new()]}), {"argument note.lines[1]"}),
    "positional-only": (lambda: positional(new()), {"argument key"}),
    "only a rest": (lambda: anything("a", new()), {"argument everything[1]"}),
    "two": (lambda: charge(new(), currency=new()), {"argument key"}),
    "a decorator below": (lambda: decorated(new()), {"argument key"}),
    "a decorator above": (lambda: decorated_outside(new()), {"argument key"}),
    "a decorator that hides it": (lambda: decorated_silently(new()), {"argument given[0]"}),
    "a method": (lambda: SHOP.charge(new()), {"argument key"}),
    "a static method": (lambda: SHOP.charge_static(new()), {"argument key"}),
    "a static method below": (lambda: Shop.charge_inside(new()), {"argument key"}),
    "a bound method": (lambda: SHOP.charge_bound(new()), {"argument key"}),
    "a partial": (lambda: functools.partial(refund, key=new(), why="late"), {"argument key"}),
    "a partial of a method": (lambda: functools.partial(SHOP.plain, key=new()), {"argument key"}),
}


def drifts(code: Any) -> list[Any]:
    radar = RadarOfTest(20)
    with DurableFunctionTestRunner(handler_of(code)) as runner:
        radar.watch(runner)
        runner.on_callback("*", result="yes", optional=True)
        runner.run({}).ensure_succeeded()
    return [drift for report in look(radar._seen(), 20) for drift in report.drifts]


@pytest.mark.parametrize("case", CASES)
def test_an_argument_has_the_name_its_author_gave_it(case: str) -> None:
    made, expected = CASES[case]
    found = drifts(lambda context: context.step(made(), name="charge"))
    assert {drift.what for drift in found} == expected, found


def test_an_argument_of_a_child_context_too() -> None:
    @sdk.durable_with_child_context
    def ship(context: Any, parcel: str) -> None:
        context.wait(Duration.from_seconds(1), name="dry")

    found = drifts(lambda context: context.run_in_child_context(ship(new()), name="ship"))
    assert {drift.what for drift in found} == {"argument parcel"}, found


def test_an_argument_of_a_submitter_too() -> None:
    decorate = getattr(sdk, "durable_wait_for_callback", None)
    if decorate is None:
        pytest.skip("this release has no such decorator")

    @decorate
    def ask(callback_id: str, context: Any, question: str) -> None: ...

    found = drifts(lambda context: context.wait_for_callback(ask(new()), name="approval"))
    assert {drift.what for drift in found} == {"argument question"}, found


KEPT = charge("a", customer="ada")
SAME = {
    "a default or the same value": lambda first: charge("a") if first else charge("a", 5, currency="EUR"),
    "by place or by name": lambda first: charge("a") if first else charge(key="a"),
    "the same step": lambda first: KEPT,
}


@pytest.mark.parametrize("case", SAME)
def test_what_the_step_gets_alike_is_no_drift(case: str) -> None:
    seen: list[None] = []

    def code(context: Any) -> None:
        seen.append(None)
        context.step(SAME[case](len(seen) == 1), name="charge")

    assert drifts(code) == []
    assert len(seen) > 1


def test_an_argument_more_is_a_drift() -> None:
    seen: list[None] = []

    def code(context: Any) -> None:
        seen.append(None)
        context.step(charge("a", 1, *("WINTER" for _ in seen)), name="charge")

    assert {drift.what for drift in drifts(code)} == {"argument coupons"}

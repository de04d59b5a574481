"""Replays and the radar with AWS's own SDK."""

from __future__ import annotations

import time
import uuid
from typing import Any

import aws_durable_execution_sdk_python as sdk
import pytest
from aws_durable_execution_sdk_python.config import CallbackConfig, Duration, ParallelConfig, StepConfig
from aws_durable_execution_sdk_python.retries import RetryDecision

from async_durable_execution_runner import DurableFunctionTestRunner, ReplayReport, replay
from async_durable_execution_runner._bridges import bridge_for
from async_durable_execution_runner._plugin.radar import RadarOfTest
from async_durable_execution_runner._replay.radar import look
from async_durable_execution_runner._replay.watching import Log

RAN: list[str] = []


def once() -> StepConfig:
    return StepConfig(retry_strategy=lambda error, attempt: RetryDecision.no_retry())


def handler_of(code: Any) -> Any:
    @sdk.durable_execution
    def handler(event: Any, context: Any) -> Any:
        return code(context)

    return handler


def _listens() -> bool:
    @sdk.durable_execution
    def handler(event: Any, context: Any) -> None: ...

    return bridge_for(handler).listened(Log(), "arn") is not None


pytestmark = pytest.mark.skipif(not _listens(), reason="this release can only be watched on the wire")


@sdk.durable_step
def work(step_context: Any, value: Any = None) -> Any:
    RAN.append("work")
    return value


def old(context: Any) -> Any:
    def branch(number: int) -> Any:
        def run(inner: Any) -> Any:
            inner.wait(Duration.from_seconds(number + 1), name="nap")
            return inner.step(work(number), name="inner")

        return run

    def child(inner: Any) -> Any:
        inner.step(work("pack"), name="pack")
        return "shipped"

    def broken(step_context: Any) -> None:
        raise ValueError("out of luck")

    first = context.step(work(1), name="reserve")
    callback = context.create_callback(name="approval", config=CallbackConfig(timeout=Duration.from_hours(1)))
    results = context.parallel([branch(0), branch(1)], name="both", config=ParallelConfig(max_concurrency=2))
    context.run_in_child_context(child, name="ship")
    try:
        context.step(broken, name="broken", config=once())
    except Exception as error:  # noqa: BLE001 - the SDK's errors differ between releases
        first += len(type(error).__name__)
    answer = callback.result()
    told = context.invoke("other", {"first": first}, name="tell")

    def each(inner: Any, item: int, index: int, items: Any) -> Any:
        return inner.step(work(item), name=f"item {item}")

    mapped = context.map([1, 2, 3], each, name="all")
    return [first, results.get_results(), answer, told, mapped.get_results()]


def ran(code: Any, watch: RadarOfTest | None = None) -> Any:
    with DurableFunctionTestRunner(handler_of(code)) as runner:
        if watch is not None:
            watch.watch(runner)
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        return runner.run({}, execution_name="order-7")


def replayed(code: Any, history: Any, **options: Any) -> ReplayReport:
    before = list(RAN)
    report = replay(handler_of(code), history, raise_on_failure=False, **options)
    assert before == RAN, "a replay runs no bodies"
    return report


@pytest.mark.parametrize("prefixes", ["invocations", "events"])
def test_an_unchanged_handler_has_no_drift(prefixes: str) -> None:
    result = ran(old).ensure_succeeded()
    for history in (result, result.events):
        report = replayed(old, history, prefixes=prefixes)
        assert report.ok, report.render()


def added(context: Any) -> Any:
    context.step(work(1), name="reserve")
    context.step(work(1), name="audit")
    context.wait(Duration.from_seconds(5), name="pause")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


def removed(context: Any) -> Any:
    context.step(work(1), name="reserve")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


def renamed(context: Any) -> Any:
    context.step(work(1), name="book")
    context.wait(Duration.from_seconds(5), name="pause")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


def reordered(context: Any) -> Any:
    context.wait(Duration.from_seconds(5), name="pause")
    context.step(work(1), name="reserve")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


def retyped(context: Any) -> Any:
    context.invoke("other", {}, name="reserve")
    context.wait(Duration.from_seconds(5), name="pause")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


def moved(context: Any) -> Any:
    context.wait(Duration.from_seconds(5), name="pause")

    def ship(inner: Any) -> Any:
        inner.step(work(1), name="reserve")
        return inner.step(work(), name="pack")

    context.run_in_child_context(ship, name="ship")


def longer(context: Any) -> Any:
    context.step(work(1), name="reserve")
    context.wait(Duration.from_seconds(6), name="pause")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


def base(context: Any) -> Any:
    context.step(work(1), name="reserve")
    context.wait(Duration.from_seconds(5), name="pause")
    context.run_in_child_context(lambda inner: inner.step(work(), name="pack"), name="ship")


@pytest.mark.parametrize(
    ("code", "kind", "operation"),
    [
        (added, "added", "Step 'audit'"),
        (removed, "removed", "Wait 'pause'"),
        (renamed, "renamed", "Step 'reserve'"),
        (reordered, "reordered", "Step 'reserve'"),
        (retyped, "retyped", "Step 'reserve'"),
        (moved, "moved", "Step 'reserve'"),
        (longer, "value changed", "Wait 'pause'"),
    ],
    ids=lambda each: getattr(each, "__name__", None),
)
def test_each_change_is_told_for_what_it_is(code: Any, kind: str, operation: str) -> None:
    history = ran(base).ensure_succeeded()
    assert replayed(base, history).ok
    report = replayed(code, history)
    assert (kind, operation) in [(drift.kind.value, drift.operation) for drift in report.drifts], report.render()
    assert {drift.kind.value for drift in report.drifts} == {kind}, report.render()


def looked(code: Any) -> list[ReplayReport]:
    radar = RadarOfTest(20)
    ran(code, radar)
    before = list(RAN)
    reports = look(radar._seen(), 20)
    assert before == RAN
    return reports


def uuid_in_a_name(context: Any) -> Any:
    context.step(work(), name=f"order {uuid.uuid4()}")


def time_as_an_argument(context: Any) -> Any:
    context.step(work(time.time()), name="charge")


def set_order(context: Any) -> Any:
    for name in {"ada", "grace", "edsger"}:  # noqa: PLC0208 - the fault
        context.step(work(), name=f"mail {name}")


def uuid_in_the_result(context: Any) -> Any:
    return str(uuid.uuid4())


def uuid_in_a_closure(context: Any) -> Any:
    key = str(uuid.uuid4())
    context.step(lambda _: key, name="charge")


@pytest.mark.parametrize(
    "code",
    [uuid_in_a_name, time_as_an_argument, set_order, uuid_in_the_result, uuid_in_a_closure],
    ids=lambda each: each.__name__,
)
def test_the_radar_finds_a_fault(code: Any) -> None:
    reports = looked(code)
    assert reports
    places = {drift.file for report in reports for drift in report.drifts}
    assert places <= {__file__, None}


LINES = ("ada", "grace", "edsger", "barbara", "donald", "tony")


def steps_of_a_set(context: Any) -> Any:
    for name in {*LINES}:
        context.step(work(), name=name)


def steps_and_waits_of_a_set(context: Any) -> Any:
    for name in {*LINES}:
        context.step(work(), name=name)
        context.wait(Duration.from_seconds(3), name=f"after {name}")


def children_of_a_set(context: Any) -> Any:
    for name in {*LINES}:
        context.run_in_child_context(lambda inner: inner.step(work(), name="inner"), name=name)


@pytest.mark.parametrize(
    "code", [steps_of_a_set, steps_and_waits_of_a_set, children_of_a_set], ids=lambda each: each.__name__
)
def test_the_order_of_a_set_is_one_drift(code: Any) -> None:
    (report,) = looked(code)
    assert [drift.kind.value for drift in report.drifts] == ["reordered"], report.render()


def children_behind_a_random_step(context: Any) -> Any:
    if len(RAN) == FIRST:
        context.step(work(), name="only once")
    context.run_in_child_context(lambda inner: inner.step(work(), name="inner"), name="first")
    context.run_in_child_context(lambda inner: inner.step(work(), name="inner"), name="second")


FIRST = 0


def test_an_identifier_of_the_sdks_is_no_value_of_the_users() -> None:
    RAN.clear()
    (report,) = looked(children_behind_a_random_step)
    assert [(drift.kind.value, drift.operation) for drift in report.drifts] == [("removed", "Step 'only once'")]


def inside_of_steps(context: Any) -> Any:
    made = context.step(lambda _: {"id": str(uuid.uuid4()), "at": time.time()}, name="make")
    context.step(work(made["id"]), name=f"charge {made['id']}")
    context.invoke("other", made, name="tell")
    return made


@pytest.mark.parametrize("code", [old, inside_of_steps], ids=lambda each: each.__name__)
def test_the_radar_is_silent_where_all_is_well(code: Any) -> None:
    reports = looked(code)
    assert not reports, "\n".join(report.render() for report in reports)

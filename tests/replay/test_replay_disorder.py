"""One cause is one drift; several are several; and one with many consequences is no wall of text."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from async_durable_execution import durable_execution, run_in_child_context, step, wait
from replay_kit import found, recorded, replayed, work
from test_radar_faults import NAMES, reports_on

from async_durable_execution_runner import ReplayReport

Loops = Callable[..., Any]


async def steps(names: Sequence[str]) -> None:
    for name in names:
        await step(work(name), name=name)


async def steps_and_waits(names: Sequence[str]) -> None:
    for name in names:
        await step(work(name), name=name)
        await wait(5, name=f"after {name}")


async def children(names: Sequence[str]) -> None:
    for name in names:

        async def child(name: str = name) -> Any:
            return await step(work(name), name=f"in {name}")

        await run_in_child_context(child, name=name)


def handler(*parts: tuple[Loops, Sequence[str]]) -> Any:
    """Goes through loops, with a wait after each."""

    @durable_execution
    async def code(event: Any) -> None:
        for number, (loop, names) in enumerate(parts):
            await loop(names)
            await wait(5, name=f"pause {number}")

    return code


def changed(before: Any, after: Any, **options: Any) -> ReplayReport:
    return replayed(after, recorded(before).ensure_succeeded(), **options)


# -------------------------------------------------------------------------------------------------------- one cause


def test_another_order_is_told_once_with_both_orders_side_by_side() -> None:
    report = changed(handler((steps, "abcdef")), handler((steps, "acfebd")))
    (drift,) = report.drifts
    assert drift.sentence() == (
        "reordered: Step 'b', 'c', 'd' and 2 more stood in this order, "
        "and stand now in the order Step 'c', 'f', 'e' and 2 more"
    )
    assert len(drift.operation_ids) == 5
    lines = drift.render().splitlines()
    assert lines[-7:] == [
        "    recorded                              now",
        "    Step 'a'                              Step 'a'",
        "  > Step 'b'                              Step 'c'",
        "    Step 'c'                              Step 'f'",
        "    Step 'd'                              Step 'e'",
        "    Step 'e'                              Step 'b'",
        "    …",
    ]


def test_a_single_operation_that_stands_elsewhere_is_named_alone() -> None:
    report = changed(handler((steps, "abcde")), handler((steps, "eabcd")))
    (drift,) = report.drifts
    assert drift.sentence() == "reordered: Step 'e' stood after Step 'd' and stands now first"
    assert ">                                       Step 'e'" in drift.render()
    assert "(not reached)" not in drift.render()


@pytest.mark.parametrize("loop", [steps, steps_and_waits, children])
@pytest.mark.parametrize("now", ["fedcba", "badcfe", "cabfde", "fbcdea"])
@pytest.mark.parametrize("prefixes", ["invocations", "events"])
def test_another_order_of_a_loop_is_one_drift_from_wherever_it_is_seen(loop: Loops, now: str, prefixes: str) -> None:
    report = changed(handler((loop, "abcdef")), handler((loop, now)), prefixes=prefixes)
    assert [kind for kind, _ in found(report)] == ["reordered"], report.render()


@pytest.mark.parametrize("loop", [steps, steps_and_waits, children])
def test_the_order_of_a_set_is_one_drift(loop: Loops) -> None:
    async def code() -> None:
        await loop({*NAMES, "alan", "kurt", "alonzo"})

    (report,) = reports_on(code)
    assert [kind for kind, _ in found(report)] == ["reordered"], report.render()


# --------------------------------------------------------------------------------------------------- several causes


def test_two_loops_are_two_drifts() -> None:
    before, after = handler((steps, "abc"), (steps, "xyz")), handler((steps, "cba"), (steps, "zyx"))
    report = changed(before, after)
    assert found(report) == [("reordered", "Step 'a', 'b', 'c'"), ("reordered", "Step 'x', 'y', 'z'")]
    first, second = (drift.render() for drift in report.drifts)
    assert "> Step 'a'                              Step 'c'" in first
    assert "> Step 'x'                              Step 'z'" in second


def test_what_is_no_matter_of_order_stays_a_drift_of_its_own_and_comes_in_the_order_of_the_run() -> None:
    before = handler((steps, ["early", "a", "b", "c"]), (steps, ["late"]))
    after = handler((steps, ["soon", "c", "b", "a"]), (steps, ["late", "later"]))
    report = changed(before, after)
    assert found(report) == [
        ("renamed", "Step 'early'"),
        ("reordered", "Step 'a', 'b', 'c'"),
        ("added", "Step 'later'"),
    ], report.render()


def test_what_is_gone_comes_where_it_stood() -> None:
    report = changed(handler((steps, "abcdefg")), handler((steps, ["a", "c", "D", "e", "g"])))
    assert found(report) == [("removed", "Step 'b'"), ("renamed", "Step 'd'"), ("removed", "Step 'f'")]


# ------------------------------------------------------------------------------------------------- many consequences


def test_what_one_line_of_code_does_forty_times_is_told_once_and_counted() -> None:
    before = handler((steps, [f"item {number}" for number in range(40)]))
    report = changed(before, handler((steps, [f"thing {number}" for number in range(40)])))
    assert len(report.drifts) == 40
    text = report.render()
    assert "40 drifts." in text
    assert "renamed: Step 'item 0' is now Step 'thing 0'\n  at " in text
    assert "  and 39 more from there:\n    renamed: Step 'item 1' is now Step 'thing 1'\n" in text
    assert text.endswith("    renamed: Step 'item 7' is now Step 'thing 7'\n    … and 32 more")
    assert len(text.splitlines()) < 25


def test_of_many_the_first_are_shown_and_the_others_listed() -> None:
    async def one(names: Sequence[str]) -> None:
        await step(work(1), name=names[0])
        await wait(1, name=names[1])
        await step(work(1), name=names[2])
        await wait(1, name=names[3])
        await step(work(1), name=names[4])
        await wait(1, name=names[5])
        await step(work(1), name=names[6])

    report = changed(handler((one, "abcdefg")), handler((one, "ABCDEFG")))
    text = report.render()
    assert [line.partition(":")[2][:9] for line in text.splitlines() if line.startswith("renamed")] == [
        " Step 'a'",
        " Wait 'b'",
        " Step 'c'",
        " Wait 'd'",
        " Step 'e'",
    ]
    assert text.splitlines()[-3:] == [
        "2 more drifts, which may follow from what comes before:",
        "    renamed: Wait 'f' is now Wait 'F'",
        "    renamed: Step 'g' is now Step 'G'",
    ]


def test_one_step_more_is_all_that_is_told_however_many_follow() -> None:
    before = handler((steps, [f"item {number}" for number in range(40)]))
    report = changed(before, handler((steps, ["new", *(f"item {number}" for number in range(40))])))
    assert found(report) == [("added", "Step 'new'")]


def test_a_value_that_goes_everywhere_leads_with_where_it_goes_first() -> None:
    async def code() -> str:
        key = str(uuid.uuid4())
        await step(work(key), name="reserve")
        for number in range(20):
            await step(work(key), name=f"item {number}")
        return key

    (report,) = reports_on(code)
    text = report.render()
    first, *others = [line for line in text.splitlines() if line.startswith("value changed")]
    assert first == "value changed: the argument args[0] of Step 'reserve'" or "of Step 'reserve'" in first
    assert len(others) == 2
    assert others[1] == "value changed: the result of the execution"
    assert "and 19 more from there:" in text

"""The quick start of the README."""

from __future__ import annotations

from datetime import timedelta

import pytest
from async_durable_execution import (
    InvocationStatus,
    durable_callable,
    durable_execution,
    run_in_child_context,
    step,
    wait,
)


@durable_callable
async def one(a: int, b: int) -> str:
    return f"{a} {b}"


@durable_callable
async def two_1(a: int, b: int) -> str:
    return f"{a} {b}"


@durable_callable
async def two_2(a: int, b: int) -> str:
    return f"{b} {a}"


@durable_callable
async def two(a: int, b: int) -> str:
    first = await step(two_1(a, b), name="two_1")
    second = await step(two_2(a, b), name="two_2")
    return f"{first} {second}"


@durable_callable
async def three(a: int, b: int) -> str:
    return f"{a} {b}"


@durable_execution
async def function_under_test(event: dict) -> list[str]:
    first = await step(one(1, 2), name="one")
    await wait(timedelta(seconds=1))
    second = await run_in_child_context(two(3, 4), name="two")
    third = await step(three(5, 6), name="three")
    return [first, second, third]


@pytest.mark.durable_execution(handler=function_under_test)
def test_function_under_test(durable_runner):
    with durable_runner:
        result = durable_runner.run(input={"data": "test"}, timeout=10)

    assert result.status is InvocationStatus.SUCCEEDED
    assert result.result == '["1 2", "3 4 4 3", "5 6"]'
    assert result.get_step("one").result == '"1 2"'
    assert result.get_context("two").result == '"3 4 4 3"'
    assert result.get_step("three").result == '"5 6"'

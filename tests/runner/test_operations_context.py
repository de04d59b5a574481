"""Child contexts: nested, failing, large, virtual; terminal scopes and flows, which are made of them."""

from __future__ import annotations

import json
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import (
    DONE,
    FAILED,
    START,
    STEP,
    SUSPENDED,
    check_history,
    event_of,
    kinds,
    needs,
    of,
    run,
    virtual_seconds,
)

from async_durable_execution_runner.exceptions import OperationLookupError
from async_durable_execution_runner.runner import DurableFunctionTestRunner


async def one() -> int:
    return 1


def child_of(body: Any, **options: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.run_in_child_context(body, name="child", **options)

    return handler


def test_a_child_context() -> None:
    async def child() -> Any:
        return {"sum": await sdk.step(one, name="first") + await sdk.step(one, name="second")}

    result = run(child_of(child))
    assert result.value == {"sum": 2}
    assert kinds(result) == [*START, "ContextStarted", *STEP, *STEP, "ContextSucceeded", *DONE]
    check_history(result.events)
    context = event_of(result, "ContextStarted")
    assert (context["SubType"], context["Name"]) == ("RunInChildContext", "child")
    assert context["ContextStartedDetails"] == {}
    assert {event.get("ParentId") for event in result.events if event.get("Name") in {"first", "second"}} == {
        context["Id"]
    }
    view = result.get_context("child")
    assert view.value == {"sum": 2}
    assert view.result == of(result, "ContextSucceeded")[0]["Result"]["Payload"]
    assert [child.name for child in view.child_operations] == ["first", "second"]
    assert [operation.name for operation in result.operations] == ["child"]
    assert [operation.name for operation in result.get_all_operations()] == ["child", "first", "second"]
    assert result.get_step("second").parent_id == view.operation_id


def test_contexts_in_contexts() -> None:
    def nest(depth: int) -> Any:
        async def body() -> int:
            if depth == 0:
                return await sdk.step(one, name="leaf")
            return 1 + await sdk.run_in_child_context(nest(depth - 1), name=f"level-{depth}")

        return body

    result = run(child_of(nest(5)))
    assert result.value == 6
    assert kinds(result) == START + ["ContextStarted"] * 6 + STEP + ["ContextSucceeded"] * 6 + DONE
    chain = [operation.name for operation in result.get_all_operations()]
    assert chain == ["child", *(f"level-{depth}" for depth in range(5, 0, -1)), "leaf"]
    assert result.get_context("level-1").get_step("leaf").value == 1
    with pytest.raises(OperationLookupError, match="level-5"):
        result.get_context("level-1").get_context("level-5")


def test_a_context_whose_step_fails() -> None:
    async def child() -> Any:
        async def broken() -> None:
            raise ValueError("broken")

        await sdk.step(broken, name="broken", retry_strategy=sdk.RetryStrategy.none())

    result = run(child_of(child))
    assert kinds(result) == [*START, "ContextStarted", "StepStarted", "StepFailed", "ContextFailed", *FAILED]
    payload = of(result, "ContextFailed")[0]["Error"]["Payload"]
    assert payload["ErrorMessage"] == "broken"
    assert payload["ErrorType"]
    assert result.get_context("child").status is sdk.OperationStatus.FAILED


def test_a_context_that_fails_and_is_caught() -> None:
    async def child() -> None:
        raise ValueError("broken")

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        try:
            await sdk.run_in_child_context(child, name="child")
        except sdk.CallableRuntimeError as error:
            await sdk.wait(1)
            return str(error)

    result = run(handler)
    assert result.value == "broken"
    assert kinds(result) == [
        *START, "ContextStarted", "ContextFailed", "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE,
    ]  # fmt: skip


def test_suspension_inside_writes_nothing_for_the_context() -> None:
    async def child() -> str:
        await sdk.wait(10, name="pause")
        return "on"

    result = run(child_of(child))
    assert kinds(result) == [
        *START, "ContextStarted", "WaitStarted", *SUSPENDED, "WaitSucceeded", "ContextSucceeded", *DONE,
    ]  # fmt: skip
    assert event_of(result, "WaitSucceeded")["ParentId"] == event_of(result, "ContextStarted")["Id"]


@pytest.mark.parametrize(("size", "again"), [(1000, False), (300 * 1024, True)], ids=["small", "large"])
@pytest.mark.parametrize("summary", [None, lambda value: "a summary"], ids=["no summary", "summary"])
def test_a_large_result_is_made_again_at_replay(size: int, again: bool, summary: Any) -> None:
    runs: list[str] = []

    async def child() -> str:
        runs.append("child")
        await sdk.step(one, name="inside")
        return "x" * size

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        text = await sdk.run_in_child_context(child, name="child", summary_generator=summary)
        await sdk.wait(5, name="pause")
        return len(text)

    result = run(handler)
    assert result.value == size
    assert len(runs) == (2 if again else 1)
    assert kinds(result) == [
        *START, "ContextStarted", *STEP, "ContextSucceeded", "WaitStarted", *SUSPENDED, "WaitSucceeded", *DONE,
    ]  # fmt: skip
    payload = of(result, "ContextSucceeded")[0]["Result"].get("Payload")
    if again:
        assert payload == "a summary" if summary else not payload
    else:
        assert json.loads(payload) == "x" * size


def test_a_virtual_context_leaves_no_trace_of_itself() -> None:
    async def child() -> Any:
        return await sdk.step(one, name="inside")

    result = run(child_of(child, is_virtual=True))
    assert result.value == 1
    assert kinds(result) == START + STEP + DONE
    assert "ParentId" not in event_of(result, "StepStarted")


def test_a_virtual_context_that_fails() -> None:
    async def child() -> None:
        raise ValueError("broken")

    result = run(child_of(child, is_virtual=True))
    assert kinds(result) == START + FAILED
    assert result.error.message == "broken"


def test_a_serializer_for_a_contexts_result() -> None:
    class Upper(sdk.SerDes[str]):
        async def serialize(self, value: str) -> str:
            return value.upper()

        async def deserialize(self, data: str) -> str:
            return data.lower()

    async def child() -> str:
        return "hello child"

    result = run(child_of(child, serdes=Upper()))
    assert result.value == "hello child"
    assert of(result, "ContextSucceeded")[0]["Result"]["Payload"] == "HELLO CHILD"
    assert result.get_context("child").value == "HELLO CHILD"


def test_contexts_side_by_side() -> None:
    def branch(name: str, seconds: int) -> Any:
        async def body() -> str:
            await sdk.wait(seconds, name=f"{name}-pause")
            return name

        return body

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        tasks = [sdk.run_in_child_context(branch(name, n), name=name) for n, name in enumerate("abc", 1)]
        return [await task for task in tasks]

    result = run(handler)
    assert result.value == ["a", "b", "c"]
    assert virtual_seconds(result) == 3
    check_history(result.events)


@pytest.mark.parametrize(("size", "through"), [(6 * 1024 * 1024 - 100, "answer"), (6 * 1024 * 1024 - 40, "checkpoint")])
def test_the_largest_results_of_an_execution(size: int, through: str) -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return "x" * size

    result = run(handler)
    assert len(result.value) == size
    assert kinds(result) == START + DONE
    check_history(result.events)


def test_a_result_that_is_too_large() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return "x" * (7 * 1024 * 1024)

    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    assert "6291456" in result.error.message
    assert virtual_seconds(result) == 0


def test_an_error_that_is_too_large() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        raise ValueError("x" * (2 * 1024 * 1024))

    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    assert kinds(result) == START + FAILED


# --------------------------------------------------------------------------------------------------- terminal scope


@needs("terminal_scope")
@pytest.mark.parametrize("fails", [False, True])
def test_a_terminal_scope(fails: bool) -> None:
    done: list[str] = []

    async def cleanup() -> None:
        done.append("cleanup")

    async def undo() -> None:
        done.append("undo")

    async def body(actions: Any) -> str:
        actions.cleanup(cleanup, name="cleanup")
        await sdk.step(one, name="reserve")
        actions.compensate(undo, name="undo")
        await sdk.wait(60, name="pause")
        assert done == []
        if fails:
            raise ValueError("too late")
        return "kept"

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.terminal_scope(body, name="scope")

    result = run(handler)
    assert done == (["undo", "cleanup"] if fails else ["cleanup"])
    assert event_of(result, "ContextStarted", "scope")["SubType"] == "TerminalScope"
    check_history(result.events)
    assert result.get_context("scope").sub_type is sdk.OperationSubType.TERMINAL_SCOPE
    assert kinds(result)[-1] == ("ExecutionFailed" if fails else "ExecutionSucceeded")
    names = {operation.name for operation in result.get_context("scope").child_operations}
    assert names >= {"reserve", "pause"}


# -------------------------------------------------------------------------------------------------------------- flow


@needs("durable_dag", "durable_node", "flow")
def test_a_flow_of_nodes() -> None:
    @sdk.durable_node
    async def load(value: int) -> int:
        await sdk.wait(10, name=f"load-{value}")
        return value

    @sdk.durable_node
    async def add(left: int, right: int) -> int:
        return await sdk.step(one, name="add") + left + right

    @sdk.durable_dag
    def definition(a: int, b: int) -> Any:
        left = sdk.node(load(a), name="left")
        right = sdk.node(load(b), name="right")
        return sdk.node(add(left.outcome, right.outcome), name="sum").outcome

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return (await sdk.flow(definition(event["a"], event["b"]), name="numbers")).output

    result = run(handler, {"a": 20, "b": 21})
    assert result.ensure_succeeded().value == 42
    assert virtual_seconds(result) == 10
    assert result.get_context("numbers").get_step("add").value == 1
    check_history(result.events)


@needs("durable_dag", "durable_node", "flow")
def test_a_flow_whose_node_fails() -> None:
    @sdk.durable_node
    async def broken() -> None:
        raise ValueError("broken node")

    @sdk.durable_dag
    def definition() -> Any:
        return sdk.node(broken(), name="broken").outcome

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return (await sdk.flow(definition(), name="numbers")).output

    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    assert "broken" in result.error.message


# ------------------------------------------------------------------------------------------------------- replay-safe


@needs("now", "random", "uuid", "timestamp")
def test_replay_safe_values_stay_the_same() -> None:
    seen: list[tuple[Any, ...]] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        values = (await sdk.now(), await sdk.random(), await sdk.uuid(), await sdk.timestamp())
        seen.append(values)
        await sdk.wait(3600)
        return len(set(seen))

    result = run(handler)
    assert result.value == 1
    assert len(seen) == 2
    assert [operation.name for operation in result.operations][:4] == ["now", "random", "uuid", "timestamp"]
    assert result.get_step("uuid").value == seen[0][2]
    assert result.get_step("now").value == seen[0][0]


def test_a_context_view_before_the_end() -> None:
    async def child() -> str:
        await sdk.wait(10, name="pause")
        return "on"

    with DurableFunctionTestRunner(child_of(child)) as runner:
        view = runner.run_until_suspended(runner.run_async()).get_context("child")
    assert view.status is sdk.OperationStatus.STARTED
    assert view.result is None
    assert view.get_wait("pause").status is sdk.OperationStatus.STARTED

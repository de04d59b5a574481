"""`async with`: the handler runs on the test's own loop, with its objects, and leaves the rest of the loop alone."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import os
import threading
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import DONE, START, STEP, check_history, kinds

from async_durable_execution_runner.exceptions import (
    ExecutionStuckError,
    RunnerBusyError,
    RunnerClosedError,
    UnawaitedOperationWarning,
    UnusedResponderError,
)
from async_durable_execution_runner.runner import DurableFunctionTestRunner

variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def in_loop(test: Any) -> Any:
    """Run a test on a loop of its own."""
    return asyncio.run(test())


@sdk.durable_execution
async def asking(event: Any) -> Any:
    callback = await sdk.create_callback(name="approval")
    return await callback.result()


def test_the_tests_own_asyncio_objects_work_inside_steps() -> None:
    async def test() -> None:
        queue: asyncio.Queue[int] = asyncio.Queue()
        lock = asyncio.Lock()
        loops: list[Any] = []

        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            async def work() -> int:
                loops.append(asyncio.get_running_loop())
                async with lock:
                    return await queue.get()

            first = await sdk.step(work, name="first")
            await sdk.wait(60)
            return first + await sdk.step(work, name="second")

        async def feed() -> None:
            for number in (20, 22):
                await asyncio.sleep(0.01)
                await queue.put(number)

        feeder = asyncio.create_task(feed())
        async with DurableFunctionTestRunner(handler) as runner:
            result = await runner.run(timeout=20)
        await feeder
        assert result.value == 42
        assert set(loops) == {asyncio.get_running_loop()}
        check_history(result.events)

    in_loop(test)


def test_context_variables_and_monkeypatches_reach_the_handler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABLE_NAME", "of the test")

    async def test() -> None:
        variable.set("of the test")

        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            async def work() -> Any:
                return [variable.get(), os.environ["TABLE_NAME"], threading.current_thread().name]

            return await sdk.step(work, name="work")

        async with DurableFunctionTestRunner(handler) as runner:
            result = await runner.run(timeout=20)
        assert result.value == ["of the test", "of the test", threading.main_thread().name]

    in_loop(test)


def test_every_method_can_be_awaited() -> None:
    async def test() -> None:
        async with DurableFunctionTestRunner(asking) as runner:
            arn = await runner.run_async({"a": 1})
            callback_id = await runner.wait_for_callback(arn, "approval")
            assert isinstance(arn, str)
            assert isinstance(callback_id, str)
            assert (await runner.run_until_suspended(arn)).execution_status == "RUNNING"
            await runner.send_callback_heartbeat(callback_id)
            await runner.advance(10)
            history = await runner.get_execution_history(arn)
            assert kinds(history) == [*START, "CallbackStarted", "InvocationCompleted"]
            assert (await runner.get_execution(arn))["Status"] == "RUNNING"
            assert len((await runner.list_executions())["DurableExecutions"]) == 1
            await runner.send_callback_success(callback_id, "yes")
            assert (await runner.wait_for_result(arn)).value == "yes"
            other = await runner.run_async()
            await runner.stop_execution(other)
            assert (await runner.wait_for_result(other)).execution_status == "STOPPED"
            third = await runner.run_async()
            await runner.send_callback_failure(await runner.wait_for_callback(third), "no")
            assert (await runner.wait_for_result(third)).error.message == "no"

    in_loop(test)


def test_other_tasks_of_the_loop_are_left_alone() -> None:
    async def test() -> None:
        async def background() -> str:
            await asyncio.sleep(0.05)
            return "still there"

        task = asyncio.create_task(background())

        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            async def work() -> None:
                pass

            await sdk.step(work, name="work")
            await sdk.wait(3600)
            return "done"

        async with DurableFunctionTestRunner(handler) as runner:
            assert (await runner.run(timeout=20)).value == "done"
        assert not task.cancelled()
        assert await task == "still there"

    in_loop(test)


def test_tasks_the_handler_leaves_behind_are_ended_and_named() -> None:
    async def test() -> None:
        ended: list[str] = []

        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            async def work() -> None:
                try:
                    await asyncio.sleep(60)
                finally:
                    ended.append("work")

            sdk.step(work, name="forgotten")
            await asyncio.sleep(0.01)
            return "done"

        before = asyncio.all_tasks()
        factory = asyncio.get_running_loop().get_task_factory()
        async with DurableFunctionTestRunner(handler) as runner:
            with pytest.warns(UnawaitedOperationWarning, match="Step 'forgotten'"):
                result = await runner.run(timeout=20)
        assert result.value == "done"
        assert ended == ["work"]
        assert asyncio.all_tasks() == before
        assert asyncio.get_running_loop().get_task_factory() is factory

    in_loop(test)


def test_a_task_of_the_test_answers() -> None:
    async def test() -> None:
        async with DurableFunctionTestRunner(asking) as runner:
            arn = await runner.run_async()
            callback_id = await runner.wait_for_callback(arn)

            async def answer() -> None:
                await asyncio.sleep(0.02)
                runner.send_callback_success(callback_id, "from a task")

            task = asyncio.create_task(answer())
            assert (await runner.wait_for_result(arn, timeout=20)).value == "from a task"
            await task
            with pytest.raises(ExecutionStuckError, match="waiting for callback 'approval'"):
                await runner.run(timeout=20)

    in_loop(test)


def test_cancelling_the_test_cancels_the_handler() -> None:
    async def test() -> None:
        states: list[str] = []
        began = asyncio.Event()

        @sdk.durable_execution
        async def handler(event: Any) -> None:
            async def work() -> None:
                try:
                    states.append("began")
                    began.set()
                    await asyncio.sleep(60)
                finally:
                    states.append("ended")

            await sdk.step(work, name="work")

        async with DurableFunctionTestRunner(handler) as runner:
            driving = asyncio.create_task(runner.run(timeout=20))
            await began.wait()
            driving.cancel()
            with pytest.raises(asyncio.CancelledError):
                await driving
            assert states == ["began", "ended"]
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await runner.run(timeout=20)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    in_loop(test)


def test_a_handler_that_cancels_itself() -> None:
    async def test() -> None:
        tries: list[int] = []

        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            tries.append(1)
            if len(tries) == 1:
                raise asyncio.CancelledError
            return len(tries)

        async with DurableFunctionTestRunner(handler) as runner:
            result = await runner.run(timeout=20)
        assert result.value == 2
        assert result.invocations[0].error is not None

    in_loop(test)


def test_the_same_history_as_without_a_loop() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> int:
            return 1

        async def branch() -> Any:
            await sdk.wait(10, name="pause")
            return await sdk.step(work, name="work")

        return (await sdk.parallel([branch, branch], max_concurrency=1)).get_results()

    async def test() -> Any:
        async with DurableFunctionTestRunner(handler) as runner:
            return await runner.run(timeout=20)

    with DurableFunctionTestRunner(handler) as runner:
        assert in_loop(test).events == runner.run(timeout=20).events


def test_a_system_exit_in_a_handler_on_the_callers_loop() -> None:
    async def test() -> None:
        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            raise SystemExit(4)

        async with DurableFunctionTestRunner(handler) as runner:
            result = await runner.run(timeout=20)
        assert result.execution_status == "FAILED"
        assert {each.error.type for each in result.invocations} == {"Runtime.ExitError"}

    in_loop(test)


def test_a_system_exit_in_a_step_on_the_callers_loop() -> None:
    async def test() -> None:
        bystander = asyncio.create_task(asyncio.sleep(0.02, "unharmed"))
        calls: list[int] = []

        @sdk.durable_execution
        async def handler(event: Any) -> Any:
            async def work() -> Any:
                calls.append(1)
                if len(calls) == 1:
                    raise SystemExit(4)
                return "second try"

            return await sdk.step(work, name="work")

        async with DurableFunctionTestRunner(handler) as runner:
            result = await runner.run(timeout=20)
        assert result.value == "second try"
        assert "exit status 4" in result.invocations[0].error.message
        assert await bystander == "unharmed"
        assert asyncio.all_tasks() == {asyncio.current_task()}

    in_loop(test)


def test_decorators_and_plain_functions_on_the_callers_loop() -> None:
    calls: list[str] = []

    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            calls.append("before")
            try:
                return function(event, context)
            finally:
                calls.append("after")

        return wrapper

    @logged
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> int:
            return 1

        await sdk.step(work, name="work")
        return await sdk.invoke("plain", event, name="call")

    async def plain(event: Any, context: Any) -> Any:
        await asyncio.sleep(0)
        return event + 1

    async def test() -> None:
        async with DurableFunctionTestRunner(handler) as runner:
            runner.register_function("plain", plain)
            result = await runner.run(1, timeout=20)
        assert result.value == 2

    in_loop(test)
    assert calls == ["before", "after"] * 2


def test_errors_of_the_teardown() -> None:
    async def unused() -> None:
        async with DurableFunctionTestRunner(asking) as runner:
            runner.on_callback("nothing", result=1)

    async def closed() -> None:
        async with DurableFunctionTestRunner(asking) as runner:
            pass
        with pytest.raises(RunnerClosedError):
            runner.run()

    with pytest.raises(UnusedResponderError):
        in_loop(unused)
    in_loop(closed)


def test_executions_on_several_loops_one_after_the_other() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> Any:
            return event

        return await sdk.step(work, name="work")

    async def test() -> Any:
        async with DurableFunctionTestRunner(handler) as runner:
            return await runner.run(1, timeout=20)

    for _ in range(3):
        assert kinds(in_loop(test)) == START + STEP + DONE
    with DurableFunctionTestRunner(handler) as runner:
        assert runner.run(2, timeout=20).value == 2


def test_two_drives_at_a_time_are_refused() -> None:
    async def test() -> None:
        async with DurableFunctionTestRunner(asking) as runner:
            runner.on_callback("approval", result="x", optional=True)
            results = await asyncio.gather(runner.run(timeout=20), runner.run(timeout=20), return_exceptions=True)
        kinds_of = sorted(type(each).__name__ for each in results)
        assert kinds_of in (
            ["DurableFunctionTestResult", "DurableFunctionTestResult"],
            ["DurableFunctionTestResult", RunnerBusyError.__name__],
        )

    in_loop(test)

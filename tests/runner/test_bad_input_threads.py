"""Threads: several that drive, some that answer, and handlers that drive the runner they run in."""

from __future__ import annotations

import asyncio
import contextvars
import gc
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import check_history, run

from async_durable_execution_runner.exceptions import ExecutionStuckError, RunnerBusyError
from async_durable_execution_runner.runner import DurableFunctionTestRunner


@sdk.durable_execution
async def asking(event: Any) -> Any:
    callback = await sdk.create_callback(name="approval")
    return await callback.result()


def test_a_second_thread_is_refused_by_name() -> None:
    inside, leave = threading.Event(), threading.Event()

    @sdk.durable_execution
    async def handler(event: Any) -> str:
        inside.set()
        leave.wait(10)
        return "done"

    with DurableFunctionTestRunner(handler) as runner:
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.append(runner.run(timeout=20)), name="the-first-one")
        thread.start()
        try:
            assert inside.wait(10)
            with pytest.raises(RunnerBusyError, match=r"at work for thread 'the-first-one'\. One call at a time"):
                runner.run(timeout=20)
            with pytest.raises(RunnerBusyError):
                runner.advance(1)
        finally:
            leave.set()
            thread.join(10)
    assert results[0].value == "done"


def test_a_handler_cannot_drive_its_own_runner() -> None:
    said: list[str] = []
    runner = DurableFunctionTestRunner()

    @sdk.durable_execution
    async def handler(event: Any) -> str:
        for call in (runner.run, lambda: runner.wait_for_result(arn)):
            try:
                call()
            except RunnerBusyError as error:
                said.append(str(error))
        return "done"

    runner.register_durable_function("test-function", handler)
    with runner:
        arn = runner.run_async()
        assert runner.wait_for_result(arn, timeout=20).value == "done"
    assert len(said) == 2
    assert all("the handler that it is running" in each for each in said)


def test_a_handler_may_use_another_runner() -> None:
    @sdk.durable_execution
    async def inner(event: Any) -> Any:
        await sdk.wait(60)
        return event * 2

    @sdk.durable_execution
    async def outer(event: Any) -> Any:
        async def work() -> Any:
            return run(inner, event).value

        return await sdk.step(work, name="work")

    assert run(outer, 21).value == 42


def test_a_timer_of_the_test_answers() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        timer = threading.Timer(0.05, runner.send_callback_success, [callback_id, "late"])
        timer.start()
        result = runner.wait_for_result(arn, timeout=20)
        timer.join()
    assert result.value == "late"
    check_history(result.events)


def test_a_pool_thread_of_the_test_answers() -> None:
    with DurableFunctionTestRunner(asking) as runner, ThreadPoolExecutor(2) as pool:
        arn = runner.run_async()

        def answer(callback_id: str) -> None:
            time.sleep(0.05)
            runner.send_callback_success(callback_id, "from the pool")

        future = pool.submit(answer, runner.wait_for_callback(arn))
        assert runner.wait_for_result(arn, timeout=20).value == "from the pool"
        future.result(10)
        # Its idle workers will not answer anything: nobody waits for them.
        with pytest.raises(ExecutionStuckError):
            runner.run(timeout=20)


def test_a_step_starts_the_thread_that_answers() -> None:
    runner = DurableFunctionTestRunner()
    threads: list[threading.Thread] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def submit() -> None:
            callback_id = sdk.get_current_context().callback_id
            threads.append(threading.Timer(0.03, runner.send_callback_success, [callback_id, "thanks"]))
            threads[-1].start()

        return await sdk.wait_for_callback(submit, name="approval")

    runner.register_durable_function("test-function", handler)
    with runner:
        assert runner.run(timeout=20).value == "thanks"
    for thread in threads:
        thread.join()


def test_an_answer_while_another_branch_works() -> None:
    runner = DurableFunctionTestRunner()
    opened: list[str] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        is_open = asyncio.Event()
        if opened:
            is_open.set()

        async def ask() -> Any:
            callback = await sdk.create_callback(name="approval")
            opened.append(callback.callback_id)
            is_open.set()
            return await callback.result()

        async def work() -> str:
            async def body() -> str:
                await is_open.wait()
                runner.send_callback_success(opened[0], "in between")
                return "worked"

            return await sdk.step(body, name="work")

        return (await sdk.parallel([ask, work])).get_results()

    runner.register_durable_function("test-function", handler)
    with runner:
        result = runner.run(timeout=20)
    assert result.value == ["in between", "worked"]
    check_history(result.events)


def test_a_timer_that_was_cancelled_answers_nothing() -> None:
    timer = threading.Timer(60, lambda: None)
    timer.start()
    timer.cancel()
    timer.join()
    with DurableFunctionTestRunner(asking) as runner, pytest.raises(ExecutionStuckError):
        runner.run(timeout=20)


def test_runners_side_by_side_in_threads() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> Any:
            return event

        for _ in range(3):
            await sdk.step(work, name="work")
            await sdk.wait(60)
        return event

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: run(handler, n), range(24)))
    assert [result.value for result in results] == list(range(24))
    assert len({str([e["EventType"] for e in result.events]) for result in results}) == 1


def test_executions_started_from_many_threads() -> None:
    with DurableFunctionTestRunner(asking) as runner, ThreadPoolExecutor(8) as pool:
        arns = list(pool.map(runner.run_async, range(20)))
        runner.on_callback("approval", result="ok")
        assert len(set(arns)) == 20
        assert [runner.wait_for_result(arn, timeout=20).value for arn in arns] == ["ok"] * 20


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def test_the_handler_runs_on_the_tests_thread_and_in_its_context() -> None:
    seen: list[tuple[Any, ...]] = []

    @sdk.durable_execution
    async def handler(event: Any) -> None:
        async def work() -> None:
            seen.append((threading.current_thread(), variable.get()))

        await sdk.step(work, name="work")

    token = variable.set("from the test")
    try:
        run(handler)
    finally:
        variable.reset(token)
    assert seen == [(threading.current_thread(), "from the test")]


def test_a_synchronous_call_in_a_running_loop_gets_a_thread_and_the_context() -> None:
    seen: list[tuple[bool, str]] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> None:
            seen.append((threading.current_thread() is threading.main_thread(), variable.get()))

        await sdk.step(work, name="work")
        await sdk.wait(60)
        return "done"

    async def test() -> None:
        variable.set("from the loop")
        with DurableFunctionTestRunner(handler) as runner:
            assert runner.run(timeout=20).value == "done"
            runner.advance(5)
            arn = runner.run_async()
            assert runner.run_until_suspended(arn).execution_status == "RUNNING"
            assert runner.wait_for_result(arn).value == "done"

    before = threading.active_count()
    asyncio.run(test())
    assert seen == [(False, "from the loop")] * 2
    assert threading.active_count() == before


def test_answering_is_allowed_from_anywhere_at_any_time() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        threads = [
            threading.Thread(target=runner.send_callback_heartbeat, args=[callback_id]),
            threading.Thread(target=runner.send_callback_success, args=[callback_id, "x"]),
        ]
        for thread in threads:
            thread.start()
            thread.join()
        assert runner.wait_for_result(arn, timeout=20).value == "x"


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="no list of open files on this system")
def test_nothing_is_left_behind() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> int:
            return await asyncio.to_thread(lambda: 1)

        await sdk.step(work, name="work")
        await sdk.wait(60)
        return 1

    async def on_this_loop() -> None:
        async with DurableFunctionTestRunner(handler) as runner:
            await runner.run(timeout=20)

    async def beside_this_loop() -> None:
        run(handler)

    def in_a_thread() -> None:
        thread = threading.Thread(target=run, args=[handler])
        thread.start()
        thread.join()

    def everything() -> tuple[int, int, Any, Any]:
        run(handler)
        asyncio.run(on_this_loop())
        asyncio.run(beside_this_loop())
        in_a_thread()
        gc.collect()
        files = len(list(Path("/proc/self/fd").iterdir()))
        return files, threading.active_count(), signal.getsignal(signal.SIGALRM), signal.getsignal(signal.SIGINT)

    first = everything()
    assert [everything() for _ in range(3)] == [first] * 3

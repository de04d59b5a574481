"""Handlers that never come back: the real-time guard ends the test, says where, and the process still ends."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path
from typing import Any

import async_durable_execution as sdk
import pytest

from async_durable_execution_runner.exceptions import ExecutionStuckError, ExecutionTimeoutError
from async_durable_execution_runner.runner import DurableFunctionTestRunner

GUARD = 0.4
LATEST = 3.0
"""Seconds after which a guarded call must have come back, on a busy machine."""


async def waits() -> None:
    await asyncio.Event().wait()  # never set


async def sleeps() -> None:
    time.sleep(60)  # noqa: ASYNC251 - what is tested


async def blocks() -> None:
    threading.Event().wait(5)


async def blocks_in_a_thread() -> None:
    await asyncio.to_thread(threading.Event().wait, 5)


async def spins() -> None:
    while True:
        pass


async def swallows() -> None:
    while True:
        with contextlib.suppress(Exception):
            await asyncio.sleep(60)


BODIES = [waits, sleeps, blocks, blocks_in_a_thread, spins, swallows]


def stepping(body: Any) -> Any:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.step(body, name="hanging-step")

    return handler


def check(error: ExecutionTimeoutError, body: Any) -> None:
    said = str(error)
    assert "In Step 'hanging-step', at:" in said
    assert f"{GUARD:g} seconds of real time" in said
    assert Path(__file__).name in said
    assert body.__name__ in said
    first = inspect.getsourcelines(body)[1]
    lines = [int(line.split("line ")[1].split(",")[0]) for line in said.splitlines() if body.__name__ in line]
    assert any(first < line <= first + 6 for line in lines), said
    assert "is stuck" not in said


def expire(runner: DurableFunctionTestRunner, body: Any) -> None:
    began = time.monotonic()
    with pytest.raises(ExecutionTimeoutError) as caught:
        runner.run(timeout=GUARD)
    assert time.monotonic() - began < LATEST
    check(caught.value, body)


@pytest.mark.parametrize("body", BODIES)
def test_on_the_main_thread(body: Any) -> None:
    with DurableFunctionTestRunner(stepping(body)) as runner:
        expire(runner, body)
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def in_a_thread(work: Any) -> None:
    problems: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - carried over
            problems.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    if problems:
        raise problems[0]


@pytest.mark.parametrize("body", [waits, blocks_in_a_thread, spins, swallows])
def test_on_another_thread(body: Any) -> None:
    with DurableFunctionTestRunner(stepping(body)) as runner:
        in_a_thread(lambda: expire(runner, body))


@pytest.mark.parametrize("body", [waits, blocks_in_a_thread, spins])
def test_inside_a_running_loop(body: Any) -> None:
    async def test() -> None:
        with DurableFunctionTestRunner(stepping(body)) as runner:
            expire(runner, body)

    asyncio.run(test())


def test_a_blocking_call_inside_a_running_loop_is_left_behind() -> None:
    async def test() -> None:
        async def sleeps_a_little() -> None:
            time.sleep(2)  # noqa: ASYNC251 - what is tested

        with DurableFunctionTestRunner(stepping(sleeps_a_little)) as runner:
            with pytest.raises(ExecutionTimeoutError) as caught:
                runner.run(timeout=GUARD)
            assert "hanging-step" in str(caught.value)
            assert "sleeps_a_little" in str(caught.value)

    began = time.monotonic()
    asyncio.run(test())
    assert time.monotonic() - began < LATEST


@pytest.mark.parametrize("body", BODIES)
def test_on_the_callers_own_loop(body: Any) -> None:
    async def test() -> None:
        async with DurableFunctionTestRunner(stepping(body)) as runner:
            began = time.monotonic()
            with pytest.raises(ExecutionTimeoutError) as caught:
                await runner.run(timeout=GUARD)
            assert time.monotonic() - began < LATEST
            check(caught.value, body)

    if body is blocks_in_a_thread:
        # The thread belongs to the caller's loop, which waits for it when it closes.
        loop = asyncio.new_event_loop()
        loop.run_until_complete(test())
        loop.close()
    else:
        asyncio.run(test())


@pytest.mark.parametrize("body", [waits, blocks, spins])
def test_a_decorated_handler_beside_the_callers_loop(body: Any) -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            return function(event, context)

        return wrapper

    async def test() -> None:
        async with DurableFunctionTestRunner(logged(stepping(body))) as runner:
            with pytest.raises(ExecutionTimeoutError) as caught:
                await runner.run(timeout=GUARD)
            check(caught.value, body)

    began = time.monotonic()
    asyncio.run(test())  # does not wait for the thread that blocks
    assert time.monotonic() - began < LATEST


def test_a_handler_that_hangs_outside_any_operation() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> None:
        await asyncio.Event().wait()

    with DurableFunctionTestRunner(handler) as runner, pytest.raises(ExecutionTimeoutError) as caught:
        runner.run(timeout=GUARD)
    assert "In the handler, at:" in str(caught.value)
    assert "in handler" in str(caught.value)


def test_a_handler_without_an_end_shows_how_far_it_got() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> None:
        while True:
            await sdk.wait(60, name="tick")

    with DurableFunctionTestRunner(handler) as runner, pytest.raises(ExecutionTimeoutError) as caught:
        runner.run(timeout=GUARD)
    assert re.search(r"is RUNNING after .+ on its clock and \d+ invocations", str(caught.value))


def test_a_plain_function_that_hangs() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await sdk.invoke("plain", None, name="call")

    def plain(event: Any, context: Any) -> None:
        threading.Event().wait(60)

    with DurableFunctionTestRunner(handler) as runner:
        runner.register_function("plain", plain)
        with pytest.raises(ExecutionTimeoutError) as caught:
            runner.run(timeout=GUARD)
    assert "in plain" in str(caught.value)
    assert "'call'" in str(caught.value)


def test_a_synchronous_decorator_that_hangs() -> None:
    def slow(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            time.sleep(60)
            return function(event, context)

        return wrapper

    async def inner(event: Any) -> None:
        pass

    handler = slow(sdk.durable_execution(inner))
    with DurableFunctionTestRunner(handler) as runner, pytest.raises(ExecutionTimeoutError) as caught:
        runner.run(timeout=GUARD)
    assert "in wrapper" in str(caught.value)


def test_the_runner_goes_on_after_its_guard() -> None:
    behave = threading.Event()

    @sdk.durable_execution
    async def handler(event: Any) -> str:
        if not behave.is_set():
            await asyncio.Event().wait()
        return "fine now"

    with DurableFunctionTestRunner(handler) as runner:
        arn = runner.run_async()
        with pytest.raises(ExecutionTimeoutError):
            runner.wait_for_result(arn, timeout=GUARD)
        behave.set()
        assert runner.run(timeout=20).value == "fine now"
        # The interrupted invocation is a failed one: the service would try again.
        assert runner.wait_for_result(arn, timeout=20).value == "fine now"


def test_waiting_for_a_timer_that_comes_too_late() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return await (await sdk.create_callback(name="approval")).result()

    timer = threading.Timer(60, lambda: None)
    timer.daemon = True
    timer.start()
    try:
        with DurableFunctionTestRunner(handler) as runner, pytest.raises(ExecutionTimeoutError) as caught:
            runner.run(timeout=GUARD)
    finally:
        timer.cancel()
        timer.join()
    assert "waiting for callback 'approval'" in str(caught.value)


def test_a_timeout_of_ones_own_alarm_stays() -> None:
    def theirs(number: int, frame: Any) -> None:
        """The test's own alarm, as pytest-timeout sets one."""

    before = signal.signal(signal.SIGALRM, theirs)
    signal.setitimer(signal.ITIMER_REAL, 30)
    try:
        with DurableFunctionTestRunner(stepping(waits)) as runner:
            expire(runner, waits)
        assert signal.getsignal(signal.SIGALRM) is theirs
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# ------------------------------------------------------------------------------------------ processes of their own


def python(code: str, *, interrupt: bool = False) -> subprocess.CompletedProcess[str]:
    """Run ``code`` in an interpreter of its own; it must end by itself."""
    source = textwrap.dedent("""
        import asyncio, sys, threading, time
        import async_durable_execution as sdk
        from async_durable_execution_runner.runner import DurableFunctionTestRunner
    """) + textwrap.dedent(code)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", source],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        if interrupt:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    finally:
        process.kill()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@pytest.mark.parametrize("closed", [True, False], ids=["closed", "left open"])
def test_the_process_ends(closed: bool) -> None:
    done = python(f"""
        def test(body):
            @sdk.durable_execution
            async def handler(event):
                await sdk.step(body, name="hanging-step")

            runner = DurableFunctionTestRunner(handler)
            try:
                runner.run(timeout=0.05)
            except TimeoutError as error:
                print("'hanging-step'" in str(error))
            {"runner.close()" if closed else ""}

        async def blocks():
            threading.Event().wait()

        test(asyncio.Event().wait)
        test(blocks)
        test(lambda: asyncio.to_thread(threading.Event().wait))
        test(lambda: asyncio.to_thread(time.sleep, 600))
        print("the end")
    """)
    assert done.stdout == "True\n" * 4 + "the end\n", done.stderr
    assert done.returncode == 0
    assert done.stderr == ""


def test_the_process_ends_after_a_system_exit_in_a_handler() -> None:
    done = python("""
        @sdk.durable_execution
        async def handler(event):
            sys.exit(3)

        with DurableFunctionTestRunner(handler) as runner:
            print(runner.run().execution_status)
    """)
    assert (done.returncode, done.stdout) == (0, "FAILED\n"), done.stderr


@pytest.mark.parametrize("body", ["await asyncio.sleep(60)", "threading.Event().wait(60)"])
def test_ctrl_c_ends_the_test_and_not_only_the_handler(body: str) -> None:
    done = python(
        f"""
        @sdk.durable_execution
        async def handler(event):
            print("ready", flush=True)
            {body}

        with DurableFunctionTestRunner(handler) as runner:
            try:
                runner.run()
            except KeyboardInterrupt:
                print("interrupted")
    """,
        interrupt=True,
    )
    assert (done.returncode, done.stdout) == (0, "interrupted\n"), done.stderr


def test_what_a_hanging_handler_leaves_behind_answers_nobody() -> None:
    """A thread that is blocked for ever must not keep the next test from hearing at once that it is stuck."""
    release = threading.Event()

    @sdk.durable_execution
    async def hangs(event: Any) -> None:
        async def body() -> None:
            await asyncio.to_thread(release.wait)

        await sdk.step(body, name="hanging-step")

    @sdk.durable_execution
    async def forgotten(event: Any) -> Any:
        return await (await sdk.create_callback(name="approval")).result()

    try:
        with DurableFunctionTestRunner(hangs) as runner, pytest.raises(ExecutionTimeoutError):
            runner.run(timeout=GUARD)
        with DurableFunctionTestRunner(forgotten) as runner, pytest.raises(ExecutionStuckError):
            runner.run(timeout=30)
    finally:
        release.set()

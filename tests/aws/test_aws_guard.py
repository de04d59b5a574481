"""Handlers that leave the process or never come back."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable
from typing import Any

import pytest
from aws_kit import durable, kinds, run, seconds

from async_durable_execution_runner import DurableFunctionTestRunner, ExecutionStuckError, ExecutionTimeoutError


def forever(_: Any) -> None:
    threading.Event().wait()


def busy(_: Any) -> None:
    while True:
        pass


@pytest.fixture(scope="module", autouse=True)
def everything_is_imported() -> None:
    """What is only done once in a process takes its time, and is no part of what is guarded."""
    run(durable(lambda event, context: context.parallel([str]).get_results())).ensure_succeeded()


def stuck_in(body: Callable[[Any], None]) -> Any:
    return durable(lambda event, context: context.step(body, name="charge"))


def run_briefly(handler: Any) -> str:
    with DurableFunctionTestRunner(handler) as runner, pytest.raises(ExecutionTimeoutError) as caught:
        runner.run(timeout=1)
    return str(caught.value)


@pytest.mark.parametrize("body", [forever, busy])
def test_a_step_that_never_ends_is_named_with_its_line(body: Callable[[Any], None]) -> None:
    message = run_briefly(stuck_in(body))
    assert "'charge', at:" in message
    assert f", in {body.__name__}\n" in message
    assert "waiting for step 'charge': attempt 1 running" in message


def test_branches_that_never_end_are_named() -> None:
    def branch(context: Any) -> Any:
        return context.step(forever, name="charge")

    message = run_briefly(durable(lambda event, context: context.parallel([branch, branch], name="both")))
    assert "'charge', at:" in message
    assert "'both', at:" in message


def test_another_thread_than_the_main_one_is_guarded_too() -> None:
    messages: list[str] = []
    thread = threading.Thread(target=lambda: messages.append(run_briefly(stuck_in(forever))))
    thread.start()
    thread.join(10)
    assert "'charge', at:" in messages[0]


def test_a_test_with_a_loop_is_guarded_too() -> None:
    async def main() -> str:
        async with DurableFunctionTestRunner(stuck_in(forever)) as runner:
            with pytest.raises(ExecutionTimeoutError) as caught:
                await runner.run(timeout=1)
        return str(caught.value)

    assert "'charge', at:" in asyncio.run(main())


def test_the_process_exits_although_a_handler_is_left_behind() -> None:
    program = """
        import threading
        from aws_durable_execution_sdk_python import durable_execution
        from async_durable_execution_runner import DurableFunctionTestRunner

        handler = durable_execution(
            lambda event, context: context.parallel([lambda child: threading.Event().wait()] * 2)
        )
        try:
            DurableFunctionTestRunner(handler).run(timeout=0.1)
        except TimeoutError:
            print("ended")
    """
    command = [sys.executable, "-c", textwrap.dedent(program)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "ended\n"


def test_a_handler_that_was_left_behind_answers_nobody() -> None:
    assert ", in forever\n" in run_briefly(durable(lambda event, context: forever(event)))
    forgotten = durable(lambda event, context: context.create_callback(name="approval").result())
    with DurableFunctionTestRunner(forgotten) as runner, pytest.raises(ExecutionStuckError):
        runner.run(timeout=20)


def test_a_runner_works_again_after_its_guard_has_ended_one_execution() -> None:
    handler = durable(lambda event, context: context.step(forever if event == "stuck" else str, name="charge"))
    with DurableFunctionTestRunner(handler) as runner:
        with pytest.raises(ExecutionTimeoutError):
            runner.run("stuck", timeout=0.2)
        assert runner.run("fine").ensure_succeeded().value is not None


@pytest.mark.parametrize("where", ["handler", "step"])
def test_leaving_the_process_is_an_invocation_that_died(where: str) -> None:
    invocations: list[int] = []

    def leave_twice(_: Any) -> str:
        invocations.append(1)
        if len(invocations) < 3:
            sys.exit(3)
        return "done"

    @durable
    def handler(event: Any, context: Any) -> Any:
        return leave_twice(None) if where == "handler" else context.step(leave_twice, name="charge")

    result = run(handler).ensure_succeeded()
    errors = [
        each["InvocationCompletedDetails"].get("Error") for each in result.events if "Invocation" in each["EventType"]
    ]
    assert [error["Payload"]["ErrorType"] for error in errors[:2]] == ["Runtime.ExitError"] * 2
    assert errors[2:] == [None]


def test_a_handler_that_always_leaves_fails_in_the_end() -> None:
    result = run(durable(lambda event, context: sys.exit(1)))
    assert kinds(result) == ["ExecutionStarted", *["InvocationCompleted"] * 5, "ExecutionFailed"]


def test_no_thread_is_left_after_a_run() -> None:
    before = set(threading.enumerate())
    run(durable(lambda event, context: context.wait(seconds(5)))).ensure_succeeded()
    assert not set(threading.enumerate()) - before

"""``isolation="process"``: a fresh interpreter for each invocation."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from runner_kit import kinds, of

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableFunctionTestRunner, ExecutionTimeoutError, HandlerError

MODULE = "process_handlers"


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCRATCH", str(tmp_path))
    monkeypatch.setenv("OF_THE_PARENT", "yes")
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def isolated(name: str, **options: Any) -> DurableFunctionTestRunner:
    return DurableFunctionTestRunner(f"{MODULE}:{name}", isolation="process", **options)


def test_each_invocation_has_an_interpreter_of_its_own() -> None:
    with isolated("counts") as runner:
        result = runner.run({"pid": os.getpid()}, timeout=60).ensure_succeeded()
    assert result.value == [1, 1, True], "global state does not outlive an invocation"
    assert len(result.invocations) == 2
    assert MODULE not in sys.modules
    assert (runner.now - result.events[0]["EventTimestamp"]).total_seconds() == 3600, "the clock is still virtual"


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("exit", "exit status 3"),
        ("os._exit", "exit status 4"),
        ("os._exit(0)", "exited without providing a reason"),
        pytest.param("kill", "signal: killed", marks=pytest.mark.skipif(os.name == "nt", reason="no signals there")),
    ],
)
def test_a_handler_that_leaves_is_invoked_again(how: str, reason: str, capfd: pytest.CaptureFixture[str]) -> None:
    with isolated("perishes") as runner:
        result = runner.run(how, timeout=60).ensure_succeeded()
    assert result.value == "survived"
    assert kinds(result)[:3] == ["ExecutionStarted", "StepStarted", "InvocationCompleted"]
    error = of(result, "InvocationCompleted")[0]["Error"]["Payload"]
    assert error["ErrorType"] == "Runtime.ExitError"
    assert reason in error["ErrorMessage"]
    assert "about to" in capfd.readouterr().out


def test_what_the_sandbox_has() -> None:
    with isolated("sees", region="eu-west-1") as runner:
        seen = runner.run({}, timeout=60).ensure_succeeded().value
    assert seen["environment"] == {
        "AWS_LAMBDA_FUNCTION_NAME": "test-function",
        "AWS_REGION": "eu-west-1",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "local",
        "OF_THE_PARENT": "yes",
    }
    assert (seen["profile"], seen["cwd"]) == (None, str(Path.cwd()))


def test_the_lambda_context() -> None:
    with isolated("context_seen", invocation_timeout=100) as runner:
        result = runner.run({}, timeout=60).ensure_succeeded()
    assert 90_000 < result.value["remaining"] <= 100_000
    assert result.value["request_id"] == result.invocations[0].request_id
    assert result.value["arn"] == "arn:aws:lambda:us-west-2:123456789012:function:test-function:$LATEST"
    assert result.value["name"] == "test-function"


def test_threads_that_a_handler_leaves_behind_are_not_waited_for() -> None:
    with isolated("lingers") as runner:
        assert runner.run({}, timeout=30).value == "left"


def test_a_module_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in_the_working_directory.py").write_text("async def handler(event):\n    return event\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    with DurableFunctionTestRunner("in_the_working_directory:handler", isolation="process") as runner:
        assert runner.run(7, timeout=60).value == 7


def test_with_the_real_clock() -> None:
    with isolated("tells", clock="real") as runner:
        runner.run({}, timeout=60).ensure_succeeded()


def test_a_handler_that_hangs_times_out() -> None:
    began = time.monotonic()
    with isolated("perishes", invocation_timeout=8) as runner:
        result = runner.run("hang", timeout=60).ensure_succeeded()
    error = of(result, "InvocationCompleted")[0]["Error"]["Payload"]
    assert error["ErrorType"] == "Sandbox.Timedout"
    assert "timed out after 8.00 seconds" in error["ErrorMessage"]
    assert time.monotonic() - began < 50


def test_the_guard_ends_a_handler_that_hangs() -> None:
    with isolated("perishes") as runner, pytest.raises(ExecutionTimeoutError):
        runner.run("hang", timeout=3)


def test_a_handler_that_raises_is_a_failed_invocation() -> None:
    with isolated("raises") as runner:
        result = runner.run({}, timeout=60)
    error = of(result, "InvocationCompleted")[0]["Error"]["Payload"]
    assert error["ErrorMessage"].startswith("process_handlers.raises is no durable function")


def test_an_attribute_that_is_not_there() -> None:
    with isolated("tell") as runner:
        result = runner.run({}, timeout=60)
    error = of(result, "InvocationCompleted")[0]["Error"]["Payload"]
    assert error["ErrorType"] == "Runtime.HandlerNotFound"
    assert "Did you mean 'tells'?" in error["ErrorMessage"]


def test_an_undecorated_handler_and_a_callback() -> None:
    with isolated("undecorated") as runner:
        arn = runner.run_async()
        runner.send_callback_success(runner.wait_for_callback(arn, "approval"), "yes")
        assert runner.wait_for_result(arn).value == "yes"


def test_on_the_loop_of_a_test() -> None:
    async def main() -> Any:
        async with isolated("counts") as runner:
            return (await runner.run({"pid": os.getpid()}, timeout=60)).value

    assert asyncio.run(main()) == [1, 1, True]


def test_a_chained_invoke_by_name() -> None:
    from async_durable_execution import durable_execution, invoke

    @durable_execution
    async def caller(event: Any) -> Any:
        return await invoke("target", event, name="call")

    with DurableFunctionTestRunner(None, isolation="process") as runner:
        runner.register_durable_function("test-function", caller)
        runner.register_durable_function("target", f"{MODULE}:counts")
        assert runner.run({"pid": os.getpid()}, timeout=60).value == [1, 1, True]


@pytest.mark.parametrize(
    ("handler", "message"),
    [
        (len, "needs the name of the handler"),
        ("process_handlers", "written 'module:attribute'"),
        ("no_such_module:handler", "cannot find the module of handler 'no_such_module:handler' on sys.path or in"),
        ("no_such.module:handler", "cannot find the module"),
    ],
)
def test_handlers_that_cannot_be(handler: Any, message: str) -> None:
    with pytest.raises(HandlerError, match=message):
        DurableFunctionTestRunner(handler, isolation="process")


def test_nothing_is_left_behind() -> None:
    import threading

    before = {thread.name for thread in threading.enumerate()}
    with isolated("tells") as runner:
        runner.run({}, timeout=60).ensure_succeeded()
    assert {thread.name for thread in threading.enumerate()} - before == set()

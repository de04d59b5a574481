"""A pause that comes while a handler runs. By the engine's own door: the client's needs a newer API model."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import pytest
from async_durable_execution import create_callback, durable_callable, durable_execution, step
from runner_kit import kinds

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner._engine.pausing import PauseRequest


class Pauser:
    """Pauses the execution from within its first step."""

    def __init__(self) -> None:
        self.runner: Any = None
        self.arn = ""
        self.calls: list[str] = []

    def pause(self) -> None:
        local = self.runner._local
        with local.lock:
            local.executor.pausing.pause(self.arn, PauseRequest(timeout_paused=True), local.clock.now_millis())

    def resume(self) -> None:
        local = self.runner._local
        with local.lock:
            local.executor.pausing.resume(self.arn, PauseRequest(), local.clock.now_millis())

    def handler(self) -> Any:
        @durable_callable
        async def work(name: str) -> str:
            self.calls.append(name)
            if name == "first":
                self.pause()
            return name

        @durable_execution
        async def handler(event: Any) -> Any:
            done = [await step(work(name), name=name) for name in ("first", "second")]
            return [*done, await (await create_callback(name="approval")).result()]

        return handler


@pytest.mark.skipif(
    version("async-durable-execution").startswith("2.0."),
    reason="async-durable-execution 2.0 takes the missing token for an empty one, and fails when it is refused",
)
def test_it_goes_on_where_it_was() -> None:
    """This SDK knows no pauses: an answer without a token fails its invocation, which is repeated after the pause."""
    pauser = Pauser()
    with DurableFunctionTestRunner(pauser.handler()) as runner:
        pauser.runner, pauser.arn = runner, runner.run_async()
        result = runner.run_until_suspended(pauser.arn)
        assert (result.execution_status, result.status.value) == ("PAUSED", "PENDING")
        assert kinds(result)[-2:] == ["ExecutionPaused", "InvocationCompleted"]
        assert "paused" in result.render()
        seen = list(pauser.calls)
        pauser.resume()
        callback_id = runner.wait_for_callback(pauser.arn, "approval")
        runner.send_callback_success(callback_id, "yes")
        result = runner.wait_for_result(pauser.arn).ensure_succeeded()
    assert result.value == ["first", "second", "yes"]
    assert pauser.calls.count("first") == 1
    assert seen == ["first"]

"""What type checkers should see. Checked by mypy with the sources; never run."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_type

from async_durable_execution_runner import (
    CallbackOperation,
    ContextOperation,
    DurableFunctionTestResult,
    DurableFunctionTestRunner,
    ExecutionStatus,
    InvokeOperation,
    Operation,
    ServiceLimits,
    StepOperation,
    WaitOperation,
)


def blocking(handler: Any) -> None:
    with DurableFunctionTestRunner(handler, execution_timeout=60, limits=ServiceLimits().strict()) as runner:
        assert_type(runner, DurableFunctionTestRunner)
        result = runner.run({"order": 7}, timeout=10)
        assert_type(result, DurableFunctionTestResult)
        assert_type(result.execution_status, ExecutionStatus)
        assert_type(result.result, str | None)
        assert_type(result.get_step("one"), StepOperation)
        assert_type(result.get_wait("pause"), WaitOperation)
        assert_type(result.get_callback("approval"), CallbackOperation)
        assert_type(result.get_context("two").get_step("two_1"), StepOperation)
        assert_type(result.get_context("two"), ContextOperation)
        assert_type(result.get_invoke("other", index=1), InvokeOperation)
        assert_type(result.get_all_operations(), list[Operation])
        assert_type(result.ensure_succeeded(), DurableFunctionTestResult)
        assert_type(result.render(limit=60), str)
        assert_type(result.render_timeline(width=100, color=False), str)
        arn = runner.run_async("text")
        assert_type(arn, str)
        assert_type(runner.wait_for_callback(arn, "approval"), str)
        assert_type(runner.get_execution_history(arn), list[dict[str, Any]])
        assert_type(runner.now, datetime)
        runner.on_callback("approval", result={"ok": True}).mock_invoke("other", result=1)


async def awaited(handler: Any) -> None:
    async with DurableFunctionTestRunner(handler) as runner:
        assert_type(await runner.run({"order": 7}), DurableFunctionTestResult)
        arn = await runner.run_async()
        assert_type(arn, str)
        callback_id = await runner.wait_for_callback(arn)
        await runner.send_callback_success(callback_id, "yes")
        assert_type(await runner.wait_for_result(arn), DurableFunctionTestResult)


def mistakes(handler: Any) -> None:
    runner = DurableFunctionTestRunner(handler)
    runner.run(timeout="soon")  # type: ignore[arg-type]
    _ = runner.run_async(1).status  # type: ignore[attr-defined]
    DurableFunctionTestRunner(handler, colck="virtual")  # type: ignore[call-arg]

"""Old executions are forgotten when somebody says so, and never before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from async_durable_execution import create_callback, durable_execution

from async_durable_execution_runner import DurableFunctionTestRunner, ExecutionNotFoundError
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.pruning import prune
from async_durable_execution_runner.stores.selection import open_store

KINDS = pytest.mark.parametrize("kind", ["memory", "filesystem", "sqlite"])


@durable_execution
async def order(event: str) -> str:
    if event == "open":
        callback = await create_callback(name="never")
        return str(await callback.result())
    return event


@KINDS
def test_what_has_ended_long_ago_goes_and_what_has_not_stays(kind: str, tmp_path: Path) -> None:
    with DurableFunctionTestRunner(order, store=kind, store_path=tmp_path / "place", retention_period_days=3) as runner:
        old = runner.run("old", execution_name="order").execution_arn
        waiting = runner.run_async("open")
        runner.run_until_suspended(waiting)
        runner.advance(timedelta(days=2))
        young = runner.run("young").execution_arn
        runner.advance(timedelta(days=1))
        assert runner.prune() == []
        runner.advance(1)
        assert runner.prune() == [old]
        left = [each["DurableExecutionArn"] for each in runner.list_executions()["DurableExecutions"]]
        assert left == [young, waiting]
        with pytest.raises(ExecutionNotFoundError):
            runner.get_result(old)
        assert runner.run("new", execution_name="order").value == "new"
        assert runner.prune(runner.now + timedelta(days=90))[0] == young


@KINDS
def test_a_store_is_pruned_without_a_runner(kind: str, tmp_path: Path) -> None:
    store = open_store(kind, tmp_path / "place")
    with DurableFunctionTestRunner(order, store=store) as runner:
        arn = runner.run("old").execution_arn
    store = store if kind == "memory" else open_store(kind, tmp_path / "place")
    assert prune(store, datetime(2025, 12, 15, tzinfo=UTC)) == []
    assert prune(store, datetime(2025, 12, 16, tzinfo=UTC)) == [arn]
    assert list(store.list(ExecutionQuery())) == []
    store.close()

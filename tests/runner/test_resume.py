"""Executions taken up again from what a store has kept, as after the end of their process."""

from __future__ import annotations

from typing import Any

import pytest
from async_durable_execution import (
    RetryStrategy,
    StepSemantics,
    create_callback,
    durable_execution,
    get_step_context,
    invoke,
    parallel,
    run_in_child_context,
    step,
    wait,
)

from async_durable_execution_runner import (
    DurableFunctionTestRunner,
    ExecutionNotFoundError,
    ExecutionStatus,
    ExecutionStuckError,
    HandlerError,
)
from async_durable_execution_runner._model.execution import Change, ExecutionRecord
from async_durable_execution_runner.stores.memory import MemoryExecutionStore


class Witness(MemoryExecutionStore):
    """A store that remembers everything it held after each acknowledged change."""

    def __init__(self) -> None:
        super().__init__()
        self.moments: list[list[ExecutionRecord]] = []

    def create(self, record: ExecutionRecord) -> None:
        super().create(record)
        self._remember()

    def append(self, execution_arn: str, change: Change) -> None:
        super().append(execution_arn, change)
        self._remember()

    def _remember(self) -> None:
        self.moments.append([self.load(arn) for arn in self._kept])


def store_of(records: list[ExecutionRecord]) -> MemoryExecutionStore:
    store = MemoryExecutionStore()
    for record in records:
        store.create(record)
    return store


async def child_work() -> str:
    return "worked"


@durable_execution
async def helper(event: Any) -> str:
    await wait(30)
    return f"helped {event}"


@durable_execution
async def everything(event: Any) -> list[Any]:
    async def unreliable() -> str:
        if get_step_context().attempt == 1:
            raise RuntimeError("not yet")
        return "second try"

    async def inside() -> str:
        await wait(60)
        return await step(child_work, name="inner")

    async def first() -> str:
        await wait(5)
        return "a"

    async def second() -> str:
        return await step(child_work)

    found: list[Any] = [await step(unreliable, name="flaky", retry_strategy=RetryStrategy(max_attempts=2))]
    found.append(await run_in_child_context(inside, name="child"))
    callback = await create_callback(name="approval", timeout=600, heartbeat_timeout=100)
    found.append(await callback.result())
    found.append(await invoke("helper", event, name="call"))
    batch = await parallel([first, second])
    found.append(batch.get_results())
    return found


EXPECTED = ["second try", "worked", "yes", "helped 7", ["a", "worked"]]


def runner_on(store: MemoryExecutionStore) -> DurableFunctionTestRunner:
    runner = DurableFunctionTestRunner(everything, store=store)
    return runner.register_durable_function("helper", helper)


def test_an_execution_goes_on_from_every_moment_of_its_life() -> None:
    witness = Witness()
    with runner_on(witness) as runner:
        runner.on_callback("approval", result="yes", after=20)
        arn = runner.run(7).ensure_succeeded().execution_arn
    assert len(witness.moments) > 30
    for moment, records in enumerate(witness.moments):
        with runner_on(store_of(records)) as runner:
            runner.on_callback("approval", result="yes", optional=True)
            runner.resume(arn)
            if runner.get_result(arn).execution_status is ExecutionStatus.RUNNING:
                runner.advance(60 * 60)
                for callback in pending_callbacks(runner, arn):
                    runner.send_callback_success(callback, "yes")
            result = runner.wait_for_result(arn)
        if result.execution_status is ExecutionStatus.FAILED:
            # The hour was too long for the callback that stood open; the rest is as it was.
            assert "Callback" in str(result.error), moment
        else:
            assert result.value == EXPECTED, moment
        ids = [event["EventId"] for event in result.events]
        assert ids == list(range(1, len(ids) + 1))


def pending_callbacks(runner: DurableFunctionTestRunner, arn: str) -> list[str]:
    result = runner.get_result(arn)
    return [
        operation.callback_id  # type: ignore[attr-defined]
        for operation in result.get_all_operations()
        if operation.operation_type.value == "CALLBACK" and operation.status.value == "STARTED"
    ]


def test_an_interrupted_invocation_counts_as_crashed_and_is_invoked_again() -> None:
    effects: list[str] = []
    witness = Witness()

    @durable_execution
    async def charge(event: Any) -> str:
        async def once() -> str:
            effects.append("charged")
            return "receipt"

        return await step(
            once,
            name="charge",
            step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY,
            retry_strategy=RetryStrategy.none(),
        )

    with DurableFunctionTestRunner(charge, store=witness) as runner:
        arn = runner.run().ensure_succeeded().execution_arn
    started = next(
        records for records in witness.moments if any(e.event_type == "StepStarted" for e in records[0].events)
    )
    effects.clear()
    with DurableFunctionTestRunner(charge, store=store_of(started)) as runner:
        before = runner.resume(arn)
        assert before.status.value == "PENDING"
        assert before.events[-1]["EventType"] == "InvocationCompleted"
        error = before.events[-1]["InvocationCompletedDetails"]["Error"]["Payload"]
        assert error["ErrorType"] == "Runtime.ExitError"
        result = runner.wait_for_result(arn)
    assert result.execution_status is ExecutionStatus.FAILED  # it may have charged: at most once means not again
    assert effects == []
    # The one that died, the one in which the SDK finds the step interrupted and gives up, the one that says so.
    assert [invocation.error is not None for invocation in result.invocations] == [True, True, False]


def test_deadlines_go_on_where_they_were() -> None:
    store = MemoryExecutionStore()

    @durable_execution
    async def patient(event: Any) -> str:
        callback = await create_callback(name="approval", timeout=100, heartbeat_timeout=40)
        return await callback.result()  # type: ignore[no-any-return]

    with DurableFunctionTestRunner(patient, store=store, execution_timeout=1000) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        runner.advance(30)
        runner.send_callback_heartbeat(callback_id)
        runner.advance(10)
        moment = runner.now
    with DurableFunctionTestRunner(patient, store=store) as runner:
        runner.resume(arn)
        assert runner.now < moment  # the last thing the store knows of is the callback's start
        result = runner.wait_for_result(arn)
    ended = result.get_callback("approval")
    assert ended.error.type == "Callback.Heartbeat"
    assert (ended.end_timestamp - ended.start_timestamp).total_seconds() == 70  # type: ignore[operator]


def test_a_finished_execution_is_read_back_as_it_was_returned() -> None:
    store = MemoryExecutionStore()
    with runner_on(store) as runner:
        runner.on_callback("approval", result="yes")
        first = runner.run(7)
    with runner_on(store) as runner:
        for again in (
            runner.wait_for_result(first.execution_arn),
            runner.get_result(first.execution_arn),
            runner.resume(first.execution_arn),
        ):
            assert again == first
            assert again.events == first.events
            assert again.operations == first.operations
            assert again.render() == first.render()
        assert runner.get_execution(first.execution_arn)["Status"] == "SUCCEEDED"
        assert runner.get_execution_history(first.execution_arn) == first.events


def test_an_unfinished_one_is_not_driven_by_accident() -> None:
    store = MemoryExecutionStore()
    with runner_on(store) as runner:
        arn = runner.run_async(7)
        runner.wait_for_callback(arn)
    with runner_on(store) as runner:
        assert runner.get_result(arn).status.value == "PENDING"
        with pytest.raises(ExecutionNotFoundError, match=r"take it up with runner\.resume"):
            runner.wait_for_result(arn)


def test_what_cannot_be_resumed_says_why() -> None:
    store = MemoryExecutionStore()
    with runner_on(store) as runner:
        arn = runner.run_async(7)
        runner.wait_for_callback(arn)
    with DurableFunctionTestRunner(everything, function_name="other", store=store) as runner:
        with pytest.raises(HandlerError, match="no durable function 'test-function'"):
            runner.resume(arn)
        with pytest.raises(ExecutionNotFoundError, match="knows no execution"):
            runner.resume(arn.replace("test-function", "nobody"))


@durable_execution
async def calls_another(event: Any) -> Any:
    return await invoke("other", event, name="call")


def suspended_in_call(runner: DurableFunctionTestRunner) -> str:
    arn = runner.run_async(7)
    runner.run_until_suspended(arn)
    return arn


def test_a_call_of_a_plain_function_that_was_under_way_is_made_again() -> None:
    witness = Witness()
    with DurableFunctionTestRunner(calls_another, store=witness) as runner:
        runner.register_function("other", lambda event, context: event + 1)
        arn = suspended_in_call(runner)
    # The call is made right after the invocation; only the moments before its answer leave it to be made.
    waiting = next(records for records in witness.moments if records[0].events[-1].event_type == "InvocationCompleted")
    with DurableFunctionTestRunner(calls_another, store=store_of(waiting)) as runner:
        runner.register_function("other", lambda event, context: event + 2)
        runner.resume(arn)
        assert runner.wait_for_result(arn).value == 9


def test_a_stub_answers_a_resumed_execution() -> None:
    store = MemoryExecutionStore()
    with DurableFunctionTestRunner(calls_another, store=store) as runner:
        runner.mock_invoke("other", result="late", after=3600)
        arn = suspended_in_call(runner)
    with DurableFunctionTestRunner(calls_another, store=store) as runner:
        runner.mock_invoke("other", result="later", after=60)
        runner.resume(arn)
        assert runner.wait_for_result(arn).value == "later"


def test_a_child_whose_function_is_not_there_waits_for_it() -> None:
    store = MemoryExecutionStore()
    with DurableFunctionTestRunner(calls_another, store=store) as runner:
        runner.register_durable_function("other", helper)
        arn = suspended_in_call(runner)
    with DurableFunctionTestRunner(calls_another, store=store) as runner:
        runner.resume(arn)
        with pytest.raises(ExecutionStuckError, match="invoked other"):
            runner.wait_for_result(arn)
    with DurableFunctionTestRunner(calls_another, store=store) as runner:
        runner.register_durable_function("other", helper)
        runner.resume(arn)
        assert runner.wait_for_result(arn).value == "helped 7"


def test_a_crash_backoff_goes_on() -> None:
    witness = Witness()
    lives = [1]

    @durable_execution
    async def fragile(event: Any) -> str:
        if lives:
            lives.pop()
            raise SystemExit(3)
        return "recovered"

    with DurableFunctionTestRunner(fragile, store=witness) as runner:
        arn = runner.run().ensure_succeeded().execution_arn
    crashed = next(records for records in witness.moments if len(records[0].events) == 2)
    with DurableFunctionTestRunner(fragile, store=store_of(crashed)) as runner:
        runner.resume(arn)
        runner.advance(4)
        assert runner.get_result(arn).status.value == "PENDING"
        runner.advance(1)
        assert runner.get_result(arn).value == "recovered"

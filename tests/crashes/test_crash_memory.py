"""What the runs of a matrix read once: nothing that a run does or says depends on it."""

from __future__ import annotations

import asyncio
import dataclasses
import gc
from contextlib import closing
from typing import Any

import pytest
from async_durable_execution import durable_execution, step, wait

from async_durable_execution_runner import CrashReport, DurableFunctionTestRunner
from async_durable_execution_runner._bridges import bridge_for
from async_durable_execution_runner._bridges.remembering import Memory, key_of_mapping
from async_durable_execution_runner._crashes.leftovers import set_aside
from async_durable_execution_runner._wire.border import BotocoreWire
from async_durable_execution_runner._wire.model import operation_model
from async_durable_execution_runner._wire.remembering import RememberingWire
from async_durable_execution_runner._wiring.local import Local, Shared
from async_durable_execution_runner.exceptions import ValidationException

TOKEN = "dG9rZW4="
ARN = "arn:aws:lambda:us-west-2:123456789012:function:f:$LATEST/durable-execution/name/id"


async def one() -> int:
    return 1


@durable_execution
async def steps(event: int) -> list[int]:
    found = [await step(one, name=f"number-{number}") for number in range(event)]
    await wait(5)
    return found


@pytest.fixture
def sdk() -> Any:
    return bridge_for(steps)


def named(sdk: Any) -> dict[str, Any]:
    holders = sdk._models, sdk._models, sdk._state.ExecutionState
    names = "_model_to_mapping", "_model_from_mapping", "_calculate_operation_size"
    return {name: vars(holder).get(name) for holder, name in zip(holders, names, strict=True)}


def told(report: CrashReport) -> list[Any]:
    return [(str(run.plan), run.where, run.reached, run.problems) for run in report.runs]


def test_a_matrix_says_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    with DurableFunctionTestRunner(steps) as runner:
        remembering = runner.explore_crashes(4)
    monkeypatch.setattr(Local, "remember", lambda *_: None)
    with DurableFunctionTestRunner(steps) as runner:
        plain = runner.explore_crashes(4)
    assert told(remembering) == told(plain)
    assert remembering.clean.value == plain.clean.value == [1, 1, 1, 1]


def test_a_killed_run_has_the_history_of_one_that_remembers_nothing() -> None:
    def history(shared: Shared | None) -> Any:
        with DurableFunctionTestRunner(steps, faults="die-after:number-1+0") as runner:
            if shared is not None:
                runner._local.remember(shared)
            arn = runner.run(3).execution_arn
            return runner.client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]

    with closing(Shared()) as shared:
        first, second = history(shared), history(shared)
    assert first == second == history(None)


def test_a_matrix_remembers_for_both_sides(sdk: Any) -> None:
    with DurableFunctionTestRunner(steps) as runner, closing(Shared()) as shared:
        runner._local.remember(shared)
        runner.run(2).ensure_succeeded()
        assert shared._memories[sdk.package]._made
        assert shared.wire._known
        assert all(each is None or each.__module__.endswith("remembering") for each in functions(sdk))


def functions(sdk: Any) -> list[Any]:
    return [getattr(each, "__func__", each) for each in named(sdk).values()]


def test_the_sdk_is_as_it_was_after_a_matrix(sdk: Any) -> None:
    before = named(sdk)
    with DurableFunctionTestRunner(steps) as runner:
        runner.explore_crashes(2)
    assert named(sdk) == before


def test_the_sdk_is_as_it_was_after_a_matrix_that_ends_early(sdk: Any) -> None:
    def stop(_: int, __: int) -> None:
        raise ZeroDivisionError

    before = named(sdk)
    with DurableFunctionTestRunner(steps) as runner, pytest.raises(ZeroDivisionError):
        runner.explore_crashes(2, progress=stop)
    assert named(sdk) == before


def test_matrices_that_overlap_put_things_back_once(sdk: Any) -> None:
    before = named(sdk)
    one, two = Shared(), Shared()
    one.let_remember(sdk)
    two.let_remember(sdk)
    one.close()
    assert named(sdk) != before
    two.close()
    assert named(sdk) == before


def test_a_runner_without_tuning_leaves_the_sdk_alone(sdk: Any) -> None:
    before = named(sdk)
    with DurableFunctionTestRunner(steps, sdk_tuning=False) as runner, closing(Shared()) as shared:
        runner._local.remember(shared)
        runner.run(1)
        assert named(sdk) == before


# --------------------------------------------------------------------------------------- the SDK's models


def update(sdk: Any, **more: Any) -> Any:
    kinds = sdk._models
    values = {"operation_id": "a", "operation_type": kinds.OperationType.STEP, "action": kinds.OperationAction.SUCCEED}
    return kinds.OperationUpdate(**values | more)


def test_a_model_is_written_into_a_dictionary_of_its_own(sdk: Any) -> None:
    plain = update(sdk, payload="1").to_dict()
    with sdk.remembering(Memory()):
        first = update(sdk, payload="1").to_dict()
        first["Payload"] = "spoilt"
        assert update(sdk, payload="1").to_dict() == plain


@pytest.mark.parametrize("values", [("1", "2"), (1, True), (1, 1.0), (None, "")])
def test_models_that_are_not_alike_are_written_apart(sdk: Any, values: tuple[Any, Any]) -> None:
    def written() -> list[str]:
        return [repr(update(sdk, payload=value).to_dict()) for value in values]

    plain = written()
    with sdk.remembering(Memory()):
        assert written() == plain == written()


def test_a_model_with_something_in_it_that_can_change_is_made_each_time(sdk: Any) -> None:
    memory = Memory()
    error = sdk.error_object("no", "Error", None, ["line 1"])
    with sdk.remembering(memory):
        written = [update(sdk, error=error).to_dict() for _ in range(2)]
    assert written[0] == written[1]
    assert written[0]["Error"]["StackTrace"] is not written[1]["Error"]["StackTrace"]
    assert not any("Error" in each for each in memory._made.values() if isinstance(each, dict))


def test_an_equal_operation_is_read_once(sdk: Any) -> None:
    def wire() -> dict[str, Any]:
        return {"Id": "a", "Type": "STEP", "Status": "SUCCEEDED", "StepDetails": {"Attempt": 1, "Result": "1"}}

    plain = sdk._models.Operation.from_dict(wire())
    with sdk.remembering(Memory()):
        one, two = (sdk._models.Operation.from_dict(wire()) for _ in range(2))
        other = sdk._models.Operation.from_dict({**wire(), "StepDetails": {"Attempt": 2, "Result": "1"}})
    assert one is two or named(sdk)["_model_from_mapping"] is None  # the first releases read in another way
    assert one == two == plain
    assert other == dataclasses.replace(plain, step_details=dataclasses.replace(plain.step_details, attempt=2))


def test_what_cannot_be_read_says_so_every_time(sdk: Any) -> None:
    with sdk.remembering(Memory()):
        for _ in range(2):
            with pytest.raises(KeyError):
                sdk._models.Operation.from_dict({"Type": "STEP"})


def test_a_long_text_is_not_kept(sdk: Any) -> None:
    memory = Memory()
    with sdk.remembering(memory):
        assert update(sdk, payload="x" * 5000).to_dict()["Payload"] == "x" * 5000
        sdk._models.Operation.from_dict(
            {"Id": "a", "Type": "STEP", "Status": "SUCCEEDED", "StepDetails": {"Result": "x" * 5000}}
        )
    assert "x" * 5000 not in repr(memory._made)


def test_a_memory_does_not_grow_for_ever() -> None:
    memory = Memory()
    for number in range(10_000):
        memory.keep(number, number)
    assert memory.find(0) == 0
    assert memory.find(9_999) is None


def test_keys_tell_kinds_of_values_apart() -> None:
    assert key_of_mapping({"a": 1}) != key_of_mapping({"a": True})
    assert key_of_mapping({"a": {"b": "c"}}) == key_of_mapping({"a": {"b": "c"}})
    assert key_of_mapping({"a": {"b": ["c"]}}) is None


# ----------------------------------------------------------------------------------------------- the border


def checkpoint(*updates: Any, **more: Any) -> dict[str, Any]:
    return {"DurableExecutionArn": ARN, "CheckpointToken": TOKEN, "Updates": list(updates), **more}


def started(**more: Any) -> dict[str, Any]:
    return {"Id": "a", "Type": "STEP", "Action": "START", **more}


def test_an_equal_update_is_read_once() -> None:
    wire = RememberingWire()
    one, two = (wire.read_checkpoint(checkpoint(started(Name="charge"))) for _ in range(2))
    assert one[0] is two[0]
    assert one == BotocoreWire().read_checkpoint(checkpoint(started(Name="charge")))


def test_an_update_with_options_is_read_each_time() -> None:
    wire = RememberingWire()
    waits = {"Id": "a", "Type": "WAIT", "Action": "START", "WaitOptions": {"WaitSeconds": 5}}
    one, two = (wire.read_checkpoint(checkpoint(waits)) for _ in range(2))
    assert one == two
    assert not wire._known


def test_an_empty_checkpoint_has_no_updates() -> None:
    assert RememberingWire().read_checkpoint(checkpoint()) == []
    assert RememberingWire().read_checkpoint({"DurableExecutionArn": ARN, "CheckpointToken": TOKEN}) == []


@pytest.mark.parametrize(
    "params",
    [
        checkpoint(started(), CheckpointToken="not a token"),
        checkpoint(started(), DurableExecutionArn="nowhere"),
        checkpoint(started(Name=1)),
        checkpoint(started(), started(Type="NONE")),
        checkpoint("no update"),
        {**checkpoint(), "Updates": iter([started()])},
        {**checkpoint(), "Updates": {"Id": "a"}},
    ],
)
def test_what_does_not_fit_is_refused_also_when_all_else_is_known(params: dict[str, Any]) -> None:
    wire = RememberingWire()
    wire.read_checkpoint(checkpoint(started()))
    for _ in range(2):
        with pytest.raises(ValidationException) as refused:
            wire.read_checkpoint(params)
        with pytest.raises(ValidationException) as plain:
            BotocoreWire().read_checkpoint(params)
        assert str(refused.value) == str(plain.value)


def test_a_list_of_updates_has_no_bounds_that_would_have_to_be_checked() -> None:
    shape = operation_model("CheckpointDurableExecution").input_shape
    assert shape.members["Updates"].metadata == {}


def test_a_long_update_is_not_kept() -> None:
    wire = RememberingWire()
    wire.read_checkpoint(checkpoint({**started(), "Action": "SUCCEED", "Payload": "x" * 5000}))
    assert not wire._known


# -------------------------------------------------------------------------------------------- what is left


def known_to_asyncio() -> int:
    tasks: Any = asyncio.tasks
    return len(list(getattr(tasks, "_scheduled_tasks", None) or getattr(tasks, "_all_tasks", ())))


def test_asyncio_need_not_go_through_the_tasks_of_dead_handlers() -> None:
    seen: list[int] = []
    with DurableFunctionTestRunner(steps) as runner:
        runner.explore_crashes(10, progress=lambda *_: seen.append(known_to_asyncio()))
    assert max(seen) - seen[0] <= 2 * len(seen)  # those of the last run, and what a run's own loop leaves


def test_the_collector_works_as_before_afterwards() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    with set_aside() as leave:
        leave()
        assert gc.get_threshold()[0] >= 50_000
        assert gc.get_threshold()[1:] == before[0][1:]
    assert (gc.get_threshold(), gc.get_freeze_count()) == before


def test_a_collector_that_is_off_stays_off() -> None:
    own = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with set_aside():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*own)

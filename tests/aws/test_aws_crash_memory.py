"""What the runs of a matrix of AWS's SDK read once: nothing that a run does or says depends on it."""

from __future__ import annotations

from typing import Any

import pytest
from aws_durable_execution_sdk_python import lambda_service
from aws_kit import sdk, seconds

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner._bridges import bridge_for
from async_durable_execution_runner._bridges.remembering import Memory
from async_durable_execution_runner._wiring.local import Local

pytestmark = pytest.mark.skipif(
    not hasattr(lambda_service.Operation, "from_json_dict"), reason="the first releases read operations in another way"
)
OPERATION = {
    "Id": "a",
    "Type": "STEP",
    "Status": "SUCCEEDED",
    "StartTimestamp": 1_764_547_200_000,
    "StepDetails": {"Attempt": 1, "Result": "1"},
}


@sdk.durable_execution
def steps(event: int, context: Any) -> list[int]:
    found = [context.step(lambda _: 1, name=f"number-{number}") for number in range(event)]
    context.wait(seconds(5))
    return found


def test_a_matrix_says_the_same_with_and_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> Any:
        with DurableFunctionTestRunner(steps) as runner:
            report = runner.explore_crashes(3)
        return [(str(run.plan), run.where, run.reached, run.problems) for run in report.runs], report.clean.value

    remembering = told()
    monkeypatch.setattr(Local, "remember", lambda *_: None)
    assert remembering == told()
    assert remembering[1] == [1, 1, 1]


def test_an_equal_operation_is_read_once_and_then_no_more() -> None:
    own = vars(lambda_service.Operation)["from_json_dict"]
    plain = lambda_service.Operation.from_json_dict(OPERATION)
    with bridge_for(steps).remembering(Memory()):
        one, two = (lambda_service.Operation.from_json_dict(dict(OPERATION)) for _ in range(2))
        other = lambda_service.Operation.from_json_dict({**OPERATION, "StartTimestamp": 1_764_547_200_001})
    assert one is two
    assert one == plain
    assert other != plain
    assert vars(lambda_service.Operation)["from_json_dict"] is own


def test_the_sdk_is_as_it_was_after_a_matrix() -> None:
    own = vars(lambda_service.Operation)["from_json_dict"]
    with DurableFunctionTestRunner(steps) as runner:
        runner.explore_crashes(2)
    assert vars(lambda_service.Operation)["from_json_dict"] is own

"""The end of an invocation is not waited for, and nothing else is different."""

from __future__ import annotations

import json
import queue
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aws_kit import config, durable, retrying, run, seconds

from async_durable_execution_runner._bridges.waking import WokenQueue, woken_checkpoints

execution = pytest.importorskip("aws_durable_execution_sdk_python.execution")


def waiting(event: Any, context: Any) -> int:
    for number in range(20):
        context.wait(seconds(60), name=f"wait {number}")
    return 20


def varied(event: Any, context: Any) -> Any:
    tried: list[int] = event["tried"]

    def flaky(_: Any) -> str:
        tried.append(1)
        if len(tried) % 2:
            raise ConnectionError("not yet")
        return "charged"

    def child(each: Any) -> Any:
        each.wait(seconds(9), name="dry")
        return each.step(lambda _: "packed", name="pack")

    one = config.ParallelConfig(max_concurrency=1)
    first = context.run_in_child_context(child, name="ship")
    context.create_callback(name="unanswered")
    batch = context.parallel([lambda each: each.step(lambda _: 1, name="a"), child], name="both", config=one)
    return [first, batch.get_results(), context.step(flaky, name="charge", config=retrying(2, 5))]


def test_twenty_waits_are_no_wait() -> None:
    def took() -> float:
        began = time.monotonic()
        run(durable(waiting)).ensure_succeeded()
        return time.monotonic() - began

    # The best of three, on a machine that may be busy. Untuned, 21 invocations end after 0.1 s each.
    assert min(took() for _ in range(3)) < 1.8


def test_histories_are_the_same_with_and_without() -> None:
    def history(tuning: bool) -> str:
        tried: list[int] = []
        handler = durable(lambda event, context: varied({"tried": tried}, context))
        return json.dumps(run(handler, sdk_tuning=tuning).ensure_succeeded().events, default=str)

    assert history(True) == history(False)


def test_everything_is_as_it_was_after_an_invocation() -> None:
    own = execution.ExecutionState
    with woken_checkpoints(execution):
        assert execution.ExecutionState is not own
        assert issubclass(execution.ExecutionState, own)
        with woken_checkpoints(execution):
            pass
        assert execution.ExecutionState is not own
    assert execution.ExecutionState is own
    with pytest.raises(ValueError, match="inside"), woken_checkpoints(execution):
        raise ValueError("inside")
    assert execution.ExecutionState is own


@pytest.mark.parametrize(
    "module",
    [SimpleNamespace(), SimpleNamespace(ExecutionState=lambda: None), SimpleNamespace(ExecutionState=dict)],
    ids=["none", "function", "another class"],
)
def test_a_release_that_is_not_known_is_left_alone(module: Any) -> None:
    before = dict(vars(module))
    with woken_checkpoints(module):
        made = getattr(module, "ExecutionState", dict)()
        assert made in (None, {})
    assert vars(module) == before


def test_a_state_with_other_parts_keeps_them() -> None:
    class State:
        def __init__(self) -> None:
            self._checkpoint_queue: Any = queue.SimpleQueue()
            self._checkpointing_stopped = threading.Event()

    module = SimpleNamespace(ExecutionState=State)
    with woken_checkpoints(module):
        state = module.ExecutionState()
    assert isinstance(state._checkpoint_queue, queue.SimpleQueue)
    assert type(state._checkpointing_stopped) is threading.Event


def test_a_woken_queue_is_a_queue() -> None:
    waiting = WokenQueue()
    waiting.put("a")
    waiting.put("b")
    assert (waiting.get(), waiting.get(timeout=5)) == ("a", "b")
    with pytest.raises(queue.Empty):
        waiting.get_nowait()
    with pytest.raises(queue.Empty):
        waiting.get(timeout=0.01)
    waiting.put("c")
    waiting.wake()
    assert waiting.get(timeout=5) == "c"  # what is there is delivered all the same
    began = time.monotonic()
    with pytest.raises(queue.Empty):
        waiting.get(timeout=30)
    assert time.monotonic() - began < 10


def test_nobody_waits_for_company_while_a_caller_is_blocked() -> None:
    waiting, done = WokenQueue(), threading.Event()
    waiting.put(SimpleNamespace(completion_event=done))
    waiting.get()
    began = time.monotonic()
    with pytest.raises(queue.Empty):
        waiting.get(timeout=30)
    assert time.monotonic() - began < 10
    with pytest.raises(queue.Empty):  # and whoever asks once more waits, and does not spin
        waiting.get(timeout=0.05)
    assert time.monotonic() - began >= 0.05


def test_what_comes_after_the_end_is_still_delivered() -> None:
    waiting = WokenQueue()
    waiting.wake()
    waiting.put("late")
    waiting.wake()
    assert waiting.get_nowait() == "late"
    with pytest.raises(queue.Empty):
        waiting.get_nowait()


def test_a_queue_is_woken_while_somebody_waits() -> None:
    waiting, outcome = WokenQueue(), []

    def wait() -> None:
        try:
            waiting.get(timeout=60)
        except queue.Empty:
            outcome.append("empty")

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    waiting.wake()
    thread.join(20)
    assert outcome == ["empty"]

"""What plugins of AWS's SDK are told: which invocation it is, what has changed since, what starts and what ends."""

from __future__ import annotations

import contextlib
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aws_kit import RELEASE, config, retrying, run, sdk, seconds, service, since

from async_durable_execution_runner import DurableFunctionTestRunner

pytestmark = [
    since(2, 0),
    pytest.mark.filterwarnings("ignore:The 'plugins' parameter is provisional"),
    pytest.mark.parametrize("tuning", [True, False], ids=["tuned", "untuned"]),
]
plugins = pytest.importorskip("aws_durable_execution_sdk_python.plugin")
TERMINAL = {"SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED", "CANCELLED"}


@dataclass
class Told:
    """Everything that a plugin was told, in order."""

    invocations: list[Any] = field(default_factory=list)
    ends: list[Any] = field(default_factory=list)
    starts: list[Any] = field(default_factory=list)
    finished: list[Any] = field(default_factory=list)

    def plugin(self) -> Any:
        """As ``plugins=`` takes it: a plugin, and from 3.0 on something that makes them."""
        told = self

        class Telling(plugins.DurableInstrumentationPlugin):  # type: ignore[misc,name-defined]
            def on_invocation_start(self, info: Any) -> None:
                told.invocations.append(info)

            def on_invocation_end(self, info: Any) -> None:
                told.ends.append(info)

            def on_operation_start(self, info: Any) -> None:
                told.starts.append(info)

            def on_operation_end(self, info: Any) -> None:
                told.finished.append(info)

        class Factory:
            def create_plugin(self, info: Any) -> Any:
                return Telling()

        return Factory() if RELEASE >= (3, 0) else Telling()

    def updated(self) -> list[list[str]]:
        """Names of the operations that have changed before each invocation."""
        return [sorted(str(each.name) for each in info.updated_operations.values()) for info in self.invocations]


def watched(function: Callable[[Any, Any], Any], told: Told) -> Any:
    return sdk.durable_execution(function, plugins=[told.plugin()])


def step_wait_step(event: Any, context: Any) -> None:
    context.step(lambda _: None, name="before")
    context.wait(seconds(60), name="pause")
    context.step(lambda _: None, name="after")


def test_the_first_invocation_is_told_apart(tuning: bool) -> None:
    told = Told()
    run(watched(step_wait_step, told), sdk_tuning=tuning).ensure_succeeded()
    assert [info.is_first_invocation for info in told.invocations] == [True, False]
    assert [info.is_first_invocation for info in told.ends] == [True, False]


def test_a_suspended_invocation_does_not_end_in_a_final_status(tuning: bool) -> None:
    told = Told()
    result = run(watched(step_wait_step, told), sdk_tuning=tuning).ensure_succeeded()
    assert [info.status.value for info in told.ends] == ["PENDING", "SUCCEEDED"]
    assert {info.execution_arn for info in told.ends} == {result.execution_arn}
    completed = [event for event in result.events if event["EventType"] == "InvocationCompleted"]
    requests = [event["InvocationCompletedDetails"]["RequestId"] for event in completed]
    assert [info.request_id for info in told.ends] == requests


def test_an_invocation_is_told_what_a_timer_has_changed(tuning: bool) -> None:
    told = Told()
    result = run(watched(step_wait_step, told), sdk_tuning=tuning).ensure_succeeded()
    assert told.updated() == [[], ["pause"]]
    assert list(told.invocations[1].updated_operations) == [result.get_wait("pause").operation_id]


def test_an_invocation_is_told_of_retries_callbacks_and_chained_invokes(tuning: bool) -> None:
    def flaky(step: Any) -> None:
        if step.attempt == 1:
            raise ConnectionError("not yet")

    def handler(event: Any, context: Any) -> None:
        context.create_callback(name="approval").result()
        context.invoke("tax:$LATEST", {}, name="tax")
        context.step(flaky, name="charge", config=retrying(2, 5))

    told = Told()
    with DurableFunctionTestRunner(watched(handler, told), sdk_tuning=tuning) as runner:
        runner.on_callback("approval", result="yes", after=60)
        runner.mock_invoke("tax", result=8, after=60)
        runner.run(timeout=20).ensure_succeeded()
    assert told.updated() == [[], ["approval"], ["tax"], ["charge"]]


def test_what_is_finished_never_starts_again(tuning: bool) -> None:
    def handler(event: Any, context: Any) -> None:
        context.step(lambda _: None, name="step")
        context.run_in_child_context(lambda child: child.step(lambda _: None, name="inner"), name="child")
        context.wait(seconds(1), name="first wait")
        context.wait(seconds(1), name="second wait")

    told = Told()
    run(watched(handler, told), sdk_tuning=tuning).ensure_succeeded()
    starts = Counter(info.name for info in told.starts)
    assert (starts["step"], starts["child"], starts["inner"]) == (1, 1, 1)
    fresh = [info.name for info in told.starts if not info.is_replayed]
    assert fresh == ["step", "child", "inner", "first wait", "second wait"]


def test_what_is_still_open_starts_again_as_replayed(tuning: bool) -> None:
    def handler(event: Any, context: Any) -> None:
        callback = context.create_callback(name="approval")
        context.wait(seconds(60), name="pause")
        callback.result()

    told = Told()
    with DurableFunctionTestRunner(watched(handler, told), sdk_tuning=tuning) as runner:
        runner.on_callback("approval", result="yes", after=3600)
        runner.run(timeout=20).ensure_succeeded()
    again = [(info.name, info.status.value) for info in told.starts if info.is_replayed]
    assert ("approval", "STARTED") in again
    assert {status for _, status in again} == {"STARTED"}


def test_every_operation_ends_once_per_execution(tuning: bool) -> None:
    def handler(event: Any, context: Any) -> None:
        one = config.ParallelConfig(max_concurrency=1)
        waiting = [lambda branch: branch.wait(seconds(5), name="short"), lambda branch: branch.step(str, name="quick")]
        context.parallel(waiting, name="both", config=one)
        context.wait(seconds(60), name="long")

    told = Told()
    result = run(watched(handler, told), sdk_tuning=tuning).ensure_succeeded()
    ends = Counter(info.operation_id for info in told.finished)
    assert ends == Counter({operation.operation_id: 1 for operation in result.get_all_operations()})
    assert {info.status.value for info in told.finished} <= TERMINAL
    assert {info.status for info in told.finished} == {service.OperationStatus.SUCCEEDED}


def test_what_has_failed_is_told_once(tuning: bool) -> None:
    def never(_: Any) -> None:
        raise ValueError("declined")

    def handler(event: Any, context: Any) -> None:
        with contextlib.suppress(Exception):
            context.step(never, name="charge", config=retrying(2, 5))
        context.wait(seconds(1), name="pause")

    told = Told()
    run(watched(handler, told), sdk_tuning=tuning).ensure_succeeded()
    ends = [(info.status.value, info.attempt) for info in told.finished if info.name == "charge"]
    assert ends == [("FAILED", 2)]


DISCOVERED = """
from aws_durable_execution_sdk_python import plugin

told = []


class Telling(plugin.DurableInstrumentationPlugin):
    def on_invocation_start(self, info):
        told.append(info.is_first_invocation)


class Factory:
    def create_plugin(self, info):
        return Telling()


if hasattr(plugin, "DurableInstrumentationPluginProvider"):  # before release 3.0
    provider = plugin.DurableInstrumentationPluginProvider(Telling, Telling, 1)
else:
    provider = Factory()
"""


@pytest.fixture
def installed_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A distribution that offers a plugin, and the environment variable that asks for it."""
    (tmp_path / "auditing_plugin.py").write_text(DISCOVERED, encoding="utf-8")
    info = tmp_path / "auditing-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: auditing\nVersion: 1.0\n", encoding="utf-8")
    entry = "[aws_durable_execution.plugins]\naudit = auditing_plugin:provider\n"
    (info / "entry_points.txt").write_text(entry, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(os.environ, "DURABLE_EXECUTION_PLUGINS", "audit")
    yield "auditing_plugin"
    sys.modules.pop("auditing_plugin", None)


def test_plugins_found_by_configuration_run(installed_plugin: str, tuning: bool) -> None:
    handler = sdk.durable_execution(step_wait_step)
    run(handler, sdk_tuning=tuning).ensure_succeeded()
    assert sys.modules[installed_plugin].told == [True, False]

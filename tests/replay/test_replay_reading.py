"""Histories from wherever they are kept, and what cannot be replayed is refused by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from async_durable_execution import durable_execution, invoke, step, wait
from replay_kit import recorded, replayed, work

from async_durable_execution_runner import DurableFunctionTestRunner, HandlerError, HistoryReadError, replay


@durable_execution
async def handler(event: Any) -> Any:
    await step(work("reserve"), name="reserve")
    await wait(60, name="pause")
    await invoke("other", {"order": 7}, name="tell")
    return event


@durable_execution
async def other(event: Any) -> Any:
    await step(work("book"), name="book")
    await wait(60, name="pause")
    await invoke("other", {"order": 7}, name="tell")
    return event


def wire(*, data: bool = True, instants: str = "iso") -> list[dict[str, Any]]:
    """The events as the CLI prints them: instants as ISO text or as seconds since the epoch."""
    with DurableFunctionTestRunner(handler) as runner:
        runner.mock_invoke("other", result=5)
        arn = runner.run({"order": 7}).execution_arn
        events = runner.get_execution_history(arn, include_execution_data=data)

    def told(moment: Any) -> Any:
        return moment.isoformat() if instants == "iso" else moment.timestamp()

    return json.loads(json.dumps(events, default=told))


def at(folder: Path, document: Any, name: str = "order-7.json") -> Path:
    path = folder / name
    path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize("instants", ["iso", "epoch"])
def test_a_file_as_the_cli_prints_it(tmp_path: Path, instants: str) -> None:
    path = at(tmp_path, {"Events": wire(instants=instants)})
    for history in (path, str(path)):
        assert replayed(handler, history).ok
        assert not replayed(other, history).ok


def test_events_in_memory_in_any_order() -> None:
    events = wire()
    assert replayed(handler, events).ok
    assert replayed(handler, {"Events": events[::-1]}).ok


def test_a_result_and_a_store(tmp_path: Path) -> None:
    with DurableFunctionTestRunner(handler, store="filesystem", store_path=tmp_path) as runner:
        runner.mock_invoke("other", result=5)
        result = runner.run({"order": 7})
        store = runner._local.executor.store
        assert replayed(handler, result).ok
        assert replayed(handler, (store, result.execution_arn)).ok
        assert replayed(handler, store.load(result.execution_arn)).ok
        assert not replayed(other, (store, result.execution_arn)).ok


def test_pages_are_joined(tmp_path: Path) -> None:
    events = wire()
    pages = [{"Events": events[:4], "NextMarker": "4"}, {"Events": events[4:]}]
    assert replayed(handler, at(tmp_path, pages)).ok
    assert replayed(handler, at(tmp_path, "\n".join(map(json.dumps, pages)))).ok
    assert replayed(handler, at(tmp_path, events)).ok


def test_payloads_that_were_left_out_are_refused_by_name(tmp_path: Path) -> None:
    path = at(tmp_path, {"Events": wire(data=False)})
    with pytest.raises(HistoryReadError, match=r"the input of the execution was left out .*--include-execution-data"):
        replay(handler, path)
    events = wire()
    cut = wire(data=False)
    for number, event in enumerate(events):
        if event["EventType"] == "StepSucceeded":
            events[number] = cut[number]
    with pytest.raises(HistoryReadError, match=r"the result of Step 'reserve' was left out \(Truncated, event 3\)"):
        replay(handler, {"Events": events})


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ("{", "is no JSON"),
        ({"Items": []}, "holds no history"),
        ([1, 2], "holds no history"),
        ({"Events": []}, "does not begin with ExecutionStarted"),
        ({"Events": [{"EventType": "StepStarted"}]}, "something that is no event"),
        ({"Events": ["x"]}, "something that is no event"),
    ],
)
def test_what_is_no_history_is_refused(tmp_path: Path, document: Any, says: str) -> None:
    with pytest.raises(HistoryReadError, match=says):
        replay(handler, at(tmp_path, document))


def test_a_history_with_holes_is_refused(tmp_path: Path) -> None:
    events = wire()
    with pytest.raises(HistoryReadError, match="event 3 is missing, event 4 is there"):
        replay(handler, [*events[:2], *events[3:]])
    with pytest.raises(HistoryReadError, match="more pages after NextMarker"):
        replay(handler, at(tmp_path, {"Events": events, "NextMarker": "9"}))
    with pytest.raises(HistoryReadError, match=r"nowhere.json: No such file"):
        replay(handler, tmp_path / "nowhere.json")
    with pytest.raises(HistoryReadError, match="not int"):
        replay(handler, 7)


def test_bad_arguments_are_refused() -> None:
    result = recorded(handler)
    with pytest.raises(ValueError, match="prefixes is 'events' or 'invocations', not 'all'"):
        replay(handler, result, prefixes="all")
    with pytest.raises(HandlerError):
        replay(len, result)


def test_the_number_of_replays_is_bounded_evenly() -> None:
    result = recorded(handler)
    everything = replayed(handler, result).replayed
    few = replayed(handler, result, max_replays=3).replayed
    assert len(everything) > 5
    assert len(few) == 3
    assert few[0] == everything[0] == "invocation 1"


def test_an_unfinished_history_may_go_on() -> None:
    with DurableFunctionTestRunner(handler) as runner:
        runner.mock_invoke("other", result=5)
        result = runner.run_until_suspended(runner.run_async({"order": 7}))
    assert replayed(handler, result).ok
    assert not replayed(other, result).ok
    events = wire()
    for length in range(1, len(events) + 1):
        report = replayed(handler, events[:length])
        assert report.ok, report.render()


def test_a_replay_inside_of_a_running_loop() -> None:
    import asyncio

    result = recorded(handler)

    async def inside() -> bool:
        return replayed(handler, result).ok

    assert asyncio.run(inside())


def test_a_handler_that_waits_for_something_else_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    from async_durable_execution_runner._replay import player

    result = recorded(handler)
    monkeypatch.setattr(player, "_SECONDS", 0.1)

    @durable_execution
    async def stuck(event: Any) -> Any:
        await asyncio.get_running_loop().create_future()

    report = replayed(stuck, result)
    (drift,) = report.drifts
    assert (drift.operation, drift.what) == ("the execution", "outcome")
    assert "NothingHappens" in drift.now
    assert len(report.replayed) == 1
    assert report.skipped


def test_every_kind_of_handler_can_be_replayed() -> None:
    import functools

    async def undecorated(event: Any) -> Any:
        await step(work("reserve"), name="reserve")
        await wait(60, name="pause")
        await invoke("other", {"order": 7}, name="tell")
        return event

    def logged(inner: Any) -> Any:
        @functools.wraps(inner)
        def around(event: Any, context: Any) -> Any:
            return inner(event, context)

        return around

    result = recorded(handler, {"order": 7})
    for each in (undecorated, logged(handler), f"{__name__}:handler"):
        report = replayed(each, result)
        assert report.ok, report.render()
        assert replayed(logged(other), result).drifts[0].operation == "Step 'reserve'"

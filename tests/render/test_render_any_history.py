"""Whatever a history is, it is drawn."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from render_kit import answered, asks, many, order, record_of, until_suspended

from async_durable_execution_runner._model.execution import ExecutionRecord
from async_durable_execution_runner._model.history import HistoryEvent
from async_durable_execution_runner._render.page import render_page
from async_durable_execution_runner._render.page_data import execution_data
from async_durable_execution_runner._render.reading import read_execution
from async_durable_execution_runner._render.timeline import render_timeline
from async_durable_execution_runner._wire.history_reader import read_record
from async_durable_execution_runner._wire.rendering import render_event, render_execution


def drawn_in_every_way(record: ExecutionRecord, now: int) -> None:
    view = read_execution(record, now)
    assert list(view.moments) == sorted(view.moments)
    for bar in itertools.chain.from_iterable(lane.bars for lane in view.lanes):
        assert 0 <= bar.start.order <= bar.end.order < len(view.moments)
    for width in (40, 80):
        assert max(map(len, render_timeline(view, width=width, limit=5).splitlines())) <= width
    assert render_page("t", [execution_data(record, now)], "")


def part_of(record: ExecutionRecord, events: int) -> ExecutionRecord:
    """The execution when only so many events had happened, as the API would tell it."""
    history = [render_event(event) for event in record.events[:events]]
    running = {"Status": "RUNNING", "ExecutionArn": record.header.arn}
    told = {**render_execution(record.header), **running}
    for gone in ("EndTimestamp", "Result", "Error"):
        told.pop(gone, None)
    return read_record(told, history)


def test_every_beginning_of_a_history() -> None:
    record, _ = record_of(order, answered)
    for count in range(1, len(record.events)):
        part = part_of(record, count)
        drawn_in_every_way(part, record.events[count - 1].timestamp)


def test_events_that_lack_their_invocations_or_operations() -> None:
    record, now = record_of(order, answered)
    drawn_in_every_way(replace(record, invocations=()), now)
    drawn_in_every_way(replace(record, operations=record.operations[:1]), now)
    drawn_in_every_way(replace(record, events=()), now)
    drawn_in_every_way(replace(record, events=record.events[5:]), now)
    drawn_in_every_way(replace(record, events=tuple(e for e in record.events if "Started" not in e.event_type)), now)
    drawn_in_every_way(replace(record, events=tuple(e for e in record.events if "Invocation" not in e.event_type)), now)


def test_clocks_that_go_back() -> None:
    record, now = record_of(order, answered)
    back = tuple(event._replace(timestamp=event.timestamp - 60_000 * event.event_id) for event in record.events)
    drawn_in_every_way(replace(record, events=back), now)
    drawn_in_every_way(record, 0)


def test_events_of_a_newer_service_leave_an_operation_as_it_is() -> None:
    record, now = record_of(asks, until_suspended)
    (operation,) = [each for each in record.operations if each.name == "approval"]
    news = HistoryEvent(99, "CallbackEscalated", now, operation.id, operation.name, None, None, {"level": 2})
    view = read_execution(replace(record, events=(*record.events, news)), now)
    (found,) = [each for each in view.lanes if each.name == "approval"]
    assert [(bar.shape, bar.outcome) for bar in found.bars] == [("CALLBACK", "OPEN")]
    drawn_in_every_way(replace(record, events=(*record.events, news)), now)


def test_depth_has_no_end() -> None:
    record, now = record_of(many(60))
    chain = [record.operations[0]]
    for operation in record.operations[1:]:
        parent = chain[-1].id if len(chain) > 1 else None
        chain.append(replace(operation, parent_id=parent))
    drawn_in_every_way(replace(record, operations=tuple(chain)), now)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_hardly_any_operations(count: int) -> None:
    drawn_in_every_way(*record_of(many(count)))

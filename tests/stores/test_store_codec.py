"""Records become data and records again, and data from before a field was added is still read."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies

from async_durable_execution_runner._model.enums import OperationType
from async_durable_execution_runner._model.errors import ErrorObject
from async_durable_execution_runner._model.execution import Change, ExecutionHeader, ExecutionRecord, Invocation
from async_durable_execution_runner._model.history import HistoryEvent
from async_durable_execution_runner._model.operation import Details, Operation
from async_durable_execution_runner.stores.codec import from_data, from_json, to_data, to_json
from async_durable_execution_runner.testing import samples

text = strategies.text(max_size=20)
strategies.register_type_strategy(str, text)
events = strategies.builds(
    HistoryEvent,
    data=strategies.dictionaries(
        strategies.sampled_from(["result", "error", "attempt"]),
        strategies.none() | text | strategies.integers() | strategies.booleans() | strategies.builds(ErrorObject),
    ),
)
operations = strategies.builds(Operation)
changes = strategies.builds(
    Change,
    events=strategies.lists(events, max_size=3).map(tuple),
    operations=strategies.lists(operations, max_size=3).map(tuple),
    header=strategies.none() | strategies.builds(ExecutionHeader),
    invocation=strategies.none() | strategies.builds(Invocation),
)


# How long making an example takes says something about the machine, not about the codec.
BUSY = settings(deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])


@BUSY
@given(changes)
def test_a_change_comes_back_as_it_was(change: Change) -> None:
    back = from_data(Change, from_json(to_json(to_data(change))))
    assert back == change
    assert [type(each.details) for each in back.operations] == [type(each.details) for each in change.operations]
    assert all(isinstance(each.type, OperationType) for each in back.operations)


@BUSY
@given(strategies.builds(ExecutionHeader))
def test_all_of_a_header_comes_back_as_well(header: ExecutionHeader) -> None:
    data = to_data(header, whole=True)
    assert data.keys() == set(ExecutionHeader.__dataclass_fields__)
    assert from_data(ExecutionHeader, from_json(to_json(data))) == header


def test_a_record_of_every_kind() -> None:
    record = samples.new("order")
    assert from_data(ExecutionRecord, from_json(to_json(to_data(record)))) == record
    for change in samples.of_every_kind():
        assert from_data(Change, from_json(to_json(to_data(change)))) == change


def test_defaults_are_left_out() -> None:
    assert to_data(ErrorObject(message="no")) == {"message": "no"}
    assert to_data(Change(events=(), operations=())) == {"events": [], "operations": []}


def test_half_a_surrogate_pair_is_written_as_json_can() -> None:
    assert to_json("\ud800é") == b'"\\ud800\\u00e9"'
    assert from_json(to_json({"a": "\ud800é"})) == {"a": "\ud800é"}


class Colour(enum.StrEnum):
    RED = "red"


@dataclass(frozen=True, kw_only=True)
class Grown:
    """A record that has got new fields since."""

    name: str
    colour: Colour = Colour.RED
    since: int | None = None
    details: Details | None = None
    errors: tuple[ErrorObject, ...] = ()
    names: frozenset[str] = frozenset()
    free: Any = None


def test_data_from_before_a_field_was_added() -> None:
    assert from_data(Grown, {"name": "a"}) == Grown(name="a")


def test_fields_of_any_kind_need_no_code_of_their_own() -> None:
    grown = Grown(
        name="a",
        since=0,
        details=samples.of_every_kind()[1].operations[0].details,
        errors=(ErrorObject(), ErrorObject(type="T")),
        names=frozenset({"x"}),
        free={"list": [1, {"error": ErrorObject(message="m")}], "none": None},
    )
    assert from_data(Grown, from_json(to_json(to_data(grown)))) == grown


@pytest.mark.parametrize(
    "data", [{}, {"name": "a", "unknown": 1}, {"name": "a", "colour": "green"}, {"name": "a", "free": {"$type": "X"}}]
)
def test_data_of_something_else(data: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, KeyError)):
        from_data(Grown, data)

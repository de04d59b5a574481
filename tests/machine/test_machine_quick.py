"""Objects that are made quickly are what the dataclass says all the same."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle

import pytest

from async_durable_execution_runner._model.quick import quickly_made


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Plain:
    id: str
    size: int = 3
    parts: tuple[str, ...] = ()


@quickly_made
@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Quick:
    id: str
    size: int = 3
    parts: tuple[str, ...] = ()


def test_it_is_made_with_the_same_parameters() -> None:
    assert str(inspect.signature(Quick)).replace("Quick", "") == str(inspect.signature(Plain)).replace("Plain", "")
    assert dataclasses.asdict(Quick(id="a", parts=("x",))) == dataclasses.asdict(Plain(id="a", parts=("x",)))
    assert repr(Quick(id="a", size=4)) == repr(Plain(id="a", size=4)).replace("Plain", "Quick")


def test_it_is_still_a_frozen_value() -> None:
    made = Quick(id="a", size=4)
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.size = 5  # type: ignore[misc] # that is what is tried
    assert made == dataclasses.replace(Quick(id="b", size=4), id="a") != Quick(id="a")
    assert made == copy.deepcopy(made) == pickle.loads(pickle.dumps(made))
    assert hash(made) == hash(Quick(id="a", size=4))


def test_what_is_missing_or_too_much_is_told_as_ever() -> None:
    with pytest.raises(TypeError, match=r"Quick.__init__\(\) missing 1 required keyword-only argument: 'id'"):
        Quick()  # type: ignore[call-arg] # ditto
    with pytest.raises(TypeError, match="unexpected keyword argument 'weight'"):
        Quick(id="a", weight=1)  # type: ignore[call-arg] # ditto

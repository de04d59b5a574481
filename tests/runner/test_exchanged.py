"""Names that stand for something else while they are needed so."""

from __future__ import annotations

import types

import pytest

from async_durable_execution_runner._bridges.exchanged import Exchanged


@pytest.fixture
def module() -> types.SimpleNamespace:
    return types.SimpleNamespace(one="own one", two="own two")


def test_the_last_user_puts_the_values_back(module: types.SimpleNamespace) -> None:
    exchanged = Exchanged()
    first = exchanged.by(lambda: [(module, "one", 1), (module, "two", 2)])
    second = exchanged.by(lambda: [(module, "one", 3)])
    with first:
        with second:
            assert (module.one, module.two) == (1, 2), "the first user says what is exchanged"
        assert (module.one, module.two) == (1, 2)
    assert (module.one, module.two) == ("own one", "own two")


def test_users_that_overlap(module: types.SimpleNamespace) -> None:
    exchanged = Exchanged()
    first, second = (exchanged.by(lambda: [(module, "one", 1)]) for _ in range(2))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert module.one == 1
    second.__exit__(None, None, None)
    assert module.one == "own one"


def test_what_cannot_be_exchanged_leaves_no_user_behind(module: types.SimpleNamespace) -> None:
    exchanged = Exchanged()
    with pytest.raises(KeyError), exchanged.by(lambda: [(module, "three", 3)]):
        pass
    with exchanged.by(lambda: [(module, "one", 1)]):
        assert module.one == 1
    assert module.one == "own one"


def test_an_error_inside_puts_them_back(module: types.SimpleNamespace) -> None:
    with pytest.raises(ZeroDivisionError), Exchanged().by(lambda: [(module, "one", 1)]):
        raise ZeroDivisionError
    assert module.one == "own one"

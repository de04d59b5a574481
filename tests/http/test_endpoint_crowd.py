"""Executions with waits and callbacks, many at a time. `crowd.py` takes as many as one likes."""

from __future__ import annotations

import pytest

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from crowd import run


def test_twenty_executions_at_a_time_end_as_they_should() -> None:
    _, wrong = run(20)
    assert wrong == []

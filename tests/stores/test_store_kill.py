"""A few rounds of what ``kill_trial.py`` plays two hundred times."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from kill_trial import trial


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is a thing of POSIX")
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("kind", ["filesystem", "sqlite"])
def test_no_acknowledged_checkpoint_is_lost_and_no_effect_comes_twice(kind: str, seed: int, tmp_path: Path) -> None:
    trial(kind, tmp_path, random.Random(seed))

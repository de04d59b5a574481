"""Where in the user's own code something was asked for."""

from __future__ import annotations

import functools
import importlib.util
import site
import sysconfig
from pathlib import Path
from types import FrameType

Place = tuple[str, int]
"""File and line."""

SDKS = frozenset({"async_durable_execution", "aws_durable_execution_sdk_python"})
_OURS = str(Path(__file__).resolve().parent.parent)


@functools.cache
def _foreign() -> tuple[str, ...]:
    paths = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    paths |= {*site.getsitepackages(), site.getusersitepackages(), _OURS}
    # Also where somebody has them in a folder of their own.
    specs = (importlib.util.find_spec(name) for name in SDKS)
    paths |= {folder for spec in specs if spec is not None for folder in spec.submodule_search_locations or ()}
    return tuple(str(Path(path)) for path in paths if path)


@functools.cache
def is_users(filename: str) -> bool:
    """Whether a file is the user's own: no SDK, no other package, no standard library, not this one."""
    return not filename.startswith("<") and not filename.startswith(_foreign())


def place_of(frame: FrameType | None) -> Place | None:
    """The nearest frame of the user's own code, from ``frame`` outwards."""
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None

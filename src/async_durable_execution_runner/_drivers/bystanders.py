"""Could anybody else still answer? Other threads of the test, looked at from outside."""

from __future__ import annotations

import os
import sys
import sysconfig
import threading
from pathlib import Path
from types import FrameType

_STDLIB = os.path.realpath(sysconfig.get_paths()["stdlib"])
_OURS = str(Path(__file__).resolve().parent.parent)
ENDPOINT_THREAD = "durable-endpoint"
"""Serves handlers in other processes. It runs uvicorn, but answers only what those ask."""

_OWN_THREADS = ("durable-runner", "dex-handler")
"""How the names of the runner's own threads begin, and of those in which AWS's SDK calls handlers.

Before release 2.1 it does so without a frame of its own.
"""

_SDKS = ("async_durable_execution", "aws_durable_execution_sdk_python")
"""Packages whose frames tell a handler's thread. Nobody is asked for when a handler runs, so it was left behind."""

_INFRASTRUCTURE = (
    "execnet",
    "xdist",
    "pytest_timeout",
    "pydevd",
    "_pydev",
    "debugpy",
    "coverage",
    "tqdm",
    "anyio",
)


def other_threads_at_work() -> list[str]:
    """Names of threads that run somebody's code, or are timers that will.

    Idle pool workers, debuggers, test infrastructure and our own threads do not count, nor does what a handler has left
    behind that the real-time guard had to end.
    """
    me = threading.get_ident()
    frames = sys._current_frames()  # noqa: SLF001 - the documented way to look at other threads
    return [
        thread.name
        for thread in threading.enumerate()
        if thread.ident not in {None, me} and _may_act(thread, frames.get(thread.ident or 0))
    ]


def _may_act(thread: threading.Thread, frame: FrameType | None) -> bool:
    if thread.name == ENDPOINT_THREAD or thread.name.startswith(_OWN_THREADS):
        return False
    if isinstance(thread, threading.Timer):
        return not thread.finished.is_set()
    if thread is threading.main_thread() and frame is None:
        return False
    files = []
    while frame is not None:
        files.append(frame.f_code.co_filename)
        frame = frame.f_back
    return any(map(_is_somebodys, files)) and not any(map(_is_an_sdks, files))


def _is_an_sdks(filename: str) -> bool:
    return any(f"{os.sep}{package}{os.sep}" in filename for package in _SDKS)


def _is_somebodys(filename: str) -> bool:
    path = os.path.realpath(filename)
    if path.startswith(_OURS) or filename.startswith("<"):
        return False
    if "site-packages" in path:
        return not any(f"{os.sep}{name}" in path for name in _INFRASTRUCTURE)
    return not path.startswith(_STDLIB)

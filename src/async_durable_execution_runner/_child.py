"""The other side of an invocation in a process of its own: a Lambda sandbox with one invocation to live."""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import Any

from ._bridges import as_lambda_handler, load_handler
from ._drivers.lambda_context import LambdaContext
from ._drivers.processes import ANSWER, BEGUN, INVOCATION
from .clock import RealClock
from .exceptions import HandlerError


def main(folder: str) -> None:
    """Carry out the invocation that lies in ``folder``, and leave its answer there.

    A handler that leaves the process leaves no answer, which is what the parent goes by.
    """
    message = json.loads(Path(folder, INVOCATION).read_text(encoding="utf-8"))
    try:
        text = json.dumps({"output": _call(message, Path(folder, BEGUN))})
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its outcome
        traceback.print_exc()
        text = json.dumps({"error": _told(error)})
    unfinished = Path(folder, f"{ANSWER}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(Path(folder, ANSWER))
    _leave()


def _call(message: dict[str, Any], begun: Path) -> Any:
    handler = as_lambda_handler(load_handler(message["handler"]))
    clock = RealClock()
    context = LambdaContext(**message["context"], clock=clock, deadline=clock.now_millis() + message["remaining"])
    begun.touch()
    return handler(message["event"], context)


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, HandlerError):
        return {"type": "Runtime.HandlerNotFound", "message": str(error), "trace": None}
    return {"type": type(error).__name__, "message": str(error), "trace": None}


def _leave() -> None:
    """Leave. Threads that a handler left behind are not waited for, as a frozen sandbox does not wait for them."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(not thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

"""The other side of an invocation in a process of its own: a Lambda sandbox with one invocation to live."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import sys
import threading
import traceback
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from .._bridges import as_lambda_handler, is_decorated, load_handler
from .._drivers.lambda_context import LambdaContext
from .._drivers.processes import ANSWER, BEGUN, INVOCATION
from ..clock import RealClock
from ..exceptions import HandlerError


def main(folder: str) -> None:
    """Carry out the invocation that lies in ``folder``, and leave its answer there.

    A handler that leaves the process leaves no answer, which is what the parent goes by.
    """
    message = json.loads(Path(folder, INVOCATION).read_text(encoding="utf-8"))
    if "look" in message:
        text = json.dumps({name: _seen(name) for name in message["look"]})
    else:
        text = _invocation(message, Path(folder, BEGUN))
    unfinished = Path(folder, f"{ANSWER}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(Path(folder, ANSWER))
    _leave()


def _invocation(message: dict[str, Any], begun: Path) -> str:
    try:
        return json.dumps({"output": _call(message, begun)})
    except Exception as error:  # noqa: BLE001 - whatever a handler raises is its outcome
        traceback.print_exc()
        return json.dumps({"error": _told(error)})


def _call(message: dict[str, Any], begun: Path) -> Any:
    handler = _loaded(message["handler"])
    if message["durable"]:
        handler = as_lambda_handler(handler)
    clock = RealClock()
    context = LambdaContext(**message["context"], clock=clock, deadline=clock.now_millis() + message["remaining"])
    begun.touch()
    output = handler(message["event"], context)
    return asyncio.run(_awaited(output)) if inspect.isawaitable(output) and not message["durable"] else output


def _loaded(name: str) -> Any:
    try:
        return load_handler(name)
    except HandlerError as error:
        if isinstance(error.__cause__, SystemExit):
            raise error.__cause__ from None  # a module that ends its process has one here to end
        raise


async def _awaited(output: Awaitable[Any]) -> Any:
    return await output


def _told(error: Exception) -> dict[str, Any]:
    if isinstance(error, HandlerError):
        return {"type": "Runtime.HandlerNotFound", "message": str(error), "trace": None}
    return {"type": type(error).__name__, "message": str(error), "trace": None}


def _seen(name: str) -> dict[str, Any]:
    """What a handler is, without calling it."""
    try:
        handler = load_handler(name)
    except HandlerError as error:
        return {"error": str(error)}
    return {"durable": is_decorated(handler), "callable": callable(handler)}


def _leave() -> None:
    """Leave. Threads that a handler left behind are not waited for, as a frozen sandbox does not wait for them."""
    others = [thread for thread in threading.enumerate() if thread is not threading.main_thread()]
    if any(not thread.daemon for thread in others):
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)

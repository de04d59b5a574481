"""Handlers for a process of their own, with the client that their SDK makes by itself."""

import os
import time
from datetime import timedelta
from pathlib import Path

from async_durable_execution import create_callback, durable_callable, durable_execution, invoke, step, wait


@durable_callable
async def process() -> int:
    return os.getpid()


@durable_execution
async def order(event):
    first = await step(process(), name="process")
    await wait(timedelta(seconds=1), name="pause")
    approval = await (await create_callback(name="approval")).result()
    return {"process": first, "approval": approval, "event": event}


@durable_execution
async def calls(event):
    """Invokes whatever it is told to."""
    return await invoke(event["function"], event["payload"], name="call")


def die_once(path):
    if not path.exists():
        path.touch()
        os._exit(3)
    return "survived"


@durable_execution
async def dies_once(event):
    return die_once(Path(event))


def hold(path):
    while not path.exists():
        time.sleep(0.01)
    return "done"


@durable_execution
async def holds(event):
    """Holds on to the emulator until the file is there."""
    return hold(Path(event))


def plain(event, context):
    if event == "raise":
        raise LookupError("not in stock")
    return {"got": event, "left": context.get_remaining_time_in_millis(), "process": os.getpid()}

"""A handler for a process of its own."""

import os
from pathlib import Path

from async_durable_execution import durable_execution, step


def note(word):
    with Path(os.environ["SCRATCH"], "log").open("a", encoding="utf-8") as log:
        log.write(f"{word} ")


async def charge():
    note("charge")
    return "charged"


async def mail():
    note("mail")
    return "sent"


@durable_execution
async def pay(event):
    try:
        return [await step(charge, name="charge"), await step(mail, name="mail")]
    finally:
        note("finally")

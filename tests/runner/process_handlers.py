"""Handlers for tests of process isolation. Nothing here may be imported by the test's own process."""

import functools
import os
import signal
import sys
import threading
import time
from pathlib import Path

from async_durable_execution import StepSemantics, create_callback, durable_callable, durable_execution, step, wait

PARENT_MUST_NOT_IMPORT = True
SEEN = {}
COUNTER = {"calls": 0}


@durable_callable
async def count() -> int:
    COUNTER["calls"] += 1
    return COUNTER["calls"]


@durable_execution
async def counts(event):
    first = await step(count(), name="first")
    await wait(3600, name="pause")
    return [first, await step(count(), name="second"), os.getpid() != event["pid"]]


def once(name):
    """Whether this is the first time, across processes."""
    path = Path(os.environ["SCRATCH"], name)
    known = path.exists()
    path.touch()
    return not known


@durable_callable
async def dies(how: str) -> str:
    if once("died"):
        print("about to", how, flush=True)
        if how == "exit":
            sys.exit(3)
        if how == "os._exit":
            os._exit(4)
        if how == "os._exit(0)":
            os._exit(0)
        if how == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if how.startswith("hang"):
            time.sleep(600)  # noqa: ASYNC251 - it is meant to hang
    return "survived"


@durable_execution
async def perishes(event):
    return await step(dies(event), name="dies", step_semantics=StepSemantics.AT_MOST_ONCE_PER_RETRY)


def raises(event, context):
    raise LookupError("outside of the SDK")


@durable_execution
async def tells(event):
    return None


@durable_execution
async def sees(event):
    """What a sandbox has."""
    names = ("AWS_LAMBDA_FUNCTION_NAME", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "OF_THE_PARENT")
    environment = {name: os.environ.get(name) for name in names}
    return {"environment": environment, "profile": os.environ.get("AWS_PROFILE"), "cwd": str(Path.cwd())}


def above(function):
    """A decorator of the user's own, which sees the Lambda context."""

    @functools.wraps(function)
    def wrapper(event, context):
        SEEN.update(
            {
                "remaining": context.get_remaining_time_in_millis(),
                "request_id": context.aws_request_id,
                "arn": context.invoked_function_arn,
                "name": context.function_name,
                "stream": context.log_stream_name,
                "group": context.log_group_name,
                "of the environment": os.environ["AWS_LAMBDA_LOG_STREAM_NAME"],
            }
        )
        return function(event, context)

    return wrapper


@above
@durable_execution
async def context_seen(event):
    return SEEN


async def undecorated(event):
    return await (await create_callback(name="approval")).result()


def plain(event, context):
    """An ordinary function."""
    if event == "leave":
        os._exit(5)
    if event == "hang":
        time.sleep(600)
    if event == "raise":
        raise LookupError("not in stock")
    return {"event": event, "left": context.get_remaining_time_in_millis(), "process": os.getpid()}


async def plain_coroutine(event, context):
    return [event, context.function_name]


def exhaust():
    import resource

    used = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**24, resource.RLIM_INFINITY))
    return len(bytearray(2**30))


@durable_execution
async def exhausts(event):
    """As much memory as there is, which is soon."""
    return exhaust()


def meet(event):
    Path(os.environ["SCRATCH"], event["me"]).write_text(str(os.getpid()), "utf-8")
    end = time.monotonic() + 20
    while not Path(os.environ["SCRATCH"], event["other"]).exists():
        if time.monotonic() > end:
            return "alone"
        time.sleep(0.02)
    return "met"


@durable_execution
async def meets(event):
    """Ends only if somebody else of its kind is there at the same time. It holds on to its process."""
    return meet(event)


@durable_execution
async def lingers(event):
    threading.Thread(target=time.sleep, args=(600,)).start()
    return "left"

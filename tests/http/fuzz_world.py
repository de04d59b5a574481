"""The endpoint that is fuzzed: functions, and executions in its store that must come out of it unharmed."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
from async_durable_execution import create_callback, durable_execution, run_in_child_context, step, wait
from botocore.config import Config

from async_durable_execution_runner import DurableEndpoint
from async_durable_execution_runner._model.execution import ExecutionRecord
from async_durable_execution_runner.stores.base import ExecutionQuery
from async_durable_execution_runner.stores.selection import open_store

DAY = 86_400
UNKNOWN = "arn:aws:lambda:us-west-2:123456789012:function:steps:$LATEST/durable-execution/nobody/1"


async def one() -> int:
    return 1


@durable_execution
async def steps(event: Any) -> Any:
    async def inner() -> int:
        return await step(one, name="inner")

    await step(one, name="first")
    return [event, await run_in_child_context(inner, name="child")]


@durable_execution
async def fails(event: Any) -> Any:
    raise ValueError("no stock")


@durable_execution
async def asks(event: Any) -> Any:
    return await (await create_callback(name="approval", heartbeat_timeout=DAY)).result()


@durable_execution
async def sleeps(event: Any) -> Any:
    await wait(DAY)


def plain(event: Any, context: Any) -> Any:
    return {"got": event}


# Nobody answers a synchronous invocation of the waiting ones, so requests are not told their names.
FUNCTIONS = {"steps": steps, "fails": fails, "plain": plain, "waits-for-approval": asks, "waits-for-a-day": sleeps}


@dataclass
class World:
    """An endpoint, what requests may refer to, and the records of its executions as they were."""

    endpoint: DurableEndpoint
    known: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, ExecutionRecord] = field(default_factory=dict)
    """Records by ARN of executions that no accepted request has changed."""
    owners: dict[str, str] = field(default_factory=dict)
    """ARNs by callback id."""
    rounds: int = 0

    def __post_init__(self) -> None:
        once = Config(retries={"max_attempts": 0})
        self.client: Any = boto3.client("lambda", **self.endpoint.client_options, config=once)

    @property
    def runner(self) -> Any:
        return self.endpoint._runner

    def grow(self) -> None:
        """A new execution of each kind, and a new one that an invocation is at work on."""
        self.rounds += 1
        arns = {name: self._start(name, self.rounds) for name in FUNCTIONS if name != "plain"}
        prey = self._start("waits-for-approval", -self.rounds)
        stopped = self._start("waits-for-a-day", -self.rounds)
        self._inside("stop_durable_execution", DurableExecutionArn=stopped, Error={"ErrorMessage": "enough"})
        answered = self._start("waits-for-approval", f"answered-{self.rounds}")
        told = self._callback(answered)
        self._inside("send_durable_execution_callback_success", CallbackId=told, Result=b"yes")
        for arn in [*arns.values(), stopped, answered]:
            self._settle(arn, closed=arn in {arns["steps"], arns["fails"], stopped, answered})
            self.kept[arn] = self.runner._local.executor.store.load(arn)
        self._settle(prey, closed=False)
        everything = [*self.kept][-200:]
        callbacks = [self._callback(arn) for arn in (prey, arns["waits-for-approval"])]
        self._subject()
        self.known |= {
            "arn": [*everything, prey, UNKNOWN],
            "callback": [*callbacks, *self.known.get("callback", [])][:20],
            "closed-callback": [*self.known.get("closed-callback", []), told][-20:],
            "marker": self.known.get("marker", ["1"]),
        }

    def changed(self, arn: str) -> None:
        """An accepted request has changed an execution, as it should."""
        self.kept.pop(arn, None)

    def answered(self, callback_id: str) -> None:
        """A callback has been answered."""
        self.known["callback"] = [each for each in self.known["callback"] if each != callback_id] or [callback_id]
        self.known["closed-callback"] = [*self.known["closed-callback"], callback_id][-20:]

    def token(self, new: str) -> None:
        """The subject's token is another one now."""
        self.known["stale"] = [*self.known["token"], *self.known["stale"]][:20]
        self.known["token"] = [new]

    def _inside(self, method: str, **params: Any) -> None:
        """Do without HTTP, which may be broken on purpose."""
        getattr(self.runner.client, method)(**params)
        self.endpoint._background.wake()

    def _start(self, name: str, number: Any) -> str:
        event = {"n": 3, "é": [None, 1.5]}
        arn: str = self.endpoint._start(event, name, f"kept-{number}", None, None, synchronous=False)
        return arn

    def _callback(self, arn: str) -> str:
        self._settle(arn, closed=False)
        events = self.runner.get_execution_history(arn)
        found = next(e["CallbackStartedDetails"]["CallbackId"] for e in events if e["EventType"] == "CallbackStarted")
        self.owners[found] = arn
        return str(found)

    def _settle(self, arn: str, *, closed: bool) -> None:
        """Wait until an execution is over, or suspended."""
        until = time.monotonic() + 20
        last = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionStopped"} if closed else {"InvocationCompleted"}
        while not {event["EventType"] for event in self.runner.get_execution_history(arn)} & last:
            assert time.monotonic() < until, f"{arn} has not come to rest"
            time.sleep(0.002)

    def _subject(self) -> None:
        """An execution whose invocation the fuzzer plays: it has the token."""
        local = self.runner._local
        with local.lock:  # or the endpoint's own thread would take it
            arn = self._start("steps", f"subject-{self.rounds}")
            local.executor.ready.remove(arn)
            token = local.executor.begin_invocation(arn, local.clock.now_millis()).token
        self.known |= {"subject": [arn], "stale": self.known.get("token", [token]), "token": [token]}


@contextmanager
def world(store: str, place: Path) -> Iterator[World]:
    with DurableEndpoint(
        FUNCTIONS, store=store, store_path=None if store == "memory" else place, invocation_timeout=DAY
    ) as endpoint:
        found = World(endpoint=endpoint)
        with closing(found.client):
            yield found


def damage(kept: dict[str, ExecutionRecord], store: Any) -> list[str]:
    """What is wrong with a store's executions: those that nobody changed, and all of them."""
    found = [f"{arn} has changed" for arn, record in kept.items() if store.load(arn) != record]
    headers = store.list(ExecutionQuery())
    found += [f"{arn} is not listed" for arn in kept.keys() - {header.arn for header in headers}]
    for header in headers:
        record = store.load(header.arn)
        numbers = [event.event_id for event in record.events]
        if record.header != header or numbers != [*range(1, len(numbers) + 1)]:
            found.append(f"{header.arn} does not hold together: {header}, events {numbers}")
    return found


def reopened(store: str, place: Path) -> Any:
    """The store as another process would find it."""
    return open_store(store, place)

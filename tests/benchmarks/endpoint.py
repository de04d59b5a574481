"""What a checkpoint costs over HTTP, against a route that does nothing."""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import boto3
from botocore.exceptions import ClientError
from cases import UNLIMITED, many_steps
from measure import Table

from async_durable_execution_runner import DurableEndpoint

CALLS = 300


class Invocation:
    """An execution whose handler is this benchmark: it has the token."""

    def __init__(self, endpoint: DurableEndpoint) -> None:
        local = endpoint._runner._local
        with local.lock:  # or the endpoint's own thread would take it
            self.arn = endpoint._runner._start(0, "steps", None, None, None, synchronous=False)
            local.executor.ready.remove(self.arn)
            self.token = local.executor.begin_invocation(self.arn, local.clock.now_millis()).token
        self._numbers = itertools.count()

    def updates(self) -> list[dict[str, Any]]:
        """A step from start to end, as an SDK sends it."""
        step = {"Id": f"{next(self._numbers):064x}", "Type": "STEP", "SubType": "Step", "Name": "charge"}
        return [{**step, "Action": "START"}, {**step, "Action": "SUCCEED", "Payload": '{"total": 290}'}]


def endpoint(table: Table, args: argparse.Namespace) -> None:
    """The same server, the same client, in turn: a bare connection, and boto3."""
    with DurableEndpoint({"steps": many_steps}, limits=UNLIMITED) as served:
        _compare(table, "bare connection", args.rounds, *_bare(served))
        _compare(table, "boto3", args.rounds, *_boto3(served))


def _bare(served: DurableEndpoint) -> tuple[Callable[[], object], Callable[[], object]]:
    connection = http.client.HTTPConnection(served.url.removeprefix("http://"))
    invocation = Invocation(served)
    path = f"/2025-12-01/durable-executions/{quote(invocation.arn, safe='')}/checkpoint"

    def call(method: str, path: str, body: bytes) -> Any:
        connection.request(method, path, body, {"content-type": "application/json"})
        return json.loads(connection.getresponse().read())

    def checkpoint() -> None:
        content = {"CheckpointToken": invocation.token, "Updates": invocation.updates()}
        invocation.token = call("POST", path, json.dumps(content).encode())["CheckpointToken"]

    return checkpoint, lambda: call("POST", "/", b"{}")


def _boto3(served: DurableEndpoint) -> tuple[Callable[[], object], Callable[[], object]]:
    client = boto3.client("lambda", **served.client_options)
    invocation = Invocation(served)

    def checkpoint() -> None:
        answer = client.checkpoint_durable_execution(
            DurableExecutionArn=invocation.arn, CheckpointToken=invocation.token, Updates=invocation.updates()
        )
        invocation.token = answer["CheckpointToken"]

    def nothing() -> None:
        try:
            client.get_account_settings()
        except ClientError:
            return

    return checkpoint, nothing


def _compare(table: Table, what: str, rounds: int, *calls: Callable[[], object]) -> None:
    seen: list[list[float]] = [[] for _ in calls]
    for number in range(CALLS * max(1, rounds)):
        for times, call in zip(seen, calls, strict=True):
            began = time.perf_counter()
            call()
            if number >= CALLS // 10:
                times.append(time.perf_counter() - began)
    mine, empty = (statistics.median(times) for times in seen)
    table.note(
        f"checkpoint over HTTP, {what}: p50 {mine * 1e3:.2f} ms, of an empty route {empty * 1e3:.2f} ms, "
        f"ratio {mine / empty:.2f}   (goal <= 2)"
    )

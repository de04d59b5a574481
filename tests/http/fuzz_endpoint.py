"""Requests drawn from the API model against an endpoint that listens: it refuses well, and harms no execution.

    python tests/http/fuzz_endpoint.py --requests 50000 [--seed 7] [--store sqlite]

Prints how many requests of each kind there were, how they were answered, and everything that is wrong: an answer with
status 5xx, an answer that does not come, a stack trace, an error that the operation does not have, an answer that
botocore cannot read, a refused request that fits the model, and executions that changed though no request was accepted.
"""

from __future__ import annotations

import argparse
import collections
import http.client
import json
import logging
import re
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import botocore.parsers
from fuzz_requests import OPERATIONS, Plan, Wire, broken, plans, written
from fuzz_shapes import fill
from fuzz_world import World, damage, reopened, world
from hypothesis import HealthCheck, Phase, given, seed, settings

from async_durable_execution_runner._wire.errors import status_code
from async_durable_execution_runner._wire.model import error_shape, operation_model

PATIENCE = 20.0
"""Seconds after which an answer counts as one that does not come."""
EVERY = 60
"""Requests after which there are new executions."""
_TRACE = re.compile(rb'Traceback|File \\?"|site-packages|\.py\b')
_UNREADABLE = {"ValidationException", "SerializationException", "UnknownOperationException"}
_OF_SHAPE = {*_UNREADABLE, "InvalidRequestContentException"}
_ANYWHERE = {*_UNREADABLE, "RequestTooLargeException"}
# The model names no such error for them, but an execution can be unknown to any operation.
_UNKNOWN_TO = {
    "CheckpointDurableExecution",
    "GetDurableExecutionState",
    "SendDurableExecutionCallbackSuccess",
    "SendDurableExecutionCallbackFailure",
    "SendDurableExecutionCallbackHeartbeat",
}
_CHANGING = {name for name in OPERATIONS if operation_model(name).http["method"] != "GET"}
_CHANGING -= {"Invoke", "CheckpointDurableExecution"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; ``status`` 0 is nothing."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass
class Tally:
    """What happened."""

    kinds: collections.Counter[str] = field(default_factory=collections.Counter)
    answers: collections.Counter[str] = field(default_factory=collections.Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0
    kept: int = 0
    executions: int = 0

    @property
    def requests(self) -> int:
        return self.kinds.total()


class Connection:
    """One connection, opened again when it is spent."""

    def __init__(self, url: str) -> None:
        host, _, port = url.removeprefix("http://").rpartition(":")
        self._address = host, int(port)
        self._socket: socket.socket | None = None

    def exchange(self, wire: Wire) -> Answer:
        """Send and listen. Raises ``TimeoutError`` if nothing comes."""
        try:
            return self._exchange(wire)
        except (BrokenPipeError, ConnectionResetError, http.client.BadStatusLine):
            return Answer(status=0, headers={}, body=b"")

    def _exchange(self, wire: Wire) -> Answer:
        self._socket = self._socket or socket.create_connection(self._address, timeout=PATIENCE)
        try:
            self._socket.sendall(wire.head() + wire.payload())
            if not wire.answered:
                self._socket.shutdown(socket.SHUT_WR)
            response = http.client.HTTPResponse(self._socket, method=wire.method)
            response.begin()
            body = response.read()
        except BaseException:
            self.close()
            raise
        if response.will_close or not wire.is_http or not wire.answered or wire.method not in _ORDINARY:
            self.close()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Answer(status=response.status, headers=headers, body=body)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


_ORDINARY = {"GET", "POST", "PUT", "DELETE", "PATCH"}


class Fuzzer:
    """Carries out plans and judges the answers."""

    def __init__(self, place: World, connection: Connection) -> None:
        self.world = place
        self.tally = Tally()
        self._connection = connection
        self._parser = botocore.parsers.RestJSONParser()
        self._before, self._ended, self._idle = b"", time.monotonic(), 0.0

    def carry_out(self, plan: Plan) -> None:
        if self.tally.requests % EVERY == 0:
            self.world.grow()
        params = fill(plan.params, self.world.known)
        wire = broken(written(plan.operation, params), plan.broken, plan.dice)
        if any(value != value.strip() for _, value in wire.headers):
            plan = replace(plan, fits=False)  # HTTP takes off what stands around
        kind = plan.broken or ("fits" if plan.fits else "nearly")
        self.tally.kinds[kind] += 1
        began = time.monotonic()
        self._idle = began - self._ended
        try:
            answer = self._connection.exchange(wire)
        except TimeoutError:
            self._complain("no answer", wire)
            return
        self.tally.slowest = max(self.tally.slowest, time.monotonic() - began)
        error = answer.headers.get("x-amzn-errortype", "")
        self.tally.answers[f"{answer.status} {error}".strip()] += 1
        for complaint in self._judge(plan, wire, answer, error):
            self._complain(f"{complaint}: {answer.status} {error} {answer.body[:500]!r}", wire)
        self._note(plan, params, wire, answer)
        self._before, self._ended = wire.head()[:300], time.monotonic()

    def _complain(self, what: str, wire: Wire) -> None:
        request = (wire.head() + wire.payload()[:1000])[:3000].decode("utf-8", "replace")
        self.tally.wrong.append(f"{what}\n  to {request!r}")

    # ------------------------------------------------------------------------------------------------- judging

    def _judge(self, plan: Plan, wire: Wire, answer: Answer, error: str) -> list[str]:
        found = []
        if answer.status >= 500:
            found.append("the server failed")
        if answer.status >= 400 and _TRACE.search(answer.body):
            found.append("a stack trace")
        if not wire.is_http or not wire.answered:
            return found
        if answer.status == 0:
            return [*found, f"the connection was closed {self._idle:.1f} s after {self._before!r}"]
        if not answer.headers.get("x-amzn-requestid"):
            found.append("no request id")
        if answer.status >= 400:
            found += self._judge_error(plan, answer, error)
        elif not plan.broken:
            found += self._judge_success(plan.operation, answer)
        return found

    def _judge_error(self, plan: Plan, answer: Answer, error: str) -> list[str]:
        found = []
        if plan.fits and error in _OF_SHAPE:
            found.append("what fits is refused")
        if error_shape(error) is not None and status_code(error) != answer.status:
            found.append("another status than the model's")
        if not plan.broken and error not in self._errors_of(plan.operation):
            found.append("no error of this operation")
        try:
            told = json.loads(answer.body or b"{}")
        except ValueError:
            return [*found, "no JSON"]
        if not (told.get("message") or told.get("Message")) and answer.body:
            found.append("no message")
        return found

    def _errors_of(self, operation: str) -> set[str]:
        named = {shape.name for shape in operation_model(operation).error_shapes}
        return named | _ANYWHERE | ({"ResourceNotFoundException"} if operation in _UNKNOWN_TO else set())

    def _judge_success(self, operation: str, answer: Answer) -> list[str]:
        shape = operation_model(operation).output_shape
        given: Any = {"status_code": answer.status, "headers": answer.headers, "body": answer.body}
        try:
            parsed = self._parser.parse(given, shape)
        except Exception as error:  # noqa: BLE001 - whatever botocore says of it
            return [f"botocore cannot read it: {error!r}"]
        missing = [name for name in getattr(shape, "required_members", []) if name not in parsed]
        return [f"{name} is missing" for name in missing]

    # ---------------------------------------------------------------------------------------------- remembering

    def _note(self, plan: Plan, params: dict[str, Any], wire: Wire, answer: Answer) -> None:
        if not 200 <= answer.status < 300 or wire.method == "HEAD":
            return
        if wire.method == "GET":
            self._note_marker(answer)
            return
        if plan.operation in _CHANGING:
            callback_id = str(params.get("CallbackId"))
            self.world.changed(self.world.owners.get(callback_id, str(params.get("DurableExecutionArn"))))
            if "CallbackSuccess" in plan.operation or "CallbackFailure" in plan.operation:
                self.world.answered(callback_id)
        if plan.operation == "CheckpointDurableExecution":
            token = _content(answer).get("CheckpointToken")
            if token is not None:  # with a broken path it was another operation
                self.world.token(token)

    def _note_marker(self, answer: Answer) -> None:
        marker = _content(answer).get("NextMarker")
        if marker:
            self.world.known["marker"] = [*self.world.known["marker"], marker][-20:]


def _content(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def run(requests: int, store: str, place: Path, number: int, progress: Callable[[Tally], None] | None = None) -> Tally:
    """Send that many requests, drawn from ``number``, and look at everything afterwards."""
    logged = _Logged()
    logging.getLogger("async_durable_execution_runner").addHandler(logged)
    try:
        with world(store, place) as found, closing(Connection(found.endpoint.url)) as connection:
            fuzzer = Fuzzer(found, connection)

            @seed(number)
            @settings(
                max_examples=requests,
                deadline=None,
                database=None,
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )
            @given(plans())
            def send(plan: Plan) -> None:
                if fuzzer.tally.requests < requests:
                    fuzzer.carry_out(plan)
                if progress is not None:
                    progress(fuzzer.tally)

            send()
            tally = fuzzer.tally
            tally.kept = len(found.kept)
            tally.wrong += _alive(found)
            tally.wrong += damage(found.kept, found.runner._local.executor.store)
        if store != "memory":
            with closing(reopened(store, place)) as again:
                tally.wrong += damage(found.kept, again)
    finally:
        logging.getLogger("async_durable_execution_runner").removeHandler(logged)
    tally.wrong += logged.lines
    return tally


def _alive(found: World) -> list[str]:
    """What the API says at the end of the executions that nobody changed, and whether it still runs new ones."""
    try:
        return _told(found, found.client)
    except Exception as error:  # noqa: BLE001 - whatever it is, it should not be
        return [f"it does not serve any more: {error!r}"]


def _told(found: World, client: Any) -> list[str]:
    wrong = []
    for arn, record in found.kept.items():
        told = client.get_durable_execution(DurableExecutionArn=arn)["Status"]
        if told != record.header.status.value:
            wrong.append(f"{arn} is said to be {told}")
    answer = client.invoke(FunctionName="steps", Payload=b"1")
    return wrong if answer["Payload"].read() == b"[1, 1]" else [*wrong, "it does not run new executions any more"]


class _Logged(logging.Handler):
    """What the endpoint complains of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"logged: {self.format(record)}")


def main() -> int:
    """Fuzz, print the figures; exit status 1 if anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--store", choices=("memory", "filesystem", "sqlite"), default="sqlite")
    args = parser.parse_args()

    told = 0

    def progress(tally: Tally) -> None:
        nonlocal told
        for complaint in tally.wrong[told:]:
            print(f"after {tally.requests} requests: {complaint}", file=sys.stderr, flush=True)
        told = len(tally.wrong)
        if tally.requests % 1000 == 0:
            print(f"{tally.requests} requests, {len(tally.wrong)} complaints", file=sys.stderr, flush=True)

    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        tally = run(args.requests, args.store, Path(folder, "store"), args.seed, progress)
    for name, counter in (("request", tally.kinds), ("answer", tally.answers)):
        for kind, count in counter.most_common():
            print(f"{name:<9}{count:>7}  {kind}")
    took = f"{time.monotonic() - began:.0f} s, the slowest answer after {tally.slowest:.2f} s"
    print(f"{tally.requests} requests in {took}; {tally.kept} executions compared; {len(tally.wrong)} complaints")
    seen: collections.Counter[str] = collections.Counter()
    for complaint in tally.wrong:
        sort = complaint.partition(":")[0]
        seen[sort] += 1
        if seen[sort] <= 8:
            print(f"\n{complaint}")
    return int(bool(tally.wrong))


if __name__ == "__main__":
    sys.exit(main())

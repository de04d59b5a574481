"""Where executions are: in a store, or behind an API."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from .._model.execution import ExecutionHeader, ExecutionRecord
from .._model.ids import ExecutionArn
from .._model.operation import ChainedInvokeDetails
from .._wire.clients import lambda_client
from .._wire.history_reader import read_record
from .._wire.rendering import render_event, render_execution, render_summary
from ..runner import DurableFunctionTestRunner
from ..stores.base import ExecutionQuery, ExecutionStore
from .finding import pick
from .problems import NOT_OVER, WRONG_USAGE, Problem

Wire = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Filters of a listing."""

    function: str | None = None
    name: str | None = None
    statuses: tuple[str, ...] = ()
    reverse: bool = False
    limit: int | None = None


class Source(Protocol):
    """What the commands need of executions, all in wire shape."""

    def summaries(self, wanted: Wanted) -> list[Wire]:
        """Executions, newest first."""

    def find(self, text: str, function: str | None) -> str:
        """The ARN that ``text`` fits."""

    def execution(self, arn: str) -> Wire:
        """API Reference: GetDurableExecution."""

    def events(self, arn: str, *, data: bool = True) -> list[Wire]:
        """The whole history."""

    def record(self, arn: str) -> ExecutionRecord:
        """Everything about an execution."""

    def acting_on(self, arn: str) -> Any:
        """As a context: a client like boto3's, for answers and stops."""

    def close(self) -> None:
        """Release what is held open."""


class StoreSource:
    """Executions in a store."""

    def __init__(self, store: ExecutionStore, clock: str = "virtual") -> None:
        self.store = store
        self._clock = clock

    def summaries(self, wanted: Wanted) -> list[Wire]:
        """See ``Source``."""
        query = ExecutionQuery(name=wanted.name, statuses=frozenset(wanted.statuses), reverse=wanted.reverse)
        headers: Any = self.store.list(query)
        if wanted.function is not None:
            headers = [header for header in headers if wanted.function in {_function(header), header.function_arn}]
        return [render_summary(header) for header in headers[: wanted.limit]]

    def find(self, text: str, function: str | None) -> str:
        """See ``Source``."""
        headers = self.store.list(ExecutionQuery())
        return pick(text, [header.arn for header in headers if function in {None, _function(header)}])

    def execution(self, arn: str) -> Wire:
        """See ``Source``."""
        return render_execution(self.store.load(arn).header)

    def events(self, arn: str, *, data: bool = True) -> list[Wire]:
        """See ``Source``."""
        return [render_event(event, data) for event in self.store.load(arn).events]

    def record(self, arn: str) -> ExecutionRecord:
        """See ``Source``."""
        return self.store.load(arn)

    @contextmanager
    def acting_on(self, arn: str) -> Iterator[Any]:
        """See ``Source``. The execution is taken up without its handler, which is not going to run here."""
        record = self.store.load(arn)
        _require_quiet(record)
        with DurableFunctionTestRunner(None, store=self.store, clock=self._clock) as runner:
            runner.mock_invoke(_function(record.header))
            runner.resume(arn)
            yield runner.client

    def close(self) -> None:
        """See ``Source``."""
        self.store.close()


class ApiSource:
    """Executions behind an endpoint, or in AWS."""

    def __init__(self, endpoint_url: str | None, region: str | None) -> None:
        self._client = lambda_client(endpoint_url, region)

    def summaries(self, wanted: Wanted) -> list[Wire]:
        """See ``Source``."""
        if wanted.function is None:
            raise Problem(WRONG_USAGE, "The API lists executions by function: say which, with --function NAME.")
        given: Wire = {"FunctionName": wanted.function, "ReverseOrder": wanted.reverse or None}
        given |= {"DurableExecutionName": wanted.name, "Statuses": list(wanted.statuses) or None}
        params = {name: value for name, value in given.items() if value is not None}
        return self._pages("list_durable_executions_by_function", "DurableExecutions", wanted.limit, params)

    def find(self, text: str, function: str | None) -> str:
        """See ``Source``."""
        if ExecutionArn.parse(text) is not None:
            return text
        if function is None:
            raise Problem(WRONG_USAGE, f"{text!r} is no whole ARN: say with --function NAME whose execution it is.")
        found = self.summaries(Wanted(function=function))
        return pick(text, [each["DurableExecutionArn"] for each in found])

    def execution(self, arn: str) -> Wire:
        """See ``Source``."""
        answer: Wire = self._client.get_durable_execution(DurableExecutionArn=arn)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def events(self, arn: str, *, data: bool = True) -> list[Wire]:
        """See ``Source``."""
        params = {"DurableExecutionArn": arn, "IncludeExecutionData": data}
        return self._pages("get_durable_execution_history", "Events", None, params)

    def record(self, arn: str) -> ExecutionRecord:
        """See ``Source``."""
        return read_record(self.execution(arn), self.events(arn))

    @contextmanager
    def acting_on(self, arn: str) -> Iterator[Any]:
        """See ``Source``."""
        del arn
        yield self._client

    def close(self) -> None:
        """See ``Source``."""
        self._client.close()

    def _pages(self, method: str, key: str, limit: int | None, params: Wire) -> list[Wire]:
        found: list[Wire] = []
        for page in self._client.get_paginator(method).paginate(**params):
            found += page.get(key, [])
            if limit is not None and len(found) >= limit:
                break
        return found[:limit]


def _function(header: ExecutionHeader) -> str:
    return header.function_arn.rpartition(":")[2]


def function_of(store: ExecutionStore, arn: str) -> str:
    """The name of the function whose execution it is."""
    return _function(store.load(arn).header)


def _require_quiet(record: ExecutionRecord) -> None:
    """Refuse to touch an execution that another process has in its hands, or that needs functions to go on."""
    name = record.header.name
    if record.invocations and record.invocations[-1].ended_at is None:
        raise Problem(
            NOT_OVER,
            f"An invocation of {name!r} is under way: another process has it, or was killed. Ask its endpoint with "
            "--endpoint-url, or take it up with durable-runner resume.",
        )
    for operation in record.operations:
        if isinstance(operation.details, ChainedInvokeDetails) and not operation.is_terminal:
            raise Problem(
                NOT_OVER,
                f"{name!r} waits for its invoke of {operation.details.function_name!r}, which is not here. Take it up "
                "with durable-runner resume --function NAME=MODULE:HANDLER.",
            )

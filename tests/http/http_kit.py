"""What tests of the endpoint share: the app without a socket, and short words for requests."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote, urlencode

from async_durable_execution import create_callback, durable_callable, durable_execution, step, wait

from async_durable_execution_runner import DurableFunctionTestRunner
from async_durable_execution_runner._http.app import App
from async_durable_execution_runner._http.messages import Request, Response

LIMIT = 6 * 1024 * 1024


@durable_callable
async def double(number: int) -> int:
    return number * 2


@durable_execution
async def asks(event: Any) -> Any:
    approval = await create_callback(name="approval", timeout=timedelta(days=2), heartbeat_timeout=timedelta(days=1))
    return {"event": event, "answer": await approval.result()}


@durable_execution
async def adds(event: Any) -> Any:
    doubled = await step(double(event["n"]), name="double")
    await wait(timedelta(seconds=1), name="pause")
    return doubled


@durable_execution
async def fails(event: Any) -> Any:
    raise ValueError("no stock")


def plain(event: Any, context: Any) -> Any:
    return {"got": event}


FUNCTIONS = {"asks": asks, "adds": adds, "fails": fails, "plain": plain}


@dataclass(kw_only=True)
class Api:
    """The app around a runner, which the test drives itself."""

    app: App
    runner: DurableFunctionTestRunner
    extra: dict[str, Any] = field(default_factory=dict)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Any = "",
        headers: Mapping[str, str] | None = None,
        body: Any = b"",
        cut: bool = False,
    ) -> Response:
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        text = query if isinstance(query, str) else urlencode(query, doseq=True)
        lower = {name.lower(): value for name, value in (headers or {}).items()}
        return self.app(Request(method=method, path=path, query=text, headers=lower, body=body, cut=cut))

    def invoke(self, name: str, body: Any = b"", **headers: str) -> Response:
        named = {f"x-amz-{key.replace('_', '-')}": value for key, value in headers.items()}
        return self.send("POST", f"/2015-03-31/functions/{quote(name, safe='')}/invocations", headers=named, body=body)

    def opened(self, execution_name: str = "order-7") -> tuple[str, str]:
        """ARN and callback id of an execution that waits for its approval."""
        arn = self.runner.run_async({}, function_name="asks", execution_name=execution_name)
        return arn, self.runner.wait_for_callback(arn, "approval")

    def running(self) -> tuple[str, str]:
        """ARN and checkpoint token of an execution whose invocation has just begun, with nobody in it."""
        arn = self.runner.run_async({"n": 1}, function_name="adds", execution_name="order-8")
        local = self.runner._local
        return arn, local.executor.begin_invocation(arn, local.clock.now_millis()).token


@contextmanager
def api(**options: Any) -> Iterator[Api]:
    with DurableFunctionTestRunner(None, **options) as runner:
        for name, function in FUNCTIONS.items():
            runner.register_function(name, function)
        yield Api(app=App(runner.client._perform, LIMIT), runner=runner)


def execution(arn: str, action: str = "") -> str:
    return f"/2025-12-01/durable-executions/{quote(arn, safe='')}{action}"


def callback(callback_id: str, action: str) -> str:
    return f"/2025-12-01/durable-execution-callbacks/{quote(callback_id, safe='')}/{action}"


def content(response: Response) -> Any:
    return json.loads(response.body)


def error_of(response: Response) -> tuple[int, str, Any]:
    """Status, exception and message."""
    told = content(response)
    assert response.headers["x-amzn-requestid"]
    return response.status, response.headers["x-amzn-errortype"], told.get("message", told.get("Message"))

"""What tests of the cloud runner share: a Lambda client that answers what a test tells it to, and handlers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import async_durable_execution as sdk
from botocore.exceptions import ClientError

ARN = "arn:aws:lambda:us-west-2:123456789012:function:orders:$LATEST/durable-execution/order-7/abc"
START = datetime(2025, 12, 1, tzinfo=UTC)


def refused(code: str, status: int = 400, message: str = "no") -> ClientError:
    """An error of the service, as botocore raises it."""
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "Operation")  # type: ignore[arg-type]


def event(number: int, kind: str, details: Any = None, **envelope: Any) -> dict[str, Any]:
    """An event in wire shape; one of an operation has an ``Id`` and more."""
    moment = START + timedelta(seconds=number)
    told = {"EventId": number, "EventType": kind, "EventTimestamp": moment, **envelope}
    return {**told, f"{kind}Details": details or {}}


def payload(text: str) -> dict[str, Any]:
    return {"Payload": text, "Truncated": False}


STARTED = event(1, "ExecutionStarted", {"Input": payload("{}"), "ExecutionTimeout": 0})
OPENED = event(2, "CallbackStarted", {"CallbackId": "callback-1"}, Id="c", Name="approval", SubType="Callback")
SUSPENDED = event(3, "InvocationCompleted", {"StartTimestamp": START, "EndTimestamp": START, "RequestId": "r"})
ENDED = event(4, "ExecutionSucceeded", {"Result": payload('"shipped"')})


def execution(status: str = "SUCCEEDED", **more: Any) -> dict[str, Any]:
    """An answer of GetDurableExecution."""
    told = {"DurableExecutionArn": ARN, "DurableExecutionName": "order-7", "Status": status, "StartTimestamp": START}
    if status == "SUCCEEDED":
        told |= {"Result": '"shipped"', "EndTimestamp": START + timedelta(seconds=4)}
    return {**told, **more}


class FakeClient:
    """A Lambda client. An operation's answers come in order, the last one for ever; errors are raised."""

    def __init__(self, **answers: Any) -> None:
        self.meta = SimpleNamespace(region_name="us-west-2")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._answers = {
            "invoke": [{"StatusCode": 202, "DurableExecutionArn": ARN}],
            "get_durable_execution": [execution()],
            "get_durable_execution_history": [{"Events": [STARTED, OPENED, SUSPENDED, ENDED]}],
        }
        self._answers |= {name: list(told) if isinstance(told, list) else [told] for name, told in answers.items()}

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(**params: Any) -> Any:
            self.calls.append((name, params))
            answers = self._answers[name]
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            if isinstance(answer, Exception):
                raise answer
            return {**answer, "ResponseMetadata": {"HTTPStatusCode": 200}}

        return call

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@sdk.durable_execution
async def asks(event: Any) -> Any:
    approval = await sdk.create_callback(name="approval", timeout=timedelta(days=2))
    return {"event": event, "answer": await approval.result()}


@sdk.durable_execution
async def adds(event: Any) -> Any:
    async def double() -> int:
        return int(event["n"]) * 2

    doubled = await sdk.step(double, name="double")
    await sdk.wait(timedelta(seconds=1), name="pause")
    return doubled


@sdk.durable_execution
async def fails(event: Any) -> Any:
    raise ValueError("no stock")


FUNCTIONS = {"asks": asks, "adds": adds, "fails": fails}

"""Many executions at a time on one endpoint, each with waits and a callback, by real clients in threads.

    python tests/http/crowd.py --executions 200

Half of them are started as events and watched; the others are synchronous invocations, whose callers wait on the line
while somebody else finds and answers their callbacks. Prints how long all of it took.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import boto3
from async_durable_execution import create_callback, durable_callable, durable_execution, step, wait
from botocore.config import Config

from async_durable_execution_runner import DurableEndpoint

PATIENCE = 120.0


@durable_callable
async def price(number: int) -> int:
    return number * 2


@durable_execution
async def order(event: int) -> Any:
    doubled = await step(price(event), name="price")
    await wait(1, name="first")
    approval = await create_callback(name="approval", timeout=3600)
    answer = await approval.result()
    await wait(1, name="second")
    return [doubled, answer]


@dataclass
class Crowd:
    """What its members share."""

    client: Any

    def watched(self, number: int) -> Any:
        """Start an execution, answer its callback, and see it end."""
        arn = self._invoke(number, "Event")["DurableExecutionArn"]
        self.answer(arn, number)
        until(lambda: self.client.get_durable_execution(DurableExecutionArn=arn)["Status"] != "RUNNING")
        return self.client.get_durable_execution(DurableExecutionArn=arn)["Result"]

    def waiting(self, number: int) -> Any:
        """Stay on the line until an execution is over."""
        return self._invoke(number, "RequestResponse")["Payload"].read().decode()

    def answer_by_name(self, number: int) -> None:
        """Find an execution of somebody who waits on the line, and answer its callback."""
        self.answer(until(lambda: self._arn_of(number)), number)

    def answer(self, arn: str, number: int) -> None:
        callback_id = until(lambda: self._callback_of(arn))
        self.client.send_durable_execution_callback_heartbeat(CallbackId=callback_id)
        self.client.send_durable_execution_callback_success(CallbackId=callback_id, Result=f"yes {number}".encode())

    def _invoke(self, number: int, kind: str) -> Any:
        return self.client.invoke(
            FunctionName="order",
            InvocationType=kind,
            DurableExecutionName=f"order-{number}",
            Payload=str(number).encode(),
        )

    def _arn_of(self, number: int) -> Any:
        found = self.client.list_durable_executions_by_function(
            FunctionName="order", DurableExecutionName=f"order-{number}"
        )["DurableExecutions"]
        return found[0]["DurableExecutionArn"] if found else None

    def _callback_of(self, arn: str) -> Any:
        events = self.client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        found = [event["CallbackStartedDetails"] for event in events if event["EventType"] == "CallbackStarted"]
        return found[0]["CallbackId"] if found else None


def until(look: Callable[[], Any]) -> Any:
    """What ``look`` finds, as soon as it finds something."""
    end, pause = time.monotonic() + PATIENCE, 0.05
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(pause)
        pause = min(0.5, pause * 1.5)
    raise AssertionError(f"it has not come within {PATIENCE:g} s")


def run(executions: int) -> tuple[float, list[str]]:
    """Run them all: seconds, and what went wrong."""
    # Nobody sends anything twice: a call that fails is to be seen.
    config = Config(max_pool_connections=2 * executions, read_timeout=PATIENCE, retries={"max_attempts": 0})
    began = time.monotonic()
    with DurableEndpoint({"order": order}) as endpoint, ThreadPoolExecutor(2 * executions) as pool:
        crowd = Crowd(client=boto3.client("lambda", **endpoint.client_options, config=config))
        watched = {number: pool.submit(crowd.watched, number) for number in range(0, executions, 2)}
        waiting = {number: pool.submit(crowd.waiting, number) for number in range(1, executions, 2)}
        answers = [pool.submit(crowd.answer_by_name, number) for number in waiting]
        wrong = [f"answering: {error!r}" for each in answers if (error := each.exception()) is not None]
        for number, future in (watched | waiting).items():
            wanted = f'[{2 * number}, "yes {number}"]'
            told = repr(future.exception()) if future.exception() is not None else future.result()
            if told != wanted:
                wrong.append(f"order-{number}: {told}, not {wanted}")
        crowd.client.close()
    return time.monotonic() - began, wrong


def main() -> int:
    """Print how it went; exit status 1 if an execution did not end as it should."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--executions", type=int, default=200)
    args = parser.parse_args()
    seconds, wrong = run(args.executions)
    print(f"{args.executions} executions at a time, with two waits of 1 s and a callback each: {seconds:.1f} s")
    print("\n".join(wrong) or "all ended as they should")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())

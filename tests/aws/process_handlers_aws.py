"""A handler of AWS's SDK for tests in processes of their own. Its first invocation is killed in its step."""

import os
from pathlib import Path

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution, durable_step
from aws_durable_execution_sdk_python.config import Duration


@durable_step
def price(step_context: StepContext, item: str) -> int:
    mark = Path(os.environ["SCRATCH"], "died")
    if not mark.exists():
        mark.touch()
        os._exit(7)
    return {"lamp": 40}[item]


@durable_execution
def handler(event, context: DurableContext):
    amount = context.step(price(event["item"]), name="price")
    context.wait(Duration.from_seconds(1), name="pause")
    return amount

"""``pause``, and ``resume`` of what was paused: for executions behind an API that knows pauses."""

from __future__ import annotations

from typing import Any

import click

from .options import api_options, examples, function_option
from .problems import WRONG_USAGE, Problem
from .sources import ApiSource


@click.command(
    "pause",
    epilog=examples(
        "durable-runner pause order-7 --function orders --endpoint-url http://127.0.0.1:8585",
        "durable-runner resume ARN --endpoint-url http://127.0.0.1:8585",
    ),
)
@click.argument("arn")
@function_option
@api_options
def pause(*, arn: str, function: str | None, endpoint_url: str | None, region: str | None) -> None:
    """Pause an execution behind an endpoint, or in AWS. ARN as for show."""
    change(arn, function, endpoint_url, region, "PauseDurableExecution", "pause_durable_execution")


def change(
    arn: str, function: str | None, endpoint_url: str | None, region: str | None, operation: str, method: str
) -> None:
    """Ask the API to pause or to resume an execution, and say how it stands then."""
    if endpoint_url is None and region is None:
        raise Problem(WRONG_USAGE, "Behind which API? Say --endpoint-url, or --region for AWS.")
    source = ApiSource(endpoint_url, region)
    try:
        found = source.find(arn, function)
        with source.acting_on(found) as client:
            _method(client, operation, method)(DurableExecutionArn=found)
        click.echo(f"{source.execution(found)['Status']} {found}")
    finally:
        source.close()


def _method(client: Any, operation: str, method: str) -> Any:
    found = getattr(client, method, None)
    if found is None:
        newer = "a newer one does, pip install --upgrade botocore"
        raise Problem(WRONG_USAGE, f"The installed botocore knows no {operation}: {newer}.")
    return found

"""``list``, ``show``, ``history`` and ``prune``."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from .._engine.resume import latest_instant
from .._model.enums import ExecutionStatus
from .._model.execution import ExecutionRecord
from .._model.ids import ExecutionArn
from .._render.tree import render_tree
from ..clock import RealClock, from_millis
from ..stores.base import ExecutionQuery, ExecutionStore
from ..stores.pruning import prune as prune_store
from .options import api_options, examples, existing_store, function_option, json_option, source_options, store_options
from .output import columns, event_line, moment, show, show_json, show_timeline, span
from .problems import WRONG_USAGE, Problem
from .sources import Source, Wanted, Wire

_HEAD = ("STATUS", "STARTED (UTC)", "TOOK", "FUNCTION", "NAME", "ID")
_STATUSES = click.Choice([status.value for status in ExecutionStatus], case_sensitive=False)


@click.command(
    "list",
    epilog=examples(
        "durable-runner list --store sqlite",
        "durable-runner list --function orders --status RUNNING --store-path executions",
        "durable-runner list --function orders --endpoint-url http://127.0.0.1:8585",
        "durable-runner list --store sqlite --arns | xargs -n 1 durable-runner show --store sqlite",
    ),
)
@click.option("--function", metavar="NAME", help="only executions of this function; an API has to be told.")
@click.option("--name", help="only executions of this name.")
@click.option("--status", "statuses", type=_STATUSES, multiple=True, help="only these; can be given several times.")
@click.option("--limit", type=click.IntRange(1), help="at most so many.")
@click.option("--reverse", is_flag=True, help="oldest first.")
@click.option("--arns", is_flag=True, help="print nothing but ARNs.")
@json_option
@source_options
def list_(
    source: Source,
    *,
    function: str | None,
    name: str | None,
    statuses: tuple[str, ...],
    limit: int | None,
    reverse: bool,
    arns: bool,
    as_json: bool,
) -> None:
    """List executions, newest first."""
    wanted = Wanted(function=function, name=name, statuses=statuses, reverse=reverse, limit=limit)
    found = source.summaries(wanted)
    if as_json:
        show_json({"DurableExecutions": found})
    elif arns:
        for each in found:
            click.echo(each["DurableExecutionArn"])
    elif not found:
        click.echo("No executions.", err=True)
    else:
        show("\n".join(columns([_HEAD, *map(_row, found)])))


def _row(summary: Wire) -> tuple[str, ...]:
    began, ended = summary["StartTimestamp"].astimezone(UTC), summary.get("EndTimestamp")
    arn = ExecutionArn.parse(summary["DurableExecutionArn"])
    function, short = (arn.function_name, arn.id[:8]) if arn is not None else ("-", "-")
    return summary["Status"], moment(began), span(began, ended), function, summary["DurableExecutionName"], short


@click.command(
    "show",
    epilog=examples(
        "durable-runner show order-7 --store sqlite",
        "durable-runner show orders --store sqlite       # the only execution of that function",
        "durable-runner show order-7 --function orders --endpoint-url http://127.0.0.1:8585",
        "durable-runner show order-7 --store sqlite --html order-7.html",
        "durable-runner show order-7 --store sqlite --json",
    ),
)
@click.argument("arn")
@function_option
@click.option("--html", type=click.Path(dir_okay=False), metavar="FILE", help="write a page to look at instead.")
@json_option
@source_options
def show_(source: Source, *, arn: str, function: str | None, html: str | None, as_json: bool) -> None:
    """Show an execution as a tree of its operations, and against time.

    ARN is a whole ARN, or the beginning of one, of a function's name, an execution's name or its id.
    """
    if as_json and html is not None:
        raise Problem(WRONG_USAGE, "--json prints the execution, --html writes a page of it: give one of them.")
    found = source.find(arn, function)
    if as_json:
        show_json(source.execution(found))
    elif html is not None:
        _write_page(source.record(found), Path(html))
    else:
        record = source.record(found)
        # As of the last thing that happened: the clock of the run may have been a virtual one.
        now = latest_instant(record)
        show(render_tree(record, now))
        show_timeline(record, now)
        show(found)


def _write_page(record: ExecutionRecord, file: Path) -> None:
    from .._render.page import render_page
    from .._render.page_data import execution_data

    now = latest_instant(record)
    page = render_page(record.header.name, [execution_data(record, now)], render_tree(record, now))
    file.write_bytes(page)
    click.echo(file)


@click.command(
    "history",
    epilog=examples(
        "durable-runner history order-7 --store sqlite",
        "durable-runner history order-7 --store sqlite --json > order-7.json",
    ),
)
@click.argument("arn")
@function_option
@click.option("--no-data", is_flag=True, help="leave out inputs, results and errors.")
@json_option
@source_options
def history(source: Source, *, arn: str, function: str | None, no_data: bool, as_json: bool) -> None:
    """Show all events of an execution, in order. ARN as for show."""
    events = source.events(source.find(arn, function), data=not no_data)
    if as_json:
        show_json({"Events": events})
        return
    if events:
        show("\n".join(columns(_line(each, events[0]["EventTimestamp"]) for each in events)))


def _line(event: Wire, began: datetime) -> tuple[str, ...]:
    return str(event["EventId"]), span(began, event["EventTimestamp"]), *event_line(event)


@click.command(
    "prune",
    epilog=examples(
        "durable-runner prune --store sqlite --dry-run",
        "durable-runner prune --store sqlite",
        "durable-runner prune --store sqlite --now 2026-01-31",
    ),
)
@click.option(
    "--now", metavar="INSTANT", help="an ISO date or instant, in UTC unless it says so.  [the machine's clock]"
)
@click.option("--dry-run", is_flag=True, help="delete nothing, print what would be.")
@store_options
@api_options
def prune(
    *,
    store: str | None,
    store_path: str | None,
    endpoint_url: str | None,
    region: str | None,
    now: str | None,
    dry_run: bool,
) -> None:
    """Delete executions of a store whose retention is over, and print their ARNs.

    Retention begins when an execution ends and lasts 14 days, unless its runner said otherwise. An execution that ran
    on the virtual clock ended when that clock said so.
    """
    if endpoint_url is not None or region is not None:
        raise Problem(
            WRONG_USAGE,
            "The API has nothing that prunes. AWS forgets executions by itself; of an endpoint, prune the store that "
            "it was started with: --store, --store-path.",
        )
    until = _instant(now)
    with closing(existing_store(store, store_path)) as opened:
        target: Any = _Untouched(opened) if dry_run else opened
        for arn in prune_store(target, until):
            click.echo(arn)


def _instant(text: str | None) -> datetime:
    if text is None:
        return from_millis(RealClock().now_millis())
    try:
        given = datetime.fromisoformat(text)
    except ValueError:
        raise Problem(WRONG_USAGE, f"--now is an ISO date or instant, such as 2026-01-31, not {text!r}.") from None
    return given if given.tzinfo is not None else given.replace(tzinfo=UTC)


class _Untouched:
    """A store that keeps what it is told to delete."""

    def __init__(self, store: ExecutionStore) -> None:
        self._store = store

    def list(self, query: ExecutionQuery) -> object:
        return self._store.list(query)

    def delete(self, execution_arn: str) -> None:
        """Nothing."""

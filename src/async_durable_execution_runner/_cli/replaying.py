"""``replay``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from ..replaying import replay as replay_history
from .options import examples, json_option
from .output import show, show_json
from .problems import NOT_SUCCEEDED


@click.command(
    "replay",
    epilog=examples(
        "durable-runner replay orders:handler tests/histories/*.json",
        "aws lambda get-durable-execution-history --include-execution-data --durable-execution-arn ARN > order-7.json",
        "durable-runner replay orders:handler order-7.json",
        "durable-runner replay orders:handler order-7.json --prefixes invocations --json",
    ),
)
@click.argument("handler", metavar="MODULE:HANDLER")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--prefixes",
    type=click.Choice(["events", "invocations"]),
    default="events",
    show_default=True,
    help="where replays begin: at every recorded event, or at the beginnings of invocations only.",
)
@json_option
def replay(handler: str, files: tuple[Path, ...], *, prefixes: str, as_json: bool) -> None:
    """Run a handler against recorded histories, and tell every difference.

    No step runs: all answers come from the history. The exit code is 1 if anything has drifted.
    """
    reports = [(path, replay_history(handler, path, raise_on_failure=False, prefixes=prefixes)) for path in files]
    if as_json:
        show_json({str(path): asdict(report) for path, report in reports})
    else:
        show("\n\n".join(f"{path}: {report.render()}" for path, report in reports))
    if not all(report.ok for _, report in reports):
        click.get_current_context().exit(NOT_SUCCEEDED)

"""``serve``: the endpoint, until somebody ends it."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType

import click

from ..endpoint import DurableEndpoint
from ..stores.selection import open_store
from .options import examples, pairs, store_options, store_type

_SLICE = 0.25
_ISOLATION = click.Choice(["inline", "process"])


@click.command(
    "serve",
    epilog=examples(
        "durable-runner serve --function orders=orders:handler",
        "durable-runner serve --function orders=orders:handler --function tax=taxes:tax --store sqlite --port 0",
        "durable-runner serve --function orders=orders:handler --store sqlite --resume",
        "durable-runner serve --function orders=orders:handler --reload",
        "durable-runner serve --function orders=http://127.0.0.1:9000/2015-03-31/functions/function/invocations",
        "aws lambda invoke --endpoint-url http://127.0.0.1:8585 --function-name orders out.json",
    ),
)
@click.option(
    "--function",
    "functions",
    metavar="NAME=FUNCTION",
    multiple=True,
    required=True,
    help="a function: MODULE:HANDLER, or http://HOST:PORT/… where one takes invocations (plain+http://… if ordinary).",
)
@click.option("--host", default="127.0.0.1", show_default=True, help="the address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8585, show_default=True, help="0 takes a free one.")
@click.option("--allow-remote", is_flag=True, help="let --host be an address that other machines can reach.")
@click.option("--isolation", type=_ISOLATION, default="inline", show_default=True, help="where functions run.")
@click.option("--reload", is_flag=True, help="import functions anew when their code has changed.")
@click.option("--resume", is_flag=True, help="go on with executions of the store that an earlier process left.")
@click.option("--clock", type=click.Choice(["virtual", "real"]), default="real", show_default=True, help="of waits.")
@store_options
def serve(
    *,
    functions: tuple[str, ...],
    host: str,
    port: int,
    allow_remote: bool,
    isolation: str,
    reload: bool,
    resume: bool,
    clock: str,
    store: str | None,
    store_path: str | None,
) -> None:
    """Serve Invoke and the durable operations of the Lambda API over HTTP, until Ctrl-C.

    Its first line says where. Any AWS SDK, the AWS CLI and the other commands here can ask it, with --endpoint-url.
    """
    named = pairs(functions, "--function", "NAME=MODULE:HANDLER")
    if reload:
        _tell_of_reloads()
    with (
        _told_to_end() as told,  # before anybody knows that it is there
        closing(open_store(store_type(store, store_path), store_path)) as opened,
        DurableEndpoint(
            named,
            store=opened,
            host=host,
            port=port,
            allow_remote=allow_remote,
            isolation=isolation,
            reload=reload,
            resume=resume,
            clock=clock,
        ) as endpoint,
    ):
        click.echo(f"Listening on {endpoint.url}")
        click.echo(f"Functions: {', '.join(named)}. Ctrl-C ends it.", err=True)
        if left := len(endpoint.unfinished):
            click.echo(f"The store has {left} that are not over and do not run here; --resume takes them up.", err=True)
        # In slices: a signal does not end a wait on Windows, nor anywhere if another thread is interrupted by it.
        while not told.wait(_SLICE):
            pass


@contextmanager
def _told_to_end() -> Iterator[threading.Event]:
    """Set by Ctrl-C, and by whatever else politely ends a process."""
    told = threading.Event()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.set()

    before = {each: signal.signal(each, tell) for each in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield told
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def _tell_of_reloads() -> None:
    log = logging.getLogger("async_durable_execution_runner")
    log.setLevel(logging.INFO)
    log.addHandler(logging.StreamHandler())

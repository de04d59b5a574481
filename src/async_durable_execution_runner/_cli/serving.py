"""``serve``: the endpoint, until somebody ends it."""

from __future__ import annotations

import ipaddress
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import FrameType

import click

from ..endpoint import DurableEndpoint
from ..stores.selection import open_store
from .options import examples, pairs, store_options, store_type
from .problems import WRONG_USAGE, Problem


@click.command(
    "serve",
    epilog=examples(
        "durable-runner serve --function orders=orders:handler",
        "durable-runner serve --function orders=orders:handler --function tax=taxes:tax --store sqlite --port 0",
        "aws lambda invoke --endpoint-url http://127.0.0.1:8585 --function-name orders out.json",
    ),
)
@click.option(
    "--function", "functions", metavar="NAME=MODULE:HANDLER", multiple=True, required=True, help="a function."
)
@click.option("--host", default="127.0.0.1", show_default=True, help="the address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8585, show_default=True, help="0 takes a free one.")
@click.option("--allow-remote", is_flag=True, help="let --host be an address that other machines can reach.")
@click.option("--clock", type=click.Choice(["virtual", "real"]), default="real", show_default=True, help="of waits.")
@store_options
def serve(
    *,
    functions: tuple[str, ...],
    host: str,
    port: int,
    allow_remote: bool,
    clock: str,
    store: str | None,
    store_path: str | None,
) -> None:
    """Serve Invoke and the durable operations of the Lambda API over HTTP, until Ctrl-C.

    Its first line says where. Any AWS SDK, the AWS CLI and the other commands here can ask it, with --endpoint-url.
    """
    _check_host(host, allow_remote=allow_remote)
    named = pairs(functions, "--function", "NAME=MODULE:HANDLER")
    with (
        _told_to_end() as told,  # before anybody knows that it is there
        closing(open_store(store_type(store, store_path), store_path)) as opened,
        DurableEndpoint(named, store=opened, host=host, port=port, clock=clock) as endpoint,
    ):
        click.echo(f"Listening on {endpoint.url}")
        click.echo(f"Functions: {', '.join(named)}. Ctrl-C ends it.", err=True)
        # In slices, because on Windows a signal does not end a wait.
        while not told.wait(0.5 if os.name == "nt" else None):
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


def _check_host(host: str, *, allow_remote: bool) -> None:
    if host == "localhost" or _is_loopback(host):
        return
    if not allow_remote:
        raise Problem(
            WRONG_USAGE, f"Whoever can reach {host} could run these functions: say --allow-remote if so be it."
        )
    click.echo(f"Warning: whoever can reach {host} can run these functions; signatures are not checked.", err=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

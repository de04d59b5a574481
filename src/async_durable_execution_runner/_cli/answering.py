"""``callback`` and ``stop``: what the world does to an execution."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

import click

from .._model.ids import read_callback_id
from .options import examples, function_option, read, source_options
from .problems import NOT_FOUND, WRONG_USAGE, Problem
from .sources import ApiSource, Source, Wire

_WHICH = (
    click.argument("callback_id", required=False),
    click.option("--execution", metavar="ARN", help="instead of the id: the execution, as for show."),
    click.option("--name", default="*", help="with --execution: the callback's name; a glob will do."),
    function_option,
)


@click.group("callback")
def callback() -> None:
    """Answer a callback by its id, or by its execution and its name.

    In a store the execution is changed, but not run on: durable-runner resume does that.
    """


def _which(command: Any) -> Any:
    for option in reversed(_WHICH):
        command = option(command)
    return source_options(command)


@callback.command(
    "succeed",
    epilog=examples(
        "durable-runner callback succeed --execution order-7 --name approval --result yes --store sqlite",
        "durable-runner callback succeed WyJhcm46… --result @answer.json --endpoint-url http://127.0.0.1:8585",
    ),
)
@click.option("--result", metavar="TEXT|@FILE|-", help="the result, as it is: text, a file, or a pipe.")
@_which
def succeed(source: Source, *, result: str | None, **which: Any) -> None:
    """Answer a callback with a result."""
    given = {"Result": read(result, "--result").encode()} if result is not None else {}
    _answer(source, which, lambda client: client.send_durable_execution_callback_success, given)


@callback.command(
    "fail",
    epilog=examples(
        "durable-runner callback fail --execution order-7 --error Refused --message 'too much' --store sqlite",
    ),
)
@click.option("--error", metavar="TYPE", help="the error's type.")
@click.option("--message", help="the error's message.")
@_which
def fail(source: Source, *, error: str | None, message: str | None, **which: Any) -> None:
    """Answer a callback with an error."""
    given = {"Error": error_of(error, message)}
    _answer(source, which, lambda client: client.send_durable_execution_callback_failure, given)


@callback.command(
    "heartbeat",
    epilog=examples("durable-runner callback heartbeat --execution order-7 --endpoint-url http://127.0.0.1:8585"),
)
@_which
def heartbeat(source: Source, **which: Any) -> None:
    """Say that a callback's answer is still being worked on."""
    _answer(source, which, lambda client: client.send_durable_execution_callback_heartbeat, {})


@click.command(
    "stop",
    epilog=examples(
        "durable-runner stop order-7 --store sqlite",
        "durable-runner stop order-7 --function orders --message 'sold out' --endpoint-url http://127.0.0.1:8585",
    ),
)
@click.argument("arn")
@function_option
@click.option("--error", metavar="TYPE", help="the type of the error that it ends with.")
@click.option("--message", help="the message of that error.")
@source_options
def stop(source: Source, *, arn: str, function: str | None, error: str | None, message: str | None) -> None:
    """Stop an execution. ARN as for show. One that is over stays as it is."""
    found = source.find(arn, function)
    given = {"Error": error_of(error, message)} if error is not None or message is not None else {}
    with source.acting_on(found) as client:
        client.stop_durable_execution(DurableExecutionArn=found, **given)
    click.echo(f"{source.execution(found)['Status']} {found}")


def error_of(kind: str | None, message: str | None) -> Wire:
    """An error in wire shape."""
    return {name: text for name, text in (("ErrorType", kind), ("ErrorMessage", message)) if text is not None}


def _answer(source: Source, which: dict[str, Any], method: Callable[[Any], Any], given: Wire) -> None:
    arn, callback_id = _find(source, **which)
    with source.acting_on(arn) as client:
        method(client)(CallbackId=callback_id, **given)
    click.echo(f"Answered a callback of {arn}" if arn else "Answered.")


def _find(
    source: Source, *, callback_id: str | None, execution: str | None, name: str, function: str | None
) -> tuple[str, str]:
    """The callback's execution and id. An id of AWS does not say whose it is, and AWS does not ask."""
    if (callback_id is None) == (execution is None):
        raise Problem(WRONG_USAGE, "Which callback? Give its id, or --execution ARN and --name NAME.")
    if execution is not None:
        arn = source.find(execution, function)
        return arn, _open_callback(source, arn, name)
    parts = read_callback_id(callback_id or "")
    if parts is None and not isinstance(source, ApiSource):
        raise Problem(NOT_FOUND, f"{callback_id!r} is no callback's id: durable-runner history shows whole ones.")
    return parts[0] if parts is not None else "", callback_id or ""


def _open_callback(source: Source, arn: str, name: str) -> str:
    """The one callback of that name that nobody has answered. Raises ``Problem`` for none and for several."""
    waiting: dict[str, tuple[str, str]] = {}
    for event in source.events(arn):
        kind = event["EventType"]
        if kind == "CallbackStarted":
            waiting[event["Id"]] = (event.get("Name") or "", event["CallbackStartedDetails"]["CallbackId"])
        elif kind.startswith("Callback"):
            waiting.pop(event.get("Id", ""), None)
    fitting = [callback_id for called, callback_id in waiting.values() if fnmatch.fnmatchcase(called, name)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(repr(called) for called, _ in waiting.values()) or "none"
    how_many = "No open callback" if not fitting else f"{len(fitting)} open callbacks"
    raise Problem(NOT_FOUND, f"{how_many} of that name: open are {names}.")

"""Options that several commands share."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ..stores.base import ExecutionStore, StoreType
from ..stores.selection import PATH_VARIABLE, TYPE_VARIABLE, open_store
from .problems import UNREACHABLE, WRONG_USAGE, Problem
from .sources import ApiSource, Source, StoreSource

Command = TypeVar("Command", bound=Callable[..., Any])
_DEFAULT_PATHS = {"filesystem": ".durable_executions", "sqlite": ".durable_executions/executions.sqlite3"}
_SQLITE = {".sqlite3", ".sqlite", ".db"}

_STORE = (
    click.option(
        "--store", metavar="TYPE", help=f"filesystem or sqlite; else {TYPE_VARIABLE}.  [memory for run, serve]"
    ),
    click.option("--store-path", metavar="PATH", help=f"where the store is; else {PATH_VARIABLE}, else its default."),
)
_API = (
    click.option("--endpoint-url", metavar="URL", help="ask an endpoint, not a store: http://127.0.0.1:8585"),
    click.option("--region", help="ask AWS in that region, with the credentials that boto3 finds."),
)


def store_options(command: Any) -> Any:
    """``--store`` and ``--store-path``."""
    return _with(_STORE, command)


def api_options(command: Any) -> Any:
    """``--endpoint-url`` and ``--region``."""
    return _with(_API, command)


def json_option(command: Command) -> Command:
    """``--json``."""
    option = click.option("--json", "as_json", is_flag=True, help="print JSON, in the form in which the AWS CLI does.")
    return option(command)


def function_option(command: Command) -> Command:
    """``--function``, where it says in whose executions to look."""
    return click.option("--function", metavar="NAME", help="look only among executions of this function.")(command)


def source_options(command: Any) -> Any:
    """``--store``, ``--store-path``, ``--endpoint-url``, ``--region``: the command gets the source they lead to."""

    @functools.wraps(command)
    def with_source(
        *args: Any,
        store: str | None,
        store_path: str | None,
        endpoint_url: str | None,
        region: str | None,
        **given: Any,
    ) -> Any:
        with contextlib.closing(_source(store, store_path, endpoint_url, region)) as source:
            return command(*args, source=source, **given)

    return _with(_STORE + _API, with_source)


def _with(options: tuple[Any, ...], command: Any) -> Any:
    for option in reversed(options):
        command = option(command)
    return command


def _source(store: str | None, path: str | None, endpoint_url: str | None, region: str | None) -> Source:
    if endpoint_url is None and region is None:
        return StoreSource(existing_store(store, path))
    if store is not None or path is not None:
        raise Problem(WRONG_USAGE, "Executions are in a store or behind an API: leave out one of the two.")
    return ApiSource(endpoint_url, region)


def existing_store(store: str | None, path: str | None) -> ExecutionStore:
    """The store that is named. Raises ``Problem`` if none is, or if it does not exist: looking makes nothing."""
    kind = store_type(store, path) or os.environ.get(TYPE_VARIABLE)
    if kind is None or kind == StoreType.MEMORY:
        raise Problem(
            WRONG_USAGE,
            "Which executions? Name a store, --store sqlite or --store filesystem (with --store-path, or "
            f"{TYPE_VARIABLE} and {PATH_VARIABLE}), or an API, --endpoint-url or --region.",
        )
    place = path or os.environ.get(PATH_VARIABLE) or _DEFAULT_PATHS.get(kind)
    if place is not None and kind in _DEFAULT_PATHS and not Path(place).exists():
        raise Problem(UNREACHABLE, f"There is no {kind} store at {place}.")
    return open_store(kind, place)


def store_type(store: str | None, path: str | None) -> str | None:
    """``--store``; without it, what ``--store-path`` looks like."""
    if store is not None or path is None or os.environ.get(TYPE_VARIABLE):
        return store
    given = Path(path)
    is_file = given.suffix in _SQLITE or given.is_file() or (given / "executions.sqlite3").exists()
    return StoreType.SQLITE if is_file else StoreType.FILESYSTEM


def payload(text: str | None, what: str) -> str | None:
    """JSON given as text, as ``@file`` or as ``-`` for standard input. Raises ``Problem`` for what is no JSON."""
    if text is None:
        return None
    given = read(text, what)
    try:
        json.loads(given)
    except ValueError as error:
        raise Problem(WRONG_USAGE, f"{what} is no JSON: {error}. Text needs quotes of its own: '\"text\"'.") from None
    return given


def read(text: str, what: str) -> str:
    """Text given as it is, as ``@file`` or as ``-`` for standard input."""
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except OSError as error:
        raise Problem(WRONG_USAGE, f"{what}: cannot read {text[1:]}: {error.strerror}") from None


def pairs(given: tuple[str, ...], option: str, example: str) -> dict[str, str]:
    """``NAME=VALUE``, several times. Raises ``Problem`` for one that is written otherwise."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise Problem(WRONG_USAGE, f"{option} is written {example}, not {each!r}.")
        found[name] = value
    return found


def examples(*lines: str) -> str:
    """The end of a command's help. Click leaves lines behind a backspace as they are."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)

"""``run`` and ``resume``: the commands that call handlers here."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from contextlib import closing, nullcontext
from typing import TYPE_CHECKING, Any

import click

from .._render.pending import pending_lines
from ..exceptions import ExecutionStuckError, ExecutionTimeoutError
from ..observer import ExecutionObserver
from ..result import ExecutionStatus
from ..runner import DurableFunctionTestRunner
from ..stores.base import ExecutionStore
from ..stores.memory import MemoryExecutionStore
from ..stores.selection import open_store
from .options import api_options, examples, existing_store, json_option, pairs, payload, store_options, store_type
from .output import Progress, show, show_json
from .pausing import change
from .problems import NOT_OVER, NOT_SUCCEEDED, SUCCEEDED, WRONG_USAGE, Problem
from .sources import StoreSource, function_of

if TYPE_CHECKING:
    from .watching import Watch

_CLOCK = click.Choice(["virtual", "real"])

_SHARED = (
    click.option("--function", "functions", metavar="NAME=MODULE:HANDLER", multiple=True, help="a target of invokes."),
    click.option(
        "--callback", "callbacks", metavar="NAME=RESULT", multiple=True, help="answer callbacks of that name."
    ),
    click.option("--clock", type=_CLOCK, default="virtual", show_default=True, help="with the real one, waits wait."),
    click.option("--timeout", type=click.FloatRange(0), default=900, show_default=True, help="real seconds to go on."),
    click.option("--progress/--no-progress", default=None, help="say what happens meanwhile.  [on a terminal]"),
    click.option("--watch", is_flag=True, help="draw the execution while it runs; in a pipe, a line for each event."),
)


def shared_options(command: Any) -> Any:
    """Options of everything that runs a handler."""
    for option in reversed(_SHARED):
        command = option(command)
    return command


@click.command(
    "run",
    epilog=examples(
        "durable-runner run orders:handler --input '{\"total\": 290}'",
        "durable-runner run orders:handler --input @order.json --callback approval=yes",
        "echo '{\"total\": 290}' | durable-runner run orders:handler --input - --json",
        "durable-runner run orders:handler --name order-7 --store sqlite",
        "durable-runner run orders:handler --clock real --watch",
    ),
)
@click.argument("handler", metavar="MODULE:HANDLER")
@click.option("--input", "-i", "input_", metavar="JSON|@FILE|-", help="the execution's input: JSON, a file, or a pipe.")
@click.option("--name", help="the execution's name.")
@click.option("--function-name", metavar="NAME", help="the function's name in ARNs.  [the module's name]")
@shared_options
@json_option
@store_options
@click.pass_context
def run(
    context: click.Context,
    /,
    *,
    handler: str,
    input_: str | None,
    name: str | None,
    function_name: str | None,
    store: str | None,
    store_path: str | None,
    timeout: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Run a durable function, print the tree of its operations and its result.

    It runs in this process, on a virtual clock: waits take no time. MODULE is looked up from the current folder.
    """
    text = payload(input_, "--input")
    watch = _watch(options.pop("watch"), as_json=as_json)
    with (
        closing(open_store(store_type(store, store_path), store_path)) as opened,
        _runner(handler, function_name or _module(handler), opened, watch, **options) as runner,
    ):
        arn = runner._start(text, None, name, None, None, synchronous=True)  # noqa: SLF001 - as the endpoint does
        context.exit(_to_the_end(runner, opened, arn, timeout, watch, as_json=as_json))


@click.command(
    "resume",
    epilog=examples(
        "durable-runner resume order-7 --handler orders:handler --store sqlite",
        "durable-runner resume order-7 --handler orders:handler --store sqlite --callback approval=yes",
        "durable-runner resume ARN --endpoint-url http://127.0.0.1:8585",
    ),
)
@click.argument("arn")
@click.option("--handler", metavar="MODULE:HANDLER", help="the durable function that it is of, for one in a store.")
@shared_options
@json_option
@store_options
@api_options
@click.pass_context
def resume(
    context: click.Context,
    /,
    *,
    arn: str,
    handler: str | None,
    store: str | None,
    store_path: str | None,
    endpoint_url: str | None,
    region: str | None,
    timeout: float,
    as_json: bool,
    **options: Any,
) -> None:
    """Take up an execution of a store that is not over, and run it on. ARN as for show.

    An invocation that was interrupted counts as crashed, and another one follows. No other process may have it.
    Behind an endpoint, or in AWS, let one go on that was paused: ARN is the whole ARN then.
    """
    if endpoint_url is not None or region is not None:
        change(arn, None, endpoint_url, region, "ResumeDurableExecution", "resume_durable_execution")
        return
    if handler is None:
        raise Problem(WRONG_USAGE, "Which function is it of? Say --handler MODULE:HANDLER.")
    with closing(existing_store(store, store_path)) as opened:
        found = StoreSource(opened).find(arn, None)
        watch = _watch(options.pop("watch"), as_json=as_json)
        with _runner(handler, function_of(opened, found), opened, watch, **options) as runner:
            runner.resume(found)
            context.exit(_to_the_end(runner, opened, found, timeout, watch, as_json=as_json))


def _watch(wanted: bool, *, as_json: bool) -> Watch | None:
    if not wanted:
        return None
    from .watching import watch_for

    return watch_for(as_json=as_json)


def _module(handler: str) -> str:
    """The module's own name: people name a function's file after it."""
    return handler.partition(":")[0].rpartition(".")[2]


def _runner(
    handler: str,
    function_name: str,
    store: ExecutionStore,
    watch: Watch | None,
    *,
    functions: tuple[str, ...],
    callbacks: tuple[str, ...],
    clock: str,
    progress: bool | None,
) -> DurableFunctionTestRunner:
    seen: list[ExecutionObserver] = [] if watch is None else watch.observers
    if watch is None and (sys.stderr.isatty() if progress is None else progress):
        seen = [Progress()]
    runner = DurableFunctionTestRunner(handler, function_name=function_name, store=store, clock=clock, observers=seen)
    for name, target in pairs(functions, "--function", "NAME=MODULE:HANDLER").items():
        runner.register_function(name, target)
    for name, result in pairs(callbacks, "--callback", "NAME=RESULT").items():
        runner.on_callback(name, result=result)
    return runner


def _to_the_end(
    runner: DurableFunctionTestRunner,
    store: ExecutionStore,
    arn: str,
    timeout: float,
    watch: Watch | None,
    *,
    as_json: bool,
) -> int:
    """Drive an execution, print what came of it, and return the exit code."""
    why = None
    try:
        with watch.following(runner, arn) if watch is not None else nullcontext():
            runner.wait_for_result(arn, timeout)
    except (ExecutionStuckError, ExecutionTimeoutError) as error:
        why = error
    except KeyboardInterrupt:
        if not isinstance(store, MemoryExecutionStore):
            click.echo(f"{arn} is kept: go on with durable-runner resume.", err=True)
        raise
    if as_json:
        show_json(StoreSource(store).execution(arn))
    else:
        show(runner.get_result(arn).render())
    for responder in runner._local.responders.unused():  # noqa: SLF001 - as above
        click.echo(f"--callback {responder.pattern}: no callback of that name was opened.", err=True)
    if why is not None:
        raise Problem(NOT_OVER, _not_over(store, arn, timed_out=isinstance(why, ExecutionTimeoutError))) from why
    succeeded = store.load(arn).header.status is ExecutionStatus.SUCCEEDED
    return SUCCEEDED if succeeded else NOT_SUCCEEDED


def _not_over(store: ExecutionStore, arn: str, *, timed_out: bool) -> str:
    """Why an execution has not ended, and how to go on."""
    record = store.load(arn)
    head = "--timeout ran out" if timed_out else "It waits, and nothing here will answer"
    lines = [f"{head}: {arn} is not over."]
    lines += [f"  waiting for {line}" for line in pending_lines(record, record.header.started_at)] if timed_out else []
    open_callbacks = [operation.name or "*" for operation in record.operations if _is_open_callback(operation)]
    lines += _how_to_answer(open_callbacks)
    return "\n".join(lines)


def _is_open_callback(operation: Any) -> bool:
    return operation.type == "CALLBACK" and not operation.is_terminal


def _how_to_answer(names: Iterable[str]) -> list[str]:
    return [
        f"Answer callback {name!r} with --callback {name}=RESULT; or, in a store, with durable-runner callback succeed "
        f"--execution ARN --name {name}, and go on with durable-runner resume."
        for name in names
    ]

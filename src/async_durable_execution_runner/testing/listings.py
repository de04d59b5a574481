"""Checks of listings."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from .._model.execution import ExecutionHeader
from ..stores.base import ExecutionQuery
from . import samples
from .bench import Bench, Check, listed, require, short

__all__ = ["CHECKS"]


def lists_in_order(bench: Bench) -> None:
    """Newest first, or oldest first; of equal age, the one created later is newer."""
    function = f"{samples.FUNCTION}-order"
    # Names, and with them ARNs, in an order that is neither that of creation nor its opposite.
    for name, age in (("b", 5), ("e", 1), ("f", 5), ("c", 9), ("a", 5), ("d", 1)):
        bench.create(samples.new(name, function_arn=function, started_at=samples.START + age))
    newest = ["c", "a", "f", "b", "d", "e"]
    found = listed(bench, function_arn=function)
    require(found == newest, f"newest first, of equal age the later created first: {newest}, not {found}")
    found = listed(bench, function_arn=function, reverse=True)
    require(found == newest[::-1], f"with reverse, oldest first: {newest[::-1]}, not {found}")


def lists_what_is_asked_for(bench: Bench) -> None:
    """Every filter, alone and with every other."""
    headers = [bench.store.load(arn).header for arn in _various(bench)]
    functions = {header.function_arn for header in headers}
    for query in _queries(sorted(functions)):
        expected = {header.arn for header in headers if query.matches(header)}
        found = bench.store.list(query)
        arns = [header.arn for header in found if header.function_arn in functions]
        require(len(arns) == len(set(arns)), f"{query} lists an execution twice")
        wrong = sorted(expected.symmetric_difference(arns))
        require(not wrong, f"{query} gives {len(arns)} executions instead of {len(expected)}; for one, {wrong[:1]}")
        require(set(found) >= {header for header in headers if query.matches(header)}, f"{query} alters headers")


def _various(bench: Bench) -> Iterable[str]:
    """Executions of two functions, of four names, ages and states."""
    for number in range(16):
        function = f"{samples.FUNCTION}-filter-{number % 2}"
        record = samples.new(
            f"n{number % 4}",
            arn=samples.arn_of(f"filter{number}"),
            function_arn=function,
            started_at=samples.START + number % 8,
        )
        arn = bench.create(record)
        status = ("RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "STOPPED")[number % 5]
        if status != "RUNNING":
            bench.store.append(arn, samples.closing(record.header, 2, status))
        yield arn


def _queries(functions: Sequence[str]) -> Iterable[ExecutionQuery]:
    start = samples.START
    statuses = (frozenset[str](), frozenset({"RUNNING"}), frozenset({"FAILED", "SUCCEEDED"}))
    for function, name, wanted, (after, before) in itertools.product(
        (None, *functions, f"{functions[0]}-none"),
        (None, "n1", "N1"),
        statuses,
        ((None, None), (start + 2, None), (None, start + 6), (start + 2, start + 6)),
    ):
        yield ExecutionQuery(
            function_arn=function, name=name, statuses=wanted, started_after=after, started_before=before
        )


def lists_what_is_true_now(bench: Bench) -> None:
    """A listing shows the header as the last change has left it."""
    record = samples.new("now")
    arn = bench.create(record)
    require(listed(bench, name="now", statuses=frozenset({"RUNNING"})) == ["now"], "a running execution is not listed")
    change = samples.closing(record.header, 2)
    bench.store.append(arn, change)
    found = bench.store.list(ExecutionQuery(function_arn=samples.FUNCTION, name="now"))
    require(list(found) == [change.header], f"after its end it is listed as {short(list(found))}")
    require(listed(bench, name="now", statuses=frozenset({"RUNNING"})) == [], "after its end it is listed as running")


def lists_in_pages(bench: Bench) -> None:
    """A listing has a length and can be cut, and two without a change between are the same."""
    function = f"{samples.FUNCTION}-pages"
    for number in range(25):
        bench.create(samples.new(f"n{number}", function_arn=function))
    query = ExecutionQuery(function_arn=function)
    found = bench.store.list(query)
    pages = [list(found[start : start + 10]) for start in range(0, len(found), 10)]
    require(
        [len(page) for page in pages] == [10, 10, 5], f"25 executions in pages of 10: {[len(page) for page in pages]}"
    )
    again = [header for page in pages for header in page]
    require(again == list(bench.store.list(query)), "two listings without a change between differ")
    require(all(isinstance(header, ExecutionHeader) for header in again), "a listing holds something else than headers")


CHECKS: dict[str, Check] = {
    "order of listings": lists_in_order,
    "filters of listings": lists_what_is_asked_for,
    "listings are up to date": lists_what_is_true_now,
    "pages of listings": lists_in_pages,
}

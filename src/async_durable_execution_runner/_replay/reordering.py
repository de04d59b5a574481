"""What stands in another order than it was recorded in, and which of it belongs together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from .._model.operation import Operation
from .matching import Asked, How
from .report import Row
from .wording import label_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Disorder:
    """Operations that have changed places among themselves, as they were recorded and as they are asked for now."""

    recorded: list[Operation]
    asked: list[Asked]
    out_of_order: list[Asked]
    """Those that would have to go back for the order to be the recorded one."""
    rows: tuple[Row, ...]


def kept_in_order(here: Sequence[Asked], position: Mapping[str, int]) -> list[Asked]:
    """The longest part that stands in the recorded order. What kept its identifier never counts as out of order."""
    best: list[tuple[int, list[Asked]]] = []
    for each in here:
        mine = _position(each, position)
        before = [chain for chain in best if _position(chain[1][-1], position) < mine]
        weight, chain = max(before, key=lambda one: one[0], default=(0, []))
        best.append((weight + (1000 if each.how is How.SAME else 1), [*chain, each]))
    longest = max(best, key=lambda one: one[0], default=(0, []))[1]
    return [each for each in here if each in longest or each.how is How.SAME]


def disorders(here: Sequence[Asked], kept: Sequence[Asked], position: Mapping[str, int]) -> Iterator[Disorder]:
    """Each part of a context that is in disorder. Nothing has left or entered it, so no other part is to blame.

    What one line of code asks for in a loop is one part, also where something in the middle has kept its place.
    """
    recorded = sorted((each.recorded for each in here if each.recorded is not None), key=lambda one: position[one.id])
    in_order = {id(each) for each in kept}
    for begin, end in _of_one_loop(list(_blocks(here, position)), here):
        asked = list(here[begin:end])
        moved = [each for each in asked if id(each) not in in_order]
        if moved:
            rows = tuple(_rows(recorded, here, begin, end))
            yield Disorder(recorded=recorded[begin:end], asked=asked, out_of_order=moved, rows=rows)


def _rows(recorded: Sequence[Operation], here: Sequence[Asked], begin: int, end: int) -> Iterator[Row]:
    """Both orders beside each other, from the last before that is in order to the first after."""
    while begin and here[begin - 1].recorded is recorded[begin - 1]:
        begin -= 1
    for then, now in zip(recorded[begin : end + 1], here[begin : end + 1], strict=True):
        yield Row(label_of(then), label_of(now.ask))


def _blocks(here: Sequence[Asked], position: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    """The smallest parts that hold the same operations in both orders; those of one operation are in order."""
    rank = {place: number for number, place in enumerate(sorted(_position(each, position) for each in here))}
    begin, furthest = 0, -1
    for number, each in enumerate(here):
        furthest = max(furthest, rank[_position(each, position)])
        if furthest == number:
            yield begin, number + 1
            begin = number + 1


def _of_one_loop(blocks: Sequence[tuple[int, int]], here: Sequence[Asked]) -> Iterator[tuple[int, int]]:
    """Those of more than one operation, and put together where the same lines ask for all from one to the next."""
    lines = [{each.place for each in here[begin:end] if each.place is not None} for begin, end in blocks]
    begin = furthest = None
    for number, (low, high) in enumerate(blocks):
        if begin is not None and furthest is not None and not lines[number] & lines[number - 1]:
            yield begin, furthest
            begin = None
        if high - low > 1:
            begin, furthest = low if begin is None else begin, high
    if begin is not None and furthest is not None:
        yield begin, furthest


def _position(asked: Asked, position: Mapping[str, int]) -> int:
    assert asked.recorded is not None
    return position[asked.recorded.id]

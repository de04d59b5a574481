"""Virtual time on a line of limited length: compressed where nothing happens, spread where much happens at once."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence

_CROWDED = 0.6
"""The part of the line that things of one instant may take from the spans between instants."""
_LOOSE = 4.0
"""How far things of one instant stand apart at most, where no time passes at all."""


def positions(instants: Sequence[int], used: Iterable[int] | None = None, room: float = 40) -> dict[int, float]:
    """Where each moment stands, from 0 to 1, by its order.

    ``used`` are the moments that are drawn; ``room`` is how many things fit beside one another.
    A span of time takes room by its logarithm, so that a year and three milliseconds can both be seen. Things of one
    instant follow each other at equal distance.
    """
    orders = sorted(set(range(len(instants)) if used is None else used))
    spans = [instants[after] - instants[before] for before, after in itertools.pairwise(orders)]
    weights = _weights(spans, room)
    total = max(sum(weights), room)
    found, reached = {orders[0]: 0.0} if orders else {}, 0.0
    for order, weight in zip(orders[1:], weights, strict=True):
        reached += weight
        found[order] = min(1.0, reached / total)
    return found


def _weights(spans: Sequence[int], room: float) -> list[float]:
    """How much of ``room`` each span takes: what happens at once first, then time with the rest."""
    at_once = sum(1 for span in spans if span == 0)
    lasting = [1 + math.log10(1 + span) for span in spans if span]
    if not lasting:
        # Spread wider, they would look as if they took long.
        return [min(_LOOSE, room / max(at_once, 1)) for _ in spans]
    step = min(2.0, _CROWDED * room / at_once) if at_once else 0.0
    unit = max(room - step * at_once, room * (1 - _CROWDED)) / sum(lasting)
    return [unit * (1 + math.log10(1 + span)) if span else step for span in spans]


def columns(instants: Sequence[int], used: Iterable[int], width: int) -> dict[int, int]:
    """The column of each moment that is drawn, from 0 to ``width - 1``."""
    return {order: round(at * (width - 1)) for order, at in positions(instants, used, width - 1).items()}

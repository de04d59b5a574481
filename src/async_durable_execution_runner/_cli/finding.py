"""Executions by a part of their ARN, so that nobody has to type whole ones."""

from __future__ import annotations

from collections.abc import Iterable

from .._model.ids import ExecutionArn
from .problems import NOT_FOUND, Problem

_SHOWN = 8


def pick(text: str, arns: Iterable[str]) -> str:
    """The one ARN that ``text`` fits. Raises ``Problem`` for none and for several, with those that fit.

    It is an ARN, or the beginning of one, of what follows ``function:`` in it, of its name or of its id. What fits
    wholly comes before what begins alike.
    """
    known = list(arns)
    whole = [arn for arn in known if text in _parts(arn)]
    found = whole or [arn for arn in known if any(part.startswith(text) for part in _parts(arn))]
    if len(found) == 1:
        return found[0]
    if not found:
        raise Problem(NOT_FOUND, f"No execution's ARN, name or id begins with {text!r}. {_among(known)}")
    more = f"\n  … and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise Problem(NOT_FOUND, f"{text!r} fits {len(found)} executions:\n{_lines(found)}{more}")


def _parts(arn: str) -> tuple[str, ...]:
    parsed = ExecutionArn.parse(arn)
    return (arn, arn.partition(":function:")[2], parsed.name, parsed.id) if parsed is not None else (arn,)


def _among(known: list[str]) -> str:
    return f"There are {len(known)}; the newest:\n{_lines(known[:3])}" if known else "There are none at all."


def _lines(arns: list[str]) -> str:
    return "\n".join(f"  {arn}" for arn in arns[:_SHOWN])

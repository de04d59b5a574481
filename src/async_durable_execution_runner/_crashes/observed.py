"""What became of a run, and how that differs from another run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._model.execution import Execution
from .._model.operation import Operation

_SHOWN = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How an execution ended, and its operations by id: type, sub-type, name."""

    name: str
    status: str
    result: str | None
    error: tuple[str | None, str | None] | None
    operations: dict[str, tuple[str, str | None, str | None]]


def outcomes(executions: Sequence[Execution]) -> list[Outcome]:
    """What became of the executions that were started from outside."""
    return [_outcome(each) for each in executions if each.header.parent_arn is None]


def _outcome(execution: Execution) -> Outcome:
    header = execution.header
    error = (header.error.type, header.error.message) if header.error is not None else None
    return Outcome(
        name=header.name,
        status=str(header.status),
        result=header.result,
        error=error,
        operations={each.id: _identity(each) for each in execution.operations.values() if each.id != execution.id},
    )


def _identity(operation: Operation) -> tuple[str, str | None, str | None]:
    return str(operation.type), operation.sub_type, operation.name


def differences(clean: Sequence[Outcome], again: Sequence[Outcome], other: Sequence[Outcome]) -> list[str]:
    """What is different about ``other``, in words; nothing if it ended as the clean runs did.

    There are two clean ones, ``clean`` and ``again``: what differs between them, such as an id that a step draws, says
    nothing about a death.
    """
    if len(clean) != len(again):
        return []
    if len(clean) != len(other):
        return [f"it had {len(other)} executions instead of {len(clean)}"]
    several = len(clean) > 1
    found: list[str] = []
    for one, twice, two in zip(clean, again, other, strict=True):
        who = f"execution {two.name!r}" if several else "it"
        found += [f"{who} {line}" for line in _difference(one, twice, two)]
    return found


def _difference(clean: Outcome, again: Outcome, other: Outcome) -> list[str]:
    if clean.status != again.status:
        return []
    if clean.status != other.status:
        why = f" ({_error(other.error)})" if other.error is not None else ""
        return [f"ended {other.status}{why} instead of {clean.status}"]
    found = []
    if not _alike(_read(clean.result), _read(again.result), _read(other.result)):
        found.append(f"gave {_short(other.result)} instead of {_short(clean.result)}")
    if clean.error == again.error and clean.error != other.error:
        found.append(f"failed with {_error(other.error)} instead of {_error(clean.error)}")
    found += [
        f"called {_named(now)} what was {_named(then)} in the clean run: an operation's name and type must be the same "
        "every time the handler runs"
        for key, then in clean.operations.items()
        if again.operations.get(key) == then and (now := other.operations.get(key, then)) != then
    ][:1]
    return found


def _read(text: str | None) -> Any:
    try:
        return json.loads(text) if text is not None else None
    except ValueError:
        return text


def _alike(clean: Any, again: Any, other: Any) -> bool:
    """Whether ``other`` is equal in all that both clean ones have in common."""
    if clean == again:
        return bool(clean == other)
    if all(isinstance(each, dict) for each in (clean, again, other)) and clean.keys() == again.keys():
        return clean.keys() == other.keys() and all(_alike(clean[key], again[key], other[key]) for key in clean)
    if all(isinstance(each, list) for each in (clean, again, other)) and len(clean) == len(again):
        return len(clean) == len(other) and all(map(_alike, clean, again, other))
    return True


def _named(identity: tuple[str, str | None, str | None]) -> str:
    kind, sub_type, name = identity
    return f"{sub_type or kind.title()} {name!r}" if name else f"an unnamed {sub_type or kind.title()}"


def _error(error: tuple[str | None, str | None] | None) -> str:
    return ": ".join(part for part in error or () if part) or "no error"


def _short(text: str | None) -> str:
    if text is None:
        return "no result"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"

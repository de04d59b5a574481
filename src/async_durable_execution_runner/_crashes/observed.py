"""What became of a run, and how that differs from another run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

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


def differences(clean: Sequence[Outcome], other: Sequence[Outcome]) -> list[str]:
    """What is different about ``other``, in words; nothing if it ended as the clean run did."""
    if len(clean) != len(other):
        return [f"it had {len(other)} executions instead of {len(clean)}"]
    several = len(clean) > 1
    found: list[str] = []
    for one, two in zip(clean, other, strict=True):
        who = f"execution {two.name!r}" if several else "it"
        found += [f"{who} {line}" for line in _difference(one, two)]
    return found


def _difference(clean: Outcome, other: Outcome) -> list[str]:
    if clean.status != other.status:
        why = f" ({_error(other.error)})" if other.error is not None else ""
        return [f"ended {other.status}{why} instead of {clean.status}"]
    found = []
    if not _same_json(clean.result, other.result):
        found.append(f"gave {_short(other.result)} instead of {_short(clean.result)}")
    if clean.error != other.error:
        found.append(f"failed with {_error(other.error)} instead of {_error(clean.error)}")
    found += [
        f"called {_named(now)} what was {_named(then)} in the clean run: an operation's name and type must be the same "
        "every time the handler runs"
        for key, then in clean.operations.items()
        if (now := other.operations.get(key, then)) != then
    ][:1]
    return found


def _same_json(one: str | None, two: str | None) -> bool:
    if one == two or one is None or two is None:
        return one == two
    try:
        return bool(json.loads(one) == json.loads(two))
    except ValueError:
        return False


def _named(identity: tuple[str, str | None, str | None]) -> str:
    kind, sub_type, name = identity
    return f"{sub_type or kind.title()} {name!r}" if name else f"an unnamed {sub_type or kind.title()}"


def _error(error: tuple[str | None, str | None] | None) -> str:
    return ": ".join(part for part in error or () if part) or "no error"


def _short(text: str | None) -> str:
    if text is None:
        return "no result"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}… ({len(text)} characters)"

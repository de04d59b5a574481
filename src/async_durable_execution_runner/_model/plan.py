"""A plan: the decisions that the service takes in a run, as data.

Where an invocation dies, which checkpoint is refused, how a scripted answer arrives, how large a page of state is.
A plan has a text form, so that what one run did can be printed, kept and run again.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum


class Deed(StrEnum):
    """What the service does at a place in a run."""

    DIE_BEFORE = "die-before"
    """The invocation dies before the checkpoint is applied."""
    DIE_AFTER = "die-after"
    """It dies once the checkpoint is applied, before the handler hears the answer."""
    TIME_OUT_BEFORE = "time-out-before"
    """The checkpoint hangs until the invocation times out."""
    FAIL = "fail"
    """The checkpoint is refused with an error of the service."""
    WITHHOLD_TOKEN = "withhold-token"
    """The answer comes without a token: the handler is to suspend, and is invoked again."""


class AnswerDeed(StrEnum):
    """How a scripted answer to a callback arrives."""

    DUPLICATE = "duplicate"
    LATE = "late"
    EARLY = "early"


class Part(StrEnum):
    """Which checkpoint of an operation is meant."""

    START = "start"
    RESULT = "result"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A checkpoint by its number, both from 1. One past the last of an invocation is its end.

    ``execution`` counts the executions of a runner as they start, ``runner`` the runners of a test.
    """

    invocation: int
    checkpoint: int | None
    """``None`` for the end of the invocation: its answer does not reach the service."""
    execution: int = 1
    runner: int = 1

    def __str__(self) -> str:
        where = f"{self.invocation}.{self.checkpoint if self.checkpoint is not None else 'end'}"
        return where + (f"@{self.execution}/{self.runner}" if (self.execution, self.runner) != (1, 1) else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationPlace:
    """The ``nth`` checkpoint that brings the start, or the result, of an operation; ``name`` is a name or a glob.

    A retried step has a start and a result for every attempt.
    """

    name: str
    part: Part = Part.RESULT
    nth: int = 1

    def __str__(self) -> str:
        name = self.name if re.fullmatch(r"[A-Za-z_*?][A-Za-z0-9_*?-]*", self.name) else json.dumps(self.name)
        start = ":start" if self.part is Part.START else ""
        return f"{name}{start}" + (f"#{self.nth}" if self.nth != 1 else "")

    def fits(self, name: str | None) -> bool:
        """Whether an operation of that name is meant."""
        return name == self.name or fnmatch.fnmatchcase(name or "", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong at one place.

    ``error`` is the name of the service's error for ``FAIL``. ``again_after`` is how many seconds pass before an
    invocation that died is repeated; ``None`` for what the service takes.
    """

    deed: Deed
    at: Place | OperationPlace
    error: str | None = None
    again_after: int | None = None

    def __str__(self) -> str:
        error = f"={self.error}" if self.error is not None else ""
        after = f"+{self.again_after}" if self.again_after is not None else ""
        return f"{self.deed}{error}:{self.at}{after}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerFault:
    """A scripted answer that comes twice, later (``by`` seconds), or before the invocation that asked has settled."""

    deed: AnswerDeed
    name: str
    by: int = 0

    def __str__(self) -> str:
        by = f"+{self.by}" if self.deed is AnswerDeed.LATE else ""
        return f"{self.deed}:{OperationPlace(name=self.name)}{by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """State is handed out in pages of so many operations."""

    size: int

    def __str__(self) -> str:
        return f"pages:{self.size}"


Decision = Fault | AnswerFault | Pages


@dataclass(frozen=True, slots=True)
class Plan:
    """Decisions of one run. ``str`` gives the text that ``Plan.parse`` reads."""

    decisions: tuple[Decision, ...] = ()

    def __str__(self) -> str:
        return ",".join(map(str, self.decisions))

    def __iter__(self) -> Iterator[Decision]:
        return iter(self.decisions)

    def __len__(self) -> int:
        return len(self.decisions)

    def __add__(self, other: Plan) -> Plan:
        return Plan(self.decisions + other.decisions)

    @classmethod
    def parse(cls, text: str) -> Plan:
        """The plan that a text stands for. Raises ``ValueError`` that says which part is wrong, and what is valid."""
        return cls(tuple(_decision(part) for part in _parts(text)))

    @property
    def faults(self) -> tuple[Fault, ...]:
        """What goes wrong at a place."""
        return tuple(each for each in self.decisions if isinstance(each, Fault))

    @property
    def answers(self) -> tuple[AnswerFault, ...]:
        """What is different about answers."""
        return tuple(each for each in self.decisions if isinstance(each, AnswerFault))

    @property
    def page_size(self) -> int | None:
        """How many operations a page of state has, if that was decided."""
        return next((each.size for each in self.decisions if isinstance(each, Pages)), None)

    def of_runner(self, number: int) -> Plan:
        """The part of it that is about one runner of a test. What names an operation is about the first."""
        kept: list[Decision] = []
        for each in self.decisions:
            if not isinstance(each, Fault):
                kept.append(each)
            elif isinstance(each.at, Place):
                if each.at.runner == number:
                    kept.append(replace(each, at=replace(each.at, runner=1)))
            elif number == 1:
                kept.append(each)
        return Plan(tuple(kept))

    def shrunk(self, fails: Callable[[Plan], bool]) -> Plan:
        """The plan without every decision that is not needed for ``fails`` to say yes.

        ``fails`` runs a plan; it is asked about smaller ones until none that is smaller by one decision fails.
        """
        decisions = list(self.decisions)
        size = max(1, len(decisions) // 2)
        while True:
            start = 0
            while start < len(decisions):
                rest = decisions[:start] + decisions[start + size :]
                if fails(Plan(tuple(rest))):
                    decisions = rest
                else:
                    start += size
            if size == 1:
                return replace(self, decisions=tuple(decisions))
            size //= 2


# -------------------------------------------------------------------------------------------------------- reading

_VALID = (
    "die-before:2.3 (invocation 2, checkpoint 3), die-before:2.end, die-after:2.3, "
    "die-before:charge (before the result of the operation 'charge'), die-after:charge:start#2, "
    "time-out-before:charge, fail=ServiceException:charge, withhold-token:2.3, duplicate:approval, "
    "late:approval+3600, early:approval, pages:1; several with commas"
)
_NAME = r'"(?:[^"\\]|\\.)*"|[^",:#@+=]+'
_PART = re.compile(rf"(?:{_NAME}|[:#@+=/])+")
_FAULT = re.compile(
    rf"(?P<deed>[a-z-]+)(?:=(?P<error>\w+))?:"
    rf"(?:(?P<invocation>\d+)\.(?P<checkpoint>\d+|end)(?:@(?P<execution>\d+)/(?P<runner>\d+))?"
    rf"|(?P<name>{_NAME})(?::(?P<part>start|result))?(?:#(?P<nth>\d+))?)"
    rf"(?:\+(?P<after>\d+))?"
)


def _parts(text: str) -> list[str]:
    found = [part.strip() for part in _PART.findall(text)]
    left = _PART.sub("", text).replace(",", "").strip()
    if left or not any(found):
        raise ValueError(f"{text!r} is no plan; valid: {_VALID}")
    return [part for part in found if part]


def _decision(text: str) -> Decision:
    match = _FAULT.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is no decision of a plan; valid: {_VALID}")
    deed, after, name = match["deed"], match["after"], match["name"]
    seconds = int(after) if after is not None else None
    if deed == "pages" and name is not None and name.isdecimal():
        return Pages(size=int(name))
    if deed in set(AnswerDeed) and name is not None:
        return AnswerFault(deed=AnswerDeed(deed), name=_unquoted(name), by=seconds or 0)
    if deed not in set(Deed) or (deed == Deed.FAIL) != (match["error"] is not None):
        raise ValueError(f"{text!r} is no decision of a plan; valid: {_VALID}")
    return Fault(deed=Deed(deed), at=_place(match), error=match["error"], again_after=seconds)


def _place(match: re.Match[str]) -> Place | OperationPlace:
    if match["name"] is not None:
        part = Part(match["part"]) if match["part"] else Part.RESULT
        return OperationPlace(name=_unquoted(match["name"]), part=part, nth=int(match["nth"] or 1))
    checkpoint = None if match["checkpoint"] == "end" else int(match["checkpoint"])
    return Place(
        invocation=int(match["invocation"]),
        checkpoint=checkpoint,
        execution=int(match["execution"] or 1),
        runner=int(match["runner"] or 1),
    )


def _unquoted(name: str) -> str:
    return str(json.loads(name)) if name.startswith('"') else name

"""What a replayed invocation asked for, held against what was recorded of it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .._model.enums import OperationType as Type
from .._model.operation import ContextDetails, Operation
from .matching import ADDED, Asked, How
from .player import Played
from .recording import Recording
from .reordering import Disorder, disorders, kept_in_order
from .report import Drift, DriftKind, Row
from .session import BATCHES
from .values import Logged, value_drifts
from .wording import label_of, labels_of, words_of


@dataclass(slots=True)
class _Scope:
    """One context: what was recorded in it and what was asked for in it now."""

    key: str | None
    recorded: list[Operation]
    asked: list[Asked]
    is_over: bool
    """Whether the code in it has come to its end, so that what was not asked for is not coming."""


def drifts_of(recording: Recording, played: Played, logged: dict[str, Logged] | None = None) -> list[Drift]:
    """Every difference that one replayed invocation shows.

    ``logged`` are the asks of the run that was recorded, where somebody listened to it; then exceptions that it did
    not have are not taken for differences, because what a handler needs may be gone.
    """
    comparison = _Comparison(recording, played, logged)
    identities = list(comparison.identity_drifts())
    values = list(value_drifts(recording, played, logged, in_order=not identities))
    return sorted([*identities, *values], key=lambda drift: drift.turn)


class _Comparison:
    def __init__(self, recording: Recording, played: Played, logged: dict[str, Logged] | None) -> None:
        self._recording, self._played = recording, played
        self._start = recording.state(played.window.start)
        self._end = recording.state(played.window.end)
        self._is_radar, self._logged = logged is not None, logged or {}
        self._turns = {id(each): number for number, each in enumerate(played.asked)}
        self._proper = {
            each.recorded.id: each for each in played.asked if each.recorded is not None and each.how != How.BORROWED
        }

    def identity_drifts(self) -> Iterator[Drift]:
        """Operations that are not what or where they were."""
        for scope in self._scopes():
            yield from self._in_scope(scope)

    # ------------------------------------------------------------------------------------------------- contexts

    def _scopes(self) -> Iterator[_Scope]:
        asked_in: dict[str | None, list[Asked]] = {None: []}
        for asked in self._played.asked:
            asked_in.setdefault(asked.scope, []).append(asked)
            if asked.ask.type is Type.CONTEXT and asked.recorded is not None:
                asked_in.setdefault(asked.recorded.id, [])
        for key, inside in asked_in.items():
            if key == ADDED:
                yield _Scope(key, [], inside, is_over=False)
            elif key not in self._played.left_behind and (key is None or self._has_run(key)):
                recorded = [self._end[each] for each in self._recording.scopes.get(key, ()) if each in self._end]
                yield _Scope(key, recorded, inside, is_over=self._is_over(key))

    def _has_run(self, key: str) -> bool:
        at_start = self._start.get(key)
        if at_start is None or not at_start.is_terminal:
            return True
        return isinstance(at_start.details, ContextDetails) and at_start.details.replay_children

    def _is_over(self, key: str | None) -> bool:
        if key is None:
            status = self._played.status
            outcome = self._played.window.outcome
            failed_anew = status == "FAILED" and (outcome is None or outcome.error is None)
            # Where the run itself did not fail, what is missing here may be something that the handler needs.
            return status in {"SUCCEEDED", "FAILED"} and not (failed_anew and self._is_radar)
        asked = self._proper.get(key)
        ended = self._played.ended.get(asked.ask.operation_id) if asked is not None else None
        if ended is None:
            return False
        if self._recording.operations[key].sub_type in BATCHES and "ALL_COMPLETED" not in (ended.result or ""):
            return False  # it may have ended before the last of its branches was begun
        recorded = self._recording.operations[key].details
        assert isinstance(recorded, ContextDetails)
        return not (ended.failed and recorded.error is None and self._is_radar)

    # --------------------------------------------------------------------------------------------- one context

    def _in_scope(self, scope: _Scope) -> Iterator[Drift]:
        asked = [each for each in scope.asked if self._counts(each)]
        if self._is_as_recorded(scope, asked):
            return
        position = {operation.id: number for number, operation in enumerate(scope.recorded)}
        here = [each for each in asked if self._is_proper(each) and each.recorded and each.recorded.id in position]
        kept = kept_in_order(here, position)
        missing = self._missing(scope, here, position)
        extra = [each for each in asked if each not in here]
        missing += [each for each in self._replaced(extra, position) if each not in missing]
        rows = tuple(_rows(scope.recorded, asked, kept, missing))
        for disorder in disorders(here, kept, position):
            yield self._reordered(disorder, asked, scope, rows)
        yield from self._moved(extra, scope, rows)
        new = [each for each in extra if each.how is not How.MOVED]
        yield from self._exchanged(new, missing, scope, kept, position, rows)
        for operation in missing:
            label = label_of(operation)
            yield self._drift(DriftKind.REMOVED, label, None, scope, rows, label, "nothing", operation.id)
        if scope.key == ADDED:
            return  # what is inside of an addition is part of it
        for each in new:
            if not each.speculative and not self._was_a_race(scope):
                yield self._drift(DriftKind.ADDED, label_of(each.ask), each, scope, rows, "nothing", label_of(each.ask))

    def _was_a_race(self, scope: _Scope) -> bool:
        """Whether this is a batch that was over before all its branches were: some may never have been begun."""
        context = self._recording.operations.get(scope.key or "")
        if context is None or context.sub_type not in BATCHES or not context.is_terminal:
            return False
        assert isinstance(context.details, ContextDetails)
        return "ALL_COMPLETED" not in (context.details.result or "")

    def _is_as_recorded(self, scope: _Scope, asked: list[Asked]) -> bool:
        """The common case, told without looking at the order: all that was recorded, and nothing else."""
        return len(asked) == len(scope.recorded) and all(
            each.how is How.SAME and each.recorded is not None and each.recorded.id in self._end for each in asked
        )

    def _is_proper(self, asked: Asked) -> bool:
        return asked.how in {How.SAME, How.SHIFTED}

    def _counts(self, asked: Asked) -> bool:
        """What was asked for in passing, or would have come later, says nothing."""
        if asked.how is How.UNKNOWN:
            log = self._logged.get(asked.ask.operation_id)
            if log is not None and log.ask.identity == asked.ask.identity:
                return False  # asked for then too, and refused, or never sent
            is_context = asked.ask.type is Type.CONTEXT
            if self._played.may_add and not (is_context and self._is_put_around(asked)):
                return False
            return asked.forced or is_context
        return asked.recorded is not None and (asked.recorded.id in self._end or asked.how is How.BORROWED)

    def _is_put_around(self, context: Asked) -> bool:
        """Whether a context that was never recorded has something in it that was."""
        parents = {each.ask.operation_id: each.ask.parent_id for each in self._played.asked}
        for each in self._played.asked:
            parent = each.ask.parent_id if each.recorded is not None else None
            while parent is not None:
                if parent == context.ask.operation_id:
                    return True
                parent = parents.get(parent)
        return False

    def _missing(self, scope: _Scope, here: list[Asked], position: dict[str, int]) -> list[Operation]:
        """Recorded, not asked for, and the code is past the point where it would have been."""
        reached = max((position[each.recorded.id] for each in here if each.recorded), default=-1)
        context = self._recording.operations.get(scope.key or "")
        is_batch = context is not None and context.sub_type in BATCHES
        return [
            operation
            for operation in scope.recorded
            if operation.id not in self._proper
            and (scope.is_over or (position[operation.id] < reached and not is_batch))
        ]

    def _replaced(self, extra: list[Asked], position: dict[str, int]) -> Iterator[Operation]:
        """Recorded under an identifier that goes with another name now: that it is gone need not be waited for."""
        for each in extra:
            recorded = each.recorded if each.how is How.BORROWED and not each.speculative else None
            if recorded is not None and recorded.id in position and recorded.id not in self._proper:
                yield recorded

    def _reordered(self, disorder: Disorder, all_asked: list[Asked], scope: _Scope, rows: tuple[Row, ...]) -> Drift:
        first, *others = disorder.out_of_order
        assert first.recorded is not None
        if others:
            then, now = labels_of(disorder.recorded), labels_of([each.ask for each in disorder.asked])
            drift = self._drift(DriftKind.REORDERED, then, first, scope, disorder.rows, then, now, first.recorded.id)
        else:
            before = _after(scope.recorded.index(first.recorded), [label_of(each) for each in scope.recorded])
            after = _after(all_asked.index(first), [label_of(each.ask) for each in all_asked])
            name = label_of(first.ask)
            drift = self._drift(DriftKind.REORDERED, name, first, scope, rows, before, after, first.recorded.id)
        return replace(drift, operation_ids=tuple(each.id for each in disorder.recorded))

    def _moved(self, extra: list[Asked], scope: _Scope, rows: tuple[Row, ...]) -> Iterator[Drift]:
        for each in extra:
            if each.how is How.MOVED and each.recorded is not None:
                then = self._inside(each.recorded.parent_id)
                now = self._inside_now(each)
                yield self._drift(DriftKind.MOVED, label_of(each.ask), each, scope, rows, then, now, each.recorded.id)

    def _exchanged(
        self,
        new: list[Asked],
        missing: list[Operation],
        scope: _Scope,
        kept: list[Asked],
        position: dict[str, int],
        rows: tuple[Row, ...],
    ) -> Iterator[Drift]:
        """New ones that stand where missing ones stood. Takes both out of their lists."""
        for each in list(new):
            partner = self._partner(each, missing, kept, position)
            if partner is None:
                continue
            new.remove(each)
            missing.remove(partner)
            same_type = (partner.type, partner.sub_type) == (each.ask.type, each.ask.sub_type)
            kind = DriftKind.RENAMED if same_type else DriftKind.RETYPED
            then, now = label_of(partner), label_of(each.ask)
            yield self._drift(kind, then, each, scope, rows, then, now, partner.id)

    def _partner(
        self, asked: Asked, missing: list[Operation], kept: list[Asked], position: dict[str, int]
    ) -> Operation | None:
        same_place = next((each for each in missing if each.id == asked.ask.operation_id), None)
        if same_place is not None:
            return same_place
        turn = self._turns[id(asked)]
        before = [each for each in kept if self._turns[id(each)] < turn]
        after = [each for each in kept if self._turns[id(each)] > turn]
        low = max((position[each.recorded.id] for each in before if each.recorded), default=-1)
        high = min((position[each.recorded.id] for each in after if each.recorded), default=len(position))
        between = [each for each in missing if low < position[each.id] < high]
        alike = [each for each in between if (each.type, each.sub_type) == (asked.ask.type, asked.ask.sub_type)]
        named = [each for each in between if each.name is not None and each.name == asked.ask.name]
        return next(iter([*named, *alike]), None)

    # ---------------------------------------------------------------------------------------------------- words

    def _inside(self, key: str | None) -> str:
        return "at the top" if key is None else f"in {label_of(self._recording.operations[key])}"

    def _inside_now(self, asked: Asked) -> str:
        parent = next((each for each in self._played.asked if each.ask.operation_id == asked.ask.parent_id), None)
        return "at the top" if parent is None else f"in {label_of(parent.ask)}"

    def _drift(
        self,
        kind: DriftKind,
        operation: str,
        asked: Asked | None,
        scope: _Scope,
        rows: tuple[Row, ...],
        recorded: str,
        now: str,
        operation_id: str | None = None,
    ) -> Drift:
        log = self._logged.get(operation_id or "")
        place = asked.place if asked is not None else log.place if log is not None else None
        where = words_of(self._recording, scope.key) if scope.key not in {None, ADDED} else ""
        return Drift(
            kind=kind,
            operation=operation,
            operation_id=operation_id,
            recorded=recorded,
            now=now,
            where=where,
            file=place[0] if place is not None else None,
            line=place[1] if place is not None else None,
            invocations=(self._played.window.label,),
            rows=rows,
            turn=self._turn(asked, operation_id),
        )

    def _turn(self, asked: Asked | None, operation_id: str | None) -> float:
        """When it was asked for; what was not should have been, after what was recorded before it."""
        if asked is not None:
            return self._turns[id(asked)]
        before = itertools.takewhile(lambda key: key != operation_id, self._recording.operations)
        return max((self._turns[id(self._proper[key])] for key in before if key in self._proper), default=-1) + 0.5


def _after(number: int, labels: list[str]) -> str:
    return f"after {labels[number - 1]}" if number else "first"


def _rows(recorded: list[Operation], asked: list[Asked], kept: list[Asked], missing: list[Operation]) -> Iterator[Row]:
    """Both sequences beside each other, with what was kept in one line."""
    left = 0
    gone = {each.id for each in missing} | {each.recorded.id for each in asked if each.recorded and each not in kept}
    anchors = {id(each): each.recorded for each in kept}
    for each in asked:
        anchor = anchors.get(id(each))
        if anchor is not None:
            at = next((number for number, operation in enumerate(recorded) if operation.id == anchor.id), left)
            for operation in recorded[left:at]:
                yield Row(label_of(operation), "")
            left = max(left, at + 1)
            yield Row(label_of(anchor), label_of(each.ask))
        else:
            is_exchanged = left < len(recorded) and recorded[left] in missing
            yield Row(label_of(recorded[left]) if is_exchanged else "", label_of(each.ask))
            left += is_exchanged
    for operation in recorded[left:]:
        yield Row(label_of(operation), "" if operation.id in gone else "(not reached)")

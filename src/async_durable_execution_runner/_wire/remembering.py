"""Checkpoints that were checked and read before, for runs that send the same ones again and again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .._model.operation import OperationUpdate
from . import validation
from .border import BotocoreWire

_CHECKPOINT = "CheckpointDurableExecution"
_MOST = 4096
_LONGEST = 4096
"""Updates, and characters of a text in one: so much at most, whatever is sent."""


class RememberingWire(BotocoreWire):
    """The border of all runs of a crash matrix, which differ in one place: an equal update is read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[tuple[str, Any], ...], OperationUpdate] = {}

    def read_checkpoint(self, params: Mapping[str, Any]) -> list[OperationUpdate]:
        """See ``Wire.read_checkpoint``."""
        found = self._recall(params.get("Updates"))
        if found is None:
            found = super().read_checkpoint(params)
            self._keep(params.get("Updates") or (), found)
            return found
        validation.check_input(_CHECKPOINT, {**params, "Updates": ()})
        return found

    def _recall(self, given: Any) -> list[OperationUpdate] | None:
        """All of them, if each was here before. One that is no dictionary, or has structures in it, never was."""
        if not isinstance(given, list | tuple):
            return None
        try:
            return [self._known[tuple(update.items())] for update in given]
        except (KeyError, TypeError, AttributeError):
            return None

    def _keep(self, given: Sequence[Mapping[str, Any]], read: Sequence[OperationUpdate]) -> None:
        for update, made in zip(given, read, strict=True):
            if len(self._known) < _MOST and all(map(_is_short_text, update.values())):
                self._known[tuple(update.items())] = made


def _is_short_text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST

"""What a handler asks its SDK for, before anything of it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._model.enums import OperationType

Identity = tuple[OperationType, str | None, str | None]
"""Type, sub-type and name: what an operation is, wherever it stands."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One operation as the handler's code asks for it.

    ``inputs`` are live objects, by name. ``custom`` names those that a serializer of the user's own writes, so that
    their stored form says nothing about them; ``"result"`` in it stands for the operation's own result.
    """

    operation_id: str
    type: OperationType
    parent_id: str | None = None
    sub_type: str | None = None
    name: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    custom: frozenset[str] = frozenset()

    @property
    def identity(self) -> Identity:
        """What the operation is, wherever it stands."""
        return self.type, self.sub_type, self.name

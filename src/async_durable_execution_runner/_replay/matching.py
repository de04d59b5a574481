"""Which recorded operation stands behind one that is asked for now.

Identifiers count operations, so one step more shifts all that follow. An operation is therefore looked for by what it
is and where it stands, and by its identifier only among several that fit or where none does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from .._bridges.asks import Ask, Identity
from .._model.operation import Operation
from .places import Place
from .recording import Recording

BRANCHES = frozenset({"MapIteration", "ParallelBranch"})
"""What a batch is made of. The SDKs number them, so that branches of different batches share their names."""

ADDED = "(added)"
"""The scope of what is asked for inside of a context that was not recorded."""


class How(Enum):
    """How the recorded operation was found."""

    SAME = "same"
    SHIFTED = "shifted"
    """The same operation, at another position."""
    MOVED = "moved"
    """The same operation, in another context."""
    BORROWED = "borrowed"
    """Another name at the same position, which is how the service tells operations apart."""
    UNKNOWN = "unknown"


@dataclass(slots=True, kw_only=True)
class Asked:
    """An operation that a replay has asked for."""

    ask: Ask
    place: Place | None
    scope: str | None
    """The recorded context it stands in; ``None`` at the top."""
    recorded: Operation | None
    how: How
    inputs: dict[str, Any] = field(default_factory=dict)
    """Snapshots of its inputs, as they were when it was asked for: a variable that a step closes over goes on."""
    payload: Any = None
    """What an invoke stores of its payload by default, as it was then."""
    forced: bool = False
    """Whether the replay could not go on without an answer that was never recorded."""
    speculative: bool = False
    """Whether it was asked for after such an answer had been made up."""


def identity_of(operation: Operation) -> Identity:
    """What a recorded operation is, wherever it stands."""
    return operation.type, operation.sub_type, operation.name


class Matcher:
    """Finds the recorded operation behind each ask of one replayed invocation."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._taken: set[str] = set()
        self._contexts: dict[str, str | None] = {}
        """Recorded context by the identifier that it has now; ``None`` for one that was not recorded."""
        self._parents: dict[str, str | None] = {}

    @property
    def taken(self) -> set[str]:
        """Recorded operations that were found as what they are."""
        return self._taken

    def match(self, ask: Ask, place: Place | None) -> Asked:
        """The recorded operation behind ``ask``, if there is one."""
        scope = self.scope_of(ask.parent_id)
        recorded, how = self._find(ask, scope)
        if how in {How.SAME, How.SHIFTED, How.MOVED} and recorded is not None:
            self._taken.add(recorded.id)
        self._contexts[ask.operation_id] = recorded.id if recorded is not None else None
        self._parents[ask.operation_id] = ask.parent_id
        return Asked(ask=ask, place=place, scope=scope, recorded=recorded, how=how)

    def scope_of(self, parent_id: str | None) -> str | None:
        """The recorded context behind a parent of now."""
        if parent_id is None:
            return None
        known = self._contexts.get(parent_id, parent_id)
        return ADDED if known is None else known

    def _find(self, ask: Ask, scope: str | None) -> tuple[Operation | None, How]:
        here = self._recording.operations.get(ask.operation_id)
        if here is not None and (here.id in self._taken or here.parent_id != scope):
            here = None
        if here is not None and identity_of(here) == ask.identity:
            return here, How.SAME
        shifted = self._first(scope, ask.identity)
        if shifted is not None:
            return shifted, How.SHIFTED
        moved = self._moved(ask, scope)
        if moved is not None:
            return moved, How.MOVED
        if here is not None and (here.type, here.sub_type) == (ask.type, ask.sub_type):
            return here, How.BORROWED
        return None, How.UNKNOWN

    def _first(self, scope: str | None, identity: Identity) -> Operation | None:
        for key in self._recording.scopes.get(scope, ()):
            operation = self._recording.operations[key]
            if key not in self._taken and identity_of(operation) == identity:
                return operation
        return None

    def _moved(self, ask: Ask, scope: str | None) -> Operation | None:
        """From a context around this one, or from one inside: never from beside, where all branches look alike.

        A branch stays in its batch: others have branches of the same name.
        """
        if ask.name is None or ask.sub_type in BRANCHES:
            return None
        around = [outer for outer in self._around(ask.parent_id) if outer != scope]
        inside = [key for key in self._recording.scopes.get(scope, ()) if key not in self._taken]
        return next((found for each in [*around, *inside] if (found := self._first(each, ask.identity))), None)

    def _around(self, parent_id: str | None) -> list[str | None]:
        found: list[str | None] = []
        while parent_id is not None:
            parent_id = self._parents.get(parent_id)
            found.append(self.scope_of(parent_id))
        return found

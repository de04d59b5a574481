"""What a run asked for, kept so that a replay can be held against it."""

from __future__ import annotations

from types import FrameType

from .._bridges.asking import Door, Ticket
from .._bridges.asks import Ask
from .places import Place, place_of
from .snapshots import take
from .values import Logged
from .world import World


class Log:
    """See ``Listener``. What one execution asked for, each operation as it was first asked for. Decides nothing."""

    answers = False

    def __init__(self) -> None:
        self.asks: dict[str, Logged] = {}
        self.world: World | None = None
        """What was around the handler when its last invocation ended."""
        self._places: dict[str, Place | None] = {}

    def created(self, operation_id: str, frame: FrameType) -> None:
        """See ``Listener.created``."""
        if operation_id not in self.asks:
            self._places[operation_id] = place_of(frame)

    def asked(self, ask: Ask, door: Door) -> Ticket | None:
        """See ``Listener.asked``."""
        del door
        if ask.operation_id not in self.asks:
            inputs = {name: take(value, ask.operation_id) for name, value in ask.inputs.items()}
            self.asks[ask.operation_id] = Logged(ask=ask, inputs=inputs, place=self._places.get(ask.operation_id))
        return None

    def invocation_ended(self) -> None:
        """The handler has come back."""
        self.world = World()

    def returned(self, ask: Ask, door: Door) -> Ticket | None:
        """See ``Listener.returned``."""
        del ask, door
        return None


class Watch:
    """The logs of a runner's executions, by ARN."""

    def __init__(self) -> None:
        self.logs: dict[str, Log] = {}

    def of(self, execution_arn: str) -> Log:
        """The log of an execution."""
        return self.logs.setdefault(execution_arn, Log())

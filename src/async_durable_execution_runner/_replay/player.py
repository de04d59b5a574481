"""One invocation of a handler, replayed."""

from __future__ import annotations

import contextlib
import io
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .._bridges.base import Bridge
from .._drivers.guard import GuardExpired
from .._drivers.lambda_context import context_of
from .._drivers.replaying import NothingHappens, answering_threads, guarded, replay_loop, run_on
from .._engine.inputs import InvocationInput
from .._model.errors import ErrorObject
from .._model.ids import ExecutionArn
from .._wire.updates import parse_error
from ..clock import VirtualClock, from_millis
from .client import Ended, ReplayClient
from .matching import Asked
from .recording import Recording, Window
from .session import Session, wire_of

_SECONDS = 5.0
"""Real seconds after which a replayed invocation is given up: it waits for something that is no operation."""
_MOST_SECONDS = 120.0
"""Real seconds that it gets if it does not wait."""
_TIME_LEFT = 900_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What a replayed invocation did."""

    window: Window
    asked: list[Asked]
    ended: dict[str, Ended]
    """What contexts ended with, by the identifier that they have now."""
    status: str | None
    """What the handler answered; ``None`` if it gave no answer."""
    outcome: Ended | None
    problem: BaseException | None
    """What the handler raised past the SDK."""
    gave_up: bool
    """Whether it was given up, because it waits for something that is no operation."""
    may_add: bool
    left_behind: frozenset[str]
    """Recorded contexts that were open when what they stand in had ended."""


def play(
    bridge: Bridge,
    handler: Any,
    recording: Recording,
    window: Window,
    *,
    patience: float = _SECONDS,
    time_left: int = _TIME_LEFT,
) -> Played | None:
    """Replay one invocation. ``None`` if this release of the SDK cannot be listened to.

    It is given up after ``patience`` real seconds in which nothing happens. Its handler is told that there are
    ``time_left`` milliseconds until it times out.
    """
    session = Session(recording, window, in_threads=bridge.runs_in_threads)
    listening = bridge.listened(session, recording.header.arn)
    if listening is None:
        return None
    client = ReplayClient(session)
    output, problem = None, None
    try:
        with listening, _quietly(), guarded(_MOST_SECONDS):
            output = _call(bridge, handler, client, session, patience, time_left)
    except (Exception, GuardExpired, SystemExit) as error:  # noqa: BLE001 - whatever ends a handler is its outcome
        problem = error
    status, outcome = _read(output, client)
    return Played(
        window=window,
        asked=session.asked_for,
        ended=client.ended,
        status=status,
        outcome=outcome,
        problem=problem,
        gave_up=isinstance(problem, NothingHappens | GuardExpired),
        may_add=session.may_add,
        left_behind=frozenset(key for key in session.end if session.is_left_behind(key)),
    )


def _call(bridge: Bridge, handler: Any, client: Any, session: Session, patience: float, time_left: int) -> Any:
    event, context = _event(session), _context(session.recording, time_left)
    with replay_loop(session, patience) as loop, bridge.tuned():
        binding = bridge.bind(handler, client, lambda coroutine: run_on(loop, coroutine))
        if binding.call is not None:
            return run_on(loop, binding.call(event, context))
        assert binding.call_blocking is not None
        if bridge.runs_in_threads:
            with answering_threads(session):
                return binding.call_blocking(event, context)
        return binding.call_blocking(event, context)


def _event(session: Session) -> dict[str, Any]:
    operations = [session.recording.root, *session.start.values()]
    return {
        "DurableExecutionArn": session.recording.header.arn,
        "CheckpointToken": "replay",
        "InitialExecutionState": {"Operations": [wire_of(each) for each in operations], "NextMarker": ""},
    }


def _context(recording: Recording, time_left: int) -> Any:
    header, arn = recording.header, ExecutionArn.parse(recording.header.arn)
    invocation = InvocationInput(
        execution_arn=header.arn,
        function_name=header.function_arn.rpartition(":")[2],
        function_arn=f"{header.function_arn}:{arn.version}" if arn is not None else header.function_arn,
        number=1,
        request_id="00000000-0000-0000-0000-000000000000",
        token="",
        operations=(),
        next_marker=None,
        updated_operation_ids=None,
        started_at=header.started_at,
        deadline=header.started_at + time_left,
        tenant_id=header.tenant_id,
    )
    return context_of(invocation, VirtualClock(from_millis(header.started_at)))


def _read(output: Any, client: ReplayClient) -> tuple[str | None, Ended | None]:
    if not isinstance(output, dict):
        return None, None
    status = str(output.get("Status"))
    if status == "PENDING":
        return status, None
    if client.outcome is not None:
        return status, client.outcome
    error: ErrorObject | None = parse_error(output["Error"]) if output.get("Error") else None
    return status, Ended(status == "FAILED", output.get("Result"), error)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """What the SDK logs and a handler prints has been seen when it ran for good."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)

"""Values that the handler's code computes outside of steps, held against those that were recorded."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from .._bridges.asks import Ask
from .._model.enums import ExecutionStatus
from .._model.errors import ErrorObject
from .._model.operation import CallbackDetails, ChainedInvokeDetails, ContextDetails, Operation, WaitDetails
from .client import Ended
from .matching import Asked, How
from .places import Place
from .player import Played
from .recording import Outcome, Recording
from .report import Drift, DriftKind
from .session import BATCHES
from .snapshots import ABSENT, difference
from .wording import label_of, words_of

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_SUSPENDED = Outcome(status=ExecutionStatus.RUNNING, result=None, error=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """An ask of the run that was recorded: its inputs as they were then, and where in the code it was made."""

    ask: Ask
    inputs: dict[str, Any]
    place: Place | None


@dataclass(frozen=True, slots=True)
class _Changed:
    what: str
    recorded: str
    now: str


def value_drifts(
    recording: Recording, played: Played, logged: dict[str, Logged] | None, *, in_order: bool
) -> Iterator[Drift]:
    """Inputs that have changed; and results, unless the operations already have: those would only follow from it."""
    at_end = recording.state(played.window.end)
    for turn, asked in enumerate(played.asked):
        recorded = asked.recorded
        if recorded is None or asked.how is How.BORROWED or recorded.id not in at_end:
            continue  # what was recorded later is compared when it is later
        log = (logged or {}).get(recorded.id) if not asked.speculative else None
        for changed in _inputs(asked, recorded, log):
            yield replace(_drift(recording, played, asked, recorded, changed), turn=turn)
    if in_order:
        yield from _results(recording, played, is_radar=logged is not None)


def _drift(recording: Recording, played: Played, asked: Asked, recorded: Operation, changed: _Changed) -> Drift:
    return Drift(
        kind=DriftKind.VALUE_CHANGED,
        operation=label_of(recorded),
        operation_id=recorded.id,
        what=changed.what,
        recorded=changed.recorded,
        now=changed.now,
        where=words_of(recording, recorded.parent_id),
        file=asked.place[0] if asked.place is not None else None,
        line=asked.place[1] if asked.place is not None else None,
        invocations=(played.window.label,),
    )


# ------------------------------------------------------------------------------------------------------- inputs


def _inputs(asked: Asked, recorded: Operation, log: Logged | None) -> Iterator[_Changed]:
    seen: set[str] = set()
    for name, then, now in _told(asked, recorded):
        seen.add(name)
        # A payload may hold what was made up before; what an operation is configured with seldom does.
        if not _same(then, now) and not (asked.speculative and name == "payload"):
            yield _Changed(_WORDS.get(name, name), _shown(then), _shown(now))
    if log is None:
        return
    for name, now in asked.inputs.items():
        if name in seen:
            continue
        found = difference(log.inputs.get(name), now)
        if found is not None:
            path = f" {found.path}" if found.path else ""
            what = f"argument{path}" if name in {"func", "check"} else f"{_WORDS.get(name, name)}{path}"
            yield _Changed(what, found.recorded, found.now)


_WORDS = {
    "seconds": "duration in seconds",
    "timeout_seconds": "timeout in seconds",
    "heartbeat_timeout_seconds": "heartbeat timeout in seconds",
    "function_name": "function name",
    "tenant_id": "tenant id",
    "initial_state": "initial state",
}


def _told(asked: Asked, recorded: Operation) -> Iterator[tuple[str, Any, Any]]:
    """Inputs that the history itself holds: name, value then, value now."""
    ask, details = asked.ask, recorded.details
    inputs = ask.inputs
    match details:
        case WaitDetails():
            yield "seconds", details.duration, inputs.get("seconds")
        case CallbackDetails():
            yield "timeout_seconds", details.timeout, inputs.get("timeout_seconds") or 0
            yield "heartbeat_timeout_seconds", details.heartbeat_timeout, inputs.get("heartbeat_timeout_seconds") or 0
        case ChainedInvokeDetails():
            yield "function_name", details.function_name, inputs.get("function_name")
            yield "tenant_id", details.tenant_id, inputs.get("tenant_id")
            now = asked.payload if "payload" not in ask.custom else ABSENT
            if now is not ABSENT and details.input_payload is not None:
                yield "payload", _decoded(details.input_payload), now


def _decoded(text: str | None) -> Any:
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _same(then: Any, now: Any) -> bool:
    """Whether both are the same, also where they hold what is not equal to itself."""
    return bool(then == now) or repr(then) == repr(now)


def _shown(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False) if isinstance(value, dict | list) else repr(value)
    except (TypeError, ValueError):
        return repr(value)


# ------------------------------------------------------------------------------------------------------ results


def _results(recording: Recording, played: Played, *, is_radar: bool) -> Iterator[Drift]:
    at_end, at_start = recording.state(played.window.end), recording.state(played.window.start)
    for turn, asked in enumerate(played.asked, start=len(played.asked)):
        recorded = at_end.get(asked.recorded.id) if asked.recorded is not None else None
        ended = played.ended.get(asked.ask.operation_id)
        if recorded is None or ended is None or not recorded.is_terminal or _is_over(at_start, recorded.id):
            continue
        details = recorded.details
        assert isinstance(details, ContextDetails)
        then = Ended(details.error is not None, details.result, details.error)
        if _is_race(recorded, then, ended):
            continue
        changed = _outcome(then, ended, is_radar=is_radar, is_custom="result" in asked.ask.custom)
        if changed is not None:
            yield replace(_drift(recording, played, asked, recorded, changed), turn=turn)
    if any(asked.forced for asked in played.asked):
        return  # what it ended with hangs on an answer that was made up: for a branch that nobody had needed
    final = played.window.outcome  # of one that was cut, what the service has refused, and not what the handler gave
    is_last = played.window.end == len(recording.events)  # the history may have been cut before its outcome
    if final is None and not is_radar and not (is_last or played.window.is_cut) and played.status != "PENDING":
        # It suspended then and goes on now. Begun again, it may well: what was open then may be answered already.
        final = recording.outcome or _SUSPENDED
    if final is not None and (final is not played.window.outcome or not played.window.is_cut):
        then = Ended(final.status is ExecutionStatus.FAILED, final.result, final.error)
        yield from _final(played, then if final is not _SUSPENDED else None, is_radar=is_radar)


def _is_race(batch: Operation, *ended: Ended) -> bool:
    """Whether a batch was over before all of its branches were: which of them came first is for the day to decide."""
    return batch.sub_type in BATCHES and any("ALL_COMPLETED" not in (each.result or "") for each in ended)


def _is_over(operations: dict[str, Operation], key: str) -> bool:
    return key in operations and operations[key].is_terminal


def _final(played: Played, then: Ended | None, *, is_radar: bool) -> Iterator[Drift]:
    now = played.outcome
    if now is not None and then is not None:
        changed = _outcome(then, now, is_radar=is_radar, is_custom=False)
    elif is_radar:
        changed = None
    else:
        changed = _Changed("outcome", _told_outcome(then), _told_now(played))
    if changed is not None:
        yield Drift(
            kind=DriftKind.VALUE_CHANGED,
            operation="the execution",
            what=changed.what,
            recorded=changed.recorded,
            now=changed.now,
            invocations=(played.window.label,),
            turn=2 * len(played.asked),
        )


def _told_outcome(ended: Ended | None) -> str:
    if ended is None:
        return "suspended"
    return f"failed with {_error(ended.error)}" if ended.failed else f"succeeded with {ended.result}"


def _told_now(played: Played) -> str:
    if played.problem is not None:
        return f"raised {type(played.problem).__name__}: {played.problem}"
    return _told_outcome(played.outcome)


def _outcome(then: Ended, now: Ended, *, is_radar: bool, is_custom: bool) -> _Changed | None:
    if then.failed != now.failed:
        if is_radar and now.failed:
            return None  # what the handler needs may be gone
        return _Changed("outcome", _told_outcome(then), _told_outcome(now))
    if then.failed:
        error, other = _error(then.error), _error(now.error)
        return _Changed("error", error, other) if error != other else None
    if is_custom:
        return None
    value, other_value = _decoded(then.result or None), _decoded(now.result or None)
    return _Changed("result", _shown(value), _shown(other_value)) if not _same(value, other_value) else None


def _error(error: ErrorObject | None) -> str:
    """Type and message, without the addresses that no two runs share."""
    if error is None:
        return "no error"
    return _ADDRESS.sub("0x…", f"{error.type}: {error.message}")

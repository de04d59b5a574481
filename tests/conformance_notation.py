"""What handlers for conformance requirements leave behind, in short, and how it differs from what is written down."""

from __future__ import annotations

import json
import re
from typing import Any

from conformance_kit import Played
from conformance_records import ARN_FIELDS, Record

_FIELDS = ("Duration", "Timeout", "HeartbeatTimeout", "TenantId")
_PAYLOADS = (("Input", "with"), ("Result", "="))


def differences(played: Played, entry: dict[str, Any]) -> dict[str, Any]:
    """What is not as the entry in ``expected.yaml`` says: what there is, and what is wanted."""
    result, letters = played.result, dict[str, str]()
    events = result.events
    lines = [line_of(event, letters) for event in events[1:]]
    log = [log_line(record, letters) for record in played.logs]
    error = result.error.message if result.error else None
    pairs = {
        "numbers": ([event["EventId"] for event in events], list(range(1, len(events) + 1))),
        "history": (lines, _as_wanted(lines, entry)),
        "status": (result.execution_status.value, entry.get("status", "RUNNING")),
        "value": (result.value, entry.get("value")),
        "error": (error, entry.get("error", error)),
        "logs": ({text: sum(text in line for line in log) for text in entry.get("logs", {})}, entry.get("logs", {})),
        "log order": ([line for line in log if line in entry.get("log order", [])], entry.get("log order", [])),
    }
    return {name: {"got": got, "wanted": want} for name, (got, want) in pairs.items() if got != want}


def _as_wanted(lines: list[str], entry: dict[str, Any]) -> list[str]:
    """The lines themselves, if they are as the entry has them, in which ``*`` stands for anything; else its own."""
    wanted: list[str] = entry["history"]
    if entry.get("any order"):
        are_alike = _kinds(lines) == _kinds(wanted)
    else:
        are_alike = len(lines) == len(wanted) and all(map(_fits, lines, wanted))
    return lines if are_alike else wanted


def _kinds(lines: list[str]) -> list[str]:
    return sorted(line.partition(" ")[0] for line in lines)


def _fits(line: str, expected: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, expected.split("*"))), line) is not None


def line_of(event: dict[str, Any], letters: dict[str, str]) -> str:
    """An event in short: operations have letters, and ``b<a`` is one inside another."""
    kind, details = event["EventType"], event[f"{event['EventType']}Details"]
    words = [kind]
    if "Id" in event and not kind.startswith("Execution"):
        own = letters.setdefault(event["Id"], chr(ord("a") + len(letters)))
        words.append(f"{own}<{letters[event['ParentId']]}" if "ParentId" in event else own)
        words.append(event.get("SubType", ""))
    if "Name" in event:
        words.append(f"'{event['Name']}'")
    words += [f"{key}={details[key]}" for key in _FIELDS if details.get(key)]
    retry = details.get("RetryDetails") or {}
    words += [f"attempt={retry['CurrentAttempt']}"] if retry.get("CurrentAttempt", 1) > 1 else []
    words += [f"next={retry['NextAttemptDelaySeconds']}"] if "NextAttemptDelaySeconds" in retry else []
    error = (details.get("Error") or {}).get("Payload") or {}
    words += [error["ErrorType"]] if "ErrorType" in error else []
    for key, sign in _PAYLOADS:
        payload = (details.get(key) or {}).get("Payload")
        words += [] if payload is None else [f"{sign} {payload[:50]}"]
    return " ".join(filter(None, words))


def log_line(record: Record, letters: dict[str, str]) -> str:
    """A record of a log in short: its message, and all other fields but those that say whose it is."""
    words = [str(record["message"])] if "message" in record else []
    for name, value in record.items():
        if name not in ("message", *ARN_FIELDS):
            words.append(f"{name}={letters.get(value, value) if isinstance(value, str) else json.dumps(value)}")
    return " ".join(words)

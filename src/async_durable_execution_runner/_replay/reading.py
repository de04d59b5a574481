"""Histories from wherever they are kept: a store, a result, the API's events, a file as the AWS CLI prints it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from .._model.execution import ExecutionRecord
from .._results import RecordSource
from .._wire.history_reader import millis, read_record
from ..exceptions import HistoryReadError
from ..result import DurableFunctionTestResult

Wire = Mapping[str, Any]
_UNKNOWN = "00000000-0000-0000-0000-000000000000"


def read_history(history: Any) -> ExecutionRecord:
    """The record behind whatever a history was given as. Raises ``HistoryReadError``."""
    if isinstance(history, ExecutionRecord):
        return history
    if isinstance(history, DurableFunctionTestResult):
        return _of_result(history)
    if isinstance(history, str | Path):
        return read_document(parse_file(Path(history)), str(history))
    if isinstance(history, tuple) and len(history) == 2 and hasattr(history[0], "load"):
        record: ExecutionRecord = history[0].load(history[1])
        return record
    if isinstance(history, Mapping):
        return read_document(history, "this history")
    if isinstance(history, Sequence):
        return read_document({"Events": list(history)}, "this history")
    raise HistoryReadError(
        "a history is a result, (store, execution ARN), an execution's record, the events of get_execution_history(), "
        f"or the path of a JSON file with them; not {type(history).__name__}"
    )


def _of_result(result: DurableFunctionTestResult) -> ExecutionRecord:
    if isinstance(result.source, RecordSource):
        return result.source.record
    raise HistoryReadError("this result holds no record of its execution; give its events: result.events")


# ----------------------------------------------------------------------------------------------------- documents


def parse_file(path: Path) -> dict[str, Any]:
    """The document of a file: an object with ``Events``, a list of events, or several such pages after each other."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise HistoryReadError(f"{path}: {error.strerror or error}") from error
    pages = [page for document in _documents(text, path) for page in _pages(document, path)]
    whole: dict[str, Any] = {}
    for page in pages:
        whole |= {key: value for key, value in page.items() if key != "Events"}
    whole.pop("NextMarker", None)
    if pages and pages[-1].get("NextMarker"):
        whole["NextMarker"] = pages[-1]["NextMarker"]
    return whole | {"Events": [event for page in pages for event in page["Events"]]}


def _documents(text: str, path: Path) -> Iterator[Any]:
    decoder, at = json.JSONDecoder(), 0
    while text[at:].strip():
        at += len(text[at:]) - len(text[at:].lstrip())
        try:
            document, at = decoder.raw_decode(text, at)
        except ValueError as error:
            raise HistoryReadError(f"{path} is no JSON: {error}") from error
        yield document


def _pages(document: Any, path: Path) -> list[dict[str, Any]]:
    if isinstance(document, dict) and isinstance(document.get("Events"), list):
        return [document]
    if isinstance(document, list) and all(isinstance(each, dict) for each in document):
        if all("EventType" in each for each in document):
            return [{"Events": document}]
        if all(isinstance(each.get("Events"), list) for each in document):
            return list(document)
    raise HistoryReadError(
        f"{path} holds no history: it is a JSON object with 'Events', as "
        "`aws lambda get-durable-execution-history --include-execution-data` prints it, or a list of events"
    )


def read_document(document: Wire, name: str) -> ExecutionRecord:
    """The record behind events in wire shape. Raises ``HistoryReadError``."""
    events = _in_order(document.get("Events") or [], name)
    if document.get("NextMarker"):
        raise HistoryReadError(
            f"{name} is not whole: there are more pages after NextMarker. Leave out --no-paginate and --max-items, "
            "or put all pages into the file, one after the other."
        )
    _require_whole(events, name)
    try:
        return read_record(_execution(document, events), events)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise HistoryReadError(f"{name} cannot be read as a history: {type(error).__name__}: {error}") from error


def _in_order(events: Sequence[Wire], name: str) -> list[Wire]:
    try:
        ordered = sorted(events, key=lambda event: int(event["EventId"]))
        numbers = [int(event["EventId"]) for event in ordered]
    except (KeyError, TypeError, ValueError) as error:
        raise HistoryReadError(f"{name} holds something that is no event: {error}") from error
    if not ordered or ordered[0].get("EventType") != "ExecutionStarted":
        raise HistoryReadError(f"{name} does not begin with ExecutionStarted: a history is replayed from its start")
    for expected, number in enumerate(numbers, start=1):
        if number != expected:
            raise HistoryReadError(f"{name} is not whole: event {expected} is missing, event {number} is there")
    return ordered


def _require_whole(events: Sequence[Wire], name: str) -> None:
    for event in events:
        for key, payload in (event.get(f"{event['EventType']}Details") or {}).items():
            if isinstance(payload, Mapping) and payload.get("Truncated") and payload.get("Payload") is None:
                raise HistoryReadError(
                    f"{name}: the {key.lower()} of {_called(event)} was left out "
                    f"(Truncated, event {event['EventId']}). "
                    "A replay needs all payloads: get the history with --include-execution-data."
                )


def _called(event: Wire) -> str:
    if event["EventType"].startswith("Execution"):
        return "the execution"
    kind = event.get("SubType") or event["EventType"]
    return f"{kind} '{event['Name']}'" if event.get("Name") else f"an unnamed {kind}"


def _execution(document: Wire, events: Sequence[Wire]) -> dict[str, Any]:
    """What GetDurableExecution would say, as far as a history tells."""
    first = events[0]
    name = document.get("DurableExecutionName") or first.get("Name") or "recorded"
    function = document.get("function") or "recorded-function"
    arn = document.get("DurableExecutionArn") or (
        f"arn:aws:lambda:us-west-2:123456789012:function:{function}:$LATEST/durable-execution/{name}/"
        f"{first.get('Id') or _UNKNOWN}"
    )
    return {
        "DurableExecutionArn": arn,
        "DurableExecutionName": name,
        "StartTimestamp": datetime.fromtimestamp(millis(first["EventTimestamp"]) / 1000).astimezone(),
    }

"""Parameters of operations, drawn from the shapes of the installed API model: such as fit, and such as nearly do."""

from __future__ import annotations

import copy
import functools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import botocore.model
from hypothesis import strategies as st

from async_durable_execution_runner._wire.model import operation_model, raw_traits

HUGE = 6 * 1024 * 1024
"""The longest text that the model knows; what is as long is drawn seldom."""

SHORT = 40


@dataclass(frozen=True, slots=True)
class Ref:
    """Something that only the endpoint under test knows: an ARN, a token, a callback id. Filled in when it is sent."""

    kind: str
    number: int = 0


def refs(*kinds: str) -> st.SearchStrategy[Ref]:
    return st.builds(Ref, st.sampled_from(kinds), st.integers(0, 1000))


def fill(value: Any, known: Mapping[str, list[str]]) -> Any:
    """``value`` with every reference replaced."""
    if isinstance(value, Ref):
        found = known[value.kind]
        return found[value.number % len(found)]
    if isinstance(value, dict):
        return {key: fill(item, known) for key, item in value.items()}
    return [fill(item, known) for item in value] if isinstance(value, list) else value


# ------------------------------------------------------------------------------------------------- what fits

_ARNS = "arn:aws:lambda:us-west-2:123456789012:function:steps"
FUNCTION_NAMES = ("steps", "fails", "plain", "nobody", "steps:$LATEST", _ARNS, f"{_ARNS}:$LATEST", "123456789012:steps")
# What leads somewhere only if it is meant for something that is there.
_MEANT: dict[str, st.SearchStrategy[Any]] = {
    "DurableExecutionArn": refs("arn"),
    "CheckpointToken": refs("token", "token", "token", "stale"),
    "CallbackId": refs("callback", "callback", "closed-callback"),
    "FunctionName": st.sampled_from(FUNCTION_NAMES),
    "DurableExecutionName": st.sampled_from([f"name-{number}" for number in range(40)]),
    "Marker": refs("marker"),
    "Id": st.sampled_from("abcdefgh"),
    "ParentId": st.sampled_from("abcdefgh"),
}
_ERROR = st.fixed_dictionaries({}, optional={"ErrorType": st.just("E"), "ErrorMessage": st.text("ab", max_size=5)})
_NEW = {
    "STEP": {"StepOptions": st.fixed_dictionaries({"NextAttemptDelaySeconds": st.integers(1, 9)})},
    "WAIT": {"WaitOptions": st.fixed_dictionaries({"WaitSeconds": st.integers(1, 10**7)})},
    "CALLBACK": {"CallbackOptions": st.fixed_dictionaries({"TimeoutSeconds": st.integers(0, 10**6)})},
    "CONTEXT": {"ContextOptions": st.fixed_dictionaries({"ReplayChildren": st.booleans()})},
    "CHAINED_INVOKE": {"ChainedInvokeOptions": st.fixed_dictionaries({"FunctionName": _MEANT["FunctionName"]})},
    "EXECUTION": {},
}
_ACTIONS = ("START", "START", "START", "SUCCEED", "FAIL", "RETRY", "CANCEL")


@st.composite
def _update(draw: st.DrawFn) -> dict[str, Any]:
    """An update whose parts belong together, so that it mostly depends on what has happened whether it is allowed."""
    kind = draw(st.sampled_from([*_NEW, *_NEW, "STEP"]))
    action = draw(st.sampled_from(_ACTIONS))
    update = {"Id": draw(st.sampled_from("abcdefghijklmnopqrstuvwxyz")), "Type": kind, "Action": action}
    if action == "RETRY" or (action == "START" and kind not in {"STEP", "CONTEXT"}):
        update |= {name: draw(options) for name, options in _NEW[kind].items()}
    if action == "FAIL":
        update["Error"] = draw(_ERROR)
    if action == "SUCCEED":
        update["Payload"] = draw(JSON_TEXT)
    parent = draw(st.sampled_from([None, None, None, "a", "b"]))
    return update | ({"ParentId": parent} if parent else {})


_MEANT["Updates"] = st.lists(_update(), max_size=4)
_WITH_TOKEN = {"CheckpointDurableExecution", "GetDurableExecutionState"}
_OFTEN = {"DurableExecutionArn", "CheckpointToken", "CallbackId", "Id"}
INSTANTS = st.one_of(
    st.sampled_from(["2025-12-01T00:00:00Z", "1764547200", "0", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]),
    st.datetimes().map(lambda moment: moment.isoformat() + "Z"),
)
JSON_TEXT = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-5, 2**40), st.text(max_size=SHORT), st.just({"n": 3})),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["n", "a", "é"]), inner, max_size=3)
    ),
    max_leaves=6,
).map(json.dumps)


@functools.cache
def fitting(operation: str) -> st.SearchStrategy[dict[str, Any]]:
    """Parameters that fit the operation's input."""
    shape = operation_model(operation).input_shape
    assert shape is not None
    params = _structure(shape)
    if operation not in _WITH_TOKEN:
        return params
    # The one execution whose token is known, most of the time.
    return st.tuples(params, st.integers(0, 4)).map(
        lambda drawn: drawn[0] | ({"DurableExecutionArn": Ref("subject")} if drawn[1] else {})
    )


def _structure(shape: botocore.model.StructureShape) -> st.SearchStrategy[dict[str, Any]]:
    required = {name: _member(name, member) for name, member in shape.members.items() if name in shape.required_members}
    others = {name: _member(name, member) for name, member in shape.members.items() if name not in required}
    return st.fixed_dictionaries(required, optional=others)


def _member(name: str, shape: botocore.model.Shape) -> st.SearchStrategy[Any]:
    meant = _MEANT.get(name)
    if meant is None:
        return _any_of(shape)
    # Not nought: hypothesis has a liking for it.
    return st.integers(0, 19 if name in _OFTEN else 5).flatmap(lambda dice: _any_of(shape) if dice == 4 else meant)


def _any_of(shape: botocore.model.Shape) -> st.SearchStrategy[Any]:
    if isinstance(shape, botocore.model.StructureShape):
        return _structure(shape)
    if isinstance(shape, botocore.model.ListShape):
        low, high = shape.metadata.get("min", 0), shape.metadata.get("max", 4)
        return st.lists(_any_of(shape.member), min_size=low, max_size=min(high, 4))
    if shape.type_name in {"integer", "long"}:
        low, high = shape.metadata.get("min"), shape.metadata.get("max")
        bounds = [bound for bound in (low, high, 1) if bound is not None]
        return st.one_of(st.integers(low, high), st.sampled_from(bounds))
    if shape.type_name == "boolean":
        return st.booleans()
    if shape.type_name == "timestamp":
        return INSTANTS
    return JSON_TEXT.map(str.encode) if shape.type_name == "blob" else _text(shape)


def _text(shape: botocore.model.Shape) -> st.SearchStrategy[str]:
    traits = raw_traits(shape)
    if "enum" in traits:
        return st.sampled_from(traits["enum"])
    low, high = traits.get("min", 0), traits.get("max", HUGE)
    if "pattern" in traits:
        return st.from_regex(traits["pattern"], fullmatch=True).filter(lambda text: low <= len(text) <= high)
    letters = st.characters(exclude_categories=["Cs"])
    some = st.text(letters, min_size=low, max_size=min(high, SHORT))
    edges = [low, *([high] if high < 3000 else [])]
    return st.one_of(some, JSON_TEXT, st.sampled_from(edges).map(lambda size: "x" * size)).filter(
        lambda text: low <= len(text) <= high
    )


# ------------------------------------------------------------------------------------------- what nearly fits

JUNK = st.sampled_from(
    [
        None, True, 0, -1, 1.5, 2**31, 2**63, -(2**70), 1e300, float("inf"), float("nan"), "", " ", "x", "é", "\x00",
        "\ud800", "null", "true", "a b", "../..", "%", "$LATEST", [], [[]], [None], {}, {"": {}}, {"a": [1]},
        [{}] * 3, "9" * 5000, "x" * 3000,
    ]
)  # fmt: skip


@st.composite
def nearly(draw: st.DrawFn, operation: str) -> dict[str, Any]:
    """Parameters with one to three of their members spoilt."""
    params = copy.deepcopy(draw(fitting(operation)))
    shape = operation_model(operation).input_shape
    for _ in range(draw(st.integers(1, 3))):
        owner, key, member = draw(st.sampled_from([*_places(shape, params), (params, "Unheard-of", None)]))
        what = draw(st.sampled_from(["junk", "edge", "gone", "wrapped", "case"]))
        if what == "gone":
            owner.pop(key, None) if isinstance(owner, dict) else owner.clear()
            break  # the places are others now
        if what == "junk" or key not in (owner if isinstance(owner, dict) else range(len(owner))):
            owner[key] = copy.deepcopy(draw(JUNK))
        elif what == "edge" and member is not None:
            owner[key] = draw(_edge(member))
        elif what == "wrapped":
            owner[key] = [owner[key]] if draw(st.booleans()) else {"Value": owner[key]}
        elif isinstance(owner[key], str):
            owner[key] = owner[key].swapcase()
    return params


def _places(shape: Any, value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every member, item and missing member inside ``value``: its owner, its key and its shape."""
    if isinstance(shape, botocore.model.StructureShape) and isinstance(value, dict):
        for name, member in shape.members.items():
            yield value, name, member
            yield from _places(member, value.get(name))
    elif isinstance(shape, botocore.model.ListShape) and isinstance(value, list):
        for number, item in enumerate(value):
            yield value, number, shape.member
            yield from _places(shape.member, item)


def _edge(shape: botocore.model.Shape) -> st.SearchStrategy[Any]:
    """Values at a limit of the shape and one beyond."""
    traits = raw_traits(shape)
    bounds = [traits[name] for name in ("min", "max") if name in traits]
    around = [bound + step for bound in bounds for step in (-1, 0, 1)]
    if shape.type_name in {"integer", "long"}:
        return st.sampled_from([*around, 2**31, 2**63])
    sizes = [size for size in around if 0 <= size < 300_000] or [0]
    if isinstance(shape, botocore.model.ListShape):
        return st.sampled_from(sizes).flatmap(
            lambda size: st.lists(_any_of(shape.member), min_size=min(size, 20), max_size=min(size, 20))
        )
    if shape.type_name == "blob":
        return st.sampled_from(sizes).map(lambda size: b"x" * size)
    return st.sampled_from(sizes).map(lambda size: "a" * size) if shape.type_name == "string" else JUNK

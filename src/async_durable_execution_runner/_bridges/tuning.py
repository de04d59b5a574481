"""What makes an SDK faster from outside, and changes nothing it does.

Kept apart because it touches names that are the SDK's own business. It recognises what it changes or leaves it alone,
and everything is as it was as soon as the invocation is over.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import threading
import typing
from collections.abc import Callable, Iterator
from typing import Any

_ANNOTATION_QUESTIONS = ("_model_type", "_enum_type")
"""Functions of one annotation, which ask what kind of member it stands for."""


@functools.cache
def _replacements(models: Any) -> dict[str, tuple[Callable[..., Any], Callable[..., Any]]]:
    """What may be exchanged in a module of models: its own function and the one that remembers, by name.

    Answers about a class's hints or an annotation cannot change, so what is decoded with remembered ones is the same.
    """
    found: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {}
    if getattr(models, "get_type_hints", None) is typing.get_type_hints:
        found["get_type_hints"] = typing.get_type_hints, functools.cache(typing.get_type_hints)
    for name in _ANNOTATION_QUESTIONS:
        own = getattr(models, name, None)
        if inspect.isfunction(own) and list(inspect.signature(own).parameters) == ["annotation"]:
            found[name] = own, functools.cache(own)
    return found


_lock = threading.Lock()
_users = 0


@contextlib.contextmanager
def remembered_annotations(models: Any) -> Iterator[None]:
    """Let ``async-durable-execution`` remember its models' annotations, which it resolves anew for every object."""
    global _users  # noqa: PLW0603 - invocations of several runners may overlap; the last one puts things back
    replacements = _replacements(models)
    with _lock:
        _users += 1
        if _users == 1:
            for name, (_, remembering) in replacements.items():
                setattr(models, name, remembering)
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                for name, (own, _) in replacements.items():
                    setattr(models, name, own)

"""What makes an SDK faster from outside, and changes nothing it does.

Kept apart because it touches names that are the SDK's own business. It recognises what it changes or leaves it alone,
and everything is as it was as soon as the invocation is over.
"""

from __future__ import annotations

import functools
import inspect
import typing
from contextlib import AbstractContextManager
from typing import Any

from .exchanged import Exchange, Exchanged

_ANNOTATION_QUESTIONS = ("_model_type", "_enum_type")
"""Functions of one annotation, which ask what kind of member it stands for."""


_exchanged = Exchanged()


def remembered_annotations(models: Any) -> AbstractContextManager[None]:
    """Let ``async-durable-execution`` remember its models' annotations, which it resolves anew for every object."""
    return _exchanged.by(lambda: _exchanges(models))


@functools.cache
def _exchanges(models: Any) -> list[Exchange]:
    """What may be exchanged in a module of models: functions for ones that remember.

    Answers about a class's hints or an annotation cannot change, so what is decoded with remembered ones is the same.
    """
    found: list[Exchange] = []
    if getattr(models, "get_type_hints", None) is typing.get_type_hints:
        found.append((models, "get_type_hints", functools.cache(typing.get_type_hints)))
    for name in _ANNOTATION_QUESTIONS:
        own = getattr(models, name, None)
        if inspect.isfunction(own) and list(inspect.signature(own).parameters) == ["annotation"]:
            found.append((models, name, functools.cache(own)))
    return found

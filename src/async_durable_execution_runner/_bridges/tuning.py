"""What makes an SDK faster from outside, and changes nothing it does.

Kept apart because it touches names that are the SDK's own business. It recognises what it changes or leaves it alone,
and everything is as it was as soon as the invocation is over.
"""

from __future__ import annotations

import contextlib
import functools
import typing
from collections.abc import Iterator
from typing import Any

_hints = functools.cache(typing.get_type_hints)


@contextlib.contextmanager
def cached_type_hints(models: Any) -> Iterator[None]:
    """``async-durable-execution`` asks for a model's type hints anew for every object it decodes; remember them.

    The hints of a class do not change, so neither does what is decoded.
    """
    if getattr(models, "get_type_hints", None) is not typing.get_type_hints:
        yield
        return
    models.get_type_hints = _hints
    try:
        yield
    finally:
        models.get_type_hints = typing.get_type_hints

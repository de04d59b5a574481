"""Steps and bodies of child contexts, as either SDK takes them."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

_KINDS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def required_arguments(block: Any) -> int | None:
    """How many positional arguments a call needs: none with ``async-durable-execution``, one with AWS's SDK.

    ``None`` for a call that nothing can be known about.
    """
    try:
        parameters = inspect.signature(block).parameters.values()
    except (TypeError, ValueError):
        return None
    return sum(each.kind in _KINDS and each.default is inspect.Parameter.empty for each in parameters)


def why_no_block(block: Any, what: str, sdk: str | None) -> str | None:
    """Why something cannot be a step or the body of a child context, or ``None`` if it can.

    ``sdk`` is the one whose code ``block`` itself is.
    """
    name = getattr(block, "__qualname__", None) or getattr(block, "__name__", None) or repr(block)
    if inspect.iscoroutine(block):
        block.close()  # or Python would warn that nobody awaits it
        return (
            f"a {what} is a function, and {name}(…) is already its coroutine: decorate {name} with @durable_callable, "
            f"or give functools.partial({name}, …)"
        )
    if not callable(block):
        return f"a {what} is a function that an SDK calls, not {type(block).__name__} {block!r}"
    required = required_arguments(block)
    if sdk is None and required == 1 and inspect.iscoroutinefunction(block):
        return (
            f"{name} fits neither SDK as a {what}: AWS's gives it a context, but calls no `async def`, and "
            "async-durable-execution gives it nothing. Leave out `async` for the one; for the other give "
            f"functools.partial({name}, …)"
        )
    is_not_called_yet = sdk is not None and (hasattr(block, "__wrapped__") or required == 0)
    if is_not_called_yet or (required is not None and required > 1):
        return (
            f"{name} wants arguments before it can be a {what}: call it, if an SDK's decorator is on it, and give what "
            "that returns; else give a functools.partial"
        )
    return None


def called(what: str, block: Any, handler: Callable[..., Any]) -> Callable[..., Any]:
    """The handler under the name that messages have for it."""
    while isinstance(block, functools.partial):
        block = block.func
    name = getattr(block, "_original_name", None) or getattr(block, "__qualname__", type(block).__name__)
    handler.__module__, handler.__qualname__ = __package__.partition(".")[0], f"{what}({name})"
    return handler

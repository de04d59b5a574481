"""Durable functions of one step or one child context, so that either can be tested by itself.

What is given is what a handler would give to its SDK, and so are the options: a step of ``context.step(price("lamp"),
name="price")`` is tested as ``DurableFunctionTestRunner(step_handler(price("lamp"), name="price"))``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._bridges import bridge_of_block

__all__ = ["child_context_handler", "step_handler"]


def step_handler(step: Callable[..., Any], name: str | None = None, **options: Any) -> Any:
    """A durable function that runs ``step`` as its only step, and returns what the step returns.

    ``step`` and ``options`` are what the SDK's own ``step`` takes, ``retry_strategy=`` or ``config=`` among them. The
    SDK is the one that ``step`` is written for: an ``async def`` without arguments belongs to
    ``async-durable-execution``, a function of a context to AWS's SDK. The handler's own input is not used.

    Raises ``HandlerError`` for something that cannot be a step, ``TypeError`` for options that the SDK does not have,
    ``SdkNotInstalledError``.
    """
    return bridge_of_block(step, "step").step_handler(step, name, options)


def child_context_handler(block: Callable[..., Any], name: str | None = None, **options: Any) -> Any:
    """A durable function that runs ``block`` in a child context, and returns what it returns.

    ``block`` and ``options`` are what the SDK's own ``run_in_child_context`` takes. Everything else is as for
    ``step_handler``.
    """
    return bridge_of_block(block, "child context").child_context_handler(block, name, options)

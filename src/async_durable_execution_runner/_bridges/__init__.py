"""The rooms that know an SDK, one file for each. Nothing here is imported before a handler needs it."""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import inspect
from collections.abc import Callable, Iterator
from typing import Any

from ..exceptions import HandlerError, SdkNotInstalledError
from .base import Bridge
from .blocks import required_arguments, why_no_block

__all__ = ["Bridge", "bridge_for", "default_bridge", "load_handler"]

_ROOMS = {"async_durable_execution": "async_sdk", "aws_durable_execution_sdk_python": "aws_sdk"}
_INSTALL = {
    "async_durable_execution": "pip install async-durable-execution",
    "aws_durable_execution_sdk_python": "pip install aws-durable-execution-sdk-python",
}


def layers(handler: Any) -> Iterator[Any]:
    """The handler and what it wraps, from the outside in."""
    seen: set[int] = set()
    while handler is not None and id(handler) not in seen:
        seen.add(id(handler))
        yield handler
        handler = handler.func if isinstance(handler, functools.partial) else getattr(handler, "__wrapped__", None)


def sdk_of(function: Any) -> str | None:
    """The SDK whose code ``function`` is, or ``None``."""
    module = str(getattr(function, "__globals__", {}).get("__name__", "")).partition(".")[0]
    return module if module in _INSTALL else None


def is_decorated(handler: Any) -> bool:
    """Whether an SDK has decorated ``handler``; any other function is an ordinary one."""
    return any(sdk_of(layer) for layer in layers(handler))


def bridge_for(handler: Any) -> Bridge:
    """The bridge to the SDK that decorated ``handler``.

    Raises ``HandlerError`` for something that cannot be a durable function, and ``SdkNotInstalledError``.
    """
    for layer in layers(handler):
        sdk = sdk_of(layer)
        if sdk is not None:
            return _load(sdk, handler)
    if inspect.iscoroutinefunction(handler):
        return _load("async_durable_execution", handler)
    raise HandlerError(_why_not(handler))


def bridge_of_block(block: Any, what: str) -> Bridge:
    """The bridge to the SDK that a step or the body of a child context is written for.

    Raises ``HandlerError`` for something that neither SDK could call, and ``SdkNotInstalledError``.
    """
    if (problem := why_no_block(block, what, sdk_of(block))) is not None:
        raise HandlerError(problem)
    sdks = [sdk for layer in layers(block) if (sdk := sdk_of(layer)) is not None]
    if sdks:
        return _load(sdks[0], block)
    takes_context = required_arguments(block) == 1
    return _load("aws_durable_execution_sdk_python" if takes_context else "async_durable_execution", block)


def default_bridge() -> Bridge:
    """The bridge for results that no handler is there to decide about: to whichever SDK is installed."""
    installed = [sdk for sdk in _ROOMS if importlib.util.find_spec(sdk) is not None]
    return _load(installed[0] if installed else "async_durable_execution", None)


def load_handler(name: str) -> Any:
    """The object that ``module:attribute`` names. Raises ``HandlerError`` saying which half is wrong."""
    require_no_address(name)
    module_name, _, attribute = name.partition(":")
    if not module_name or not attribute:
        raise HandlerError(f"a handler given by name is written 'module:attribute', not {name!r}")
    try:
        target: Any = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        missing = str(error.name).partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
        hint = f". The SDK is not installed: {_INSTALL[missing]}" if missing in _INSTALL else ""
        told = f"{type(error).__name__}: {error}{hint}"
        raise HandlerError(f"cannot import the module of handler {name!r}: {told}") from error
    for part in attribute.split("."):
        if not hasattr(target, part):
            close = difflib.get_close_matches(part, dir(target), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise HandlerError(f"{module_name!r} has no attribute {attribute!r} (handler {name!r}).{hint}")
        target = getattr(target, part)
    return target


def require_no_address(name: str) -> None:
    """Raise ``HandlerError`` for an address where a handler's name is wanted."""
    if "://" in name:
        raise HandlerError(
            f"{name!r} is no handler's name, 'module:attribute'. Addresses, http://… or https://…, are for functions "
            "of DurableEndpoint and of durable-runner serve, which such a function can reach"
        )


def as_lambda_handler(handler: Any) -> Callable[[dict[str, Any], Any], Any]:
    """The handler as Lambda calls it, talking to whatever its SDK finds in the environment.

    Raises ``HandlerError`` for something that cannot be a durable function.
    """
    bridge = bridge_for(handler)
    if is_decorated(handler):
        decorated: Callable[[dict[str, Any], Any], Any] = handler
        return decorated
    return bridge.decorate(handler)


@functools.cache
def _bridge(sdk: str) -> Bridge:
    module = importlib.import_module(f"{__name__}.{_ROOMS[sdk]}")
    bridge: Bridge = module.create_bridge()
    return bridge


def _load(sdk: str, handler: Any) -> Bridge:
    if importlib.util.find_spec(sdk) is None:
        what = f"handler {handler_name(handler)}" if handler is not None else "this runner"
        raise SdkNotInstalledError(f"{what} needs the package {sdk}, which is not installed: {_INSTALL[sdk]}")
    if importlib.util.find_spec(f"{__name__}.{_ROOMS[sdk]}") is None:
        raise HandlerError(
            f"handler {handler_name(handler)} is decorated by {sdk}, which this release does not support yet"
        )
    return _bridge(sdk)


def handler_name(handler: Any) -> str:
    """The handler as its author would name it."""
    module, name = getattr(handler, "__module__", None), getattr(handler, "__qualname__", None)
    return f"{module}.{name}" if module and name else repr(handler)


def _why_not(handler: Any) -> str:
    fix = "decorate it with @durable_execution of your SDK, or give an undecorated `async def` durable function"
    if handler is None:
        return "the runner has no handler: give one as DurableFunctionTestRunner(handler) or handler=… in the marker"
    if isinstance(handler, Callable):  # type: ignore[arg-type]
        wraps = "; if a decorator of your own is above it, that one needs functools.wraps"
        return f"{handler_name(handler)} is no durable function: {fix}{wraps}"
    return f"a handler must be a durable function, not {type(handler).__name__} {handler!r}: {fix}"

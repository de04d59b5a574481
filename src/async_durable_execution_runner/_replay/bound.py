"""Arguments that are bound to something to be called, under the names that its author has given them."""

from __future__ import annotations

import functools
import inspect
import types
import weakref
from collections.abc import Mapping, Sequence
from typing import Any

from .places import SDKS

_signatures: weakref.WeakKeyDictionary[types.FunctionType, inspect.Signature | None] = weakref.WeakKeyDictionary()
"""Of functions that have been asked about: reading one takes longer than all else here."""


def bound_arguments(value: Any) -> tuple[Any, Mapping[str, Any]] | None:
    """What will be called and what it will be called with, by name; ``None`` if ``value`` binds nothing."""
    if isinstance(value, functools.partial):
        named = _named(value.func, value.args, value.keywords)
        numbered = {str(number): each for number, each in enumerate(value.args)}
        return value.func, named if named is not None else numbered | value.keywords
    if isinstance(value, types.FunctionType):
        return _by_an_sdk(value)
    return None


def _by_an_sdk(function: types.FunctionType) -> tuple[Any, Mapping[str, Any]] | None:
    """What AWS's decorators (``durable_step`` …) have bound: their function closes over a call that it only completes.

    It puts what it is given itself, such as the step's context, before the arguments.
    """
    if str(function.__module__).partition(".")[0] not in SDKS:
        return None
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    try:
        inner, args, kwargs = (cells[name].cell_contents for name in ("func", "args", "kwargs"))
    except (KeyError, ValueError):  # another function of the SDK's, or one that is not complete
        return None
    if not isinstance(args, tuple) or not isinstance(kwargs, dict):
        return None
    named = _named(inner, args, kwargs, before=function.__code__.co_argcount)
    return None if named is None else (inner, named)


def _named(
    function: Any, args: Sequence[Any], kwargs: Mapping[str, Any], *, before: int | None = None
) -> dict[str, Any] | None:
    """Arguments by parameter, or ``None`` if they do not fit.

    With ``before`` the call is complete, but for as many arguments that come first and are left out here: then defaults
    belong to it. Otherwise somebody may still add to it.
    """
    signature = _signature_of(function)
    if signature is None:
        return None
    try:
        if before is None:
            return signature.bind_partial(*args, **kwargs).arguments
        bound = signature.bind(*[None] * before, *args, **kwargs)
    except TypeError:
        return None
    bound.apply_defaults()
    return _without_first(before, signature, bound.arguments)


def _without_first(count: int, signature: inspect.Signature, arguments: dict[str, Any]) -> dict[str, Any]:
    for index, (name, parameter) in enumerate(list(signature.parameters.items())[:count]):
        if parameter.kind is parameter.VAR_POSITIONAL:
            return {**arguments, name: arguments[name][count - index :]}
        arguments = {key: value for key, value in arguments.items() if key != name}
    return arguments


def _signature_of(function: Any) -> inspect.Signature | None:
    if not isinstance(function, types.FunctionType):
        return _read(function)
    if function not in _signatures:
        _signatures[function] = _read(function)
    return _signatures[function]


def _read(function: Any) -> inspect.Signature | None:
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return None

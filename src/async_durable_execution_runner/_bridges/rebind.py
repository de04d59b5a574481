"""A decorated handler made anew around another inner function.

Decorators hold what they wrap in a closure or an attribute. To point them to a function bound to our client without
touching the user's objects, each layer is cloned with that one reference exchanged.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Iterable
from typing import Any

from ..exceptions import HandlerError


def rebind(layer: Any, target: Any, replacement: Any) -> Any:
    """``layer`` with ``target``, somewhere below it, exchanged for ``replacement``.

    Raises ``HandlerError`` for a decorator whose reference cannot be found.
    """
    if layer is target:
        return replacement
    inner = layer.func if isinstance(layer, functools.partial) else getattr(layer, "__wrapped__", None)
    if inner is None:
        raise _unreachable(layer)
    new_inner = rebind(inner, target, replacement)
    if isinstance(layer, functools.partial):
        return functools.partial(new_inner, *layer.args, **layer.keywords)
    if isinstance(layer, types.FunctionType):
        return _clone_function(layer, inner, new_inner)
    return _clone_object(layer, inner, new_inner)


def with_closure(function: Any, **values: Any) -> Any | None:
    """``function`` with other values for names it closes over, or ``None`` if it has no such name."""
    names = function.__code__.co_freevars
    if not values.keys() <= set(names):
        return None
    cells = zip(names, function.__closure__ or (), strict=True)
    return _clone(function, tuple(types.CellType(values[name]) if name in values else cell for name, cell in cells))


def _clone_function(function: types.FunctionType, inner: Any, new_inner: Any) -> types.FunctionType:
    cells = function.__closure__ or ()
    closure = tuple(types.CellType(new_inner) if _holds(cell, inner) else cell for cell in cells)
    if all(new is old for new, old in zip(closure, cells, strict=True)):
        raise _unreachable(function)
    clone = _clone(function, closure)
    clone.__dict__["__wrapped__"] = new_inner
    return clone


def _clone(function: types.FunctionType, closure: tuple[types.CellType, ...]) -> types.FunctionType:
    code, name, defaults = function.__code__, function.__name__, function.__defaults__
    clone = types.FunctionType(code, function.__globals__, name, defaults, closure)
    clone.__kwdefaults__ = function.__kwdefaults__
    functools.update_wrapper(clone, function)
    clone.__dict__["__wrapped__"] = function.__dict__.get("__wrapped__")
    return clone


def _clone_object(layer: Any, inner: Any, new_inner: Any) -> Any:
    slots = {name for kind in type(layer).__mro__ for name in _names(getattr(kind, "__slots__", ()))}
    names = [*getattr(layer, "__dict__", {}), *slots - {"__dict__", "__weakref__"}]
    attributes = [name for name in names if getattr(layer, name, None) is inner]
    if not attributes:
        raise _unreachable(layer)
    if _is_plain(layer, slots):
        return _sharing_state(layer, attributes, new_inner)
    clone = copy.copy(layer)
    for name in attributes:
        setattr(clone, name, new_inner)
    return clone


class _Instead:
    """Stands before what an object's ``__dict__`` has under its name."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __get__(self, instance: Any, owner: type) -> Any:
        return self._value

    def __set__(self, instance: Any, value: Any) -> None:
        self._value = value


def _is_plain(layer: Any, slots: set[str]) -> bool:
    """Whether all that an object remembers is in its ``__dict__``, and its class can be derived from unnoticed."""
    kind: Any = type(layer)
    is_ordinary = kind.__new__ is object.__new__ and type(kind) is type and not slots - {"__dict__", "__weakref__"}
    return is_ordinary and not hasattr(kind.__init_subclass__, "__func__")


def _sharing_state(layer: Any, attributes: Iterable[str], new_inner: Any) -> Any:
    """An object that remembers what ``layer`` does: what one of them counts, both have counted."""
    kind = type(layer)
    names: dict[str, Any] = {"__module__": kind.__module__, "__qualname__": kind.__qualname__, "__doc__": kind.__doc__}
    names |= {each: _Instead(new_inner) for each in attributes}
    clone: Any = object.__new__(type(kind.__name__, (kind,), names))
    object.__setattr__(clone, "__dict__", vars(layer))
    return clone


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _holds(cell: types.CellType, value: Any) -> bool:
    try:
        return cell.cell_contents is value
    except ValueError:  # an empty cell: a name that was never bound
        return False


def _unreachable(layer: Any) -> HandlerError:
    return HandlerError(
        f"the decorator around the durable function hides it: {layer!r} holds no reference the runner can find; "
        "use functools.wraps in the decorator, and keep the wrapped function in its closure or in an attribute"
    )

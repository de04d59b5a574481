"""Sets that are gone through the other way round, in the user's own code.

The order of a set of texts hangs on a seed that every process draws for itself. In the same process it can only be
changed by changing the sets: the code of the user's modules that make sets is compiled anew, with sets of a kind that
keeps turning what it gives, and put back afterwards.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import functools
import types
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

_SET, _FROZEN = "__durable_runner_set__", "__durable_runner_frozenset__"
_FIXED = (int, float, complex)
"""Whose order is the same in every process."""


def _turned(elements: Iterable[Any]) -> list[Any]:
    order = list(elements)
    return order if all(_is_fixed(each) for each in order) else order[::-1]


def _is_fixed(element: Any) -> bool:
    if isinstance(element, tuple):
        return all(_is_fixed(each) for each in element)
    return isinstance(element, _FIXED)


def _gives_same_kind(kind: type, names: Iterable[str]) -> dict[str, Any]:
    """Methods that give a set, giving one of the kind that they are called on."""

    def wrap(name: str) -> Any:
        own = getattr(kind, name)

        @functools.wraps(own)
        def method(self: Any, *args: Any) -> Any:
            result = own(self, *args)
            return type(self)(result) if type(result) is kind else result

        return method

    return {name: wrap(name) for name in names}


_OPERATORS = (
    *("__and__", "__or__", "__sub__", "__xor__", "__rand__", "__ror__", "__rsub__", "__rxor__"),
    *("union", "intersection", "difference", "symmetric_difference", "copy"),
)


def _kind(base: Any) -> type:
    def iterate(self: Any) -> Iterator[Any]:
        return iter(_turned(base.__iter__(self)))

    return type(base.__name__, (base,), {"__iter__": iterate, **_gives_same_kind(base, _OPERATORS)})


_TurnedSet: Any = _kind(set)
_TurnedFrozen: Any = _kind(frozenset)


def _pop(self: Any) -> Any:
    for element in self:
        self.discard(element)
        return element
    return set.pop(self)  # raises what it raises for an empty set


_TurnedSet.pop = _pop


class _Turn(ast.NodeTransformer):
    def __init__(self) -> None:
        self.found = False

    def visit_Set(self, node: ast.Set) -> ast.AST:
        self.generic_visit(node)
        return self._made(node, ast.List(elts=node.elts, ctx=ast.Load()))

    def visit_SetComp(self, node: ast.SetComp) -> ast.AST:
        self.generic_visit(node)
        return self._made(node, ast.ListComp(elt=node.elt, generators=node.generators))

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        names = {"set": _SET, "frozenset": _FROZEN}
        if isinstance(node.func, ast.Name) and node.func.id in names:
            self.found = True
            node.func = ast.copy_location(ast.Name(names[node.func.id], ast.Load()), node.func)
        return node

    def _made(self, node: ast.expr, elements: ast.expr) -> ast.AST:
        self.found = True
        return ast.copy_location(ast.Call(ast.Name(_SET, ast.Load()), [elements], []), node)


Codes = dict[tuple[str, int], types.CodeType]


@functools.cache
def _codes_of(filename: str, stamp: float) -> Codes:
    """The code of every function of a file with its sets turned, by name and first line; none if it makes no sets."""
    del stamp  # only tells one state of the file from another
    try:
        tree = ast.parse(Path(filename).read_text(encoding="utf-8"))
        turn = _Turn()
        turned = ast.fix_missing_locations(turn.visit(tree))
        # Without the future statements of this file; the source's own are in its tree.
        module = compile(turned, filename, "exec", dont_inherit=True) if turn.found else None
    except (OSError, SyntaxError, ValueError):
        return {}
    return dict(_functions_in(module)) if module is not None else {}


def _functions_in(code: types.CodeType) -> Iterator[tuple[tuple[str, int], types.CodeType]]:
    for each in code.co_consts:
        if isinstance(each, types.CodeType):
            yield (each.co_qualname, each.co_firstlineno), each
            yield from _functions_in(each)


@contextlib.contextmanager
def turned_sets(is_users: Filter, modules: Iterable[Any], handlers: Iterable[Any]) -> Iterator[None]:
    """Let the functions of the user's own modules, and ``handlers``, go through their sets the other way round."""
    files = _files_of(is_users, modules)
    codes = {name: found for name in files if (found := _codes_of(name, _stamp(name)))}
    roots = [*handlers, *(value for name in codes for value in vars(files[name]).values())]
    undo = list(_exchanged(codes, roots)) if codes else []
    # They stay: a function that was made meanwhile may live on.
    vars(builtins).update({_SET: _TurnedSet, _FROZEN: _TurnedFrozen})
    try:
        yield
    finally:
        for function, own in undo:
            function.__code__ = own


Filter = Callable[[str], bool]


def _files_of(is_users: Filter, modules: Iterable[Any]) -> dict[str, Any]:
    named = ((getattr(module, "__file__", None), module) for module in modules)
    return {name: each for name, each in named if isinstance(name, str) and name.endswith(".py") and is_users(name)}


def _stamp(filename: str) -> float:
    try:
        return Path(filename).stat().st_mtime
    except OSError:
        return 0.0


def _exchanged(codes: dict[str, Codes], roots: Iterable[Any]) -> Iterator[tuple[types.FunctionType, types.CodeType]]:
    for function in _functions_below(roots):
        own = function.__code__
        other = codes.get(own.co_filename, {}).get((own.co_qualname, own.co_firstlineno))
        if other is not None and other.co_freevars == own.co_freevars:
            function.__code__ = other
            yield function, own


def _functions_below(roots: Iterable[Any]) -> Iterator[types.FunctionType]:
    """Functions among these values, in their classes, and in what decorators and closures hold of them."""
    seen: set[int] = set()
    waiting = list(roots)
    while waiting:
        value = waiting.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, types.FunctionType):
            yield value
            waiting += _closed_over(value)
        elif isinstance(value, type):
            waiting += vars(value).values()
        else:
            names = ("__func__", "func", "fget", "__wrapped__") if callable(value) or _wraps(value) else ()
            waiting += [getattr(value, name, None) for name in names]


def _wraps(value: Any) -> bool:
    return isinstance(value, property | staticmethod | classmethod)


def _closed_over(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):  # a name that was never bound
            inside = cell.cell_contents
            if callable(inside):
                yield inside

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
import gc
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
def turned_sets(filenames: Iterable[str]) -> Iterator[None]:
    """Let the functions of these files go through their sets the other way round."""
    codes = {name: found for name in filenames if (found := _codes_of(name, _stamp(name)))}
    undo = list(_exchanged(codes)) if codes else []
    vars(builtins).update({_SET: _TurnedSet, _FROZEN: _TurnedFrozen})
    try:
        yield
    finally:
        for function, own in undo:
            function.__code__ = own


def _stamp(filename: str) -> float:
    try:
        return Path(filename).stat().st_mtime
    except OSError:
        return 0.0


def _exchanged(codes: dict[str, Codes]) -> Iterator[tuple[types.FunctionType, types.CodeType]]:
    functions = [each for each in gc.get_objects() if type(each) is types.FunctionType]
    for function in functions:
        own = function.__code__
        other = codes.get(own.co_filename, {}).get((own.co_qualname, own.co_firstlineno))
        if other is not None and other.co_freevars == own.co_freevars:
            function.__code__ = other
            yield function, own


Filter = Callable[[str], bool]


def files_of(is_users: Filter, modules: Iterable[Any]) -> list[str]:
    """The source files of the user's own modules."""
    names = (getattr(module, "__file__", None) for module in modules)
    return [name for name in names if isinstance(name, str) and name.endswith(".py") and is_users(name)]

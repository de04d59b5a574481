"""What a handler has found around it, put back for its replay.

A test takes back what it has patched, often before it is over: variables of the environment, names in the user's own
modules, attributes of the user's own classes. What a replay is held against was computed with them. What the handler
itself has changed is part of it, so that a counter goes on counting.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import threading
from collections.abc import Iterator, Mapping
from typing import Any

from .places import is_users

_Attributes = list[tuple[Any, dict[str, Any]]]


class World:
    """The surroundings at one moment."""

    def __init__(self) -> None:
        self._environment = dict(os.environ)
        self._owners: _Attributes = [(module, _of(module)) for module in _users_modules()]
        self._owners += [(each, _of(each)) for module, names in list(self._owners) for each in _classes(module, names)]

    @contextlib.contextmanager
    def put_back(self) -> Iterator[None]:
        """The surroundings as they were then; afterwards as they are now."""
        environment = dict(os.environ)
        undo = [(owner, name, vars(owner).get(name, _MISSING), value) for owner, name, value in self._changed()]
        _set_environment(self._environment)
        for owner, name, _, value in undo:
            _set(owner, name, value)
        try:
            yield
        finally:
            for owner, name, value, _ in reversed(undo):
                _set(owner, name, value)
            _set_environment(environment)

    def _changed(self) -> Iterator[tuple[Any, str, Any]]:
        for owner, names in self._owners:
            now = vars(owner)
            for name, value in names.items():
                if now.get(name, _MISSING) is not value:
                    yield owner, name, value


_MISSING = object()


def _of(owner: Any) -> dict[str, Any]:
    return {name: value for name, value in vars(owner).items() if not name.startswith("__")}


def _set(owner: Any, name: str, value: Any) -> None:
    with contextlib.suppress(AttributeError, TypeError):  # what cannot be changed has not been
        if value is _MISSING:
            delattr(owner, name)
        else:
            setattr(owner, name, value)


def _set_environment(wanted: Mapping[str, str]) -> None:
    for name in os.environ.keys() - wanted.keys():
        del os.environ[name]
    for name, value in wanted.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


_known: tuple[int, list[Any]] = (0, [])


def _users_modules() -> list[Any]:
    """The user's own modules, looked for again when there are other modules than before."""
    global _known  # noqa: PLW0603 - remembered for the process, as the modules are
    modules = list(sys.modules.values())
    state = hash(tuple(map(id, modules)))
    if _known[0] != state:
        files = ((getattr(module, "__file__", None), module) for module in modules)
        _known = state, [module for name, module in files if isinstance(name, str) and is_users(name)]
    return _known[1]


def _classes(module: Any, names: Mapping[str, Any]) -> Iterator[type]:
    return (each for each in names.values() if isinstance(each, type) and each.__module__ == module.__name__)


@contextlib.contextmanager
def nothing_gets_out() -> Iterator[None]:
    """Refuse connections that are made by this thread or by one that is begun from here on.

    The code between operations runs again, perhaps without what a test had put in the place of a service.
    """
    bystanders = {thread.ident for thread in threading.enumerate()} - {threading.get_ident()}
    undo = [(name, socket.socket.__dict__.get(name, _MISSING)) for name in ("connect", "connect_ex")]

    def refusing(name: str) -> Any:
        own = getattr(socket.socket, name)

        def connect(self: Any, address: Any) -> Any:
            if threading.get_ident() in bystanders:
                return own(self, address)
            raise ConnectionRefusedError(f"the determinism radar lets nothing out: a connection to {address}")

        return connect

    for name, stand_in in [(name, refusing(name)) for name, _ in undo]:
        setattr(socket.socket, name, stand_in)
    try:
        yield
    finally:
        for name, value in undo:
            _set(socket.socket, name, value)

"""Handlers whose code is imported anew when its files have changed, for the time in which it is written."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import logging
import sys
import sysconfig
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from .._bridges import is_decorated, load_handler
from .._drivers.lambda_context import LambdaContext
from .._drivers.outcome import InvocationDied
from .._model.errors import ErrorObject
from ..exceptions import HandlerError

_log = logging.getLogger(__name__)
_OURS = __name__.partition(".")[0]
_STDLIB = Path(sysconfig.get_paths()["stdlib"])
_INSTALLED = frozenset({"site-packages", "dist-packages"})

Stamp = tuple[int, int]
"""When a file was written, in nanoseconds, and how long it is."""


class Reloader:
    """Drops modules whose files have changed, when it is asked to. Nothing watches in between.

    It concerns what is loaded from the folders of the handlers' modules or, where these are in a package, from the
    folder of the whole package; not what is installed there.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.generation = 0
        """How often modules were dropped."""
        self._folders: set[Path] = set()
        self._stamps: dict[str, Stamp | None] = {}
        """Files as they were when all of it was last imported without a mistake."""
        self._is_broken = False

    def load(self, name: str) -> Any:
        """A handler. Raises ``HandlerError``, and then begins from the start next time."""
        try:
            handler = load_handler(name)
        except BaseException:
            self._is_broken = True
            raise
        self._folders.update(_folders_of(sys.modules[name.partition(":")[0].partition(".")[0]]))
        # Also of files that it does not import any more.
        self._stamps = {file: _stamp_of(file) for file in self._stamps} | self._states()
        return handler

    def refresh(self) -> None:
        """Drop the modules if one of their files has changed since they were loaded."""
        changed = [file for file, stamp in self._stamps.items() if _stamp_of(file) != stamp]
        if not changed and not self._is_broken:
            # What handlers have imported while they ran.
            self._stamps = self._states() | self._stamps
            return
        if changed:
            _log.info("Reloading: %s changed.", ", ".join(sorted(Path(file).name for file in changed)))
        for file in {*changed, *(self._states() if self._is_broken else ())}:
            _forget_bytecode(file)
        for name in self._modules():
            del sys.modules[name]
        importlib.invalidate_caches()
        self._is_broken = False
        self.generation += 1

    def _states(self) -> dict[str, Stamp | None]:
        files = (getattr(module, "__file__", None) for module in self._modules().values())
        return {file: _stamp_of(file) for file in files if file}

    def _modules(self) -> dict[str, ModuleType]:
        return {name: module for name, module in list(sys.modules.items()) if self._is_of_handlers(name, module)}

    def _is_of_handlers(self, name: str, module: ModuleType) -> bool:
        place = _place_of(module)
        if place is None or name.partition(".")[0] in {"__main__", _OURS}:
            return False
        path = Path(place)
        if path.is_relative_to(_STDLIB) or not _INSTALLED.isdisjoint(path.parts):
            return False
        return any(path.is_relative_to(folder) for folder in self._folders)


class Reloading:
    """A handler given by its name, which is loaded anew whenever its code has changed.

    Raises ``HandlerError`` if there is none now.
    """

    def __init__(self, reloader: Reloader, name: str) -> None:
        self.name = name
        self._reloader = reloader
        self.loaded = reloader.load(name)
        """What was loaded last."""
        self.is_durable = is_decorated(self.loaded)
        self._generation = reloader.generation

    def current(self) -> Any:
        """The handler as its files have it now. Raises ``InvocationDied`` in Lambda's terms if they have none."""
        with self._reloader.lock:
            self._reloader.refresh()
            if self._generation != self._reloader.generation:
                try:
                    self.loaded = self._reloader.load(self.name)
                except HandlerError as error:
                    _log.error("%s", error)
                    raise InvocationDied(_not_loaded(error)) from error
                self._generation = self._reloader.generation
        if is_decorated(self.loaded) != self.is_durable:
            raise InvocationDied(self._other_kind())
        return self.loaded

    def __call__(self, event: Any, context: LambdaContext) -> Any:
        """As an ordinary function is called."""
        return self.current()(event, context)

    def _other_kind(self) -> ErrorObject:
        kinds = ("a durable function", "an ordinary one")
        then, now = kinds if self.is_durable else kinds[::-1]
        message = f"{self.name} was {then} when the endpoint began and is {now} now. Start the endpoint again."
        _log.error("%s", message)
        return ErrorObject(type="Runtime.HandlerNotFound", message=message)


def _not_loaded(error: HandlerError) -> ErrorObject:
    cause = error.__cause__
    if isinstance(cause, SyntaxError):
        kind = "Runtime.UserCodeSyntaxError"
    elif isinstance(cause, SystemExit):
        kind = "Runtime.ExitError"
    else:
        kind = "Runtime.ImportModuleError" if cause is not None else "Runtime.HandlerNotFound"
    return ErrorObject(type=kind, message=str(error))


def _place_of(module: Any) -> str | None:
    """Where a module is. A package without a file has a place too: it must not outlive the package that it is in."""
    try:
        places = [module.__file__] if getattr(module, "__file__", None) else list(module.__path__)
    except Exception:  # noqa: BLE001 - there are strange things among the modules, and they are nobody's handlers
        return None
    return next((place for place in places if isinstance(place, str)), None)


def _folders_of(module: ModuleType) -> list[Path]:
    if hasattr(module, "__path__"):
        return [Path(path) for path in module.__path__]
    return [Path(module.__file__).parent] if module.__file__ is not None else []


def _stamp_of(file: str) -> Stamp | None:
    try:
        state = Path(file).stat()
    except OSError:
        return None
    return state.st_mtime_ns, state.st_size


def _forget_bytecode(file: str) -> None:
    """Bytecode is taken for current if its source is as long and of the same second, which an editor can do."""
    with contextlib.suppress(OSError, NotImplementedError):
        Path(importlib.util.cache_from_source(file)).unlink(missing_ok=True)

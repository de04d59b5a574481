"""The world as a replayed handler sees it: another day, other random numbers, another process.

Only the user's own modules see it, through their globals and their imports. The SDK, the standard library and other
packages keep what they have. What a test has put in the place of a clock is left alone.
"""

from __future__ import annotations

import builtins
import contextlib
import datetime as dt
import random
import sys
import time
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

SHIFT = dt.timedelta(days=400, hours=7, minutes=23, seconds=41, microseconds=123457)
"""How much later it is: another year, month, day of the week, hour and minute."""

_SECONDS = SHIFT.total_seconds()
_NANOSECONDS = int(_SECONDS * 1_000_000_000)


class _Shifted(type):
    """Objects of the real class belong to its stand-in too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls.__mro__[1])

    def __subclasscheck__(cls, subclass: type) -> bool:
        return issubclass(subclass, cls.__mro__[1])


class _LaterDatetime(dt.datetime, metaclass=_Shifted):
    def __new__(cls, *args: Any, **values: Any) -> Any:
        return dt.datetime(*args, **values)  # noqa: DTZ001 - the caller's own business

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Any:
        return dt.datetime.now(tz) + SHIFT

    @classmethod
    def today(cls) -> Any:
        return dt.datetime.today() + SHIFT  # noqa: DTZ002 - what was called is what is meant

    @classmethod
    def utcnow(cls) -> Any:
        return dt.datetime.now(dt.UTC).replace(tzinfo=None) + SHIFT


class _LaterDate(dt.date, metaclass=_Shifted):
    def __new__(cls, *args: Any, **values: Any) -> Any:
        return dt.date(*args, **values)

    @classmethod
    def today(cls) -> Any:
        return dt.date.today() + SHIFT  # noqa: DTZ011 - what was called is what is meant


def _real(shifted: type, real: type) -> None:
    """Every other maker of objects makes real ones."""
    for name in ("fromtimestamp", "utcfromtimestamp", "fromisoformat", "fromordinal", "combine", "strptime"):
        if hasattr(real, name):
            setattr(shifted, name, getattr(real, name))


_real(_LaterDatetime, dt.datetime)
_real(_LaterDate, dt.date)


class _Facade(types.ModuleType):
    """A module of which a few names are other ones."""

    def __init__(self, module: types.ModuleType, names: Mapping[str, Any]) -> None:
        super().__init__(module.__name__)
        self.__dict__.update(names)
        self.__dict__["_module"] = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_module"], name)


_COUNTING = ("time", "monotonic", "perf_counter", "process_time")


def _clocks() -> dict[str, Callable[..., Any]]:
    """Functions of the module ``time``, later. Those that a test has replaced are left out."""

    def later(name: str, more: float) -> Callable[[], Any]:
        return lambda: getattr(time, name)() + more

    def at(name: str) -> Callable[..., Any]:
        real = getattr(time, name)
        return lambda *moment: real(*moment) if moment else real(time.time() + _SECONDS)

    found: dict[str, Callable[..., Any]] = {
        **{name: later(name, _SECONDS) for name in _COUNTING},
        **{f"{name}_ns": later(f"{name}_ns", _NANOSECONDS) for name in _COUNTING},
        **{name: at(name) for name in ("localtime", "gmtime", "ctime")},
        "strftime": lambda text, *moment: time.strftime(text, *(moment or (time.localtime(time.time() + _SECONDS),))),
    }
    return {name: each for name, each in found.items() if isinstance(getattr(time, name), types.BuiltinFunctionType)}


_ELSEWHERE: dict[str, tuple[str, ...]] = {
    "os": ("getpid", "getppid"),
    "socket": ("gethostname", "getfqdn"),
    "platform": ("node",),
}
"""What tells a process and a machine from others."""


def _elsewhere() -> dict[types.ModuleType, dict[str, Callable[..., Any]]]:
    """Another process on another machine, as another invocation may well be. What a test has replaced is left alone."""
    modules = {module: names for name, names in _ELSEWHERE.items() if (module := sys.modules.get(name)) is not None}
    return {
        module: {name: _another(getattr(module, name)) for name in names if _is_own(module, name)}
        for module, names in modules.items()
    }


def _is_own(module: types.ModuleType, name: str) -> bool:
    function = getattr(module, name, None)
    return isinstance(function, types.BuiltinFunctionType) or getattr(function, "__module__", None) == module.__name__


def _another(real: Callable[..., Any]) -> Callable[..., Any]:
    def another(*args: Any) -> Any:
        value = real(*args)
        return value + _ANOTHER if isinstance(value, int) else f"another-{value}"

    return another


_ANOTHER = 1009


def _chances(seed: int) -> dict[str, Any]:
    """Functions of the module ``random``, with another state. A handler that seeds them itself gets what it got."""
    other = random.Random(f"another world {seed}")  # which no test has seeded by chance
    own = getattr(random, "_inst", None)
    return {
        name: getattr(other, name)
        for name in random.__all__
        if getattr(getattr(random, name, None), "__self__", None) is own and own is not None
    }


def _stand_ins(seed: int) -> dict[int, Any]:
    """What stands in for what, by identity."""
    times, chances = _clocks(), _chances(seed)
    found: dict[int, Any] = {id(getattr(time, name)): each for name, each in times.items()}
    found |= {id(getattr(random, name)): each for name, each in chances.items()}
    found[id(time)] = _Facade(time, times)
    found[id(random)] = _Facade(random, chances)
    for module, names in _elsewhere().items():
        found |= {id(getattr(module, name)): each for name, each in names.items()}
        found[id(module)] = _Facade(module, names)
    if dt.datetime.__module__ == "datetime":
        found[id(dt.datetime)] = _LaterDatetime
        found[id(dt.date)] = _LaterDate
        found[id(dt)] = _Facade(dt, {"datetime": _LaterDatetime, "date": _LaterDate})
    return found


_MISSING = object()
_FIXED = (int, float, complex)


def _stand_in_for(value: Any, stand_ins: Mapping[int, Any]) -> Any:
    """What stands in for the value of a name: also for a method of a class that has a stand-in."""
    if isinstance(value, types.BuiltinMethodType) and isinstance(value.__self__, type):
        owner = stand_ins.get(id(value.__self__))
        return getattr(owner, value.__name__, None) if owner is not None else None
    return stand_ins.get(id(value))


def _other_hash(value: object) -> int:
    """As another process has it: of numbers it is the same everywhere, of texts it hangs on a seed."""
    own = hash(value)
    return own if _is_fixed(value) else own ^ 0x5A5A5A5A


def _is_fixed(value: object) -> bool:
    return all(map(_is_fixed, value)) if isinstance(value, tuple) else isinstance(value, _FIXED)


@contextlib.contextmanager
def varied(is_users: Callable[[str], bool], seed: int) -> Iterator[None]:
    """Let the user's own modules see another day, other random numbers and another process, and then the real ones."""
    # Bound methods are made anew whenever they are asked for; their functions are held here while they are known.
    held = [getattr(random, name) for name in random.__all__]
    stand_ins = _stand_ins(seed)
    undo: list[tuple[dict[str, Any], str, Any]] = []
    for names in _globals_of_users(is_users):
        found = [(name, _stand_in_for(value, stand_ins), value) for name, value in names.items()]
        changed = [each for each in found if each[1] is not None and not each[0].startswith("__")]
        if "hash" not in names:
            changed.append(("hash", _other_hash, _MISSING))
        undo += [(names, name, value) for name, _, value in changed]
        names.update({name: stand_in for name, stand_in, _ in changed})
    own = builtins.__import__
    builtins.__import__ = _importing(own, stand_ins, is_users)
    try:
        yield
    finally:
        builtins.__import__ = own
        for names, name, value in reversed(undo):
            if value is _MISSING:
                names.pop(name, None)
            else:
                names[name] = value
        del held


def _globals_of_users(is_users: Callable[[str], bool]) -> Iterator[dict[str, Any]]:
    for module in list(sys.modules.values()):
        filename = getattr(module, "__file__", None)
        if isinstance(filename, str) and is_users(filename):
            yield vars(module)


def _importing(own: Any, stand_ins: Mapping[int, Any], is_users: Callable[[str], bool]) -> Any:
    """Imports inside of functions, which the user's modules would get past their globals."""

    def varied_import(name: str, names: Any = None, *args: Any, **values: Any) -> Any:
        module = own(name, names, *args, **values)
        filename = names.get("__file__") if isinstance(names, dict) else None
        return stand_ins.get(id(module), module) if isinstance(filename, str) and is_users(filename) else module

    return varied_import

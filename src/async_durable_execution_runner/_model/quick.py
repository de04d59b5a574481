"""Frozen objects that are made by the thousand.

A frozen dataclass sets each field by its name, through a lookup on its class. Its slots can be set directly, in less
time; everything else stays what it is.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

T = TypeVar("T")


def quickly_made(cls: type[T]) -> type[T]:
    """Decorates a frozen, slotted, keyword-only dataclass whose fields have plain defaults or none."""
    fields = dataclasses.fields(cls)  # type: ignore[arg-type] # it is one, as it says above
    names: dict[str, Any] = {f"set_{each.name}": vars(cls)[each.name].__set__ for each in fields}
    names |= {f"default_{each.name}": each.default for each in fields}
    parameters = [
        each.name if each.default is dataclasses.MISSING else f"{each.name}=default_{each.name}" for each in fields
    ]
    body = [f"    set_{each.name}(self, {each.name})" for each in fields]
    exec("\n".join([f"def __init__(self, *, {', '.join(parameters)}):", *body]), names)
    init = names["__init__"]
    init.__qualname__, init.__module__ = f"{cls.__qualname__}.__init__", cls.__module__
    init.__annotations__ = dict(vars(cls)["__init__"].__annotations__)
    type.__setattr__(cls, "__init__", init)
    return cls

"""Which operation a method and a path mean, by the URI templates of the API model."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from urllib.parse import unquote

from .model import service_model

_LABEL = re.compile(r"\{(\w+)\+?\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One operation's place. ``strict`` takes labels without a slash in them, ``lenient`` any."""

    operation: str
    method: str
    strict: re.Pattern[str]
    lenient: re.Pattern[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """The operation that is meant, and what stands in its path."""

    operation: str
    labels: dict[str, str]


@functools.cache
def routes() -> tuple[Route, ...]:
    """All routes of the model; those that say more come first."""
    model = service_model()
    found = [(name, model.operation_model(name).http) for name in model.operation_names]
    found.sort(key=lambda each: -len(_LABEL.sub("", each[1]["requestUri"])))
    return tuple(
        Route(
            operation=name,
            method=http["method"],
            strict=_pattern(http["requestUri"], "[^/]+"),
            lenient=_pattern(http["requestUri"], ".+"),
        )
        for name, http in found
    )


@functools.lru_cache(maxsize=1024)
def find_route(method: str, raw_path: str) -> Match | None:
    """The operation of a method and a path that is still percent-encoded, or ``None``.

    An ARN has slashes; clients encode them, and people who type a URL do not. Either finds its operation.
    """
    candidates = [route for route in routes() if route.method == method]
    for pattern in ("strict", "lenient"):
        for route in candidates:
            found: re.Match[str] | None = getattr(route, pattern).fullmatch(raw_path)
            if found is not None:
                labels = {name: unquote(text) for name, text in found.groupdict().items()}
                return Match(operation=route.operation, labels=labels)
    return None


def methods_of(raw_path: str) -> list[str]:
    """The methods that a path would be known with."""
    return sorted({route.method for route in routes() if route.strict.fullmatch(raw_path)})


def _pattern(template: str, label: str) -> re.Pattern[str]:
    path = template.partition("?")[0]
    pieces = _LABEL.split(path)
    literal = [re.escape(piece) for piece in pieces[::2]]
    labels = [f"(?P<{name}>{label})" for name in pieces[1::2]]
    joined = "".join(text + name for text, name in zip(literal, [*labels, ""], strict=True))
    return re.compile(joined.removesuffix("/") + "/?", re.DOTALL)

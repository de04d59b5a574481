"""What the terminal can show that a process prints to."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """Width in characters, whether it has colours, and its encoding."""

    width: int
    colour: bool
    encoding: str | None

    @classmethod
    def of_process(cls) -> Terminal:
        """What standard output is. A pipe has 80 characters and no colours."""
        return cls(width=shutil.get_terminal_size().columns, colour=has_colour(sys.stdout), encoding=encoding())


def has_colour(stream: Any) -> bool:
    """Whether a stream is a terminal whose user wants colours (https://no-color.org)."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):  # no stream, or a closed one
        return False


def encoding() -> str | None:
    """The encoding of the process's own standard output, also while it is captured."""
    return getattr(sys.__stdout__, "encoding", None)

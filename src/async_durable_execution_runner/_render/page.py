"""A page of one file: nothing is fetched, nothing is sent, and no payload can become markup or script."""

from __future__ import annotations

import base64
import functools
import hashlib
import html
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_TEXT_LINES = 1_000
_SCRIPTS = ("shared", "header", "timeline", "filtering", "choosing", "tables", "keyboard", "begin")
"""In this order: the last one begins."""
_PLACE = re.compile(r"\{\{(\w+)\}\}")


def render_page(
    title: str, executions: Sequence[Mapping[str, Any]], text: str, *, test: str | None = None, left: int = 0
) -> bytes:
    """The page of some executions (see ``execution_data``), at least one. The same ones give the same bytes.

    ``text`` is what is shown where scripts are off. ``test`` is the test that they belong to, ``left`` how many of its
    executions are not on the page.
    """
    style, script = _part("page.css"), _script()
    parts = {
        "title": html.escape(title),
        "policy": _policy(style, script),
        "style": style,
        "script": script,
        "text": html.escape(_shortened(text)),
        "data": _json({"test": test, "left": left, "executions": executions}),
    }
    # In one go: what is put in is not looked at again.
    page = _PLACE.sub(lambda place: parts[place[1]], _part("page.html"))
    return page.encode("utf-8", "replace")


def _policy(style: str, script: str) -> str:
    """Only this style and this script; no address anywhere."""
    return (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _json(value: Any) -> str:
    """JSON that cannot end the element it stands in."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _shortened(text: str) -> str:
    lines = text.splitlines()
    left = len(lines) - _TEXT_LINES
    return "\n".join([*lines[:_TEXT_LINES], *([f"… and {left} more lines"] if left > 0 else [])])


@functools.cache
def _script() -> str:
    """One function of all parts: they share their names, and nothing else on the page sees them."""
    parts = "\n".join(_part(f"{name}.js") for name in _SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();\n'


@functools.cache
def _part(name: str) -> str:
    return (Path(__file__).parent / "page" / name).read_text(encoding="utf-8")

"""Small words for durations and statuses."""

from __future__ import annotations

MARKS = {
    "SUCCEEDED": "✓",
    "FAILED": "✗",
    "TIMED_OUT": "✗",
    "STOPPED": "■",
    "CANCELLED": "⊘",
    "STARTED": "…",
    "PENDING": "…",
    "READY": "…",
    "RUNNING": "…",
    "PAUSING": "…",
    "PAUSED": "‖",
}
CROSS = "\N{BOX DRAWINGS LIGHT DIAGONAL CROSS}"
"""Of what ended with its invocation."""
TIMES = "\N{MULTIPLICATION SIGN}"


def duration(millis: int) -> str:
    """A span of time as a person would say it: ``0 s``, ``1.5 s``, ``2 min``, ``3 d 4 h``."""
    if millis < 60_000:
        return f"{millis / 1000:g} s"
    parts = []
    rest = millis // 1000
    for name, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, rest = divmod(rest, size)
        if amount:
            parts.append(f"{amount} {name}")
    return " ".join(parts[:2])


def shorten(text: str, width: int) -> str:
    """``text`` in one line of at most ``width`` characters."""
    text = printable(" ".join(text.split()))
    return text if len(text) <= width else text[: width - 1] + "…"


def printable(text: str) -> str:
    """``text`` without what a terminal would obey rather than show."""
    return text if text.isprintable() else "".join(each if each.isprintable() else "�" for each in text)

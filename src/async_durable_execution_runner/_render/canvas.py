"""Lines of characters with styles, as plain text or with a terminal's colours."""

from __future__ import annotations

import itertools

from .words import CROSS, TIMES

_CODES = {
    "good": "32",
    "bad": "31",
    "warn": "33",
    "busy": "36",
    "dim": "2",
    "bold": "1",
    "link": "34",
}
_ASCII = {
    **dict(zip(f"✓✗■⊘↻{CROSS}▸▹◇◆♥⋮…{TIMES}", "+x#/rX>>oO*:~x", strict=True)),
    **dict(zip("━─╌┄·═→", "=-...=>", strict=True)),
    **dict(zip("│┊├┤└┌╞┼┬╭╰╷█", "|:||`,[+++`|#", strict=True)),
}
_BOXES = "".join(_ASCII)
_TO_ASCII = str.maketrans(_ASCII)


class Line:
    """One line, written by column. What is not written is blank."""

    __slots__ = ("_cells",)

    def __init__(self, width: int) -> None:
        self._cells: list[tuple[str, str]] = [(" ", "")] * width

    def put(self, column: int, text: str, style: str = "") -> None:
        """Write over what is there; what does not fit is left out."""
        for place, character in enumerate(text, column):
            if 0 <= place < len(self._cells):
                self._cells[place] = (character, style)

    def fill(self, first: int, last: int, character: str, style: str = "") -> None:
        """Write a character into the blanks from ``first`` to ``last``."""
        for place in range(max(first, 0), min(last + 1, len(self._cells))):
            if self._cells[place][0] == " ":
                self._cells[place] = (character, style)

    def is_blank(self, first: int, last: int) -> bool:
        """Whether nothing is written there."""
        return all(character == " " for character, _ in self._cells[max(first, 0) : last + 1])

    def text(self, *, colour: bool = False) -> str:
        """The line, without blanks at its end."""
        plain = "".join(character for character, _ in self._cells).rstrip()
        if not colour:
            return plain
        cells = self._cells[: len(plain)]
        runs = itertools.groupby(cells, key=lambda cell: cell[1])
        return "".join(_coloured("".join(character for character, _ in run), style) for style, run in runs)


def _coloured(text: str, style: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if style else text


def in_encoding(text: str, encoding: str | None) -> str:
    """``text`` for a terminal of that encoding: without box characters where it has none, column by column the same."""
    try:
        _BOXES.encode(encoding or "utf-8")
    except UnicodeEncodeError:
        return text.translate(_TO_ASCII).encode(encoding or "ascii", "replace").decode(encoding or "ascii")
    except LookupError:
        return text.translate(_TO_ASCII).encode("ascii", "replace").decode("ascii")
    return text

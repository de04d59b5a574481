"""The pictures tell the truth: rooms in the architecture are rooms in src, and arrows are imports."""

from __future__ import annotations

import ast
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCE = REPOSITORY / "src" / "async_durable_execution_runner"
ASSETS = REPOSITORY / "assets"
SVG = "{http://www.w3.org/2000/svg}"

# The rooms of the design. One that is not built yet need not be in the picture; one that is built must.
DESIGN = {
    *("runner", "cloud", "result", "exceptions", "observer", "clock", "pytest_plugin", "options", "cli"),
    *("stores", "testing", "_model", "_checkpoint", "_engine", "_drivers", "_bridges", "_wire", "_http", "_render"),
}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).with_suffix("").parts[0]


FILES = [path for path in sorted(SOURCE.rglob("*.py")) if path != SOURCE / "__init__.py"]
BUILT = {room_of(path) for path in FILES}


def picture() -> ET.Element:
    return ET.parse(ASSETS / "architecture.svg").getroot()


def boxes() -> list[tuple[str, ...]]:
    """The rooms of each box, as they are written in it."""
    return [tuple(group.attrib["data-room"].split()) for group in picture().iter(f"{SVG}g")]


BOX_OF = {room: box for box in boxes() for room in box}
FLOOR = {
    room for group in picture().iter(f"{SVG}g") if "data-floor" in group.attrib for room in [group.get("data-room")]
}


def arrows() -> set[tuple[str, str]]:
    drawn = (path.attrib for path in picture().iter(f"{SVG}path"))
    return {(path["data-from"], path["data-to"]) for path in drawn if "data-from" in path}


def imports_of(path: Path) -> set[str]:
    """The rooms that a module imports, wherever the import stands."""
    package = path.relative_to(SOURCE).parts[:-1]
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) - node.level + 1]
            named = [node.module] if node.module else [alias.name for alias in node.names]
            found |= {(*base, *name.split("."))[0] for name in named}
    return (found & BUILT) - {room_of(path)}


def real_arrows() -> set[tuple[str, str]]:
    return {(room_of(path), target) for path in FILES for target in imports_of(path)}


def between_boxes(pairs: set[tuple[str, str]]) -> set[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Pairs of boxes. Modules that the picture leaves out, and the floor that everybody stands on, do not count."""
    drawn = {(start, end) for start, end in pairs if {start, end} <= BOX_OF.keys() and end not in FLOOR}
    return {(BOX_OF[start], BOX_OF[end]) for start, end in drawn if BOX_OF[start] != BOX_OF[end]}


def test_every_room_in_the_picture_is_built() -> None:
    assert BOX_OF.keys() - BUILT == set()


def test_every_room_of_the_design_that_is_built_is_in_the_picture() -> None:
    assert (DESIGN & BUILT) - BOX_OF.keys() == set()


def test_rooms_are_written_in_their_boxes() -> None:
    for group in picture().iter(f"{SVG}g"):
        text = " ".join("".join(each.itertext()) for each in group.iter(f"{SVG}text"))
        assert [room for room in group.attrib["data-room"].split() if room not in text] == []


def test_every_arrow_of_the_picture_is_an_import() -> None:
    assert between_boxes(arrows()) - between_boxes(real_arrows()) == set()


def test_every_import_is_an_arrow_or_follows_from_arrows() -> None:
    reached = between_boxes(arrows())
    for _ in BOX_OF:
        reached |= {(start, end) for start, middle in reached for other, end in reached if middle == other}
    assert between_boxes(real_arrows()) - reached == set()
    assert [start for start, end in reached if start == end] == []


@pytest.mark.parametrize("name", ["architecture.svg", "event-flow.svg"])
def test_pictures_stand_on_their_own(name: str) -> None:
    text = (ASSETS / name).read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.find(f"{SVG}title") is not None
    assert "prefers-color-scheme: dark" in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")

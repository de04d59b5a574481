"""The structure of the house: who may import whom, what an import costs, what stands at the top."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = "async_durable_execution_runner"
REPOSITORY = Path(__file__).resolve().parent.parent
SOURCE = REPOSITORY / "src" / PACKAGE

# Room -> what it may import of ours, apart from itself. A name with a dot is a part of a room, with a rule of
# its own. Rooms that are not here are the users' rooms, which may import any.
ARROWS: dict[str, set[str]] = {
    "exceptions": set(),
    "clock": {"_model", "exceptions"},
    "observer": {"_model", "exceptions"},
    "stores.base": {"_model", "exceptions"},
    "stores": {"stores.base", "_model", "exceptions"},
    "_model": {"exceptions"},
    "_checkpoint": {"_model", "exceptions"},
    "_engine": {"_checkpoint", "_model", "clock", "stores.base", "exceptions", "observer"},
    "_drivers": {"_engine", "_model", "clock", "stores.base", "exceptions", "observer"},
    "_bridges": {"_engine", "_model", "exceptions"},
    "_wire": {"_model", "exceptions"},
    "_http": {"_wire", "_engine", "_model", "clock", "stores.base", "exceptions", "observer"},
    "_render": {"_model", "exceptions"},
    "_replay": {"_bridges", "_drivers", "_engine", "_model", "_results", "_wire", "clock", "exceptions", "result"},
    "crashes": {"_model", "_replay", "exceptions", "result"},
    "_crashes": {"_engine", "_model", "_replay", "crashes", "result"},
    "result": {"_model", "exceptions"},
    "_results": {"_bridges", "_model", "_render", "_terminal", "_wire", "clock", "result"},
    "_terminal": set(),
    "_wiring": {
        *{"_bridges", "_drivers", "_engine", "_http", "_model", "_render", "_replay", "_wire"},
        *{"clock", "exceptions", "observer", "stores.base"},
    },
}

# Foreign package -> the only rooms that may import it.
OWNERS: dict[str, set[str]] = {
    "boto3": {"_wire"},
    "botocore": {"_wire"},
    "async_durable_execution": {"_bridges"},
    "aws_durable_execution_sdk_python": {"_bridges"},
    "click": {"_cli"},
    "rich": {"_cli"},
    "time": {"clock", "_drivers"},
}

TOP = {
    "pyproject.toml",
    "src",
    "tests",
    "docs",
    "assets",
    "README.md",
    "LICENSE",
    "NOTICE",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
}
BUILD_OUTPUT = {"dist"}


def module_name(path: Path) -> str:
    """The dotted name inside the package; an empty string for the package itself."""
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(SOURCE.rglob("*.py"))}


def room_of(module: str) -> str:
    """The room of a module: the longest name in the table that it lies in, else its first part."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 0, -1))
    return next((name for name in names if name in ARROWS), parts[0])


def absolute(node: ast.ImportFrom, module: str, *, is_package: bool) -> str:
    """The dotted name that an import of the form `from ... import` names before the names it takes."""
    if not node.level:
        return node.module or ""
    here = [PACKAGE, *module.split(".")] if module else [PACKAGE]
    base = here[: len(here) - node.level + is_package]
    return ".".join([*base, *([node.module] if node.module else [])])


def named_by(node: ast.AST, module: str, *, is_package: bool, known: set[str]) -> list[str]:
    """The absolute names of the modules that one statement or call imports, wherever it stands."""
    match node:
        case ast.Import():
            return [alias.name for alias in node.names]
        case ast.ImportFrom():
            base = absolute(node, module, is_package=is_package)
            names = [f"{base}.{alias.name}" for alias in node.names]
            taken = [name for name in names if name in known]
            # `from . import a, b` of which both are modules names no more than these two.
            return taken if len(taken) == len(names) else [base, *taken]
        case ast.Call(func=func, args=[ast.Constant(value=str(name)), *_]) if is_importer(func):
            return [name]
    return []


def is_importer(func: ast.expr) -> bool:
    name = func.attr if isinstance(func, ast.Attribute) else getattr(func, "id", "")
    return name in {"import_module", "__import__"}


def imports_in(source: str, module: str, *, is_package: bool = False, known: set[str]) -> set[tuple[int, str]]:
    """Line and absolute name of everything that a module's source imports."""
    tree = ast.parse(source)
    return {
        (node.lineno, name)
        for node in ast.walk(tree)
        for name in named_by(node, module, is_package=is_package, known=known)
    }


def complaint(room: str, name: str) -> str | None:
    """Why a module of this room may not import this name, or None if it may."""
    top, _, inside = name.partition(".")
    if top in OWNERS and room not in OWNERS[top]:
        return f"{name} belongs to {' and '.join(sorted(OWNERS[top]))}"
    if top != PACKAGE or room not in ARROWS:
        return None
    target = room_of(inside)
    if target == room or target in ARROWS[room]:
        return None
    return f"{room} may not import {target or 'the package itself'}; it may import {sorted(ARROWS[room])}"


def complaints_about(module: str, path: Path) -> list[str]:
    known = {f"{PACKAGE}.{name}" if name else PACKAGE for name in MODULES}
    found = imports_in(path.read_text(encoding="utf-8"), module, is_package=path.name == "__init__.py", known=known)
    checked = ((line, complaint(room_of(module), name)) for line, name in sorted(found))
    return [f"{path.relative_to(REPOSITORY)}:{line}: {text}" for line, text in checked if text]


def test_the_package_is_there() -> None:
    assert "" in MODULES


def test_arrows_run_down_only() -> None:
    complaints = [text for module, path in MODULES.items() for text in complaints_about(module, path)]
    assert not complaints, "\n".join(complaints)


def test_no_arrow_of_the_table_closes_a_circle() -> None:
    reached = {room: set(targets) for room, targets in ARROWS.items()}
    for _ in ARROWS:
        for targets in reached.values():
            targets.update(*(reached[target] for target in set(targets)))
    assert [room for room, targets in reached.items() if room in targets] == []


@pytest.mark.parametrize(
    ("module", "source", "expected"),
    [
        ("_model.ids", "import boto3", {"boto3"}),
        ("_model.ids", "def f():\n    from botocore.config import Config", {"botocore.config"}),
        ("_model.ids", "from ..exceptions import X", {f"{PACKAGE}.exceptions"}),
        ("_model.ids", "from . import limits", {f"{PACKAGE}._model.limits"}),
        ("_model.ids", "from .. import clock, __version__", {PACKAGE, f"{PACKAGE}.clock"}),
        ("runner", "from .stores.base import ExecutionStore", {f"{PACKAGE}.stores.base"}),
        ("cli", "import importlib\nimportlib.import_module('time')", {"importlib", "time"}),
    ],
)
def test_every_form_of_import_is_seen(module: str, source: str, expected: set[str]) -> None:
    known = {PACKAGE, f"{PACKAGE}.clock", f"{PACKAGE}._model.limits"}
    assert {name for _, name in imports_in(source, module, known=known)} == expected


def test_relative_imports_of_a_package_start_in_the_package() -> None:
    found = imports_in("from .ids import x\nfrom ..clock import y", "_model", is_package=True, known=set())
    assert {name for _, name in found} == {f"{PACKAGE}._model.ids", f"{PACKAGE}.clock"}


@pytest.mark.parametrize(
    ("room", "name", "allowed"),
    [
        ("_model", f"{PACKAGE}.exceptions", True),
        ("_model", f"{PACKAGE}._engine.timers", False),
        ("_model", PACKAGE, False),
        ("_engine", f"{PACKAGE}.stores.base", True),
        ("_engine", f"{PACKAGE}.stores.memory", False),
        ("_engine", "time", False),
        ("_drivers", "time", True),
        ("_wire", "botocore.session", True),
        ("runner", f"{PACKAGE}._engine.executor", True),
        ("runner", "boto3", False),
        ("_engine", "async_durable_execution.types", False),
    ],
)
def test_the_contract(room: str, name: str, *, allowed: bool) -> None:
    assert (complaint(room, name) is None) is allowed


@pytest.mark.parametrize("module", [PACKAGE, f"{PACKAGE}.pytest_plugin"])
def test_importing_loads_no_sdk_and_no_botocore(module: str) -> None:
    heavy = sorted(OWNERS.keys() - {"time"})
    code = f"import sys, {module}; print(*(name for name in {heavy!r} if name in sys.modules))"
    done = subprocess.run(  # a fresh interpreter: this one may have loaded all of them
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


def test_nothing_else_stands_at_the_top_of_the_repository() -> None:
    names = {path.name for path in REPOSITORY.iterdir() if not path.name.startswith(".")}
    assert names - TOP - BUILD_OUTPUT == set()


def test_ci_runs_the_command_of_the_readme() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"^.*hatch run test$", readme, flags=re.MULTILINE)
    script = (REPOSITORY / ".ci" / "run").read_text(encoding="utf-8")
    assert len(commands) == 1
    assert commands[0] in [line.strip() for line in script.splitlines()]

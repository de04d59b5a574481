"""The Python blocks of the README and of the documentation, and how they are run.

Blocks of one page share a namespace, in order. What decides about a block stands around it, in plain Markdown:

- a comment ``<!-- not run: reason -->`` before it leaves it out;
- a block with a function ``test_…`` runs as a pytest file, with the page's earlier blocks above it; with a comment
  ``<!-- fails -->`` before it, it has to fail;
- a line that ends in ``prints:`` and a ``text`` block behind a block are its output. Of a pytest file the lines have to
  be there, in order.

A block inside ``<details>`` with the summary "The same with AWS's SDK" stands for the block before it where that SDK is
used: then the whole page runs once more, with these blocks in the places of the others. A comment
``<!-- async-durable-execution only: reason -->`` leaves a block out of that second run.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: \S.* -->$")
ONE_SDK = re.compile(r"<!-- async-durable-execution only: \S.* -->$")
FAILS = "<!-- fails -->"
SUMMARY = "<details><summary>The same with AWS's SDK</summary>"
TEST = re.compile(r"^\s*(?:async )?def test_", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Block:
    """A fenced Python block, and the output that the page promises."""

    page: Path
    line: int
    code: str
    before: str
    output: str | None
    output_span: tuple[int, int] | None
    is_twin: bool = False

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPOSITORY).as_posix()}:{self.line}"

    @property
    def is_run(self) -> bool:
        return NOT_RUN.match(self.before) is None

    @property
    def is_pytest_file(self) -> bool:
        return TEST.search(self.code) is not None

    @property
    def in_place(self) -> str:
        """The code behind as many empty lines as stand above it in the page, so that tracebacks name its place."""
        return "\n" * self.line + self.code


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    fences = list(FENCE.finditer(text))
    twins = [(each.start(), text.index("</details>", each.end())) for each in re.finditer(re.escape(SUMMARY), text)]
    found = []
    for number, fence in enumerate(fences):
        if fence[1] != "python":
            continue
        behind = fences[number + 1] if number + 1 < len(fences) else None
        shown = behind is not None and behind[1] == "text"
        shown = shown and text[fence.end() : behind.start()].rstrip().endswith("prints:")
        found.append(
            Block(
                page=page,
                line=text.count("\n", 0, fence.start()) + 1,
                code=fence[2],
                before=text[: fence.start()].rstrip().rpartition("\n")[2],
                is_twin=any(start < fence.start() < end for start, end in twins),
                output=behind[2] if shown else None,
                output_span=behind.span(2) if shown else None,
            )
        )
    return found


def with_ours(blocks: list[Block]) -> list[Block]:
    """The blocks of a page as they run with ``async-durable-execution``."""
    return [block for block in blocks if not block.is_twin and block.is_run]


def with_aws(blocks: list[Block]) -> list[Block]:
    """The blocks of a page as they run with AWS's SDK; none if the page has none for it.

    A block that says nothing about itself has the output of the one that it stands for, and fails as that one does.
    """
    if not any(block.is_twin for block in blocks):
        return []
    chosen: list[Block] = []
    for block in blocks:
        if block.is_twin:
            other = chosen.pop()
            before = other.before if other.before == FAILS else block.before
            chosen.append(replace(block, output=block.output or other.output, before=before))
        elif block.is_run:
            chosen.append(block)
    return [block for block in chosen if ONE_SDK.match(block.before) is None]


def normalised(text: str) -> list[str]:
    """Lines without what differs between machines, Pythons and SDK releases."""
    text = re.sub(r"\b(WaitForCallback|RunInChildContext|ChildContext)\b", "Context", text)  # 2.0.0 knows one of them
    text = re.sub(r"(?:[A-Za-z]:)?[^\s'\"]*[/\\](\w+\.(?:py|md))", r"\1", text)
    lines = (re.sub(r"[=_─-]{5,}", "-----", line).rstrip() for line in text.splitlines())
    return [line for line in lines if line.strip() and not re.fullmatch(r"[\s│|E]*[\^~]+", line)]


def printed_by(block: Block, namespace: dict[str, object]) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(block.in_place, str(block.page), "exec"), namespace)
    return output.getvalue()


def pytest_file(block: Block, blocks: list[Block]) -> str:
    """What a block with tests runs as: the blocks above it, of those that are run, and itself."""
    above = [each for each in blocks if each.line < block.line and not each.is_pytest_file]
    return "\n\n".join([*(each.code for each in above), block.code])


def run_pytest(path: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    environment |= {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", path.name]
    return subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, encoding="utf-8", timeout=100, check=False
    )


def check_page(blocks: list[Block]) -> None:
    """Run the ordinary blocks of a page, and compare what they print."""
    namespace: dict[str, object] = {"__name__": f"page_{blocks[0].page.stem.replace('-', '_').lower()}"}
    with imports_of_the_folder():
        for block in blocks:
            if block.is_pytest_file:
                continue
            output = printed_by(block, namespace)
            if block.output is not None:
                assert normalised(output) == normalised(block.output), str(block)


@contextlib.contextmanager
def imports_of_the_folder() -> Iterator[None]:
    """Modules that a page writes and imports are gone afterwards: its other half writes some of the same name."""
    path, known, here = sys.path[:], set(sys.modules), str(Path.cwd())
    try:
        yield
    finally:
        sys.path[:] = path
        for name in set(sys.modules) - known:
            if (getattr(sys.modules[name], "__file__", None) or "").startswith(here):
                del sys.modules[name]


def check_tests(block: Block, blocks: list[Block], folder: Path) -> None:
    """Run a block with tests as a file of its own, and compare what pytest prints."""
    path = folder / "test_orders.py"
    path.write_text(pytest_file(block, blocks), encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n", encoding="utf-8")
    done = run_pytest(path)
    assert done.returncode == (1 if block.before == FAILS else 0), done.stdout + done.stderr
    if block.output is not None:
        rest = iter(normalised(done.stdout))
        missing = [line for line in normalised(block.output) if line.strip() != "…" and line not in rest]
        assert missing == [], done.stdout

"""Every Python block of the README and of the documentation runs, and prints what the page says it prints.

Blocks of one page share a namespace, in order. What decides about a block stands around it, in plain Markdown:

- a comment ``<!-- not run: reason -->`` before it leaves it out;
- a block with a function ``test_…`` runs as a pytest file, with the page's earlier blocks above it; with a comment
  ``<!-- fails -->`` before it, it has to fail;
- a line that ends in ``prints:`` and a ``text`` block behind a block are its output. Of a pytest file the lines have to
  be there, in order.

``python tests/docs/test_documents.py`` writes outputs anew, of ordinary blocks and of the quick start. That of the
failing test is pasted by hand, because it leaves lines out.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NOT_RUN = re.compile(r"<!-- not run: \S.* -->$")
FAILS = "<!-- fails -->"
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
                output=behind[2] if shown else None,
                output_span=behind.span(2) if shown else None,
            )
        )
    return found


BLOCKS = {page: blocks_of(page) for page in PAGES}
RUN = [block for blocks in BLOCKS.values() for block in blocks if block.is_run]
TEST_BLOCKS = [block for block in RUN if block.is_pytest_file]


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


@pytest.mark.parametrize(
    "page", [page for page in PAGES if BLOCKS[page]], ids=lambda page: page.relative_to(REPOSITORY).as_posix()
)
def test_blocks_run_and_print_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    namespace: dict[str, object] = {"__name__": f"page_{page.stem.replace('-', '_').lower()}"}
    for block in BLOCKS[page]:
        if not block.is_run or block.is_pytest_file:
            continue
        output = printed_by(block, namespace)
        if block.output is not None:
            assert normalised(output) == normalised(block.output), str(block)


def pytest_file(block: Block) -> str:
    above = [each for each in BLOCKS[block.page] if each.line < block.line and each.is_run and not each.is_pytest_file]
    return "\n\n".join([*(each.code for each in above), block.code])


@pytest.mark.parametrize("block", TEST_BLOCKS, ids=str)
def test_blocks_with_tests_pass_as_a_pytest_file(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "test_orders.py"
    path.write_text(pytest_file(block), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_mode = strict\n", encoding="utf-8")
    done = run_pytest(path)
    assert done.returncode == (1 if block.before == FAILS else 0), done.stdout + done.stderr
    if block.output is not None:
        rest = iter(normalised(done.stdout))
        missing = [line for line in normalised(block.output) if line.strip() != "…" and line not in rest]
        assert missing == [], done.stdout


def run_pytest(path: Path) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "COV"))}
    environment |= {"COLUMNS": "100", "PYTHONIOENCODING": "utf-8", "NO_COLOR": "1"}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", path.name]
    return subprocess.run(
        command, cwd=path.parent, env=environment, capture_output=True, encoding="utf-8", timeout=100, check=False
    )


def test_what_is_not_run_says_why() -> None:
    silent = [
        str(block) for blocks in BLOCKS.values() for block in blocks if "not run" in block.before and block.is_run
    ]
    assert silent == []


def anchors_of(path: Path) -> set[str]:
    """The anchors that headings get where Markdown is shown."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def leads_somewhere(page: Path, link: str) -> bool:
    name, _, anchor = link.partition("#")
    target = page.parent / name if name else page
    return target.exists() and (not anchor or anchor in anchors_of(target))


def test_links_between_pages_lead_somewhere() -> None:
    links = [
        (page, link)
        for page in PAGES
        for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", FENCE.sub("", page.read_text(encoding="utf-8")))
    ]
    assert [f"{page.name}: {link}" for page, link in links if not leads_somewhere(page, link)] == []
    assert links != []


def test_every_page_is_linked_from_the_index() -> None:
    index = (REPOSITORY / "docs" / "index.md").read_text(encoding="utf-8")
    names = {page.name for page in PAGES if page.parent.name == "docs" and page.name != "index.md"}
    assert {name for name in names if f"({name})" not in index} == set()


def run_example(name: str) -> str:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONWARNINGS": "error"}
    example = REPOSITORY / "docs" / "examples" / name
    done = subprocess.run(
        [sys.executable, str(example)], env=environment, capture_output=True, encoding="utf-8", timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return done.stdout


def test_the_quick_start_prints_what_the_readme_shows() -> None:
    fences = [fence[2] for fence in FENCE.finditer(PAGES[0].read_text(encoding="utf-8"))]
    assert normalised(run_example("quick_start.py")) in [normalised(text) for text in fences]


def test_the_quick_start_of_the_readme_is_the_example() -> None:
    example = (REPOSITORY / "docs" / "examples" / "test_quick_start.py").read_text(encoding="utf-8")
    body = example.partition("annotations\n")[2].strip()
    assert body in [block.code.strip() for block in BLOCKS[PAGES[0]]]


def write_quick_start_anew() -> None:
    text = PAGES[0].read_text(encoding="utf-8")
    start, end = next(fence.span(2) for fence in FENCE.finditer(text) if fence[2].startswith("Please approve"))
    PAGES[0].write_text(text[:start] + run_example("quick_start.py").rstrip() + "\n" + text[end:], encoding="utf-8")


def write_outputs_anew() -> None:
    for page, blocks in BLOCKS.items():
        text = page.read_text(encoding="utf-8")
        namespace: dict[str, object] = {"__name__": "page"}
        ordinary = [block for block in blocks if block.is_run and not block.is_pytest_file]
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            outputs = [(block, printed_by(block, namespace)) for block in ordinary]
        for block, output in reversed(outputs):
            if block.output_span is not None:
                start, end = block.output_span
                text = text[:start] + output.rstrip() + "\n" + text[end:]
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    write_outputs_anew()
    write_quick_start_anew()

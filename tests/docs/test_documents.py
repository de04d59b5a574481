"""Every Python block of the README and of the documentation runs, and prints what the page says it prints.

``pages.py`` has the rules. ``python tests/docs/test_documents.py`` writes outputs anew, of ordinary blocks and of the
quick start. That of the failing test is pasted by hand, because it leaves lines out.
"""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import tempfile
from itertools import zip_longest
from pathlib import Path

import pytest
from pages import (
    FENCE,
    NOT_RUN,
    ONE_SDK,
    PAGES,
    REPOSITORY,
    Block,
    blocks_of,
    check_page,
    check_tests,
    normalised,
    printed_by,
    with_ours,
)

BLOCKS = {page: blocks_of(page) for page in PAGES}
RUN = {page: with_ours(blocks) for page, blocks in BLOCKS.items() if with_ours(blocks)}
OF_ONE_SDK = re.compile(r"^@durable_|^(?:from|import) async_durable_execution\b", re.MULTILINE)
TEST_BLOCKS = [block for blocks in RUN.values() for block in blocks if block.is_pytest_file]


def name_of(page: Path) -> str:
    return page.relative_to(REPOSITORY).as_posix()


@pytest.mark.parametrize("page", RUN, ids=name_of)
def test_blocks_run_and_print_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_page(RUN[page])


@pytest.mark.parametrize("block", TEST_BLOCKS, ids=str)
def test_blocks_with_tests_pass_as_a_pytest_file(block: Block, tmp_path: Path) -> None:
    check_tests(block, RUN[block.page], tmp_path)


def test_what_is_not_run_says_why() -> None:
    silent = [
        str(block)
        for blocks in BLOCKS.values()
        for block in blocks
        if "not run" in block.before and NOT_RUN.match(block.before) is None
    ]
    assert silent == []


def has_its_twin(block: Block, behind: Block | None) -> bool:
    return (behind is not None and behind.is_twin) or ONE_SDK.match(block.before) is not None


def test_every_handler_is_shown_with_both_sdks() -> None:
    shown = [
        (block, behind)
        for page, blocks in BLOCKS.items()
        if page.name != "aws-sdk.md"
        for block, behind in zip_longest(blocks, blocks[1:])
        if OF_ONE_SDK.search(block.code) is not None and not block.is_twin
    ]
    assert [str(block) for block, behind in shown if not has_its_twin(block, behind)] == []
    assert shown != []


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
        ordinary = [block for block in with_ours(blocks) if not block.is_pytest_file]
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

"""The Python blocks of the page on AWS's SDK run, and so do all pages with handlers of that SDK in them.

In the environment of ``hatch run aws:test`` that is its newest release, and no other SDK is there.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from aws_kit import RELEASE

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "docs"))

from pages import PAGES, Block, blocks_of, check_page, check_tests, with_aws

# Examples use names that releases before 2.0 do not have; the page of its own does not.
OTHERS = PAGES if RELEASE >= (2, 0) else []
OWN = next(page for page in PAGES if page.name == "aws-sdk.md")
RUN = {OWN: blocks_of(OWN), **{page: with_aws(blocks_of(page)) for page in OTHERS if with_aws(blocks_of(page))}}
TESTS = [block for blocks in RUN.values() for block in blocks if block.is_pytest_file]


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.name)
def test_blocks_print_what_the_page_says(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_page(RUN[page])


@pytest.mark.parametrize("block", TESTS, ids=str)
def test_blocks_with_tests_pass(block: Block, tmp_path: Path) -> None:
    check_tests(block, RUN[block.page], tmp_path)

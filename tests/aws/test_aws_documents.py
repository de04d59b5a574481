"""The Python blocks of the page on AWS's SDK run, and print what the page says."""

from __future__ import annotations

import contextlib
import io
import re
from pathlib import Path

import pytest

pytest.importorskip("aws_durable_execution_sdk_python")

PAGE = Path(__file__).resolve().parents[2] / "docs" / "aws-sdk.md"
FENCE = re.compile(r"^```(python|text)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def printed_by(code: str, namespace: dict[str, object]) -> str:
    output = io.StringIO()
    with contextlib.redirect_stdout(output):
        exec(compile(code, str(PAGE), "exec"), namespace)
    return output.getvalue()


def test_blocks_print_what_the_page_says() -> None:
    fences = FENCE.findall(PAGE.read_text(encoding="utf-8"))
    namespace: dict[str, object] = {"__name__": "page"}
    shown = 0
    for (kind, code), (next_kind, text) in zip(fences, [*fences[1:], ("", "")], strict=True):
        if kind == "python" and "def test_" not in code:
            output = printed_by(code, namespace)
            if next_kind == "text":
                assert output == text
                shown += 1
    assert shown == sum(kind == "text" for kind, _ in fences) > 0


def test_blocks_with_tests_pass(tmp_path: Path, pytester: pytest.Pytester) -> None:
    blocks = [code for kind, code in FENCE.findall(PAGE.read_text(encoding="utf-8")) if kind == "python"]
    first = next(number for number, code in enumerate(blocks) if "def test_" in code)
    pytester.makepyfile("\n\n".join(blocks[: first + 1]))
    pytester.runpytest_subprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)

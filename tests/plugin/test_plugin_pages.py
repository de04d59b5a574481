"""``--durable-html``: pages, their names, and links to them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any, NoReturn

import pytest
from plugin_kit import Suite, reports, sections

from async_durable_execution_runner._plugin.pages import MOST, file_name

FAILS = """
@use(handler=order)
def test_it(durable_runner):
    assert durable_runner.run(1, execution_name="order-7").value == "nonsense"
"""
BOTH = (
    FAILS
    + """
@use(handler=order)
def test_passes(durable_runner):
    durable_runner.run(1)

def test_without():
    raise AssertionError
"""
)


def pages_of(suite: Suite, folder: str = "pages") -> dict[str, Any]:
    """What the pages hold, by the test's name."""
    found = {}
    for path in sorted((suite.folder / folder).glob("*")):
        assert path.suffix == ".html"
        text = path.read_text(encoding="utf-8")
        (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
        value = json.loads(data)
        found[value["test"].rpartition("::")[2]] = value
    return found


def test_a_failed_test_gets_a_page(suite: Suite) -> None:
    suite.run(BOTH, "--durable-html=pages")
    (page,) = pages_of(suite).values()
    assert page["test"] == "test_inner.py::test_it"
    assert [each["name"] for each in page["executions"]] == ["order-7"]


def test_all_tests_that_ran_something_get_one(suite: Suite) -> None:
    suite.run(BOTH, "--durable-html=pages", "--durable-html-for=all")
    assert sorted(pages_of(suite)) == ["test_it", "test_passes"]


def test_without_the_option_nothing_is_written(suite: Suite) -> None:
    suite.run(BOTH)
    assert sorted(path.suffix for path in suite.folder.iterdir() if path.is_file()) == [".ini", ".py", ".py"]


def test_the_ini_file_says_so_too_from_its_own_folder(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.ini("durable_html = reports/pages", "durable_html_for = all")
    below = suite.pytester.mkdir("below")
    (suite.folder / "test_inner.py").write_text("")
    monkeypatch.chdir(below)
    suite.pytester.runpytest_inprocess(str(suite.folder))
    monkeypatch.chdir(suite.folder)
    suite.run(BOTH)
    assert sorted(pages_of(suite, "reports/pages")) == ["test_it", "test_passes"]


def test_nonsense_is_refused(suite: Suite) -> None:
    suite.ini("durable_html_for = nobody")
    result = suite.run(BOTH)
    assert "durable_html_for = 'nobody' (ini file) is unknown; valid: failed, all" in result.stderr.str()


def test_setup_and_teardown_that_fail(suite: Suite) -> None:
    code = """
@pytest.fixture
def paid(durable_runner):
    durable_runner.run(1)
    raise AssertionError

@use(handler=order)
def test_setup(paid): pass

@use(handler=order)
def test_teardown(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    durable_runner.run(1)
"""
    suite.run(code, "--durable-html=pages")
    assert sorted(pages_of(suite)) == ["test_setup", "test_teardown"]


def test_one_page_holds_all_executions_of_a_test(suite: Suite) -> None:
    code = f"""
@use(handler=order)
def test_it(durable_runner, durable_runner_factory):
    for number in range({MOST + 5}):
        durable_runner.run(number)
    durable_runner_factory(broken).run(execution_name="last")
    raise AssertionError
"""
    suite.run(code, "--durable-html=pages")
    (page,) = pages_of(suite).values()
    assert (len(page["executions"]), page["left"]) == (MOST, 6)
    assert page["executions"][-1]["name"] == "last"


def test_the_section_says_where_it_is(suite: Suite) -> None:
    (report,) = reports(suite.run(FAILS, "--durable-html=pages"))
    (section,) = sections(report)
    path = section.splitlines()[-1].removeprefix("page: ")
    assert (suite.folder / path).is_file()
    assert path.startswith("pages/test_inner.py-test_it-")


def test_it_is_in_the_junit_file(suite: Suite) -> None:
    suite.run(FAILS, "--durable-html=pages", "--junitxml=report.xml", "--durable-history=never")
    found = [each.get("value") for each in ET.parse(suite.folder / "report.xml").iter("property")]
    paths = [value for value in found if value and value.endswith(".html")]
    assert [(suite.folder / path).is_file() for path in paths] == [True]


def test_it_is_linked_from_pytest_html(suite: Suite) -> None:
    pytest.importorskip("pytest_html")
    suite.pytester.mkdir("out")
    suite.run_apart(FAILS, "--durable-html=pages", "--html=out/report.html")
    text = (suite.folder / "out" / "report.html").read_text(encoding="utf-8")
    (address,) = set(re.findall(r"\.\./pages/[\w.-]+\.html", text))
    assert (suite.folder / "out" / address).resolve().is_file()


def test_workers_write_theirs(suite: Suite) -> None:
    pytest.importorskip("xdist")
    code = """
@pytest.mark.parametrize("case", [*"abcdefgh"])
@use(handler=order)
def test_it(durable_runner, case):
    assert durable_runner.run(case).value == "nonsense"
"""
    suite.run_apart(code, "-n2", "--durable-html=pages")
    assert sorted(pages_of(suite)) == [f"test_it[{case}]" for case in "abcdefgh"]


def test_a_folder_that_cannot_be_written_is_said(suite: Suite) -> None:
    (suite.folder / "pages").write_text("a file")
    (report,) = reports(suite.run(FAILS, "--durable-html=pages"))
    assert "the page could not be written: " in sections(report)[0].splitlines()[-1]


def test_a_page_that_cannot_be_drawn_is_said(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    from async_durable_execution_runner import _results

    def broken(*_: Any) -> NoReturn:
        raise ZeroDivisionError("the renderer is broken")

    monkeypatch.setattr(_results, "execution_data", broken)
    (report,) = reports(suite.run(FAILS, "--durable-html=pages"))
    last = sections(report)[0].splitlines()[-1]
    assert last == "the page could not be written: ZeroDivisionError: the renderer is broken"


FRAGILE = """
import async_durable_execution as sdk

@sdk.durable_execution
async def fragile(event):
    async def work():
        return 1

    for number in range(3):
        await sdk.step(work, name=f"step {number}")

@use(handler=fragile, crash="everywhere")
def test_it(durable_runner):
    result = durable_runner.run(1, execution_name="order-7")
    assert len(result.invocations) == 1
"""


def test_of_a_crash_matrix_the_run_that_is_reported_has_the_page(suite: Suite) -> None:
    for which in ("failed", "all"):
        result = suite.run(FRAGILE, "--durable-html=pages", f"--durable-html-for={which}")
        report = next(each for each in reports(result) if each.failed)
        assert [value for name, value in report.user_properties if name == "durable_execution_page"] != []
        (page,) = pages_of(suite).values()
        (execution,) = page["executions"]
        assert [each["ending"] for each in execution["invocations"]] == ["CRASHED", "SUCCEEDED"]
        # The first place of the matrix: nothing was kept of the first invocation.
        assert [each["replayed"] for each in execution["invocations"]] == [0, 0]
        assert [path.name for path in (suite.folder / "pages").iterdir()] == [file_name("test_inner.py::test_it")]


HARD = [
    "tests/test_a.py::test_it[../../etc/passwd]",
    "tests/test_a.py::test_it[..\\..\\con]",
    "tests/test_a.py::test_it[a/b]",
    "tests/test_a.py::test_it[a:b]",
    "tests/test_a.py::test_it[a-b]",
    "tests/test_a.py::test_it[A-b]",
    "tests/test_a.py::test_it[a\nb\0]",
    "tests/test_a.py::test_it[<script>]",
    "tests/test_a.py::test_it[漢字]",
    "tests/test_a.py::test_it[\ud800]",
    "tests/test_a.py::test_it[" + "x" * 5000 + "]",
    "tests/test_a.py::test_it[" + "x" * 5001 + "]",
    "",
    "...",
    "-rf",
]


def test_names_are_valid_everywhere_and_nobody_else_s() -> None:
    names = [file_name(nodeid) for nodeid in HARD]
    assert len({name.lower() for name in names}) == len(HARD)
    assert all(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.html", name) for name in names), names
    assert all(Path(name).name == name for name in names)

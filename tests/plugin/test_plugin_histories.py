"""Histories recorded by a user's suite, and replayed as tests of it."""

from __future__ import annotations

import json

import pytest
from plugin_kit import Suite

CODE = """
@use(handler=order)
def test_paid(durable_runner):
    durable_runner.run({"total": 7}, execution_name="order-7").ensure_succeeded()

def test_two(durable_runner_factory):
    import orders
    durable_runner_factory(orders.broken).run({})
    durable_runner_factory(order).run({})
"""


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)


def test_histories_are_recorded_once_and_replayed(suite: Suite) -> None:
    suite.ini("durable_histories = histories")
    result = suite.run(CODE, "--durable-record")
    result.assert_outcomes(passed=2)
    names = sorted(path.name for path in (suite.folder / "histories").iterdir())
    assert names == ["test_inner.test_paid.json", "test_inner.test_two.2.json", "test_inner.test_two.json"]
    result.stdout.fnmatch_lines(["*durable histories*", "test_inner.test_paid.json: recorded"])
    document = json.loads((suite.folder / "histories" / names[0]).read_text())
    assert document["handler"] == "orders:order"
    assert document["Events"][0]["EventType"] == "ExecutionStarted"

    before = {name: (suite.folder / "histories" / name).read_bytes() for name in names}
    result = suite.run(CODE + "\n\ndef test_three(): pass\n", "--durable-record")
    result.assert_outcomes(passed=6)
    assert before == {name: (suite.folder / "histories" / name).read_bytes() for name in names}
    suite.run("", "histories").assert_outcomes(passed=3)


def test_a_change_that_breaks_executions_in_flight_fails(suite: Suite) -> None:
    suite.ini("durable_histories = histories")
    suite.run(CODE, "--durable-record")
    orders = suite.folder / "orders.py"
    orders.write_text(orders.read_text().replace('name="delivery"', 'name="shipping"'))
    result = suite.run_apart("", "histories")
    result.assert_outcomes(failed=2, passed=1)
    result.stdout.fnmatch_lines(["*renamed: Wait 'delivery' is now Wait 'shipping'"])


def test_what_the_cli_prints_is_mapped_by_the_ini_file(suite: Suite) -> None:
    suite.ini("durable_histories = histories")
    suite.run(CODE, "--durable-record")
    path = suite.folder / "histories" / "test_inner.test_paid.json"
    events = json.loads(path.read_text())["Events"]
    for other in (suite.folder / "histories").iterdir():
        other.unlink()
    (suite.folder / "histories" / "paid-7.json").write_text(json.dumps({"Events": events}))
    result = suite.run("", "histories")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*paid-7.json does not say whose history it is*"])
    suite.ini("durable_histories = histories", "durable_history_handlers = paid-*.json = orders:order")
    suite.run("", "histories").assert_outcomes(passed=1)


def test_nothing_is_recorded_in_ci_nor_without_a_folder(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    result = suite.run(CODE, "--durable-record")
    result.stderr.fnmatch_lines(["*--durable-record needs a folder: durable_histories = *"])
    suite.ini("durable_histories = histories")
    monkeypatch.setenv("CI", "true")
    result = suite.run(CODE, "--durable-record")
    result.stderr.fnmatch_lines(["*writes nothing where CI is set*"])
    assert not (suite.folder / "histories").exists()


def test_what_is_there_is_never_replaced(suite: Suite) -> None:
    suite.ini("durable_histories = histories")
    (suite.folder / "histories").mkdir()
    kept = suite.folder / "histories" / "test_inner.test_paid.json"
    kept.write_text("by hand")
    suite.run(CODE, "--durable-record", "test_inner.py").assert_outcomes(passed=2)
    assert kept.read_text() == "by hand"
    assert (suite.folder / "histories" / "test_inner.test_two.json").exists()


def test_failed_tests_and_handlers_without_a_name_are_not_recorded(suite: Suite) -> None:
    suite.ini("durable_histories = histories")
    result = suite.run(
        """
import async_durable_execution as sdk

@use(handler=order)
def test_failing(durable_runner):
    durable_runner.run({})
    assert False

def test_local(durable_runner_factory):
    @sdk.durable_execution
    async def local(event):
        return 1
    durable_runner_factory(local).run({})
""",
        "--durable-record",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(["test_inner.test_local.json: not recorded: the handler is no attribute of a module"])
    assert not (suite.folder / "histories").exists()


def test_a_line_that_maps_nothing_is_refused(suite: Suite) -> None:
    suite.ini("durable_histories = histories", "durable_history_handlers = orders")
    result = suite.run(CODE)
    result.stderr.fnmatch_lines(["*a line is GLOB = module:attribute*"])

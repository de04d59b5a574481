"""Where an option may come from, and who wins."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from plugin_kit import Suite

from async_durable_execution_runner.options import RUNNER_OPTIONS, PluginOptions, RunnerOptions
from async_durable_execution_runner.stores.base import StoreType

ORDER = """
@use(handler=order{options})
def test_it(durable_runner):
    result = durable_runner.run(1)
    assert {expected!r} in f"{{result.execution_arn}} {{result.execution_status}}"
"""


def inner(expected: str, options: str = "") -> str:
    return ORDER.format(options=options, expected=expected)


def read(suite: Suite, *lines: str, arguments: tuple[str, ...] = ()) -> PluginOptions:
    """What the plugin makes of an ini file."""
    suite.ini(*lines)
    config = suite.pytester.parseconfig(*arguments)
    return PluginOptions.of(config)


def test_nothing_said(suite: Suite) -> None:
    assert read(suite) == PluginOptions(mode="local", history="failed", runner={})


def test_the_ini_file_sets_every_option_that_can_be_text(suite: Suite) -> None:
    texts = {
        "store": "filesystem",
        "store_path": "rest/here",
        "clock": "virtual",
        "start_time": "2030-01-01T00:00:00+00:00",
        "execution_timeout": "3600",
        "invocation_timeout": "60.5",
        "retention_period_days": "30",
        "isolation": "inline",
        "region": "eu-central-1",
        "account_id": "012345678901",
        "function_name": "orders",
        "poll_interval": "0.5",
        "sdk_tuning": "off",
    }
    assert set(texts) == {option.name for option in RUNNER_OPTIONS if option.read is not None}
    options = read(suite, *(f"durable_{name} = {text}" for name, text in texts.items()))
    assert options.runner == {
        "store": "filesystem",
        "store_path": suite.folder / "rest" / "here",
        "clock": "virtual",
        "start_time": datetime(2030, 1, 1, tzinfo=UTC),
        "execution_timeout": 3600,
        "invocation_timeout": 60.5,
        "retention_period_days": 30,
        "isolation": "inline",
        "region": "eu-central-1",
        "account_id": "012345678901",
        "function_name": "orders",
        "poll_interval": 0.5,
        "sdk_tuning": False,
    }


def test_what_is_not_text_has_no_ini_option(suite: Suite) -> None:
    config = suite.pytester.parseconfig()
    for name in ("durable_limits", "durable_observers", "durable_handler"):
        with pytest.raises(ValueError, match="unknown configuration value"):
            config.getini(name)


def test_an_absolute_path_stays_as_it_is(suite: Suite) -> None:
    elsewhere = suite.folder.parent / "elsewhere"
    assert read(suite, f"durable_store_path = {elsewhere}").runner == {"store_path": elsewhere}


def test_a_path_starts_at_the_ini_file_wherever_pytest_is_called(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.ini("durable_store_path = rest")
    below = suite.pytester.mkdir("below")
    monkeypatch.chdir(below)
    assert PluginOptions.of(suite.pytester.parseconfig()).runner == {"store_path": suite.folder / "rest"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "durable_store = mongo",
            "durable_store = 'mongo' (ini file): it is where executions rest: memory, filesystem, sqlite, or",
        ),
        ("durable_clock = lunar", "durable_clock = 'lunar' (ini file): it is whose time passes: virtual or real"),
        ("durable_start_time = noon", "durable_start_time = 'noon' (ini file): it is the first instant"),
        ("durable_execution_timeout = 1h", "durable_execution_timeout = '1h' (ini file): it is seconds"),
        (
            "durable_retention_period_days = 1.5",
            "durable_retention_period_days = '1.5' (ini file): it is a number of days",
        ),
        ("durable_sdk_tuning = maybe", "durable_sdk_tuning = 'maybe' (ini file): it is whether"),
        ("durable_isolation = quantum", "durable_isolation = 'quantum' (ini file): it is where the handler runs"),
        ("durable_mode = mars", "durable_mode = 'mars' (ini file) is unknown; valid: local, cloud"),
        ("durable_history = some", "durable_history = 'some' (ini file) is unknown; valid: failed, all, never"),
    ],
)
def test_nonsense_in_the_ini_file_ends_the_session_at_once(suite: Suite, line: str, expected: str) -> None:
    suite.ini(line)
    result = suite.run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert expected in result.stderr.str()


@pytest.mark.parametrize("option", ["--durable-mode=mars", "--runner-mode=mars", "--durable-history=some"])
def test_nonsense_on_the_command_line(suite: Suite, option: str) -> None:
    result = suite.run("def test_it(): pass", option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*invalid choice*"])


@pytest.mark.parametrize("option", ["--durable-mode=cloud", "--runner-mode=cloud"])
def test_the_cloud_mode(suite: Suite, option: str) -> None:
    assert read(suite, arguments=(option,)).mode == "cloud"
    assert read(suite, "durable_mode = cloud").mode == "cloud"


@pytest.mark.parametrize("option", ["--durable-mode=local", "--runner-mode=local"])
def test_the_command_line_goes_before_the_ini_file(suite: Suite, option: str) -> None:
    options = read(
        suite, "durable_mode = cloud", "durable_history = all", arguments=(option, "--durable-history=never")
    )
    assert (options.mode, options.history) == ("local", "never")


def test_the_ini_file_reaches_the_runner(suite: Suite) -> None:
    suite.ini("durable_region = eu-central-1", "durable_function_name = orders", "durable_execution_timeout = 60")
    suite.run(inner(":eu-central-1:")).assert_outcomes(passed=1)
    suite.run(inner(":function:orders:")).assert_outcomes(passed=1)
    suite.run(inner("TIMED_OUT")).assert_outcomes(passed=1)


def test_the_marker_goes_before_the_ini_file(suite: Suite) -> None:
    suite.ini("durable_region = eu-central-1", "durable_function_name = orders", "durable_execution_timeout = 60")
    suite.run(inner(":eu-west-1:", ", region='eu-west-1'")).assert_outcomes(passed=1)
    suite.run(inner(":function:mine:", ", lambda_function_name='mine'")).assert_outcomes(passed=1)
    suite.run(inner("SUCCEEDED", ", execution_timeout=None")).assert_outcomes(passed=1)


def test_the_ini_file_reaches_the_runners_of_the_factory(suite: Suite) -> None:
    suite.ini("durable_region = eu-central-1")
    result = suite.run("""
def test_it(durable_runner_factory):
    assert ":eu-central-1:" in durable_runner_factory(order).run(1).execution_arn
    assert ":eu-west-1:" in durable_runner_factory(order, region="eu-west-1").run(1).execution_arn
""")
    result.assert_outcomes(passed=1)


def test_a_value_of_the_ini_file_that_the_runner_refuses_is_named(suite: Suite) -> None:
    suite.ini("durable_retention_period_days = 1000")
    result = suite.run(inner(""))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*(with durable_retention_period_days from the ini file): retention_period_days is*"])


def test_the_environment_goes_before_the_ini_file(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.ini("durable_store = memory")
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "mongo")
    result = suite.run(inner(""))
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*unknown store 'mongo' (AWS_DEX_STORE_TYPE)*"])


def test_the_environment_goes_before_the_path_of_the_ini_file(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.ini("durable_store = filesystem", "durable_store_path = from_ini")
    suite.run(inner("SUCCEEDED")).assert_outcomes(passed=1)
    monkeypatch.setenv("AWS_DEX_STORE_PATH", str(suite.folder / "from_environment"))
    suite.run(inner("SUCCEEDED")).assert_outcomes(passed=1)
    suite.run(inner("SUCCEEDED", ", store_path='from_marker'")).assert_outcomes(passed=1)
    for name in ("from_ini", "from_environment", "from_marker"):
        assert len(list((suite.folder / name).glob("*.json"))) == 1


def test_the_marker_goes_before_the_environment(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "mongo")
    suite.run(inner("SUCCEEDED", ", store='memory'")).assert_outcomes(passed=1)


def test_an_empty_variable_of_the_environment_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = {"store": "sqlite", "store_path": Path("rest"), "region": "eu-west-1"}
    options = RunnerOptions(asked="", handler=None, keywords={}, defaults=defaults)
    monkeypatch.setenv("AWS_DEX_STORE_TYPE", "")
    monkeypatch.setenv("AWS_DEX_STORE_PATH", "elsewhere")
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # the cloud's; a local runner has a region of its own
    assert options.resolved() == {"store": "sqlite", "region": "eu-west-1"}


def test_the_stores_of_the_ini_file_are_those_there_are() -> None:
    store = next(option for option in RUNNER_OPTIONS if option.name == "store")
    assert [store.from_ini(name, Path()) for name in StoreType] == list(StoreType)

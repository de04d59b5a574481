"""Markers that cannot be meant: each says what is wrong and what to write."""

from __future__ import annotations

import pytest
from plugin_kit import Suite, reports


def complaint(suite: Suite, marker: str, *arguments: str) -> str:
    """What a test with this marker is told when it starts."""
    result = suite.run(f"{marker}\ndef test_it(durable_runner): pass", *arguments)
    result.assert_outcomes(errors=1)
    return str(reports(result, "setup")[0].longrepr)


def test_an_unknown_argument(suite: Suite) -> None:
    text = complaint(suite, "@use(handler=order, lambda_functon_name='x')")
    assert "has no argument 'lambda_functon_name'. Did you mean 'lambda_function_name'?" in text
    assert "Valid: handler, lambda_function_name, store, store_path, clock," in text


def test_an_unknown_argument_that_resembles_none(suite: Suite) -> None:
    text = complaint(suite, "@use(handler=order, xyzzy=1)")
    assert "Did you mean" not in text
    assert "Valid: handler," in text


def test_a_positional_argument(suite: Suite) -> None:
    text = complaint(suite, "@use(order, 1)")
    assert "by keyword, for example handler=order. Valid: handler," in text


@pytest.mark.parametrize("marker", ["@use", "@use()", "@use(handler=None)", "@use(lambda_function_name='x')"])
def test_no_handler(suite: Suite, marker: str) -> None:
    text = complaint(suite, marker)
    assert "names no handler" in text
    assert "handler=my_handler" in text
    assert "nearest marker decides alone" in text


def test_no_marker(suite: Suite) -> None:
    text = complaint(suite, "")
    assert "@pytest.mark.durable_execution(handler=my_handler)\n    def test_it(durable_runner): ..." in text
    assert "durable_runner_factory" in text


def test_two_names_for_the_function(suite: Suite) -> None:
    assert "are the same; give one" in complaint(
        suite, "@use(handler=order, lambda_function_name='a', function_name='b')"
    )


@pytest.mark.parametrize(
    ("argument", "expected"),
    [
        ("store='filesystm'", "unknown store 'filesystm'; valid: 'memory', 'filesystem', 'sqlite'"),
        ("clock='lunar'", "unknown clock 'lunar'; valid: 'virtual', 'real'"),
        ("execution_timeout=0", "execution_timeout is a whole number of seconds"),
        ("execution_timeout='1h'", "execution_timeout is a number of seconds or a timedelta, not '1h'"),
        ("retention_period_days=1000", "retention_period_days is a number of days from 1 to 90"),
        ("isolation='quantum'", "isolation"),
    ],
)
def test_a_value_that_makes_no_sense(suite: Suite, argument: str, expected: str) -> None:
    text = complaint(suite, f"@use(handler=order, {argument})")
    assert text.startswith("@pytest.mark.durable_execution: ")
    assert expected in text


@pytest.mark.parametrize("handler", ["42", "'orders:nothing'", "'no_such_module:order'"])
def test_a_handler_that_is_none(suite: Suite, handler: str) -> None:
    assert complaint(suite, f"@use(handler={handler})").startswith("@pytest.mark.durable_execution: ")


def test_the_complaint_is_all_there_is_to_read(suite: Suite) -> None:
    text = complaint(suite, "@use(handler=order, clok='real')")
    assert ".py" not in text  # no traceback of pytest's and ours


def test_the_summary_says_it_too(suite: Suite) -> None:
    result = suite.run("@use(handler=order, clok='real')\ndef test_it(durable_runner): pass")
    result.stdout.fnmatch_lines(["ERROR test_inner.py::test_it - *UsageError: @pytest*"])


def test_the_factory_says_the_same_and_where(suite: Suite) -> None:
    result = suite.run("""
def test_it(durable_runner_factory):
    with pytest.raises(pytest.UsageError, match="durable_runner_factory has no argument 'stor'. Did you mean 'store'"):
        durable_runner_factory(order, stor="memory")
    durable_runner_factory(order, clock="lunar")
""")
    result.assert_outcomes(failed=1)
    text = str(reports(result)[0].longrepr)
    assert "> " in text
    assert 'durable_runner_factory(order, clock="lunar")' in text
    assert "durable_runner_factory: unknown clock 'lunar'" in text

"""What pytest says about the plugin when it is asked."""

from __future__ import annotations

import textwrap

from plugin_kit import Suite

from async_durable_execution_runner.options import MARKER_ARGUMENTS, RUNNER_OPTIONS


def said(suite: Suite, *arguments: str) -> str:
    """What pytest prints, with its line breaks undone."""
    result = suite.run("", *arguments)
    assert result.ret == 0
    return " ".join(result.stdout.str().split())


def test_markers_describes_every_argument(suite: Suite) -> None:
    text = said(suite, "--markers")
    start = text.index("@pytest.mark.durable_execution(")
    signature = text[start : text.index(")", start)]
    assert [name for name in MARKER_ARGUMENTS if name not in signature] == []
    assert "Example: @pytest.mark.durable_execution(handler=my_handler" in text


def test_help_has_an_example_of_every_option(suite: Suite) -> None:
    text = said(suite, "--help")
    for option in ("--durable-mode={local,cloud}, --runner-mode={local,cloud}", "--durable-history={failed,all,never}"):
        assert option in text
    assert "Example: --durable-mode=cloud" in text
    assert "Example: --durable-history=all" in text


def test_help_explains_every_ini_option(suite: Suite) -> None:
    text = said(suite, "--help")
    for option in RUNNER_OPTIONS:
        if option.read is not None:
            assert f"{option.ini} (string): default of a runner's {option.name}: " in text
    assert "durable_mode (string): the default of --durable-mode: local or cloud" in text
    assert "durable_history (string): the default of --durable-history: failed, all, never" in text


def test_fixtures_have_their_say(suite: Suite) -> None:
    text = said(suite, "--fixtures")
    assert "Runs the durable function that the nearest" in text
    assert "Makes runners, for tests that need several: ``durable_runner_factory(handler, **options)``" in text
    assert "_durable_runners" not in text


def test_every_example_of_the_ini_options_is_read(suite: Suite) -> None:
    for option in RUNNER_OPTIONS:
        if "for example " in option.says:
            assert option.from_ini(option.says.rpartition("for example ")[2], suite.folder)


def test_the_marker_is_known_to_strict_markers(suite: Suite) -> None:
    code = textwrap.dedent("""
        @use(handler=order)
        def test_it(): pass
    """)
    suite.run(code, "--strict-markers").assert_outcomes(passed=1)

"""What a session pays that does not use the plugin: looked up in ``sys.modules``, not on a clock."""

from __future__ import annotations

import pytest
from plugin_kit import Suite

PACKAGE = "async_durable_execution_runner"
LOOK = f"""
import sys

def loaded(*names):
    return [name for name in sys.modules if name.split(".")[0] in names]

def test_it():
    assert loaded("async_durable_execution", "aws_durable_execution_sdk_python", "boto3", "botocore") == []
    options = ["{PACKAGE}._replay_options", "{PACKAGE}.options"]
    assert sorted(loaded("{PACKAGE}")) == ["{PACKAGE}", *options, "{PACKAGE}.pytest_plugin"]
"""


@pytest.mark.parametrize("options", [(), ("--durable-history=all",)])
def test_a_session_without_a_runner_loads_the_options_and_no_more(suite: Suite, options: tuple[str, ...]) -> None:
    suite.pytester.makepyfile(test_look=LOOK)
    suite.pytester.runpytest_subprocess("test_look.py", *options, timeout=60).assert_outcomes(passed=1)


def test_the_plugin_comes_with_the_package(suite: Suite) -> None:
    result = suite.run_apart("""
@use(handler=order)
def test_it(durable_runner):
    assert durable_runner.run(1).value == {"charged": 1}
""")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["plugins:*async-durable-execution-runner*"])

"""``--durable-mode=cloud``: the same tests, with deployed functions."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from cloud_kit import FUNCTIONS

pytest.importorskip("starlette", reason="the extra `server` is not installed")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint
from async_durable_execution_runner._plugin.cloud import deployed_name

INI = """
[pytest]
addopts = -p no:cacheprovider -p no:hypothesispytest --strict-markers
asyncio_default_fixture_loop_scope = function
filterwarnings = error
"""
HEAD = """
import async_durable_execution as sdk
import pytest

use = pytest.mark.durable_execution

@sdk.durable_execution
async def adds(event):
    raise AssertionError("the deployed function runs, not this one")
"""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[DurableEndpoint]:
    with DurableEndpoint({f"{name}-7f3a": function for name, function in FUNCTIONS.items()}) as opened:
        yield opened


class CloudSuite:
    """Runs a test file in cloud mode."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.ini()

    def ini(self, *lines: str) -> None:
        self.pytester.makeini("\n".join([INI, *lines]))

    def run(self, code: str, *arguments: str) -> pytest.RunResult:
        self.pytester.makepyfile(test_inner=HEAD + code)
        return self.pytester.runpytest_inprocess("--durable-mode=cloud", "-rsP", *arguments)


@pytest.fixture
def suite(pytester: pytest.Pytester, endpoint: DurableEndpoint, monkeypatch: pytest.MonkeyPatch) -> CloudSuite:
    for name in ("AWS_DEX_STORE_TYPE", "AWS_DEX_STORE_PATH", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    for name, value in endpoint.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL_LAMBDA")
    monkeypatch.setenv("LAMBDA_ENDPOINT", endpoint.url)
    monkeypatch.setenv("PYTEST_FUNCTION_NAME_MAP", json.dumps({name: f"{name}-7f3a" for name in FUNCTIONS}))
    return CloudSuite(pytester)


def test_a_test_of_a_deployed_function(suite: CloudSuite) -> None:
    result = suite.run("""
@use(handler=adds, lambda_function_name="adds", poll_interval=0.2)
def test_it(durable_runner):
    with durable_runner:
        result = durable_runner.run(input={"n": 4}, timeout=20)
    assert result.status is sdk.InvocationStatus.SUCCEEDED
    assert ":function:adds-7f3a:" in result.execution_arn
    assert result.value == 8

@use(lambda_function_name="adds")
def test_without_a_handler(durable_runner):
    assert "adds-7f3a" in repr(durable_runner)

def test_the_factory(durable_runner_factory):
    runner = durable_runner_factory(adds, function_name="asks-7f3a", region="eu-west-1")
    assert runner.client.meta.region_name == "eu-west-1"
""")
    result.assert_outcomes(passed=3)


def test_a_failed_test_shows_the_execution(suite: CloudSuite) -> None:
    result = suite.run("""
@use(handler=adds, lambda_function_name="adds")
def test_over(durable_runner):
    assert durable_runner.run({"n": 4}, timeout=20).value == 9

@use(handler=adds, lambda_function_name="asks")
def test_open(durable_runner):
    arn = durable_runner.run_async({"n": 4})
    durable_runner.wait_for_callback(arn, timeout=20)
    durable_runner.wait_for_result(arn, timeout=0.1)
""")
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["*- durable execution -*", "*SUCCEEDED after * s, 2 invocations", "*Wait 'pause'*"])
    result.stdout.fnmatch_lines(["*ExecutionTimeoutError: 0.1 s are over*", "*waiting for callback 'approval': open*"])


def test_what_a_cloud_cannot_do_skips_a_test_and_says_why(suite: CloudSuite) -> None:
    result = suite.run("""
from datetime import timedelta

@use(handler=adds, lambda_function_name="adds")
def test_answers_in_advance(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    raise AssertionError("not reached")

@use(handler=adds, lambda_function_name="adds", execution_timeout=60, clock="virtual")
def test_times_out(durable_runner):
    raise AssertionError("not reached")

@pytest.fixture
def shop(durable_runner_factory):
    return durable_runner_factory(adds, function_name="adds").mock_invoke("tax", result=1)

def test_stubs(shop):
    raise AssertionError("not reached")

@use(handler=adds, lambda_function_name="adds", clock="real", isolation="inline", account_id="123456789012")
def test_what_is_the_same_there(durable_runner):
    pass

@use(handler=adds, lambda_function_name="adds")
def test_refusals(durable_runner):
    from async_durable_execution_runner import UnsupportedInCloudError

    with pytest.raises(UnsupportedInCloudError):
        durable_runner.advance(1)
""")
    result.assert_outcomes(skipped=3, passed=2)
    result.stdout.fnmatch_lines_random(
        [
            "SKIPPED * test_inner.py:*: on_callback() is not possible in the cloud: it takes no answers in advance; *",
            "SKIPPED * test_inner.py:*execution_timeout=, clock= is not possible in the cloud: only an emulation *",
            "SKIPPED * test_inner.py:*: mock_invoke() is not possible in the cloud: it invokes what is deployed; *",
        ]
    )


def test_the_same_tests_run_locally(suite: CloudSuite) -> None:
    result = suite.run(
        """
@use(handler=adds, lambda_function_name="adds")
def test_it(durable_runner):
    durable_runner.on_callback("approval", result="yes", optional=True)
""",
        "--durable-mode=local",
    )
    result.assert_outcomes(passed=1)


def test_regions_names_intervals_and_stores_of_the_ini_file(suite: CloudSuite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.ini(
        "durable_mode = cloud",
        "durable_function_name = adds",
        "durable_region = eu-central-1",
        "durable_poll_interval = 0.1",
        "durable_store = filesystem",
        "durable_store_path = rest",
        "durable_execution_timeout = 60",
    )
    code = """
@use(handler=adds{marker})
def test_it(durable_runner):
    config = durable_runner._config
    assert (config.region, config.function_name, config.poll_interval) == ({region!r}, "adds-7f3a", 0.1)
    durable_runner.run({{"n": 1}}, timeout=20)
"""
    suite.run(code.format(marker="", region="us-west-2")).assert_outcomes(passed=1)
    suite.run(code.format(marker=", region='eu-west-1'", region="eu-west-1")).assert_outcomes(passed=1)
    monkeypatch.delenv("AWS_REGION")
    suite.run(code.format(marker="", region="eu-central-1")).assert_outcomes(passed=1)
    assert len(list((suite.pytester.path / "rest").glob("*.json"))) == 3


@pytest.mark.parametrize(
    ("marker", "message"),
    [
        ("handler=adds", "*in cloud mode lambda_function_name= says which deployed function to run*"),
        ("handler=adds, lambda_function_name='no name!'", "*function_name is the name or ARN of a deployed function*"),
        ("handler=adds, lambda_function_name='adds', clok=1", "*has no argument 'clok'. Did you mean 'clock'?*"),
    ],
)
def test_a_marker_that_makes_no_sense(suite: CloudSuite, marker: str, message: str) -> None:
    result = suite.run(f"@use({marker})\ndef test_it(durable_runner): pass")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([message])


def test_names_of_deployed_functions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_FUNCTION_NAME_MAP", '{"orders": "orders-7f3a:live"}')
    assert (deployed_name("orders"), deployed_name("other")) == ("orders-7f3a:live", "other")
    for text in ("", "{}"):
        monkeypatch.setenv("PYTEST_FUNCTION_NAME_MAP", text)
        assert deployed_name("orders") == "orders"
    for text in ("orders=other", "[]", '{"orders": 7}'):
        monkeypatch.setenv("PYTEST_FUNCTION_NAME_MAP", text)
        with pytest.raises(pytest.UsageError, match="PYTEST_FUNCTION_NAME_MAP is"):
            deployed_name("orders")

"""Async tests: pytest-asyncio in both modes, anyio on both backends."""

from __future__ import annotations

import pytest
from plugin_kit import Suite

AWAITED = """
import asyncio

{mark}
@use(handler=approval)
async def test_awaited(durable_runner):
    async with durable_runner:
        arn = await durable_runner.run_async(1)
        callback_id = await durable_runner.wait_for_callback(arn, "approval")
        await durable_runner.send_callback_success(callback_id, "yes")
        assert (await durable_runner.wait_for_result(arn)).value == "yes"

{mark}
async def test_on_the_loop_of_the_test(durable_runner_factory):
    import async_durable_execution as sdk
    here = asyncio.get_running_loop()
    seen = []

    @sdk.durable_execution
    async def handler(event):
        seen.append(asyncio.get_running_loop())

    async with durable_runner_factory(handler) as runner:
        (await runner.run(1)).ensure_succeeded()
    assert set(seen) == {{here}}
"""
PLAIN = """
{mark}
@use(handler=order)
async def test_plain(durable_runner):
    assert durable_runner.run(1).value == {{"charged": 1}}

{mark}
@use(handler=approval)
async def test_plain_with(durable_runner):
    with durable_runner:
        arn = durable_runner.run_async(1)
        durable_runner.send_callback_success(durable_runner.wait_for_callback(arn, "approval"), "yes")
        assert durable_runner.wait_for_result(arn).value == "yes"
"""
ENDS = """
{mark}
@use(handler=order)
async def test_fails(durable_runner):
    async with durable_runner:
        assert (await durable_runner.run(1)).value == "nonsense"

{mark}
@use(handler=order)
async def test_forgets(durable_runner):
    durable_runner.on_callback("approval", result="yes")
    durable_runner.run(1)
"""
FIXTURE = """
import pytest_asyncio

@pytest_asyncio.fixture
async def paid(durable_runner):
    async with durable_runner:
        yield await durable_runner.run(1)

{mark}
@use(handler=order)
async def test_it(paid):
    assert paid.value == {{"charged": 1}}
"""
STRICT = "@pytest.mark.asyncio"


@pytest.fixture(params=["strict", "auto"])
def mark(suite: Suite, request: pytest.FixtureRequest) -> str:
    """What a test needs in each mode of pytest-asyncio."""
    suite.ini(f"asyncio_mode = {request.param}")
    return STRICT if request.param == "strict" else ""


def test_awaited_methods(suite: Suite, mark: str) -> None:
    suite.run(AWAITED.format(mark=mark)).assert_outcomes(passed=2)


def test_plain_methods_in_an_async_test(suite: Suite, mark: str) -> None:
    suite.run(PLAIN.format(mark=mark)).assert_outcomes(passed=2)


def test_an_async_fixture_that_holds_the_runner_open(suite: Suite, mark: str) -> None:
    suite.run(FIXTURE.format(mark=mark)).assert_outcomes(passed=1)


def test_reports_of_async_tests(suite: Suite, mark: str) -> None:
    result = suite.run(ENDS.format(mark=mark))
    result.assert_outcomes(failed=1, passed=1, errors=1)
    assert result.stdout.str().count("- durable execution -") == 2


def anyio_suite(suite: Suite, code: str, backend: str) -> pytest.RunResult:
    pytest.importorskip("anyio")
    pytest.importorskip(backend)
    suite.ini("asyncio_mode = strict")
    fixture = f"@pytest.fixture\ndef anyio_backend(): return {backend!r}\n"
    return suite.run(fixture + code.format(mark="@pytest.mark.anyio"))


def test_anyio_on_asyncio(suite: Suite) -> None:
    anyio_suite(suite, AWAITED + PLAIN, "asyncio").assert_outcomes(passed=4)


def test_plain_methods_under_trio(suite: Suite) -> None:
    anyio_suite(suite, PLAIN, "trio").assert_outcomes(passed=2)


def test_async_with_under_trio_says_what_to_do(suite: Suite) -> None:
    code = """
{mark}
@use(handler=order)
async def test_it(durable_runner):
    with pytest.raises(RuntimeError, match="asyncio"):
        async with durable_runner:
            pass
    assert durable_runner.run(1).value == {{"charged": 1}}
"""
    anyio_suite(suite, code, "trio").assert_outcomes(passed=1)

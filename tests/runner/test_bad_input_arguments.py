"""What a test can hand over that makes no sense, and what it is told."""

from __future__ import annotations

import asyncio
import functools
import gc
import sys
import threading
import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import async_durable_execution as sdk
import pytest
from botocore.exceptions import ClientError
from runner_kit import DONE, FAILED, START, SUSPENDED, kinds, of, run, virtual_seconds

from async_durable_execution_runner.clock import VirtualClock
from async_durable_execution_runner.exceptions import (
    ExecutionNotFoundError,
    ExecutionStuckError,
    HandlerError,
    InputSerializationError,
    InvalidParameterValueException,
    OperationLookupError,
    RunnerClosedError,
    StoreError,
    UnawaitedOperationWarning,
    UnusedResponderError,
)
from async_durable_execution_runner.observer import ExecutionObserver
from async_durable_execution_runner.runner import DurableFunctionTestRunner


@sdk.durable_execution
async def echo(event: Any) -> Any:
    return event


class AClass:
    pass


def plain(event: Any, context: Any) -> None:
    """No durable function."""


# --------------------------------------------------------------------------------------------------------- handlers


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        (plain, r"test_bad_input_arguments.plain is no durable function: decorate it with @durable_execution"),
        (AClass, r"test_bad_input_arguments.AClass is no durable function"),
        (AClass(), r"a handler must be a durable function, not AClass"),
        (42, r"a handler must be a durable function, not int 42"),
        (functools.partial(plain, 1), r"is no durable function"),
        (print, r"is no durable function"),
        ("", r"written 'module:attribute', not ''"),
        ("no_colon", r"written 'module:attribute', not 'no_colon'"),
        (":handler", r"written 'module:attribute'"),
        ("test_bad_input_arguments:", r"written 'module:attribute'"),
        ("no_such_module_xyz:handler", r"cannot import the module of handler 'no_such_module_xyz:handler'"),
        ("test_bad_input_arguments:nothing", r"'test_bad_input_arguments' has no attribute 'nothing'"),
        ("test_bad_input_arguments:echoo", r"Did you mean 'echo'"),
        ("test_bad_input_arguments:plain", r"is no durable function"),
    ],
)
def test_handlers_that_are_none(handler: Any, said: str) -> None:
    with pytest.raises(HandlerError, match=said):
        DurableFunctionTestRunner(handler)


def test_a_module_that_ends_the_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.joinpath("module_that_exits.py").write_text("raise SystemExit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HandlerError, match="cannot import the module of handler 'module_that_exits:x': SystemExit: 3"):
        DurableFunctionTestRunner("module_that_exits:x")


@pytest.mark.parametrize("sdk", ["async_durable_execution", "aws_durable_execution_sdk_python"])
def test_a_module_whose_sdk_is_missing_says_what_to_install(
    sdk: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.joinpath(f"module_needs_{sdk}.py").write_text(f"from {sdk} import durable_execution\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, sdk, None)
    with pytest.raises(HandlerError, match=f"The SDK is not installed: pip install {sdk.replace('_', '-')}$"):
        DurableFunctionTestRunner(f"module_needs_{sdk}:handler")


def test_a_module_that_cannot_be_imported_says_why(tmp_path: Any, monkeypatch: Any) -> None:
    (tmp_path / "broken_module_xyz.py").write_text("import no_such_dependency_xyz\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HandlerError, match="No module named 'no_such_dependency_xyz'"):
        DurableFunctionTestRunner("broken_module_xyz:handler")
    (tmp_path / "exiting_module_xyz.py").write_text("raise ValueError('no settings')\n")
    with pytest.raises(HandlerError, match="ValueError: no settings"):
        DurableFunctionTestRunner("exiting_module_xyz:handler")


def test_no_handler_at_all() -> None:
    with DurableFunctionTestRunner() as runner, pytest.raises(HandlerError, match=r"has no handler: give one as"):
        runner.run()


def test_handlers_by_name_and_undecorated() -> None:
    assert run("test_bad_input_arguments:echo", 1).value == 1

    async def undecorated(event: Any) -> Any:
        return event

    assert run(undecorated, 2).value == 2


def test_a_function_nobody_registered() -> None:
    with DurableFunctionTestRunner(echo) as runner, pytest.raises(HandlerError) as caught:
        runner.run(function_name="other")
    assert str(caught.value) == "There is no durable function 'other'; registered: 'test-function'."
    runner = DurableFunctionTestRunner(echo).register_function("plain", plain)
    with runner, pytest.raises(HandlerError, match=r"'plain' is no durable function; runner.client.invoke\("):
        runner.run(function_name="plain")


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"clock": "slow"}, ValueError, "valid: 'virtual', 'real', or a Clock"),
        ({"clock": 5}, TypeError, "unknown clock 5"),
        ({"clock": "real", "start_time": datetime(2026, 1, 1, tzinfo=UTC)}, ValueError, "start_time is for"),
        ({"clock": VirtualClock(), "start_time": datetime(2026, 1, 1, tzinfo=UTC)}, ValueError, "start_time is for"),
        ({"start_time": "2026-01-01"}, TypeError, "start_time is a datetime"),
        ({"execution_timeout": 0}, ValueError, "execution_timeout is a whole number of seconds from 1 to 31622400"),
        ({"execution_timeout": 31_622_401}, ValueError, "execution_timeout"),
        ({"execution_timeout": 1.5}, ValueError, "whole number of seconds"),
        ({"execution_timeout": -1}, ValueError, "execution_timeout"),
        ({"execution_timeout": "60"}, TypeError, "execution_timeout is a number of seconds or a timedelta"),
        ({"invocation_timeout": 0}, ValueError, "invocation_timeout"),
        ({"retention_period_days": 0}, ValueError, "retention_period_days is a number of days from 1 to 90"),
        ({"retention_period_days": 91}, ValueError, "retention_period_days"),
        ({"isolation": "thread"}, ValueError, "isolation"),
        ({"store": "postgres"}, (ValueError, StoreError), "postgres"),
        ({"observers": [object()]}, TypeError, "is no observer"),
        ({"account_id": "12"}, ValueError, "account_id has 12 digits"),
        ({"region": "nowhere land"}, ValueError, "region"),
        ({"function_name": "not a name!"}, ValueError, "'not a name!' is no function name"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        DurableFunctionTestRunner(echo, **options)


# ------------------------------------------------------------------------------------------------------------ input


@pytest.mark.parametrize(
    ("given", "arrives"),
    [
        (None, None),
        ("plain", "plain"),
        ('{"a": 1}', {"a": 1}),
        ("3", 3),
        ("", ""),
        ({"a": [1]}, {"a": [1]}),
        ((1, 2), [1, 2]),
        ("ünïcode", "ünïcode"),
    ],
)
def test_inputs(given: Any, arrives: Any) -> None:
    assert run(echo, given).value == arrives


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"order": {"price": Decimal("1.1")}}, r"the input cannot .*: Decimal .*\['order'\]\['price'\]"),
        ([1, {2}], r"set \{2\} at \[1\]"),
        (object(), r"the input cannot be written as JSON: object"),
        ({"when": datetime(2026, 1, 1, tzinfo=UTC)}, r"datetime .* at \['when'\]"),
        ({(1, 2): 3}, r"the input cannot be written as JSON"),
        (b"bytes", r"bytes b'bytes'"),
    ],
)
def test_inputs_that_are_no_json(given: Any, said: str) -> None:
    with DurableFunctionTestRunner(echo) as runner, pytest.raises(InputSerializationError, match=said):
        runner.run(given)


def test_an_input_that_holds_itself() -> None:
    loop: list[Any] = []
    loop.append(loop)
    with DurableFunctionTestRunner(echo) as runner, pytest.raises(InputSerializationError, match="Circular"):
        runner.run(loop)


@pytest.mark.parametrize(("limit", "start"), [(6 * 1024 * 1024, "run"), (1024 * 1024, "run_async")])
def test_an_input_that_is_too_large(limit: int, start: str) -> None:
    with DurableFunctionTestRunner(echo) as runner:
        with pytest.raises(ClientError, match=f"smaller than or equal to {limit} bytes") as caught:
            getattr(runner, start)("x" * (limit - 1))
        assert caught.value.response["Error"]["Code"] == "RequestTooLargeException"
        assert runner.list_executions()["DurableExecutions"] == []


@pytest.mark.parametrize("name", ["", "with space", "x" * 65, "ünï", "a/b", 7])
def test_execution_names_the_service_refuses(name: Any) -> None:
    with DurableFunctionTestRunner(echo) as runner:
        with pytest.raises(ClientError) as caught:
            runner.run(execution_name=name)
        assert caught.value.response["Error"]["Code"] in {"ValidationException", "InvalidParameterValueException"}
        assert runner.list_executions()["DurableExecutions"] == []


@pytest.mark.parametrize("timeout", [-1, "5", None, True])
def test_timeouts_that_are_none(timeout: Any) -> None:
    with DurableFunctionTestRunner(echo) as runner, pytest.raises((TypeError, ValueError), match="timeout"):
        runner.run(timeout=timeout)


@pytest.mark.parametrize("duration", [-1, "5", None, timedelta(seconds=-1), float("nan"), float("inf")])
def test_durations_that_are_none(duration: Any) -> None:
    with DurableFunctionTestRunner(echo) as runner, pytest.raises((TypeError, ValueError), match="duration"):
        runner.advance(duration)


# ------------------------------------------------------------------------------------------------------------ names


@sdk.durable_execution
async def many(event: Any) -> Any:
    async def one() -> int:
        return 1

    await sdk.step(one, name="fetch")
    await sdk.step(one, name="fetch")
    await sdk.wait(5, name="cool-down")
    return await sdk.run_in_child_context(functools.partial(inside), name="inner")


async def inside() -> int:
    async def one() -> int:
        return 1

    return await sdk.step(one, name="store-order")


def test_a_typo_names_what_is_there() -> None:
    result = run(many)
    with pytest.raises(OperationLookupError) as caught:
        result.get_step("store-ordr")
    said = str(caught.value)
    assert "has no step 'store-ordr'" in said
    assert "Did you mean 'store-order'?" in said
    for there in ("STEP 'fetch'", "WAIT 'cool-down'", "CONTEXT 'inner'"):
        assert there in said


def test_a_wrong_type_says_which_it_is() -> None:
    result = run(many)
    with pytest.raises(OperationLookupError, match=r"has no wait 'inner', but CONTEXT 'inner'"):
        result.get_wait("inner")
    with pytest.raises(OperationLookupError, match=r"has no callback 'fetch', but STEP 'fetch'"):
        result.get_callback("fetch")


def test_a_repeated_name_asks_which_one() -> None:
    result = run(many)
    with pytest.raises(OperationLookupError) as caught:
        result.get_step("fetch")
    assert "has 2 of step 'fetch'; say which one with index=" in str(caught.value)
    assert "[0]" in str(caught.value)
    assert "[1]" in str(caught.value)
    first, second = result.get_step("fetch", 0), result.get_step("fetch", index=1)
    assert first.operation_id != second.operation_id
    assert result.get_step("fetch", -1) == second
    with pytest.raises(OperationLookupError, match=r"has 2 of step 'fetch': there is no index 2"):
        result.get_step("fetch", 2)
    with pytest.raises(OperationLookupError, match="no operation with id 'nope'"):
        result.get_operation_by_id("nope")
    assert result.get_operation_by_id(first.operation_id) == first
    assert result.get_operation_by_name("inner").name == "inner"


def test_nothing_there() -> None:
    with pytest.raises(OperationLookupError, match="There is: nothing"):
        run(echo).get_step("anything")


def test_unknown_executions() -> None:
    with DurableFunctionTestRunner(echo) as runner:
        arn = runner.run(1).execution_arn
        for call in (
            runner.wait_for_result,
            runner.wait_for_callback,
            runner.get_execution,
            runner.get_execution_history,
            runner.stop_execution,
            runner.run_until_suspended,
        ):
            with pytest.raises(ExecutionNotFoundError) as caught:
                call("arn:nope")
            assert "'arn:nope'" in str(caught.value)
            assert arn in str(caught.value)


# -------------------------------------------------------------------------------------------------------- callbacks


@sdk.durable_execution
async def asking(event: Any) -> Any:
    callback = await sdk.create_callback(name="approval")
    return await callback.result()


def test_callback_ids_that_lead_nowhere() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        for bad in ("nonsense", "", "a" * 2000, None, 7):
            for send in (
                runner.send_callback_success,
                runner.send_callback_failure,
                runner.send_callback_heartbeat,
            ):
                with pytest.raises(ClientError) as caught:
                    send(bad)
                assert caught.value.response["Error"]["Code"] in {
                    "InvalidParameterValueException",
                    "ValidationException",
                }
        runner.send_callback_success(callback_id, "yes")
        with DurableFunctionTestRunner(asking, function_name="another") as other:
            foreign = other.wait_for_callback(other.run_async())
        with pytest.raises(ClientError) as caught:
            runner.send_callback_success(foreign)
        assert caught.value.response["Error"]["Code"] == "ResourceNotFoundException"
        assert runner.wait_for_result(arn).value == "yes"


def test_a_closed_callback_says_that_it_is_closed() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        runner.send_callback_success(callback_id, "yes")
        for send in (runner.send_callback_success, runner.send_callback_failure, runner.send_callback_heartbeat):
            with pytest.raises(ClientError, match=r"'approval'.* is closed: it is SUCCEEDED") as caught:
                send(callback_id)
            assert caught.value.response["Error"]["Code"] == "CallbackTimeoutException"
            assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert runner.wait_for_result(arn).value == "yes"


def test_a_callback_of_a_stopped_execution_is_closed() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
        runner.stop_execution(arn)
        with pytest.raises(ClientError, match="its execution is STOPPED"):
            runner.send_callback_success(callback_id)


def test_answers_that_cannot_be_sent() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        callback_id = runner.wait_for_callback(runner.run_async())
        with pytest.raises(InputSerializationError, match="the callback's result"):
            runner.send_callback_success(callback_id, {"a": object()})
        with pytest.raises(InputSerializationError, match="UTF-8"):
            runner.send_callback_success(callback_id, b"\xff")
        with pytest.raises(InputSerializationError, match=r"unknown: Message"):
            runner.send_callback_failure(callback_id, {"Message": "x"})
        with pytest.raises(InputSerializationError, match="not int"):
            runner.send_callback_failure(callback_id, 7)


def test_waiting_for_a_callback_that_never_comes() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        with pytest.raises(ExecutionStuckError) as caught:
            runner.wait_for_callback(arn, "aproval")
        text = "\n".join([str(caught.value), *caught.value.__notes__])
        assert "No open callback 'aproval'" in text
        assert "'approval' (STARTED)" in text
        runner.send_callback_success(runner.wait_for_callback(arn, "app*"))
        runner.wait_for_result(arn)
        with pytest.raises(OperationLookupError) as ended:
            runner.wait_for_callback(arn, "approval")
        assert "The execution has ended (SUCCEEDED)" in str(ended.value)
        assert "'approval' (SUCCEEDED)" in str(ended.value)


def test_waiting_for_a_callback_of_a_handler_that_fails() -> None:
    @sdk.durable_execution
    async def broken(event: Any) -> None:
        raise ValueError("before any callback")

    with DurableFunctionTestRunner(broken) as runner:
        arn = runner.run_async()
        with pytest.raises(OperationLookupError, match="ValueError: before any callback"):
            runner.wait_for_callback(arn)


def test_a_forgotten_callback_says_what_to_do() -> None:
    with DurableFunctionTestRunner(asking) as runner, pytest.raises(ExecutionStuckError) as caught:
        runner.run()
    said = str(caught.value)
    assert "waiting for callback 'approval'" in said
    assert "on_callback('approval', result=" in said
    assert "wait_for_callback" in said


def test_responders_that_make_no_sense() -> None:
    runner = DurableFunctionTestRunner(asking)
    with pytest.raises(TypeError, match="a result or an error, not both"):
        runner.on_callback("approval", result=1, error="x")
    with pytest.raises(ValueError, match="heartbeat_every must be more than 0"):
        runner.on_callback("approval", heartbeat_every=0)
    with pytest.raises(ValueError, match="after cannot be negative"):
        runner.on_callback("approval", after=-1)
    with pytest.raises(InputSerializationError):
        runner.on_callback("approval", result=object())
    runner.close()


def test_a_scripted_answer_that_nothing_asked_for() -> None:
    runner = DurableFunctionTestRunner(asking).on_callback("aproval", result=1)
    runner.on_callback("approval", result=2)
    assert runner.run().value == "2"
    with pytest.raises(UnusedResponderError) as caught, runner:
        pass
    assert "on_callback('aproval')" in str(caught.value)
    assert "callbacks opened: approval" in str(caught.value)
    assert "optional=True" in str(caught.value)
    with DurableFunctionTestRunner(echo) as runner:
        runner.on_callback("anything", result=1, optional=True)
        runner.run()


def test_an_unused_answer_does_not_hide_the_tests_own_failure() -> None:
    runner = DurableFunctionTestRunner(echo).on_callback("anything", result=1)
    with pytest.raises(ZeroDivisionError), runner:
        _ = 1 / 0


# --------------------------------------------------------------------------------------- handlers that misbehave


@pytest.mark.parametrize("value", [{1}, object(), b"x"])
def test_a_handler_that_returns_what_is_no_json(value: Any) -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        return value

    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    assert "not JSON serializable" in result.error.message
    assert kinds(result) == START + FAILED


@pytest.mark.parametrize("error", [SystemExit(3), SystemExit("bye"), SystemExit(), KeyboardInterrupt()])
def test_a_handler_that_leaves_the_process(error: BaseException) -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        raise error

    result = run(handler)
    assert result.status is sdk.InvocationStatus.FAILED
    crashes = of(result, "InvocationCompleted")
    assert len(crashes) == len(result.invocations) == 5
    assert {each["Error"]["Payload"]["ErrorType"] for each in crashes} == {"Runtime.ExitError"}
    assert virtual_seconds(result) == 4 * 5
    assert result.invocations[0].error.type == "Runtime.ExitError"


def test_a_handler_that_leaves_the_process_once() -> None:
    tries: list[int] = []

    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise SystemExit(1)
        return len(tries)

    result = run(handler)
    assert result.value == 2
    assert kinds(result) == [*START, *SUSPENDED, *DONE]


def test_an_operation_nobody_awaits_is_named() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        sdk.wait(60, name="forgotten")
        return "done"

    with DurableFunctionTestRunner(handler) as runner, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = runner.run(timeout=20)
    assert result.execution_status in {"SUCCEEDED", "FAILED"}
    said = [str(each.message) for each in caught if each.category is UnawaitedOperationWarning]
    if said:
        assert "'forgotten'" in said[0]


def test_a_step_nobody_awaits_is_named() -> None:
    @sdk.durable_execution
    async def handler(event: Any) -> Any:
        async def work() -> None:
            await asyncio.sleep(30)

        sdk.step(work, name="forgotten")
        return "done"

    with DurableFunctionTestRunner(handler) as runner, pytest.warns(UnawaitedOperationWarning) as caught:
        result = runner.run(timeout=20)
    assert result.value == "done"
    said = str(caught[0].message)
    assert "handler returned while Step 'forgotten' was still unfinished" in said
    assert "Await it" in said
    assert caught[0].filename == __file__


# -------------------------------------------------------------------------------------------------------- observers


def test_an_observer_that_raises_changes_nothing(caplog: Any) -> None:
    class Broken(ExecutionObserver):
        calls = 0

        def on_event(self, execution_arn: str, event: dict[str, Any]) -> None:
            Broken.calls += 1
            raise RuntimeError("observer is broken")

        def on_execution_completed(self, execution_arn: str, status: str) -> None:
            Broken.calls += 1

    class Watching(ExecutionObserver):
        def __init__(self) -> None:
            self.seen: list[str] = []

        def on_event(self, execution_arn: str, event: dict[str, Any]) -> None:
            self.seen.append(event["EventType"])
            event.clear()

    watching = Watching()
    result = run(many, observers=[Broken(), watching])
    undisturbed = run(many)
    assert result.events == undisturbed.events
    assert watching.seen == kinds(undisturbed)
    assert Broken.calls == 1
    assert "is dropped; the run goes on" in caplog.text
    assert "observer is broken" in caplog.text


def test_what_an_observer_sees() -> None:
    seen: list[tuple[Any, ...]] = []

    class Watching(ExecutionObserver):
        def on_execution_started(self, execution_arn: str, input_payload: str | None) -> None:
            seen.append(("started", input_payload))

        def on_invocation_started(self, execution_arn: str, number: int) -> None:
            seen.append(("invoked", number))

        def on_callback_opened(self, execution_arn: str, callback_id: str, name: str | None) -> None:
            seen.append(("callback", name))

        def on_invocation_completed(self, execution_arn: str, number: int, error: dict[str, Any] | None) -> None:
            seen.append(("returned", number, error))

        def on_execution_completed(self, execution_arn: str, status: str) -> None:
            seen.append(("completed", status))

    with DurableFunctionTestRunner(asking, observers=[Watching()]) as runner:
        runner.on_callback("approval", result="x")
        runner.run({"a": 1}, timeout=20)
    assert seen == [
        ("started", '{"a": 1}'),
        ("invoked", 1),
        ("callback", "approval"),
        ("returned", 1, None),
        ("invoked", 2),
        ("returned", 2, None),
        ("completed", "SUCCEEDED"),
    ]


# ------------------------------------------------------------------------------------------------------ after close


def test_a_closed_runner_says_so() -> None:
    with DurableFunctionTestRunner(asking) as runner:
        arn = runner.run_async()
        callback_id = runner.wait_for_callback(arn)
    calls: list[Any] = [
        runner.run,
        runner.run_async,
        lambda: runner.wait_for_result(arn),
        lambda: runner.run_until_suspended(arn),
        lambda: runner.wait_for_callback(arn),
        lambda: runner.send_callback_success(callback_id),
        lambda: runner.send_callback_failure(callback_id),
        lambda: runner.send_callback_heartbeat(callback_id),
        lambda: runner.on_callback("x"),
        lambda: runner.register_function("x", plain),
        lambda: runner.register_durable_function("x", echo),
        lambda: runner.mock_invoke("x"),
        lambda: runner.advance(1),
        lambda: runner.stop_execution(arn),
        lambda: runner.get_execution(arn),
        lambda: runner.get_execution_history(arn),
        runner.list_executions,
        lambda: runner.client,
        runner.__enter__,
    ]
    for call in calls:
        with pytest.raises(RunnerClosedError, match=r"This runner is closed\. Make a new one"):
            call()
    runner.close()


def test_close_leaves_nothing_behind() -> None:
    before = set(threading.enumerate())
    runner = DurableFunctionTestRunner(many)
    runner.run(timeout=20)
    runner.close()
    runner.close()
    with DurableFunctionTestRunner(many) as other:
        other.run_async()
    assert set(threading.enumerate()) == before


def test_a_runner_that_is_never_closed_leaves_no_warning() -> None:
    runner = DurableFunctionTestRunner(many)
    assert runner.run(timeout=20).value == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        del runner
        gc.collect()


def test_a_scripted_answer_that_is_too_large_is_refused_where_it_is_scripted() -> None:
    with DurableFunctionTestRunner(echo) as runner:
        with pytest.raises(InvalidParameterValueException, match="CALLBACK result payload size must be less than"):
            runner.on_callback("approval", result="x" * 2_000_000)
        with pytest.raises(InvalidParameterValueException, match="Error object size"):
            runner.on_callback("approval", error="x" * 2_000_000)


def test_limits_are_a_profile() -> None:
    with pytest.raises(TypeError, match="limits is a ServiceLimits profile, not 5"):
        DurableFunctionTestRunner(echo, limits=5)  # type: ignore[arg-type]

"""What lies between the runner and a handler of AWS's own SDK: decorators, plugins, clients, events, threads."""

from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Callable
from typing import Any

import pytest
from aws_kit import RELEASE, START, STEP, config, durable, kinds, retries, run, sdk, seconds, service, since

from async_durable_execution_runner import DurableFunctionTestRunner, ServiceLimits


def two_invocations(event: Any, context: Any) -> Any:
    first = context.step(lambda _: "one", name="one")
    context.wait(seconds(60), name="pause")
    return first


def test_statuses_are_the_sdks_own_members() -> None:
    from aws_durable_execution_sdk_python.execution import InvocationStatus

    result = run(durable(two_invocations))
    assert result.status is InvocationStatus.SUCCEEDED
    assert result.get_step("one").status is service.OperationStatus.SUCCEEDED
    assert result.get_step("one").operation_type is service.OperationType.STEP


def logging_to(told: list[Any]) -> Callable[..., Any]:
    def logged(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def wrapper(event: Any, context: Any) -> Any:
            told.append((type(event), threading.current_thread()))
            return handler(event, context)

        return wrapper

    return logged


class Translating:
    """A decorator that is an object, and gives exceptions another name."""

    def __init__(self, handler: Any) -> None:
        self.handler = handler
        functools.update_wrapper(self, handler)

    def __call__(self, event: Any, context: Any) -> Any:
        try:
            return self.handler(event, context)
        except KeyError as error:
            raise LookupError(f"translated {error}") from error


def test_decorators_see_plain_events_on_the_thread_of_the_test() -> None:
    told: list[Any] = []
    handler = Translating(logging_to(told)(durable(two_invocations)))
    run(handler).ensure_succeeded()
    assert told == [(dict, threading.current_thread())] * 2


def test_a_decorator_may_translate_what_the_sdk_raises() -> None:
    answers = iter([KeyError("lost"), None])

    def losing(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def wrapper(event: Any, context: Any) -> Any:
            problem = next(answers)
            if problem is not None:
                raise problem
            return handler(event, context)

        return wrapper

    result = run(Translating(losing(durable(lambda event, context: "done"))))
    assert result.ensure_succeeded().value == "done"
    error = result.events[1]["InvocationCompletedDetails"]["Error"]["Payload"]
    assert (error["ErrorType"], error["ErrorMessage"]) == ("LookupError", "translated 'lost'")


def test_the_event_names_what_has_changed_since() -> None:
    seen: list[Any] = []

    def spying(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def wrapper(event: Any, context: Any) -> Any:
            seen.append(event.get("UpdatedOperationIds"))
            return handler(event, context)

        return wrapper

    result = run(spying(durable(two_invocations)))
    assert seen == [None, [result.get_wait("pause").operation_id]]


@since(1, 7)
@pytest.mark.filterwarnings("ignore:The 'plugins' parameter is provisional")
def test_plugins_run_on_every_invocation() -> None:
    from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin

    told: list[str] = []

    class Telling(DurableInstrumentationPlugin):  # type: ignore[misc]
        def on_invocation_start(self, info: Any) -> None:
            told.append(f"start {info.is_first_invocation}")

        def on_invocation_end(self, info: Any) -> None:
            told.append("end")

    class Factory:
        def create_plugin(self, info: Any) -> Any:
            return Telling()

    plugin = Factory() if RELEASE >= (3, 0) else Telling()
    run(sdk.durable_execution(two_invocations, plugins=[plugin])).ensure_succeeded()
    assert told == ["start True", "end", "start False", "end"]


@since(3, 0)
def test_context_variables_of_the_test_reach_a_handler_with_plugins() -> None:
    from aws_durable_execution_sdk_python.plugin import DurableInstrumentationPlugin

    class Factory:
        def create_plugin(self, info: Any) -> Any:
            return DurableInstrumentationPlugin()

    tenant: contextvars.ContextVar[str] = contextvars.ContextVar("tenant", default="none")
    tenant.set("blue")
    handler = sdk.durable_execution(lambda event, context: tenant.get(), plugins=[Factory()])
    assert run(handler).value == "blue"


class Untouchable:
    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of the user's own client was asked for")


def test_the_users_client_is_replaced_and_the_handler_stays_as_it_was() -> None:
    mine = Untouchable()
    handler = sdk.durable_execution(boto3_client=mine)(two_invocations)
    assert run(handler).ensure_succeeded().value == "one"
    assert run(handler).ensure_succeeded().value == "one"
    cells = dict(zip(*closure_of(handler), strict=True))
    assert cells["boto3_client"].cell_contents is mine


def closure_of(handler: Any) -> tuple[Any, Any]:
    while "boto3_client" not in handler.__code__.co_freevars:
        handler = handler.__wrapped__
    return handler.__code__.co_freevars, handler.__closure__


def test_an_execution_that_was_stopped_ends_its_invocation_quietly() -> None:
    with DurableFunctionTestRunner(durable(lambda event, context: stopping(context))) as runner:

        def stop(_: Any) -> None:
            runner.stop_execution(arn)

        def stopping(context: Any) -> str:
            context.step(stop, name="stop")
            context.step(lambda _: None, name="never")
            return "never"

        arn = runner.run_async()
        result = runner.wait_for_result(arn, timeout=20)
    assert result.execution_status.value == "STOPPED"
    assert "never" not in {operation.name for operation in result.get_all_operations()}


def telling(told: list[Any]) -> Callable[..., Any]:
    def tells(handler: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(handler)
        def wrapper(event: Any, context: Any) -> Any:
            told.append(handler(event, context))
            return told[-1]

        return wrapper

    return tells


@since(2, 1)
def test_an_answer_without_a_token_ends_the_invocation_as_pending(monkeypatch: pytest.MonkeyPatch) -> None:
    from async_durable_execution_runner._engine.client import InMemoryServiceClient

    told: list[Any] = []
    own, answers = InMemoryServiceClient.checkpoint_durable_execution, []

    def without_second_token(self: Any, **params: Any) -> dict[str, Any]:
        answers.append(own(self, **params))
        if len(answers) == 2:
            del answers[-1]["CheckpointToken"]
        return answers[-1]

    def steps(event: Any, context: Any) -> list[int]:
        return [context.step(lambda _, n=n: n, name=f"step {n}") for n in range(4)]

    monkeypatch.setattr(InMemoryServiceClient, "checkpoint_durable_execution", without_second_token)
    result = run(telling(told)(durable(steps))).ensure_succeeded()
    assert [each["Status"] for each in told] == ["PENDING", "SUCCEEDED"]
    assert result.value == [0, 1, 2, 3]
    assert kinds(result).count("StepSucceeded") == 4


@since(2, 0)  # earlier ones let the service try again what it has refused
def test_a_limit_of_the_service_fails_the_execution_at_once() -> None:
    def many(event: Any, context: Any) -> None:
        for number in range(5):
            context.step(lambda _: None, name=f"step {number}")

    result = run(durable(many), limits=ServiceLimits(max_operations=3))
    assert result.execution_status.value == "FAILED"
    assert len(result.invocations) == 1
    assert "Operation limit exceeded" in str(result.error)


def test_runners_in_several_threads_do_not_meet() -> None:
    handler = durable(two_invocations)
    values: list[Any] = []

    def work() -> None:
        values.extend(run(handler).ensure_succeeded().value for _ in range(3))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert values == ["one"] * 12


@pytest.mark.parametrize("tuning", [True, False])
def test_the_sdks_modules_are_as_they_were(tuning: bool) -> None:
    from aws_durable_execution_sdk_python import execution, state

    before = dict(vars(execution)), dict(vars(state)), dict(vars(state.ExecutionState))
    run(durable(two_invocations), sdk_tuning=tuning).ensure_succeeded()
    assert (dict(vars(execution)), dict(vars(state)), dict(vars(state.ExecutionState))) == before


def test_state_in_several_pages() -> None:
    def many(event: Any, context: Any) -> int:
        for number in range(120):
            context.step(lambda _: None, name=f"step {number}")
        context.wait(seconds(1), name="pause")
        return 120

    result = run(durable(many)).ensure_succeeded()
    assert result.value == 120
    assert kinds(result).count("StepSucceeded") == 120
    assert kinds(result)[:3] == [*START, *STEP]
    assert config.Duration.from_seconds(1).seconds == 1


def test_a_step_may_say_how_long_it_takes() -> None:
    def deliver(_: Any) -> None:
        runner.advance(300)

    def race(event: Any, context: Any) -> Any:
        callback = context.create_callback(name="answer", config=config.CallbackConfig(timeout=seconds(60)))
        context.step(deliver, name="deliver")
        return callback.result()

    with DurableFunctionTestRunner(durable(race)) as runner:
        result = runner.run(timeout=20)
    events = [kind for kind in kinds(result) if kind != "StepStarted"]  # which is not waited for
    assert events[:4] == [*START, "CallbackStarted", "CallbackTimedOut", "StepSucceeded"]


def test_a_handler_that_drives_its_own_runner_is_told_so() -> None:
    def drive(_: Any) -> None:
        runner.run()

    once = config.StepConfig(retry_strategy=lambda error, attempt: retries.RetryDecision.no_retry())
    handler = durable(lambda event, context: context.step(drive, name="drive", config=once))
    with DurableFunctionTestRunner(handler) as runner:
        result = runner.run(timeout=20)
    assert "the handler that it is running" in str(result.error)

"""Decorators above the SDK's: they run, whatever they are made of, or a clear error says why they cannot."""

from __future__ import annotations

import functools
from typing import Any

import async_durable_execution as sdk
import pytest
from runner_kit import DONE, START, STEP, kinds, run

from async_durable_execution_runner.exceptions import HandlerError
from async_durable_execution_runner.runner import DurableFunctionTestRunner


async def work(event: Any) -> Any:
    async def body() -> Any:
        return event

    value = await sdk.step(body, name="work")
    if value == "fail":
        raise ValueError("as asked")
    return value


def fresh() -> Any:
    async def handler(event: Any) -> Any:
        return await work(event)

    return sdk.durable_execution(handler)


def test_a_logging_decorator_sees_the_wire() -> None:
    log: list[Any] = []

    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            log.append((sorted(event), context.function_name, context.aws_request_id))
            answer = function(event, context)
            log.append(answer["Status"])
            return answer

        return wrapper

    result = run(logged(fresh()), 7)
    assert result.value == 7
    assert kinds(result) == START + STEP + DONE
    assert log[0][0] == ["CheckpointToken", "DurableExecutionArn", "InitialExecutionState"]
    assert log[0][1:] == ("test-function", result.invocations[0].request_id)
    assert log[1:] == ["SUCCEEDED"]


def test_a_decorator_with_arguments_and_two_of_them() -> None:
    order: list[str] = []

    def named(name: str) -> Any:
        def decorate(function: Any) -> Any:
            @functools.wraps(function)
            def wrapper(*args: Any, **options: Any) -> Any:
                order.append(name)
                return function(*args, **options)

            return wrapper

        return decorate

    handler = named("outer")(named("inner")(fresh()))
    assert run(handler, 1).value == 1
    assert order == ["outer", "inner"]


def test_a_decorator_that_translates_exceptions() -> None:
    tries: list[int] = []

    def translated(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            tries.append(1)
            answer = function(event, context)
            if answer["Status"] == "FAILED":
                return {"Status": "FAILED", "Error": {"ErrorType": "Translated", "ErrorMessage": "in other words"}}
            return answer

        return wrapper

    result = run(translated(fresh()), "fail")
    assert (result.error.type, result.error.message) == ("Translated", "in other words")
    assert tries == [1]


def test_a_decorator_that_raises_is_a_failed_invocation() -> None:
    tries: list[int] = []

    def shaky(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            tries.append(1)
            if len(tries) < 3:
                raise ConnectionError("no metrics today")
            return function(event, context)

        return wrapper

    result = run(shaky(fresh()), 1)
    assert result.value == 1
    assert [each.error.type for each in result.invocations[:2]] == ["ConnectionError"] * 2


@pytest.mark.parametrize("answer", [None, "text", {}, {"Status": "DONE"}, {"Status": "SUCCEEDED", "Result": {"a": 1}}])
def test_a_decorator_that_spoils_the_answer(answer: Any) -> None:
    def spoiling(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            function(event, context)
            return answer

        return wrapper

    result = run(spoiling(fresh()), 1)
    assert result.execution_status == "FAILED"
    assert "Invalid invocation output" in result.error.message


def test_a_decorator_made_of_a_class() -> None:
    class Counting:
        def __init__(self, function: Any) -> None:
            functools.update_wrapper(self, function)
            self.function = function
            self.calls: list[Any] = []

        def __call__(self, event: Any, context: Any) -> Any:
            self.calls.append(event)
            return self.function(event, context)

    handler = Counting(fresh())
    assert run(handler, 5).value == 5
    assert len(handler.calls) == 1


class Tally:
    """A decorator that keeps count in an attribute, which is bound anew each time."""

    def __init__(self, function: Any) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.calls = 0

    def __call__(self, event: Any, context: Any) -> Any:
        self.calls += 1
        return self.function(event, context)


def test_what_an_object_counts_is_not_lost() -> None:
    handler = Tally(fresh())
    function = handler.function
    assert run(handler, 5).value == 5
    assert run(handler, 6).value == 6
    assert handler.calls == 2
    assert handler.function is function
    assert type(handler) is Tally


def test_an_object_whose_class_wants_to_know_of_classes_derived_from_it() -> None:
    derived: list[type] = []

    class Registered(Tally):
        def __init_subclass__(cls) -> None:
            derived.append(cls)

    assert run(Registered(fresh()), 5).value == 5
    assert derived == []


def test_an_object_below_another_decorator() -> None:
    tally = Tally(fresh())

    @functools.wraps(tally)
    def outer(event: Any, context: Any) -> Any:
        return tally(event, context)

    assert run(outer, 5).value == 5
    assert tally.calls == 1


def test_a_class_with_slots() -> None:
    class Slotted:
        __slots__ = ("__wrapped__",)

        def __init__(self, function: Any) -> None:
            self.__wrapped__ = function

        def __call__(self, event: Any, context: Any) -> Any:
            return self.__wrapped__(event, context)

    assert run(Slotted(fresh()), 5).value == 5


def test_a_partial_of_a_decorator() -> None:
    seen: list[Any] = []

    def configured(settings: dict[str, Any], event: Any, context: Any, *, inner: Any) -> Any:
        seen.append(settings)
        return inner(event, context)

    handler = functools.partial(configured, {"level": "debug"}, inner=fresh())
    with pytest.raises(HandlerError, match="is no durable function"):
        # Nothing says that this partial has to do with a durable function.
        DurableFunctionTestRunner(handler)

    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(level: str, event: Any, context: Any) -> Any:
            seen.append(level)
            return function(event, context)

        return wrapper

    assert run(functools.partial(logged(fresh()), "debug"), 3).value == 3
    assert seen == ["debug"]


def test_a_decorator_without_wraps() -> None:
    def bare(function: Any) -> Any:
        def wrapper(event: Any, context: Any) -> Any:
            return function(event, context)

        return wrapper

    with pytest.raises(HandlerError) as caught:
        DurableFunctionTestRunner(bare(fresh()))
    said = str(caught.value)
    assert "is no durable function" in said
    assert "functools.wraps" in said


def test_a_decorator_that_hides_what_it_wraps() -> None:
    hidden: dict[str, Any] = {}

    def hiding(function: Any) -> Any:
        hidden["function"] = function

        def wrapper(event: Any, context: Any) -> Any:
            return hidden["function"](event, context)

        functools.update_wrapper(wrapper, function)
        return wrapper

    with pytest.raises(HandlerError) as caught:
        run(hiding(fresh()), 1)
    assert "holds no reference the runner can find" in str(caught.value)


def test_the_users_objects_are_left_as_they_are() -> None:
    def logged(function: Any) -> Any:
        @functools.wraps(function)
        def wrapper(event: Any, context: Any) -> Any:
            return function(event, context)

        return wrapper

    inner = fresh()
    handler = logged(inner)
    before = (handler.__wrapped__, handler.__closure__[0].cell_contents, dict(vars(inner)))
    for _ in range(2):
        assert run(handler, 1).value == 1
    assert (handler.__wrapped__, handler.__closure__[0].cell_contents, dict(vars(inner))) == before


def test_options_of_the_sdks_decorator_are_replaced_by_ours() -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> Any:
            raise AssertionError(f"the real client was asked for {name}")

    @sdk.durable_execution(boto3_client=Untouchable())
    async def handler(event: Any) -> Any:
        return await work(event)

    assert run(handler, 2).value == 2


def test_methods_and_callables() -> None:
    class Service:
        factor = 3

        async def handle(self, event: Any) -> Any:
            return await work(event * self.factor)

        @staticmethod
        async def static(event: Any) -> Any:
            return await work(event)

    service = Service()
    assert run(sdk.durable_execution(service.handle), 2).value == 6
    assert run(service.handle, 2).value == 6
    assert run(Service.static, 2).value == 2


def test_one_handler_in_several_runners_at_a_time() -> None:
    handler = fresh()
    with DurableFunctionTestRunner(handler) as one, DurableFunctionTestRunner(handler) as two:
        first, second = one.run_async(1), two.run_async(2)
        assert two.wait_for_result(second, timeout=20).value == 2
        assert one.wait_for_result(first, timeout=20).value == 1

"""What is not deterministic is found; what only looks like it is not."""

# ruff: noqa: BLE001, C416, DTZ001, DTZ005, DTZ011, PLC0208, PLW0108 - handlers under test are as careless as their authors

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import os
import random
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime as moment
from datetime import timedelta
from typing import Any

import async_durable_execution as sdk
import pytest
from async_durable_execution import (
    create_callback,
    durable_callable,
    durable_execution,
    invoke,
    parallel,
    run_in_child_context,
    step,
    wait,
    wait_for_callback,
    wait_for_condition,
)

from async_durable_execution_runner import DurableFunctionTestRunner, ReplayReport
from async_durable_execution_runner._plugin.radar import RadarOfTest
from async_durable_execution_runner._replay.radar import look

Code = Callable[[], Awaitable[Any]]
NAMES = ("ada", "grace", "edsger", "barbara", "donald", "tony")
STATE = {"runs": 0, "seen": []}
RAN: list[str] = []


@durable_callable
async def work(value: Any = None) -> Any:
    RAN.append("work")
    return value


def reports_on(code: Code, *, most: int = 20) -> list[ReplayReport]:
    @durable_execution
    async def handler(event: Any) -> Any:
        return await code()

    radar = RadarOfTest(most)
    with DurableFunctionTestRunner(handler) as runner:
        radar.watch(runner)
        runner.on_callback("*", result="yes", after=50, optional=True)
        runner.mock_invoke("other", result=5, after=4)
        runner.run({}, execution_name="order-7")
        (arn,) = runner._local.executor.executions
        before = list(RAN), runner.now, len(runner.get_execution_history(arn)), random.getstate()
        reports = look(radar._seen(), most)
        after = list(RAN), runner.now, len(runner.get_execution_history(arn)), random.getstate()
    assert before == after, "a replay does nothing again, and uses no random numbers up"
    return reports


def found(code: Code) -> list[tuple[str, str, str]]:
    return [(drift.kind.value, drift.operation, drift.what) for report in reports_on(code) for drift in report.drifts]


# ------------------------------------------------------------------------------------------------------- faults


async def uuid_in_a_name() -> Any:
    await step(work(), name=f"order {uuid.uuid4()}")
    await wait(5)


async def uuid_as_an_argument() -> Any:
    await step(work(uuid.uuid4()), name="charge")
    await wait(5)


async def uuid_in_a_closure() -> Any:
    key = str(uuid.uuid4())

    async def charge() -> str:
        return key

    await step(charge, name="charge")
    await wait(5)


async def uuid_in_an_invoke() -> Any:
    await invoke("other", {"key": str(uuid.uuid4())}, name="tell")


async def uuid_in_the_result() -> Any:
    await step(work(), name="charge")
    return {"receipt": str(uuid.uuid4())}


async def uuid_in_a_child() -> Any:
    async def child() -> str:
        await wait(5, name="pause")
        return str(uuid.uuid4())

    await run_in_child_context(child, name="child")


async def uuid_bound_to_a_child() -> Any:
    async def child(key: str) -> None:
        await step(work(), name="charge")

    await run_in_child_context(durable_callable(child)(os.urandom(8).hex()), name="child")


async def random_decides() -> Any:
    lots = [random.random() < 0.5 for _ in range(40)]
    for number, is_drawn in enumerate(lots):
        if is_drawn:
            await step(work(), name=f"lot {number}")


async def random_after_a_seed_of_the_test() -> Any:
    await step(work(random.randint(0, 10**9)), name="draw")


async def today_in_a_name() -> Any:
    await step(work(), name=f"report {dt.date.today()}")


async def now_decides_a_wait() -> Any:
    midnight = moment.now().replace(hour=0, minute=0, second=0)
    await wait(60 + int((moment.now() - midnight).total_seconds()), name="until then")


async def hour_decides() -> Any:
    await step(work(), name=f"shift {moment.now().hour}")


async def time_as_a_payload() -> Any:
    await invoke("other", {"at": int(time.time()) // 3600}, name="tell")


async def time_of_a_local_import() -> Any:
    from time import time as clock

    await step(work(), name=f"at {int(clock()) // 86400}")


async def time_as_a_timeout() -> Any:
    callback = await create_callback(name="approval", timeout=timedelta(seconds=int(time.time()) % 86400 + 3600))
    return await callback.result()


async def order_of_a_set() -> Any:
    for name in set(NAMES):
        await step(work(), name=f"mail {name}")


async def order_of_a_set_display() -> Any:
    for name in {"ada", "grace", "edsger", "barbara"}:
        await step(work(), name=f"mail {name}")


async def order_of_a_union() -> Any:
    people = {name for name in NAMES} | {"niklaus"}
    await invoke("other", list(people), name="mail")


async def order_of_a_set_in_the_result() -> Any:
    await wait(5)
    return list(frozenset(NAMES))


async def order_of_branches() -> Any:
    await parallel([lambda name=name: step(work(), name=name) for name in set(NAMES)], name="all")


async def counter_of_a_module() -> Any:
    STATE["runs"] += 1
    await step(work(), name=f"run {STATE['runs']}")
    await wait(5)


async def counter_as_an_argument() -> Any:
    STATE["runs"] += 1
    await step(work(STATE["runs"]), name="charge")


async def list_of_a_module() -> Any:
    STATE["seen"].append("again")
    await invoke("other", {"seen": len(STATE["seen"])}, name="tell")


async def environment() -> Any:
    os.environ["RADAR_RUNS"] = str(int(os.environ.get("RADAR_RUNS", "0")) + 1)
    await step(work(), name=f"run {os.environ['RADAR_RUNS']}")


async def first_run_does_more() -> Any:
    if not STATE.get("warm"):
        STATE["warm"] = True
        await step(work(), name="warm up")
    await step(work(), name="charge")


async def state_of_a_condition() -> Any:
    async def check(state: Any) -> Any:
        return state

    await wait_for_condition(check, initial_state=str(uuid.uuid4()), polling_strategy=lambda *_: None, name="until")


now = moment.now
WHEN = dt.date.today


async def methods_by_a_name_of_their_own() -> Any:
    await step(work(), name=f"report {WHEN()} {now().year}")


async def hash_of_a_text() -> Any:
    await step(work(), name=f"shard {hash('order-7') % 1000}")


async def process_in_a_name() -> Any:
    await step(work(), name=f"worker {os.getpid()}")


async def machine_in_an_invoke() -> Any:
    import platform

    await invoke("other", {"from": socket.gethostname(), "node": platform.node()}, name="tell")


async def processor_time_decides() -> Any:
    await step(work(), name=f"after {time.process_time() // 1_000_000:.0f}")


def lambda_context() -> Any:
    return sdk.get_current_context().lambda_context


async def request_id_as_a_key() -> Any:
    await step(work(lambda_context().aws_request_id), name="charge")


async def little_time_left_decides() -> Any:
    if lambda_context().get_remaining_time_in_millis() > 30_000:
        await step(work(), name="work")
    else:
        await wait(1, name="breathe")


FAULTS: list[tuple[Code, tuple[str, str]]] = [
    (process_in_a_name, ("renamed", "Step 'worker ")),
    (machine_in_an_invoke, ("value changed", "ChainedInvoke 'tell'")),
    (processor_time_decides, ("renamed", "Step 'after ")),
    (request_id_as_a_key, ("value changed", "Step 'charge'")),
    (little_time_left_decides, ("retyped", "Step 'work'")),
    (uuid_in_a_name, ("renamed", "Step 'order ")),
    (uuid_as_an_argument, ("value changed", "Step 'charge'")),
    (uuid_in_a_closure, ("value changed", "Step 'charge'")),
    (uuid_in_an_invoke, ("value changed", "ChainedInvoke 'tell'")),
    (uuid_in_the_result, ("value changed", "the execution")),
    (uuid_in_a_child, ("value changed", "RunInChildContext 'child'")),
    (uuid_bound_to_a_child, ("value changed", "RunInChildContext 'child'")),
    (random_decides, ("", "Step 'lot ")),
    (random_after_a_seed_of_the_test, ("value changed", "Step 'draw'")),
    (today_in_a_name, ("renamed", "Step 'report ")),
    (now_decides_a_wait, ("value changed", "Wait 'until then'")),
    (hour_decides, ("renamed", "Step 'shift ")),
    (time_as_a_payload, ("value changed", "ChainedInvoke 'tell'")),
    (time_of_a_local_import, ("renamed", "Step 'at ")),
    (time_as_a_timeout, ("value changed", "Callback 'approval'")),
    (order_of_a_set, ("reordered", "Step 'mail ")),
    (order_of_a_set_display, ("reordered", "Step 'mail ")),
    (order_of_a_union, ("value changed", "ChainedInvoke 'mail'")),
    (order_of_a_set_in_the_result, ("value changed", "the execution")),
    (order_of_branches, ("renamed", "Step '")),
    (counter_of_a_module, ("renamed", "Step 'run ")),
    (counter_as_an_argument, ("value changed", "Step 'charge'")),
    (list_of_a_module, ("value changed", "ChainedInvoke 'tell'")),
    (environment, ("renamed", "Step 'run ")),
    (first_run_does_more, ("removed", "Step 'warm up'")),
    (methods_by_a_name_of_their_own, ("renamed", "Step 'report ")),
    (hash_of_a_text, ("renamed", "Step 'shard ")),
    (state_of_a_condition, ("value changed", "WaitForCondition 'until'")),
]


@pytest.mark.parametrize(("code", "expected"), FAULTS, ids=[code.__name__ for code, _ in FAULTS])
def test_a_fault_is_found(code: Code, expected: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_RUNS", "0")
    random.seed(7)
    reports = reports_on(code)
    kind, operation = expected
    assert reports, "nothing was found"
    for report in reports:
        for drift in report.drifts:
            if drift.what == "argument name":
                continue  # what a batch's branches are bound to
            assert drift.kind.value == kind or not kind, report.render()
            assert drift.operation.startswith(operation), report.render()
            assert drift.file == __file__, report.render()
            assert drift.line, report.render()


# -------------------------------------------------------------------------------------------------------- twins


@dataclasses.dataclass
class Order:
    number: int
    lines: list[str]
    made_at: float = dataclasses.field(default_factory=time.time, compare=False)


async def helpers_of_the_sdk() -> Any:
    values = [await sdk.uuid(), await sdk.now(), await sdk.random(), await sdk.timestamp()]
    await step(work([str(value) for value in values]), name=f"order {values[0]}")
    await wait(5)
    return str(values[0])


async def process_and_time_left_inside_of_steps() -> Any:
    context = lambda_context()

    async def where() -> list[Any]:
        return [os.getpid(), socket.gethostname(), context.aws_request_id, context.get_remaining_time_in_millis()]

    found = await step(where, name="where")
    assert os.environ
    assert os.path.join("a", "b")  # noqa: PTH118 - the rest of a module is what it was
    await step(work(found), name=f"from {found[0]}")


async def values_inside_of_steps() -> Any:
    async def make() -> dict[str, Any]:
        return {"id": str(uuid.uuid4()), "at": time.time(), "lot": random.random(), "names": list(set(NAMES))}

    made = await step(make, name="make")
    await step(work(made["id"]), name=f"charge {made['id']}")
    await invoke("other", made, name="tell")
    return made


async def types_that_are_stored() -> Any:
    async def make() -> Any:
        return {"when": moment(2020, 1, 1), "id": uuid.UUID(int=7), "pair": (1, 2), "raw": b"x"}

    made = await step(make, name="make")
    await step(work(made), name="use")
    await step(work((made["pair"], made["when"], made["id"])), name="use parts")


async def sorted_set() -> Any:
    for name in sorted(set(NAMES)):
        await step(work(), name=f"mail {name}")


async def set_as_a_whole() -> Any:
    people = set(NAMES)
    await step(work(people), name=f"mail {len(people)}")
    if "ada" in people and people & {"grace"} and not people.isdisjoint({"tony"}):
        await step(work(), name="mail ada")


async def set_of_numbers() -> Any:
    for number in {3, 1, 2}:
        await step(work(), name=f"number {number} {hash(number)} {hash((1, 2.5))}")


async def things_that_bodies_fill() -> Any:
    log: list[str] = []

    async def note() -> None:
        RAN.append("noted")

    await step(note, name="note")
    log.append("noted")
    await step(work(list(log)), name="use")


async def shared_list_of_a_module() -> Any:
    await step(work(RAN), name="count")
    await wait(5)


async def seeds_of_its_own() -> Any:
    random.seed(3)
    await step(work(random.random()), name="draw")
    await step(work(random.Random("order").random()), name="draw again")


async def objects_without_a_face() -> Any:
    class Client:
        pass

    client = Client()
    await step(work(client), name="use")
    await step(work({"client": client, "made": object()}), name="use again")


async def dataclasses_and_lambdas() -> Any:
    order = Order(7, ["a", "b"])
    await step(lambda: work(order)(), name="use")
    await run_in_child_context(lambda: step(work(order.lines), name="inside"), name="child")


async def clock_for_the_log() -> Any:
    print("at", moment.now(), time.monotonic(), uuid.uuid4())
    await step(work(), name="charge")


async def failing_and_caught() -> Any:
    async def fail() -> None:
        raise ValueError(f"no luck with {uuid.uuid4()}")

    try:
        await step(fail, name="fail", retry_strategy=lambda error, attempt: None)
    except Exception as error:
        await step(work(str(error)), name="note")


async def callbacks_and_branches() -> Any:
    async def branch(number: int) -> Any:
        answer = await wait_for_callback(work(), name=f"approval {number}")
        await wait(number + 1)
        return answer

    result = await parallel([lambda: branch(0), lambda: branch(1)], name="both")
    return result.get_results()


async def in_the_background() -> Any:
    later = asyncio.create_task(asyncio.sleep(0))
    await step(work(), name="charge")
    await later


async def refused_by_the_service() -> Any:
    await step(work(), name="charge")
    await wait(timedelta(days=1000), name="too long")


async def not_equal_to_itself() -> Any:
    await step(work(float("nan")), name="use")
    await invoke("other", [float("nan")], name="tell")
    return float("nan")


class Shy(dict[str, Any]):
    def items(self) -> Any:
        raise RuntimeError("do not look")


async def objects_that_do_not_like_it() -> Any:
    await step(work(Shy()), name="use")


async def variables_that_go_on() -> Any:
    order: dict[str, Any] = {}
    for number in range(3):
        order["number"] = number

        async def use() -> Any:
            return number  # noqa: B023 - awaited before it goes on

        await step(use, name=f"use {number}")
        await step(work(order), name=f"use order {number}")
        await invoke("other", order, name=f"tell {number}")
    order.clear()


TWINS: list[Code] = [
    helpers_of_the_sdk,
    process_and_time_left_inside_of_steps,
    values_inside_of_steps,
    types_that_are_stored,
    sorted_set,
    set_as_a_whole,
    set_of_numbers,
    things_that_bodies_fill,
    shared_list_of_a_module,
    seeds_of_its_own,
    objects_without_a_face,
    dataclasses_and_lambdas,
    clock_for_the_log,
    failing_and_caught,
    callbacks_and_branches,
    in_the_background,
    refused_by_the_service,
    not_equal_to_itself,
    objects_that_do_not_like_it,
    variables_that_go_on,
]


@pytest.mark.parametrize("code", TWINS, ids=[code.__name__ for code in TWINS])
def test_a_twin_is_not(code: Code) -> None:
    reports = reports_on(code)
    assert not reports, "\n".join(report.render() for report in reports)


def test_the_world_is_as_before() -> None:
    before = moment, dt.datetime, time.time, random.random, __import__
    codes = order_of_a_set.__code__
    assert found(order_of_a_set)
    assert before == (moment, dt.datetime, time.time, random.random, __import__)
    assert order_of_a_set.__code__ is codes

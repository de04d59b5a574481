"""Small workflows with one mistake each, and their correct twins. Run by ``test_planted.py`` in a pytest of its own.

``FAULTY`` says which half this is: the two differ in nothing else. Every test is written as a user would write it.
"""

# ruff: noqa: BLE001, DTZ001, DTZ005, DTZ011, PLW0603 - workflows under test are as careless as their authors

import asyncio
import datetime as dt
import os
import random
import time
import uuid
from datetime import timedelta

import async_durable_execution as sdk
import pytest

FAULTY = bool(os.environ.get("PLANTED_FAULTS"))
NO_RETRY = sdk.RetryStrategy(max_attempts=1)
QUICK_RETRY = sdk.RetryStrategy(max_attempts=3, initial_delay=1, jitter_strategy=sdk.JitterStrategy.NONE)
ONCE = sdk.StepSemantics.AT_MOST_ONCE_PER_RETRY

world = None
"""What the tests hand to the steps."""


class World:
    """Everything outside: a bank that knows idempotency keys, a mail server, a stock."""

    def __init__(self, runner):
        self.runner = runner
        self.bank = runner.effects("bank")
        self.mail = runner.effects("mail")
        self.refunds = runner.effects("refunds")
        self.known = set()

    def charge(self, key=None):
        if key is not None and key in self.known:
            return "charged before"
        self.known.add(key)
        self.bank.record("order-7")
        return "charged"


@pytest.fixture(autouse=True)
def _world(durable_runner):
    global world
    world = World(durable_runner)
    durable_runner.mock_invoke("other", result=1)
    durable_runner.on_callback("*", result="yes", after=30, optional=True)


def durable(function):
    """The marker of every test here."""
    return pytest.mark.durable_execution(handler=sdk.durable_execution(function), crash="everywhere")


async def nothing():
    return "done"


# ----------------------------------------------------------------------------------------------------- side effects


async def double_charge(event):
    async def charge():
        return world.charge(None if FAULTY else "order-7")

    return bool(await sdk.step(charge, name="charge card"))


@durable(double_charge)
def test_double_charge(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"
    world.bank.exactly_once()


async def retry_without_key(event):
    async def charge():
        world.charge(None if FAULTY else "order-7")
        if sdk.get_step_context().attempt == 1:
            raise ConnectionError("no answer from the bank")
        return "paid"

    return await sdk.step(charge, name="charge with retries", retry_strategy=QUICK_RETRY)


@durable(retry_without_key)
def test_retry_without_key(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"
    world.bank.exactly_once()


async def lost_compensation(event):
    undo = []

    async def reserve():
        if FAULTY:
            undo.append("seat")
        return "seat"

    async def fail():
        raise RuntimeError("sold out")

    async def refund():
        world.refunds.record("seat")

    reserved = await sdk.step(reserve, name="reserve seat")
    try:
        await sdk.step(fail, name="issue ticket", retry_strategy=NO_RETRY)
    except Exception:
        for _ in undo if FAULTY else [reserved]:
            await sdk.step(refund, name="refund")
    return "given up"


@durable(lost_compensation)
def test_lost_compensation(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"
    world.refunds.at_least_once("seat")


async def effect_outside(event):
    async def send():
        world.mail.record("welcome")

    if FAULTY:
        world.mail.record("welcome")
    return await sdk.step(nothing if FAULTY else send_once(send), name="send welcome")


def send_once(send):
    async def body():
        if "welcome" not in world.known:
            world.known.add("welcome")
            await send()

    return body


@durable(effect_outside)
def test_effect_outside(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"
    world.mail.at_most_once()


async def submitter_mails_twice(event):
    async def ask():
        if FAULTY or "asked" not in world.known:
            world.known.add("asked")
            world.mail.record("please approve")

    return await sdk.wait_for_callback(ask, name="approval")


@durable(submitter_mails_twice)
def test_submitter_mails_twice(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"
    world.mail.at_most_once()


async def unhandled_interruption(event):
    async def charge():
        return world.charge()

    try:
        await sdk.step(charge, name="charge once", step_semantics=ONCE, retry_strategy=NO_RETRY)
    except Exception:
        if FAULTY:
            raise
    return "asked the bank"


@durable(unhandled_interruption)
def test_unhandled_interruption(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"
    world.bank.at_most_once()


async def answered_twice(event):
    async def approve():
        client = world.runner.client
        try:
            client.send_durable_execution_callback_success(CallbackId=callback.callback_id, Result=b"yes")
        except client.exceptions.CallbackTimeoutException:
            if FAULTY:
                raise
        return "answered"

    callback = await sdk.create_callback(name="no script for this")
    await sdk.step(approve, name="approve it", retry_strategy=NO_RETRY)
    return await callback.result()


@pytest.mark.durable_execution(handler=sdk.durable_execution(answered_twice), crash="everywhere")
def test_answered_twice(durable_runner):
    durable_runner._local.responders.scripted.clear()
    assert durable_runner.run().value == "yes"


# --------------------------------------------------------------------------------------- memory that does not last


async def child_result_beside(event):
    seen = {}

    async def child():
        if FAULTY:
            seen["total"] = 5
        await sdk.step(nothing, name="inner")
        return 5

    total = await sdk.run_in_child_context(child, name="sum up")
    return seen.get("total") if FAULTY else total


@durable(child_result_beside)
def test_child_result_beside(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def step_result_beside(event):
    seen = []

    async def read():
        if FAULTY:
            seen.append(7)
        return 7

    value = await sdk.step(read, name="read meter")
    await sdk.step(nothing, name="file it")
    return seen if FAULTY else [value]


@durable(step_result_beside)
def test_step_result_beside(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def total_in_closure(event):
    total = 0

    async def add(amount):
        nonlocal total
        if FAULTY:
            total += amount
        return amount

    async def first():
        return await add(3)

    async def second():
        return await add(4)

    amounts = [await sdk.step(first, name="add 3"), await sdk.step(second, name="add 4")]
    return total if FAULTY else sum(amounts)


@durable(total_in_closure)
def test_total_in_closure(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def list_of_a_map(event):
    done = []

    async def item(number):
        async def body():
            if FAULTY:
                done.append(number)
            return number

        return await sdk.step(body, name=f"item {number}")

    batch = await sdk.map(item, [1, 2, 3], name="all items")
    return sorted(done) if FAULTY else sorted(batch.get_results())


@durable(list_of_a_map)
def test_list_of_a_map(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


counter = 0


async def module_counter(event):
    global counter
    counter += 1
    number = counter if FAULTY else 1
    await sdk.step(nothing, name=f"attempt {number}")
    await sdk.wait(5, name="pause")
    return "done"


@durable(module_counter)
def test_module_counter(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def grows(event, seen=[]):  # noqa: B006
    seen.append(event)
    await sdk.wait(5, name="growing pause")
    return len(seen) if FAULTY else 1


@durable(grows)
def test_mutable_default(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


cache = {}


async def skips_when_cached(event):
    if not FAULTY or "rate" not in cache:
        cache["rate"] = await sdk.step(nothing, name="fetch rate")
    await sdk.wait(5, name="rest")
    return "done"


@durable(skips_when_cached)
def test_cached_operation(durable_runner):
    cache.clear()
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def reads_a_file(event):
    path = world.runner._scratch / "state"

    async def write():
        path.touch()

    async def look():
        return path.exists()

    exists = path.exists() if FAULTY else await sdk.step(look, name="look for state")
    await sdk.step(nothing, name="first time" if not exists else "once more")
    await sdk.step(write, name="write state")
    return "done"


@durable(reads_a_file)
def test_reads_a_file(durable_runner, tmp_path):
    durable_runner._scratch = tmp_path
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


# -------------------------------------------------------------------------------------- values that are never the same


async def uuid_in_a_name(event):
    name = uuid.uuid4().hex if FAULTY else await sdk.uuid()
    await sdk.wait(5, name="before")
    await sdk.step(nothing, name=f"order {name}")


@durable(uuid_in_a_name)
def test_uuid_in_a_name(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def uuid_in_an_argument(event):
    key = uuid.uuid4().hex if FAULTY else str(await sdk.uuid())
    await sdk.wait(5, name="second thoughts")

    async def charge():
        return key

    return bool(await sdk.step(charge, name="charge with key"))


@durable(uuid_in_an_argument)
def test_uuid_in_an_argument(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def uuid_of_a_child(event):
    async def child():
        await sdk.wait(5, name="in the child")
        return uuid.uuid4().hex if FAULTY else "fixed"

    return bool(await sdk.run_in_child_context(child, name="make id"))


@durable(uuid_of_a_child)
def test_uuid_of_a_child(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def now_in_the_result(event):
    await sdk.wait(5, name="night")
    return dt.datetime.now(dt.UTC).isoformat() if FAULTY else "today"


@durable(now_in_the_result)
def test_now_in_the_result(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def wait_until_midnight(event):
    async def remaining():
        return 3600

    seconds = 86_400 - int(time.time()) % 86_400 if FAULTY else await sdk.step(remaining, name="how long")
    await sdk.wait(seconds, name="until midnight")


@durable(wait_until_midnight)
def test_wait_until_midnight(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def date_in_an_invoke(event):
    await sdk.invoke("other", {"day": str(dt.date.today()) if FAULTY else "monday"}, name="bill the day")


@durable(date_in_an_invoke)
def test_date_in_an_invoke(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def random_wait(event):
    await sdk.wait(random.randrange(1, 10**6) if FAULTY else 5, name="jitter")


@durable(random_wait)
def test_random_wait(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def random_branch(event):
    await sdk.wait(5, name="toss")
    side = random.random() if FAULTY else 0.5
    await sdk.step(nothing, name=f"side {side}")


@durable(random_branch)
def test_random_branch(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def token_for_a_callback(event):
    token = os.urandom(4).hex() if FAULTY else "fixed"
    return await (await sdk.create_callback(name=f"callback {token}")).result()


@durable(token_for_a_callback)
def test_token_for_a_callback(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def unordered_set(event):
    names = {"ada", "grace", "edsger", "barbara", "donald", "tony"}
    for name in names if FAULTY else sorted(names):
        await sdk.step(nothing, name=f"greet {name}")
    await sdk.wait(5, name="after the greeting")


@durable(unordered_set)
def test_unordered_set(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def id_in_a_name(event):
    order = object()
    await sdk.wait(5, name="before packing")
    keep.append(order)
    await sdk.step(nothing, name=f"pack {id(order)}" if FAULTY else "pack")


keep = []


@durable(id_in_a_name)
def test_id_in_a_name(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def timeout_from_the_clock(event):
    ends = dt.datetime.now() + timedelta(days=1)
    left = ends - dt.datetime(2020, 1, 1)
    callback = await sdk.create_callback(name="reply", timeout=int(left.total_seconds()) if FAULTY else 60)
    return await callback.result()


@durable(timeout_from_the_clock)
def test_timeout_from_the_clock(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def first_come(event):
    async def slowly():
        await asyncio.sleep(0.01)
        return "slow"

    async def quickly():
        return "quick"

    tasks = [sdk.step(slowly, name="ask the slow one"), sdk.step(quickly, name="ask the quick one")]
    answers = [await each for each in asyncio.as_completed(tasks)] if FAULTY else await asyncio.gather(*tasks)
    for answer in answers:
        await sdk.step(nothing, name=f"thank the {answer} one")


@durable(first_come)
def test_first_come(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def request_id_as_a_key(event):
    context = sdk.get_current_context().lambda_context

    async def make():
        return context.aws_request_id

    key = context.aws_request_id if FAULTY else await sdk.step(make, name="make key")
    await sdk.wait(5, name="before the charge")

    async def charge(key=key):
        return world.charge(key)

    await sdk.step(charge, name="charge with the request")


@durable(request_id_as_a_key)
def test_request_id_as_a_key(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def process_in_a_name(event):
    await sdk.step(nothing, name=f"lock of {os.getpid() if FAULTY else event}")
    await sdk.wait(5, name="locked")


@durable(process_in_a_name)
def test_process_in_a_name(durable_runner):
    assert str(durable_runner.run(7).execution_status) == "SUCCEEDED"


async def stops_when_time_is_short(event):
    context = sdk.get_current_context().lambda_context
    for number in range(3):
        await sdk.step(nothing, name=f"page {number}")
        if FAULTY and context.get_remaining_time_in_millis() < 60_000:
            await sdk.wait(1, name="go on later")


@durable(stops_when_time_is_short)
def test_stops_when_time_is_short(durable_runner):
    assert str(durable_runner.run().execution_status) == "SUCCEEDED"


async def seen_by_branches(event):
    seen = {}

    def branch(number):
        async def work():
            return number

        async def run():
            seen[number] = await sdk.step(work, name=f"count {number}")
            return seen[number]

        return run

    both = await sdk.parallel([branch(1), branch(2)], name="count both")

    async def add():
        return sum(seen.values()) if FAULTY else sum(each.result for each in both.all)

    return await sdk.step(add, name="add up")


@durable(seen_by_branches)
def test_seen_by_branches(durable_runner):
    assert durable_runner.run().value == 3

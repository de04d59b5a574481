"""What a test has patched is there in the replay, nothing gets out, and what waits for the test is let go."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from async_durable_execution import durable_execution, invoke, step, wait
from replay_kit import work

from async_durable_execution_runner import DurableFunctionTestRunner, ReplayReport
from async_durable_execution_runner._plugin.radar import RadarOfTest
from async_durable_execution_runner._replay import radar as radars
from async_durable_execution_runner._replay.radar import look


def limit() -> int:
    return 10


class Settings:
    region = "north"

    @staticmethod
    def table() -> str:
        return "orders"


def run(handler: Any) -> RadarOfTest:
    radar = RadarOfTest(20)
    with DurableFunctionTestRunner(handler) as runner:
        radar.watch(runner)
        runner.mock_invoke("other", result=5)
        runner.run({}).ensure_succeeded()
    return radar


def reports(radar: RadarOfTest) -> list[ReplayReport]:
    return look(radar._seen(), 20)


@durable_execution
async def configured(event: Any) -> Any:
    settings = {
        "env": os.environ.get("RADAR_TARGET", "nothing"),
        "limit": limit(),
        "region": Settings.region,
        "table": Settings.table(),
    }
    await invoke("other", settings, name="tell")
    await step(work("use", limit()), name=f"use {settings['table']}")


def test_what_a_test_has_patched_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RADAR_TARGET", raising=False)
    with (
        mock.patch.dict(os.environ, {"RADAR_TARGET": "there"}),
        mock.patch(f"{__name__}.limit", return_value=3),
        mock.patch.object(Settings, "region", "south"),
        mock.patch.object(Settings, "table", staticmethod(lambda: "patched")),
    ):
        radar = run(configured)
    assert reports(radar) == []
    assert "RADAR_TARGET" not in os.environ
    assert (limit(), Settings.region, Settings.table()) == (10, "north", "orders")


def test_what_the_handler_changes_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADAR_COUNT", "0")

    @durable_execution
    async def counting(event: Any) -> Any:
        os.environ["RADAR_COUNT"] = str(int(os.environ["RADAR_COUNT"]) + 1)
        await step(work("count", os.environ["RADAR_COUNT"]), name="count")

    (report,) = reports(run(counting))
    assert report.drifts[0].operation == "Step 'count'"
    assert os.environ["RADAR_COUNT"] == "1"


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()


def test_nothing_gets_out(server: tuple[str, int]) -> None:
    tries: list[str] = []

    @durable_execution
    async def calling(event: Any) -> Any:
        await wait(1)
        try:
            with socket.create_connection(server, timeout=5):
                tries.append("connected")
        except ConnectionRefusedError as error:
            tries.append(str(error))
            raise
        await step(work("charge"), name="charge")

    radar = run(calling)
    assert reports(radar) == []
    assert tries[0] == "connected"
    assert tries[1].startswith("the determinism radar lets nothing out")
    with socket.create_connection(server, timeout=5):
        pass


def test_other_threads_keep_their_connections(server: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    asked, done, problems = threading.Event(), threading.Event(), []

    def bystander() -> None:
        asked.wait(10)
        try:
            socket.create_connection(server, timeout=5).close()
        except OSError as error:
            problems.append(error)
        done.set()

    thread = threading.Thread(target=bystander)
    thread.start()

    @durable_execution
    async def handler(event: Any) -> Any:
        await step(work("charge"), name="charge")

    radar = run(handler)
    own = radars.play

    def play(*args: Any, **values: Any) -> Any:
        asked.set()
        done.wait(10)
        return own(*args, **values)

    monkeypatch.setattr(radars, "play", play)
    assert reports(radar) == []
    thread.join()
    assert problems == []


def test_a_handler_that_waits_for_its_test_is_let_go_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(radars, "_IDLE_SECONDS", 0.02)
    begun: list[int] = []
    free = [True]

    @durable_execution
    async def waiting(event: Any) -> Any:
        begun.append(1)
        if not free[0]:
            await asyncio.get_running_loop().create_future()
        for _ in range(5):
            await wait(1)

    radar = run(waiting)
    free[0] = False
    before = len(begun)
    assert reports(radar) == []
    assert len(begun) == before + 1


def test_what_the_radar_cannot_do_fails_no_test(monkeypatch: pytest.MonkeyPatch) -> None:
    @durable_execution
    async def handler(event: Any) -> Any:
        await step(work("charge"), name=f"charge {id(object())} {os.urandom(4).hex()}")

    radar = run(handler)
    assert reports(radar) != []

    def broken(*_: Any, **__: Any) -> Any:
        raise KeyError("a mistake of ours")

    monkeypatch.setattr(radars, "drifts_of", broken)
    assert reports(radar) == []

"""``reload=True``: the next invocation runs the code that is there now."""

from __future__ import annotations

import importlib
import json
import logging
import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint, HandlerError, ServiceLimits
from async_durable_execution_runner._drivers.outcome import InvocationDied
from async_durable_execution_runner._wiring.reload import Reloader, Reloading

HANDLER = """
    from async_durable_execution import create_callback, durable_execution
    from reloaded_prices import price

    @durable_execution
    async def handler(event):
        approval = await (await create_callback(name="approval")).result()
        return [price(), approval, {answer}]

    def plain(event, context):
        return [price(), {answer}]
"""
PRICES = "def price():\n    return {price}\n"


class Code:
    """Files of a project, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, text: str, **values: Any) -> None:
        """As an editor does: at once, and perhaps twice in a second."""
        path = self.folder / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.stat().st_mtime_ns if path.exists() else 0
        path.write_text(textwrap.dedent(text).format(**values), encoding="utf-8")
        if path.stat().st_mtime_ns == before:  # a file system with a coarse clock
            os.utime(path, ns=(before, before + 1))


@pytest.fixture
def code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Code]:
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    written = Code(tmp_path)
    written.write("reloaded_prices", PRICES, price=1)
    written.write("reloaded_orders", HANDLER, answer=1)
    importlib.invalidate_caches()
    yield written
    for name in [name for name in sys.modules if name.startswith("reloaded_")]:
        del sys.modules[name]


def client_of(endpoint: DurableEndpoint) -> Any:
    return boto3.client("lambda", **endpoint.client_options)


def until(look: Callable[[], Any]) -> Any:
    end = time.monotonic() + 20
    while not (found := look()):
        assert time.monotonic() < end
        time.sleep(0.01)
    return found


def opened(client: Any) -> tuple[str, str]:
    arn = client.invoke(FunctionName="orders", InvocationType="Event")["DurableExecutionArn"]

    def callback_id() -> Any:
        events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
        settled = any(event["EventType"] == "InvocationCompleted" for event in events)
        found = [event["CallbackStartedDetails"] for event in events if event["EventType"] == "CallbackStarted"]
        return settled and found and found[0]["CallbackId"]

    return arn, until(callback_id)


def ended(client: Any, arn: str) -> Any:
    def over() -> Any:
        found = client.get_durable_execution(DurableExecutionArn=arn)
        return found if found["Status"] != "RUNNING" else None

    return until(over)


def test_a_running_execution_goes_on_with_the_new_code(code: Code) -> None:
    with DurableEndpoint({"orders": "reloaded_orders:handler"}, reload=True) as endpoint:
        client = client_of(endpoint)
        arn, callback_id = opened(client)
        code.write("reloaded_orders", HANDLER, answer=2)
        code.write("reloaded_prices", PRICES, price=3)
        client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"yes")
        assert json.loads(ended(client, arn)["Result"]) == [3, "yes", 2]


def test_every_edit_of_a_second_counts(code: Code) -> None:
    """Python itself takes bytecode for current whose source is as long and of the same second."""
    with DurableEndpoint({"plain": "reloaded_orders:plain"}, reload=True) as endpoint:
        client = client_of(endpoint)
        seen = []
        for price in range(5):
            code.write("reloaded_prices", PRICES, price=price)
            seen.append(json.loads(client.invoke(FunctionName="plain")["Payload"].read()))
    assert seen == [[price, 1] for price in range(5)]


def test_an_error_in_the_code_is_told_and_repaired(code: Code, caplog: pytest.LogCaptureFixture) -> None:
    functions = {"orders": "reloaded_orders:handler", "plain": "reloaded_orders:plain"}
    limits = replace(ServiceLimits(), crash_backoff_seconds=1)
    with DurableEndpoint(functions, reload=True, limits=limits) as endpoint:
        client = client_of(endpoint)
        arn, callback_id = opened(client)
        code.write("reloaded_orders", "def handler(:\n")
        client.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"yes")

        def error() -> Any:
            events = client.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
            found = [event.get("InvocationCompletedDetails", {}).get("Error") for event in events]
            return next((each["Payload"] for each in found if each), None)

        told = until(error)
        assert told["ErrorType"] == "Runtime.UserCodeSyntaxError"
        assert told["ErrorMessage"].startswith("cannot import the module of handler 'reloaded_orders:handler': Syntax")
        assert told["ErrorMessage"] in caplog.text
        answer = client.invoke(FunctionName="plain")
        assert answer["FunctionError"] == "Unhandled"
        assert json.loads(answer["Payload"].read())["errorType"] == "Runtime.UserCodeSyntaxError"
        code.write("reloaded_orders", HANDLER, answer=2)
        assert json.loads(client.invoke(FunctionName="plain")["Payload"].read()) == [1, 2]
        assert json.loads(ended(client, arn)["Result"]) == [1, "yes", 2]


# ---------------------------------------------------------------------------------------- without an endpoint


def plain(reloader: Reloader | None = None) -> Reloading:
    return Reloading(reloader or Reloader(), "reloaded_orders:plain")


def test_nothing_is_imported_anew_while_nothing_has_changed(code: Code) -> None:
    reloading = plain()
    module = sys.modules["reloaded_orders"]
    assert reloading({}, None) == [1, 1]
    assert reloading({}, None) == [1, 1]
    assert sys.modules["reloaded_orders"] is module


def test_what_changed_is_said(code: Code, caplog: pytest.LogCaptureFixture) -> None:
    reloading = plain()
    code.write("reloaded_prices", PRICES, price=2)
    with caplog.at_level(logging.INFO):
        assert reloading({}, None) == [2, 1]
    assert caplog.messages == ["Reloading: reloaded_prices.py changed."]


def test_a_module_that_ends_the_process(code: Code) -> None:
    reloading = plain()
    code.write("reloaded_orders", "raise SystemExit(5)\n")
    with pytest.raises(InvocationDied, match="SystemExit: 5") as caught:
        reloading({}, None)
    assert caught.value.error.type == "Runtime.ExitError"


def test_a_module_that_is_not_there_yet(code: Code) -> None:
    reloading = plain()
    text = "import reloaded_taxes\n\ndef plain(event, context):\n    return reloaded_taxes.TAX\n"
    code.write("reloaded_orders", text)
    with pytest.raises(InvocationDied, match="No module named 'reloaded_taxes'") as caught:
        reloading({}, None)
    assert caught.value.error.type == "Runtime.ImportModuleError"
    code.write("reloaded_taxes", "TAX = 7\n")
    assert reloading({}, None) == 7


def test_what_a_broken_module_has_imported_is_imported_anew_too(code: Code) -> None:
    reloading = plain()
    code.write("reloaded_orders", "from reloaded_prices import price\nraise ValueError('half done')\n")
    with pytest.raises(InvocationDied, match="ValueError: half done"):
        reloading({}, None)
    code.write("reloaded_prices", PRICES, price=2)
    code.write("reloaded_orders", HANDLER, answer=1)
    assert reloading({}, None) == [2, 1]


def test_a_file_that_is_no_longer_imported_is_forgotten(code: Code) -> None:
    reloading = plain()
    code.write("reloaded_orders", "def plain(event, context):\n    return 5\n")
    (code.folder / "reloaded_prices.py").unlink()
    assert reloading({}, None) == 5
    module = sys.modules["reloaded_orders"]
    assert reloading({}, None) == 5
    assert sys.modules["reloaded_orders"] is module


def test_one_broken_module_beside_another_that_is_whole(code: Code) -> None:
    reloader = Reloader()
    code.write("reloaded_taxes", "def plain(event, context):\n    return 7\n")
    first, second = plain(reloader), Reloading(reloader, "reloaded_taxes:plain")
    code.write("reloaded_rates", "RATE = 1\n")
    code.write("reloaded_taxes", "import reloaded_rates\nraise ValueError(reloaded_rates.RATE)\n")
    assert first({}, None) == [1, 1]
    with pytest.raises(InvocationDied, match="ValueError: 1"):
        second({}, None)
    code.write("reloaded_rates", "RATE = 2\n")
    with pytest.raises(InvocationDied, match="ValueError: 2"):
        second({}, None)


def test_an_attribute_that_is_gone(code: Code) -> None:
    reloading = plain()
    code.write("reloaded_orders", "def plane(event, context): ...\n")
    with pytest.raises(InvocationDied, match="Did you mean 'plane'") as caught:
        reloading({}, None)
    assert caught.value.error.type == "Runtime.HandlerNotFound"


def test_a_file_that_is_gone(code: Code) -> None:
    reloading = plain()
    (code.folder / "reloaded_orders.py").unlink()
    with pytest.raises(InvocationDied, match="No module named 'reloaded_orders'"):
        reloading({}, None)


def test_a_module_that_a_handler_imports_later(code: Code) -> None:
    code.write("reloaded_orders", "def plain(event, context):\n    import reloaded_late\n    return reloaded_late.N\n")
    code.write("reloaded_late", "N = 1\n")
    reloading = plain()
    assert [reloading({}, None), reloading({}, None)] == [1, 1]
    code.write("reloaded_late", "N = 2\n")
    assert reloading({}, None) == 2


def test_a_package_is_reloaded_as_a_whole(code: Code) -> None:
    code.write("reloaded_shop/__init__", "")
    code.write("reloaded_shop/prices/lamps", "PRICE = 1\n")
    code.write(
        "reloaded_shop/orders/plain",
        "from ..prices.lamps import PRICE\n\ndef handler(event, context):\n    return PRICE\n",
    )
    reloading = Reloading(Reloader(), "reloaded_shop.orders.plain:handler")
    assert reloading({}, None) == 1
    code.write("reloaded_shop/prices/lamps", "PRICE = 2\n")
    assert reloading({}, None) == 2


def test_what_is_beside_it_and_what_is_installed_stay(code: Code) -> None:
    reloading = plain()
    kept = {name: module for name, module in sys.modules.items() if not name.startswith("reloaded_")}
    code.write("reloaded_prices", PRICES, price=2)
    reloading({}, None)
    assert {name: sys.modules.get(name) for name in kept} == kept


def test_functions_of_one_folder_share_what_they_import(code: Code) -> None:
    reloader = Reloader()
    first, second = plain(reloader), Reloading(reloader, "reloaded_prices:price")
    code.write("reloaded_prices", PRICES, price=2)
    assert first({}, None) == [2, 1]
    assert second.current() is sys.modules["reloaded_orders"].price


def test_a_function_that_becomes_durable_needs_another_start(code: Code) -> None:
    reloading = plain()
    durable = HANDLER.replace("def plain(event, context)", "@durable_execution\n    async def plain(event)")
    code.write("reloaded_orders", durable, answer=1)
    with pytest.raises(InvocationDied, match="was an ordinary one when the endpoint began and is a durable function"):
        reloading({}, None)


def test_objects_cannot_be_reloaded() -> None:
    def here(event: Any, context: Any) -> None: ...

    with pytest.raises(HandlerError, match=r"for functions given by name.* the function 'f' is the object"):
        DurableEndpoint({"f": here}, reload=True)


def test_code_that_is_wrong_from_the_start_is_refused(code: Code) -> None:
    code.write("reloaded_orders", "def handler(:\n")
    with pytest.raises(HandlerError, match="SyntaxError"):
        DurableEndpoint({"orders": "reloaded_orders:handler"}, reload=True)

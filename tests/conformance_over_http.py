"""A folder of conformance requirements, played through the endpoint with the cloud runner as its client.

    python tests/conformance_over_http.py FOLDER [--clock auto|real|virtual] [OPTION …]

``FOLDER`` has ``harness.py``, ``requirements``, ``async_handlers`` and ``isolated.txt``; further options are the
harness's own (``--suite``, ``--only``, ``--jobs``, ``--keep`` …). It watches histories, answers callbacks and compares;
here is only what it plays on. Each requirement has an endpoint of its own, in a process of its own.

On the virtual clock a wait is over before anybody can answer a callback that is open meanwhile, so with ``auto``
requirements that answer callbacks have the real clock, and all others the virtual one.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import inspect
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from async_durable_execution_runner import DurableEndpoint, DurableFunctionCloudTestRunner

_FOLDER, _CLOCK = "CONFORMANCE_FOLDER", "CONFORMANCE_CLOCK"
_SANDBOX = """\
import harness

harness.install_lambda_logging({log!r})
harness.install_stand_ins()
handler = harness.load_handler(harness.Catalogue({root!r}, {{}}), harness.Function({name!r}, {handler!r}))
"""


class EndpointBackend:
    """What the harness needs from something that can run durable executions."""

    def __init__(self, catalogue: Any, options: dict[str, Any]) -> None:
        self._catalogue, self._options = catalogue, options
        self._folder = Path(os.environ[_FOLDER])
        self._kit: Any = importlib.import_module("harness")
        self._open = ExitStack()

    async def open(self, function: Any) -> None:
        """Serve the function and everything it may invoke."""
        more: dict[str, Any] = {}
        given = {name: self._handler(self._catalogue.functions[name]) for name in self._reachable(function)}
        if self._is_isolated(function):
            more["isolation"] = "process"
            given = {function.name: self._named(function)}
        endpoint = DurableEndpoint(
            given,
            clock=self._clock(function),
            execution_timeout=function.execution_timeout,
            invocation_timeout=function.timeout,
            region=self._kit.REGION,
            account_id=self._kit.ACCOUNT,
            **more,
        )
        url = self._open.enter_context(endpoint).url
        self._cloud = self._open.enter_context(
            DurableFunctionCloudTestRunner(function.name, self._kit.REGION, url, poll_interval=0.25)
        )

    async def start(self, payload: str) -> str:
        """Start an execution with a JSON ``payload``; its ARN at once."""
        return await asyncio.to_thread(self._cloud.run_async, payload)

    async def history(self, execution: str) -> list[dict[str, Any]]:
        """All events so far."""
        return await asyncio.to_thread(self._cloud.get_execution_history, execution)

    async def describe(self, execution: str) -> dict[str, Any]:
        """Status, raw result and error, from the result object that a test would get."""
        result = await asyncio.to_thread(self._cloud.wait_for_result, execution)
        if result.events != await self.history(execution):
            raise AssertionError("the result has other events than the history")
        return {"Status": result.execution_status.value, "Result": result.result, "Error": result.error}

    async def callback(self, callback_id: str, operation: str, payload: Any) -> None:
        """Send success (payload: bytes or None), failure (mapping or None) or heartbeat."""
        send = getattr(self._cloud, f"send_callback_{operation}")
        await asyncio.to_thread(send, callback_id, *([] if payload is None else [payload]))

    async def close(self) -> None:
        """Stop serving."""
        await asyncio.to_thread(self._open.close)

    def _handler(self, function: Any) -> Any:
        return self._kit.load_handler(self._catalogue, function)

    def _named(self, function: Any) -> str:
        """A module that sets up logging as a sandbox does, and then has the handler: it is imported by its name."""
        place = Path(os.environ["HARNESS_SCRATCH"])
        log = self._options["log_path"]
        source = _SANDBOX.format(log=log, root=self._catalogue.root, name=function.name, handler=function.handler)
        (place / "sandboxed.py").write_text(source)
        sys.path.insert(0, str(place))
        return "sandboxed:handler"

    def _clock(self, function: Any) -> str:
        wanted = os.environ[_CLOCK]
        if wanted != "auto":
            return wanted
        found = self._kit.find_requirements(str(self._folder / "requirements"), None, set(function.requirements))
        return "real" if any(each.data.get("CallbackActions") for each in found) else "virtual"

    def _is_isolated(self, function: Any) -> bool:
        lines = (line.partition("#")[0] for line in (self._folder / "isolated.txt").read_text().splitlines())
        return bool({word for line in lines for word in line.split()} & set(function.requirements))

    def _reachable(self, function: Any) -> list[str]:
        found, waiting = [], [function.name]
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found.append(name)
                waiting += self._catalogue.functions[name].targets
        return found


def main() -> int:
    """Play what the command line says; exit status 1 if any requirement failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where the requirements, their handlers and harness.py are")
    parser.add_argument("--clock", choices=("auto", "real", "virtual"), default="auto", help="the endpoint's clock")
    args, others = parser.parse_known_args()
    folder = args.folder.resolve()
    os.environ |= {_FOLDER: str(folder), _CLOCK: args.clock}
    paths = [str(Path(__file__).resolve().parent), str(folder)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    given = ["--requirements", str(folder / "requirements"), "--handlers", str(folder / "async_handlers")]
    if "isolation" not in inspect.signature(DurableEndpoint).parameters:
        print("The endpoint has no process isolation: requirements of isolated.txt will fail.", file=sys.stderr)
    sys.argv = ["harness.py", *given, "--backend", "conformance_over_http:EndpointBackend", *others]
    kit: Any = importlib.import_module("harness")
    return int(kit.main())


if __name__ == "__main__":
    sys.exit(main())

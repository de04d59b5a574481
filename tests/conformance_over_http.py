"""A folder of conformance requirements, played through the endpoint with the cloud runner as its client.

    python tests/conformance_over_http.py FOLDER [--requirements DIR] [--handlers DIR] [--clock auto|real|virtual] …

``FOLDER`` has ``harness.py``, ``requirements``, ``async_handlers`` and ``isolated.txt``; other requirements, and
handlers with an ``isolated.txt`` of theirs (``tests/conformance/async_handlers``), may be said. Further options are the
harness's own (``--suite``, ``--only``, ``--jobs``, ``--keep`` …). It watches histories, answers callbacks and compares;
here is only what it plays on. Each requirement has an endpoint of its own, in a process of its own.

On the virtual clock a wait is over before anybody can answer a callback that is open meanwhile, so with ``auto``
requirements that answer callbacks have the real clock, and all others the virtual one.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from async_durable_execution_runner import DurableEndpoint, DurableFunctionCloudTestRunner
from conformance_kit import ids_in

_REQUIREMENTS, _ISOLATED, _CLOCK = "CONFORMANCE_REQUIREMENTS", "CONFORMANCE_ISOLATED", "CONFORMANCE_CLOCK"
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
        found = self._kit.find_requirements(os.environ[_REQUIREMENTS], None, set(function.requirements))
        return "real" if any(each.data.get("CallbackActions") for each in found) else "virtual"

    def _is_isolated(self, function: Any) -> bool:
        return bool(set(os.environ[_ISOLATED].split()) & set(function.requirements))

    def _reachable(self, function: Any) -> list[str]:
        found, waiting = [], [function.name]
        while waiting:
            name = waiting.pop(0)
            if name not in found:
                found.append(name)
                waiting += self._catalogue.functions[name].targets
        return found


def _isolated(*folders: Path) -> frozenset[str]:
    files = [folder / "isolated.txt" for folder in folders]
    return frozenset().union(*(ids_in(file) for file in files if file.exists()))


def main() -> int:
    """Play what the command line says; exit status 1 if any requirement failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="where harness.py is, and by default what it plays")
    parser.add_argument("--requirements", type=Path, help="folder of SUITE/ID.yaml (default: the one in the folder)")
    parser.add_argument("--handlers", type=Path, help="folder with a manifest.yaml (default: the one in the folder)")
    parser.add_argument("--clock", choices=("auto", "real", "virtual"), default="auto", help="the endpoint's clock")
    args, others = parser.parse_known_args()
    folder = args.folder.resolve()
    requirements = str((args.requirements or folder / "requirements").resolve())
    handlers = (args.handlers or folder / "async_handlers").resolve()
    isolated = " ".join(_isolated(folder, handlers))
    os.environ |= {_REQUIREMENTS: requirements, _ISOLATED: isolated, _CLOCK: args.clock}
    paths = [str(Path(__file__).resolve().parent), str(folder)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join([*paths, *filter(None, [os.environ.get("PYTHONPATH")])])
    given = ["--requirements", requirements, "--handlers", str(handlers)]
    sys.argv = ["harness.py", *given, "--backend", "conformance_over_http:EndpointBackend", *others]
    kit: Any = importlib.import_module("harness")
    return int(kit.main())


if __name__ == "__main__":
    sys.exit(main())

"""The Lambda API on a local address, for code in other processes or languages, the AWS CLI, or a real boto3 client.

with DurableEndpoint({"orders": handler}) as endpoint:
    client = boto3.client("lambda", **endpoint.client_options)
    client.invoke(FunctionName="orders", Payload=b'{"total": 290}')
"""

from __future__ import annotations

import ipaddress
import threading
import warnings
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from ._drivers.background import BackgroundDriver
from ._drivers.workers import Workers
from ._http.app import App
from ._model.limits import ServiceLimits
from ._runner.served import Served
from ._runner.settings import require_isolation
from ._wiring.invoke import InvokeApi
from ._wiring.isolation import require_server
from .clock import Clock
from .exceptions import RunnerClosedError, ServiceException
from .observer import ExecutionObserver
from .runner import DurableFunctionTestRunner
from .stores.base import ExecutionStore, StoreType

__all__ = ["DurableEndpoint"]

Duration = float | timedelta
_CLOSED = "The endpoint was closed before the execution ended."


class DurableEndpoint:
    """Serves ``Invoke`` and the durable operations of the Lambda API over HTTP, from ``with`` on.

    ``functions`` has handlers by function name: decorated with an SDK's ``@durable_execution``, ordinary functions,
    ``"module:attribute"``, or the address of a function in another process, ``"http://HOST:PORT/PATH"`` for a durable
    one and ``"plain+http://…"`` for an ordinary one. One thread runs what is in this process, one invocation at a
    time; with the real clock, what is in other processes runs beside it.

    ``isolation="process"`` runs each invocation in a fresh interpreter; ``reload=True`` imports functions anew when
    their code has changed. Both are for functions given by name.

    ``resume=True`` takes up what ``unfinished`` names when it begins to serve: executions of its functions that the
    store has and that an earlier process did not bring to an end. No other process may have them.

    It listens on ``host`` and ``port`` (0: any free one). Signatures are not checked, so a host that other machines
    can reach needs ``allow_remote``, and a ``RuntimeWarning`` says so. The other options are those of
    ``DurableFunctionTestRunner``, but the clock is the real one unless said otherwise: with a virtual one, a callback
    that has a timeout times out before anybody could answer it.

    Raises ``ImportError`` without the extra ``server``, ``OSError`` for an address that cannot be had,
    ``HandlerError`` for a function that cannot be served, ``ValueError`` for a host that needs ``allow_remote``, and
    what the runner raises for its options.
    """

    def __init__(
        self,
        functions: Mapping[str, Any],
        *,
        store: ExecutionStore | StoreType | str | None = None,
        store_path: str | Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        allow_remote: bool = False,
        isolation: str = "inline",
        reload: bool = False,
        resume: bool = False,
        clock: Clock | str = "real",
        start_time: datetime | None = None,
        execution_timeout: Duration | None = None,
        invocation_timeout: Duration = 900,
        retention_period_days: int = 14,
        limits: ServiceLimits | None = None,
        region: str = "us-west-2",
        account_id: str = "123456789012",
        observers: Iterable[ExecutionObserver] = (),
    ) -> None:
        require_server("The endpoint")
        from ._http.server import Server

        require_private(host, allow_remote=allow_remote)
        require_isolation(isolation)
        self._region = region
        self._ended = _Ends()
        self._closed = False
        self._resume = resume
        self._runner = DurableFunctionTestRunner(
            None,
            store=store,
            store_path=store_path,
            clock=clock,
            start_time=start_time,
            invocation_timeout=invocation_timeout,
            retention_period_days=retention_period_days,
            limits=limits,
            region=region,
            account_id=account_id,
            observers=[*observers, self._ended],
        )
        local = self._runner._local  # noqa: SLF001 - two users' rooms around the same engine
        self._background = BackgroundDriver(local.driver, local.executor, local.clock, local.lock)
        self._served = Served(
            self._runner,
            local,
            isolated=isolation == "process",
            reload=reload,
            url=lambda: self._server.local_url,
            wake=self._background.wake,
        )
        try:
            self._served.register(functions, execution_timeout)
        except BaseException:
            self._runner.close()
            raise
        api = InvokeApi(local, self._start, self._until_closed, self._require_serving)
        operations = {name: self._waking(perform) for name, perform in api.operations().items()}
        app = App(operations, local.executor.limits.execution_payload_bytes)
        self._server = Server(app, host, port, Workers("durable-runner-worker"))

    def __repr__(self) -> str:
        return f"<DurableEndpoint {self.url}{', closed' if self._closed else ''}>"

    def __enter__(self) -> DurableEndpoint:
        self._require_open()
        try:
            self._server.start()
            if self._resume:
                self._served.resume()
        except BaseException:
            self.close()
            raise
        self._background.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def unfinished(self) -> list[str]:
        """ARNs of executions of its functions that the store has, that are not over and that do not run here."""
        return self._served.unfinished()

    def close(self) -> None:
        """Stop listening. Whoever still waits for a synchronous invocation gets an error; again changes nothing."""
        if not self._closed:
            self._closed = True
            self._ended.give_up()
            self._served.close()
            self._server.stop()
            self._background.stop()
            self._runner.close()

    @property
    def url(self) -> str:
        """Where it listens, such as ``http://127.0.0.1:40321``."""
        return self._server.url

    @property
    def environment(self) -> dict[str, str]:
        """Environment variables that lead the AWS CLI, every AWS SDK and every durable function here."""
        return {
            "AWS_ENDPOINT_URL_LAMBDA": self.url,
            "AWS_REGION": self._region,
            "AWS_DEFAULT_REGION": self._region,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }

    @property
    def client_options(self) -> dict[str, str]:
        """Options that lead ``boto3.client("lambda", **options)`` here."""
        return {
            "endpoint_url": self.url,
            "region_name": self._region,
            "aws_access_key_id": "local",
            "aws_secret_access_key": "local",
        }

    def _waking(self, perform: Any) -> Any:
        def call(**params: Any) -> Any:
            answer = perform(**params)
            self._background.wake()
            return answer

        return call

    def _start(self, *given: Any, **options: Any) -> str:
        arn: str = self._runner._start(*given, **options)  # noqa: SLF001 - as above
        self._background.wake()
        return arn

    def _until_closed(self, arn: str, seconds: float) -> None:
        del seconds  # the client's patience counts, which is its own business
        execution = self._runner._local.executor.get(arn)  # noqa: SLF001 - as above
        self._ended.wait_for(lambda: execution.is_closed)

    def _require_serving(self) -> None:
        if self._closed:
            raise ServiceException(_CLOSED)

    def _require_open(self) -> None:
        if self._closed:
            raise RunnerClosedError("This endpoint is closed. Make a new one.")


def require_private(host: str, *, allow_remote: bool) -> None:
    """Raise ``ValueError`` for a host that other machines can reach, or warn of it if that is allowed."""
    if _is_loopback(host):
        return
    who = f"whoever can reach {host or 'any address of this machine'}"
    if not allow_remote:
        raise ValueError(
            f"{who} could run these functions, because signatures are not checked. Listen on 127.0.0.1, or say "
            "allow_remote=True (durable-runner serve --allow-remote) if so be it."
        )
    warnings.warn(f"{who} can run these functions; signatures are not checked", RuntimeWarning, stacklevel=3)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Ends(ExecutionObserver):
    """Wakes who waits for the end of an execution."""

    def __init__(self) -> None:
        self._news = threading.Condition()
        self._over = False

    def on_execution_completed(self, execution_arn: str, status: str) -> None:
        del execution_arn, status
        with self._news:
            self._news.notify_all()

    def give_up(self) -> None:
        """Nothing will end any more."""
        with self._news:
            self._over = True
            self._news.notify_all()

    def wait_for(self, reached: Any) -> None:
        """Wait for an end. Raises ``ServiceException`` if there will be none."""
        with self._news:
            self._news.wait_for(lambda: self._over or reached())
        if not reached():
            raise ServiceException(_CLOSED)

"""The app on a socket: uvicorn in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.requests import Request as StarletteRequest
from starlette.responses import Response as StarletteResponse

from .app import App
from .messages import Request, Response

_THREAD = "durable-endpoint"
"""The name by which drivers know that this thread is nobody who might answer something."""

_DRAINED = 64 * 1024 * 1024
"""How much of a body that is too long is read all the same, so that its sender comes to read the answer."""

_IDLE_SECONDS = 75
"""How long a connection that nobody uses stays open: longer than clients keep one, so that none is closed under a
request that is on its way."""

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


class Server:
    """Listens from ``start`` to ``stop``. ``port`` 0 takes a free one.

    ``workers`` runs the app, which blocks for as long as a synchronous invocation takes.
    """

    def __init__(self, app: App, host: str, port: int, workers: Executor) -> None:
        self._app = app
        self._host = host
        self._port = port
        self._workers = workers
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    @property
    def local_url(self) -> str:
        """Where processes of this machine find it, also if it listens on every address."""
        host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self._host)
        return f"http://{host}:{self._port}" if host is not None else self.url

    def start(self) -> None:
        """Listen. Raises ``OSError`` if the address cannot be had."""
        family = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.create_server((self._host, self._port), family=family, backlog=512)
        # Connections inherit it. asyncio does it only for sockets that were made with a protocol number; without it the
        # body of an answer, which follows its head, waits 40 ms for the acknowledgement of a client that delays those.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._port = listener.getsockname()[1]
        config = uvicorn.Config(
            self._asgi,
            interface="asgi3",
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            timeout_keep_alive=_IDLE_SECONDS,
        )
        up = threading.Event()
        self._server = _Announcing(config, up.set)
        self._thread = threading.Thread(
            target=self._serve, args=(self._server, listener, up), name=_THREAD, daemon=True
        )
        self._thread.start()
        up.wait(_START_SECONDS)

    @staticmethod
    def _serve(server: uvicorn.Server, listener: socket.socket, up: threading.Event) -> None:
        with contextlib.closing(listener):
            try:
                server.run(sockets=[listener])
            finally:
                up.set()

    def stop(self) -> None:
        """Stop listening; what is being answered gets a second."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(_STOP_SECONDS)
            self._workers.shutdown(wait=False)
            self._server = self._thread = None

    async def _asgi(self, scope: Any, receive: Any, send: Any) -> None:
        request = StarletteRequest(scope, receive)
        try:
            body, cut = await _body(request, self._app.request_bytes)
        except ClientDisconnect:
            return
        message = Request(
            method=scope["method"],
            path=scope["raw_path"].partition(b"?")[0].decode("latin-1"),
            query=scope["query_string"].decode("latin-1"),
            headers=dict(request.headers.items()),
            body=body,
            cut=cut,
        )
        answer: Response = await asyncio.get_running_loop().run_in_executor(self._workers, self._app, message)
        response = StarletteResponse(answer.body, status_code=answer.status, headers=dict(answer.headers))
        await response(scope, receive, send)


class _Announcing(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


async def _body(request: StarletteRequest, limit: int) -> tuple[bytes, bool]:
    """The body, or nothing and that it was too long."""
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            chunks.append(chunk)
        if size > _DRAINED:
            break
    return (b"", True) if size > limit else (b"".join(chunks), False)

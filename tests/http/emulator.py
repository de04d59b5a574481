"""A process that plays Lambda's Runtime Interface Emulator around a handler: python emulator.py MODULE:HANDLER [PORT].

Its first line says on which port it listens. It takes one invocation at a time, as the emulator does. What is posted to
``/environment`` are variables of its environment, which have to be there before the handler is imported.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import threading
import time
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

INVOCATIONS = "/2015-03-31/functions/function/invocations"
_busy = threading.Lock()


class Context:
    """What the emulator makes of a request."""

    def __init__(self, headers: Any) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = "function"
        self._end = time.monotonic() + int(headers["Lambda-Runtime-Remaining-Ms"]) / 1000

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


class Emulator(BaseHTTPRequestHandler):
    """One request."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/environment":
            os.environ.update(body)
            self._answer(200, b"{}")
        elif self.path != INVOCATIONS:
            self._answer(404, b"404 page not found")
        elif not _busy.acquire(blocking=False):
            self._answer(400, b"")
        else:
            try:
                self._answer(*self._invoke(body))
            finally:
                _busy.release()

    def _invoke(self, event: Any) -> tuple[int, bytes]:
        module, _, attribute = sys.argv[1].partition(":")
        try:
            handler = getattr(importlib.import_module(module), attribute)
            return 200, json.dumps(handler(event, Context(self.headers))).encode()
        except Exception as error:  # noqa: BLE001 - whatever a handler raises is its outcome
            traceback.print_exc()
            told = {"errorMessage": str(error), "errorType": type(error).__name__, "stackTrace": ["here"]}
            return 200, json.dumps(told).encode()

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    with ThreadingHTTPServer(("127.0.0.1", int(sys.argv[2]) if sys.argv[2:] else 0), Emulator) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()

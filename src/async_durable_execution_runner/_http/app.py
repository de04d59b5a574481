"""The API over HTTP as a function: a request goes in, a response comes out. No socket, no thread, no clock."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from .._model.ids import derived_uuid
from .._wire.model import method_name
from .._wire.replies import Reply, error_reply, reply_to
from .._wire.requests import BodyError, read_params
from .._wire.routes import Match, find_route, methods_of
from .._wire.validation import check_input
from ..exceptions import ServiceError
from .messages import Request, Response

Perform = Callable[..., Mapping[str, Any]]
_log = logging.getLogger(__name__)


class App:
    """``operations``: what carries out each operation, by the name of boto3's method.

    ``request_bytes``: how long a body may be.
    """

    def __init__(self, operations: Mapping[str, Perform], request_bytes: int) -> None:
        self.request_bytes = request_bytes
        self._operations = operations
        self._numbers = itertools.count(1)

    def __call__(self, request: Request) -> Response:
        """Answer a request. Never raises: what goes wrong is an answer too."""
        try:
            reply = self._reply(request)
        except ServiceError as error:
            reply = error_reply(error.code, error.message, error.members)
        except Exception:  # noqa: BLE001 - a mistake of ours must reach the client as an answer, and us in the log
            _log.exception("%s %s", request.method, request.path)
            reply = error_reply("ServiceException", "The endpoint failed; its log says why.")
        request_id = derived_uuid("http", next(self._numbers))
        return Response(status=reply.status, headers={**reply.headers, "x-amzn-requestid": request_id}, body=reply.body)

    def _reply(self, request: Request) -> Reply:
        match = find_route(request.method, request.path)
        if match is None:
            return _no_route(request)
        perform = self._operations.get(method_name(match.operation))
        if perform is None:
            return error_reply("UnknownOperationException", _not_served(match.operation), status=404)
        if request.cut or len(request.body) > self.request_bytes:
            return error_reply("RequestTooLargeException", self._too_large(match.operation))
        try:
            params = _params(match, request)
        except BodyError as error:
            return error_reply("SerializationException", f"Could not parse request body into json: {error}")
        check_input(match.operation, params)
        return reply_to(match.operation, perform(**params))

    def _too_large(self, operation: str) -> str:
        return f"Request must be smaller than {self.request_bytes} bytes for the {operation} operation"


def _params(match: Match, request: Request) -> dict[str, Any]:
    query = parse_qsl(request.query, keep_blank_values=True)
    return read_params(match.operation, match.labels, query, request.headers, request.body)


def _no_route(request: Request) -> Reply:
    methods = methods_of(request.path)
    if not methods:
        message = f"The Lambda API has no operation at {request.method} {request.path}"
        return error_reply("UnknownOperationException", message, status=404)
    allowed = ", ".join(methods)
    message = f"{request.path} takes {allowed}, not {request.method}"
    reply = error_reply("UnknownOperationException", message, status=405)
    return Reply(status=reply.status, headers={**reply.headers, "allow": allowed}, body=reply.body)


def _not_served(operation: str) -> str:
    return f"This endpoint has no {operation}: it serves Invoke and operations of durable executions."

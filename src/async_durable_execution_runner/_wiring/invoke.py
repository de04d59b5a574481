"""``Invoke`` and the rest of the API, as code under test calls it on ``runner.client``."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

from .._drivers.aside import Elsewhere
from .._drivers.loop import DaemonExecutor
from .._engine.functions import DurableFunction, InvokeOutcome, PlainFunction, StubbedFunction
from .._engine.inputs import PlainCall
from .._model.enums import ExecutionStatus
from .._model.errors import ErrorObject
from .._model.ids import FunctionReference, derived_uuid
from .._wire.boto import LocalLambdaClient, body_of, payload_text
from .._wire.model import durable_operations, method_name
from ..exceptions import InvalidRequestContentException, ResourceNotFoundException, ServiceError
from .invoke_log import InvocationLog
from .local import Local
from .serialise import input_text

Start = Callable[..., str]
DriveToEnd = Callable[[str, float], None]
Operation = Callable[..., dict[str, Any]]
_SYNCHRONOUS_SECONDS = 900.0


class InvokeApi:
    """Builds the client of a runner. ``start`` and ``drive`` are the runner's own."""

    def __init__(self, local: Local, start: Start, drive: DriveToEnd, require_open: Callable[[], None]) -> None:
        self._local = local
        self._start = start
        self._drive = drive
        self._require_open = require_open
        self._calls = 0

    def client(self) -> LocalLambdaClient:
        """See ``DurableFunctionTestRunner.client``."""
        return LocalLambdaClient(self.operations(), self._local.functions.account.region)

    def operations(self) -> dict[str, Operation]:
        """What carries out each operation, by the name of boto3's method."""
        service = self._local.client
        # Those of the installed model: older ones cannot pause, resume or delete.
        named = {name: getattr(service, name, None) for name in map(method_name, durable_operations())}
        found = {name: self._waking(method) for name, method in named.items() if method is not None}
        return {**found, "invoke": self.invoke}

    def _waking(self, method: Operation) -> Operation:
        def call(**params: Any) -> dict[str, Any]:
            self._require_open()
            response = method(**params)
            self._local.driver.wake()
            return response

        return call

    def invoke(self, **params: Any) -> dict[str, Any]:
        """API Reference: Invoke. ``RequestResponse`` returns when the whole execution is over."""
        self._require_open()
        try:
            return self._invoke(params)
        except ServiceError as error:
            if hasattr(error, "response"):
                raise
            raise self._local.client.wire.client_error(error, "Invoke") from None

    def _invoke(self, params: dict[str, Any]) -> dict[str, Any]:
        name = params["FunctionName"]
        function = self._local.functions.find(name)
        if function is None:
            arn = self._local.functions.full_arn(name)
            raise ResourceNotFoundException(f"Function not found: {arn}")
        kind = params.get("InvocationType", "RequestResponse")
        if kind == "DryRun":
            return {"StatusCode": 204, "Payload": body_of(b"")}
        text = _json_text(params.get("Payload"))
        if isinstance(function, DurableFunction):
            return self._durable(name, kind, text, params)
        return self._plain(function, kind, text, params)

    def _durable(self, name: str, kind: str, text: str | None, params: dict[str, Any]) -> dict[str, Any]:
        reference = FunctionReference.parse(name)
        assert reference is not None
        arn = self._start(
            input_text(text),
            reference.name if self._local.functions.find(reference.name) else name,
            params.get("DurableExecutionName"),
            None,
            params.get("TenantId"),
            synchronous=kind == "RequestResponse",
        )
        response: dict[str, Any] = {"DurableExecutionArn": arn, "ExecutedVersion": "$LATEST"}
        if kind == "Event":
            return {**response, "StatusCode": 202, "Payload": body_of(b"")}
        log = self._log_for(params, arn)
        with log or contextlib.nullcontext():
            self._drive(arn, _SYNCHRONOUS_SECONDS)
        response |= _result_of(log)
        header = self._local.executor.get(arn).header
        if header.status is ExecutionStatus.SUCCEEDED:
            return {**response, "StatusCode": 200, "Payload": body_of((header.result or "").encode())}
        return {**response, **_function_error(header.error)}

    def _plain(
        self, function: PlainFunction | StubbedFunction, kind: str, text: str | None, params: dict[str, Any]
    ) -> dict[str, Any]:
        if kind == "Event" and isinstance(function, PlainFunction) and isinstance(function.handler, Elsewhere):
            DaemonExecutor().submit(self._called, text, params)  # nobody here waits for another process
            return {"StatusCode": 202, "Payload": body_of(b"")}
        log = self._log_for(params)
        with log or contextlib.nullcontext():
            outcome = function.outcome if isinstance(function, StubbedFunction) else self._called(text, params)
        if kind == "Event":
            return {"StatusCode": 202, "Payload": body_of(b"")}
        response = {"ExecutedVersion": "$LATEST", **_result_of(log)}
        if outcome.status != "SUCCEEDED":
            return {**response, **_function_error(outcome.error)}
        payload = body_of((outcome.result or "").encode())
        return {**response, "StatusCode": 200, "Payload": payload}

    def _log_for(self, params: dict[str, Any], execution_arn: str | None = None) -> InvocationLog | None:
        if params.get("LogType") != "Tail":
            return None
        return InvocationLog(self._local.executor, self._local.clock, execution_arn)

    def _called(self, text: str | None, params: dict[str, Any]) -> InvokeOutcome:
        name = params["FunctionName"]
        self._calls += 1
        call = PlainCall(
            execution_arn="",
            operation_id="",
            function_name=name,
            payload=text if text is not None else "{}",
            tenant_id=params.get("TenantId"),
            request_id=derived_uuid("invoke", name, self._calls),
        )
        return self._local.driver.plain.call_now(call)


def _result_of(log: InvocationLog | None) -> dict[str, Any]:
    return {"LogResult": log.tail()} if log is not None else {}


def _json_text(payload: Any) -> str | None:
    try:
        text = payload_text(payload)
        if text is not None:
            json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise _no_json("it is nested too deeply") from None
    except ValueError as error:
        raise _no_json(error) from None
    return text


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _no_json(reason: object) -> InvalidRequestContentException:
    return InvalidRequestContentException(f"Could not parse request body into json: {reason}")


def _function_error(error: ErrorObject | None) -> dict[str, Any]:
    error = error or ErrorObject()
    body: dict[str, Any] = {"errorMessage": error.message, "errorType": error.type}
    if error.stack_trace is not None:
        body["stackTrace"] = list(error.stack_trace)
    return {"StatusCode": 200, "FunctionError": "Unhandled", "Payload": body_of(json.dumps(body).encode())}

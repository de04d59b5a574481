"""The service as a client in the same process sees it: keyword arguments in, wire-shaped dicts out.

What belongs to the wire (shapes, errors, rendering) is handed in, so that nothing here knows botocore.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from .._checkpoint.processor import CheckpointAnswer
from .._model.errors import ErrorObject
from .._model.execution import ExecutionHeader, ExecutionRecord
from .._model.history import HistoryEvent
from .._model.ids import FunctionReference
from .._model.operation import Operation, OperationUpdate
from ..clock import Clock
from ..exceptions import InvalidParameterValueException, ServiceError
from ..stores.base import ExecutionQuery
from .callbacks import Answer, answer_callback, heartbeat
from .director import InvocationLost
from .executor import Executor
from .functions import version_of
from .paging import page_of
from .pausing import PauseRequest
from .scheduler import Scheduler

Params = Mapping[str, Any]
Checkpoint = Callable[[str, str, Sequence[OperationUpdate], str | None, int], CheckpointAnswer]


class Wire(Protocol):
    """How the border reads and writes."""

    def read_checkpoint(self, params: Params) -> list[OperationUpdate]:
        """The updates of a checkpoint. Raises ``ValidationException`` if it does not fit the API model."""

    def check(self, operation: str, params: Params) -> None:
        """Raise ``ValidationException`` if the parameters do not fit the API model."""

    def operation(self, operation: Operation, shift: int) -> dict[str, Any]:
        """An operation in wire shape. Deadlines are moved by ``shift`` milliseconds."""

    def event(self, event: HistoryEvent, include_data: bool = True) -> dict[str, Any]:
        """An event in wire shape."""

    def execution(self, header: ExecutionHeader) -> dict[str, Any]:
        """An execution as GetDurableExecution tells it."""

    def summary(self, header: ExecutionHeader) -> dict[str, Any]:
        """An execution as ListDurableExecutionsByFunction tells it."""

    def error(self, error: Mapping[str, Any] | None) -> ErrorObject:
        """Read an error object."""

    def instant(self, millis: int) -> Any:
        """An instant as clients get it."""

    def millis(self, instant: Any) -> int:
        """An instant as clients send it."""

    def client_error(self, error: ServiceError, operation: str) -> Exception:
        """The exception a real client would raise."""


class Pace(Protocol):
    """How far the clock may go while a handler runs."""

    def reachable(self) -> int | None:
        """The latest instant an empty checkpoint may bring, or ``None`` for no bound."""

    def shift(self) -> int:
        """Milliseconds from the runner's clock to the clock that the handler's SDK looks at."""

    def lose(self) -> None:
        """The invocation that runs is dead: nothing more of it may run."""


class Unhurried:
    """For clients that are no running handler: no bound, one clock."""

    def reachable(self) -> int | None:
        """See ``Pace.reachable``."""
        return None

    def shift(self) -> int:
        """See ``Pace.shift``."""
        return 0

    def lose(self) -> None:
        """See ``Pace.lose``. There is none."""


class InMemoryServiceClient:
    """Durable operations of the Lambda API on an engine in this process.

    Every method takes the API's members as keyword arguments, returns the response as a dict and raises what the
    handed-in wire makes of a service error. Safe to call from any thread.
    """

    def __init__(
        self,
        executor: Executor,
        scheduler: Scheduler,
        clock: Clock,
        wire: Wire,
        lock: threading.RLock,
        pace: Pace,
    ) -> None:
        self.executor = executor
        self.wire = wire
        self.pace = pace
        self.scheduler = scheduler
        self.checkpoint: Checkpoint = executor.checkpoint
        """What a checkpoint does, in words of the model: the executor's, or that of somebody who stands before it."""
        self._clock = clock
        self._lock = lock

    # ------------------------------------------------------------------------------- what a running handler uses

    def checkpoint_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: CheckpointDurableExecution."""
        try:
            wire = self.wire
            parsed = wire.read_checkpoint(params)
            arn = params["DurableExecutionArn"]
            with self._lock:
                if not parsed and self.executor.may_checkpoint(arn, params["CheckpointToken"]):
                    self.scheduler.pass_time(self.pace.reachable())
                self.scheduler.fire_due()
                now = self._clock.now_millis()
                answer = self.checkpoint(arn, params["CheckpointToken"], parsed, params.get("ClientToken"), now)
        except ServiceError as error:
            raise self.wire.client_error(error, "CheckpointDurableExecution") from None
        except InvocationLost:
            self.pace.lose()
            raise
        shift = self.pace.shift()
        state: dict[str, Any] = {"Operations": [wire.operation(each, shift) for each in answer.operations]}
        if answer.next_marker is not None:
            state["NextMarker"] = answer.next_marker
        if answer.token is None:
            return {"NewExecutionState": state}
        return {"CheckpointToken": answer.token, "NewExecutionState": state}

    def get_durable_execution_state(self, **params: Any) -> dict[str, Any]:
        """API Reference: GetDurableExecutionState."""
        with self._service("GetDurableExecutionState", params):
            page = self.executor.state(
                params["DurableExecutionArn"],
                params["CheckpointToken"],
                params.get("Marker"),
                params.get("MaxItems") or 0,
            )
            shift = self.pace.shift()
            response: dict[str, Any] = {"Operations": [self.wire.operation(each, shift) for each in page.operations]}
            if page.next_marker is not None:
                response["NextMarker"] = page.next_marker
            return response

    # ------------------------------------------------------------------------------------- what the world uses

    def send_durable_execution_callback_success(self, **params: Any) -> dict[str, Any]:
        """API Reference: SendDurableExecutionCallbackSuccess."""
        with self._service("SendDurableExecutionCallbackSuccess", params):
            payload: Any = params.get("Result")
            if hasattr(payload, "read"):
                payload = payload.read()
            text = _text(payload) if isinstance(payload, bytes | bytearray) else payload
            answer_callback(self.executor, params["CallbackId"], Answer(result=text or None), self._now())
            return {}

    def send_durable_execution_callback_failure(self, **params: Any) -> dict[str, Any]:
        """API Reference: SendDurableExecutionCallbackFailure."""
        with self._service("SendDurableExecutionCallbackFailure", params):
            error = self.wire.error(params.get("Error"))
            answer_callback(self.executor, params["CallbackId"], Answer(error=error), self._now())
            return {}

    def send_durable_execution_callback_heartbeat(self, **params: Any) -> dict[str, Any]:
        """API Reference: SendDurableExecutionCallbackHeartbeat."""
        with self._service("SendDurableExecutionCallbackHeartbeat", params):
            heartbeat(self.executor, params["CallbackId"], self._now())
            return {}

    def stop_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: StopDurableExecution."""
        with self._service("StopDurableExecution", params):
            given = params.get("Error")
            error = self.wire.error(given) if given is not None else None
            stopped = self.executor.stop(params["DurableExecutionArn"], error, self._now())
            return {"StopTimestamp": self.wire.instant(stopped)}

    def pause_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: PauseDurableExecution."""
        with self._service("PauseDurableExecution", params):
            request = PauseRequest(
                reason=params.get("Reason"),
                client_token=params.get("ClientToken"),
                timeout_paused=params.get("ExecutionTimeoutPaused") is not False,
            )
            self.executor.pausing.pause(params["DurableExecutionArn"], request, self._now())
            return {}

    def resume_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: ResumeDurableExecution."""
        with self._service("ResumeDurableExecution", params):
            request = PauseRequest(reason=params.get("Reason"), client_token=params.get("ClientToken"))
            self.executor.pausing.resume(params["DurableExecutionArn"], request, self._now())
            return {}

    def delete_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: DeleteDurableExecution."""
        with self._service("DeleteDurableExecution", params):
            self.executor.delete(params["DurableExecutionArn"])
            return {"DeletionRequestTimestamp": self.wire.instant(self._now())}

    def get_durable_execution(self, **params: Any) -> dict[str, Any]:
        """API Reference: GetDurableExecution."""
        with self._service("GetDurableExecution", params):
            return self.wire.execution(self._record(params).header)

    def get_durable_execution_history(self, **params: Any) -> dict[str, Any]:
        """API Reference: GetDurableExecutionHistory."""
        with self._service("GetDurableExecutionHistory", params):
            events: Sequence[HistoryEvent] = self._record(params).events
            if params.get("ReverseOrder"):
                events = events[::-1]
            page, marker = page_of(events, params.get("Marker"), params.get("MaxItems"))
            include = params.get("IncludeExecutionData") is not False
            response: dict[str, Any] = {"Events": [self.wire.event(event, include) for event in page]}
            return response | ({"NextMarker": marker} if marker else {})

    def list_durable_executions_by_function(self, **params: Any) -> dict[str, Any]:
        """API Reference: ListDurableExecutionsByFunction."""
        with self._service("ListDurableExecutionsByFunction", params):
            headers: Sequence[ExecutionHeader] = self.executor.store.list(self._query(params))
            reference = FunctionReference.parse(params["FunctionName"])
            qualifier = params.get("Qualifier") or (reference.qualifier if reference else None)
            if qualifier is not None:
                mark = f":{version_of(qualifier)}/durable-execution/"
                headers = [header for header in headers if mark in header.arn]
            page, marker = page_of(headers, params.get("Marker"), params.get("MaxItems"))
            response: dict[str, Any] = {"DurableExecutions": [self.wire.summary(header) for header in page]}
            return response | ({"NextMarker": marker} if marker else {})

    def _query(self, params: Params) -> ExecutionQuery:
        return ExecutionQuery(
            function_arn=self.executor.functions.full_arn(params["FunctionName"]),
            name=params.get("DurableExecutionName"),
            statuses=frozenset(params.get("Statuses") or ()),
            started_after=self._millis(params.get("StartedAfter")),
            started_before=self._millis(params.get("StartedBefore")),
            reverse=bool(params.get("ReverseOrder")),
        )

    def _millis(self, instant: Any) -> int | None:
        return None if instant is None else self.wire.millis(instant)

    def _record(self, params: Params) -> ExecutionRecord:
        arn = params["DurableExecutionArn"]
        return self.executor.record(arn) or self.executor.get(arn).snapshot()

    def _now(self) -> int:
        return self._clock.now_millis()

    def _service(self, operation: str, params: Params) -> _Serving:
        return _Serving(self, operation, params, self._lock)


class _Serving:
    """One request: checked, under the lock, after every deadline that came before it, its errors in the wire's form."""

    __slots__ = ("_client", "_lock", "_operation", "_params")

    def __init__(self, client: InMemoryServiceClient, operation: str, params: Params, lock: threading.RLock) -> None:
        self._client, self._operation, self._params, self._lock = client, operation, params, lock

    def __enter__(self) -> None:
        try:
            self._client.wire.check(self._operation, self._params)
        except ServiceError as error:
            raise self._client.wire.client_error(error, self._operation) from None
        self._lock.acquire()
        try:
            self._client.scheduler.fire_due()
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        self._lock.release()
        if isinstance(error, ServiceError):
            raise self._client.wire.client_error(error, self._operation) from None


def _text(payload: bytes | bytearray) -> str:
    try:
        return payload.decode()
    except UnicodeDecodeError:
        raise InvalidParameterValueException("The Result of a callback must be text in UTF-8.") from None

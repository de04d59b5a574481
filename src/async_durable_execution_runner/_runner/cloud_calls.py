"""The service behind a cloud runner: calls that are patient when throttled, and errors in words."""

from __future__ import annotations

from typing import Any

from .._drivers.polling import Patience, retried
from .._model.execution import ExecutionRecord
from .._wire.history_reader import read_record
from .._wire.model import method_name
from .._wire.remote import is_throttled, translated
from ..exceptions import ExecutionNotFoundError, HandlerError, ResourceNotFoundException, TooManyRequestsException

_PAGE = 1000


class CloudCalls:
    """Calls of a Lambda client. ``endpoint`` is for messages; ``None`` is the service's own."""

    def __init__(self, client: Any, endpoint: str | None) -> None:
        self.client = client
        self._endpoint = endpoint

    def call(self, operation: str, patience: Patience, **params: Any) -> dict[str, Any]:
        """Carry out an operation by its name in the API.

        Raises the service's errors as the runner's classes, and ``CloudAccessError``.
        """
        __tracebackhide__ = True
        method = getattr(self.client, method_name(operation))
        try:
            answer = retried(lambda: method(**params), is_throttled, patience)
        except Exception as error:
            known = translated(error, operation, self._endpoint)
            if isinstance(known, TooManyRequestsException):
                known.add_note(f"{operation} was throttled for {patience.seconds:g} s.")
            if known is error:
                raise
            raise known from error
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}

    def start(self, patience: Patience, **params: Any) -> str:
        """Invoke a function without waiting for it: the ARN of its execution.

        Raises ``HandlerError`` for a function that is not durable.
        """
        __tracebackhide__ = True
        name = params["FunctionName"]
        try:
            answer = self.call("Invoke", patience, InvocationType="Event", **params)
        except ResourceNotFoundException as error:
            error.add_note(f"The function is {name!r} in {self._region()}. Is it deployed there, under that name?")
            raise
        arn = answer.get("DurableExecutionArn")
        if arn is None:
            raise HandlerError(
                f"The function {name!r} has been invoked, but it is not durable: the answer has no "
                "DurableExecutionArn. Deploy it with a DurableConfig."
            )
        return str(arn)

    def execution(self, arn: str, patience: Patience) -> dict[str, Any]:
        """API Reference: GetDurableExecution. Raises ``ExecutionNotFoundError``."""
        __tracebackhide__ = True
        try:
            return self.call("GetDurableExecution", patience, DurableExecutionArn=arn)
        except ResourceNotFoundException as error:
            raise ExecutionNotFoundError(f"There is no execution {arn!r} in {self._region()}.") from error

    def history(self, arn: str, patience: Patience, *, with_data: bool = True) -> list[dict[str, Any]]:
        """All events so far, page by page. Raises ``ExecutionNotFoundError``."""
        __tracebackhide__ = True
        params: dict[str, Any] = {"DurableExecutionArn": arn, "IncludeExecutionData": with_data, "MaxItems": _PAGE}
        events: list[dict[str, Any]] = []
        while True:
            try:
                page = self.call("GetDurableExecutionHistory", patience, **params)
            except ResourceNotFoundException as error:
                raise ExecutionNotFoundError(f"There is no execution {arn!r} in {self._region()}.") from error
            events += page["Events"]
            if not page.get("NextMarker"):
                return events
            params["Marker"] = page["NextMarker"]

    def record(self, arn: str, patience: Patience) -> ExecutionRecord:
        """Everything there is to know of an execution. Raises ``ExecutionNotFoundError``."""
        __tracebackhide__ = True
        execution = self.execution(arn, patience)
        return read_record(execution, self.history(arn, patience))

    def _region(self) -> str:
        return str(getattr(getattr(self.client, "meta", None), "region_name", "this region"))

"""Every exception that can reach a user of the runner.

Two families. *Service errors* are what the Lambda API answers; they carry the exception name of the API model as
``code`` and become a ``botocore.exceptions.ClientError`` before an SDK or a boto3-shaped client sees them.
*Runner errors* are about the test itself: something it asked for cannot happen, does not exist, or never ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = [
    "CallbackTimeoutException",
    "CloudAccessError",
    "CrashMatrixError",
    "DurableExecutionAlreadyStartedException",
    "DurableRunnerError",
    "ExecutionFailedError",
    "ExecutionNotFoundError",
    "ExecutionStuckError",
    "ExecutionTimeoutError",
    "FaultNotReachedError",
    "HandlerError",
    "HistoryReadError",
    "InputSerializationError",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "NonDeterministicExecutionError",
    "OperationLookupError",
    "RecursiveInvocationException",
    "RequestTooLargeException",
    "ResourceConflictException",
    "ResourceNotFoundException",
    "RunnerBusyError",
    "RunnerClosedError",
    "SdkNotInstalledError",
    "ServiceError",
    "ServiceException",
    "StoreError",
    "TooManyRequestsException",
    "UnawaitedOperationWarning",
    "UnsupportedInCloudError",
    "UnusedResponderError",
    "ValidationException",
]


class DurableRunnerError(Exception):
    """Base of everything this package raises on its own account."""


# ----------------------------------------------------------------------------------------------- service errors


class ServiceError(DurableRunnerError):
    """An error the Lambda API would answer with.

    ``code`` is the exception's name in the API model; status code and body shape follow from the model.
    """

    def __init__(self, message: str, **members: Any) -> None:
        super().__init__(message)
        self.message = message
        self.members: Mapping[str, Any] = members

    @property
    def code(self) -> str:
        """Name of the exception in the API model."""
        return type(self).__name__


class InvalidParameterValueException(ServiceError):
    """A parameter's value is not allowed, or a checkpoint token is stale."""


class ValidationException(ServiceError):
    """A request that does not have the shape the API model demands."""


class ResourceNotFoundException(ServiceError):
    """No such execution, function or callback."""


class ResourceConflictException(ServiceError):
    """The resource is not in a state that allows the request."""


class CallbackTimeoutException(ServiceError):
    """The callback is no longer open: answered, timed out, or its execution is over."""


class DurableExecutionAlreadyStartedException(ServiceError):
    """The execution name is taken by an execution with another payload."""


class InvalidRequestContentException(ServiceError):
    """The request body is not valid JSON."""


class RequestTooLargeException(ServiceError):
    """The request's payload is larger than the service takes."""


class RecursiveInvocationException(ServiceError):
    """A chain of invocations is longer than the service allows."""


class TooManyRequestsException(ServiceError):
    """The request was throttled."""


class ServiceException(ServiceError):
    """The service itself failed."""


# ------------------------------------------------------------------------------------------------ runner errors


class RunnerClosedError(DurableRunnerError):
    """The runner was used after ``close()`` or after its ``with`` block."""


class RunnerBusyError(DurableRunnerError):
    """A second thread, or the handler itself, tried to drive a runner that is at work."""


class HandlerError(DurableRunnerError, TypeError):
    """The handler is not something the runner can run as a durable function."""


class SdkNotInstalledError(DurableRunnerError, ImportError):
    """The SDK a handler needs cannot be imported."""


class InputSerializationError(DurableRunnerError, TypeError):
    """The input, a callback result or a stubbed result cannot be written as JSON."""


class ExecutionNotFoundError(DurableRunnerError, LookupError):
    """This runner knows no execution of that ARN."""


class OperationLookupError(DurableRunnerError, LookupError):
    """A result has no such operation, or the name fits several."""


class ExecutionFailedError(DurableRunnerError, AssertionError):
    """``ensure_succeeded()`` on a result that did not succeed."""


class ExecutionStuckError(DurableRunnerError):
    """Nothing can ever happen again: no deadline is pending and nothing will answer."""


class ExecutionTimeoutError(DurableRunnerError, TimeoutError):
    """The real-time guard of a call ran out."""


class NonDeterministicExecutionError(DurableRunnerError):
    """A replay asked for other operations than the history holds."""


class HistoryReadError(DurableRunnerError, ValueError):
    """A recorded history cannot be replayed: it is no history, or parts of it are missing."""


class UnusedResponderError(DurableRunnerError, AssertionError):
    """An answer was scripted with ``on_callback`` and no callback ever asked for it."""


class UnsupportedInCloudError(DurableRunnerError):
    """The method needs control over time or the service, which a deployed function does not give."""


class CrashMatrixError(DurableRunnerError, AssertionError):
    """A run that was killed somewhere ended differently from the clean one."""


class FaultNotReachedError(DurableRunnerError, AssertionError):
    """A fault was planned for a place that the run never came to."""


class CloudAccessError(DurableRunnerError, ConnectionError):
    """The cloud cannot be reached, or does not let the caller in: endpoint, credentials or permissions."""


class StoreError(DurableRunnerError):
    """A store cannot be opened, read or written."""


class UnawaitedOperationWarning(UserWarning):
    """A handler returned while an operation it had created was still unfinished and nobody awaited it."""

"""Service errors as clients get them: ``ClientError``, with code, status and members by the API model."""

from __future__ import annotations

import functools
from typing import Any

import botocore.exceptions

from .._model.ids import derived_uuid
from ..exceptions import ServiceError
from .model import error_shape


def client_error(error: ServiceError, operation: str) -> Exception:
    """The exception that a real client would raise for ``error``.

    It is an instance of the runner's own class as well, so either can be caught.
    """
    kind: Any = type(error)
    exception: Exception = _class_of(kind)(_response(error), operation)
    exception.message = error.message  # type: ignore[attr-defined]
    exception.members = error.members  # type: ignore[attr-defined]
    return exception


def status_code(code: str) -> int:
    """HTTP status of an exception."""
    shape = error_shape(code)
    return shape.metadata.get("error", {}).get("httpStatusCode", 400) if shape is not None else 400


@functools.cache
def _class_of(kind: Any) -> type[Exception]:
    def initialise(self: Any, response: dict[str, Any], operation: str) -> None:
        botocore.exceptions.ClientError.__init__(self, response, operation)

    namespace = {"__init__": initialise, "__module__": kind.__module__, "__doc__": kind.__doc__}
    return type(kind.__name__, (botocore.exceptions.ClientError, kind), namespace)


def _response(error: ServiceError) -> dict[str, Any]:
    shape = error_shape(error.code)
    status = status_code(error.code)
    members = shape.members if shape is not None else {}
    body = {name: error.message for name in members if name.lower() == "message"}
    if "Type" in members:
        body["Type"] = "User" if status < 500 else "Service"
    return {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": {
            "RequestId": derived_uuid("error", error.code, error.message),
            "HTTPStatusCode": status,
            "HTTPHeaders": {"x-amzn-errortype": error.code},
            "RetryAttempts": 0,
        },
        **body,
        **error.members,
    }

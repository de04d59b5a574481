"""An object that looks like ``boto3.client("lambda")`` and talks to an engine in this process."""

from __future__ import annotations

import functools
import io
import types
from collections.abc import Callable, Mapping
from typing import Any

import botocore
import botocore.exceptions
import botocore.loaders
import botocore.paginate
import botocore.response
import botocore.validate

from .. import exceptions
from .._model.ids import derived_uuid
from .model import durable_operations, operation_model

Perform = Callable[..., Mapping[str, Any]]


class ClientExceptions:
    """``client.exceptions``: the API's errors by name, and ``ClientError``."""

    ClientError = botocore.exceptions.ClientError

    def __getattr__(self, name: str) -> type[exceptions.ServiceError]:
        found = getattr(exceptions, name, None)
        if isinstance(found, type) and issubclass(found, exceptions.ServiceError):
            return found
        known = sorted(each.__name__ for each in exceptions.ServiceError.__subclasses__())
        raise AttributeError(f"the in-process client has no exception {name!r}; valid: ClientError, {', '.join(known)}")


class LocalLambdaClient:
    """``invoke`` and every durable operation of the installed API model.

    Parameters are validated as boto3 validates them (``ParamValidationError``); errors of the service are raised as
    ``ClientError``, and ``client.exceptions`` has their classes.
    """

    def __init__(self, perform: Mapping[str, Perform], region: str) -> None:
        self._perform = perform
        self._requests = 0
        self.region = region
        self.meta = types.SimpleNamespace(region_name=region)
        self.exceptions = ClientExceptions()
        for name in ("Invoke", *durable_operations()):
            method = botocore.xform_name(name)
            if method in perform:
                setattr(self, method, functools.partial(self._call, name, method))

    def get_paginator(self, operation_name: str) -> Any:
        """A paginator, as boto3's client gives it. Raises ``OperationNotPageableError``."""
        config = _pagination().get(_camel(operation_name))
        if config is None:
            raise botocore.exceptions.OperationNotPageableError(operation_name=operation_name)
        method = getattr(self, operation_name)
        return botocore.paginate.Paginator(method, config, operation_model(_camel(operation_name)))

    def can_paginate(self, operation_name: str) -> bool:
        """Whether ``get_paginator`` would give one."""
        return _camel(operation_name) in _pagination()

    def close(self) -> None:
        """Nothing is held open."""

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(
            f"the in-process client has {', '.join(sorted(self._perform))}; "
            f"not {name!r}, which is no durable operation that the installed botocore {botocore.__version__} knows"
        )

    def _call(self, operation: str, method: str, *args: Any, **params: Any) -> dict[str, Any]:
        if args:
            raise TypeError(f"{method}() only accepts keyword arguments.")
        shape = operation_model(operation).input_shape
        report = botocore.validate.ParamValidator().validate(params, shape)
        if report.has_errors():
            raise botocore.exceptions.ParamValidationError(report=report.generate_report())
        self._requests += 1
        metadata = {
            "RequestId": derived_uuid("client", self._requests),
            "HTTPStatusCode": operation_model(operation).http.get("responseCode", 200),
            "HTTPHeaders": {},
            "RetryAttempts": 0,
        }
        return {"ResponseMetadata": metadata, **self._perform[method](**params)}


def body_of(payload: bytes) -> botocore.response.StreamingBody:
    """A payload as ``invoke`` gives it."""
    return botocore.response.StreamingBody(io.BytesIO(payload), len(payload))


def payload_text(payload: Any) -> str | None:
    """A payload as ``invoke`` takes it: bytes, text or a file. ``None`` for none or an empty one."""
    if hasattr(payload, "read"):
        payload = payload.read()
    text = payload.decode() if isinstance(payload, bytes | bytearray) else payload
    return text or None


@functools.cache
def _pagination() -> dict[str, Any]:
    document = botocore.loaders.Loader().load_service_model("lambda", "paginators-1")
    found: dict[str, Any] = document["pagination"]
    return found


def _camel(method: str) -> str:
    for name in ("Invoke", *durable_operations()):
        if botocore.xform_name(name) == method:
            return name
    return method

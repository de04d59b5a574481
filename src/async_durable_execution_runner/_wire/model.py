"""The installed API model of Lambda. Nothing about shapes, limits or routes is typed by hand: it is asked for here."""

from __future__ import annotations

import functools
from typing import Any

import botocore
import botocore.loaders
import botocore.model


@functools.cache
def service_model() -> botocore.model.ServiceModel:
    """The model of the Lambda API that botocore ships."""
    document = botocore.loaders.Loader().load_service_model("lambda", "service-2")
    return botocore.model.ServiceModel(document, "lambda")


@functools.cache
def operation_model(name: str) -> botocore.model.OperationModel:
    """The model of one operation."""
    return service_model().operation_model(name)


@functools.cache
def error_shape(code: str) -> botocore.model.StructureShape | None:
    """The shape of an exception, or ``None`` for one that the model does not have (``ValidationException``)."""
    model = service_model()
    return model.shape_for(code) if code in model.shape_names else None


def durable_operations() -> list[str]:
    """Names of all durable operations the installed model knows."""
    return [name for name in service_model().operation_names if "Durable" in name]


def raw_traits(shape: botocore.model.Shape) -> dict[str, Any]:
    """A shape's traits as the model document has them, those that botocore does not interpret among them."""
    traits: dict[str, Any] = shape._shape_model  # noqa: SLF001 - botocore offers no public way to read `pattern`
    return traits


@functools.cache
def method_name(operation: str) -> str:
    """What boto3 calls an operation's method."""
    name: str = botocore.xform_name(operation)
    return name

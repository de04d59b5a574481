"""The real service: its client, and what its errors mean."""

from __future__ import annotations

import functools
import re
from typing import Any, cast

import botocore.exceptions

from .. import exceptions
from ..exceptions import CloudAccessError, ServiceError
from .clients import lambda_client

_THROTTLING = re.compile("TooManyRequests|Throttl|RequestLimitExceeded|SlowDown")
_EXPIRED = re.compile("Expired")
_UNKNOWN_CREDENTIALS = frozenset(
    {
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_NO_CREDENTIALS = ("Credential", "Token", "SSO", "Login", "Profile", "AssumeRole")
"""What names of botocore's exceptions about credentials have in them."""


def make_client(region: str, endpoint: str | None) -> Any:
    """See ``lambda_client``. Raises ``CloudAccessError`` for an endpoint that is none, or an unknown profile."""
    try:
        return lambda_client(endpoint, region)
    except (botocore.exceptions.BotoCoreError, ValueError) as error:
        raise access_error(error, endpoint, "a client") from error


def is_throttled(error: Exception) -> bool:
    """Whether the service only asks for patience."""
    code, status = _code(error), _status(error)
    return status == 429 or bool(_THROTTLING.search(code))


def translated(error: Exception, operation: str, endpoint: str | None) -> Exception:
    """The exception to raise for what boto3 raised: in words, or as the runner's own class of that name.

    A service error stays an instance of what the client raised, so ``except client.exceptions.…`` works too.
    """
    if not isinstance(error, botocore.exceptions.ClientError):
        is_access = isinstance(error, botocore.exceptions.BotoCoreError) and not _is_callers(error)
        return access_error(error, endpoint, operation) if is_access else error
    code = _code(error)
    if _EXPIRED.search(code) or code in _UNKNOWN_CREDENTIALS | _DENIED:
        return access_error(error, endpoint, operation)
    kind = getattr(exceptions, code, None)
    is_known = isinstance(kind, type) and issubclass(kind, ServiceError) and not isinstance(error, ServiceError)
    return _as_ours(error, kind, operation) if is_known else cast("Exception", error)


def access_error(error: Exception, endpoint: str | None, operation: str) -> CloudAccessError:
    """Why the cloud cannot be used, and what to do about it."""
    told = str(error).rstrip(".")
    return CloudAccessError(f"{_reason(error, endpoint, operation)} ({type(error).__name__}: {told})")


def _reason(error: Exception, endpoint: str | None, operation: str) -> str:
    code, name = _code(error), type(error).__name__
    if _EXPIRED.search(code) or "Unauthorized" in name:
        return "The AWS credentials have expired: log in again, for example with 'aws sso login'."
    if code in _UNKNOWN_CREDENTIALS:
        return "AWS does not know these credentials: check account, profile and region."
    if code in _DENIED:
        return f"The AWS credentials do not allow lambda:{operation}: add it to the policy of the user or role."
    if any(part in name for part in _NO_CREDENTIALS):
        return (
            "There are no usable AWS credentials: log in, or set AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
            "AWS_SECRET_ACCESS_KEY."
        )
    where = f"the endpoint {endpoint}" if endpoint else "the endpoint of Lambda"
    return f"{operation} cannot reach {where}: check the address (lambda_endpoint, LAMBDA_ENDPOINT) and the network."


def _is_callers(error: Exception) -> bool:
    """Whether the request itself was wrong, which says enough as it is."""
    return isinstance(error, botocore.exceptions.ParamValidationError | botocore.exceptions.ValidationError)


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _status(error: Exception) -> int:
    response = getattr(error, "response", None)
    metadata = response.get("ResponseMetadata", {}) if isinstance(response, dict) else {}
    return int(metadata.get("HTTPStatusCode", 0))


def _as_ours(error: Any, kind: Any, operation: str) -> Exception:
    theirs: Any = type(error)
    exception: Exception = _both(theirs, kind)(error.response, operation)
    details = error.response.get("Error", {})
    exception.message = details.get("Message", "")  # type: ignore[attr-defined]
    exception.members = {}  # type: ignore[attr-defined]
    return exception


@functools.cache
def _both(theirs: Any, ours: Any) -> Any:
    def initialise(self: Any, response: dict[str, Any], operation: str) -> None:
        botocore.exceptions.ClientError.__init__(self, response, operation)

    namespace = {"__init__": initialise, "__module__": ours.__module__, "__doc__": ours.__doc__}
    return type(ours.__name__, (theirs, ours), namespace)

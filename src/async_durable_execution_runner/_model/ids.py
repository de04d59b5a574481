"""Names and ids of the service, derived and never random: the same run gives the same bytes everywhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from dataclasses import dataclass

_ARN = re.compile(
    r"arn:(?P<partition>[a-zA-Z0-9-]+):lambda:(?P<region>[a-zA-Z0-9-]+):(?P<account>\d{12})"
    r":function:(?P<function>[a-zA-Z0-9_-]+):(?P<version>\$LATEST(?:\.PUBLISHED)?|[0-9]+)"
    r"/durable-execution/(?P<name>[a-zA-Z0-9_-]+)/(?P<id>[a-zA-Z0-9_-]+)"
)
_FUNCTION = re.compile(
    r"(?:arn:(?P<partition>aws[a-zA-Z-]*):lambda:)?(?:(?P<region>[a-z]{2}(?:-[a-z]+)+-\d):)?(?:(?P<account>\d{12}):)?"
    r"(?:function:)?(?P<name>[a-zA-Z0-9_.-]+)(?::(?P<qualifier>\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?"
)


def derived_uuid(*parts: object) -> str:
    """An id in the form of a UUID that depends on ``parts`` alone."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionArn:
    """The parts of a durable execution's ARN."""

    region: str
    account_id: str
    function_name: str
    name: str
    id: str
    version: str = "$LATEST"
    partition: str = "aws"

    def __str__(self) -> str:
        return f"{self.function_arn}:{self.version}/durable-execution/{self.name}/{self.id}"

    @property
    def function_arn(self) -> str:
        """The unqualified function ARN."""
        return f"arn:{self.partition}:lambda:{self.region}:{self.account_id}:function:{self.function_name}"

    @classmethod
    def parse(cls, text: str) -> ExecutionArn | None:
        """The parts of ``text``, or ``None`` if it is no durable execution's ARN."""
        found = _ARN.fullmatch(text)
        if found is None:
            return None
        return cls(
            partition=found["partition"],
            region=found["region"],
            account_id=found["account"],
            function_name=found["function"],
            version=found["version"],
            name=found["name"],
            id=found["id"],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionReference:
    """What a caller named: a function by name, ARN or partial ARN, qualified or not."""

    name: str
    qualifier: str | None = None
    region: str | None = None
    account_id: str | None = None

    @classmethod
    def parse(cls, text: str) -> FunctionReference | None:
        """The parts of ``text``, or ``None`` if it names no function."""
        found = _FUNCTION.fullmatch(text)
        if found is None:
            return None
        return cls(
            name=found["name"],
            qualifier=found["qualifier"],
            region=found["region"],
            account_id=found["account"],
        )


def partition_of(region: str) -> str:
    """The AWS partition a region belongs to."""
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"


def checkpoint_token(execution_id: str, invocation: int, sequence: int) -> str:
    """The single-use token of one checkpoint of one invocation."""
    return binascii.b2a_base64(f"{execution_id}:{invocation}:{sequence}".encode(), newline=False).decode()


@dataclass(frozen=True, slots=True)
class TokenParts:
    """What a checkpoint token says."""

    execution_id: str
    invocation: int
    sequence: int


def read_checkpoint_token(token: str) -> TokenParts | None:
    """The parts of a token of ours, or ``None`` for anything else."""
    try:
        execution_id, invocation, sequence = base64.b64decode(token, validate=True).decode().rsplit(":", 2)
        return TokenParts(execution_id, int(invocation), int(sequence))
    except (binascii.Error, ValueError):
        return None


def callback_id(execution_arn: str, operation_id: str) -> str:
    """The id under which the world answers a callback. It finds its way back without a table."""
    return base64.b64encode(json.dumps([execution_arn, operation_id], separators=(",", ":")).encode()).decode()


def read_callback_id(text: str) -> tuple[str, str] | None:
    """Execution ARN and operation id of a callback id of ours, or ``None`` for anything else."""
    try:
        arn, operation_id = json.loads(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError, TypeError):
        return None
    return (arn, operation_id) if isinstance(arn, str) and isinstance(operation_id, str) else None

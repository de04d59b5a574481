"""The functions that executions can be started on and chained invokes can reach."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .._checkpoint.chained_invoke import Target
from .._model.errors import ErrorObject
from .._model.execution import Execution
from .._model.ids import ExecutionArn, FunctionReference, derived_uuid, partition_of
from .._model.limits import ServiceLimits
from .._model.operation import OperationUpdate


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableFunction:
    """A durable function: runs as an execution of its own. ``execution_timeout`` in seconds."""

    handler: Any
    execution_timeout: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainFunction:
    """An ordinary function: one call, one answer."""

    handler: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class StubbedFunction:
    """No function at all, but its answer, ``after`` milliseconds on the clock."""

    outcome: InvokeOutcome
    after: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class InvokeOutcome:
    """How a chained invoke ends: ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT`` or ``STOPPED``."""

    status: str
    result: str | None = None
    error: ErrorObject | None = None


Function = DurableFunction | PlainFunction | StubbedFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Where all functions of a runner live."""

    region: str
    account_id: str

    def function_arn(self, name: str, account_id: str | None = None) -> str:
        """The unqualified ARN of a function."""
        return f"arn:{partition_of(self.region)}:lambda:{self.region}:{account_id or self.account_id}:function:{name}"

    def execution_arn(
        self, function_name: str, name: str, seed: str, account_id: str | None = None, version: str = "$LATEST"
    ) -> ExecutionArn:
        """The ARN of an execution; ``seed`` tells executions of one name apart."""
        return ExecutionArn(
            partition=partition_of(self.region),
            region=self.region,
            account_id=account_id or self.account_id,
            function_name=function_name,
            version=version,
            name=name,
            id=derived_uuid(self.function_arn(function_name, account_id), name, seed),
        )


def version_of(qualifier: str | None) -> str:
    """The version behind a qualifier. There is one version of the code here, so every alias stands for the latest."""
    return qualifier if qualifier is not None and qualifier.isdecimal() else "$LATEST"


class FunctionRegistry:
    """Functions by name.

    A call by ARN, partial ARN or qualified name finds the bare name, unless that exact form is registered itself.
    """

    def __init__(self, account: Account, limits: ServiceLimits) -> None:
        self.account = account
        self._limits = limits
        self._functions: dict[str, Function] = {}

    def register(self, name: str, function: Function) -> None:
        """Make a function known; a later registration replaces an earlier one."""
        reference = FunctionReference.parse(name)
        if reference is None:
            raise ValueError(f"{name!r} is no function name or ARN")
        if isinstance(function, DurableFunction) and "." in reference.name:
            raise ValueError(f"{name!r} cannot be a durable function: the ARNs of its executions allow no dot")
        self._functions[name] = function

    def __iter__(self) -> Any:
        return iter(self._functions)

    def find(self, text: str) -> Function | None:
        """The function a caller means, or ``None``. A bare name finds a qualified registration if there is no other."""
        exact = self._functions.get(text)
        if exact is not None:
            return exact
        reference = FunctionReference.parse(text)
        if reference is None:
            return None
        bare = self._functions.get(reference.name)
        if bare is not None or reference.qualifier is not None:
            return bare
        known = ((FunctionReference.parse(name), function) for name, function in self._functions.items())
        return next((function for other, function in known if other and other.name == reference.name), None)

    def full_arn(self, text: str) -> str:
        """The unqualified ARN of what a caller means, whether it is registered or not."""
        reference = FunctionReference.parse(text)
        if reference is None:
            return text
        return self.account.function_arn(reference.name, reference.account_id)

    def resolve(self, execution: Execution, update: OperationUpdate) -> Target | ErrorObject:
        """See ``TargetResolver.resolve``."""
        text = update.function_name or ""
        refusal = self._refusal(execution, text)
        if refusal is not None:
            return refusal
        function = self.find(text)
        if not isinstance(function, DurableFunction):
            return Target()
        reference = FunctionReference.parse(text)
        assert reference is not None
        seed = f"{execution.header.arn}\0{update.id}"
        version = version_of(reference.qualifier)
        arn = self.account.execution_arn(
            reference.name, derived_uuid("chained", seed), seed, execution.arn.account_id, version
        )
        return Target(version=version, execution_arn=str(arn))

    def _refusal(self, execution: Execution, text: str) -> ErrorObject | None:
        reference = FunctionReference.parse(text)
        if reference is None:
            return ErrorObject(type="InvalidParameterValueException", message=f"Invalid function name: {text}")
        function = self.find(text)
        if function is None:
            return ErrorObject(type="ResourceNotFoundException", message=f"Function not found: {self._full(reference)}")
        if text not in self._functions:
            for what, theirs, ours in (
                ("region", reference.region, execution.arn.region),
                ("account", reference.account_id, execution.arn.account_id),
            ):
                if theirs is not None and theirs != ours:
                    return ErrorObject(
                        type="InvalidParameterValueException",
                        message=f"Cannot invoke a function of another {what}: "
                        f"{text} is in {theirs}, the execution in {ours}.",
                    )
        if execution.header.depth + 1 > self._limits.chained_invoke_depth:
            return ErrorObject(
                type="RecursiveInvocationException",
                message=f"A chain of invocations can have at most {self._limits.chained_invoke_depth} links; "
                f"this call of {reference.name} would be one more.",
            )
        return None

    def _full(self, reference: FunctionReference) -> str:
        arn = self.account.function_arn(reference.name, reference.account_id)
        return f"{arn}:{reference.qualifier}" if reference.qualifier else arn

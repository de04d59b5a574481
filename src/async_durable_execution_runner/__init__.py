"""Run, test and take apart AWS Lambda durable functions on your own machine.

Everything public is here and loaded when it is first used: importing the package imports no SDK and no botocore.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._model.limits import ServiceLimits
    from .blocks import child_context_handler, step_handler
    from .clock import Clock, RealClock, VirtualClock
    from .crashes import CrashReport, CrashRun
    from .effects import Effects
    from .endpoint import DurableEndpoint
    from .exceptions import (
        CallbackTimeoutException,
        CloudAccessError,
        CrashMatrixError,
        DurableExecutionAlreadyStartedException,
        DurableRunnerError,
        ExecutionFailedError,
        ExecutionNotFoundError,
        ExecutionStuckError,
        ExecutionTimeoutError,
        FaultNotReachedError,
        HandlerError,
        HistoryReadError,
        InputSerializationError,
        InvalidParameterValueException,
        InvalidRequestContentException,
        NonDeterministicExecutionError,
        OperationLookupError,
        RecursiveInvocationException,
        RequestTooLargeException,
        ResourceConflictException,
        ResourceNotFoundException,
        RunnerBusyError,
        RunnerClosedError,
        SdkNotInstalledError,
        ServiceError,
        ServiceException,
        StoreError,
        TooManyRequestsException,
        UnawaitedOperationWarning,
        UnsupportedInCloudError,
        UnusedResponderError,
        ValidationException,
    )
    from .faults import Plan
    from .observer import ExecutionNotifier, ExecutionObserver
    from .replaying import Drift, DriftKind, ReplayReport, replay
    from .result import ExecutionStatus, InvocationRecord
    from .runner import (
        CallbackOperation,
        ContextOperation,
        DurableChildContextTestRunner,
        DurableFunctionCloudTestRunner,
        DurableFunctionCloudTestRunnerConfig,
        DurableFunctionTestResult,
        DurableFunctionTestRunner,
        ExecutionOperation,
        InvokeOperation,
        Operation,
        StepOperation,
        WaitOperation,
    )
    from .stores.base import ExecutionStore, StoreType
    from .testing import check_store

_HOMES = {
    "_model.limits": ("ServiceLimits",),
    "crashes": ("CrashReport", "CrashRun"),
    "effects": ("Effects",),
    "faults": ("Plan",),
    "blocks": ("child_context_handler", "step_handler"),
    "clock": ("Clock", "RealClock", "VirtualClock"),
    "endpoint": ("DurableEndpoint",),
    "observer": ("ExecutionNotifier", "ExecutionObserver"),
    "replaying": ("Drift", "DriftKind", "ReplayReport", "replay"),
    "result": ("ExecutionStatus", "InvocationRecord"),
    "runner": (
        "CallbackOperation",
        "ContextOperation",
        "DurableChildContextTestRunner",
        "DurableFunctionCloudTestRunner",
        "DurableFunctionCloudTestRunnerConfig",
        "DurableFunctionTestResult",
        "DurableFunctionTestRunner",
        "ExecutionOperation",
        "InvokeOperation",
        "Operation",
        "StepOperation",
        "WaitOperation",
    ),
    "stores.base": ("ExecutionStore", "StoreType"),
    "testing": ("check_store",),
    "exceptions": (
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
    ),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "CallbackOperation",
    "CallbackTimeoutException",
    "Clock",
    "CloudAccessError",
    "ContextOperation",
    "CrashMatrixError",
    "CrashReport",
    "CrashRun",
    "Drift",
    "DriftKind",
    "DurableChildContextTestRunner",
    "DurableEndpoint",
    "DurableExecutionAlreadyStartedException",
    "DurableFunctionCloudTestRunner",
    "DurableFunctionCloudTestRunnerConfig",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "DurableRunnerError",
    "Effects",
    "ExecutionFailedError",
    "ExecutionNotFoundError",
    "ExecutionNotifier",
    "ExecutionObserver",
    "ExecutionOperation",
    "ExecutionStatus",
    "ExecutionStore",
    "ExecutionStuckError",
    "ExecutionTimeoutError",
    "FaultNotReachedError",
    "HandlerError",
    "HistoryReadError",
    "InputSerializationError",
    "InvalidParameterValueException",
    "InvalidRequestContentException",
    "InvocationRecord",
    "InvokeOperation",
    "NonDeterministicExecutionError",
    "Operation",
    "OperationLookupError",
    "Plan",
    "RealClock",
    "RecursiveInvocationException",
    "ReplayReport",
    "RequestTooLargeException",
    "ResourceConflictException",
    "ResourceNotFoundException",
    "RunnerBusyError",
    "RunnerClosedError",
    "SdkNotInstalledError",
    "ServiceError",
    "ServiceException",
    "ServiceLimits",
    "StepOperation",
    "StoreError",
    "StoreType",
    "TooManyRequestsException",
    "UnawaitedOperationWarning",
    "UnsupportedInCloudError",
    "UnusedResponderError",
    "ValidationException",
    "VirtualClock",
    "WaitOperation",
    "check_store",
    "child_context_handler",
    "replay",
    "step_handler",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

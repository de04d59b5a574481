"""What can go wrong, as an exit code and words."""

from __future__ import annotations

from .._wire.clients import problem_of_client
from ..exceptions import (
    DurableRunnerError,
    ExecutionNotFoundError,
    ExecutionStuckError,
    ExecutionTimeoutError,
    HandlerError,
    InputSerializationError,
    ResourceNotFoundException,
    ServiceError,
    UnusedResponderError,
    ValidationException,
)

SUCCEEDED, NOT_SUCCEEDED, WRONG_USAGE, NOT_OVER, NOT_FOUND, UNREACHABLE, BUG, INTERRUPTED = 0, 1, 2, 3, 4, 5, 70, 130

EXIT_CODES = """\
Exit codes:
  0    it was done; the execution succeeded
  1    the execution failed, timed out or was stopped
  2    wrong usage: an option, an input, a handler that cannot be loaded, an extra that is missing
  3    the execution is not over: it waits for an answer, --timeout ran out, or another process has it
  4    there is no such execution or callback, or several fit
  5    the store, the endpoint or AWS cannot be reached, or refuses
  130  interrupted with Ctrl-C"""

_CODES: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], int], ...] = (
    ((ExecutionStuckError, ExecutionTimeoutError), NOT_OVER),
    ((ExecutionNotFoundError, ResourceNotFoundException), NOT_FOUND),
    (ValidationException, WRONG_USAGE),
    ((HandlerError, InputSerializationError, UnusedResponderError, ImportError, ValueError), WRONG_USAGE),
    ((DurableRunnerError, OSError), UNREACHABLE),
)


_BY_NAME = {
    "ResourceNotFoundException": NOT_FOUND,
    "ValidationException": WRONG_USAGE,
    "ParamValidationError": WRONG_USAGE,
}


class Problem(Exception):
    """Something to tell the user, and the exit code that goes with it."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def told(error: Exception) -> Problem:
    """An error as the command line tells it."""
    if isinstance(error, Problem):
        return error
    code = next((code for kinds, code in _CODES if isinstance(error, kinds)), None)
    if isinstance(error, ServiceError):
        return Problem(code or UNREACHABLE, f"{error.code}: {error.message}")
    from_client = problem_of_client(error)
    if from_client is not None:
        name, message = from_client
        if name == "NoRegionError":
            return Problem(WRONG_USAGE, "Which region? Say --region NAME, or set AWS_REGION.")
        return Problem(_BY_NAME.get(name, UNREACHABLE), f"{name}: {message}")
    if code is not None:
        return Problem(code, str(error) or type(error).__name__)
    return Problem(BUG, f"{type(error).__name__}: {error} (durable-runner --traceback … shows where)")

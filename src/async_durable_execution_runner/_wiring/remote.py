"""Functions of another process or language, behind an address that the user has given."""

from __future__ import annotations

import json
import threading
from typing import Any

from .._drivers.aside import Elsewhere
from .._drivers.lambda_context import LambdaContext
from .._drivers.outcome import InvalidOutput, InvocationDied, closed, timed_out
from .._drivers.processes import GivenUp, TimeIsUp
from .._drivers.remote import INVALID_ANSWER, Address, Post, Remotes
from .._engine.executor import Executor
from .._engine.scheduler import Scheduler
from .._model.errors import ErrorObject
from ..clock import Clock
from ..exceptions import HandlerError

_PLAIN = "plain+"
_SCHEMES = ("http://", "https://")


def is_address(given: Any) -> bool:
    """Whether a function is given by an address: ``http://…``, or ``plain+http://…`` for an ordinary one."""
    return isinstance(given, str) and given.lower().removeprefix(_PLAIN).startswith(_SCHEMES)


def is_plain(address: str) -> bool:
    """Whether an address says that its function is an ordinary one."""
    return address.lower().startswith(_PLAIN)


class RemoteFunctions:
    """Calls functions behind addresses."""

    def __init__(self, executor: Executor, scheduler: Scheduler, clock: Clock, lock: threading.RLock) -> None:
        self._executor = executor
        self._scheduler = scheduler
        self._clock = clock
        self._lock = lock
        self._remotes = Remotes()

    def close(self) -> None:
        """Give up every call that is under way."""
        self._remotes.close()

    def function(self, given: str) -> Elsewhere:
        """The function behind an address. Raises ``HandlerError`` for one that is none."""
        plain = is_plain(given)
        try:
            address = Address.parse(given[len(_PLAIN) :] if plain else given)
        except ValueError as error:
            raise HandlerError(str(error)) from error

        def call(event: Any, context: LambdaContext) -> Any:
            return self._plain(address, event, context) if plain else self._durable(address, event, context)

        return Elsewhere(name=given, call=call)

    def _durable(self, address: Address, event: dict[str, Any], context: LambdaContext) -> Any:
        arn, request_id = event["DurableExecutionArn"], context.aws_request_id
        try:
            return self._remotes.call(address, _post(event, context))
        except TimeIsUp:
            with self._lock:
                if self._clock.is_virtual and self._executor.is_under_way(arn, request_id):
                    self._scheduler.walk_to(context.deadline)  # which ends it, before what is raised here is heard
            raise InvocationDied(timed_out(request_id, self._executor.invocation_timeout)) from None
        except GivenUp:
            raise InvocationDied(closed()) from None

    def _plain(self, address: Address, event: Any, context: LambdaContext) -> Any:
        try:
            output = self._remotes.call(address, _post(event, context))
        except TimeIsUp:
            raise InvocationDied(timed_out(context.aws_request_id, self._executor.invocation_timeout)) from None
        except GivenUp:
            raise InvocationDied(closed()) from None
        if isinstance(output, InvalidOutput):
            raise InvocationDied(ErrorObject(type=INVALID_ANSWER, message=output.problem))
        return output


def _post(event: Any, context: LambdaContext) -> Post:
    remaining = context.get_remaining_time_in_millis()
    headers = {
        "Content-Type": "application/json",
        "X-Amz-Invocation-Type": "RequestResponse",
        # As the runtime API has them, for whoever builds a Lambda context from a request.
        "Lambda-Runtime-Aws-Request-Id": context.aws_request_id,
        "Lambda-Runtime-Invoked-Function-Arn": context.invoked_function_arn,
        "Lambda-Runtime-Remaining-Ms": str(remaining),
    }
    return Post(
        body=json.dumps(event).encode(),
        headers=headers,
        request_id=context.aws_request_id,
        remaining=remaining / 1000,
    )

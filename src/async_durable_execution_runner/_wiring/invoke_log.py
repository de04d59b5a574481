"""The log that ``Invoke`` gives back with ``LogType="Tail"``: the last 4 KB of what the invocations have logged."""

from __future__ import annotations

import base64
import logging
from types import TracebackType

from .._engine.executor import Executor
from ..clock import Clock, from_millis
from ..observer import ExecutionObserver

_BYTES = 4096
_MEMORY = 128


class InvocationLog(logging.Handler, ExecutionObserver):
    """Collects one execution's log while the context is open: Lambda's own lines, and what was logged in between.

    The lines look as Lambda's do (Lambda Developer Guide: Lambda function logs in Python). What a handler prints goes
    where this process prints, and is not in it; nor is what another process logs. An ordinary function has no
    ``execution_arn``, and so only what was logged.
    """

    def __init__(self, executor: Executor, clock: Clock, execution_arn: str | None = None) -> None:
        super().__init__(logging.NOTSET)
        self.setFormatter(logging.Formatter("[%(levelname)s]\t%(message)s"))
        self._executor, self._clock, self._arn = executor, clock, execution_arn
        self._lines: list[str] = []

    def __enter__(self) -> InvocationLog:
        logging.getLogger().addHandler(self)
        self._executor.notifier.add(self)
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: TracebackType | None) -> None:
        logging.getLogger().removeHandler(self)
        self._executor.notifier.remove(self)

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler.emit``."""
        instant = from_millis(self._clock.now_millis()).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        level, _, message = self.format(record).partition("\t")
        self._lines.append(f"{level}\t{instant}\t{message}\n")

    def on_invocation_started(self, execution_arn: str, number: int) -> None:
        """See ``ExecutionObserver``."""
        if execution_arn == self._arn:
            self._lines.append(f"START RequestId: {self._request_id(number)} Version: $LATEST\n")

    def on_invocation_completed(self, execution_arn: str, number: int, error: object) -> None:
        """See ``ExecutionObserver``."""
        del error
        if execution_arn == self._arn:
            record = self._executor.get(execution_arn).invocations[number - 1]
            millis = (record.ended_at or record.started_at) - record.started_at
            request = self._request_id(number)
            self._lines.append(f"END RequestId: {request}\n")
            self._lines.append(
                f"REPORT RequestId: {request}\tDuration: {millis}.00 ms\tBilled Duration: {millis} ms\t"
                f"Memory Size: {_MEMORY} MB\n"
            )

    def tail(self) -> str:
        """The last 4 KB, in Base64, as ``LogResult`` and the header ``x-amz-log-result`` hold it."""
        text = "".join(self._lines).encode(errors="replace")[-_BYTES:]
        return base64.b64encode(text).decode()

    def _request_id(self, number: int) -> str:
        return self._executor.get(self._arn or "").invocations[number - 1].request_id

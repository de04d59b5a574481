"""Exceptions that an SDK turns into data, caught on their way.

An SDK keeps an error's type and message and drops the traceback; but it logs the exception first. A handler on its
logger sees it, with the operation it belongs to.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception that user code raised, and the operation it ended (``None``: the handler itself)."""

    operation_id: str | None
    error: BaseException


class FailureWatch(logging.Handler):
    """Collects exceptions that the SDK logs while the context is open."""

    def __init__(self, logger_name: str, *, any_thread: bool = False) -> None:
        super().__init__(logging.ERROR)
        self._logger = logging.getLogger(logger_name)
        self._thread = None if any_thread else threading.get_ident()
        self.seen: list[Failure] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception of a log record, if it has one."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        elsewhere = self._thread is not None and record.thread != self._thread
        if error is None or elsewhere:  # another runner's, in another thread
            return
        first = record.args[0] if isinstance(record.args, tuple) and record.args else None
        self.seen.append(Failure(first if isinstance(first, str) else None, error))

    def __enter__(self) -> FailureWatch:
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)

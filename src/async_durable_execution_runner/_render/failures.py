"""Exceptions of user code in words."""

from __future__ import annotations

import sysconfig
import traceback
from pathlib import Path
from types import TracebackType

from .._model.failure import FailureNote

_MACHINERY = {"async_durable_execution", "aws_durable_execution_sdk_python", "async_durable_execution_runner"}
_STDLIB = sysconfig.get_paths()["stdlib"]


def note_of(operation_id: str | None, error: BaseException) -> FailureNote:
    """An exception that ended an operation, or the handler, without the frames that are not the user's business."""
    frames = [entry for entry in traceback.extract_tb(error.__traceback__) if not _is_machinery(entry.filename)]
    text = "".join(
        [
            "Traceback (most recent call last):\n",
            *traceback.format_list(frames),
            *traceback.format_exception_only(type(error), error),
        ]
    )
    return FailureNote(
        operation_id=operation_id,
        place=_user_place(error.__traceback__),
        traceback=tuple(text.rstrip().splitlines()),
    )


def is_user_file(filename: str) -> bool:
    """Whether a file is neither the standard library's, nor installed, nor ours."""
    if "site-packages" in filename or "async_durable_execution_runner" in filename or filename.startswith("<frozen"):
        return False
    return not filename.startswith(_STDLIB)


def _is_machinery(filename: str) -> bool:
    """Whether a frame of that file says nothing about the user's code: an SDK's, or ours."""
    return any(part in _MACHINERY for part in Path(filename).parts)


def _user_place(trace: TracebackType | None) -> str | None:
    place = None
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if is_user_file(filename):
            place = f"{filename}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place

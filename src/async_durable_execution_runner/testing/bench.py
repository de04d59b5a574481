"""A store under test, and the words of the checks."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from .._model.execution import ExecutionRecord
from ..exceptions import ResourceNotFoundException
from ..stores.base import ExecutionQuery, ExecutionStore
from . import samples

__all__ = ["Bench", "Check", "compare", "listed", "refuses", "require", "short"]


class Bench:
    """A store under test, with what the check has put into it."""

    def __init__(self, factory: Callable[[], ExecutionStore]) -> None:
        self.factory = factory
        self.store = factory()
        self._opened = [self.store]
        self._arns: dict[str, None] = {}

    def create(self, record: ExecutionRecord) -> str:
        """Put an execution in, in place of one that an earlier run has left there."""
        self.forget(record.header.arn)
        self._arns[record.header.arn] = None
        self.store.create(record)
        return record.header.arn

    def forget(self, arn: str) -> None:
        """Delete an execution that may be there."""
        with contextlib.suppress(ResourceNotFoundException):
            self.store.delete(arn)

    def another(self) -> ExecutionStore:
        """A second store of the same place, beside the first."""
        self._opened.append(self.factory())
        return self._opened[-1]

    def reopen(self) -> None:
        """Close the store and open the next."""
        self.store.close()
        self.store = self.another()

    def tidy(self) -> None:
        """Leave the place as it was."""
        for arn in self._arns:
            self.forget(arn)

    def close(self) -> None:
        """Close every store, some of them once more."""
        for store in self._opened:
            store.close()

    def expect(self, expected: ExecutionRecord, what: str) -> None:
        """The store has to give back this record."""
        compare(self.store.load(expected.header.arn), expected, what)


def compare(found: ExecutionRecord, expected: ExecutionRecord, what: str) -> None:
    """Say which part of a record is not as expected."""
    for name in expected.__dataclass_fields__:
        theirs, ours = getattr(found, name), getattr(expected, name)
        require(theirs == ours, f"{what}: {name} came back as {short(theirs)} instead of {short(ours)}")


def require(condition: object, complaint: str) -> None:
    """Raise ``AssertionError`` with the complaint, also where ``assert`` is switched off."""
    if not condition:
        raise AssertionError(complaint)


def short(value: Any) -> str:
    """A value that fits into a message."""
    text = repr(value)
    return text if len(text) < 400 else f"{text[:200]} … {text[-200:]} ({len(text)} characters)"


def refuses(error: type[Exception], call: Callable[[], object], what: str) -> None:
    """The call has to raise exactly this error."""
    try:
        call()
    except error:
        return
    except Exception as other:
        raise AssertionError(f"{what} raised {other!r} instead of {error.__name__}") from other
    raise AssertionError(f"{what} raised nothing instead of {error.__name__}")


def listed(bench: Bench, **query: Any) -> list[str]:
    """Names in a listing of this function."""
    found = bench.store.list(ExecutionQuery(**{"function_arn": samples.FUNCTION, **query}))
    return [header.name for header in found]


Check = Callable[[Bench], None]

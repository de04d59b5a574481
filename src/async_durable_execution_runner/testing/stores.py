"""Whether a store keeps the contract of ``ExecutionStore``."""

from __future__ import annotations

from collections.abc import Callable

from ..exceptions import ResourceNotFoundException
from ..stores.base import ExecutionStore
from . import kept, listings, persistence, samples, writers
from .bench import Bench, Check

__all__ = ["check_store"]


def check_store(factory: Callable[[], ExecutionStore], *, persistent: bool | None = None) -> None:
    """Check a store against everything that the runner relies on.

        def test_my_store(tmp_path):
            check_store(lambda: MyStore(tmp_path / "executions"))

    ``factory`` takes nothing and returns an open store. It is called many times. A store that keeps executions beyond
    its own life has to come back with what the ones before have kept: so use one place for all calls, and a new place
    for each test. Stores of one place are also open side by side, as those of several processes are, and what was
    written is looked at by a store that was opened after the writer was killed.

    ``persistent`` says whether that is promised; ``None`` finds out, so say ``True`` for a store that should.

    Raises ``AssertionError`` that lists every check that fails, and why.
    """
    checks = kept.CHECKS | listings.CHECKS | writers.CHECKS
    if _keeps(factory) if persistent is None else persistent:
        checks |= persistence.CHECKS
    complaints = {name: complaint for name, check in checks.items() if (complaint := _complaint(check, factory))}
    if complaints:
        lines = "".join(f"\n- {name}: {complaint}" for name, complaint in complaints.items())
        raise AssertionError(f"{len(complaints)} of {len(checks)} checks of the store failed:{lines}")


def _complaint(check: Check, factory: Callable[[], ExecutionStore]) -> str | None:
    """Why a check fails, or ``None``."""
    bench = Bench(factory)
    try:
        check(bench)
        bench.tidy()
    except Exception as error:  # noqa: BLE001 - whatever a store raises where it should not is the finding
        return str(error) if isinstance(error, AssertionError) else f"{type(error).__name__}: {error}"
    finally:
        bench.close()
    return None


def _keeps(factory: Callable[[], ExecutionStore]) -> bool:
    """Whether an execution is still there for the next store that the factory makes."""
    bench = Bench(factory)
    arn = bench.create(samples.new("kept-at-all"))
    bench.reopen()
    try:
        bench.store.load(arn)
    except ResourceNotFoundException:
        return False
    finally:
        bench.tidy()
        bench.close()
    return True

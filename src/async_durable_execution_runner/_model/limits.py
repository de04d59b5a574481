"""The numbers the service enforces, in one place and with a date, because the service changes them."""

from __future__ import annotations

from dataclasses import dataclass, replace

KIB, MIB = 1024, 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLimits:
    """A profile of limits and wordings. Sizes in bytes, times in seconds; ``None`` switches a limit off.

    What the API model itself limits (lengths, patterns, ranges of single members) is not here: it is read from the
    installed botocore model.

        DurableFunctionTestRunner(handler, limits=ServiceLimits(max_operations=None))
    """

    max_operations: int | None = 3_000
    max_execution_bytes: int | None = 100 * 1000 * 1000
    step_payload_bytes: int = 1 * MIB
    context_payload_bytes: int = 1 * MIB
    callback_payload_bytes: int = 1 * MIB
    chained_invoke_payload_bytes: int = 1 * MIB
    execution_payload_bytes: int = 6 * MIB
    async_execution_payload_bytes: int = 1 * MIB
    """Result of an execution that nobody waits for on the line: started as an event, or chained."""
    error_bytes: int = 1 * MIB
    max_execution_timeout: int = 31_622_400
    max_updates_per_checkpoint: int | None = None
    chained_invoke_depth: int = 16
    crash_backoff_seconds: int = 5
    crash_limit: int = 5
    """Failed invocations in a row before the execution fails."""
    empty_pending_limit: int = 4
    """``PENDING`` with nothing pending in a row before the execution fails."""
    idempotency_seconds: int = 15 * 60
    """How long the same ``ClientToken`` with the same checkpoint token replays the answer."""
    state_page_operations: int = 1_000
    """Operations per page of state: in an invocation's event, a checkpoint's answer and GetDurableExecutionState."""
    stale_token_message: str = "Invalid checkpoint token: {reason}"
    """What a stale token is told. The SDKs tell a recoverable race from a mistake by how it begins."""

    @classmethod
    def of_2025_12(cls) -> ServiceLimits:
        """The limits at the service's launch: 256 KB for results and errors."""
        return cls(
            step_payload_bytes=256 * KIB,
            context_payload_bytes=256 * KIB,
            callback_payload_bytes=256 * KIB,
            error_bytes=256 * KIB,
        )

    @classmethod
    def of_2026_10(cls) -> ServiceLimits:
        """The limits since autumn 2026: 1 MB for results and errors. The default."""
        return cls()

    @classmethod
    def unlimited(cls) -> ServiceLimits:
        """No limit on the number of operations or on what an execution keeps, for measuring."""
        return cls(max_operations=None, max_execution_bytes=None)

    def strict(self) -> ServiceLimits:
        """The same profile with state in pages of one operation, where paging mistakes show."""
        return replace(self, state_page_operations=1)

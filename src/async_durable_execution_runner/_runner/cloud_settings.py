"""Which deployed function a cloud runner invokes, and how."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .._model.ids import FunctionReference
from ..clock import to_seconds
from ..stores.base import ExecutionStore, StoreType


@dataclass(frozen=True, slots=True, kw_only=True)
class DurableFunctionCloudTestRunnerConfig:
    """Which deployed function a cloud runner invokes, and how.

    ``function_name`` is a name, an ARN or a partial one; without a qualifier it means ``$LATEST``. ``lambda_endpoint``
    is a URL; ``None`` is AWS's own. ``poll_interval`` is the longest pause between two looks, in seconds.
    ``store_type`` and ``store_path`` say where finished executions are saved, as ``store`` and ``store_path`` of the
    local runner do. Raises ``ValueError`` for values that make no sense.
    """

    function_name: str
    region: str = "us-west-2"
    lambda_endpoint: str | None = None
    poll_interval: float = 1.0
    store_type: ExecutionStore | StoreType | str | None = None
    store_path: str | Path | None = None

    def __post_init__(self) -> None:
        name: Any = self.function_name
        if not isinstance(name, str) or FunctionReference.parse(name) is None:
            raise ValueError(f"function_name is the name or ARN of a deployed function, not {self.function_name!r}")
        if not to_seconds(self.poll_interval, "poll_interval") > 0:
            raise ValueError(f"poll_interval is more than 0 seconds, not {self.poll_interval!r}")

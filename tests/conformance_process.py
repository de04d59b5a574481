"""The handlers that end the process that they are in. Its log is in a file, since it goes with the process.

Such a handler is named ``conformance_process:MODULE.ATTRIBUTE``.
"""

import importlib
from typing import Any

from conformance_records import Log, log_file

Log(log_file()).install()


def __getattr__(module: str) -> Any:
    return importlib.import_module(module)

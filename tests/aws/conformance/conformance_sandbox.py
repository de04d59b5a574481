"""The handlers that end the process that they are in. Its log is in a file, since it goes with the process."""

import os
from pathlib import Path

import conformance_child  # noqa: F401 - handlers are found here by their module and name
import conformance_step  # noqa: F401
from conformance_logs import LOG_FILE, Log

Log(Path(os.environ["SCRATCH"], LOG_FILE)).install()

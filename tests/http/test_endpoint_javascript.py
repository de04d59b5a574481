"""AWS's JavaScript client, where `DURABLE_RUNNER_JS_CLIENT` names a folder that has `@aws-sdk/client-lambda`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from http_kit import FUNCTIONS

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from async_durable_execution_runner import DurableEndpoint

FOLDER, NODE = os.environ.get("DURABLE_RUNNER_JS_CLIENT"), shutil.which("node")

pytestmark = [
    pytest.mark.skipif(FOLDER is None, reason="DURABLE_RUNNER_JS_CLIENT is not set"),
    pytest.mark.skipif(NODE is None, reason="there is no `node` on PATH"),
]


def test_the_javascript_client_does_everything() -> None:
    script = Path(__file__).with_name("drive_endpoint.mjs")
    with DurableEndpoint(FUNCTIONS) as endpoint:
        done = subprocess.run(
            [str(NODE), str(script)],
            env=os.environ | endpoint.environment,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "sync": [200, "8"],
        "failed": ["Unhandled", "no stock"],
        "accepted": ["SUCCEEDED", "yes", True],
        "history": [[1, 2], [3, 4], [5, 6]],
        "denied": "too dear",
        "stopped": [True, "STOPPED"],
        "listed": ["js-1", "js-3"],
        "errors": [
            ["ResourceNotFoundException", 404, True],
            ["InvalidRequestContentException", 400, True],
            ["DurableExecutionAlreadyStartedException", 409, True],
            ["CallbackTimeoutException", 400, True],
            ["InvalidParameterValueException", 400, True],
        ],
    }

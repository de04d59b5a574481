"""The commands of the pages about the endpoint and about deployed functions work as they stand there.

Those of docs/cli.md have tests of their own; what installs something or needs a container is left out.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from test_documents import FENCE, REPOSITORY, RUN

from async_durable_execution_runner import DurableEndpoint

DOCS = REPOSITORY / "docs"
URL = re.compile(r"http://127\.0\.0\.1:\d+")


def commands(page: str) -> list[str]:
    found = [fence[2] for fence in FENCE.finditer((DOCS / page).read_text(encoding="utf-8")) if fence[1] == "sh"]
    return [each for each in found if not re.search("pip install|docker|^durable-runner", each)]


def earlier(page: str) -> dict[str, Any]:
    """What the page's ordinary blocks define, without what they do."""
    namespace: dict[str, Any] = {"__name__": "page"}
    for block in RUN[DOCS / page]:
        if not block.is_pytest_file:
            exec(compile(re.split(r"^with ", block.code, flags=re.MULTILINE)[0], page, "exec"), namespace)
    return namespace


def run(command: str, folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        ["sh", "-ec", command],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pytest and the AWS CLI of this interpreter come first on the path; blocks write files here."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p no:cacheprovider")


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no `sh`")
@pytest.mark.parametrize("command", commands("endpoint.md"))
def test_the_endpoints_page(command: str, tmp_path: Path, tools: None) -> None:
    if shutil.which(command.split(maxsplit=1)[0]) is None:
        pytest.skip(f"there is no `{command.split(maxsplit=1)[0]}` on PATH")
    page = earlier("endpoint.md")
    with DurableEndpoint({"orders": page["orders"]}) as endpoint:
        client = page["boto3"].client("lambda", **endpoint.client_options)
        client.invoke(FunctionName="orders", InvocationType="Event", DurableExecutionName="order-7", Payload=b"{}")
        client.close()
        told = run(URL.sub(endpoint.url, command), tmp_path, endpoint.environment | {"AWS_PAGER": ""})
    assert "order-7" in told


@pytest.mark.skipif(shutil.which("sh") is None, reason="there is no `sh`")
@pytest.mark.parametrize("command", commands("cloud.md"))
def test_the_page_of_deployed_functions(command: str, tmp_path: Path, tools: None) -> None:
    page = earlier("cloud.md")
    block = next(each for each in RUN[DOCS / "cloud.md"] if each.is_pytest_file)
    code = block.code.replace("handler=quick, ", "")  # it runs elsewhere, so it need not be here
    (tmp_path / "test_page.py").write_text(code, encoding="utf-8")
    with DurableEndpoint({"quick": page["quick"]}, region="eu-central-1") as endpoint:
        told = run(command, tmp_path, {"LAMBDA_ENDPOINT": endpoint.url})
    assert "1 passed" in told


def test_there_are_commands() -> None:
    assert commands("endpoint.md")
    assert commands("cloud.md")

"""The fixture of the plugin's tests."""

from __future__ import annotations

import pytest
from plugin_kit import Suite


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Suite:
    for name in ("AWS_DEX_STORE_TYPE", "AWS_DEX_STORE_PATH", "AWS_REGION", "PYTEST_ADDOPTS"):
        monkeypatch.delenv(name, raising=False)
    return Suite(pytester)

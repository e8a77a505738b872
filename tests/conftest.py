"""What all tests share: `@pytest.mark.needs("node")` for tests that run a real tool."""

from __future__ import annotations

import os
import shutil

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "needs(tool): skipped where the tool is not installed; in CI it has to be")


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            if shutil.which(tool) is None:
                message = f"{tool} is not installed"
                if os.environ.get("CI", "").lower() == "true":
                    pytest.fail(f"{message}, and in CI it has to be", pytrace=False)
                pytest.skip(message)

"""What all tests share: `@pytest.mark.needs("node")` for tests that run a real tool."""

from __future__ import annotations

import shutil

import pytest
from hypothesis import settings

from tests.node_packages import NodeModules, cache_folder
from tests.tools import is_ci, missing

# What is tried in CI is the same in every run; elsewhere each run tries something new. No test is about time.
settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("local", deadline=None)
settings.load_profile("ci" if is_ci() else "local")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "needs(tool, package=…): skipped where the tool is not installed; in CI it has to be"
    )


@pytest.fixture(scope="session")
def node_modules(request: pytest.FixtureRequest) -> NodeModules:
    """Node packages, installed once."""
    return NodeModules(cache_folder(request.config))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            if shutil.which(tool) is None:
                package = marker.kwargs.get("package")
                missing(f"{tool} is not installed" + (f" (Debian's package {package} has it)" if package else ""))

"""What to do where a tool is missing that a test needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def is_ci() -> bool:
    """Whether this is continuous integration, where everything has to be there."""
    return os.environ.get("CI", "").lower() == "true"


def missing(message: str) -> NoReturn:
    """Skips the test with `message`; in CI, where nothing may be missing, it fails."""
    if is_ci():
        pytest.fail(f"{message}, and in CI it has to be", pytrace=False)
    pytest.skip(message)

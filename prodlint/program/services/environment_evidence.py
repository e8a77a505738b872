"""Which artefacts are for production, by what their names and contents say."""

from __future__ import annotations

import posixpath
import re

from prodlint.lazy_regex import regex

DEV_WORDS = frozenset(
    {
        *("dev", "develop", "development", "local", "test", "tests", "testing", "e2e", "ci", "debug", "devcontainer"),
        *("example", "examples", "sample", "samples", "fixtures", "fixture", "playwright", "cypress", "smoke", "docs"),
        *(
            "demo",
            "demos",
            "override",
            "spec",
            "bench",
            "benchmark",
            "benchmarks",
            "gitpod",
            "testbed",
            "build",
            "regtest",
        ),
    }
)
_PRODUCTION_WORDS = frozenset({"prod", "production", "deploy", "deployment", "release", "live"})
_NOT_IN_FOLDERS = frozenset({"build", "override", "ci", "local"})
_DEV_VALUES = frozenset({"dev", "develop", "development", "local", "test", "testing", "debug"})
DEV_VARIABLES = ("NODE_ENV", "FLASK_ENV", "FLASK_DEBUG", "DJANGO_SETTINGS_MODULE")
BY_CONTENT = 0.5
"""What a command or a value weighs that is meant for development."""
DEBUG_PORT = regex(r"(?:^|:)(?:9229|5678)(?:/tcp)?$")
COMMAND_DEV = regex(r"(?:^|[\s\"/])(?:dev|develop|development)[-_:]\w", re.IGNORECASE)
TARGET_DEV = regex(r"(?:^|[-_.])(?:dev\w*|test\w*|debug\w*|local|ci|pr)(?:$|[-_.\d])|dev$", re.IGNORECASE)


def _words(text: str) -> set[str]:
    return {word for word in re.split(r"[^a-z0-9]+", text.lower()) if word}


def name_evidence(path: str, *names: str) -> dict[str, float]:
    """What an artefact's path and names say of its purpose."""
    folder, _, file = path.rpartition("/")
    around = {word for part in folder.split("/") for word in folder_words(part)}
    words = around | {word for text in (file, *names) for word in _words(text)}
    found: dict[str, float] = {}
    for word in sorted(words & DEV_WORDS):
        found[f"it is called {word}"] = 1.0
    for word in sorted(words & _PRODUCTION_WORDS if not around else ()):
        found[f"it is called {word}"] = -1.5
    return found


def is_dev_path(path: str, *names: str) -> bool:
    """Whether a file's path, or the names of what is in it, say that it is for development or tests."""
    return sum(name_evidence(path, *names).values()) >= 1


def is_called_for_production(path: str) -> bool:
    """Whether a file's name, wherever it lies, says that it is for production."""
    return sum(name_evidence(posixpath.basename(path)).values()) < 0


def folder_words(folder: str) -> set[str]:
    """The words in a folder's name that say it is for development. A name of many words may have one by chance."""
    whole = _words(folder)
    return (whole & DEV_WORDS) - _NOT_IN_FOLDERS if len(whole) <= 2 else set()


def is_for_development(name: str, value: str) -> bool:
    """Whether a value of one of the variables that tell development from production says development."""
    value = value.strip().lower()
    if name == "FLASK_DEBUG":
        return value not in ("", "0", "false", "no", "off")
    if name == "DJANGO_SETTINGS_MODULE":
        return bool(_words(value.rpartition(".")[2].replace("_", " ")) & _DEV_VALUES)
    return value in _DEV_VALUES

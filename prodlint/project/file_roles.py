"""What a source file is for, as its name, its place and what it is written for tell: conventions that teams share."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence, Set
from enum import IntEnum
from fnmatch import fnmatch

from prodlint.facts import Import
from prodlint.lazy_regex import regex


class FileRole(IntEnum):
    """What a source file is for."""

    SOURCE = 0
    TEST = 1
    """Not read: it serves no request, and what only tests call here may well be called from elsewhere."""
    SCRIPT = 2
    """Run by hand, by a build or a deployment: command line tools, migrations, configuration of tools, examples."""
    BROWSER = 3
    FOREIGN = 4
    """Run by another engine than Node, as its imports show; nothing in its name or place says so."""


_TEST_FOLDERS = frozenset(
    {
        *("test", "tests", "__tests__", "spec", "specs", "e2e", "cypress", "playwright"),
        *("__mocks__", "mocks", "testing", "test_utils", "testutils"),
    }
)
_TEST_FOLDER = regex(r"__(?:e2e|fixtures|mocks?|tests?|specs?|integration)(?:[-_]?tests?)?__$")
_SCRIPT_FOLDERS = frozenset(
    {
        *("script", "scripts", "tools", "tooling", "hack", "devtools", "cli", "contrib", "extra", "extras", "fixtures"),
        *("migrations", "migration", "alembic", "seeds", "seeders", "seeder", "bench", "benchmark", "benchmarks"),
        *("example", "examples", "sample", "samples", "demo", "demos", "docs", "doc", ".storybook", "stories"),
        *(
            ".yarn",
            "build",
            "build-scripts",
            "install",
            "installer",
            "ci",
            ".github",
            ".husky",
            "gulp",
            "grunt",
            "webpack",
        ),
    }
)
# They work only inside of a migration, or in the `env.py` that runs them.
_ALEMBIC_PROXIES = frozenset({"op", "context"})
_SCRIPT_FOLDER_ENDS = ("-scripts", "_scripts", "-tools", "_tools", "_migrations")
_ARCHIVE = regex(
    r"^[_.](?:archive|old|backup|attic|trash|unused|deprecated|legacy)|^(?:old|attic|deprecated|graveyard)$"
)
"""Folders that keep what nothing runs any more."""
_MODULE_NAMES = ("setup.py", "tasks.py")
_BROWSER_FOLDERS = frozenset(
    {"public", "static", "assets", "frontend", "client", "www", "webapp", "browser", "htdocs", "wwwroot"}
)
_TEST_NAME = regex(r"(?:^test_.*|.*_tests?|^conftest|^pytest_plugin|^tests?|.*[.-](?:test|spec|e2e|mock)s?)\.[a-z]+$")
_DEV_SERVER = regex(r"^(?:.*[.-])?dev(?:-?server)?\.[cm]?[jt]s$")
_SCRIPT_NAME = regex(
    r"^(?:setup|manage|noxfile|fabfile|tasks|dodo|conf|gulpfile.*|gruntfile.*|jakefile.*|rollup.*|webpack.*|vite.*|babel.*|"
    r"karma.*|jest.*|knexfile.*|.*\.config|\..*rc|.*\.conf|metro|postcss.*|tailwind.*|seed|migrate(?:[-_].*)?|cli|__main__|_version|versioneer|\.pnp(?:\.loader)?)\.[a-z]+$",
    re.IGNORECASE,
)


def role_of(
    path: str,
    scripts: Sequence[str] = (),
    tests: Sequence[str] = (),
    packages: Set[str] = frozenset(),
    imports: Sequence[Import] = (),
) -> FileRole:
    """The role of the source file `path` (POSIX, relative to the project root).

    `packages` are the folders that are Python packages: `setup.py` and `tasks.py` in one are modules of the service.
    `scripts` and `tests` are the user's own globs and decide before any convention does. `imports` are the file's own:
    a migration is one wherever it lies.
    """
    if any(fnmatch(path, glob) for glob in tests):
        return FileRole.TEST
    if any(fnmatch(path, glob) for glob in scripts):
        return FileRole.SCRIPT
    *folders, name = path.lower().split("/")
    if any(folder in _TEST_FOLDERS or _TEST_FOLDER.match(folder) for folder in folders) or _TEST_NAME.match(name):
        return FileRole.TEST
    if _DEV_SERVER.match(name) or any(_keeps_scripts(folder) for folder in folders):
        return FileRole.SCRIPT
    if _SCRIPT_NAME.match(name) and not (name in _MODULE_NAMES and posixpath.dirname(path) in packages):
        return FileRole.SCRIPT
    if "management" in folders and "commands" in folders:
        return FileRole.SCRIPT
    if folders[:1] == ["performance"]:
        return FileRole.SCRIPT
    if any(each.module == "alembic" and not _ALEMBIC_PROXIES.isdisjoint(each.names) for each in imports):
        return FileRole.SCRIPT
    if not name.endswith(".py") and any(folder in _BROWSER_FOLDERS for folder in folders):
        return FileRole.BROWSER
    return FileRole.SOURCE


def _keeps_scripts(folder: str) -> bool:
    return folder in _SCRIPT_FOLDERS or _ARCHIVE.match(folder) is not None or folder.endswith(_SCRIPT_FOLDER_ENDS)

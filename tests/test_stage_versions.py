"""The version of a stage has all in it that the stage can import, so that no stored facts outlive the code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import grimp
import pytest

from prodlint.analysis.keys import EXTRACTION, extractor_version
from prodlint.analysis.stage_versions import files_of, stage_version
from prodlint.extract import extraction
from prodlint.extract.ignore_comments import parse_directive
from tests.pages import ROOT

EXTRACT_EACH_KIND = """
import sys
from prodlint.extract.deployment import READERS
from prodlint.extract.extraction import extract
from prodlint.facts import SOURCE

for kind in (*SOURCE, *READERS):
    extract(b"{}", kind, "app.json")
for name, module in sys.modules.items():
    if name.partition(".")[0] == "prodlint":
        print(module.__file__)
"""


def test_facts_are_of_the_version_of_the_module_that_makes_them() -> None:
    assert extraction.extract.__module__ == EXTRACTION
    assert extractor_version() == stage_version(EXTRACTION)


def test_everything_that_extraction_imports_is_in_it() -> None:
    done = subprocess.run([sys.executable, "-c", EXTRACT_EACH_KIND], capture_output=True, text=True, check=True)
    imported = {Path(line).relative_to(ROOT / "prodlint").as_posix() for line in done.stdout.splitlines()}
    assert len(imported) > 40
    assert imported <= {*files_of(EXTRACTION)}


def test_everything_that_extraction_may_import_is_in_it() -> None:
    """By import-linter's own reading of the imports."""
    graph = grimp.build_graph("prodlint", exclude_type_checking_imports=True, cache_dir=None)
    below = {EXTRACTION, *graph.find_upstream_modules(EXTRACTION)}
    modules = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path in files_of(EXTRACTION)}
    assert {module.removeprefix("prodlint.") for module in below - {"prodlint"}} <= modules


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of prodlint's source."""
    ignored = shutil.ignore_patterns("__pycache__")
    return Path(shutil.copytree(ROOT / "prodlint", tmp_path / "copy" / "prodlint", ignore=ignored))


def _version(package: Path, stage: str = EXTRACTION) -> bytes:
    stage_version.cache_clear()
    return stage_version(stage, package)


def test_every_one_of_its_files_changes_it(package: Path) -> None:
    seen = {_version(package)}
    for number, path in enumerate(files_of(EXTRACTION, package), 2):
        with (package / path).open("ab") as file:
            file.write(b"# changed\n")
        seen.add(_version(package))
        assert len(seen) == number, path


def test_what_extraction_cannot_import_does_not_change_it(package: Path) -> None:
    before = _version(package)
    for path in ("__main__.py", "checks/__init__.py", "output/__init__.py", "program/__init__.py", "lsp/server.py"):
        (package / path).write_text("# changed\n")
    assert _version(package) == before


def test_it_is_the_same_wherever_prodlint_is_installed(package: Path) -> None:
    assert _version(package) == _version(ROOT / "prodlint")


SHAPES = {
    "import a module": "import prodlint.low",
    "import several": "import os, prodlint.low as low",
    "from the package": "from prodlint import high, low",
    "from the module": "from prodlint.low import name",
    "over several lines": "from prodlint import (\n    high,  # the one\n    low,\n)",
    "in a function": "def f():\n    if x:\n        from prodlint.low import name\n",
    "after imports for types": "if TYPE_CHECKING:\n    from os import x\n\nfrom prodlint.low import name\n",
    "through another": "from prodlint.high import name",
    "through a package": "from prodlint.folder.leaf import name",
    "by name": "from prodlint import named",
}


def _written(package: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (package / path).parent.mkdir(parents=True, exist_ok=True)
        (package / path).write_text(text)
    return package


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_shapes_of_imports(tmp_path: Path, text: str) -> None:
    files = {
        "__init__.py": "",
        "stage.py": text,
        "low.py": "",
        "high.py": "from prodlint import low",
        "folder/__init__.py": "from prodlint import low",
        "folder/leaf.py": "",
        "named/__init__.py": "import importlib\n\nload = lambda name: importlib.import_module(f'{__name__}.{name}')\n",
        "named/deeper/__init__.py": "",
        "named/deeper/one.py": "from prodlint import low",
    }
    package = _written(tmp_path / "prodlint", files)
    assert "low.py" in files_of("prodlint.stage", package)
    before = _version(package, "prodlint.stage")
    (package / "low.py").write_text("x = 1\n")
    assert _version(package, "prodlint.stage") != before


def test_imports_for_types_are_none(tmp_path: Path) -> None:
    text = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from prodlint.low import name\n\n    x: int\n"
    package = _written(tmp_path / "prodlint", {"__init__.py": "", "stage.py": text, "low.py": ""})
    assert files_of("prodlint.stage", package) == ["__init__.py", "stage.py"]


def test_data_beside_a_module(tmp_path: Path) -> None:
    files = {
        "__init__.py": "",
        "stage.py": "from prodlint.a import b",
        "a/__init__.py": "",
        "a/b.py": "",
        "a/b.scm": "",
    }
    package = _written(tmp_path / "prodlint", files)
    assert files_of("prodlint.stage", package) == ["__init__.py", "a/__init__.py", "a/b.py", "a/b.scm", "stage.py"]


def test_a_stage_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match=r"prodlint\.gone"):
        files_of("prodlint.gone")


def test_versions_of_grammars_are_in_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "def parse():\n    import some_grammar, os\n"
    package = _written(tmp_path / "prodlint", {"__init__.py": "", "stage.py": text})
    site = tmp_path / "site"
    _written(site, {"some_grammar/__init__.py": "", "some_grammar-1.0.dist-info/METADATA": ""})
    monkeypatch.syspath_prepend(site)
    before = _version(package, "prodlint.stage")
    (site / "other-1.0.dist-info").mkdir()
    assert _version(package, "prodlint.stage") == before
    (site / "some_grammar-1.0.dist-info").rename(site / "some_grammar-1.1.dist-info")
    assert _version(package, "prodlint.stage") != before


# --- what it is for ---------------------------------------------------------------------------------------------------

APP = """\
const fs = require('node:fs');
const app = require('express')();
// prodlint: ignore[blocking-call] small
app.get('/', (req, res) => res.send(fs.readFileSync('page.html')));
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(package: Path, tmp_path: Path) -> Run:
    """Runs the copy of prodlint in a project with an ignore comment."""
    shutil.copytree(ROOT / "rules", package.parent / "rules")
    project = tmp_path / "project"
    _written(project, {"server.js": APP, "package.json": "{}", "prodlint.toml": 'select = ["blocking-call"]\n'})
    os.utime(project / "server.js", (1_600_000_000, 1_600_000_000))

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PYTHONPATH": str(package.parent), "PRODLINT_CACHE_DIR": str(tmp_path / "cache")}
        command = [sys.executable, "-m", "prodlint", *arguments]
        return subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True, check=False)

    return run


def _found(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [finding["rule"] for finding in json.loads(done.stdout)["findings"]]


def test_facts_of_another_version_are_not_used(package: Path, run: Run) -> None:
    check = ("check", "--output-format", "json")
    assert run("facts", ".", "--output-format", "msgpack", "-o", "shard").returncode == 0
    assert _found(run(*check)) == _found(run(*check, "--facts", "shard")) == []
    comments = package / Path(parse_directive.__code__.co_filename).relative_to(ROOT / "prodlint")
    comments.write_text(comments.read_text().replace("ignore", "silence"))
    assert _found(run(*check, "--no-cache")) == ["blocking-call"]
    assert _found(run(*check)) == ["blocking-call"]
    refused = run(*check, "--no-cache", "--facts", "shard")
    assert refused.returncode == 2
    assert "made by another version" in refused.stderr

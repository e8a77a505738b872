"""The hooks, run by pre-commit itself from this repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.tools import missing

FAST_SETUP = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_COLOR": "1"}


def _pre_commit() -> str:
    beside = shutil.which("pre-commit", path=str(Path(sys.executable).parent)) or shutil.which("pre-commit")
    if beside is None:
        missing("pre-commit is not installed: pip install pre-commit")
    return beside


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pre-commit keeps the environments that it makes: one for all tests."""
    return tmp_path_factory.mktemp("pre-commit")


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with a service in it."""
    folder = tmp_path / "shop"
    shutil.copytree(ROOT / "examples" / "fastapi-shop", folder)
    _git(folder, "init", "-q")
    _git(folder, "add", "-A")
    return folder


def _tried(shop: Path, home: Path, hook: str, *files: str) -> subprocess.CompletedProcess[str]:
    """What the hook of this repository, as it is committed, says of files."""
    environment = {**os.environ, **FAST_SETUP, "PRE_COMMIT_HOME": str(home), "PRODLINT_CACHE_DIR": str(home / "cache")}
    command = [_pre_commit(), "try-repo", str(ROOT), hook, "--ref", "HEAD", "--files", *files]
    return subprocess.run(command, cwd=shop, capture_output=True, text=True, env=environment, check=False)


@pytest.mark.needs("git")
def test_findings_are_of_the_files_of_the_commit_and_callers_are_known(shop: Path, home: Path) -> None:
    run = _tried(shop, home, "prodlint", "src/shop/services/rates.py")
    assert run.returncode == 1, run.stdout + run.stderr
    assert "error[blocking-call]" in run.stdout
    assert "src/shop/routes/" in run.stdout, "the path from the handler, whose file is not in the commit"
    assert "unawaited-coroutine" not in run.stdout, "found in a file that is not in the commit"


@pytest.mark.needs("git")
def test_the_fixing_hook_fixes_and_says_so(shop: Path, home: Path) -> None:
    orders = shop / "src/shop/routes/orders.py"
    orders.write_text(orders.read_text() + "\n\n# prodlint: ignore[blocking-call] nothing is here\n")
    run = _tried(shop, home, "prodlint-fix", "src/shop/routes/orders.py")
    assert run.returncode == 1, "a commit whose files were changed is stopped"
    assert "prodlint: ignore" not in orders.read_text()


@pytest.mark.needs("git")
def test_files_that_prodlint_does_not_read_start_nothing(shop: Path, home: Path) -> None:
    run = _tried(shop, home, "prodlint", "README.md")
    assert run.returncode == 0
    assert "no files to check" in run.stdout


OPTIONS = {
    "--output-file=src/shop/app.py": "x = 1\n",
    "--output=json=src/shop/app.py": "x = 1\n",
    "--config=evil.toml": 'ignore = ["all"]\n',
    "--exit-zero/a.py": "x = 1\n",
    "-q.py": "x = 1\n",
    "--unsafe-fixes.py": "x = 1\n",
}
"""Files that are called like options."""


def _named_like_options(shop: Path) -> dict[str, str]:
    """Adds those files to a repository. Returns what its sources are."""
    for name, text in OPTIONS.items():
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(text)
    (shop / "evil.toml").write_text('ignore = ["all"]\n')
    _git(shop, "add", "-A")
    return {str(path): path.read_text() for path in (shop / "src").rglob("*.py")}


@pytest.mark.needs("git")
def test_no_name_of_a_file_is_an_option(shop: Path, home: Path) -> None:
    before = _named_like_options(shop)
    environment = {**os.environ, **FAST_SETUP, "PRE_COMMIT_HOME": str(home), "PRODLINT_CACHE_DIR": str(home / "cache")}
    command = [_pre_commit(), "try-repo", str(ROOT), "prodlint", "--ref", "HEAD", "--all-files"]
    run = subprocess.run(command, cwd=shop, capture_output=True, text=True, env=environment, check=False)
    assert run.returncode == 1, run.stdout + run.stderr
    assert "error[blocking-call]" in run.stdout
    assert {str(path): path.read_text() for path in (shop / "src").rglob("*.py")} == before


@pytest.mark.needs("git")
@pytest.mark.parametrize(("args", "code"), [("[--fail-on, error, --likely, --]", 1), ("[--fail-on, error]", 2)])
def test_args_of_the_user_end_with_a_separator(shop: Path, home: Path, args: str, code: int) -> None:
    """Without it nothing is done: a name could be an option."""
    before = _named_like_options(shop)
    revision = subprocess.run(["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    hook = f"repos:\n- repo: {ROOT}\n  rev: {revision.strip()}\n  hooks:\n  - id: prodlint\n    args: {args}\n"
    (shop / ".pre-commit-config.yaml").write_text(hook)
    _git(shop, "add", "-A")
    environment = {**os.environ, **FAST_SETUP, "PRE_COMMIT_HOME": str(home), "PRODLINT_CACHE_DIR": str(home / "cache")}
    command = [_pre_commit(), "run", "--all-files"]
    run = subprocess.run(command, cwd=shop, capture_output=True, text=True, env=environment, check=False)
    assert f"- exit code: {code}" in run.stdout, run.stdout + run.stderr
    assert ("no -- stands before the paths" in run.stdout) == (code == 2)
    assert {str(path): path.read_text() for path in (shop / "src").rglob("*.py")} == before

"""Real editors, with the set-ups that docs/editors.md shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.pages import ROOT
from tests.tools import missing

PAGE = (ROOT / "docs" / "editors.md").read_text(encoding="utf-8")
HERE = Path(__file__).parent
APP = """\
from fastapi import FastAPI

app = FastAPI()


async def send(): ...


@app.get("/")
async def index():
    send()
"""


def _shown(section: str, language: str, words: str) -> str:
    """The block of a section that has some words."""
    text = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    (part,) = (part for part in text if part.startswith(section))
    (block,) = (
        block for block in re.findall(rf"^```{language}\n(.*?)^```$", part, re.MULTILINE | re.DOTALL) if words in block
    )
    return str(block)


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "api.py").write_text(APP)
    (folder / "prodlint.toml").write_text('select = ["unawaited-coroutine"]\n')
    return folder


def _run(command: Sequence[str], shop: Path) -> str:
    """What a program says on standard output and error; prodlint is on its path, and its home is empty."""
    home = shop.parent / "home"
    home.mkdir(exist_ok=True)
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PRODLINT_CACHE_DIR": str(shop.parent / "cache"),
        "HOME": str(home),
    }
    for name in [name for name in environment if name.startswith("XDG_")]:
        del environment[name]
    run = subprocess.run(command, cwd=shop, env=environment, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr


@pytest.mark.needs("nvim", package="neovim")
def test_neovim_shows_a_finding_and_applies_its_fix(shop: Path) -> None:
    (shop.parent / "init.lua").write_text(_shown("Neovim", "lua", "start_client"))
    said = _run(
        ["nvim", "--headless", "-u", "../init.lua", "api.py", "-c", f"luafile {HERE / 'drive.lua'}"], shop
    ).splitlines()
    seen = [line for line in said if re.match(r"(diagnostic|action|line|no diagnostic)", line)]
    assert re.match(r"diagnostic 10:4 prodlint \[unawaited-coroutine\] `send` is a coroutine", seen[0]), said
    assert seen[1:3] == ["action 1 Await it (unsafe: have a look)", "action 2 Ignore unawaited-coroutine on this line"]
    assert seen[-2:] == ["line     await send()", "no diagnostic"]
    assert (shop / "api.py").read_text() == APP.replace("    send()", "    await send()")


def _emacs(shop: Path, package: str, setup: str, program: str) -> str:
    """What Emacs says that loads a package of Debian, a set-up and a program, and shows `api.py`."""
    emacs = ["emacs", "-q", "--batch"]  # with Debian's site file, which knows where packages are
    if "nil" in _run([*emacs, "--eval", f'(princ (locate-library "{package}"))'], shop):
        missing(f"Emacs has no {package}: Debian's package elpa-{package} has it")
    (shop.parent / "setup.el").write_text(f"{setup}\n(require '{package})\n")
    driver = f'(progn (find-file "api.py") {program})'
    return _run([*emacs, "-l", "../setup.el", "-l", str(HERE / "drive.el"), "--eval", driver], shop)


@pytest.mark.needs("emacs", package="emacs-nox")
def test_eglot_shows_a_finding(shop: Path) -> None:
    said = _emacs(
        shop,
        "eglot",
        _shown("Emacs", "elisp", "eglot"),
        """(let ((project-find-functions (list (lambda (_) (cons 'transient default-directory)))))
             (apply #'eglot (eglot--guess-contact))
             (flymake-mode 1)
             (message "found %s" (flymake-diagnostic-text
               (car (await "a diagnostic" (lambda () (flymake-start) (flymake-diagnostics)))))))""",
    )
    assert "`send` is a coroutine" in said


@pytest.mark.needs("emacs", package="emacs-nox")
def test_lsp_mode_shows_a_finding(shop: Path) -> None:
    said = _emacs(
        shop,
        "lsp-mode",
        _shown("Emacs", "elisp", "lsp-mode"),
        """(progn
             (setq lsp-auto-guess-root t lsp-enabled-clients '(prodlint) lsp-enable-file-watchers nil)
             (lsp-workspace-folders-add default-directory)
             (lsp)
             (message "found %s" (await "a diagnostic" (lambda () (gethash buffer-file-name (lsp-diagnostics))))))""",
    )
    assert "`send` is a coroutine" in said


def test_what_helix_reads_is_toml() -> None:
    settings = tomllib.loads(_shown("Helix", "toml", "language-server"))
    assert settings["language-server"]["prodlint"]["args"] == ["lsp"]
    assert all("prodlint" in language["language-servers"] for language in settings["language"])

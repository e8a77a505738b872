"""The extension for VS Code: it builds, and what is packaged is what has to be."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.lsp.conftest import played, start, stop
from tests.pages import ROOT

EXTENSION = ROOT / "editors" / "vscode"
MANIFEST = json.loads((EXTENSION / "package.json").read_text(encoding="utf-8"))


@pytest.mark.needs("npm")
def test_it_builds_and_packages(tmp_path: Path) -> None:
    folder = Path(
        shutil.copytree(EXTENSION, tmp_path / "vscode", ignore=shutil.ignore_patterns("node_modules", "dist"))
    )
    for command in (["npm", "install", "--no-audit", "--no-fund"], ["npm", "run", "package"]):
        run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
    assert not (folder / "package-lock.json").exists()
    with zipfile.ZipFile(folder / f"prodlint-{MANIFEST['version']}.vsix") as package:
        names = {name.lower() for name in package.namelist()}
        code = package.read("extension/dist/extension.js").decode()
    assert names == {
        "extension.vsixmanifest",
        "[content_types].xml",
        *(f"extension/{name}" for name in ("package.json", "readme.md", "license.txt", "dist/extension.js")),
    }
    assert "prodlint.restartServer" in code
    assert set(re.findall(r'require\("(vscode[\w-]*)', code)) == {"vscode"}, "everything else has to be in the bundle"


def test_versions_are_exact() -> None:
    assert "dependencies" not in MANIFEST
    assert [
        version for version in MANIFEST["devDependencies"].values() if not re.fullmatch(r"\d+\.\d+\.\d+", version)
    ] == []


def test_the_license_is_ours() -> None:
    assert (EXTENSION / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_its_commands_are_not_the_servers(shop: Path) -> None:
    """The client library registers those of the server, and VS Code refuses a second one of the same name."""
    own = {command["command"] for command in MANIFEST["contributes"]["commands"]}

    async def play() -> None:
        editor = await start(shop)
        assert editor.answers is not None and editor.answers.capabilities.execute_command_provider is not None
        assert not own & {*editor.answers.capabilities.execute_command_provider.commands}
        await stop(editor)

    played(play)

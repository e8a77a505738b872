"""A client in Node, on the implementation of the protocol that VS Code uses."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent / "node"
APP = """\
from fastapi import FastAPI

app = FastAPI(debug=True)


@app.get("/")
async def index():
    return 1
"""


@pytest.mark.needs("node", "npm")
def test_pushed_and_pulled_fixed_and_cancelled(tmp_path: Path) -> None:
    client = Path(shutil.copytree(HERE, tmp_path / "client"))
    install = ["npm", "install", "--no-audit", "--no-fund", "--no-package-lock"]
    installed = subprocess.run(install, cwd=client, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "api.py").write_text(APP)
    (shop / "prodlint.toml").write_text('select = ["debug-enabled"]\n')
    run = subprocess.run(
        ["node", "client.mjs", str(Path(sys.executable).with_name("prodlint")), str(shop)],
        cwd=client,
        env=os.environ | {"PRODLINT_CACHE_DIR": str(tmp_path / "cache")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stdout.splitlines() == [
        "pushed 2:6 debug-enabled",
        r'resolved "app = FastAPI(debug=False)\n"',
        "pushed nothing",
        "pulled full 2:6 debug-enabled",
        "workspace api.py 2:6 debug-enabled",
        "progress begin report end",
        "cancelled, then unchanged",
    ]

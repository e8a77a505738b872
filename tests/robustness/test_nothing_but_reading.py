"""prodlint reads the project and does nothing else: it runs none of it, looks nowhere else, writes nowhere else, and
sends nothing. Python's own audit events say so."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodlint.analysis.scheduler import _MIN_POOL_BYTES
from tests.pages import ROOT
from tests.robustness.processes import WATCHED, environment, write
from tests.robustness.watched import MARK

TRAP = f"""\
# {MARK}
import pathlib
pathlib.Path(__file__).with_name("sprung").touch()
"""
"""Python code that leaves a trace when it is run."""

HANDLER = f"""\
// {MARK}
const fs = require('fs');
const app = require('express')();
app.get('/', (req, res) => {{ console.log(req.url); res.send(fs.readFileSync('../outside/secret.txt')); }});
require('../outside/secret.js');
require('/etc/passwd.js');
app.listen(3000);
"""

PROJECT = {
    "prodlint.toml": 'exclude = ["/never/"]\n',
    "app.js": HANDLER,
    "main.py": f"# {MARK}\nfrom fastapi import FastAPI\nfrom ..outside import secret\nimport click, libcst, time\n"
    "app = FastAPI()\n@app.get('/')\nasync def index():\n    time.sleep(1)\n    print('x')\n",
    "large.py": f"# {MARK}\n" + f"# {'x' * 70}\n" * (_MIN_POOL_BYTES // 70 + 1),
    "package.json": '{"name": "a", "main": "../outside/secret.js", "scripts": {"start": "node ../outside/secret.js", '
    '"postinstall": "touch sprung"}, "workspaces": ["../outside"]}',
    "tsconfig.json": '{"extends": "../outside/tsconfig.json"}',
    "Dockerfile": "FROM node:22\nCOPY ../outside/secret.txt /\nRUN touch sprung\nCMD [\"node\", \"app.js\"]\n",
    "compose.yaml": "include: [../outside/compose.yaml]\nservices:\n  web:\n    build: .\n    env_file: ../outside/.env\n"
    "    extends: {file: ../outside/compose.yaml, service: web}\n",
    "nginx.conf": "http { include /etc/nginx/*.conf; include ../outside/*.conf; server { location / { proxy_pass http://web:3000; } } }\n",
    "web.service": "[Service]\nEnvironmentFile=/etc/passwd\nExecStart=/usr/bin/node app.js\n",
    "requirements.txt": "-r ../outside/requirements.txt\n",
    "ecosystem.config.js": f"// {MARK}\nrequire('fs').writeFileSync('sprung', '');\nmodule.exports = {{apps: [{{script: 'app.js'}}]}};\n",
    "start.sh": "#!/bin/sh\ntouch sprung\n. ../outside/env.sh\nexec node app.js\n",
    "pyproject.toml": '[build-system]\nbuild-backend = "backend"\nbackend-path = ["."]\n',
    "evil.pth": "import pathlib; pathlib.Path('sprung').touch()\n",
    "evil-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n",
    "evil-1.0.dist-info/entry_points.txt": "[prodlint.rules]\nevil = evil\n[pygments.lexers]\nevil = evil:Lexer\n",
} | dict.fromkeys((*("gunicorn.conf.py", "conftest.py", "sitecustomize.py", "usercustomize.py", "backend.py", "setup.py"), *("json.py", "socket.py", "multiprocessing/__init__.py", "click/__init__.py", "libcst/__init__.py"), *("msgspec.py", "tree_sitter/__init__.py", "pygments/__init__.py", "evil/__init__.py", "pathspec.py")), TRAP)  # fmt: skip

COMMANDS = [
    ("check", "--preview", "--unsafe-fixes", "--diff"),
    ("check", "--preview", "--statistics", "--no-cache"),
    ("check", "--output-format", "sarif", "-j", "1", "app.js", "main.py"),
    ("check", "--preview", "--fix", "--unsafe-fixes"),
    ("services",),
    ("facts", "."),
    ("explain", "app.js:4"),
    ("baseline",),
]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that would do harm if any of it were run, beside a folder that is none of its business."""
    folder = tmp_path / "project"
    write(folder, PROJECT)
    secrets = ("secret.js", "secret.txt", "secret.py", "compose.yaml", ".env", "a.conf", "requirements.txt", "env.sh")
    write(tmp_path / "outside", dict.fromkeys(secrets, "# secret\n"))
    (folder / "link.js").symlink_to(tmp_path / "outside" / "secret.js")
    (folder / "linked").symlink_to(tmp_path / "outside")
    return folder


def _events(project: Path, *arguments: str) -> list[list[str]]:
    """What a run did, each event with its arguments."""
    report = project.parent / "report"
    cache = project.parent / "cache"
    done = subprocess.run(
        [sys.executable, str(WATCHED), str(report), *arguments],
        cwd=project,
        env=environment(cache, PYTHONDONTWRITEBYTECODE="1"),
        capture_output=True,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    return [line.split("\t") for line in report.read_text().splitlines()]


_OWN = [
    *{ROOT, Path(sys.prefix), Path(sys.base_prefix), Path(sysconfig.get_path("stdlib")), Path(os.devnull)},
    *(Path(folder) for folder in sys.path if folder.endswith("-packages")),
]
_SETTINGS = ("prodlint.toml", "pyproject.toml", "package.json", ".gitignore")
_CHANGES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.mkdir",
    "os.chmod",
    "os.link",
    "os.symlink",
    "os.truncate",
    "shutil.",
)
_RUNS = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.startfile", "pty.")
_SENDS = ("socket.", "urllib.", "ftplib.", "http.", "smtplib.")


def _complaints(events: list[list[str]], project: Path, may_change: bool) -> Iterator[str]:
    """What an event should not have been."""
    cache = project.parent / "cache"

    def inside(path: Path, folders: list[Path]) -> bool:
        return any(path.is_relative_to(folder) for folder in folders)

    for event in events:
        name, arguments = event[0], event[1:]
        path = Path(os.path.normpath(project / arguments[0])) if arguments else project
        writes = name == "open" and int(arguments[2]) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
        if name == "exec" and inside(Path(arguments[0].removeprefix("code of ")), [project]):
            yield f"runs {arguments[0]}"
        elif name == "compile" and (arguments[0] == MARK or inside(Path(arguments[1]), [project])):
            yield f"compiles {arguments}"
        elif name.startswith((*_RUNS, *_SENDS)):
            yield str(event)
        elif name == "open" and arguments[0].isdigit():
            continue  # a descriptor that is open already
        elif writes or name.startswith(_CHANGES):
            if not inside(path, [cache, project] if may_change else [cache]):
                yield f"changes {path}: {event}"
        elif name in ("open", "os.listdir", "os.scandir"):
            is_settings = path.name in _SETTINGS and project.is_relative_to(path.parent)
            if not is_settings and not inside(path, [project, cache, *_OWN]):
                yield f"looks at {path}"


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_it_reads_the_project_and_nothing_else(project: Path, arguments: tuple[str, ...]) -> None:
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    events = _events(project, *arguments)
    changes = "--unsafe-fixes" in arguments or arguments == ("baseline",)
    assert sorted(set(_complaints(events, project, changes and "--diff" not in arguments))) == []
    assert any(event[:2] == ["open", str(project / "app.js")] for event in events)  # the events are those of this run
    after = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    changed = {path.name for path in {*before, *after} if before.get(path) != after.get(path)}
    if "--diff" in arguments or not changes:
        assert changed == set()
    assert "sprung" not in changed


def test_what_is_watched_is_seen(tmp_path: Path) -> None:
    """A run that does what it must not is told on, in worker processes too."""
    pack = tmp_path / "site"
    write(
        pack,
        {
            "bad-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: bad\nVersion: 1.0\n",
            "bad-1.0.dist-info/entry_points.txt": "[prodlint.rules]\nbad = bad_pack\n",
            "bad_pack/__init__.py": "",
            "bad_pack/rules/toys/bad.md": "---\nname: bad\nsummary: Bad.\nseverity: error\nlanguages: [python]\nfix: none\n"
            "since: 0.1.0\nstatus: stable\n---\n\n# bad\n",
            "bad_pack/checks/toys/bad.py": "import os, socket, subprocess\n\n\ndef check(program, rule):\n"
            "    data = program.read('a.py')\n    exec(compile(data, program_path(), 'exec'))\n    socket.socket().close()\n"
            "    subprocess.run(['true'])\n    open('../outside', 'w').close()\n    os.listdir('..')\n    return ()\n\n\n"
            "def program_path():\n    return os.path.abspath('a.py')\n",
        },
    )
    project = tmp_path / "project"
    write(project, {"a.py": f"# {MARK}\nx = 1\n", "prodlint.toml": ""})
    report = tmp_path / "report"
    env = environment(tmp_path / "cache", PYTHONDONTWRITEBYTECODE="1")
    env["PYTHONPATH"] += os.pathsep + str(pack)
    subprocess.run([sys.executable, str(WATCHED), str(report), "check"], cwd=project, env=env, check=False)
    events = [line.split("\t") for line in report.read_text().splitlines()]
    found = "\n".join(_complaints([event for event in events if str(pack) not in event[1]], project, False))
    for complaint in ("runs code of", "compiles", "socket.__new__", "subprocess.Popen", "changes", "looks at"):
        assert complaint in found


# --- modules that stand beside what is linted -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [["-m", "prodlint"], ["-I", "-m", "prodlint"], ["-P", "-m", "prodlint"]], ids=" ".join
)
def test_the_linted_tree_stands_in_for_no_module(project: Path, options: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *options, "check", "--preview", "--statistics"],
        cwd=project,
        env={**environment(project.parent / "cache"), "PYTHONPATH": ""},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert b"blocking-call" in done.stdout
    assert not list(project.rglob("sprung"))


SPAWNING = """\
import sys, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
sys.argv = ["prodlint", "check", "--preview", "--statistics", "--no-cache", "-j", "2"]
if __name__ == "__main__":
    from prodlint.cli import main
    main()
"""


def test_nor_in_worker_processes_that_begin_anew(project: Path) -> None:
    """So they do beside other threads, and where processes cannot fork."""
    script = project.parent / "spawning.py"
    script.write_text(SPAWNING)
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=project,
        env=environment(project.parent / "cache"),
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, b"")
    assert not list(project.rglob("sprung"))


# --- git --------------------------------------------------------------------------------------------------------------


@pytest.mark.needs("git")
def test_git_runs_nothing_that_the_repository_names(tmp_path: Path) -> None:
    """Filters and hooks, too, which git runs when it compares or refreshes files."""
    folder = tmp_path / "shop"
    write(folder, {"a.py": "x = 1\n", "prodlint.toml": "", ".gitattributes": "*.py filter=trap diff=trap\n"})
    trap = folder / "trap.sh"

    def git(*arguments: str) -> None:
        author = ("-c", "user.name=a", "-c", "user.email=a@b.invalid")
        subprocess.run(["git", *author, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "x")
    write(folder, {"trap.sh": f"#!/bin/sh\ntouch {tmp_path}/sprung\ncat\n", "a.py": "x = 2\n"})
    trap.chmod(0o755)
    for name in ("post-index-change", "fsmonitor-watchman", "post-checkout", "reference-transaction"):
        hook = folder / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_bytes(trap.read_bytes())
        hook.chmod(0o755)
    for setting in ("filter.trap.clean", "filter.trap.smudge", "diff.trap.textconv", "diff.trap.command", "core.pager"):
        git("config", setting, str(trap))
    (folder / ".git" / "config").write_text(
        (folder / ".git" / "config").read_text() + f'[filter "trap"]\nprocess = {trap}\n'
    )
    done = subprocess.run(
        [sys.executable, "-P", "-m", "prodlint", "check", "--diff-base", "HEAD"],
        cwd=folder,
        env=environment(tmp_path / "cache"),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert not (tmp_path / "sprung").exists()

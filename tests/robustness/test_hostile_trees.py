"""Trees made to break a linter. There is one clear message, or silence, and the rest is linted."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.analysis.session import Session
from prodlint.cli import cli
from prodlint.cli.check import _fix_and_report
from prodlint.cli.options import FORMATS
from prodlint.cli.terminal import Clock
from prodlint.extract import parsing
from prodlint.extract.extraction import extract
from prodlint.project import discovery
from prodlint.project.globs import ignore_spec, is_glob
from prodlint.project.settings import Choice
from prodlint.project.vfs import SIZE_LIMIT
from tests.robustness.processes import command, environment, run, write
from tests.tools import missing

HANDLER = "const fs = require('fs');\nrequire('express')().get('/', (req, res) => res.send(fs.readFileSync('x')));\n"
FOUND = ("app.js", 2, "blocking-call")
DEFECT = re.compile("prodlint failed|the rule .* failed|the fix .* failed|defect")


def _report(folder: Path, *arguments: str) -> tuple[set[tuple[str, int, str]], dict[str, str]]:
    """The findings (path, line, rule) and what went wrong (by path) in a run; everything must be said once."""
    done = run(
        folder, folder.parent / "cache", "check", "--preview", "--exit-zero", "--output-format", "json", *arguments
    )
    assert not DEFECT.search(done.stdout.decode() + done.stderr.decode())
    report = json.loads(done.stdout)
    errors = [(error["path"], error["message"]) for error in report["errors"]]
    assert len({path for path, _ in errors}) == len(errors), errors
    return {(found["path"], found["line"], found["rule"]) for found in report["findings"]}, dict(errors)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A project with a finding in it, to which harm can be added."""
    folder = tmp_path / "tree"
    write(folder, {"prodlint.toml": "", "app.js": HANDLER})
    return folder


# --- what a file can be -----------------------------------------------------------------------------------------------


def test_files_that_are_none(tree: Path) -> None:
    """Nothing is waited for, and nothing is walked twice."""
    for name in ("package.json", "Dockerfile", "compose.yaml", "x.py", "nginx.conf", "deep/prodlint.toml"):
        (tree / name).mkdir(parents=True)
        (tree / name / "inside.py").write_text("x = 1\n")
    for name in (
        ".gitignore",
        "deep/.gitignore",
        "deep/pyproject.toml",
        "deep/package.json",
        "deep/Dockerfile",
        "deep/b.js",
    ):
        os.mkfifo(tree / name)
    (tree / "loop").symlink_to(tree)
    (tree / "self.js").symlink_to("self.js")
    (tree / "there.js").symlink_to("back.js")
    (tree / "back.js").symlink_to("there.js")
    (tree / "zero.js").symlink_to("/dev/zero")
    (tree / "deep" / "up").symlink_to("..")
    if os.geteuid() == 0:
        os.mknod(tree / "null.py", stat.S_IFCHR | 0o666, os.makedev(1, 3))
        os.mknod(tree / "package-lock.json", stat.S_IFCHR | 0o666, os.makedev(1, 5))
    assert _report(tree) == ({FOUND}, {})
    found, errors = _report(tree, "zero.js", "deep/b.js", "package.json", "app.js")
    assert found == {FOUND}
    assert errors.pop("deep/b.js") == "not a regular file"
    assert all(path.endswith(("/dev/zero", "zero.js")) for path in errors), errors
    done = run(tree, tree.parent / "cache", "check", "-q", "self.js")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)


@pytest.mark.parametrize(("most", "number"), [("_MOST_FILES", 3), ("_MOST_ENTRIES", 15)])
def test_what_is_more_than_a_project_is_not_analysed(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], most: str, number: int
) -> None:
    """`/usr`, for one."""
    write(tree, {f"folder-{index}/{index}.py": "x = 1\n" for index in range(9)})
    assert len(Session.open([tree]).project.files) == 10
    monkeypatch.setattr(discovery, most, number)
    with pytest.raises(click.ClickException) as raised:
        cli.main(["check", "--no-cache", str(tree)], standalone_mode=False)
    assert raised.value.message.startswith(f"{tree} holds too much to be one project, with more than ")
    assert raised.value.message.endswith("Name the folder of one project, or `exclude` folders in its configuration")
    (tree / "prodlint.toml").write_text('exclude = ["folder-*"]\n')
    assert len(Session.open([tree]).project.files) == 1


def test_large_files(tree: Path) -> None:
    """A hundred megabytes are passed over with a word, and a line of a megabyte is read like any other."""
    write(
        tree,
        {
            "long.js": HANDLER + f"const a = '{'x' * 1_000_000}';\n" + "// x\n" * 300_000,
            "long.py": "x = [" + "'a', " * 300_000 + "]\n",
        },
    )
    for name in ("big.js", "big.py", "package.json", "nginx.conf", "compose.yaml"):
        with (tree / name).open("wb") as file:
            file.truncate(100_000_000)
    found, errors = _report(tree)
    assert {FOUND, ("long.js", 2, "blocking-call")} <= found
    skipped = "skipped: 100.0 MB is more than the limit of 10 MB"
    assert errors == dict.fromkeys(("big.js", "big.py", "package.json", "nginx.conf", "compose.yaml"), skipped)


def test_a_large_file_that_was_asked_for_is_a_failure(tree: Path) -> None:
    with (tree / "big.js").open("wb") as file:
        file.truncate(SIZE_LIMIT + 1)
    cache = tree.parent / "cache"
    assert run(tree, cache, "check", "--exit-zero", "-q").returncode == 0
    for arguments in (("big.js",), ("app.js", "big.js"), ("big.js", "--exit-zero")):
        done = run(tree, cache, "check", "-q", *arguments)
        assert (done.returncode, done.stdout) == (2, b"")
        assert done.stderr == b"big.js: skipped: 10.0 MB is more than the limit of 10 MB\n"


ENCODED = {
    "utf16le.js": "\ufeff" + HANDLER,
    "utf16be.py": "\ufeffimport time\n",
    "utf16le.json": '\ufeff{"name": "a"}',
    "utf16le.yaml": "\ufeffservices:\n  web: {image: node}\n",
}


def test_bytes_that_are_no_utf8(tree: Path) -> None:
    files: dict[str, str | bytes] = {
        "bom/bom.js": b"\xef\xbb\xbf" + HANDLER.encode(),
        "bom/crlf.js": HANDLER.replace("\n", "\r\n"),
        "bom/cr.py": "import time\rx = 1\r",
        "bom/compose.yaml": b"\xef\xbb\xbfservices:\r\n  web:\r\n    build: .\r\n",
        "bom/package.json": b'\xef\xbb\xbf{"name": "a", "scripts": {"start": "node bom.js"}}\r\n',
        "bom/Dockerfile": b'\xef\xbb\xbfFROM node:22\r\nCMD ["node", "bom.js"]\r\n',
        "nul.js": b"f();\0\0" + HANDLER.encode(),
        "nul.py": b"x = 1\0\n",
        "bad.js": b"// \xff\xfe\n" + HANDLER.encode(),
        "bad.py": b"x = '\xc3\x28'\n",
        "Dockerfile": b'FROM node:22\nENV A=\xff\xfe\nCMD ["node", "app.js"]\n',
        "compose.yml": b"services:\n  web:\n    image: '\xff'\n",
        "nginx.conf": b"http { server_name \xff; }\n",
        "a.service": b"[Service]\nExecStart=/usr/bin/node \xff\n\0\n",
    }
    for name, text in ENCODED.items():
        files[f"wide/{name}"] = text.encode("utf-16-be" if "be" in name else "utf-16-le")
    write(tree, files)
    found, errors = _report(tree)
    assert {FOUND, ("bom/bom.js", 2, "blocking-call"), ("bom/crlf.js", 2, "blocking-call")} <= found
    assert ("bad.js", 3, "blocking-call") in found
    for name in (
        "bad.js",
        "bad.py",
        "Dockerfile",
        "compose.yml",
        "nginx.conf",
        "a.service",
        "wide/utf16be.py",
        "wide/utf16le.js",
    ):
        assert errors[name].startswith("not UTF-8: byte 0x"), name
    assert not any(path.startswith("bom/") for path in errors)


def test_names(tree: Path) -> None:
    """Names that cannot be told in one line are passed over with a word; all others are names like any other."""
    for name in (b"a\nb.js", b"\xff.py", b"\x1b[31mred.js", b"bell\x07.py", b"\xe2\x80\xaeeno.js", b"sub\n/a.js"):
        target = tree / os.fsdecode(name)
        target.parent.mkdir(exist_ok=True)
        target.write_text(HANDLER)
    odd = (
        "-rf.js",
        " .js",
        "a b.js",
        "$(x).js",
        "'.js",
        "%s.js",
        "ü.js",
        "\U0001f600.js",
        "x" * 200 + ".js",
        "{a}.js",
        "*.js",
    )
    write(tree, dict.fromkeys(odd, HANDLER))
    found, errors = _report(tree)
    assert {path for path, _, rule in found if rule == "blocking-call"} == {"app.js", *odd}
    reasons = set(errors.values())
    assert reasons == {
        "skipped: its name is not valid UTF-8",
        "skipped: its name has line breaks or control characters",
    }
    assert len(errors) == 6
    cache = tree.parent / "cache"
    for name, reason in (
        ("a\nb.js", "skipped: its name has line"),
        ("no\x1b", "no such file"),
        ("\udcff.py", "skipped"),
    ):
        done = run(tree, cache, "check", "-q", name)
        assert (done.returncode, done.stderr.count(b"\n"), reason in done.stderr.decode()) == (2, 1, True)


def test_what_may_not_be_read(tree: Path) -> None:
    prefix: list[str] = []
    if os.geteuid() == 0:
        if shutil.which("setpriv") is None:
            missing("setpriv is not installed (Debian's package util-linux has it)")
        prefix = ["setpriv", "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]
    write(
        tree,
        {
            "locked/a.js": HANDLER,
            "b.js": HANDLER,
            "Dockerfile": "FROM node\n",
            "sub/.gitignore": "x\n",
            "sub/c.js": HANDLER,
        },
    )
    for name in ("locked", "b.js", "Dockerfile", "sub/.gitignore"):
        (tree / name).chmod(0)
    import subprocess

    done = subprocess.run(
        [*prefix, *command("check", "--output-format", "json", "--select", "blocking-call")],
        cwd=tree,
        env=environment(tree.parent / "cache"),
        capture_output=True,
        check=False,
    )
    for name in ("locked", "b.js", "Dockerfile", "sub/.gitignore"):
        (tree / name).chmod(0o700)
    report = json.loads(done.stdout)
    assert done.returncode == 2
    assert {error["path"]: error["message"] for error in report["errors"]} == {
        "b.js": "permission denied",
        "Dockerfile": "permission denied",
        "locked": "cannot be read: permission denied",
    }
    assert {found["path"] for found in report["findings"]} == {"app.js", "sub/c.js"}


# --- what stands in a file --------------------------------------------------------------------------------------------

DEPTH = 10_000
_BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))


def deep(text: str) -> str:
    """The text ten thousand times over, in short lines: else it would look like a generated file."""
    return (text * 50 + "\n") * (DEPTH // 50)


DEEP = {
    "a.js": deep("[") + "f()" + deep("]"),
    "b.js": deep("f(") + deep(")"),
    "c.js": deep("({a:") + "1" + deep("})"),
    "d.ts": "let x: " + deep("A<") + "B" + deep(">"),
    "e.tsx": deep("<a>") + deep("</a>"),
    "f.ts": deep("{"),
    "g.py": "x = " + deep("[") + "f()" + deep("]"),
    "h.py": deep("("),
    "i.py": deep("f(") + deep(")"),
    "j/package.json": deep('{"a":') + "1" + deep("}"),
    "k/package.json": '{"scripts": ' + deep("[") + deep("]") + "}",
    "l/compose.yaml": "services: " + deep("[") + deep("]"),
    "m/compose.yaml": "services: " + deep("{a: ") + deep("}"),
    "n/nginx.conf": "http {" + deep("server { location / {") + deep("}}") + "}",
    "o/nginx.conf": "http " + deep("{"),
    "p/Caddyfile": deep("a {\n") + deep("}\n"),
    "q/default.vcl": "sub vcl_recv {" + deep("if (a) {") + deep("}") + "}",
    "r/ecosystem.config.js": "module.exports = {apps: " + deep("[") + deep("]") + "}",
    "s/start.sh": deep("if a; then\n") + deep("$("),
    "t/Dockerfile": "FROM a\n" + deep("RUN a \\\n"),
    "u/k8s.yaml": "apiVersion: v1\nkind: Deployment\nspec: " + deep("{spec: ") + deep("}"),
    "v/tsconfig.json": '{"compilerOptions": {"paths": ' + deep("{") + deep("}") + "}}",
    "w/gunicorn.conf.py": "workers = " + deep("[") + deep("]"),
    "y/compose.yaml": f"{_BOMB}services:\n  web:\n    image: x\n    environment: *a39\n    ports: *a39\n",
    "x/pyproject.toml": "a = " + deep("["),
    "1/compose.yaml": "services:\n" + "- " * 300 + "a\n",
    "2/compose.yaml": "services:\n" + "".join(" " * level + "a:\n" for level in range(300)),
    "3/k8s.yaml": "kind: Deployment\napiVersion: v1\nspec:\r" + "".join(" " * level + "-\r" for level in range(300)),
    "4/compose.yaml": "services:\n" + ": " * 2_000,
    "5.py": "".join(" " * level + "if x:\n" + " " * level + " f'{" for level in range(600)),
    "z/fly.toml": "a = " + deep("[") + deep("]"),
}  # fmt: skip


def test_nesting_and_bombs_through_every_stage() -> None:
    """Extraction alone is tested with the readers; here everything is linked, checked and fixed, too."""
    files = {**DEEP, "app.js": HANDLER}
    session = Session.from_memory(files, {"preview": True, "select": ["all"]})
    assert [error for error in session.analysis.errors if error.is_failure] == []
    assert ("app.js", "blocking-call") in {(found.location.path, found.rule) for found in session.findings()}
    for finding in session.findings():
        session.fix_for(finding)
    assert session.fix_errors == []
    assert len(session.facts) == len(files)


@pytest.mark.parametrize("kind", ["javascript", "python", "compose", "package_json"])
def test_parsing_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """The clocks of this test run a second per question, and the parser asks ever so often."""
    ticks = iter(range(1_000_000))
    for clock in ("monotonic", "thread_time"):
        monkeypatch.setattr(parsing.time, clock, lambda: float(next(ticks)))
    facts = extract(b'{"a": 1}\n' * 5_000, kind, "x")
    assert [problem.message for problem in facts.problems] == [
        "not read: it is broken in a way that makes parsing it take too long"
    ]
    assert next(ticks) < 20
    assert len(facts.line_starts) == 5_001


def test_no_end_of_signs(monkeypatch: pytest.MonkeyPatch) -> None:
    """What tree-sitter's queries take a quadratic time for is not given to them."""
    for text in (b"[" * 50_000, b"({" * 25_000, b"* " * 50_000):
        for kind in ("javascript", "typescript", "python"):
            (problem,) = extract(text, kind, "x").problems
            assert problem.message.startswith("not read:")
    assert extract(b"x = [" + b"[1], " * 50_000 + b"]\n", "python", "x").problems == []
    assert extract(b"/" * 50_000 + b"\n", "javascript", "x").problems == []


def _imports(count: int) -> Iterator[tuple[str, str]]:
    for index in range(count):
        others = [(index + step) % count for step in (1, 2, 37)]
        yield f"js/m{index}.js", "".join(f"export * from './m{other}.js';\n" for other in others)
    for index in range(count // 10):
        others = [(index + step) % (count // 10) for step in (1, 2, 37)]
        yield f"py/m{index}.py", "".join(f"from .m{other} import *\n" for other in others)
        yield (
            f"cjs/m{index}.js",
            "module.exports = {" + ", ".join(f"...require('./m{other}')" for other in others) + "};\n",
        )


def test_modules_that_import_each_other() -> None:
    """Five thousand of them, each with all names of all others."""
    files = dict(_imports(5_000))
    files["js/m0.js"] += "export function slow() { return require('fs').readFileSync('x'); }\n"
    files["app.mjs"] = (
        "import express from 'express';\nimport {slow, missing} from './js/m4980.js';\n"
        "express().get('/', (req, res) => res.send(slow() + missing()));\n"
    )
    files["py/main.py"] = (
        "from .m1 import gone\nfrom fastapi import FastAPI\n@FastAPI().get('/')\nasync def f():\n    gone()\n"
    )
    session = Session.from_memory(files, {"select": ["blocking-call"]})
    assert [error for error in session.analysis.errors if error.is_failure] == []
    assert [(found.location.path, found.rule) for found in session.findings()] == [("js/m0.js", "blocking-call")]


# --- patterns ---------------------------------------------------------------------------------------------------------

CATASTROPHIC = [
    "*a" * 40 + "b",
    "**/a/" * 30 + "b",
    "a/**/" * 30 + "b",
    "/**/*a*a*a*a*a*/**/*a*a*a*a*a*/**/x",
    "?*" * 60 + "b",
]


def test_patterns_that_try_everything(tree: Path) -> None:
    """With a plain regular expression each of them would take longer than there is time."""
    deep = "/".join("a" * 60)
    write(tree, {f"{deep}/{'a' * 200}.js": HANDLER, f"{'a' * 200}.js": HANDLER})
    write(tree, {".gitignore": "\n".join([*CATASTROPHIC, "[z-a]", "[", "\\", "!", "**", "!**"]) + "\n"})
    listed = ", ".join(f'"{glob}"' for glob in CATASTROPHIC)
    ignored = "\n".join(f'"{glob}" = ["errors"]' for glob in CATASTROPHIC)
    write(tree, {"prodlint.toml": f"extend-exclude = [{listed}]\n[per-file-ignores]\n{ignored}\n"})
    found, errors = _report(tree, "--select", "blocking-call")
    assert (len(found), errors) == (3, {})


def test_settings_that_cannot_be_read_are_one_message(tree: Path) -> None:
    write(tree, {"prodlint.toml": 'exclude = ["[z-a]"]\n'})
    done = run(tree, tree.parent / "cache", "check")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    write(tree, {"prodlint.toml": "select = " + "[" * 50_000})
    done = run(tree, tree.parent / "cache", "check")
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert not is_glob("[z-a]")
    assert is_glob("[a-z]")


_PARTS = st.sampled_from(["a", "b", "*", "**", "/", "?", "[ab]", "/**/", "!", "\\*", "**/", "."])


@settings(max_examples=300)
@given(
    st.lists(_PARTS, min_size=1, max_size=10).map("".join), st.lists(st.sampled_from("ab/*."), min_size=1, max_size=14)
)
def test_patterns_match_what_pathspec_matches(pattern: str, letters: list[str]) -> None:
    from pathspec import GitIgnoreSpec

    path = re.sub("/+", "/", "".join(letters)).strip("/")
    try:
        expected = GitIgnoreSpec.from_lines([pattern]).check_file(path).include
    except ValueError:
        assert not is_glob(pattern)
    else:
        assert ignore_spec([pattern]).check_file(path).include == expected


# --- files that change meanwhile --------------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["vanish", "empty", "shrink", "folder", "fifo", "garbage"])
def test_files_that_change_while_they_are_linted(
    tree: Path, tmp_path: Path, change: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """After the walk, and again after the checks and before fixing and showing."""

    def disturb(names: tuple[str, ...]) -> None:
        for name in names:
            path = tree / name
            text = path.read_bytes()
            path.unlink()
            if change == "empty":
                path.touch()
            elif change == "shrink":
                path.write_bytes(text[: len(text) // 2])
            elif change == "folder":
                path.mkdir()
            elif change == "fifo":
                os.mkfifo(path)
            elif change == "garbage":
                path.write_bytes(bytes(random.Random(1).randrange(256) for _ in range(len(text))))

    wide = HANDLER.replace("'x'", "'\u00fc\u4e2d'").replace("(req", "async (req")
    write(tree, {f"{name}.js": wide for name in "abcdef"})
    write(
        tree,
        {"Dockerfile": 'FROM node:22\nCMD ["npm", "start"]\n', "package.json": '{"scripts": {"start": "node app.js"}}'},
    )
    monkeypatch.chdir(tree)
    session = Session.open([tree], choice=Choice(("blocking-call",)))
    disturb(("a.js", "b.js"))
    assert len(session.findings()) == 5
    disturb(("c.js", "d.js", "Dockerfile", "package.json"))
    for more in ({"outputs": [(name, str(tmp_path / name)) for name in FORMATS]}, {"diff": True}, {"quiet": True}):
        options = {**_NO_OPTIONS, "fix": "quiet" in more, "unsafe_fixes": "outputs" not in more, **more}
        assert _fix_and_report(session, options, Clock()) in (0, 1, 2)
    output = "".join(capfd.readouterr())
    assert not DEFECT.search(output), output
    assert b"await" in (tree / "e.js").read_bytes()
    assert (tree / "c.js").exists() == (change != "vanish")
    if change in ("shrink", "garbage", "empty"):
        assert b"await" not in (tree / "c.js").read_bytes()


_NO_OPTIONS = {
    **dict.fromkeys(("fix", "unsafe_fixes", "interactive", "diff", "diff_base", "baseline", "fail_on", "output_file")),
    **dict.fromkeys(("statistics", "quiet", "exit_zero", "output_format", "advice"), False),
    **{"fix_only": (), "outputs": (), "no_baseline": True, "likely": True, "color": "never"},
    **{"select": (), "extend_select": ()},
}

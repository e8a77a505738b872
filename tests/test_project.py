"""What the project promises about itself: whole small projects, the layers, the docs, the pre-commit hooks."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import grimp
import pytest
import yaml

from prodlint.project.settings import parse_settings
from prodlint.rulebook import load_rules
from tests.pages import ROOT

FIXTURES = ROOT / "tests" / "fixtures"
README = ROOT / "README.md"
DOCS = [README, *sorted(ROOT.glob("docs/*.md"))]


def _run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"COLUMNS": "80", "PYTHONUTF8": "1", "NO_COLOR": "1"}
    return subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def _prodlint(*arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return _run(sys.executable, "-m", "prodlint", *arguments, cwd=cwd)


def _relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _code_blocks(markdown: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", markdown, re.MULTILINE | re.DOTALL)


# --- whole projects ---------------------------------------------------------------------------------------------------


def _outside(project: Path, tmp_path: Path) -> Path:
    """A copy outside of this repository: inside, it would be the repository that is linted, and the project a test."""
    return Path(shutil.copytree(project, tmp_path / project.name))


@pytest.mark.parametrize("project", [pytest.param(p.parent, id=p.parent.name) for p in FIXTURES.glob("*/expected.txt")])
def test_fixture(project: Path, tmp_path: Path) -> None:
    result = _prodlint("check", "--no-cache", "--output-format", "json", cwd=_outside(project, tmp_path))
    assert result.returncode == 1, result.stderr
    report = json.loads(result.stdout)
    assert report["errors"] == []
    found = sorted(f"{item['path']}:{item['line']} {item['rule']}" for item in report["findings"])
    assert found == (project / "expected.txt").read_text(encoding="utf-8").splitlines()


def test_there_are_fixtures() -> None:
    own_tests = {"guide", "services"}  # test_guide.py, deploy/test_whole_projects.py
    folders = {path.name for path in FIXTURES.iterdir() if path.is_dir()} - own_tests
    assert folders == {path.parent.name for path in FIXTURES.glob("*/expected.txt")}
    assert folders


def test_the_helper_two_hops_away_has_its_path(tmp_path: Path) -> None:
    project = _outside(FIXTURES / "express-helpers", tmp_path)
    result = _prodlint("check", "--no-cache", "--output-format", "json", "lib", cwd=project)
    (finding,) = json.loads(result.stdout)["findings"]
    assert [f"{step['path']}:{step['line']}" for step in finding["trace"]] == [
        "routes/reports.js:16",
        "routes/reports.js:8",
        "services/report.js:8",
    ]


@pytest.mark.needs("node")
@pytest.mark.parametrize("folder", ["examples", "tests/fixtures"])
def test_the_javascript_that_we_show_is_javascript(folder: str) -> None:
    files = [path for path in (ROOT / folder).rglob("*.js") if "node_modules" not in path.parts]
    assert files
    for path in files:
        result = _run("node", "--check", path)
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("folder", ["examples", "tests/fixtures"])
def test_the_python_that_we_show_is_python(folder: str) -> None:
    files = list((ROOT / folder).rglob("*.py"))
    assert files
    for path in files:
        compile(path.read_text(encoding="utf-8"), path, "exec")


# --- layers -----------------------------------------------------------------------------------------------------------


def test_imports_point_downwards() -> None:
    result = _run(Path(sys.executable).with_name("lint-imports"), "--no-cache")
    assert result.returncode == 0, result.stdout


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Not even a package and a module inside of it, which the contracts do not see. Imports inside of functions and
    those for type checkers count as others do."""
    graph = grimp.build_graph("prodlint", cache_dir=None)
    imported = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    TopologicalSorter(imported).prepare()  # raises an error that has the circle


# --- README and docs --------------------------------------------------------------------------------------------------


def _sessions() -> list[tuple[str, list[str]]]:
    """The commands that the docs show, each with what they say it prints."""
    texts = [page.read_text(encoding="utf-8") for page in DOCS]
    blocks = [block.splitlines() for text in texts for block in _code_blocks(text, "console")]
    return [(command.removeprefix("$ "), lines) for command, *lines in blocks]


@pytest.mark.parametrize(("command", "lines"), _sessions())
def test_the_docs_show_what_prodlint_says(command: str, lines: list[str]) -> None:
    """Line by line and in order; `…` stands for what was left out."""
    program, *arguments = command.removeprefix(".venv/bin/").split()
    assert program == "prodlint"
    assert lines
    real = iter(_prodlint(*arguments, "--no-cache").stdout.splitlines())
    for line in lines:
        assert line == "…" or line in real, f"{command} does not say: {line}"


def test_the_generated_parts_of_the_docs_are_up_to_date() -> None:
    result = _run(sys.executable, "scripts/build_docs.py", "--check")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "page", [*DOCS, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "rules" / "README.md"], ids=_relative
)
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"^(`{3,}).*?^\1$", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", text)
    missing = [target for target in targets if "://" not in target and not (page.parent / target).exists()]
    assert not missing


@pytest.mark.parametrize("page", [page for page in DOCS if page.name != "editors.md"], ids=_relative)
def test_the_configurations_that_the_docs_show_are_valid(page: Path) -> None:
    for block in _code_blocks(page.read_text(encoding="utf-8"), "toml"):
        parse_settings(tomllib.loads(block)["tool"]["prodlint"], load_rules())


def test_ci_finds_the_readmes_test_command() -> None:
    (pattern,) = re.findall(r"grep -E '(.*)' README.md", (ROOT / ".ci" / "run").read_text(encoding="utf-8"))
    commands = re.findall(f"{pattern}.*$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(commands) == 1
    assert ".venv" in commands[0]


# --- pre-commit -------------------------------------------------------------------------------------------------------


def _hooks() -> dict[str, dict[str, str]]:
    return {hook["id"]: hook for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("src/app.js", True),
        ("src/app.mjs", True),
        ("src/app.cts", True),
        ("src/app.tsx", True),
        ("src/app.py", True),
        ("docker-compose.yml", True),
        ("deploy/api.Dockerfile", True),
        ("Dockerfile.prod", True),
        ("Procfile", True),
        ("package.json", True),
        ("shop.service", True),
        ("deploy/k8s/api.yaml", True),
        ("deploy/nginx.conf.template", True),
        ("proxy_params", True),
        ("ecosystem.config.json", True),
        ("fly.toml", True),
        (".env.production", True),
        ("tsconfig.json", False),
        ("app.css", False),
        ("app.pyc", False),
        ("README.md", False),
    ],
)
def test_hooks_get_the_files_that_prodlint_reads(path: str, wanted: bool) -> None:
    hooks = _hooks()
    assert set(hooks) == {"prodlint", "prodlint-fix"}
    for hook in hooks.values():
        assert bool(re.search(hook["files"], path)) == wanted


# --- a new rule -------------------------------------------------------------------------------------------------------


@pytest.fixture
def copy_of_the_project(tmp_path: Path) -> Path:
    """A checkout to make a rule in: prodlint and the rulebook's tests, with no rules but the new one."""
    root = tmp_path / "prodlint"
    ignored = shutil.ignore_patterns("__pycache__")
    for folder in ("prodlint", "scripts"):
        shutil.copytree(ROOT / folder, root / folder, ignore=ignored)
    for check in root.glob("prodlint/checks/*/[!_]*.py"):
        check.unlink()
    (root / "tests").mkdir()
    for name in ("pyproject.toml", "tests/pages.py", "tests/test_rule_pages.py"):
        shutil.copy(ROOT / name, root / name)
    return root


def _rule_tests(root: Path) -> subprocess.CompletedProcess[str]:
    return _run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_rule_pages.py", cwd=root)


def test_your_first_rule(copy_of_the_project: Path) -> None:
    """The exercise in CONTRIBUTING: what the scaffold makes fails, and with the files of the exercise all is well."""
    root = copy_of_the_project
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    (scaffold,) = re.findall(r"^python (scripts/new_rule\.py .*)$", text, re.MULTILINE)
    made = _run(sys.executable, *scaffold.split(), cwd=root)
    assert made.returncode == 0, made.stderr
    untouched = _rule_tests(root)
    assert untouched.returncode == 1, untouched.stdout
    for failing in ("test_front_matter", "test_page_and_deep_cases_have_what_a_reader_needs", "test_section"):
        assert f"FAILED tests/test_rule_pages.py::{failing}" in untouched.stdout
    files = re.findall(r"^`([^`\n]+)`:\n\n(`{3,})\w+\n(.*?)^\2$", text, re.MULTILINE | re.DOTALL)
    assert {path for path, _, _ in files} <= set(made.stdout.splitlines())
    for path, _, content in files:
        (root / path).write_text(content, encoding="utf-8")
    finished = _rule_tests(root)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["errors", "Buffer_Constructor"], "is no name"),
        (["mistakes", "buffer-constructor"], "invalid choice: 'mistakes'"),
        (["errors", "taken"], "there is a rule of that name"),
    ],
)
def test_a_rule_needs_a_name_of_its_own(copy_of_the_project: Path, arguments: list[str], complaint: str) -> None:
    taken = copy_of_the_project / "rules" / "blocking" / "taken.md"
    taken.parent.mkdir(parents=True)
    taken.write_text("A page.\n", encoding="utf-8")
    result = _run(sys.executable, "scripts/new_rule.py", *arguments, cwd=copy_of_the_project)
    assert result.returncode == 2
    assert complaint in result.stderr
    assert [path.name for path in copy_of_the_project.glob("rules/*/*")] == ["taken.md"]


# --- starting ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["= re.compile(", "@dataclass"])
def test_importing_compiles_nothing(code: str) -> None:
    modules = (ROOT / "prodlint").rglob("*.py")
    assert not [path for path in modules if re.search(rf"(?m)^(?! ).*{re.escape(code)}", path.read_text("utf-8"))]

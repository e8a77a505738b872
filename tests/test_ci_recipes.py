"""The action, run as a runner would run it, and the recipes of docs/ci.md: the files are what the services take, and the
commands work."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.pages import ROOT
from tests.tools import missing

ACTION = ROOT / "action.yml"
RECIPES = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
SCHEMAS = {
    "## GitHub Actions": "vendor.github-workflows",
    "## GitLab CI": "vendor.gitlab-ci",
    "## Azure Pipelines": "vendor.azure-pipelines",
    "## CircleCI": "vendor.circle-ci",
}


@pytest.fixture
def shops(tmp_path: Path) -> Path:
    """A repository with the examples in it, whose branch `origin/main` is all that there is."""
    folder = tmp_path / "shops"
    shutil.copytree(ROOT / "examples", folder)
    for arguments in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "all"],
        ["update-ref", "refs/remotes/origin/main", "HEAD"],
    ):
        subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)
    return folder


def _bash(script: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs a script as GitHub's runner does (its documentation of `shell: bash`)."""
    scripts = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=cwd,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "PATH": scripts,
            "NO_COLOR": "1",
            "PRODLINT_CACHE_DIR": str(cwd.parent / "c"),
            **environment,
        },
        check=False,
    )


# --- the action -------------------------------------------------------------------------------------------------------


def _steps() -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["runs"]["steps"]
    return steps


def _environment(step: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
    """The environment of a step: its `${{ inputs.x }}` as a runner fills them in, defaults included."""
    declared = yaml.safe_load(ACTION.read_text(encoding="utf-8"))["inputs"]
    values = {f"inputs.{name}": inputs.get(name, about["default"]) for name, about in declared.items()}
    assert inputs.keys() <= declared.keys()
    values["github.action_path"] = str(ROOT)
    return {
        name: re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: values[found[1]], text)
        for name, text in step["env"].items()
    }


class Ran:
    """What the action's second step did: its code, what it printed, and the files that a runner reads."""

    def __init__(self, shops: Path, **inputs: str) -> None:
        step = _steps()[1]
        files = {name: shops.parent / name for name in ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")}
        for file in files.values():
            file.write_text("")
        named = {name.replace("_", "-"): value for name, value in inputs.items()}
        program = str(Path(sys.executable).with_name("prodlint"))
        run = _bash(
            step["run"],
            shops,
            PRODLINT=program,
            **_environment(step, named),
            **{name: str(file) for name, file in files.items()},
        )
        self.code, self.out, self.err = run.returncode, run.stdout, run.stderr
        self.outputs = dict(line.split("=", 1) for line in files["GITHUB_OUTPUT"].read_text().splitlines())
        self.summary = files["GITHUB_STEP_SUMMARY"].read_text()


def test_the_action_is_one() -> None:
    _valid("vendor.github-actions", ACTION)


@pytest.mark.needs("bash", "git")
def test_the_action_annotates_sums_up_and_writes_sarif(shops: Path) -> None:
    ran = Ran(shops)
    assert ran.code == 1, ran.err
    assert re.search(r"^::error file=express-shop/.*title=prodlint%3A blocking-call", ran.out, re.MULTILINE)
    assert ran.outputs == {"exit-code": "1", "sarif-file": "prodlint.sarif"}
    assert json.loads((shops / "prodlint.sarif").read_text())["runs"][0]["results"]
    assert "blocking-call" in ran.summary


@pytest.mark.needs("bash", "git")
def test_the_actions_inputs(shops: Path) -> None:
    (shops / "a b").mkdir()
    (shops / "a b" / "app.py").write_text("import time\nasync def main():\n    time.sleep(1)\n")
    options = "--select blocking-call\n  --fail-on error"
    ran = Ran(
        shops, paths="a b\r\n\nfastapi-shop/src\n", args=options, sarif_file="", annotations="false", summary="no"
    )
    assert ran.code == 1, ran.err
    assert "error[blocking-call]" in ran.out
    assert "express-shop" not in ran.out.replace("fastapi-shop", "")
    assert ran.outputs == {"exit-code": "1"}
    assert ran.summary == ""
    assert not (shops / "prodlint.sarif").exists()


@pytest.mark.needs("bash", "git")
def test_the_action_knows_what_a_change_causes(shops: Path) -> None:
    assert Ran(shops, diff_base="origin/main").code == 0
    broken = Ran(shops, diff_base="no-such-branch")
    assert (broken.code, broken.outputs) == (2, {"exit-code": "2"})
    assert "no-such-branch" in broken.err


@pytest.mark.needs("bash")
def test_the_action_installs_itself(tmp_path: Path) -> None:
    step = _steps()[0]
    variables = tmp_path / "variables"
    inputs = {"python": sys.executable}
    temporary = str(tmp_path / "a b")
    Path(temporary).mkdir()
    run = _bash(step["run"], tmp_path, RUNNER_TEMP=temporary, GITHUB_ENV=str(variables), **_environment(step, inputs))
    assert run.returncode == 0, run.stderr
    name, _, program = variables.read_text().strip().partition("=")
    assert name == "PRODLINT"
    assert subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout


# --- the recipes ------------------------------------------------------------------------------------------------------


def _valid(schema: str, file: Path) -> None:
    """Checks a file against the schema of a service, which check-jsonschema carries."""
    program = shutil.which("check-jsonschema", path=str(Path(sys.executable).parent))
    if program is None:
        missing("check-jsonschema is not installed: pip install check-jsonschema")
    dialect = schema.removeprefix("vendor.")
    more = ["--data-transform", dialect] if dialect in ("gitlab-ci", "azure-pipelines") else []
    run = subprocess.run(
        [program, "--builtin-schema", schema, "--regex-variant", "python", *more, str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def _sections() -> dict[str, str]:
    parts = re.split(r"^(## .*)$", RECIPES, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("section", "schema"), SCHEMAS.items())
def test_what_a_service_reads_is_valid(section: str, schema: str, tmp_path: Path) -> None:
    blocks = _blocks(_sections()[section], "yaml")
    assert blocks
    for number, block in enumerate(blocks):
        file = tmp_path / f"{number}.yml"
        file.write_text(block, encoding="utf-8")
        _valid(schema, file)


def test_the_recipes_name_inputs_and_hooks_that_are_there() -> None:
    declared = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    for block in _blocks(_sections()["## GitHub Actions"], "yaml"):
        for step in yaml.safe_load(block)["jobs"]["prodlint"]["steps"]:
            if step.get("uses") == "./tools/prodlint":
                assert step.get("with", {}).keys() <= declared["inputs"].keys()
        assert {*re.findall(r"steps\.prodlint\.outputs\.([\w-]+)", block)} <= declared["outputs"].keys()
    hooks = {hook["id"] for hook in yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}
    for block in _blocks(_sections()["## pre-commit"], "yaml"):
        document = yaml.safe_load(block)
        shown = (
            document if isinstance(document, list) else [each for repo in document["repos"] for each in repo["hooks"]]
        )
        assert {hook["id"] for hook in shown} <= hooks
        assert all(hook.get("args", ["--"])[-1] == "--" for hook in shown)


def _commands() -> list[str]:
    """The calls of prodlint in all recipes."""
    found = re.findall(r"(?:^|[ /])(prodlint (?:check|baseline)[^'\n]*)$|prodlint'$", RECIPES, re.MULTILINE)
    quoted = re.findall(r"bin/(prodlint check[^']*)'", RECIPES)
    return [command for command in dict.fromkeys([*found, *quoted]) if command]


@pytest.mark.needs("bash", "git")
@pytest.mark.parametrize("command", _commands())
def test_the_commands_of_the_recipes_work(command: str, shops: Path) -> None:
    files = re.findall(r"=([\w./-]*\w)", command)
    for file in files:
        (shops / file).parent.mkdir(parents=True, exist_ok=True)
    if "baseline" in command:
        assert _bash("prodlint baseline", shops).returncode == 0
    run = _bash(command, shops, GITHUB_STEP_SUMMARY=str(shops / "summary.md"))
    expected = 0 if "--exit-zero" in command or "baseline" in command else 1
    assert run.returncode == expected, run.stdout + run.stderr
    assert [file for file in files if not (shops / file).stat().st_size] == []


def test_there_are_commands() -> None:
    assert len(_commands()) >= 6

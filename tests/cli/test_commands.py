"""The other commands: rules, rule, facts, services, init."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.pages import ROOT


def test_rules(shell: Shell) -> None:
    result = shell("rules")
    assert result.code == 0
    lines = result.out.splitlines()
    at = lines.index("toys")
    assert [line.split()[0] for line in lines[at + 1 : at + 6]] == [
        "bad-crash",
        "bad-error",
        "bad-new",
        "bad-safe",
        "bad-unsafe",
    ]
    assert lines[at + 3].endswith("A call of bad-new. (preview)")


def test_rules_as_json(shell: Shell) -> None:
    rules = json.loads(shell("rules", "--output-format", "json").out)
    (rule,) = [rule for rule in rules if rule["name"] == "bad-safe"]
    assert rule["practice"] == "toys"
    assert rule["fix"] == "safe"


def test_rule(shell: Shell) -> None:
    result = shell("rule", "bad-new")
    assert result.code == 0
    assert "A call of bad-new." in result.out
    assert "toys · warning · python, javascript · since 0.1.0 · no fix · preview" in result.out
    assert "Because `it` says so." in result.out
    assert "\x1b[" not in result.out
    assert "\x1b[" in shell("rule", "bad-new", "--color", "always").out
    assert json.loads(shell("rule", "bad-new", "--output-format", "json").out)["page"].startswith("# bad-new")


def test_an_unknown_rule(shell: Shell) -> None:
    result = shell("rule", "bad-nw")
    assert result.code == 2
    assert 'no rule is called "bad-nw"; did you mean "bad-new"?' in result.err
    assert "see prodlint rules" in shell("rule", "zzz").err


def test_facts(shell: Shell) -> None:
    result = shell("facts", "src/a.py")
    assert result.code == 0
    facts = json.loads(result.out)
    assert list(facts) == ["src/a.py"]
    call = facts["src/a.py"]["calls"][0]
    assert facts["src/a.py"]["values"][call["callee"]] == {"#": call["callee"], "kind": "GLOBAL", "text": "bad_error"}
    assert call["use"] == "STATEMENT"


def test_facts_of_what_cannot_be_read(shell: Shell) -> None:
    result = shell("facts", "missing.py")
    assert (result.code, result.err) == (2, "Error: no such file or folder: missing.py\n")


def test_services(shell: Shell) -> None:
    result = shell("services")
    assert (result.code, result.out) == (0, "")
    assert result.err.startswith("No service found")


# --- init -------------------------------------------------------------------------------------------------------------


def _checked(shell: Shell) -> None:
    """What was written is a configuration that prodlint takes."""
    assert shell("check", "--show-settings").code == 0


def test_init_writes_prodlint_toml(shell: Shell) -> None:
    (shell.folder / "prodlint.toml").unlink()
    result = shell("init")
    assert (result.code, result.out) == (0, "Wrote prodlint.toml\n")
    written = tomllib.loads(shell.read("prodlint.toml"))
    assert written["fail-on"] == "warning"
    assert written["project"]["handlers"] == written["project"]["offloaders"] == []
    _checked(shell)


@pytest.mark.parametrize(
    "old",
    [
        "",
        "[project]\nname = 'shop'   # a comment\n\n\n[tool.ruff]\nline-length=99\n",
        "[project]\nname = 'no line end'",
        "[project]\r\nname = 'shop'\r\n",
        "\ufeff[project]\nname = 'bom'\n",
        "tool.ruff.line-length = 99\n",
        "[tool]\nx = 1\n",
    ],
)
def test_init_adds_to_pyproject_and_changes_nothing_else(shell: Shell, old: str) -> None:
    (shell.folder / "prodlint.toml").unlink()
    shell.write("pyproject.toml", old)
    result = shell("init")
    assert (result.code, result.err) == (0, "")
    new = shell.read("pyproject.toml")
    assert new.startswith(old)
    assert ("\n" in new.replace("\r\n", "")) is ("\r\n" not in old)
    assert tomllib.loads(new.removeprefix("\ufeff"))["tool"]["prodlint"]["ignore"] == []
    _checked(shell)


@pytest.mark.parametrize("text", ["tool = {}\n", "tool = { ruff = {} }\n", "[project\n", "tool = 1\n"])
def test_init_leaves_a_pyproject_alone_that_cannot_be_added_to(shell: Shell, text: str) -> None:
    (shell.folder / "prodlint.toml").unlink()
    shell.write("pyproject.toml", text)
    result = shell("init")
    assert (result.code, result.out, shell.read("pyproject.toml")) == (2, "", text)
    assert result.err.startswith("Error: pyproject.toml: ")


def test_init_does_not_overwrite(shell: Shell) -> None:
    before = shell.read("prodlint.toml")
    result = shell("init")
    assert (result.code, result.err) == (2, "Error: prodlint.toml: is there already\n")
    assert shell.read("prodlint.toml") == before
    (shell.folder / "prodlint.toml").unlink()
    shell.write("pyproject.toml", "[tool.prodlint]\n")
    assert shell("init").err == "Error: pyproject.toml: has a table [tool.prodlint] already\n"


def test_init_elsewhere(shell: Shell) -> None:
    Path(shell.folder, "api").mkdir()
    assert shell("init", "api").code == 0
    assert (shell.folder / "api" / "prodlint.toml").is_file()


# --- explain ----------------------------------------------------------------------------------------------------------


def test_explain(shell: Shell) -> None:
    shell.write("src/server.js", "const app = require('express')();\nconst b = require('./page');\n")
    shell.write("src/page.js", "module.exports = { page };\n\nfunction page() {\n  return 1;\n}\n")
    shell.write("src/server.js", shell.read("src/server.js") + "app.get('/', (req, res) => res.send(b.page()));\n")
    shell.write("src/server.js", shell.read("src/server.js") + "app.listen(1);\n")
    result = shell("explain", "src/page.js:4")
    assert (result.code, result.err) == (0, "")
    first, context, *steps = result.out.splitlines()
    assert (first, context) == ("src/page.js:4 is in page()", "  request")
    assert [step.split()[0] for step in steps] == ["src/server.js:3", "src/server.js:3"]
    assert "Nothing that prodlint knows of" in shell("explain", "src/b.js:1").out


@pytest.mark.parametrize("place", ["src/a.py:1:5", "src/a.py:1-2", "src/a.py:1:1-1:4"])
def test_explain_takes_places_as_others_print_them(shell: Shell, place: str) -> None:
    assert shell("explain", place).out.startswith("src/a.py:1 is in ")


def test_explain_a_line_of_a_deployment_file(shell: Shell) -> None:
    shell.write("package.json", '{"name": "shop", "dependencies": {"express": "5"}}')
    shell.write("server.js", "require('express')().listen(80);\n")
    shell.write("Dockerfile", 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n')
    said = shell("explain", "Dockerfile:3").out
    assert "Dockerfile:3 is in build stage 0" in said
    assert "which starts server.js" in said


def test_a_practice_lists_its_rules(shell: Shell) -> None:
    said = shell("rule", "blocking").out
    assert said.startswith("blocking\n  blocking-call ")
    assert {rule["practice"] for rule in json.loads(shell("rule", "blocking", "--output-format", "json").out)} == {
        "blocking"
    }


def test_no_command_is_a_question_for_help(shell: Shell) -> None:
    result = shell()
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: prodlint")


def test_a_path_is_no_command(shell: Shell) -> None:
    result = shell("src")
    assert (result.code, "did you mean `prodlint check src`?" in result.err) == (2, True)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("src/a.py", "expected PATH:LINE"),
        ("src/a.py:x", "expected PATH:LINE"),
        ("src/a.py:9", "src/a.py has 2 lines"),
        ("src/missing.py:9", "no such file or folder: src/missing.py"),
    ],
)
def test_explain_what_is_not_there(shell: Shell, place: str, message: str) -> None:
    result = shell("explain", place)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_the_commands_are_known_without_a_grammar() -> None:
    """Where the wheel is built there are none, and its manual page is made from the commands."""
    program = (
        "import sys; sys.modules.update(dict.fromkeys(('tree_sitter', 'tree_sitter_json', 'libcst', 'pathspec')));"
        "from prodlint import cli; names = cli.cli.list_commands(None);"
        "assert all(cli.cli.get_command(None, name) for name in names if name != 'lsp')"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)

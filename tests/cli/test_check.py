"""`prodlint check`: options, exit codes, what is shown, and what goes wrong."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from prodlint.analysis import scheduler
from prodlint.cli import options
from prodlint.output import FORMATS
from prodlint.project.vfs import SIZE_LIMIT
from tests.cli.conftest import Shell
from tests.pages import ROOT


def _json(shell: Shell, *arguments: str) -> Any:
    return json.loads(shell("check", "--output-format", "json", *arguments).out)


def _rules(shell: Shell, *arguments: str) -> list[str]:
    """What is found, as `path:line rule`."""
    return [f"{item['path']}:{item['line']} {item['rule']}" for item in _json(shell, *arguments)["findings"]]


def test_everything_certain_is_shown(shell: Shell) -> None:
    assert _rules(shell) == ["src/a.py:1 bad-error", "src/a.py:2 bad-safe", "src/b.js:1 bad-unsafe"]
    assert shell("check").code == 1


def test_likely_findings_on_request(shell: Shell) -> None:
    assert _rules(shell, "--likely")[-1] == "src/b.js:2 bad-safe"
    shell.write("src/a.py", "")
    shell.write("src/b.js", "bad_safe(1, 2);")
    assert shell("check").code == 0
    assert shell("check", "--likely").code == 1


def test_findings_of_the_given_paths_only(shell: Shell) -> None:
    assert _rules(shell, "src/b.js") == ["src/b.js:1 bad-unsafe"]
    assert len(_rules(shell, "src")) == 3
    shell.write("other/c.py", "")
    assert _rules(shell, "other") == []


def test_paths_are_relative_to_the_working_directory(shell: Shell) -> None:
    inner = Shell(shell.folder / "src", shell.monkeypatch)
    assert _rules(inner) == ["a.py:1 bad-error", "a.py:2 bad-safe", "b.js:1 bad-unsafe"]
    assert _rules(inner, str(shell.folder / "src" / "b.js")) == ["b.js:1 bad-unsafe"]


def test_a_path_through_a_symbolic_link(shell: Shell) -> None:
    (shell.folder / "link").symlink_to("src")
    assert _rules(shell, "link/b.js") == ["src/b.js:1 bad-unsafe"]


# --- choosing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "rules"),
    [
        (["--select", "bad-error"], {"bad-error"}),
        (["--select", "bad-error,bad-safe"], {"bad-error", "bad-safe"}),
        (["--select", "bad-error", "--select", "bad-safe"], {"bad-error", "bad-safe"}),
        (["--ignore", "bad-error"], {"bad-safe", "bad-unsafe"}),
        (["--ignore", "toys"], set()),
        (["--select", "comments", "--extend-select", "bad-error"], {"bad-error"}),
    ],
)
def test_rules_are_chosen_by_name_or_practice(shell: Shell, arguments: list[str], rules: set[str]) -> None:
    assert {item["rule"] for item in _json(shell, *arguments)["findings"]} == rules


def test_preview_rules(shell: Shell) -> None:
    shell.write("src/a.py", "bad_new()\n")
    shell.write("src/b.js", "")
    assert _rules(shell) == []
    assert _rules(shell, "--select", "bad-new") == ["src/a.py:1 bad-new"]
    assert _rules(shell, "--preview", "--ignore", "bad-crash") == ["src/a.py:1 bad-new"]


def test_an_unknown_rule(shell: Shell) -> None:
    result = shell("check", "--select", "bad-eror")
    assert (result.code, result.out) == (2, "")
    assert result.err == 'Error: no rule or practice is called "bad-eror"; did you mean "bad-error"?\n'


def test_settings_change_severity_and_files(shell: Shell) -> None:
    shell.write(
        "prodlint.toml",
        'select = ["toys"]\n[severity]\nbad-error = "advice"\n[per-file-ignores]\n"*.js" = ["toys"]\n'
        '"src/a.py" = ["bad-safe"]\n',
    )
    (finding,) = _json(shell)["findings"]
    assert (finding["rule"], finding["severity"]) == ("bad-error", "advice")


def test_a_configuration_by_name(shell: Shell) -> None:
    config = shell.folder.parent / "elsewhere.toml"
    config.write_text('select = ["bad-error"]\n')
    assert _rules(shell, "--config", str(config)) == ["src/a.py:1 bad-error"]
    missing = shell("check", "--config", "missing.toml")
    assert (missing.code, "missing.toml: cannot be read: no such file" in missing.err) == (2, True)


def test_show_settings(shell: Shell) -> None:
    shell.write("prodlint.toml", 'select = ["toys"]\nfail-on = "error"\n[severity]\nbad-safe = "error"\n')
    result = shell("check", "--show-settings", "--ignore", "bad-error")
    shown = json.loads(result.out)
    assert result.code == 0
    assert shown["config"] == str(shell.folder / "prodlint.toml")
    assert shown["fail-on"] == "error"
    assert shown["rules"] == {"bad-safe": {"severity": "error"}, "bad-unsafe": {"severity": "advice"}}


# --- exit codes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "arguments", "code"),
    [
        ("bad-unsafe", [], 0),
        ("bad-unsafe", ["--fail-on", "advice"], 1),
        ("bad-unsafe", ["--fail-on", "warning"], 0),
        ("bad-safe", ["--fail-on", "warning"], 1),
        ("bad-safe", ["--fail-on", "error"], 0),
        ("bad-error", ["--fail-on", "error"], 1),
        ("bad-error", ["--exit-zero"], 0),
        ("bad-new", [], 0),
    ],
)
def test_exit_codes(shell: Shell, rules: str, arguments: list[str], code: int) -> None:
    assert shell("check", "--select", rules, *arguments).code == code


def test_fail_on_in_the_settings(shell: Shell) -> None:
    shell.write("prodlint.toml", 'select = ["bad-safe"]\nfail-on = "error"\n')
    assert shell("check").code == 0
    assert shell("check", "--fail-on", "warning").code == 1


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--fail-on", "bad"], ["--output-format", "x"], ["-"]])
def test_wrong_usage(shell: Shell, arguments: list[str]) -> None:
    result = shell("check", *arguments)
    assert (result.code, result.out) == (2, "")
    assert "Error: " in result.err


def test_a_broken_configuration_is_one_message(shell: Shell) -> None:
    shell.write("prodlint.toml", '\nselect = ["toys"\n')
    result = shell("check")
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith(f"Error: {shell.folder / 'prodlint.toml'}:")
    assert result.err.count("\n") == 1


# --- what goes wrong --------------------------------------------------------------------------------------------------


def _errors(shell: Shell, *arguments: str) -> list[tuple[str | None, str]]:
    return [(item["path"], item["message"]) for item in _json(shell, *arguments)["errors"]]


def test_a_missing_path_is_a_failure_and_the_rest_is_linted(shell: Shell) -> None:
    assert shell("check", "missing", "src/b.js").code == 2
    assert _errors(shell, "missing", "src/b.js") == [("missing", "no such file or folder")]
    assert _rules(shell, "missing", "src/b.js") == ["src/b.js:1 bad-unsafe"]
    assert shell("check", "missing").code == 2
    assert shell("check", "/no/such/place", "src/b.js").code == 2
    assert shell("check", "missing", "--exit-zero").code == 2


def test_a_syntax_error_is_said_and_the_sound_part_linted(shell: Shell) -> None:
    shell.write("src/c.py", "bad_error()\ndef (:\n\nbad_safe()\n")
    errors = _errors(shell, "src/c.py")
    assert [path for path, _ in errors] == ["src/c.py"]
    assert "src/c.py:1 bad-error" in _rules(shell, "src/c.py")
    shell.write("src/c.py", "x = 1\ndef (:\n")
    assert shell("check", "src/c.py").code == 0
    assert _errors(shell, "src/a.py") == []


def test_invalid_utf8_and_empty_files(shell: Shell) -> None:
    shell.write("src/c.py", b"x = '\xff'\nbad_error()\n")
    shell.write("src/d.js", b"bad_error('\xff');\n")
    shell.write("src/e.js", b"")
    shell.write("src/g.py", b"# coding: latin-1\nx = '\xff'\n")
    shell.write("src/f.py", b"")
    assert _rules(shell, "src/c.py", "src/d.js", "src/e.js", "src/f.py") == [
        "src/c.py:2 bad-error",
        "src/d.js:1 bad-error",
    ]

    assert _errors(shell) == [("src/c.py", "not UTF-8: byte 0xff"), ("src/d.js", "not UTF-8: byte 0xff")]


def test_a_file_that_is_too_large_is_skipped_and_said(shell: Shell) -> None:
    shell.write("src/c.js", b"x();" * (SIZE_LIMIT // 4 + 1))
    shell.write("src/d.min.js", b"x();" * (SIZE_LIMIT // 4 + 1))
    assert _errors(shell) == [("src/c.js", "skipped: 10.0 MB is more than the limit of 10 MB")]
    assert len(_rules(shell)) == 3
    assert shell("check", "--exit-zero").code == 0


def test_generated_files_are_left_out_unless_given(shell: Shell) -> None:
    shell.write("src/c.js", "// @generated\nbad_error();\n")
    assert "src/c.js:2 bad-error" not in _rules(shell)
    assert _rules(shell, "src/c.js") == ["src/c.js:2 bad-error"]


def test_a_rule_that_fails_is_named_and_the_others_go_on(shell: Shell) -> None:
    arguments = ["--extend-select", "bad-crash", "--exit-zero"]
    ((path, message),) = _errors(shell, *arguments)
    assert path is None
    assert message.startswith("the rule bad-crash failed: ValueError: what a pity (bad_crash.py:")
    assert len(_rules(shell, *arguments)) == 3
    assert shell("check", *arguments).code == 2


def test_a_file_on_which_prodlint_fails(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    real = scheduler.extract

    def extract(data: bytes, kind: str, path: str) -> Any:
        if path == "src/a.py":
            raise RecursionError("too deep")
        return real(data, kind, path)

    monkeypatch.setattr(scheduler, "extract", extract)
    ((path, message),) = _errors(shell, "--no-cache")
    assert (path, "RecursionError: too deep" in message) == ("src/a.py", True)
    assert _rules(shell, "--no-cache") == ["src/b.js:1 bad-unsafe"]
    assert shell("check", "--no-cache").code == 2


def test_a_defect_is_no_finding(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    from prodlint.analysis.session import Session

    monkeypatch.setattr(Session, "findings", lambda self: 1 / 0)
    result = shell("check")
    assert result.code == 2
    assert "ZeroDivisionError" in result.err
    assert "defect in prodlint" in result.err


def test_nothing_to_check(shell: Shell) -> None:
    shell.write("docs/readme.md", "")
    result = shell("check", "docs")
    assert (result.code, result.out, result.err) == (0, "No files to check (tests are skipped by default)\n", "")


@pytest.mark.parametrize("output_format", ["text", "concise", "json", "sarif", "github", "markdown"])
def test_the_report_after_fixing_is_on_standard_output(shell: Shell, output_format: str) -> None:
    result = shell("check", "--fix", "--output-format", output_format)
    assert "bad-error" in result.out
    assert "bad-error" not in result.err.partition("Fixed")[2].partition("\n")[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--diff", "--output-format", "json"), "leave out --diff to get json"),
        (("--statistics", "--output", "sarif"), "does not go with sarif"),
    ],
)
def test_options_that_cannot_both_have_their_way(shell: Shell, options: tuple[str, ...], message: str) -> None:
    result = shell("check", *options)
    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_report_in_a_file_is_summed_up(shell: Shell) -> None:
    result = shell("check", "--output-file", "report.txt")
    assert result.out == ""
    assert result.err.startswith("2 findings (1 error, 1 warning)")
    assert "1 advice hidden: --advice shows it" in result.err


def test_quiet_says_only_what_went_wrong(shell: Shell) -> None:
    result = shell("check", "-q")
    assert (result.code, result.out, result.err) == (1, "", "")
    result = shell("check", "-q", "missing")
    assert (result.code, result.out, result.err) == (2, "", "Error: no such file or folder: missing\n")


def test_quiet_still_writes_what_machines_read(shell: Shell) -> None:
    assert json.loads(shell("check", "-q", "--output-format", "json").out)["findings"]


# --- standard input ---------------------------------------------------------------------------------------------------


def test_standard_input_stands_for_a_file(shell: Shell) -> None:
    arguments = ["check", "-", "--stdin-filename", "src/a.py", "--output-format", "json"]
    result = shell(*arguments, stdin=b"x = 1\nbad_error()\n")
    assert [(item["path"], item["line"]) for item in json.loads(result.out)["findings"]] == [("src/a.py", 2)]
    new = shell("check", "-", "--stdin-filename", "src/new/x.py", "--output-format", "json", stdin=b"bad_error()\n")
    assert [item["path"] for item in json.loads(new.out)["findings"]] == ["src/new/x.py"]


def test_a_fix_of_standard_input_is_written_to_standard_output(shell: Shell) -> None:
    result = shell("check", "-", "--stdin-filename", "src/a.py", "--fix", stdin=b"bad_safe()\nbad_error()\n")
    assert (result.code, result.out) == (1, "good()\nbad_error()\n")
    assert "bad-error" in result.err
    assert shell.read("src/a.py") == "bad_error()\nbad_safe()\n"


# --- fixes ------------------------------------------------------------------------------------------------------------


def test_fix_makes_the_safe_ones(shell: Shell) -> None:
    result = shell("check", "--fix")
    assert result.code == 1
    assert "Fixed 1 finding in 1 file." in result.err
    assert shell.read("src/a.py") == "bad_error()\ngood()\n"
    assert shell.read("src/b.js") == "bad_unsafe();\nbad_safe(1, 2);\n"
    assert "bad-safe" not in result.out
    assert shell("check", "--fix", "--select", "bad-safe").code == 0


def test_unsafe_fixes_makes_both(shell: Shell) -> None:
    shell("check", "--fix", "--unsafe-fixes")
    assert (shell.read("src/a.py"), shell.read("src/b.js")) == ("bad_error()\ngood()\n", "good();\nbad_safe(1, 2);\n")


def test_fixes_stay_within_the_given_paths(shell: Shell) -> None:
    shell("check", "--fix", "--unsafe-fixes", "src/b.js")
    assert (shell.read("src/a.py"), shell.read("src/b.js")) == (
        "bad_error()\nbad_safe()\n",
        "good();\nbad_safe(1, 2);\n",
    )


def test_diff_changes_nothing(shell: Shell) -> None:
    result = shell("check", "--diff")
    assert result.code == 1
    assert result.out == "--- a/src/a.py\n+++ b/src/a.py\n@@ -1,2 +1,2 @@\n bad_error()\n-bad_safe()\n+good()\n"
    assert "Would fix 1 finding in 1 file." in result.err
    assert shell.read("src/a.py") == "bad_error()\nbad_safe()\n"
    assert shell("check", "--diff", "--select", "bad-error").code == 0
    assert "b/src/b.js" in shell("check", "--diff", "--unsafe-fixes").out


# --- ignore comments --------------------------------------------------------------------------------------------------


def test_ignore_comments(shell: Shell) -> None:
    shell.write("src/a.py", "bad_error()  # prodlint: ignore[bad-error] for now\n# prodlint: ignore\nbad_safe()\n")
    assert _rules(shell) == ["src/b.js:1 bad-unsafe"]


def test_unused_ignore_comments_and_their_fix(shell: Shell) -> None:
    shell.write("src/b.js", "")
    shell.write("src/a.py", "x = 1  # prodlint: ignore[bad-error] for now\nbad_safe()  # prodlint: ignore[bad-safe]\n")
    arguments = ["--extend-select", "unused-ignore"]
    assert _rules(shell, *arguments) == ["src/a.py:1 unused-ignore"]
    assert _rules(shell, *arguments, "--ignore", "bad-error") == []
    shell("check", "--fix", *arguments)
    assert shell.read("src/a.py") == "x = 1\nbad_safe()  # prodlint: ignore[bad-safe]\n"


# --- output, cache, facts ---------------------------------------------------------------------------------------------


def test_output_file(shell: Shell) -> None:
    result = shell("check", "--output-format", "json", "-o", "report.json", "--color", "always")
    assert (result.code, result.out) == (1, "")
    assert len(json.loads(shell.read("report.json"))["findings"]) == 3
    failed = shell("check", "-o", "no/such/folder/report.txt")
    assert (failed.code, "report.txt" in failed.err) == (2, True)


@pytest.mark.parametrize("output_format", ["text", "concise", "json", "sarif", "markdown"])
def test_every_format_has_every_finding(shell: Shell, output_format: str) -> None:
    out = shell("check", "--output-format", output_format, "--advice").out
    assert all(rule in out for rule in ("bad-error", "bad-safe", "bad-unsafe"))


@pytest.mark.parametrize("output_format", ["text", "concise", "markdown"])
@pytest.mark.parametrize(
    ("arguments", "is_shown"),
    [
        ([], False),
        (["--advice"], True),
        (["--fail-on", "advice"], True),
        (["--fail-on", "error"], False),
        (["--select", "bad-unsafe"], True),
        (["--extend-select", "toys"], True),
        (["--ignore", "bad-safe"], False),
    ],
)
def test_people_see_advice_on_request(shell: Shell, output_format: str, arguments: list[str], is_shown: bool) -> None:
    assert ("bad-unsafe" in shell("check", "--output-format", output_format, *arguments).out) == is_shown


def test_advice_is_counted_and_machines_have_it(shell: Shell) -> None:
    out = shell("check", "--output", "text", "--output", "json=report.json").out
    assert "1 advice hidden: --advice shows it" in out.splitlines()
    assert {item["rule"] for item in json.loads(shell.read("report.json"))["findings"]} >= {"bad-unsafe"}


def test_advice_is_fixed_as_ever(shell: Shell) -> None:
    assert "1 bad-unsafe" in shell("check", "--fix", "--unsafe-fixes").err


def test_advice_in_the_settings_is_shown(shell: Shell) -> None:
    shell.write("prodlint.toml", 'select = ["bad-unsafe"]\nfail-on = "advice"\n')
    result = shell("check")
    assert (result.code, "bad-unsafe" in result.out) == (1, True)


def test_statistics(shell: Shell) -> None:
    assert "1 " in shell("check", "--statistics").out


@pytest.mark.parametrize(
    ("environment", "arguments", "is_colored"),
    [
        ({}, [], False),
        ({}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, [], True),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, [], False),
        ({"NO_COLOR": "1"}, ["--color", "always"], True),
        ({"FORCE_COLOR": "1"}, ["--color", "never"], False),
    ],
)
def test_color(shell: Shell, environment: dict[str, str], arguments: list[str], is_colored: bool) -> None:
    for name, value in environment.items():
        shell.monkeypatch.setenv(name, value)
    assert ("\x1b[" in shell("check", *arguments).out) is is_colored


def test_the_cache_is_where_it_should_be_and_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    without = _rules(shell, "--no-cache")
    assert not (tmp_path / "cache").exists()
    assert without == _rules(shell) == _rules(shell)
    assert [path.suffix for path in (tmp_path / "cache").iterdir()] == [".sqlite"]
    _rules(shell, "--cache-dir", str(tmp_path / "other"))
    assert (tmp_path / "other").is_dir()


def test_facts_from_a_shard(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _rules(shell)
    assert shell("facts", "src/a.py", "--output-format", "msgpack", "-o", "one").code == 0
    assert shell("facts", "src/b.js", "--output-format", "msgpack", "-o", "two").code == 0
    monkeypatch.setattr(scheduler, "extract", lambda *_: 1 / 0)
    assert _rules(shell, "--no-cache", "--facts", "one", "--facts", "two") == before
    shell.write("bad", "nonsense")
    result = shell("check", "--facts", "bad")
    assert (result.code, result.err) == (
        2,
        "Error: bad: not a file that `prodlint facts --output-format msgpack` wrote\n",
    )


def test_timings(shell: Shell) -> None:
    assert "extract" in shell("check", "--timings").err


# --- the process ------------------------------------------------------------------------------------------------------


def _start(shell: Shell, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "prodlint", *arguments]
    return subprocess.Popen(
        command,
        cwd=shell.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE,
    )


def test_a_reader_that_goes_away_is_no_drama(shell: Shell) -> None:
    shell.write("prodlint.toml", "")
    shell.write("src/a.py", "x = 1\n" * 200 + "# prodlint: ignore[nonsense]\n" * 3000)
    with _start(shell, "check", "--output-format", "json", "--no-cache") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_a_terminal_that_knows_few_characters(shell: Shell) -> None:
    shell.monkeypatch.setenv("PYTHONIOENCODING", "latin-1")
    shell.write("src/a.py", "# prodlint: ignore[→]\n")
    shell.write("prodlint.toml", "")
    with _start(shell, "check", "--no-cache", "--advice") as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, b"")
    assert b"ignore[\\u2192]" in out


def test_ctrl_c(shell: Shell) -> None:
    with _start(shell, "check", "-", "--stdin-filename", "src/a.py") as process:
        time.sleep(0.5)  # it waits for standard input, or is on its way there
        process.send_signal(signal.SIGINT)
        _, err = process.communicate()
    assert process.returncode in (130, -signal.SIGINT)  # the shell shows 130 for both
    assert b"Traceback" not in err


def test_version() -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "prodlint", "--version"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "prodlint 0.1.0\n"
    assert not [
        name for name in ("msgspec", "pathspec", "sqlite3", "tree_sitter", "tomllib") if f" {name}\n" in done.stderr
    ]


# --- several outputs


def test_several_formats_at_once(shell: Shell) -> None:
    result = shell("check", "--output", "concise", "--output", "json=out.json", "--output", "junit=out.xml")
    assert result.code == 1
    assert "src/a.py:1:1: error[bad-error]" in result.out
    assert len(json.loads(shell.read("out.json"))["findings"]) == 3
    assert 'failures="3"' in shell.read("out.xml")


def test_a_dash_is_standard_output(shell: Shell) -> None:
    assert json.loads(shell("check", "--output", "json=-").out)["findings"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--output", "sarrif=x"), 'did you mean "sarif"'),
        (("--output", "text", "--output", "json=-"), "two formats cannot go to the same place"),
        (("--output", "text", "--output-format", "json"), "use one or the other"),
    ],
)
def test_outputs_that_cannot_be(shell: Shell, arguments: tuple[str, ...], message: str) -> None:
    result = shell("check", *arguments)
    assert result.code == 2
    assert message in result.err


def test_the_command_line_knows_every_format() -> None:
    assert sorted(options.FORMATS) == sorted(FORMATS)


@pytest.mark.parametrize("is_named", [True, False])
def test_a_cache_in_the_repository_is_not_believed(shell: Shell, is_named: bool) -> None:
    (shell.folder / ".git").mkdir()
    shell.write("svc/prodlint.toml", 'select = ["toys"]\n')
    shell.write("svc/a.py", "bad_error()\n")
    shell.monkeypatch.delenv("PRODLINT_CACHE_DIR")
    arguments = ("--cache-dir", ".cache") if is_named else ()
    if not is_named:
        shell.monkeypatch.setenv("XDG_CACHE_HOME", str(shell.folder / ".cache"))
    result = shell("check", "svc", "--output-format", "concise", *arguments)
    assert result.code == 1
    assert result.err.count("\n") == 1
    assert "is not used: it lies among the files that are linted" in result.err
    assert not (shell.folder / ".cache").exists()
    assert shell("check", "svc", "--output-format", "concise", "--no-cache").err == ""


def test_names_are_no_options_behind_a_separator(shell: Shell) -> None:
    shell.write("--output-file=src", "")
    shell.write("-x.py", "bad_error()\n")
    for names in (["--output-file=src/a.py"], ["src/a.py", "--exit-zero"], []):
        done = shell("check", "--require-separator", *names)
        assert (done.code, "no -- stands before the paths" in done.err) == (2, True)
    assert shell("check", "--require-separator", "--", "src/a.py", "-x.py").code == 1
    assert shell("check", "--require-separator", "--exit-zero", "--", "--output-file=src/a.py").code == 2
    assert shell.read("src/a.py") == "bad_error()\nbad_safe()\n"
    assert _rules(shell, "--require-separator", "--", "-x.py") == ["-x.py:1 bad-error"]

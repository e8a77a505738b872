"""Nothing is written through a link that a project brings along, over a source, or outside: by no command."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Shell

BAD = "bad_safe()\n"


@pytest.fixture
def victim(shell: Shell) -> Path:
    """A project beside the linted one, which has findings too, and links into it."""
    folder = shell.folder.parent / "victim"
    folder.mkdir()
    (folder / "a.py").write_text(BAD)
    (folder / "prodlint.toml").write_text('select = ["toys"]\n')
    (folder / "package.json").write_text("{}")
    (shell.folder / "src" / "link.py").symlink_to(folder / "a.py")
    (shell.folder / "src" / "linked").symlink_to(folder)
    (shell.folder / "src" / "up.py").symlink_to("../../victim/a.py")
    return folder


def untouched(victim: Path) -> bool:
    """Whether nothing there has changed or is new."""
    names = sorted(path.name for path in victim.iterdir())
    return names == ["a.py", "package.json", "prodlint.toml"] and (victim / "a.py").read_text() == BAD


# --- what is given by name --------------------------------------------------------------------------------------------

GIVEN = ["src/link.py", "src/linked", "src/linked/a.py", "src/up.py", "src/linked/../victim/a.py", "src/../src/up.py"]


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("beside", [[], ["src/a.py"]])
@pytest.mark.parametrize("marked", [True, False])
def test_a_link_leads_to_nothing_outside(
    shell: Shell, victim: Path, given: str, beside: list[str], marked: bool
) -> None:
    if not marked:  # an archive, unpacked somewhere
        (shell.folder / "prodlint.toml").unlink()
    done = shell("check", "--select", "toys", "--fix", *beside, given)
    assert untouched(victim)
    assert done.code == 2
    assert f"left alone: it is a link to {victim}" in " ".join((done.out + done.err).split())
    assert ("good()" in shell.read("src/a.py")) == bool(beside)


def test_the_settings_are_those_of_the_place_of_the_link(shell: Shell, victim: Path) -> None:
    """With a link among the names the project is still the same."""
    shell.write("prodlint.toml", 'select = ["toys"]\nignore = ["bad-error"]\n')
    done = shell("check", "--output-format", "json", "src/a.py", "src/link.py")
    report = json.loads(done.out)
    assert [(each["path"], each["rule"]) for each in report["findings"]] == [("src/a.py", "bad-safe")]
    assert json.loads(shell("check", "--show-settings", "src/linked").out)["root"] == str(shell.folder)


def test_a_link_inside_of_the_project_is_what_it_leads_to(shell: Shell) -> None:
    (shell.folder / "again.py").symlink_to("src/a.py")
    (shell.folder / "folder").symlink_to("src")
    for given in ("again.py", "folder/a.py", "folder"):
        shell.write("src/a.py", BAD)
        assert shell("check", "--fix", given).code != 2
        assert shell.read("src/a.py") == "good()\n"
    assert (shell.folder / "again.py").is_symlink()


def test_a_link_of_the_user_is_followed(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that no project has: to the project itself."""
    (shell.folder.parent / "way").symlink_to(shell.folder)
    given = str(shell.folder.parent / "way" / "src" / "a.py")
    shell.folder = shell.folder.parent / "elsewhere"
    shell.folder.mkdir()
    assert shell("check", "--fix", given).code == 1
    assert "good()" in Path(given).read_text()


def test_standard_input_belongs_to_the_place_of_the_link(shell: Shell, victim: Path) -> None:
    done = shell("check", "-", "--stdin-filename", "src/link.py", "--fix", stdin=BAD.encode())
    assert (done.code, untouched(victim)) == (2, True)


# --- reports ----------------------------------------------------------------------------------------------------------

WRITING = [
    ("check", "--output-file", "FILE"),
    ("check", "--output", "sarif=FILE"),
    ("facts", ".", "-o", "FILE"),
    ("facts", ".", "--output-format", "msgpack", "-o", "FILE"),
    ("baseline", "-o", "FILE"),
]


def _into(shell: Shell, command: tuple[str, ...], file: str) -> tuple[int, str]:
    done = shell(*(argument.replace("FILE", file) for argument in command))
    return done.code, done.err


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
def test_no_report_is_written_through_a_link(shell: Shell, victim: Path, command: tuple[str, ...]) -> None:
    (shell.folder / "new.json").symlink_to(victim / "new.json")
    (shell.folder / "inside.txt").symlink_to("src/a.py")
    for file in ("new.json", "src/linked/new.json", "inside.txt"):
        code, said = _into(shell, command, file)
        assert code == 2
        assert "prodlint does not write through links" in said or "source file" in said or "not a baseline" in said
    assert untouched(victim)
    assert shell.read("src/a.py").startswith("bad_error()")


@pytest.mark.parametrize("command", WRITING, ids=" ".join)
@pytest.mark.parametrize(
    "file", ["src/a.py", "src/b.js", "prodlint.toml", "tests/test_a.py", "Dockerfile", ".git/config"]
)
def test_no_report_is_written_over_a_source(shell: Shell, command: tuple[str, ...], file: str) -> None:
    text = 'select = ["toys"]\n' if file == "prodlint.toml" else "bad_error()\n"
    shell.write(file, text)
    code, said = _into(shell, command, file)
    assert code == 2
    assert "does not write reports over those" in said or "not a baseline" in said
    assert shell.read(file) == text


def test_reports_replace_reports(shell: Shell, tmp_path: Path) -> None:
    places = [shell.folder / "report.json", shell.folder / "out" / "report.sarif", tmp_path / "report"]
    (shell.folder / "out").mkdir()
    for place in places:
        for output_format in ("sarif", "json"):
            assert _into(shell, ("check", "-q", "--output", f"{output_format}=FILE"), str(place)) == (1, "")
            assert json.loads(place.read_text())


def test_a_pipe_is_written_to_where_the_user_has_it(shell: Shell) -> None:
    reader, writer = os.pipe()
    assert _into(shell, ("check", "-q", "--output", "concise=FILE"), f"/dev/fd/{writer}") == (1, "")
    os.close(writer)
    with os.fdopen(reader) as pipe:
        assert pipe.read().startswith("src/a.py:1:1: error[bad-error]")
    assert _into(shell, ("check", "-q", "--output", "concise=FILE"), os.devnull) == (1, "")


def test_a_pipe_of_the_project_is_not_waited_for(shell: Shell) -> None:
    os.mkfifo(shell.folder / "report.txt")
    code, said = _into(shell, ("check", "--output-file", "FILE"), "report.txt")
    assert (code, "not a regular file" in said) == (2, True)


# --- prodlint's own files ---------------------------------------------------------------------------------------------


def test_no_baseline_is_written_through_a_link(shell: Shell, victim: Path) -> None:
    (shell.folder / ".prodlint-baseline.json").symlink_to(victim / "new.json")
    done = shell("baseline")
    assert (done.code, "prodlint does not write through links" in done.err) == (2, True)
    assert untouched(victim)


@pytest.mark.parametrize("name", ["prodlint.toml", "pyproject.toml"])
def test_no_configuration_is_written_through_a_link(shell: Shell, victim: Path, name: str) -> None:
    target = victim.parent / "target.toml"
    (shell.folder / "prodlint.toml").unlink()
    if name == "pyproject.toml":
        target.write_text("[project]\n")
    (shell.folder / name).symlink_to(target)
    done = shell("init")
    assert (done.code, "prodlint does not write through links" in done.err) == (2, True)
    assert not target.exists() or target.read_text() == "[project]\n"

"""The configuration to start from, as `prodlint init` writes it."""

from __future__ import annotations

from pathlib import Path

import tomlkit
from tomlkit.container import Container
from tomlkit.items import Table

from prodlint.project.file_writing import write_file
from prodlint.project.settings import CONFIG_NAME, PYPROJECT, ConfigError, has_table
from prodlint.toml_text import TomlError, parse_toml


def write_config(folder: Path) -> Path:
    """Writes a commented configuration into `folder`: into its `pyproject.toml` if there is one, without changing a
    byte of what is there, else into a new `prodlint.toml`. Returns the file; raises `ConfigError` if there is a
    configuration already, or no way to add one."""
    own, pyproject = folder / CONFIG_NAME, folder / PYPROJECT
    if own.exists():
        raise ConfigError(own, 0, "is there already")
    if has_table(pyproject):
        raise ConfigError(pyproject, 0, "has a table [tool.prodlint] already")
    try:
        if not pyproject.is_file():
            write_file(own, tomlkit.dumps(_document(())).encode())
            return own
        old = pyproject.read_bytes()
        write_file(pyproject, _appended(pyproject, old))
    except OSError as error:
        raise ConfigError(Path(error.filename or folder), 0, f"cannot be written: {error.strerror}") from error
    return pyproject


def _appended(path: Path, old: bytes) -> bytes:
    """`old` with the configuration after it, in its own line ends."""
    newline = b"\r\n" if b"\r\n" in old else b"\n"
    text = tomlkit.dumps(_document(("tool", "prodlint"))).encode().replace(b"\n", newline)
    gap = b"" if not old else newline if old.endswith(b"\n") else newline * 2
    new = old + gap + text
    try:
        before = parse_toml(old.decode("utf-8-sig"))
    except (TomlError, UnicodeDecodeError) as error:
        raise ConfigError(path, 0, f"is not valid TOML: {error}") from error
    try:
        after = parse_toml(new.decode("utf-8-sig"))
        added = after["tool"].pop("prodlint")
    except (TomlError, AttributeError) as error:
        # `tool = {…}` in one line cannot be added to.
        raise ConfigError(path, 0, f"a table cannot be added to it ({error}); make a {CONFIG_NAME} instead") from error
    if "tool" not in before:
        del after["tool"]
    if after != before or not added:
        raise ConfigError(path, 0, f"a table cannot be added to it; make a {CONFIG_NAME} instead")
    return new


def _document(prefix: tuple[str, ...]) -> tomlkit.TOMLDocument:
    document = tomlkit.document()
    top: Container | Table = document
    if prefix:
        top = tomlkit.table()
        outer = tomlkit.table(is_super_table=True)
        outer.append(prefix[1], top)
        document.append(prefix[0], outer)
    _say(top, 'Rules and practices to leave out; `prodlint rules` lists them all: ["console-logging", "caching"]')
    top.append("ignore", tomlkit.array())
    _say(top, 'The least severity that makes `prodlint check` fail: "error", "warning" or "advice".')
    top.append("fail-on", "warning")
    _say(top, "What not to look at, besides node_modules, vendor and whatever git ignores; globs as in .gitignore.")
    top.append("extend-exclude", tomlkit.array())
    _say(top, "Rules that do not count in some files:")
    ignores = tomlkit.table()
    ignores.add(tomlkit.comment('"tools/**" = ["console-logging"]'))
    _table(top, "per-file-ignores", ignores)
    severity = tomlkit.table()
    severity.add(tomlkit.comment("How much a rule matters here, where that is not what the rule says:"))
    severity.add(tomlkit.comment('console-logging = "advice"'))
    _table(top, "severity", severity)
    project = tomlkit.table()
    project.add(tomlkit.comment("What no file says. Your own decorators or functions that register request handlers:"))
    project.append("handlers", tomlkit.array())
    project.add(tomlkit.comment("Your own functions or decorators that run a function in a thread or a process:"))
    project.append("offloaders", tomlkit.array())
    project.add(tomlkit.comment("Your own loggers:"))
    project.append("loggers", tomlkit.array())
    project.add(tomlkit.comment("Files that the service does not run, besides those that look like it:"))
    project.append("scripts", tomlkit.array())
    project.append("tests", tomlkit.array())
    _table(top, "project", project)
    return document


def _say(table: Container | Table, text: str) -> None:
    table.add(tomlkit.comment(text))


def _table(top: Container | Table, name: str, table: Table) -> None:
    top.add(tomlkit.nl())
    top.append(name, table)

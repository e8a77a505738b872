"""From paths and options to a session, and how its files and errors are named on the command line."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from prodlint.cli.terminal import ProgressBar, echo, shows_progress

if TYPE_CHECKING:
    from prodlint.analysis.session import Session
    from prodlint.analysis.store import Cache
    from prodlint.findings import AnalysisError


def open_session(paths: Sequence[str], options: Mapping[str, Any], stack: ExitStack) -> Session:
    """The session that a command's paths and options ask for. What it holds open is closed by `stack`."""
    from prodlint.analysis.session import ExtractOptions, Session
    from prodlint.project.settings import Choice, ConfigError
    from prodlint.rulebook import RulebookError

    overlay = _standard_input(paths, options.get("stdin_filename"))
    given = [_absolute(path) for path in paths or (".",) if path != "-"]
    if given and not overlay and not any(map(os.path.lexists, given)):
        raise click.ClickException(f"no such file or folder: {', '.join(path for path in paths)}")
    extract_options = ExtractOptions(
        shard=_shards(options.get("facts", ())),
        jobs=options.get("jobs"),
        progress=stack.enter_context(ProgressBar()).update if shows_progress(options) else None,
    )
    choice = Choice(options.get("select") or None, options.get("extend_select", ()), options.get("ignore", ()))
    try:
        session = Session.open(
            [*given, *overlay],
            config=_absolute(options["config"]) if options["config"] else None,
            overlay=overlay,
            choice=choice,
            preview=options.get("preview"),
            force_exclude=options.get("force_exclude", False),
            extract_options=extract_options,
        )
    except (ConfigError, RulebookError) as error:
        raise click.ClickException(str(error)) from error
    if (cache := open_cache(session, options, stack)) is not None:
        session.use_cache(cache)
    return session


def _absolute(path: str) -> Path:
    """The path from the root of the file system. Links are left in it: which project it belongs to depends on them."""
    if "\0" in path:
        raise click.ClickException(f"{path!r} is no path")
    return Path.cwd() / path


def _standard_input(paths: Sequence[str], name: str | None) -> dict[Path, bytes]:
    if "-" not in paths:
        return {}
    if name is None:
        raise click.UsageError("reading from standard input (-) needs --stdin-filename")
    return {_absolute(name): sys.stdin.buffer.read()}


def open_cache(session: Session, options: Mapping[str, Any], stack: ExitStack) -> Cache | None:
    """The cache that the options ask for, until `stack` closes it; None if they ask for none, there is no place, or
    somebody else could have written it, which is said."""
    if options["no_cache"]:
        return None
    from prodlint.analysis.store import Cache, default_directory, distrusted

    directory = Path(options["cache_dir"]) if options["cache_dir"] else default_directory()
    if directory is None:
        return None
    if reason := distrusted(directory, session.tree()):
        echo(f"The cache in {directory} is not used: {reason}. See --cache-dir and --no-cache.", err=True)
        return None
    return stack.enter_context(Cache(directory))


def _shards(files: Sequence[str]) -> dict[bytes, bytes]:
    if not files:
        return {}
    from prodlint.analysis.fact_shards import ShardError, read_shard

    shards: dict[bytes, bytes] = {}
    for file in files:
        try:
            shards |= read_shard(Path(file))
        except ShardError as error:
            raise click.ClickException(str(error)) from error
    return shards


def is_reported(session: Session, error: AnalysisError) -> bool:
    """Whether an error is about what the user gave."""
    return session.project.reports(error.path) or error in session.project.errors


def display_path(session: Session, path: str) -> str:
    """A path of the project as seen from the working directory, with forward slashes."""
    return Path(os.path.relpath(session.project.root / path)).as_posix()


def one_line(session: Session, error: AnalysisError) -> str:
    """An error as grep would write it."""
    path = display_path(session, error.path) if error.path else "prodlint"
    return f"{path}:{error.line}: {error.message}" if error.line else f"{path}: {error.message}"

"""The command line: a module per command, imported when it is asked for. Every command starts quickly."""

from __future__ import annotations

import errno
import gc
import importlib
import io
import os
import signal
import sys

import click

from prodlint import __version__

CLEAN, FOUND, FAILED, INTERRUPTED = 0, 1, 2, 130

_MODULES = {
    "baseline": "baseline",
    "check": "check",
    "completion": "completion",
    "explain": "explain",
    "facts": "facts",
    "init": "init",
    "lsp": "lsp",
    "rule": "rules",
    "rules": "rules",
    "services": "services",
}
"""The module of each command."""


def main() -> None:
    """The entry point: runs the command, and ends with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # the code shown may have what the terminal's charset has not
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    gc.disable()  # facts are millions of small objects without cycles, and the process ends soon: measured, 1 s in 3
    try:
        code = cli.main(prog_name="prodlint", standalone_mode=False)
        if not sys.stdout.closed:  # the language server closes it with its connection
            sys.stdout.flush()
    except click.ClickException as error:
        _show(error)
        code = FAILED
    except (click.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except BrokenPipeError:
        _stop_writing()  # whoever read our output has seen enough
        code = FOUND
    except OSError as error:
        if error.errno not in _NO_ROOM:
            _report_defect()
        else:
            _stop_writing()
            click.echo(f"Error: the output cannot be written: {error.strerror}", err=True)
        code = FAILED
    except MemoryError:
        raise  # the entry point ends the process with what is left
    except Exception:  # a defect must not look like findings, which is what Python's own exit code 1 would mean
        _report_defect()
        code = FAILED
    sys.exit(code)


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def _stop_writing() -> None:
    """Else Python would complain once more when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _report_defect() -> None:
    import traceback

    click.echo(_harmless(traceback.format_exc()), err=True)
    click.echo("This is a defect in prodlint. Please report it, with the lines above.", err=True)


def _show(error: click.ClickException) -> None:
    """Prints an error as click does. Paths and values, of the command line or of a file, may be in it."""
    message = _harmless(error.format_message())
    if isinstance(error, _NO_ARGUMENTS):
        click.echo(message, err=True)
    elif isinstance(error, click.UsageError):
        click.UsageError(message, error.ctx).show()
    else:
        click.ClickException(message).show()


_NO_ARGUMENTS: tuple[type[click.UsageError], ...] = tuple(
    filter(None, [getattr(click.exceptions, "NoArgsIsHelpError", None)])  # since click 8.2
)


def _harmless(text: str) -> str:
    from prodlint.output.terminal import printable

    return "\n".join(map(printable, text.split("\n")))


class _Commands(click.Group):
    """The commands, none of which is imported before it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, sorted."""
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a name, or None."""
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"{__name__}.{_MODULES[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first argument names; one that is not there is an error which suggests the nearest."""
        if args and args[0] not in _MODULES and not args[0].startswith("-"):
            if os.path.exists(args[0]):  # noqa: PTH110 - anything may be typed, and Path raises for some of it
                ctx.fail(f"no command is called {args[0]!r}; did you mean `prodlint check {args[0]}`?")
            from prodlint.project.settings import suggestion

            hint = suggestion(args[0], _MODULES) or "; see prodlint --help"
            ctx.fail(f"no command is called {args[0]!r}{hint}")
        return super().resolve_command(ctx, args)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="prodlint %(version)s")
def cli() -> None:
    """Finds what will hurt a Node or Python web service in production.

    Source code and deployment files are read as one program. Exit codes: 0 nothing found, 1 findings, 2 something
    went wrong.
    """

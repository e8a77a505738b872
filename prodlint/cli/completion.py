"""`prodlint completion`."""

from __future__ import annotations

import click

from prodlint.cli import CLEAN


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> int:
    """Print what makes SHELL complete commands, options and rules.

    \b
    bash, in ~/.bashrc:  eval "$(prodlint completion bash)"
    zsh, in ~/.zshrc:    eval "$(prodlint completion zsh)"
    fish, once:          prodlint completion fish > ~/.config/fish/completions/prodlint.fish
    """
    from click.shell_completion import get_completion_class

    from prodlint.cli import cli

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(cli, {}, "prodlint", "_PRODLINT_COMPLETE").source())
    return CLEAN

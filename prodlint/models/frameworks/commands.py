"""Command line tools: what they call for a command that somebody types. Sources: the documentation of click, Typer,
Flask's `cli`, flask-script, invoke, Fire and argparse; of commander, cac, yargs, oclif and nest-commander."""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, Subclasses, each

_GROUPS = ("click.group()", "click.Group()", "asyncclick.group()", "rich_click.group()", "typer.Typer()")
_COMMANDER = "commander.Command()"
_COMMANDER_CHAIN = (
    "command description summary usage option requiredOption argument arguments alias aliases version name hook "
    "action addCommand addOption addArgument allowUnknownOption allowExcessArguments enablePositionalOptions "
    "passThroughOptions helpOption configureHelp showHelpAfterError addHelpText"
).split()
_YARGS_CHAIN = (
    "command option options positional usage help alias demandCommand demandOption strict version example epilogue "
    "epilog wrap parserConfiguration scriptName middleware recommendCommands completion env showHelpOnFail"
).split()
_CAC_CHAIN = "command option action alias usage example version help".split()

FRAMEWORK = Framework(
    name="commands",
    language="",
    aliases=(
        *((f"commander{tail}", _COMMANDER) for tail in (".program", ".default", ".createCommand()", ".commander()")),
        ("commander()", _COMMANDER),
        *((f"{_COMMANDER}.{name}()", _COMMANDER) for name in _COMMANDER_CHAIN),
        *((f"commander.{name}()", _COMMANDER) for name in _COMMANDER_CHAIN),
        *((f"{base}.{name}()", "yargs()") for base in ("yargs()", "yargs") for name in _YARGS_CHAIN),
        *((f"cac().{name}()", "cac()") for name in _CAC_CHAIN),
        ("cac.cac()", "cac()"),
    ),
    registers=(
        Registers(
            (
                *("click.command()", "click.command", "click.group()", "click.group", "typer.Typer().callback()"),
                *("asyncclick.command()", "rich_click.command()", "flask.Flask().cli.command()", "invoke.task"),
                *("invoke.task()", "fabric.task", "fabric.task()", "flask_script.Manager().command"),
                *(f"{api}()" for api in each(_GROUPS, "command group")),
                *("flask.cli.AppGroup().command()", "quart.Quart().cli.command()"),
            ),
            decorates=True,
            role=Role.COMMAND,
            context=Context.SCRIPT,
        ),
        Registers(("typer.run", "fire.Fire"), last=1, role=Role.COMMAND, context=Context.SCRIPT),
        Registers(
            (
                "argparse.ArgumentParser().set_defaults",
                "argparse.ArgumentParser().add_subparsers().add_parser().set_defaults",
            ),
            last=0,
            keywords=("func", "fn", "function", "handler", "callback", "command", "cmd", "action", "run", "main"),
            role=Role.COMMAND,
            context=Context.SCRIPT,
        ),
        Registers(
            (f"{_COMMANDER}.action", "commander.action", "cac().action"), role=Role.COMMAND, context=Context.SCRIPT
        ),
        Registers(
            ("yargs().command", "yargs.command"),
            first=1,
            properties=("handler", "builder"),
            role=Role.COMMAND,
            context=Context.SCRIPT,
        ),
    ),
    subclasses=(
        Subclasses(
            bases=("@oclif/core.Command", "@oclif/command.Command", "@oclif/command", "nest-commander.CommandRunner"),
            methods=("run",),
            role=Role.COMMAND,
            context=Context.SCRIPT,
        ),
    ),
)

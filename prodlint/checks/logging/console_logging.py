"""Server code that writes to the terminal instead of a logger."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Call, FileFacts, RegionKind, Use, Value, ValueKind
from prodlint.findings import Applicability, Confidence, Edit, Finding, Fix, Severity, Span, weakest
from prodlint.fixes.logcalls import level_said, log_call, set_up
from prodlint.fixes.reasons import NO_LOGGER, ODD_FORM
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.model import Context, Role
from prodlint.program.code.control_flow import control_flow
from prodlint.program.code.loggers import Logger, loggers_in
from prodlint.program.linking.resolver import CallSite, File, keyword_of
from prodlint.program.linking.run_once import names_in
from prodlint.program.linking.targets import Api

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_CONSOLE = Value(ValueKind.GLOBAL, text="console")
_LEVELS = {
    "console.log": "info",
    "console.info": "info",
    "console.warn": "warn",
    "console.error": "error",
    "console.debug": "debug",
    "builtins.print": "info",
    "pprint.pprint": "info",
    "pprint.pp": "info",
}
_TRACEBACK = "traceback.print_exc"
_DESTINATIONS = {"pprint.pprint": ("stream", 1), "pprint.pp": ("stream", 1), _TRACEBACK: ("file", 1)}
"""Where a function is told what to write to, if not by the keyword `file` alone: another keyword, a position."""
_STREAMS = frozenset({"sys.stdout", "sys.stderr", "sys.__stdout__", "sys.__stderr__"})
_BACK_END_NAME = regex(r"(?:^|[-_.])log(?:s|ger|gers|ging)?$|logger$|^debug$", re.IGNORECASE)
_BACK_END_BASES = ("logging.", "winston-transport", "structlog.", "pino.", "bunyan.")
_USAGE = regex(r"(?:^|[a-z_])(?:help|usage|dump|[hH]elp|[uU]sage|[dD]ump)$|^(?:unit|self)_?[tT]ests?$")
_MOST_CALLERS = 100
_ASKED = regex(
    r"(?:enable|use|is|show|print|with)?_?(?:console|verbose|verbosity|logging|debug_?log(?:s|ging)?)(?:_?enabled)?",
    re.IGNORECASE,
)
"""What a switch is called that somebody turns to see what is written."""
_TERMINALS = frozenset({"isatty", "isTTY"})
_DIALOGUES = frozenset({"builtins.input", "getpass.getpass", "readline-sync.question"})
"""What asks somebody at a terminal."""
_LEVEL_NAMES = frozenset({"log", "info", "warn", "warning", "error", "debug", "trace", "verbose", "fatal", "critical"})
_WHILE_SERVING = frozenset({Context.REQUEST, Context.REQUEST_THREAD, Context.BACKGROUND, Context.BACKGROUND_THREAD})


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Calls that write to the terminal, and such functions handed on as callbacks, in server code."""
    javascript, python = frozenset(rule.data["javascript"]), frozenset(rule.data["python"])
    judge = _Judge(program, frozenset(rule.data["command-line"]))
    for site, api, sure in program.calls_of((javascript | python).__contains__):
        if site.file.is_python == (api in python) and judge.blames(site, api):
            yield _finding(program, rule, judge, site, api, NONE, sure)
    for site, position, api in _handed_on(program, javascript):
        if judge.blames(site, api):
            yield _finding(program, rule, judge, site, api, position, Confidence.CERTAIN)


def _finding(
    program: Program, rule: Rule, judge: _Judge, site: CallSite, api: str, position: int, sure: Confidence
) -> Finding:
    """`position`: of the argument that is handed on, or NONE for a call."""
    file, call = site.file, site.call
    start, end = (call.start, call.end) if position == NONE else call.arg_spans[2 * position : 2 * position + 2]
    why = (
        "has no level, no time and nobody can switch it off"
        if file.is_python
        else "has no level and no time, and stops the event loop while it writes to a file or terminal"
    )
    return Finding(
        rule.name,
        f"What {_shown(program, site, api, position)} writes {why}. Use a logger in server code.",
        program.location(file, start, end),
        confidence=weakest(sure, program.server_code(file, call.region) or Confidence.CERTAIN),
        severity=Severity.ADVICE if judge.at_startup(site) else None,
        data={"file": file.index, "call": site.index, "api": api, "position": position},
        no_fix_reason=_obstacle(program, rule, site, api, position),
    )


def _shown(program: Program, site: CallSite, api: str, position: int) -> str:
    """The API, and the name that it has in the code where that is another: `logger.info`, which is `console.info`."""
    shown = api.removeprefix("builtins.")
    callee = program.value(site.file, site.call.callee)
    owner = program.value(site.file, callee.ref if callee.kind is ValueKind.MEMBER else NONE)
    if position != NONE or owner.kind is not ValueKind.BINDING:
        return f"`{shown}`"
    name = f"{site.file.facts.bindings[owner.ref].name}.{callee.text}"
    return f"`{shown}`" if name == shown else f"`{name}`, which is `{shown}`,"


def _handed_on(program: Program, apis: frozenset[str]) -> Iterator[tuple[CallSite, int, str]]:
    """`.catch(console.error)`: (call, position, API)."""
    for file in program.files:
        if file.is_python:
            continue
        consoles = {
            number: f"console.{value.text}"
            for number, value in enumerate(file.facts.values)
            if value.kind is ValueKind.MEMBER and f"console.{value.text}" in apis and value.ref != NONE
            if file.facts.values[value.ref] == _CONSOLE
        }
        for index, call in enumerate(file.facts.calls if consoles else ()):
            for position, argument in enumerate(call.args):
                if argument in consoles:
                    yield CallSite(file, index), position, consoles[argument]


class _Judge:
    """Decides whether writing to the terminal is to blame at a place."""

    def __init__(self, program: Program, tools: frozenset[str]) -> None:
        self._program = program
        self._tools = tools
        self._replaced = frozenset(_replaced_methods(program))
        self._is_tool = cache(self._find_tool)

    def blames(self, site: CallSite, api: str) -> bool:
        """Whether the call is server code's, and not that of a logger's own back end or a tool."""
        file = site.file
        if not file.is_python and (api.removeprefix("console.") in self._replaced or "" in self._replaced):
            return False
        if self._program.value(file, site.call.callee).kind is ValueKind.PARAM:
            return False  # `def report(write=print)`: the caller decides
        if self._program.server_code(file, site.call.region) is None or self._is_tool(file):
            return False
        if file.is_python and self._is_commands_alone(file.function_at(site.call.region)):
            return False
        if self._is_why_it_ends(site) or self._is_last_word(site):
            return False
        if self.at_startup(site) and self._is_first_word(site):
            return False
        if self._is_asked_for(site) or self._says_that_it_listens(site):
            return False
        return not (_is_back_end(file) or self._is_log_method(site) or _goes_to_a_file(self._program, site, api))

    def at_startup(self, site: CallSite) -> bool:
        """Whether a call is made at start-up and never again."""
        reached = self._program.contexts.of(site.file.function_at(site.call.region))
        return Context.STARTUP in reached and not _WHILE_SERVING & reached.keys()

    def _is_last_word(self, site: CallSite) -> bool:
        """Whether a call says, outside of any request, why the process ends: a logger may write too late."""
        reached = self._program.contexts.of(site.file.function_at(site.call.region))
        if Context.REQUEST in reached or Context.REQUEST_THREAD in reached:
            return False
        return control_flow(self._program).ends_in(site.file, site.call.region)

    def _is_first_word(self, site: CallSite) -> bool:
        """Whether a call says that the server listens."""
        return any(
            registration.role is Role.LIFESPAN and registration.label.startswith("listen")
            for registration in self._program.registrations_of.get(site.file.function_at(site.call.region), ())
        )

    def _says_that_it_listens(self, site: CallSite) -> bool:
        """Whether a call says so behind the `listen` of its function: `app.listen(port); console.log('Listening')`."""
        facts = site.file.facts
        function = facts.regions[site.call.region].function
        words = [word for argument in site.call.args[:1] for word in _words(site.file, argument)]
        return any("listening" in word.lower() for word in words) and any(
            facts.values[call.callee].text == "listen"
            and call.start < site.call.start
            and facts.regions[call.region].function == function
            for call in facts.calls
        )

    def _is_why_it_ends(self, site: CallSite) -> bool:
        """Whether a call stands in the listener of an event, such as a server's `error`, that ends the process."""
        facts = site.file.facts
        function = facts.regions[site.call.region].function
        return control_flow(self._program).ends_process(site.file.fn_base + function) and any(
            facts.values[call.callee].text in ("on", "once", "addListener")
            and any(
                facts.values[argument].kind is ValueKind.FUNCTION and facts.values[argument].ref == function
                for argument in call.args[1:]
            )
            for call in facts.calls
        )

    def _is_asked_for(self, site: CallSite) -> bool:
        """Whether somebody at a terminal asked for the text: a usage message, what a test of
        itself says, `if verbose >= 1`."""
        facts = site.file.facts
        if _USAGE.search(facts.functions[facts.regions[site.call.region].function].name):
            return True
        regions = (facts.regions[at] for at in self._program.regions_up(site.file, site.call.region))
        tests = (test for region in regions if region.kind is RegionKind.THEN for test in region.values)
        names = {name for test in tests for name in (*names_in(facts, test), *_called(facts, test))}
        if any(_ASKED.fullmatch(name) or name in _TERMINALS for name in names):
            return True
        return any(
            isinstance(target, Api) and target.path in _DIALOGUES
            for other in control_flow(self._program).calls_in(site.file.function_at(site.call.region))
            for target in control_flow(self._program).targets(other)
        )

    def _find_tool(self, file: File) -> bool:
        """Whether a file is a tool's, whose output is what it is for."""
        if file.index in self._program.serving:
            return False
        is_command = bool(file.facts.shebang) or "bin" in file.path.split("/")[:-1]
        return (
            is_command
            or any(request.module in self._tools for request in file.facts.imports)
            or _shares_its_terminal(file)
        )

    def _is_commands_alone(self, function: int) -> bool:
        """Whether only commands of a command line tool (`@click.command()`) come to a function."""
        program = self._program
        if program.contexts.of(function):
            return False
        pending, seen, commands = [function], {function}, False
        while pending and len(seen) < _MOST_CALLERS:
            file, fact = program.function(pending.pop())
            if any(
                isinstance(target, Api) and re.split(r"[.(]", target.path)[0] in self._tools
                for decorator in fact.decorators
                for target in program.resolver.resolve(file, decorator)
            ):
                commands = True
                continue
            at = file.function_at(fact.region)
            above = {site.file.function_at(site.call.region) for site in program.resolver.callers.get(at, ())}
            if not above:
                return False
            pending += above - seen
            seen |= above
        return commands and not pending

    def _is_log_method(self, site: CallSite) -> bool:
        """Whether the call stands in a method of a logger: in a function that is called `log`, `info`, `error` … in a
        file that has another such function, or in a class that derives from a logging library's."""
        file, functions = site.file, site.file.facts.functions
        at = file.facts.regions[site.call.region].function
        while at not in (NONE, 0):
            if functions[at].name.lower() in _LEVEL_NAMES:
                return len({function.name.lower() for function in functions} & _LEVEL_NAMES) > 1 or self._logs(file, at)
            if self._logs(file, at):
                return True
            at = functions[at].parent
        return False

    def _logs(self, file: File, function: int) -> bool:
        cls = file.facts.functions[function].cls
        return cls != NONE and any(
            isinstance(base, Api) and base.path.startswith(_BACK_END_BASES)
            for base in self._program.resolver.bases_of(file.cls_base + cls)
        )


def _called(facts: FileFacts, value: int) -> Iterator[str]:
    """The names of what a test calls: `sys.stdout.isatty()`."""
    fact = facts.values[value]
    if fact.kind is ValueKind.CALL:
        yield facts.values[facts.calls[fact.ref].callee].text
    for item in fact.items if fact.kind is ValueKind.OP else ():
        yield from _called(facts, item)


def _words(file: File, value: int) -> Iterator[str]:
    """The literal texts of which a string is made."""
    fact = file.facts.values[value]
    if fact.kind in (ValueKind.STRING, ValueKind.TEMPLATE):
        yield fact.text
    elif fact.kind is ValueKind.OP and fact.text == "+":
        for item in fact.items:
            yield from _words(file, item)


def _shares_its_terminal(file: File) -> bool:
    """Whether a file hands its terminal to other programs: `spawnSync('npm', …, { stdio: 'inherit' })`."""
    runs_programs = any(request.module.removeprefix("node:") == "child_process" for request in file.facts.imports)
    return runs_programs and any(
        value.kind is ValueKind.STRING and value.text == "inherit" for value in file.facts.values
    )


def _is_back_end(file: File) -> bool:
    """Whether a module is the project's logger itself, by its name."""
    stem = posixpath.basename(file.path).split(".")[0]
    folder = posixpath.basename(posixpath.dirname(file.path))
    name = folder if stem in ("index", "__init__") else stem
    return _BACK_END_NAME.search(name) is not None


def _replaced_methods(program: Program) -> Iterator[str]:
    """The methods of `console` in whose place the project puts its logger, "" for all of them."""
    if "log4js.replaceConsole" in program.api_calls:
        yield ""
    for file in program.files:
        for store in () if file.is_python else file.facts.stores:
            if program.value(file, store.target) == _CONSOLE and program.is_loaded(file):
                yield store.name


def _goes_to_a_file(program: Program, site: CallSite, api: str) -> bool:
    """`print(…, file=f)`, `pprint(x, f)` to anything but the standard streams, or to what the caller says."""
    keyword, position = _DESTINATIONS.get(api, ("file", NONE))
    value = keyword_of(site.call, keyword)
    if value == NONE and 0 <= position < len(site.call.args) - len(site.call.keywords):
        value = site.call.args[position]
    if value == NONE or program.value(site.file, value).kind is ValueKind.NULL:
        return False
    if program.value(site.file, value).kind is ValueKind.PARAM:
        return True
    return not any(
        isinstance(target, Api) and target.path in _STREAMS for target in program.resolver.resolve(site.file, value)
    )


# --- fix


def _obstacle(program: Program, rule: Rule, site: CallSite, api: str, position: int) -> str:
    """Why no logger can say it instead; "" if one can."""
    file, call = site.file, site.call
    logger = _logger(program, rule, file, call, api)
    if logger is None:
        if file.is_python or loggers_in(program).are_exported:
            return "it is not clear which logger to use here"
        if loggers_in(program).are_there:
            return "no module exports a logger that this file could import"
        return "the project has no logger: export one from a module, or name one in `javascript-logger`"
    if position != NONE:
        return "" if _is_rejection_handler(file, call, position) else "it is handed on as a function"
    if file.is_python and call.use is Use.ARGUMENT:
        return "what it returns is used"
    if api == _TRACEBACK:
        if call.args or not _handles_an_error(program, file, call):
            return "there is no error to log"
        return ""
    if api not in _LEVELS:
        return "its text brings its own line ends" if api.startswith("sys.") else "a logger has no such method"
    if not file.is_python:
        planned = log_call(file, call, logger.library)
        return planned if isinstance(planned, str) else ""
    if api.startswith("pprint.") and len(call.args) != 1:
        return "it does not write to the standard output"
    return "it does not end its line" if "end" in call.keywords else ""


def _logger(program: Program, rule: Rule, file: File, call: Call, api: str) -> Logger | None:
    wanted = rule.data["javascript-logger"]
    level = _LEVELS.get(api, "error")
    found = loggers_in(program).of(file, call, levels=(level, "log") if level == "info" else (level,))
    return found or loggers_in(program).to_set_up(file, wanted, region=call.region)


def _is_rejection_handler(file: File, call: Call, position: int) -> bool:
    callee = file.facts.values[call.callee]
    return callee.kind is ValueKind.MEMBER and (callee.text, position) in (("catch", 0), ("then", 1))


def _handles_an_error(program: Program, file: File, call: Call) -> bool:
    return any(file.facts.regions[at].kind is RegionKind.CATCH for at in program.regions_up(file, call.region))


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The same message through the project's logger, at the same level."""
    file = program.files[finding.data["file"]]
    call = file.facts.calls[finding.data["call"]]
    api, position = finding.data["api"], finding.data["position"]
    logger = _logger(program, rule, file, call, api)
    if logger is None:
        return NO_LOGGER
    if file.is_python:
        return _python_fix(program, file, call, api, logger)
    return _javascript_fix(program, file, call, api, position, logger)


def _python_fix(program: Program, file: File, call: Call, api: str, logger: Logger) -> Fix | str:
    from prodlint.fixes import python

    source, span = program.read(file.path), Span(call.start, call.end)
    added = set_up(file, source, logger, before=call.start)
    if added is None:
        return "the logger's name is taken in the file"
    if api == _TRACEBACK:
        where = file.facts.functions[file.facts.regions[call.region].function].name
        method = f"{logger.name}.exception"
        text = f'{method}("Error{f" in {where}" if where else ""}")'
        edits = python.replace_expression(file.path, source, span, text)
    else:
        to_stderr = keyword_of(call, "file") != NONE and b"stderr" in source[call.start : call.end]
        usual = "warn" if to_stderr else _LEVELS[api]
        level = level_said(source, call) or ("error" if _handles_an_error(program, file, call) else usual)
        method = f"{logger.name}.{'warning' if level == 'warn' else level}"
        placeholder = "{}" if logger.library == "loguru" else "%s"
        edits = python.print_to_log(file.path, source, span, method, placeholder)
    if edits is None:
        return "a log cannot say this as it is written"
    return _fix(method, (*added, *edits), logger)


def _javascript_fix(program: Program, file: File, call: Call, api: str, position: int, logger: Logger) -> Fix | str:
    from prodlint.fixes import javascript
    from prodlint.fixes.dependencies import require

    source, span = program.read(file.path), Span(call.start, call.end)
    added = set_up(file, source, logger, before=call.start)
    said = level_said(source, call) if api == "console.log" and position == NONE else ""
    level = said if said and logger.has(said) else _LEVELS[api]
    level = "log" if level == "info" and (logger.library == "nest" or not logger.has(level)) else level
    method = logger.name if logger.library == "debug" else f"{logger.name}.{level}"
    if position != NONE:
        argument = Span(*call.arg_spans[2 * position : 2 * position + 2])
        edits = javascript.replace_expression(file.path, source, argument, f"(err) => {method}(err)")
    else:
        planned = log_call(file, call, logger.library)
        if isinstance(planned, str):
            return planned
        if planned.parts == tuple(range(len(call.args))):
            edits = javascript.replace_callee(file.path, source, span, method)
        else:
            text = f"{method}({planned.written(source, call)})"
            edits = javascript.replace_expression(file.path, source, span, text)
    if added is None or edits is None:
        return "the logger's name is taken in the file" if added is None else ODD_FORM
    if logger.missing is not None:
        required = require(program, file.path, *logger.missing)
        if required is None:
            return "its package.json cannot be changed"
        added = (*added, *required)
    return _fix(method, (*added, *edits), logger)


def _fix(method: str, edits: tuple[Edit, ...], logger: Logger) -> Fix:
    """Never safe: what a logger writes depends on its level, its destination and when it is set up."""
    return Fix(f"Use `{method}`", Applicability.UNSAFE, edits, (logger.request,) if logger.request is not None else ())

"""Commands: a line of shell or a list of words, taken apart until it is clear what program is started with what.

`split` reads shell text, `starts` says what a command line starts in the end: a file of the project, a script of
package.json, a module. What stands before that and only hands on (`tini --`, `cross-env A=b`, `gosu app`) is taken off.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from fnmatch import fnmatchcase

import msgspec
from msgspec.structs import replace

from prodlint.extract.deployment.variables import expand, has_variables
from prodlint.lazy_regex import regex

Assignments = tuple[tuple[str, str], ...]
"""Names and values of variables, in order; the values may have variables in them (see `variables`)."""

NOWHERE = -1


class Condition(msgspec.Struct, frozen=True):
    """What a shell asks of a text with variables in it before it runs a command: whether it is one of some values."""

    subject: str
    """The text, as `$1` or `${MODE:-web}`; "" where what is asked cannot be told."""
    values: tuple[str, ...] = ()
    """May have `*` and `?` in them, as the patterns of `case` do."""
    is_one: bool = True
    """Whether the command is run if it is one of them; False: if it is none."""

    def negated(self) -> Condition:
        """The condition of what is run otherwise."""
        return replace(self, is_one=not self.is_one)

    def holds(self, variables: Mapping[str, str | None]) -> bool | None:
        """Whether it is so with these variables (`1` is the first argument); None where that is not known."""
        text = expanded(self.subject, variables)
        if not self.subject or text is None:
            return None
        return any(fnmatchcase(text, value) for value in self.values) is self.is_one


_POSITION = regex(r"\$(\{?)([1-9])\b")
_UNKNOWN = Condition("")


def expanded(text: str, variables: Mapping[str, str | None]) -> str | None:
    """`text` as `expand` gives it, arguments (`$1`) among the variables: `1` is the first."""
    named = {f"_{name}" if name.isdigit() else name: value for name, value in variables.items()}
    return expand(_POSITION.sub(r"$\1_\2", text), named)


class Command(msgspec.Struct, frozen=True):
    """One simple command: its words without their quotes, and the variables that are set for it."""

    words: tuple[str, ...]
    env: Assignments = ()
    folder: str = ""
    """Where `cd` went before it, relative to where the line starts or absolute."""
    is_background: bool = False
    at: int = NOWHERE
    """Which character of the text it starts at, with the variables that are set for it; NOWHERE for what stands within
    the word of another command."""
    conditions: tuple[Condition, ...] = ()
    """What variables decide about whether it is run: `if [ "$DEBUG" = 1 ]`, `case $ENV in`, `[ -n "$CI" ] &&`."""
    is_piped: bool = False
    """Whether its output goes to another command, so that a shell waits for both."""

    @property
    def is_conditional(self) -> bool:
        """Whether a variable decides whether it is run."""
        return bool(self.conditions)


# --- shell text -------------------------------------------------------------------------------------------------------

_OPERATORS = ("&&", "||", ";;", "|&", ";", "|", "&", "\n", "(", ")")
_ASSIGNMENT = regex(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_KEYWORDS = frozenset({"then", "do", "else", "elif", "if", "while", "until", "!", "{", "time"})
_ENDS = frozenset({"fi", "done", "esac", "}"})
_REDIRECTION = regex(r"\d*(?:>>|<<<?|>&|<&|&>>?|>\||<>|>|<)")


class _Branches:
    """What stands around the commands of a shell text while they are read in their order: `if`s and `case`s."""

    def __init__(self) -> None:
        self._around: list[_If | _Case] = []
        self._tested: tuple[Condition, ...] = ()

    @property
    def _innermost(self) -> _If | _Case | None:
        return self._around[-1] if self._around else None

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Those of the command that is read now."""
        around = (each.conditions for each in self._around)
        return (*(condition for conditions in around for condition in conditions), *self._tested)

    def take(self, words: list[str], places: list[int], operator: str) -> tuple[list[str], list[int]]:
        """What is left of a simple command without the words that only open and close branches."""
        innermost = self._innermost
        if isinstance(innermost, _Case) and innermost.is_at_pattern and words[:1] != ["esac"]:
            innermost.take_pattern(words, operator)
            return [], []
        while words and words[0] in _KEYWORDS:
            keyword, words, places = words[0], words[1:], places[1:]
            innermost = self._innermost
            if keyword == "if":
                self._around.append(_If())
            elif isinstance(innermost, _If) and keyword in ("elif", "else"):
                innermost.next(is_tested=keyword == "elif")
            elif isinstance(innermost, _If) and keyword == "then":
                innermost.is_testing = False
        if words[:1] == ["case"] and len(words) > 1:
            case = _Case(words[1])
            self._around.append(case)
            if words[3:] or operator == ")":
                case.take_pattern(words[3:], operator)  # all of it in one line
            return [], []
        if words[:1] in (["fi"], ["esac"]) and self._around:
            self._around.pop()
        elif isinstance(innermost := self._innermost, _If) and innermost.is_testing:
            innermost.test(words, operator)
        return words, places

    def behind(self, words: list[str], operator: str) -> None:
        """What a command, and the operator behind it, mean for those that follow."""
        if isinstance(case := self._innermost, _Case) and operator == ";;":
            case.end_branch()
        if operator == "&&":
            self._tested += tuple(each for each in [_asked(words)] if each is not None)
        elif operator == "||" and not self._tested:
            self._tested = tuple(each.negated() for each in [_asked(words)] if each is not None)
        elif operator != "|":
            self._tested = ()


class _If:
    """An `if` with the branch that is read now."""

    def __init__(self) -> None:
        self.is_testing = True
        self._past: tuple[Condition, ...] = ()
        self._own: list[Condition] = []

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Those of the branch."""
        return () if self.is_testing else (*self._past, *self._own)

    def test(self, words: list[str], operator: str) -> None:
        """Takes one command of its test."""
        found = _asked(words)
        if found is not None:
            self._own.append(_UNKNOWN if operator == "||" or _UNKNOWN in self._own else found)

    def next(self, *, is_tested: bool) -> None:
        """Goes on to `elif` or `else`."""
        own = self._own
        self._past += () if not own else (own[0].negated() if len(own) == 1 else _UNKNOWN,)
        self._own, self.is_testing = [], is_tested


class _Case:
    """A `case` with the branch that is read now."""

    def __init__(self, subject: str) -> None:
        self.is_at_pattern = True
        self._subject = subject
        self._past: tuple[str, ...] = ()
        self._own: tuple[str, ...] = ()

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Those of the branch."""
        if "$" not in self._subject:
            return ()
        others = (Condition(self._subject, self._past, False),) if self._past else ()
        return others if self._own == ("*",) else (*others, Condition(self._subject, self._own))

    def take_pattern(self, words: list[str], operator: str) -> None:
        """Takes one pattern of a branch, or what closes it."""
        if not self.is_at_pattern or (self._own and operator == ")" and not words):
            self.is_at_pattern = False
        elif words:
            if words[0] == "in":
                words = words[1:]
            self._own += tuple(words[-1:])
            self.is_at_pattern = operator != ")"

    def end_branch(self) -> None:
        """Goes on to the next branch."""
        self._past, self._own = (*self._past, *self._own), ()
        self.is_at_pattern = True


def _asked(words: Sequence[str]) -> Condition | None:
    """What a test asks of variables; None where it asks for none."""
    if not any("$" in word for word in words):
        return None
    inner = list(words)
    if inner[:1] in (["["], ["[["], ["test"]):
        inner = [word for word in inner[1:] if word not in ("]", "]]")]
        is_negated = inner[:1] == ["!"]
        inner = inner[1:] if is_negated else inner
        found = _UNKNOWN
        if len(inner) == 3 and inner[1] in ("=", "==", "!=") and "$" not in inner[2]:
            found = Condition(inner[0], (inner[2],), inner[1] != "!=")
        elif len(inner) == 2 and inner[0] in ("-n", "-z"):
            found = Condition(inner[1], ("",), inner[0] == "-z")
        return found.negated() if is_negated and found.subject else found
    return _UNKNOWN


def split(text: str) -> list[Command]:
    """The simple commands of a line of shell in their order, whatever joins them. Variables that were exported before
    (also by `set A=b`, which is how Windows says it) and `cd` count for those after."""
    commands: list[Command] = []
    exported: list[tuple[str, str]] = []
    folder = ""
    branches = _Branches()
    for found_words, found_places, operator in _simple_commands(text):
        words, places = branches.take(found_words, found_places, operator)
        conditions = branches.conditions
        branches.behind(words, operator)
        if not words or words[0] in _ENDS:
            continue
        env: list[tuple[str, str]] = []
        while words and (match := _ASSIGNMENT.fullmatch(words[0])):
            env.append((match.group(1), match.group(2)))
            words = words[1:]
        if not words:
            exported += env
        elif words[0] in ("export", "set") and all(_ASSIGNMENT.fullmatch(word) for word in words[1:]):
            exported += [(name, value) for name, _, value in (word.partition("=") for word in words[1:])]
        elif words[0] == "cd" and len(words) > 1:
            folder = posixpath.join(folder, words[1])
        else:
            is_piped = operator in ("|", "|&")
            commands.append(
                Command(tuple(words), (*exported, *env), folder, operator == "&", places[0], conditions, is_piped)
            )
    return commands


def _simple_commands(text: str) -> Iterator[tuple[list[str], list[int], str]]:
    """Words, where each starts, and the operator behind them."""
    words: list[str] = []
    places: list[int] = []
    skip = False
    for token, is_operator, place in _tokens(text):
        if is_operator:
            yield words, places, token
            words, places, skip = [], [], False
        elif skip:
            skip = False
        elif redirection := _REDIRECTION.match(token):
            skip = redirection.end() == len(token)
        else:
            words.append(token)
            places.append(place)
    yield words, places, ""


def _tokens(text: str) -> Iterator[tuple[str, bool, int]]:
    """Words without their quotes, and operators, each with where it starts."""
    word: list[str] = []
    in_word = False
    at = begin = 0
    while at < len(text):
        letter = text[at]
        begin = begin if in_word else at
        if letter in "'\"":
            end = _quote_end(text, at)
            inner = text[at + 1 : end]
            word.append(inner if letter == "'" else re.sub(r'\\(["\\`\n])', r"\1", inner))
            in_word = True
            at = end + 1
        elif letter == "\\" and at + 1 < len(text):
            if text[at + 1] != "\n":
                word.append(text[at + 1])
                in_word = True
            at += 2
        elif letter == "$" and text[at + 1 : at + 2] in ("(", "{"):
            end = _bracket_end(text, at + 1)
            word.append(text[at:end])
            in_word = True
            at = end
        elif letter == "`":
            end = text.find("`", at + 1) + 1 or len(text)
            word.append(text[at:end])
            in_word = True
            at = end
        elif letter == "#" and not in_word:
            at = text.find("\n", at)
            at = len(text) if at < 0 else at
        elif letter == "&" and (text[at + 1 : at + 2] == ">" or (word and word[-1] in (">", "<"))):
            word.append(letter)  # `&>`, `2>&1`
            in_word = True
            at += 1
        elif operator := next((known for known in _OPERATORS if text.startswith(known, at)), ""):
            if in_word:
                yield "".join(word), False, begin
                word, in_word = [], False
            yield operator, True, at
            at += len(operator)
        elif letter.isspace():
            if in_word:
                yield "".join(word), False, begin
                word, in_word = [], False
            at += 1
        else:
            if letter in "<>" and in_word and not "".join(word).rstrip("<>&").isdigit() and word[-1] not in "<>&":
                yield "".join(word), False, begin
                word, begin = [], at
            word.append(letter)
            in_word = True
            at += 1
    if in_word:
        yield "".join(word), False, begin


def _quote_end(text: str, at: int) -> int:
    quote = text[at]
    end = at + 1
    while end < len(text) and text[end] != quote:
        end += 2 if text[end] == "\\" and quote == '"' else 1
    return min(end, len(text))


def _bracket_end(text: str, at: int) -> int:
    """Behind the bracket that closes the one at `at`."""
    opening = text[at]
    closing = ")" if opening == "(" else "}"
    depth = 0
    while at < len(text):
        if text[at] in "'\"":
            at = _quote_end(text, at)
        elif text[at] == opening:
            depth += 1
        elif text[at] == closing:
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return len(text)


# --- what is started --------------------------------------------------------------------------------------------------


class StartKind(Enum):
    """What a command starts."""

    NODE = "node"
    """A JavaScript or TypeScript file: `target`."""
    NODE_TOOL = "node tool"
    """A framework's own server: `target` is its command, as in "next start"."""
    PYTHON = "python"
    """A Python file or, as in `package.module:app`, a module: `target`."""
    PYTHON_TOOL = "python tool"
    """A framework's own server: `target` is its command, as in "flask run"."""
    PACKAGE_SCRIPT = "package script"
    """The script `target` of a package.json."""
    SHELL_SCRIPT = "shell script"
    """The script `target`, whose text is not looked into."""
    PROCESS_FILE = "process file"
    """The apps of PM2's process file, or the programs of supervisord's configuration, `target`; "" for the one that is
    read if none is named."""
    OPAQUE = "opaque"
    """Something that a configuration or a variable decides: it may set whatever it likes."""
    OTHER = "other"
    """Another program, `target`."""


class Start(msgspec.Struct, frozen=True):
    """What one command starts."""

    kind: StartKind
    target: str
    env: Assignments = ()
    """The variables that the command itself sets."""
    folder: str = ""
    """The folder that the command goes to first, relative to where it is started or absolute."""
    is_dev: bool = False
    """Whether this is a server or a watcher for development."""
    workspace: str = ""
    """PACKAGE_SCRIPT: the workspace (a name or a folder) that it is looked for in, "" for none, "*" for several."""
    rest: tuple[str, ...] = ()
    """The words behind the target."""
    is_background: bool = False
    words: tuple[str, ...] = ()
    """The command without what only hands on."""
    wrappers: tuple[str, ...] = ()
    """The names of what only hands on, outermost first; of tini with `-g`, if it has that."""
    at: int = NOWHERE
    """Which character of the shell text the command starts at (see `Command.at`)."""
    conditions: tuple[Condition, ...] = ()
    """What variables decide about whether it is run (see `Command.conditions`)."""
    is_piped: bool = False
    """Whether its output goes to another command, so that a shell waits for both."""

    @property
    def is_conditional(self) -> bool:
        """Whether a variable decides whether it is run."""
        return bool(self.conditions)


_DEEPEST = 8
_LONGEST = 20_000
"""Characters; what a longer command starts is unknown."""
_NODE_SUFFIXES = (".js", ".cjs", ".mjs", ".ts", ".cts", ".mts", ".jsx", ".tsx")
_NODE_RUNNERS = frozenset(
    {"node", "nodejs", "bun", "deno", "ts-node", "ts-node-esm", "tsx", "babel-node", "esr", "esno", "iojs"}
)
_WATCHERS = frozenset(
    {"nodemon", "nodemon.js", "ts-node-dev", "tsnd", "node-dev", "supervisor", "onchange", "watchexec"}
)  # fmt: skip
_NODE_OPTIONS_WITH_VALUE = frozenset(
    {"-r", "--require", "--import", "--loader", "--experimental-loader", "-C", "--conditions", "--env-file",
     "--max-old-space-size", "-P", "--project", "--tsconfig", "-O", "--icu-data-dir", "--title", "-e", "--eval", "-p"}
)  # fmt: skip
_MANAGERS = frozenset({"npm", "yarn", "pnpm", "bun", "yarnpkg"})
_SCRIPT_ALIASES = {"start": "start", "test": "test", "t": "test", "stop": "stop", "restart": "restart"}
_YARN_COMMANDS = frozenset(
    {"add", "install", "remove", "upgrade", "cache", "config", "exec", "dlx", "global", "link", "node", "pack",
     "publish", "why", "workspaces", "set", "plugin", "init", "list", "info", "audit", "version", "rebuild"}
)  # fmt: skip
_DEV_NAMES = regex(r"(?:^|[:_.-])(?:dev|develop|development|watch|debug|hot|serve:dev)(?:$|[:_.-])", re.IGNORECASE)
_SERVERS = {
    "next": ("start",), "nuxt": ("start",), "nuxi": ("start",), "nest": ("start",), "strapi": ("start",),
    "remix-serve": (), "react-router-serve": (), "fastify": ("start",), "sails": ("lift",), "directus": ("start",),
    "moleculer-runner": (), "keystone": ("start",), "medusa": ("start",), "payload": ("start",), "meteor": (),
    "graphql-mesh": ("start",), "n8n": ("start",), "backstage-cli": (), "blitz": ("start",), "adonis": ("serve",),
}  # fmt: skip
_DEV_SERVERS = {
    "next": ("dev",), "nuxt": ("dev",), "nuxi": ("dev",), "vite": ("", "dev", "serve"), "ng": ("serve", "s"),
    "vue-cli-service": ("serve",), "react-scripts": ("start",), "webpack-dev-server": (), "webpack": ("serve",),
    "gatsby": ("develop",), "astro": ("dev",), "remix": ("dev",), "strapi": ("develop", "dev"), "parcel": ("", "serve"),
    "craco": ("start",), "svelte-kit": ("dev",), "storybook": (), "meteor": ("", "run"), "snowpack": ("dev",),
}  # fmt: skip
PYTHON_SERVERS = frozenset(
    {"gunicorn", "uvicorn", "hypercorn", "daphne", "granian", "waitress-serve", "uwsgi", "celery", "fastapi", "flask",
     "arq", "dramatiq", "rq", "huey_consumer", "litestar", "quart", "sanic", "robyn", "circusd", "mod_wsgi-express"}
)  # fmt: skip
_MODULE_APP = regex(r"[A-Za-z_][\w.]*(?::[\w.()\"'=, ]+)?")


def starts(words: Sequence[str], *, is_shell: bool = False) -> list[Start]:
    """What a command in exec form starts, or, if `is_shell`, what the one text in `words` does. In their order; what
    only prepares (migrations, builds, `mkdir`) is among them as OTHER."""
    if sum(map(len, words)) > _LONGEST:
        return [Start(StartKind.OPAQUE, "")]
    commands = split(words[0]) if is_shell and words else [Command(tuple(words))]
    return [start for command in commands for start in _resolve(command, 0)]


def with_values(start: Start, variables: Mapping[str, str | None]) -> Start:
    """A start whose program or target is in a variable (`exec node $MAIN`), with the values of those that are known;
    the start itself where they do not say what it is."""
    if not has_variables(start.target) and start.kind is not StartKind.PYTHON_TOOL:
        return start
    words = [expanded(word, variables) if has_variables(word) else word for word in start.words]
    known = [word for word in words if word is not None]
    if len(known) < len(words) or list(start.words) == known:
        return start
    command = Command(
        tuple(known), start.env, start.folder, start.is_background, start.at, start.conditions, start.is_piped
    )
    found = _resolve(command, 0)
    if len(found) != 1 or found[0].kind is StartKind.OTHER:
        return start
    return replace(found[0], wrappers=(*start.wrappers, *found[0].wrappers))


def _resolve(command: Command, depth: int) -> list[Start]:
    if not command.words or depth > _DEEPEST:
        return []
    words = command.words
    name = posixpath.basename(words[0]).removesuffix(".exe").removesuffix(".cmd")
    inner = _unwrapped(name, command)
    if inner is not None:
        found = (start for each in inner for start in _resolve(each, depth + 1))
        # `tini -g` signals all processes, `tini` only the one that it started.
        name = f"{name} -g" if name == "tini" and "-g" in command.words else name
        if name == "start-stop-daemon" and {"-c", "--chuid"} & {word.partition("=")[0] for word in command.words}:
            name = f"{name} -c"  # as another user
        return [replace(start, wrappers=(name, *start.wrappers)) for start in found]
    return [_start(name, command)]


def _start(name: str, command: Command) -> Start:
    rest = command.words[1:]
    start = Start(
        StartKind.OTHER, name, command.env, command.folder, rest=rest, is_background=command.is_background,
        words=command.words, at=command.at, conditions=command.conditions, is_piped=command.is_piped,
    )  # fmt: skip
    if name in _MANAGERS and (script := _package_script(name, rest)) is not None:
        target, workspace, folder = script
        if target:
            return replace(
                start,
                kind=StartKind.PACKAGE_SCRIPT,
                target=target,
                workspace=workspace,
                folder=posixpath.join(start.folder, folder),
                is_dev=bool(_DEV_NAMES.search(target)),
            )
        return start
    for resolve in (_node, _node_process_manager, _supervisord, _node_tool, _python, _python_server):
        if (found := resolve(name, start)) is not None:
            return found
    return _file(command.words[0], start)


def _file(word: str, start: Start) -> Start:
    """A program that is named by its path."""
    if word.startswith("$"):
        return replace(start, kind=StartKind.OPAQUE, target=word)
    if word.endswith((".sh", ".bash")) or "entrypoint" in word:
        return replace(start, kind=StartKind.SHELL_SCRIPT, target=word)
    if word.endswith(_NODE_SUFFIXES):
        return replace(start, kind=StartKind.NODE, target=word)
    if word.endswith(".py"):
        return _python_start(start, (word, *start.rest))
    if word.startswith(("/", "./", "../")) and not word.startswith(("/bin/", "/usr/bin/", "/sbin/", "/usr/sbin/")):
        return replace(start, kind=StartKind.OPAQUE, target=word)
    return start


def _node(name: str, start: Start) -> Start | None:
    rest = list(start.rest)
    is_dev = False
    if name in _WATCHERS:
        is_dev = True
        if "--exec" in rest or "-x" in rest:
            at = rest.index("--exec" if "--exec" in rest else "-x")
            return replace(start, kind=StartKind.NODE, target=_first_file(rest[:at] + rest[at + 2 :]), is_dev=True)
    elif name not in _NODE_RUNNERS:
        return None
    if name in ("bun", "deno", "tsx") and rest and rest[0] in ("run", "watch", "serve"):
        is_dev = rest[0] == "watch"
        rest = rest[1:]
    while rest and rest[0].startswith("-") and rest[0] != "-":
        option = rest.pop(0)
        if option in ("--watch", "--hot") or option.startswith("--watch-path"):
            is_dev = True
        if option in ("-e", "--eval", "-p", "--print"):
            return start
        if option in ("--test", "--check", "--version", "-v", "--help"):
            return start
        if option in _NODE_OPTIONS_WITH_VALUE and rest:
            rest.pop(0)
        if option == "--":
            break
    if not rest:
        return replace(start, kind=StartKind.NODE, target="", is_dev=is_dev) if is_dev else start
    if rest[0].startswith("$"):
        return replace(start, kind=StartKind.OPAQUE, target=rest[0])
    return replace(start, kind=StartKind.NODE, target=rest[0], rest=tuple(rest[1:]), is_dev=is_dev)


def _first_file(words: Sequence[str]) -> str:
    return next((word for word in words if word.endswith(_NODE_SUFFIXES)), "")


def _node_process_manager(name: str, start: Start) -> Start | None:
    """PM2, forever and StrongLoop's: what they start, if that is said here."""
    if name in ("slc", "sl-run"):
        words = [word for word in start.rest if not word.startswith("-") and word not in ("run", "start")]
        is_run = name == "sl-run" or start.rest[:1] in (("run",), ("start",))
        target = _first_file(words) or next((word for word in words if not word.isdigit()), ".")
        return replace(start, kind=StartKind.NODE, target=target) if is_run else start
    if name not in ("pm2", "pm2-runtime", "pm2-docker", "pm2-dev", "forever"):
        return None
    rest = start.rest
    if name == "forever" and "start" in rest:
        rest = rest[rest.index("start") :]  # what stands before are options of its own
    words = [word for word in rest if word not in ("start", "startOrReload", "startOrRestart", "reload")]
    is_dev = "--watch" in words or name == "pm2-dev"
    target = _first_file(words) or next((word for word in words if not word.startswith("-")), "")
    if target in _MANAGERS and "--" in words:
        inner = _start(target, Command((target, *words[words.index("--") + 1 :]), start.env, start.folder))
        return replace(inner, is_dev=inner.is_dev or is_dev)
    stem = posixpath.basename(target)
    is_file = re.search(r"\.config\.[cm]?js$|\.(?:json5?|ya?ml)$", stem) is not None
    if (name == "forever" and is_file) or (
        name.startswith("pm2") and (is_file or (not target and name == "pm2" and "start" in start.rest))
    ):
        return replace(start, kind=StartKind.PROCESS_FILE, target=target)
    if not target.endswith(_NODE_SUFFIXES) or stem.startswith(("ecosystem", "pm2", "process.")):
        return replace(start, kind=StartKind.OPAQUE, target=target or name)
    return replace(start, kind=StartKind.NODE, target=target, is_dev=is_dev)


def _supervisord(name: str, start: Start) -> Start | None:
    if name != "supervisord":
        return None
    target = ""
    for at, word in enumerate(start.rest):
        if word in ("-c", "--configuration") and at + 1 < len(start.rest):
            target = start.rest[at + 1]
        elif word.startswith("--configuration="):
            target = word.partition("=")[2]
    return replace(start, kind=StartKind.PROCESS_FILE, target=target)


def _node_tool(name: str, start: Start) -> Start | None:
    verb = next((word for word in start.rest if not word.startswith("-")), "")
    if name in _DEV_SERVERS and (not _DEV_SERVERS[name] or verb in _DEV_SERVERS[name]):
        return replace(start, kind=StartKind.NODE_TOOL, target=f"{name} {verb}".strip(), is_dev=True)
    if name in _SERVERS and (not _SERVERS[name] or verb in _SERVERS[name]):
        is_dev = "--watch" in start.rest or "--debug" in start.rest
        target = f"{name} {verb}" if _SERVERS[name] else name
        return replace(start, kind=StartKind.NODE_TOOL, target=target, is_dev=is_dev)
    return None


def _python(name: str, start: Start) -> Start | None:
    if not re.fullmatch(r"python[\d.]*|pypy[\d.]*", name):
        return None
    rest = list(start.rest)
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "-m" and rest:
            module = rest[0]
            inner = _python_server(module, replace(start, rest=tuple(rest[1:])))
            return inner or replace(start, kind=StartKind.PYTHON, target=module, rest=tuple(rest[1:]))
        if option == "-c":
            return start
        if option in ("-W", "-X") and rest:
            rest.pop(0)
    return _python_start(start, rest)


def _python_start(start: Start, words: Sequence[str]) -> Start:
    if not words:
        return start
    if posixpath.basename(words[0]) == "manage.py":
        verb = words[1] if len(words) > 1 else ""
        is_dev = verb in ("runserver", "runserver_plus")
        kind = StartKind.PYTHON if is_dev else StartKind.OTHER
        return replace(start, kind=kind, target=words[0], rest=tuple(words[1:]), is_dev=is_dev)
    return replace(start, kind=StartKind.PYTHON, target=words[0], rest=tuple(words[1:]))


def _python_server(name: str, start: Start) -> Start | None:
    """WSGI and ASGI servers, task queues, and the frameworks' own commands."""
    if name not in PYTHON_SERVERS:
        return None
    rest = start.rest
    is_dev = "--reload" in rest or "--debug" in rest
    if name in ("fastapi", "flask", "litestar", "quart", "sanic"):
        verb = next((word for word in rest if not word.startswith("-")), "")
        if name in ("flask", "quart") and verb != "run":
            return start
        is_dev = is_dev or verb == "dev" or (name in ("flask", "quart") and verb == "run")
        target = next((word for word in rest if word.endswith(".py")), f"{name} {verb}".strip())
        kind = StartKind.PYTHON if target.endswith(".py") else StartKind.PYTHON_TOOL
        return replace(start, kind=kind, target=target, is_dev=is_dev)
    app = next((word for word in reversed(rest) if ":" in word and _MODULE_APP.fullmatch(word)), "")
    if not app and name == "gunicorn":
        app = next((word for word in reversed(rest) if not word.startswith("-") and _is_module(word)), "")
    if not app and name == "celery":
        app = next((rest[at + 1] for at, word in enumerate(rest[:-1]) if word in ("-A", "--app")), "")
    if not app:
        return replace(start, kind=StartKind.PYTHON_TOOL, target=name, is_dev=is_dev)
    return replace(start, kind=StartKind.PYTHON, target=app, is_dev=is_dev)


def _is_module(word: str) -> bool:
    return bool(re.fullmatch(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+", word))


# --- wrappers ---------------------------------------------------------------------------------------------------------

_SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh", "ksh"})
_PLAIN_WRAPPERS = {
    # name: options that take a value
    "exec": ("-a",), "nohup": (), "time": (), "command": (), "stdbuf": (), "ionice": ("-c", "-n"), "unbuffer": (),
    "nice": ("-n",), "tini": ("-p", "-e", "-w"), "dumb-init": ("-r", "--rewrite"), "catatonit": (), "setsid": (),
    "xvfb-run": ("-n", "-s", "--server-args", "-e", "--server-num"), "npx": ("-p", "--package"), "bunx": (), "pnpx": (),
    "sudo": ("-u", "-g", "-h", "-p"), "doas": ("-u",), "chpst": ("-u",), "runuser": ("-u", "-g"),
    "timeout": ("-s", "-k"), "ddtrace-run": (), "opentelemetry-instrument": (), "newrelic-admin": (), "authbind": (),
    "setpriv": (
        "--reuid", "--ruid", "--euid", "--regid", "--rgid", "--egid", "--groups", "--inh-caps", "--ambient-caps",
        "--bounding-set", "--securebits", "--pdeathsig", "--ptracer", "--selinux-label", "--apparmor-profile",
    ),
    "s6-setuidgid": (), "dotenvx": ("-f",), "infisical": (), "doppler": (), "winpty": (),
}  # fmt: skip
_WORD_FIRST = frozenset({"gosu", "su-exec", "s6-setuidgid", "chroot", "timeout"})
_RUN_VERBS = {
    "poetry": ("run",), "uv": ("run",), "pipenv": ("run",), "pdm": ("run",), "hatch": ("run",), "rye": ("run",),
    "conda": ("run",), "dotenvx": ("run",), "doppler": ("run",), "infisical": ("run",), "yarn": ("exec", "dlx", "node"),
    "pnpm": ("exec", "dlx"), "npm": ("exec",), "newrelic-admin": ("run-program",), "bun": ("x",), "yarnpkg": ("exec",),
}  # fmt: skip
_RUN_OPTIONS = ("--with", "--extra", "--group", "--env-file", "-p", "--python", "-n")
"""Options of `uv run`, `conda run` and the like that take a value."""
_OPTIONS_BEFORE_VERB = frozenset({"--python", "-C", "-P", "--directory", "--project", "-p", "--cwd", "--prefix"})
_WAITERS = regex(r"wait-?for.*|dockerize|wait-on|wait4ports")


def _unwrapped(name: str, command: Command) -> list[Command] | None:
    """The command or commands that a wrapper hands on to; None if `name` is no wrapper."""
    words = command.words
    rest = list(words[1:])
    if name in _SHELLS:
        return _from_shell(command, rest)
    if name in ("env", "cross-env", "cross-env-shell"):
        return _from_env(name, command, rest)
    if name in ("dotenv", "env-cmd"):
        return _after_separator(command, rest, ("-e", "-f", "-c", "-p", "-v", "--file"))
    if _WAITERS.fullmatch(name):
        return [_handed_on(command, rest[rest.index("--") + 1 :])] if "--" in rest else None
    if name == "concurrently":
        return _concurrent(command, rest)
    if name in ("npm-run-all", "npm-run-all2", "run-p", "run-s"):
        names = [word for word in rest if not word.startswith("-")]
        return [_handed_on(command, ["npm", "run", script]) for script in names]
    if name in _RUN_VERBS and (behind := _behind_verb(name, rest)) is not None:
        if name == "yarn" and rest[0] == "node":
            return [_handed_on(command, rest)]
        return _after_separator(command, behind, _RUN_OPTIONS)
    if name == "start-stop-daemon":
        return _from_daemon_starter(command, rest)
    if name in _WORD_FIRST and len(rest) > 1:
        while rest and rest[0].startswith("-"):
            rest = rest[1:]
        return [_handed_on(command, rest[1:])]
    if name in _PLAIN_WRAPPERS and name not in ("dotenvx", "infisical", "doppler", "newrelic-admin") and rest:
        return _after_separator(command, rest, _PLAIN_WRAPPERS[name])
    if name in ("docker-entrypoint.sh", "docker-entrypoint") and rest and words[0] == name:
        return [_handed_on(command, rest)]  # the official images' own, on their PATH
    if name == "catchsegv":
        return [_handed_on(command, rest)]
    return None


def _behind_verb(name: str, rest: list[str]) -> list[str] | None:
    """What stands behind the verb with which a wrapper runs a command: `poetry -C app run …`; None for another verb."""
    at = 0
    while at < len(rest) and rest[at].startswith("-"):
        at += 2 if rest[at] in _OPTIONS_BEFORE_VERB else 1
    return rest[at + 1 :] if rest[at : at + 1] and rest[at] in _RUN_VERBS[name] else None


def _from_daemon_starter(command: Command, rest: list[str]) -> list[Command] | None:
    """What Debian's `start-stop-daemon --start --exec PROGRAM -- ARGUMENTS` starts. Source: start-stop-daemon(8)."""
    own = rest[: rest.index("--")] if "--" in rest else rest
    arguments = rest[len(own) + 1 :]
    program = folder = ""
    is_background = False
    for at, word in enumerate(own):
        option, equals, value = word.partition("=")
        value = value if equals else own[at + 1] if at + 1 < len(own) else ""
        if option in ("-a", "--startas") or (option in ("-x", "--exec") and not program):
            program = value
        elif option in ("-d", "--chdir"):
            folder = value
        elif option in ("-b", "--background"):
            is_background = True
    if not program or {"-K", "--stop", "-T", "--status"} & {*own}:
        return None
    inner = _handed_on(command, [program, *arguments])
    inner = replace(inner, folder=posixpath.join(command.folder, folder))
    return [replace(inner, is_background=is_background or command.is_background)]


def _handed_on(command: Command, words: Sequence[str], env: Assignments = ()) -> Command:
    return replace(command, words=tuple(words), env=(*command.env, *env))


def _after_separator(command: Command, rest: list[str], with_value: Sequence[str]) -> list[Command]:
    """What follows a wrapper's options (and `--`)."""
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option == "--":
            break
        if option in with_value and rest:
            rest.pop(0)
    env: list[tuple[str, str]] = []
    while rest and (match := _ASSIGNMENT.fullmatch(rest[0])):
        env.append((match.group(1), match.group(2)))
        rest.pop(0)
    return [_handed_on(command, rest, tuple(env))]


def _from_shell(command: Command, rest: list[str]) -> list[Command] | None:
    while rest and rest[0].startswith(("-", "+")):
        option = rest.pop(0)
        if not option.startswith("--") and option.endswith("c") and rest:
            inner = split(rest[0])
            return [
                replace(
                    each,
                    env=(*command.env, *each.env),
                    folder=posixpath.join(command.folder, each.folder),
                    is_background=command.is_background or each.is_background,
                    at=NOWHERE,
                    conditions=(*command.conditions, *each.conditions),
                    is_piped=command.is_piped or each.is_piped,
                )
                for each in inner
            ]
        if option == "-o" and rest:
            rest.pop(0)
    if not rest:
        return None
    script = rest[0] if rest[0].endswith(".sh") else f"{rest[0]}.sh"
    return [_handed_on(command, [script, *rest[1:]])]


def _from_env(name: str, command: Command, rest: list[str]) -> list[Command]:
    env: list[tuple[str, str]] = []
    while rest:
        if rest[0] == "-u" and len(rest) > 1:
            env.append((rest[1], ""))
            rest = rest[2:]
        elif match := _ASSIGNMENT.fullmatch(rest[0]):
            env.append((match.group(1), match.group(2)))
            rest = rest[1:]
        elif rest[0].startswith("-"):
            rest = rest[1:]
        else:
            break
    inner = _handed_on(command, rest, tuple(env))
    if len(rest) == 1 and (name == "cross-env-shell" or " " in rest[0]):
        return [_handed_on(each, each.words, ()) for each in _shell_in(inner, rest[0])]
    return [inner]


def _shell_in(command: Command, text: str) -> list[Command]:
    return [replace(each, env=(*command.env, *each.env), folder=command.folder, at=NOWHERE) for each in split(text)]


def _concurrent(command: Command, rest: list[str]) -> list[Command]:
    """The commands that `concurrently` runs: each argument is one, `npm:name` is a script."""
    found: list[Command] = []
    while rest:
        word = rest.pop(0)
        if word in ("-n", "--names", "-c", "--prefix-colors", "-p", "--prefix", "-s", "--success") and rest:
            rest.pop(0)
        elif re.match(r"(?:npm|yarn|pnpm|bun):", word):
            found.append(_handed_on(command, ["npm", "run", word.partition(":")[2]]))
        elif not word.startswith("-"):
            found += _shell_in(command, word)
    return found


def _package_script(manager: str, rest: Sequence[str]) -> tuple[str, str, str] | None:
    """Script, workspace and folder of a package manager's command line; a script "" where it runs none. None where
    `manager` runs a file itself (`bun server.ts`)."""
    words = list(rest)
    workspace = folder = ""
    positional: list[str] = []
    is_complete = False
    while words:
        word = words.pop(0)
        name, _, value = word.partition("=")
        if word == "--":
            break
        if name in ("--prefix", "-C", "--cwd", "--dir"):
            folder = value or (words.pop(0) if words else "")
        elif name in ("-w", "--workspace", "--filter", "-F"):
            if manager == "pnpm" and name == "-w":
                continue  # the root of the workspace
            workspace = value or (words.pop(0) if words else "")
        elif name in ("-r", "--recursive", "--workspaces", "-ws"):
            workspace = "*"
        elif not word.startswith("-") and not is_complete:
            positional.append(word)
            runs = positional[0] in ("run", "run-script", "rum", "workspace")
            is_complete = not runs or len(positional) > 1
            if is_complete and manager != "npm":
                break  # what follows is for the script
    if not positional:
        return "", workspace, folder
    if positional[0] == "workspace" and manager.startswith("yarn"):
        workspace = positional[1] if len(positional) > 1 else ""
        inner = _package_script(manager, words)
        return (inner[0], workspace, folder) if inner else ("", workspace, folder)
    if positional[0] in ("run", "run-script", "rum"):
        target = positional[1] if len(positional) > 1 else ""
        return None if manager == "bun" and target.endswith(_NODE_SUFFIXES) else (target, workspace, folder)
    if positional[0] in _SCRIPT_ALIASES:
        return _SCRIPT_ALIASES[positional[0]], workspace, folder
    if manager == "npm":
        return "", workspace, folder
    if manager == "bun":
        return None if positional[0].endswith(_NODE_SUFFIXES) else (positional[0], workspace, folder)
    return ("" if positional[0] in _YARN_COMMANDS else positional[0]), workspace, folder

"""Dockerfiles and Containerfiles: what each stage is made of and starts.

Source: the Dockerfile reference (parser directives, escape character, heredocs, shell and exec form, environment
replacement) and the way BuildKit's own parser joins continuation lines. `scan` finds the instructions with their bytes,
`extract` what they set.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator
from itertools import pairwise

import msgspec

from prodlint.extract.deployment.templates import has_parts, is_template, without_blanks
from prodlint.extract.deployment.variables import Expander, has_variables
from prodlint.extract.ignore_comments import MARKER, line_starts_of, parse_directive
from prodlint.facts import Artefact, FileFacts, Setting, SyntaxProblem
from prodlint.lazy_regex import regex

KIND = "dockerfile"


class Instruction(msgspec.Struct, frozen=True):
    """One instruction. `text` is what follows its name, continuation lines joined and comments left out; `flags` are
    the words that start with `--` and stand first (`RUN`, `COPY`, `FROM` and the like). `line` counts from 1."""

    name: str
    """In capitals."""
    text: str
    flags: tuple[str, ...]
    start: int
    end: int
    line: int
    places: tuple[int, ...] = ()
    """For each stretch of `text` that stands together: where it starts in `text` (see `offset`), then in the file."""
    heredocs: tuple[str, ...] = ()

    def offset(self, at: int) -> int:
        """Where in the file the character `at` of `text` is. `text` holds one character per byte."""
        starts = self.places[::2]
        index = bisect_right(starts, at) - 1
        return self.places[2 * index + 1] + at - starts[index]


_DIRECTIVE = regex(rb"#[ \t]*(?P<name>[A-Za-z][A-Za-z0-9]*)[ \t]*=[ \t]*(?P<value>.+?)[ \t]*\r?\n?$")
_NAME = regex(r"\s*(?P<name>[A-Za-z]+)(?:\s+|$)")
_FLAG = regex(r"--[A-Za-z][\w-]*+(?:=(?:\"[^\"]*+\"|\S)*+)?(?:\s++|$)")
_QUOTE = regex("[\"']")
_DOUBLE_QUOTED = regex(r"\"(?:[^\"\\]|\\[\s\S])*+\"")
_SINGLE_QUOTED = regex(r"'[^']*+'")
_HEREDOC = regex(r"(?<![<\\])<<(?P<strip>-?)(?P<quote>[\"']?)(?P<name>[A-Za-z_][\w.]*)(?P=quote)(?!<)")
_TAKES_FLAGS = frozenset({"FROM", "RUN", "COPY", "ADD", "HEALTHCHECK"})
_TAKES_HEREDOCS = frozenset({"RUN", "COPY", "ADD"})
_JSON_FORM = frozenset({"CMD", "ENTRYPOINT", "RUN", "SHELL", "VOLUME", "COPY", "ADD"})


def escape_of(data: bytes) -> str:
    """The escape character that the parser directives at the top of the file choose."""
    for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n"):
        match = _DIRECTIVE.match(line.strip() + b"\n") if line.strip().startswith(b"#") else None
        if match is None:
            break
        if match["name"].lower() == b"escape":
            return "`" if match["value"] == b"`" else "\\"
    return "\\"


def scan(data: bytes) -> list[Instruction]:
    """The instructions of a Dockerfile, in order, whatever stage they are in."""
    return list(_instructions(data))


def _instructions(data: bytes) -> Iterator[Instruction]:
    escape = escape_of(data)
    continued = re.compile(re.escape(escape) + r"[ \t]*$")
    starts = [*line_starts_of(data), len(data)]
    lines = [(start, end) for start, end in pairwise(starts) if start < end]
    at = 0
    while at < len(lines):
        begin = at
        pieces: list[str] = []
        places: list[int] = []
        end = lines[at][0]
        length = 0
        more = True
        while more and at < len(lines):
            start, stop = lines[at]
            start += 3 if data.startswith(b"\xef\xbb\xbf") and start == 0 else 0
            text = data[start:stop].decode("latin-1").rstrip("\r\n")
            at += 1
            bare = text.lstrip(" \t")
            if bare.startswith("#") or not bare.strip():
                more = bool(pieces)  # comments and empty lines may stand between continued lines
                if not more:
                    break
                continue
            if not pieces:
                begin = at - 1
                start += len(text) - len(bare)
                text = bare
            end = start + len(text.rstrip())
            more = continued.search(text) is not None
            if more:
                text = continued.sub("", text)
            places += [length, start]
            pieces.append(text)
            length += len(text)
        if not pieces:
            continue
        instruction = _instruction("".join(pieces), places, end, begin + 1)
        if instruction is None:
            continue
        bodies: list[str] = []
        for strip, name in _heredoc_names(instruction):
            body: list[str] = []
            while at < len(lines):
                start, stop = lines[at]
                text = data[start:stop].decode("latin-1").rstrip("\r\n")
                at += 1
                end = start + len(text)
                if (text.lstrip("\t") if strip else text) == name:
                    break
                body.append(text)
            bodies.append("\n".join(body))
        if bodies:
            instruction = _with_heredocs(instruction, end, tuple(bodies))
        yield instruction


def _instruction(text: str, places: list[int], end: int, line: int) -> Instruction | None:
    match = _NAME.match(text)
    if match is None:
        # Docker fails here; what follows may still be sound.
        return None
    name = match["name"].upper()
    at = match.end()
    flags: list[str] = []
    while name in _TAKES_FLAGS and (flag := _FLAG.match(text, at)):
        flags.append(flag.group().strip())
        at = flag.end()
    start = places[1]
    shifted = [value - at if index % 2 == 0 else value for index, value in enumerate(places)]
    return Instruction(name, text[at:], tuple(flags), start, end, line, tuple(shifted))


def _with_heredocs(instruction: Instruction, end: int, bodies: tuple[str, ...]) -> Instruction:
    return Instruction(
        instruction.name, instruction.text, instruction.flags, instruction.start, end, instruction.line,
        instruction.places, bodies,
    )  # fmt: skip


def _heredoc_names(instruction: Instruction) -> Iterator[tuple[bool, str]]:
    name, text = instruction.name, instruction.text
    if name == "ONBUILD":
        inner = _NAME.match(text)
        name = inner["name"].upper() if inner else ""
    if name not in _TAKES_HEREDOCS or json_form(text) is not None:
        return
    for match in _HEREDOC.finditer(_without_quoted(text)):
        yield bool(match["strip"]), match["name"]


def _without_quoted(text: str) -> str:
    """The text with what stands in quotes blanked out, but for the quotes of a heredoc's name."""
    pieces: list[str] = []
    at = done = 0
    unclosed: set[str] = set()
    while match := _QUOTE.search(text, at):
        at = match.end()
        quote = match.group()
        closed = None
        if quote not in unclosed:
            start = match.start()
            closed = _DOUBLE_QUOTED.match(text, start) if quote == '"' else _SINGLE_QUOTED.match(text, start)
        if closed is None:
            unclosed.add(quote)  # nor does a later one of these end
            continue
        at = closed.end()
        if not text.endswith(("<<", "<<-"), 0, match.start()):
            pieces += text[done : match.start()], " " * len(closed.group())
            done = at
    return "".join((*pieces, text[done:]))


def json_form(text: str) -> list[str] | None:
    """The words of an instruction in exec form, or None where it is not written so."""
    text = text.strip()
    if not text.startswith("["):
        return None
    try:
        words = json.loads(text.encode("latin-1").decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    return words if isinstance(words, list) and all(isinstance(word, str) for word in words) else None


# --- facts ------------------------------------------------------------------------------------------------------------


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact `stage` for each stage. Its settings are in the order of the file: `base_image`, `platform`,
    `arg.*`, `env.*`, `workdir`, `user`, `ports`, `copy` and `run.*` among them; `command.exec` and `entrypoint.exec`
    hold a JSON array, `command.shell` and `entrypoint.shell` the text."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    if MARKER in data:
        facts.directives = [
            directive
            for start, end in _comments(data)
            if (directive := parse_directive(data, start, end, facts.line_starts)) is not None
        ]
    stages = _Stages("\\" if escape_of(data) == "\\" else "`", is_template(data))
    instructions = scan(data)
    for instruction in instructions:
        stages.add(instruction)
    facts.artefacts = stages.artefacts
    if instructions and not facts.artefacts and not stages.is_template:
        first = instructions[0]
        facts.problems.append(SyntaxProblem("a Dockerfile starts with FROM", first.start, first.end))
    return facts


def _comments(data: bytes) -> Iterator[tuple[int, int]]:
    """Lines that are comments. Inside a heredoc they are the script's, which does no harm."""
    for match in re.finditer(rb"(?m)^[ \t]*(#[^\r\n]*)", data):
        yield match.start(1), match.end(1)


class _Stages:
    """The stages while they are read, and the variables that are known at each point."""

    def __init__(self, escape: str, template: bool) -> None:
        self.artefacts: list[Artefact] = []
        self.is_template = template
        self._escape = escape
        self._global: dict[str, str | None] = {}
        self._variables: dict[str, dict[str, str | None]] = {}
        self._expand = Expander()

    def add(self, instruction: Instruction) -> None:
        """Takes one more instruction into account."""
        if instruction.name == "FROM":
            self._start_stage(instruction)
            return
        if not self.artefacts:
            if instruction.name == "ARG":
                for name, template, _, _ in self._assignments(instruction):
                    self._global[name] = None if template is None else self._expand(template, self._global)
            return
        stage = self.artefacts[-1]
        stage.end = instruction.end
        for setting in self._settings(instruction, self._variables[stage.name]):
            stage.settings.append(setting)
        if instruction.name in ("CMD", "ENTRYPOINT"):
            stage.anchor, stage.anchor_end = instruction.start, instruction.end

    def _start_stage(self, instruction: Instruction) -> None:
        words = self._text(instruction).split()
        image = words[0] if words else ""
        alias = words[2] if len(words) > 2 and words[1].upper() == "AS" else ""
        name = alias or str(len(self.artefacts))
        place = instruction.offset(0) if words else instruction.start
        span = (place, place + len(image))
        known = self._known(self._expand(image, self._global), image)
        parents = {artefact.name.lower(): artefact.name for artefact in self.artefacts}
        parent = parents.get((known or "").lower(), "")
        settings = [Setting("base_image", known, *span, image if has_variables(image) else "")]
        settings += (
            Setting("platform", flag.partition("=")[2], instruction.start, instruction.end)
            for flag in instruction.flags
            if flag.startswith("--platform=")
        )
        start, end = instruction.start, instruction.end
        self.artefacts.append(Artefact("stage", name, start, end, start, end, settings, parent=parent))
        self._variables[name] = dict(self._variables.get(parent, {}))

    def _settings(self, instruction: Instruction, variables: dict[str, str | None]) -> Iterator[Setting]:
        name, text = instruction.name, instruction.text.strip()
        whole = (instruction.start, instruction.end)
        if name == "ARG":
            for arg, template, start, end in self._assignments(instruction):
                default = self._global.get(arg) if template is None else self._expand(template, variables)
                # An ENV of the same name wins over an ARG.
                variables.setdefault(arg, default)
                yield Setting(f"arg.{arg}", default, start, end, template or "")
        elif name == "ENV":
            # All values of one ENV see the variables as they were before it.
            values: dict[str, str | None] = {}
            for key, template, start, end in self._assignments(instruction):
                values[key] = self._known(self._expand(template or "", variables), template)
                yield Setting(f"env.{key}", values[key], start, end, _template(template))
            variables.update(values)
        elif name in ("CMD", "ENTRYPOINT", "RUN"):
            key = {"CMD": "command", "ENTRYPOINT": "entrypoint", "RUN": "run"}[name]
            words = json_form(text)
            body = "\n".join((_utf8(text), *map(_utf8, instruction.heredocs)))
            form, value = ("shell", body) if words is None else ("exec", json.dumps(words))
            yield Setting(f"{key}.{form}", value, *whole)
        elif name in ("COPY", "ADD"):
            yield Setting("copy", json.dumps(_copied(instruction)), *whole)
        elif name in ("WORKDIR", "USER", "STOPSIGNAL"):
            key = {"WORKDIR": "workdir", "USER": "user", "STOPSIGNAL": "stop_signal"}[name]
            yield Setting(key, self._expand(_utf8(_unquoted(text)), variables), *whole, _template(text))
        elif name == "EXPOSE":
            for port in text.split():
                yield Setting("ports", self._expand(port, variables), *whole, _template(port))
        elif name == "HEALTHCHECK":
            yield Setting("healthcheck", _utf8(text), *whole)
        elif name == "SHELL":
            words = json_form(text)
            yield Setting("shell", json.dumps(words) if words is not None else None, *whole)
        elif name == "VOLUME":
            for volume in json_form(text) or text.split():
                yield Setting("volume", volume, *whole)

    def _known(self, value: str | None, template: str | None) -> str | None:
        return None if self.is_template and has_parts(template or "") else value

    def _text(self, instruction: Instruction) -> str:
        return without_blanks(instruction.text) if self.is_template else instruction.text

    def _assignments(self, instruction: Instruction) -> Iterator[tuple[str, str | None, int, int]]:
        """Name, value (None where there is none) and the value's place, of an ARG or ENV."""
        text = self._text(instruction).rstrip()
        # An escape character at the very end escapes nothing and is no word.
        words = [each for each in _words(text, self._escape) if each[0] != self._escape]
        if not words:
            return
        if instruction.name == "ENV" and "=" not in words[0][0]:
            name = words[0][0]
            rest = text[words[0][2] :]
            value = rest.strip()
            start = words[0][2] + len(rest) - len(rest.lstrip())
            yield _utf8(name), _utf8(_unescaped(value, self._escape)), instruction.offset(start), instruction.end
            return
        for word, start, end in words:
            name, equals, value = word.partition("=")
            behind = start + len(name) + len(equals)
            first, last = instruction.offset(min(behind, end - 1)), instruction.offset(end - 1) + 1
            first = last if behind == end else first
            yield _utf8(name), _utf8(_unescaped(value, self._escape)) if equals else None, first, last


def _template(text: str | None) -> str:
    return _utf8(text) if text and has_variables(text) else ""


def _utf8(text: str) -> str:
    """Text that holds one character per byte, as text."""
    try:
        return text.encode("latin-1").decode("utf-8", "replace")
    except UnicodeEncodeError:
        return text


def _words(text: str, escape: str) -> Iterator[tuple[str, int, int]]:
    """The words of an ENV or ARG with their places; quotes and escapes are still in them."""
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        start = at
        quote = ""
        while at < len(text) and (quote or not text[at].isspace()):
            if text[at] == escape and quote != "'" and at + 1 < len(text):
                at += 1
            elif quote:
                quote = "" if text[at] == quote else quote
            elif text[at] in "'\"":
                quote = text[at]
            at += 1
        yield text[start:at], start, at


def _unescaped(text: str, escape: str) -> str:
    """A value without its quotes and escape characters; an escaped `$` stays escaped."""
    out: list[str] = []
    quote = ""
    at = 0
    while at < len(text):
        letter = text[at]
        if letter == escape and quote != "'" and at + 1 < len(text):
            following = text[at + 1]
            if following == "$":
                out.append("\\$")
            elif quote and following not in (quote, escape):
                out.append(letter + following)
            else:
                out.append(following)
            at += 2
            continue
        if quote:
            if letter == quote:
                quote = ""
            else:
                out.append("\\$" if letter == "$" and quote == "'" else letter)
        elif letter in "'\"":
            quote = letter
        else:
            out.append(letter)
        at += 1
    return "".join(out)


def _unquoted(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _copied(instruction: Instruction) -> dict[str, object]:
    """What a COPY or ADD takes from where: `from` (a stage, an image, or "" for the build context), `sources`, `to`;
    and `written`, the texts of those sources that stand in the Dockerfile itself."""
    words = json_form(instruction.text)
    if words is None:
        words = [_utf8(_unquoted(word)) for word, _, _ in _words(instruction.text, "\\")]
    origin = next((flag.partition("=")[2] for flag in instruction.flags if flag.startswith("--from=")), "")
    copied: dict[str, object] = {"from": origin, "sources": words[:-1], "to": words[-1] if words else ""}
    if instruction.heredocs:
        copied["written"] = dict(zip(words[:-1], map(_utf8, instruction.heredocs), strict=False))
    return copied

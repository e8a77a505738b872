"""A name that nothing defines: reading it ends the request, or the process, with an error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from prodlint.facts import ImportKind, NameUse, Unbound, ValueKind
from prodlint.findings import Confidence, Finding
from prodlint.program.code.global_names import GlobalNames, names_in
from prodlint.program.linking.resolver import File
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule

_MODULE_NAMES = frozenset({"require", "module", "exports"})
_STATIC_IMPORTS = frozenset({ImportKind.IMPORT, ImportKind.REEXPORT, ImportKind.TYPE})
_GLOBAL_OBJECTS = frozenset({"global", "globalThis", "window", "self"})
_MANY_FILES = 3
"""A name that so many files use, and none defines, is no slip: whoever runs them provides it."""


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """Reads of names that neither the file nor the project nor the environment defines."""
    yield from _read_early(program, rule)
    judges = _Python(program, rule.data), _JavaScript(program, rule.data)
    for file in program.files:
        facts = file.facts
        if not facts.unbound or facts.problems or facts.makes_names:
            continue
        if program.roles[file.index] in (FileRole.BROWSER, FileRole.FOREIGN):
            continue
        judge = judges[0] if file.is_python else judges[1]
        for unbound in judge.unknown(file):
            for start, region, use in unbound.uses():
                message = judge.message(file, unbound.name, region, use)
                if message:
                    yield Finding(
                        rule.name,
                        message,
                        program.location(file, start, start + len(unbound.name.encode())),
                        confidence=judge.confidence(file, unbound.name),
                    )


def _read_early(program: Program, rule: Rule) -> Iterator[Finding]:
    """Reads of a `const` or a class in front of its declaration."""
    for file in program.files:
        facts = file.facts
        if not facts.early or facts.problems or program.roles[file.index] in (FileRole.BROWSER, FileRole.FOREIGN):
            continue
        for read in facts.early:
            yield Finding(
                rule.name,
                "This is read before it is declared: it throws a ReferenceError. Declare it further up.",
                program.location(file, read.start, read.end),
            )


class _Python:
    """Knows what Python code may use without defining it."""

    def __init__(self, program: Program, data: dict[str, Any]) -> None:
        files = [file for file in program.files if file.is_python]
        names = GlobalNames(files)
        provided = _used_in_many(files) - data["python"]["removed"].keys()
        self._known = provided | names.known | {*data["globals"], *data["python"]["names"]}
        self._is_open = names.is_open
        self._removed: dict[str, str] = data["python"]["removed"]

    def unknown(self, file: File) -> Iterator[Unbound]:
        """The names of a file that may be defined nowhere."""
        for unbound in file.facts.unbound:
            if not self._is_open and unbound.name not in self._known and not unbound.is_tested:
                yield unbound

    def message(self, file: File, name: str, region: int, use: NameUse) -> str:
        """What to tell the reader of a use; "" if it is none that fails."""
        if name in self._removed:
            now = f" Use `{self._removed[name]}`." if self._removed[name] else ""
            return f"Python 3 has no `{name}`: this raises a NameError.{now}"
        return f"Nothing defines `{name}`: this raises a NameError. {_advice(file, name)}"

    def confidence(self, file: File, name: str) -> Confidence:
        """How sure it is that the name is defined nowhere."""
        return Confidence.CERTAIN


class _JavaScript:
    """Knows what JavaScript and TypeScript code may use without defining it."""

    def __init__(self, program: Program, data: dict[str, Any]) -> None:
        self._program = program
        self._browser_signs = frozenset(data["browser-signs"])
        files = [file for file in program.files if not file.is_python]
        self._everywhere = GlobalNames(files)
        self._outside_browsers = GlobalNames([file for file in files if not self._is_for_browsers(file)])
        self._leaked = _leaked(files)
        self._browser = frozenset(data["browser"])
        self._known = {*data["globals"], *data["node"]} | (_used_in_many(files) - self._browser)
        self._test_runners = frozenset(data["test-runners"])
        self._environments: dict[str, list[str]] = data["environments"]
        self._providers: dict[str, list[str]] = data["providers"]

    def unknown(self, file: File) -> Iterator[Unbound]:
        """The names of a file that may be defined nowhere."""
        facts = file.facts
        used = {unbound.name for unbound in facts.unbound}
        # The page that a script for browsers is on may load others, which define more.
        own = names_in(file) if self._is_for_browsers(file) else None
        names = self._outside_browsers if own is None else self._everywhere
        if names.is_open or not _is_module(file, used) or not self._test_runners.isdisjoint(used):
            return
        known = self._known | (names.known - self._leaked) | self._provided(file)
        if "*" not in known:
            for unbound in facts.unbound:
                # `__NAME__` is how bundlers' constants are written.
                if unbound.name in known or unbound.is_tested or unbound.name.startswith("__"):
                    continue
                if own is None or unbound.name in own:
                    yield unbound

    def _is_for_browsers(self, file: File) -> bool:
        if self._program.roles[file.index] is FileRole.BROWSER:
            return True
        shows_it = any(unbound.name in self._browser_signs for unbound in file.facts.unbound)
        return shows_it and self._program.is_loaded(file) is not Confidence.CERTAIN

    def _provided(self, file: File) -> set[str]:
        """What else the file knows: by its comments, by what its package is built on, as properties of `window`."""
        provided: set[str] = set()
        for name in file.facts.announced:
            if name == ":browser":
                provided |= self._browser
            elif name.startswith(":"):
                provided.update(self._environments.get(name[1:], ()))
            else:
                provided.add(name)
        for package, names in self._providers.items():
            if self._program.versions.required(file.path, package) is not None:
                provided.update(names)
        values = file.facts.values
        provided.update(
            value.text
            for value in values
            if value.kind is ValueKind.MEMBER
            and values[value.ref].kind is ValueKind.GLOBAL
            and values[value.ref].text in _GLOBAL_OBJECTS
        )
        return provided

    def message(self, file: File, name: str, region: int, use: NameUse) -> str:
        """What to tell the reader of a use; "" if it is none that fails."""
        if use is NameUse.STRICT_WRITE:
            return (
                f"Nothing declares `{name}`: in strict code, which modules and classes are, this assignment throws a "
                f"ReferenceError. Declare it with `let` or `const`."
            )
        if name in self._leaked:
            return (
                f"Nothing declares `{name}`: this assignment makes it a global variable, which all requests share. "
                "Declare it with `let` or `const`."
                if use is NameUse.WRITE
                else ""
            )
        if use is not NameUse.READ:
            return ""
        if name in self._browser:
            if not self._is_for_servers_only(file, region):
                return ""
            return f"Only browsers define `{name}`: in Node this throws a ReferenceError. {_advice(file, name)}"
        return f"Nothing defines `{name}`: this throws a ReferenceError. {_advice(file, name)}"

    def _is_for_servers_only(self, file: File, region: int) -> bool:
        """Whether a place runs in a service, and never (as what is handed to a browser to evaluate) elsewhere."""
        if self._program.server_code(file, region) is not Confidence.CERTAIN:
            return False
        return self._browser_signs.isdisjoint(unbound.name for unbound in file.facts.unbound)

    def confidence(self, file: File, name: str) -> Confidence:
        """How sure it is that the name is defined nowhere. What no service loads may run where there are other globals,
        and in TypeScript a declaration file may declare it, unless it is a name of another scope of the file."""
        if name in self._browser or name in names_in(file):
            return Confidence.CERTAIN
        is_known = file.facts.kind == "javascript" and self._program.is_loaded(file) is Confidence.CERTAIN
        return Confidence.CERTAIN if is_known else Confidence.LIKELY


def _leaked(files: list[File]) -> frozenset[str]:
    """The names that nothing declares and that one function alone, of all files, assigns and uses."""
    places: dict[str, set[tuple[int, int]]] = {}
    written: set[str] = set()
    for file in files:
        for unbound in file.facts.unbound:
            for _, region, use in unbound.uses():
                places.setdefault(unbound.name, set()).add((file.index, file.facts.regions[region].function))
                if use is NameUse.WRITE:
                    written.add(unbound.name)
    others = {name for file in files for name in file.facts.ambient}
    others |= {store.name for file in files for store in file.facts.stores}
    return frozenset(
        name
        for name in written - others
        if len(places[name]) == 1 and all(function != 0 for _, function in places[name])
    )


def _used_in_many(files: list[File]) -> set[str]:
    counts = Counter(unbound.name for file in files for unbound in file.facts.unbound)
    return {name for name, count in counts.items() if count >= _MANY_FILES}


def _is_module(file: File, used: set[str]) -> bool:
    """Whether a file is a module: a script shares the names of all others on its page."""
    facts = file.facts
    if not _MODULE_NAMES.isdisjoint(used) or facts.exports:
        return True
    return any(request.kind in _STATIC_IMPORTS for request in facts.imports)


def _advice(file: File, name: str) -> str:
    names = names_in(file)
    if name in names:
        return "There is one in another scope of this file: pass it on, or declare it where both can see it."
    close = get_close_matches(name, sorted(names), n=1, cutoff=0.8) if len(name) > 3 else []
    return f"Is `{close[0]}` meant?" if close else "Import it, or correct its spelling."

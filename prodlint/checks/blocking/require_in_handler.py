"""A module that is loaded while a request waits: `require` reads files synchronously."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from prodlint.facts import BindingKind, Import, ImportKind, RegionKind, Use, ValueKind
from prodlint.findings import Applicability, Confidence, Finding, Fix, ImportRequest, Span
from prodlint.models.frameworks.model import Context
from prodlint.program.code.request_paths import request_path_to
from prodlint.program.linking.program import closure
from prodlint.program.linking.resolver import File
from prodlint.program.linking.run_once import runs_once

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.rulebook import Rule


def check(program: Program, rule: Rule) -> Iterator[Finding]:
    """`require` calls in functions that a request reaches."""
    builtin = frozenset(rule.data["builtin"])
    loaded = _Loaded(program)
    for file in program.files:
        if file.is_python:
            continue
        for number, request in enumerate(file.facts.imports):
            if request.kind is not ImportKind.REQUIRE or file.facts.regions[request.region].function == 0:
                continue
            if request.module.removeprefix("node:").split("/")[0] in builtin or loaded.at_start(file, request):
                continue
            reached = request_path_to(program, file, request.region, rule.name)
            if reached is None or _runs_at_start(program, file, request):
                continue
            if _is_kept(file, request) or _is_guarded(program, file, request):
                continue
            circular = _is_circular(program, file, request)
            is_sure = (
                not circular
                and loaded.weighs(file, request, builtin)
                and not _is_fallback(program, file, request)
                and not _may_be_missing(program, file, request.module)
            )
            yield Finding(
                rule.name,
                f"`require` loads files synchronously, and a request reaches this one{reached.by}: the first request "
                "pays for it, and all others wait. Require it at the top of the file.",
                program.location(file, request.start, request.end),
                confidence=reached.confidence if is_sure else Confidence.LIKELY,
                trace=reached.trace,
                data={"file": file.index, "import": number} if request.module and not circular else {},
                no_fix_reason="the module needs this one, too"
                if circular
                else ""
                if request.module
                else "its name is computed",
            )


class _Loaded:
    """The modules that are loaded before any request comes: `require` only looks them up then."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._names: set[str] = set()
        self._files: set[int] = set()
        for file in self._first():
            for request in file.facts.imports:
                if _is_at_top(file, request):
                    self._add(file, request)

    def _first(self) -> list[File]:
        """The files that a service loads before any request: those that nothing loads, and what they load at their
        top."""
        files = [
            file
            for file in self._program.files
            if not file.is_python and self._program.is_loaded(file) is Confidence.CERTAIN
        ]
        early: dict[int, set[int]] = defaultdict(set)
        asked: set[int] = set()
        for file in files:
            for request in file.facts.imports:
                found = self._program.resolver.module(file, request.module) if request.module else None
                if found is not None and found is not file:
                    asked.add(found.index)
                    if _is_at_top(file, request):
                        early[file.index].add(found.index)
        start = {file.index for file in files if file.index not in asked or file.index in self._program.serving}
        seen = closure(start, early)
        return [file for file in files if file.index in seen]

    def _add(self, file: File, request: Import) -> None:
        found = self._program.resolver.module(file, request.module)
        if found is not None:
            self._files.add(found.index)
        elif not request.module.startswith("."):
            self._names.add(request.module)

    def at_start(self, file: File, request: Import) -> bool:
        """Whether the module of a request is loaded at start-up."""
        found = self._program.resolver.module(file, request.module) if request.module else None
        return found.index in self._files if found is not None else request.module in self._names

    def weighs(self, file: File, request: Import, builtin: frozenset[str]) -> bool:
        """Whether a module surely takes a while to load: a package, or one of the project that loads a package."""
        found = self._program.resolver.module(file, request.module) if request.module else None
        if found is None:
            name = request.module.removeprefix("node:").split("/")[0]
            is_package = bool(name) and not name.startswith(".") and name not in builtin
            return is_package and request.module not in self._names
        seen, stack = {found.index}, [found]
        while stack:
            at = stack.pop()
            for inner in at.facts.imports:
                if not _is_at_top(at, inner):
                    continue
                other = self._program.resolver.module(at, inner.module) if inner.module else None
                if other is None and self.weighs(at, inner, builtin):
                    return True
                if other is not None and other.index not in seen and other.index not in self._files:
                    seen.add(other.index)
                    stack.append(other)
        return False


def _is_at_top(file: File, request: Import) -> bool:
    is_top = file.facts.regions[request.region].function == 0
    return is_top and request.kind in (ImportKind.IMPORT, ImportKind.REQUIRE, ImportKind.REEXPORT)


def _runs_at_start(program: Program, file: File, request: Import) -> bool:
    """Whether start-up runs the function around a `require`, too: a request finds the module loaded."""
    start = program.contexts.of(file.function_at(request.region)).get(Context.STARTUP)
    return start is not None and start.certain


def _is_kept(file: File, request: Import) -> bool:
    """A lazy loader that keeps what it has loaded: `if (!x) x = require('x')`, `if (x) return x`."""
    facts = file.facts
    if any(call.start == request.start and call.end == request.end and runs_once(facts, call) for call in facts.calls):
        return True
    function = facts.regions[request.region].function
    for exit_ in facts.exits:
        region = facts.regions[exit_.region]
        if (
            region.function == function
            and region.kind is RegionKind.THEN
            and exit_.start < request.start
            and region.values
        ):
            test = facts.values[region.values[0]]
            if test.kind is ValueKind.BINDING and facts.bindings[test.ref].function != function:
                return True
    return False


def _is_fallback(program: Program, file: File, request: Import) -> bool:
    """Whether a module is loaded only where something else has failed."""
    around = program.regions_out(file, request.region)
    return any(file.facts.regions[at].kind is RegionKind.CATCH for at in around)


def _is_guarded(program: Program, file: File, request: Import) -> bool:
    """Whether the module is an optional one: it may be missing, and that is caught."""
    return program.in_try(file, request.region)


def _is_circular(program: Program, file: File, request: Import) -> bool:
    """Whether the module loads this file, itself or through others: then the place of `require` matters."""
    first = program.resolver.module(file, request.module)
    seen = {first.index} if first is not None else set()
    stack = [first] if first is not None else []
    while stack:
        at = stack.pop()
        if at is file:
            return True
        for inner in at.facts.imports:
            found = program.resolver.module(at, inner.module) if inner.module else None
            if found is not None and found.index not in seen:
                seen.add(found.index)
                stack.append(found)
    return False


def _may_be_missing(program: Program, file: File, module: str) -> bool:
    """Whether a package is none of those that the manifest asks for: it may be installed when it is needed."""
    from prodlint.fixes import javascript

    package = "/".join(module.split("/")[: 2 if module.startswith("@") else 1])
    is_own = module.startswith((".", "/", "#")) or program.resolver.module(file, module) is not None
    if is_own or javascript.is_builtin(module) or not program.versions.packages:
        return False
    return program.versions.required(file.path, package) is None


def fix(finding: Finding, program: Program, rule: Rule) -> Fix | str:
    """The same `require` at the top of the file."""
    if not finding.data:
        return "which module it is, is decided while the request waits"
    from prodlint.fixes import javascript

    file = program.files[finding.data["file"]]
    wanted = file.facts.imports[finding.data["import"]]
    if _may_be_missing(program, file, wanted.module):
        return "the package is no dependency of this one, and may be missing"
    source, span = program.read(file.path), Span(wanted.start, wanted.end)
    style = javascript.style_of(file.path, source)
    call = next((call for call in file.facts.calls if (call.start, call.end) == tuple(span)), None)
    if style is None or style.esm or call is None:
        return "the file has `import`s, or `require` is not called plainly"
    if call.use is Use.ASSIGNED and wanted.locals:
        requests = tuple(
            ImportRequest(file.path, wanted.module, "" if name in ("*", "default", "") else name, local)
            for name, local in zip(wanted.names, wanted.locals, strict=True)
        )
        edits = javascript.remove_declaration(file.path, source, span)
        alone = all(_is_only_name(file, local) for local in wanted.locals)
        return (
            Fix("Require it at the top", Applicability.UNSAFE, edits, requests)
            if edits and alone
            else "its name is declared elsewhere in the file, too"
        )
    request = ImportRequest(file.path, wanted.module)
    local = javascript.local_name(file.path, source, request)
    edits = javascript.replace_expression(file.path, source, span, local) if local else None
    return (
        Fix("Require it at the top", Applicability.UNSAFE, edits, (request,))
        if edits
        else "its name is taken in the file"
    )


def _is_only_name(file: File, name: str) -> bool:
    """Whether nothing else in the file has the name, so that it can be the module's own."""
    facts = file.facts
    names = [binding.name for binding in facts.bindings if binding.kind is not BindingKind.IMPORT]
    names += [local for request in facts.imports for local in request.locals]
    names += [fact.name for fact in facts.functions]
    names += [cls.name for cls in facts.classes]
    names += [each for function in facts.functions for param in function.params for each in (param.name, *param.names)]
    is_global = any(value.kind is ValueKind.GLOBAL and value.text == name for value in facts.values)
    return names.count(name) == 1 and not is_global

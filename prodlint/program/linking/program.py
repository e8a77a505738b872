"""The whole program: every file's facts joined. Checks see this, and nothing of how it came about."""

from __future__ import annotations

import posixpath
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import cached_property
from itertools import islice, takewhile
from typing import Any, TypeVar

from prodlint.facts import NONE, Directive, FileFacts, Function, RegionKind, Value, ValueKind
from prodlint.findings import Confidence, Location
from prodlint.lazy_regex import regex
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.models.frameworks.model import Context
from prodlint.program.linking.call_graph import CallGraph, Registration, aliases_of
from prodlint.program.linking.completeness import Completeness
from prodlint.program.linking.contexts import ON_LOOP, Contexts, Reach
from prodlint.program.linking.foreign_runtimes import drawn_functions, draws, foreign_files, is_desktop, is_front_end
from prodlint.program.linking.manifests import Versions
from prodlint.program.linking.modules import NodeModules, PythonModules, aliases_in, requested, roots_in
from prodlint.program.linking.resolver import CallSite, File, Resolver
from prodlint.program.linking.started_files import started_files
from prodlint.program.linking.starts import Starts
from prodlint.program.linking.targets import Api, Cls, Fn, Module, Target, Targets
from prodlint.project.file_roles import FileRole, role_of
from prodlint.project.hints import Hints

SOURCE_KINDS = frozenset({"javascript", "typescript", "tsx", "python"})

_ONCE_BY_NAME = regex(
    r"_*(?:(?:start|stop|startup|shutdown|setup|set_up|teardown|tear_down|init|initiali[sz]e|cleanup|connect|disconnect|open"
    r"|close)$|(?:on|before|after)_(?:start|stop|shut))"
)
"""Methods that run when a service starts or ends."""
_ASKED = frozenset({Context.REQUEST, Context.REQUEST_THREAD, Context.STARTUP})
_REQUESTS = (Context.REQUEST, Context.REQUEST_THREAD)
_SERVER = (Context.REQUEST, Context.REQUEST_THREAD, Context.STARTUP, Context.BACKGROUND, Context.BACKGROUND_THREAD)


_Node = TypeVar("_Node")


class Program:
    """One project: source files linked and contexts derived. Questions about it are functions of it, see `queries`."""

    def __init__(self, files: Mapping[str, FileFacts], hints: Hints, read: Callable[[str], bytes]) -> None:
        """`files`: facts by path (POSIX, relative to the project root); `read`: the bytes of a path, for fixes."""
        self.facts = files
        self.hints = hints
        self.read = read
        self.versions = Versions(files)
        self.files = _source_files(files)
        self.by_path = {file.path: file for file in self.files}
        paths = [file.path for file in self.files]
        self.resolver = Resolver(
            self.files,
            NodeModules(
                (path for path in paths if not path.endswith(".py")), self.versions.packages, aliases_in(files)
            ),
            PythonModules((path for path in paths if path.endswith(".py")), roots_in(files)),
            aliases_of(FRAMEWORKS),
            [slots for framework in FRAMEWORKS for slots in framework.slots],
            [api for framework in FRAMEWORKS for api in framework.instantiates],
        )
        self.graph = CallGraph(self.resolver, FRAMEWORKS, self.versions, hints.handlers, hints.offloaders)
        packages = {path.rpartition("/")[0] for path in files if path.rpartition("/")[2] == "__init__.py"}
        self.roles = [
            role_of(file.path, hints.scripts, hints.tests, packages, file.facts.imports) for file in self.files
        ]
        self.starts = Starts(self.graph)
        self._loaded, self._perhaps = self._load()
        self._drawn: dict[int, Set[int]] = {}
        self.contexts = self._contexts()
        self._by_rule: dict[str, Contexts] = {}
        self._run_by_entry: dict[str, set[int]] = {}
        self.answers: dict[Callable[[Program], Any], Any] = {}
        """What `query` keeps: the answers to questions about the whole program, by question."""
        self.used_directives: set[tuple[str, int]] = set()
        """Ignore comments (path, index) that a path rule used as a barrier."""

    # ------------------------------------------------------------------ what runs

    def _load(self) -> tuple[set[int], set[int]]:
        """The files that a service loads: surely, and (no import says so, but they lie beside it) perhaps."""
        imports = self._imports = defaultdict[int, set[int]](set)
        importers: dict[int, set[int]] = defaultdict(set)
        for file in self.files:
            skipped = self._asked_in_development(file)
            for module in requested(file.facts):
                found = self.resolver.module(file, module) if module not in skipped else None
                if found is not None:
                    imports[file.index].add(found.index)
                    importers[found.index].add(file.index)
            for found in self.resolver.computed_modules(file):
                imports[file.index].add(found.index)
                importers[found.index].add(file.index)
        for index in foreign_files(self.files, self.resolver, self.versions.packages, importers):
            self.roles[index] = FileRole.FOREIGN
        self._leave_desktops()
        for file in self.files:
            if self.roles[file.index] is FileRole.SOURCE and self._is_command(file, importers[file.index]):
                self.roles[file.index] = FileRole.SCRIPT
        self._leave_conventions(importers)
        serving = {index for index in self.graph.serving if self.roles[index] is not FileRole.FOREIGN}
        serving.update(
            registration.file
            for registration in self.graph.registrations
            if registration.context in (Context.REQUEST, Context.REQUEST_THREAD)
            and self.roles[registration.file] is not FileRole.FOREIGN
        )
        self.serving = frozenset(serving)
        runs = {index for index in serving if self.roles[index] in (FileRole.SOURCE, FileRole.BROWSER)}
        above = closure(runs, importers, lambda index: not self._tool(index))
        loaded = closure(above, imports)
        homes = {self.home(index) for index in runs}
        perhaps = {
            file.index
            for file in self.files
            if file.index not in loaded
            and self.roles[file.index] is FileRole.SOURCE
            and self.home(file.index) in homes
            and not self._is_browser(file)
            and not file.facts.shebang
        }
        return loaded, perhaps

    def _leave_conventions(self, importers: Mapping[int, set[int]]) -> None:
        """Take a file for the service's own that serves or registers handlers, whatever its name or folder is for by
        convention, where the service's own files ask for it or something deployed starts it."""
        registering = set(self.graph.serving)
        registering.update(
            registration.file
            for registration in self.graph.registrations
            if registration.context in _REQUESTS and registration.certain
        )
        waiting = sorted(index for index in registering if self.roles[index] in (FileRole.SCRIPT, FileRole.BROWSER))
        started = started_files(self.facts, [self.files[index].path for index in waiting]) if waiting else ()
        is_changed = True
        while is_changed:
            is_changed = False
            for index in waiting:
                if self.roles[index] is not FileRole.SOURCE and (
                    self.files[index].path in started
                    or any(self.roles[importer] is FileRole.SOURCE for importer in importers.get(index, ()))
                ):
                    self.roles[index], is_changed = FileRole.SOURCE, True

    def _leave_desktops(self) -> None:
        """Take the files of programs for desktops for no service's: all of a package that serves nothing besides, and
        else those that ask for Electron."""
        serving = {self.home(index) for index in self.graph.serving}
        for file in self.files:
            if file.is_python or not is_desktop(self.versions.packages, file.path):
                continue
            asks = any(each.module == "electron" or each.module.startswith("electron/") for each in file.facts.imports)
            if (asks and file.index not in self.graph.serving) or self.home(file.index) not in serving:
                self.roles[file.index] = FileRole.FOREIGN

    def _asked_in_development(self, file: File) -> set[str]:
        """The modules that a file asks for only where it runs in development: `if (options.dev) await import(…)`."""
        asked = {each.module: True for each in file.facts.imports}
        for each in file.facts.imports:
            asked[each.module] = asked[each.module] and self.dev_only(file, each.region)
        return {module for module, is_skipped in asked.items() if is_skipped}

    def _is_command(self, file: File, importers: set[int]) -> bool:
        """Whether a file is a command of a package's own command line tool: one of its `commands`, which only the tool
        itself asks for, if not by a name that it makes up."""
        info = None if file.is_python else self.versions.packages.get(self.versions.package_folder(file.path))
        return (
            info is not None
            and bool(info.bin)
            and "commands" in file.path.split("/")[:-1]
            and file.index not in self.graph.serving
            and all(self._tool(index) or self.files[index].facts.shebang for index in importers)
        )

    def _tool(self, index: int) -> bool:
        """Whether a file is a tool that happens to use the service's modules. `bin/www` starts the service itself."""
        return self.roles[index] is FileRole.SCRIPT

    def home(self, index: int) -> str:
        """The language and the nearest package folder of a file: what is deployed together."""
        file = self.files[index]
        return f"{'py' if file.is_python else 'js'}:{self.versions.package_folder(file.path)}"

    def _is_browser(self, file: File) -> bool:
        """Whether a JavaScript file is written for browsers: it uses their globals and nothing of Node's."""
        if file.is_python:
            return False
        names = {unbound.name for unbound in file.facts.unbound}
        if names & {"require", "module", "process", "__dirname", "Buffer"}:
            return False
        modules = {request.module for request in file.facts.imports}
        if modules & {"react", "vue", "react-dom", "svelte", "jquery", "preact", "@angular/core"}:
            return True
        return bool(names & {"document", "window", "$", "jQuery", "localStorage", "navigator", "define"})

    def _modules(self) -> dict[int, Context]:
        contexts: dict[int, Context] = {}
        for file in self.files:
            role = self.roles[file.index]
            if file.index in self._loaded and not (role is FileRole.SCRIPT and file.index not in self.graph.serving):
                contexts[file.fn_base] = Context.STARTUP
            elif role is FileRole.SCRIPT or file.facts.shebang:
                contexts[file.fn_base] = Context.SCRIPT
        return contexts

    def _contexts(self, barriers: Set[tuple[int, int]] = frozenset()) -> Contexts:
        return Contexts(
            self.graph, self._modules(), self._coroutines(), barriers, self.starts.by_hand, self.starts.services
        )

    def _coroutines(self) -> list[tuple[int, bool]]:
        """Python's `async def`s in what a service loads: they run on an event loop, whoever calls them. It may be at
        start-up only; a method that the program's own base class declares is surely called through that, and while
        requests are served unless its name says otherwise."""
        return [
            (
                file.fn_base + number,
                function.cls != NONE
                and not _ONCE_BY_NAME.match(function.name)
                and self._is_override(file.cls_base + function.cls, function),
            )
            for file in self.files
            if file.is_python and file.index in self._loaded and self.roles[file.index] is FileRole.SOURCE
            for number, function in enumerate(file.facts.functions)
            if function.is_async
        ]

    def _is_override(self, cls: int, method: Function) -> bool:
        """Whether a class of the program from which `cls` derives has such a method, too."""
        return any(
            isinstance(base, Cls) and method.name in self.resolver.members_of(base.id)
            for base in self.resolver.bases_of(cls)
        )

    def contexts_for(self, rule: str) -> Contexts:
        """The contexts as a path rule sees them: an ignore comment for it on a call removes that edge."""
        if rule not in self._by_rule:
            barriers: set[tuple[int, int]] = set()
            for file in self.files:
                for number, directive in enumerate(file.facts.directives):
                    if directive.line and (rule in directive.rules or not directive.rules):
                        barriers.update(self._barriers(file, number, directive))
            self._by_rule[rule] = self._contexts(barriers) if barriers else self.contexts
        return self._by_rule[rule]

    def _barriers(self, file: File, number: int, directive: Directive) -> Iterator[tuple[int, int]]:
        starts = file.facts.line_starts
        if directive.line > len(starts):
            return
        first = starts[directive.line - 1]
        last = starts[directive.line] if directive.line < len(starts) else file.facts.regions[0].end + 1
        order = file.calls_by_place
        begin = bisect_left(order, first, key=lambda index: file.facts.calls[index].start)
        for index in takewhile(lambda index: file.facts.calls[index].start < last, islice(order, begin, None)):
            caller = file.function_at(file.facts.calls[index].region)
            if any(edge.file == file.index and edge.call == index for edge in self.graph.edges.get(caller, ())):
                self.used_directives.add((file.path, number))
            yield file.index, index

    # ------------------------------------------------------------------ questions of checks

    @cached_property
    def calls(self) -> Sequence[tuple[CallSite, Targets]]:
        """Every call of the program with what its callee can be."""
        return [
            (CallSite(file, index), targets)
            for file in self.files
            for index, targets in enumerate(self.graph.targets[file.index])
        ]

    @cached_property
    def api_calls(self) -> Mapping[str, list[CallSite]]:
        """The calls that can be of each API, by access path: evidence that something is there. What is reported asks
        `calls_of`."""
        found: dict[str, list[CallSite]] = defaultdict(list)
        for site, targets in self.calls:
            for target in targets:
                if isinstance(target, Api):
                    found[target.path].append(site)
        return found

    def calls_of(self, is_meant: Callable[[str], bool]) -> Iterator[tuple[CallSite, str, Confidence]]:
        """The calls of the APIs that `is_meant` (by access path) says yes to, each once, with the first such API, and
        how sure it is that it is called: CERTAIN only where all that the callee can be is known and is meant."""
        seen: set[tuple[int, int]] = set()
        meant = {api: is_meant(api) for api in self.api_calls}
        for api, sites in self.api_calls.items():
            for site in sites if meant[api] else ():
                key = (site.file.index, site.index)
                if key not in seen:
                    seen.add(key)
                    is_sure = self.is_surely(site, meant.__getitem__)
                    yield site, api, Confidence.CERTAIN if is_sure else Confidence.LIKELY

    def is_surely(self, site: CallSite, is_meant: Callable[[str], bool]) -> bool:
        """Whether all that a call's callee can be is known, and is an API that `is_meant` says yes to."""
        targets = self.graph.targets[site.file.index][site.index]
        return all(isinstance(target, Api) and is_meant(target.path) for target in targets) and (
            self.completeness.is_complete(site.file, site.call.callee)
        )

    def targets_of(self, site: CallSite) -> Targets:
        """What a call's callee can be, with the function in the place of a module that is one (`module.exports =
        function …`)."""
        found = self.graph.targets[site.file.index][site.index]
        if not any(isinstance(target, Module) for target in found):
            return found
        return tuple(hit for target in found for hit in self._as_function(target))

    def _as_function(self, target: Target) -> Targets:
        functions = self.resolver.callables(target) if isinstance(target, Module) else []
        return tuple(Fn(function) for function in functions) or (target,)

    @cached_property
    def completeness(self) -> Completeness:
        """Whether what values were found to be is all that they can be."""
        return Completeness(self.resolver)

    @cached_property
    def registrations_of(self) -> Mapping[int, list[Registration]]:
        """How each registered function (by id) comes to be one."""
        found: dict[int, list[Registration]] = defaultdict(list)
        for registration in self.graph.registrations:
            found[registration.function].append(registration)
        return found

    def function(self, id_: int) -> tuple[File, Function]:
        """A function of the program with its file."""
        return self.resolver.functions[id_]

    def value(self, file: File, index: int) -> Value:
        """values[`index`] of a file (UNKNOWN for NONE)."""
        return file.facts.values[index] if index != NONE else _UNKNOWN

    def location(self, file: File, start: int, end: int) -> Location:
        """A place in a source file."""
        return Location(file.path, start, end)

    def is_loaded(self, file: File) -> Confidence | None:
        """Whether a service runs the file: CERTAIN if imports say so, LIKELY if it merely lies beside what runs."""
        if file.index in self._loaded:
            return Confidence.CERTAIN
        return Confidence.LIKELY if file.index in self._perhaps else None

    def server_code(self, file: File, region: int) -> Confidence | None:
        """Whether what stands in a region is server code: run for a request, at start-up or in the background of a
        service. None for scripts, build files, code for browsers and other engines, and branches for development
        only."""
        role = self.roles[file.index]
        if role is FileRole.FOREIGN or self.dev_only(file, region) or self.is_main_guard(file, region):
            return None
        reached = self.contexts.of(file.function_at(region))
        is_named_otherwise = role in (FileRole.SCRIPT, FileRole.BROWSER)
        if is_named_otherwise and not (file.index in self._loaded and self._is_surely_asked(file, reached)):
            return None
        if not _ASKED & reached.keys() and self._is_drawn(file, region):
            return None
        if any(context in reached and reached[context].certain for context in _SERVER):
            # Front ends have timers, too.
            is_asked = bool(_ASKED & reached.keys())
            if not is_asked and self._is_browser(file):
                return None
            if not is_asked and file.index not in self._loaded:
                return None if draws(file, self.versions.packages) else Confidence.CERTAIN
            is_shared = not is_asked and is_front_end(file, self.versions.packages)
            return Confidence.LIKELY if is_shared else Confidence.CERTAIN
        if reached and not any(context in reached for context in _SERVER):
            return None
        loaded = self.is_loaded(file)
        if loaded is None or file.index in self.serving:
            return loaded
        is_shared = self.starts.has_hand(file) or is_front_end(file, self.versions.packages)
        return Confidence.LIKELY if is_shared else loaded

    def _is_surely_asked(self, file: File, reached: Mapping[Context, Reach]) -> bool:
        """Whether a request surely gets to code of a file that a service loads, whatever its name says it is for.
        Hidden files are what tools write."""
        is_hidden = posixpath.basename(file.path).startswith(".")
        return not is_hidden and any(context in reached and reached[context].certain for context in _REQUESTS)

    def _is_drawn(self, file: File, region: int) -> bool:
        """Whether a function, or one around it, works on what only a browser has, whatever else its file is for."""
        if file.is_python:
            return False
        known = self._drawn.get(file.index)
        if known is None:
            known = self._drawn[file.index] = drawn_functions(file, self.resolver)
        function = file.facts.regions[region].function
        while known and function not in (NONE, 0):
            if function in known:
                return True
            function = file.facts.functions[function].parent
        return False

    def on_loop(self, file: File, region: int, rule: str) -> tuple[Context, Reach] | None:
        """The event-loop context (a request's first) that a region runs in, or None: nothing known blocks there."""
        reached = self.contexts_for(rule).of(file.function_at(region))
        for context in ON_LOOP:
            if context in reached:
                return context, reached[context]
        return None

    def name(self, function: int, seen_from: File | None = None) -> str:
        """A function's name as a reader would say it; one without a name is told by its place, for a reader who looks
        at the file `seen_from`."""
        file, fact = self.resolver.functions[function]
        if fact.parent == NONE:
            return f"the module {file.path}"
        if fact.cls != NONE and fact.name:
            return f"{file.facts.classes[fact.cls].name}.{fact.name}()"
        if fact.name:
            return f"{fact.name}()"
        where = file.place(fact.name_start)
        return f"the function in line {where.rpartition(':')[2]}" if file is seen_from else f"the function at {where}"

    def regions_up(self, file: File, region: int) -> Iterator[int]:
        """A region and the regions around it, up to its function's body."""
        function = file.facts.regions[region].function
        while region != NONE and file.facts.regions[region].function == function:
            yield region
            region = file.facts.regions[region].parent

    def regions_out(self, file: File, region: int) -> Iterator[int]:
        """A region and all regions around it, through the functions that it is written in, up to the module."""
        while region != NONE:
            yield region
            region = file.facts.regions[region].parent

    def in_try(self, file: File, region: int) -> bool:
        """Whether an exception in a region is caught in the same function."""
        facts = file.facts
        guarded = {other.partner for other in facts.regions if other.kind is RegionKind.CATCH}
        return any(facts.regions[at].kind is RegionKind.TRY and at in guarded for at in self.regions_up(file, region))

    def dev_only(self, file: File, region: int) -> bool:
        """Whether a region runs in development or tests only: `if (process.env.NODE_ENV !== 'production')`."""
        return self.graph.branches.dev_only(file, region)

    def is_main_guard(self, file: File, region: int) -> bool:
        """Whether a region runs only when its file is started by hand: `if __name__ == "__main__"`,
        `if (require.main === module)`. A service that is started so is not meant: then its file serves."""
        if self.starts.is_by_hand(file, region):
            return True
        if not file.is_python or file.index in self.serving:
            return False
        for at in self.regions_out(file, region):
            fact = file.facts.regions[at]
            if fact.kind is RegionKind.THEN and fact.values:
                test = self.value(file, fact.values[0])
                if test.kind is ValueKind.OP and any(self.value(file, item).text == "__name__" for item in test.items):
                    return True
        return False

    def has_default_exports(self, path: str) -> bool:
        """Whether a file can import a module of CommonJS as `import x from`: TypeScript may be told not to."""
        folder = posixpath.dirname(path)
        while path.endswith((".ts", ".tsx", ".cts")):
            facts = self.facts.get(posixpath.join(folder, "tsconfig.json"))
            if facts is not None:
                settings = (setting for artefact in facts.artefacts for setting in artefact.settings)
                return not any(setting.key == "esModuleInterop" and setting.value == "false" for setting in settings)
            if not folder:
                break
            folder = posixpath.dirname(folder)
        return True

    def loads(self, entry: str, file: File) -> bool:
        """Whether the source file `entry` loads another one, if only through others."""
        return file.index in self.run_by(entry)

    def run_by(self, entry: str) -> set[int]:
        """The indices of the files that the source file `entry` loads, if only through others, and its own."""
        if entry not in self._run_by_entry:
            file = self.by_path.get(entry)
            start = {file.index} if file is not None else set()
            self._run_by_entry[entry] = closure(start, self._imports)
        return self._run_by_entry[entry]


_UNKNOWN = Value(ValueKind.UNKNOWN)


def link(files: Mapping[str, FileFacts], hints: Hints, read: Callable[[str], bytes]) -> Program:
    """Join the facts of all files into one program. See `Program` for the arguments."""
    return Program(files, hints, read)


def _source_files(files: Mapping[str, FileFacts]) -> list[File]:
    found: list[File] = []
    functions = classes = 0
    for path in sorted(files):
        facts = files[path]
        if facts.kind in SOURCE_KINDS and facts.functions:
            found.append(File(len(found), path, facts, functions, classes))
            functions += len(facts.functions)
            classes += len(facts.classes)
    return found


def closure(
    start: set[_Node], edges: Mapping[_Node, set[_Node]], wanted: Callable[[_Node], bool] = lambda node: True
) -> set[_Node]:
    """All that can be reached from `start`, through what is wanted."""
    seen = set(start)
    stack = list(start)
    while stack:
        for after in edges.get(stack.pop(), ()):
            if after not in seen and wanted(after):
                seen.add(after)
                stack.append(after)
    return seen


__all__ = ["SOURCE_KINDS", "CallSite", "Context", "File", "FileRole", "Program", "closure", "link"]

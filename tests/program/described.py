"""What linking found, in words in which neither the order of files nor that of calls has a part."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from prodlint.facts import NONE
from prodlint.program.linking.call_graph import Edge
from prodlint.program.linking.program import Program
from prodlint.program.linking.resolver import File
from prodlint.program.linking.targets import Api, Cls, Fn, FnMember, Inst, Module, New, Obj, Target


class Names:
    """The names of a program's parts. Those of its own have a colon in them, behind the path of their file:
    `shop.js:load`, `shop.js:Cart.add` for a method, `shop.js:7` for a function without a name that starts in line 7,
    and `shop.js:` for the module's body. Those of libraries are access paths: `fs.readFileSync`."""

    def __init__(self, program: Program, exact: bool = False) -> None:
        """`exact` names tell apart what stands in the same line, or has the same name in the same file."""
        self._program = program
        self._exact = exact

    def function(self, id_: int) -> str:
        """A function by its id."""
        file, fact = self._program.function(id_)
        if fact.parent == NONE:
            return f"{file.path}:"
        name = fact.name or str(self._line(file, fact.start))
        if fact.cls != NONE:
            name = f"{file.facts.classes[fact.cls].name}.{name}"
        return f"{file.path}:{name}{f'@{fact.start}' if self._exact else ''}"

    def target(self, target: Target) -> str:
        """What a value was found to be."""
        match target:
            case Api(path):
                return path
            case Fn(id_):
                return self.function(id_)
            case FnMember(id_, name):
                return f"{self.function(id_)}.{name}"
            case New(id_):
                return f"new {self.function(id_)}"
            case Cls(id_):
                return f"class {self._class(id_)}"
            case Inst(id_):
                return f"instance of {self._class(id_)}"
            case Module(index):
                return f"module {self._program.files[index].path}:"
            case Obj(index, value):
                return f"object {self._program.files[index].path}:{value}"
            case _:
                return str(target)

    def edge(self, edge: Edge) -> str:
        """Whom an edge leads to, and what is said of it."""
        notes = [edge.runs_in.name.lower().replace("_", "-")] if edge.runs_in is not None else []
        notes += ["listens"] * edge.listens + ["perhaps"] * (not edge.certain)
        return self.function(edge.callee) + (f" ({', '.join(notes)})" if notes else "")

    def _class(self, id_: int) -> str:
        file, fact = self._program.resolver.classes[id_]
        return f"{file.path}:{fact.name}{f'@{fact.start}' if self._exact else ''}"

    def _line(self, file: File, offset: int) -> int:
        return bisect_right(file.facts.line_starts, offset)


def facts_of(program: Program) -> Iterator[tuple[str, frozenset[str]]]:
    """All that linking found, each piece under a name: the targets of each call, the edges and the contexts of each
    function, and the registrations of each file."""
    names = Names(program, exact=True)
    for file in program.files:
        for number, (call, targets) in enumerate(zip(file.facts.calls, program.graph.targets[file.index], strict=True)):
            yield f"targets of call {number} at {file.path}@{call.start}", frozenset(map(names.target, targets))
    for function in range(len(program.resolver.functions)):
        edges = program.graph.edges.get(function, ())
        yield f"edges of {names.function(function)}", frozenset(f"{names.edge(edge)} by {edge.call}" for edge in edges)
        contexts = program.contexts.of(function)
        yield f"contexts of {names.function(function)}", frozenset(context.name for context in contexts)
    for file in program.files:
        registered = (each for each in program.graph.registrations if each.file == file.index)
        yield (
            f"registrations of {file.path}",
            frozenset(
                f"{names.function(each.function)} {each.framework} {each.role} {each.start}" for each in registered
            ),
        )

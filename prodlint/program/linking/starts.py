"""What starts a service, and what people start by hand: the main guard of a module, a command of a tool."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Set

from prodlint.facts import NONE, RegionKind, Value, ValueKind
from prodlint.models.frameworks import FRAMEWORKS
from prodlint.models.frameworks.webapps import SERVERS
from prodlint.program.linking.call_graph import CallGraph
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api

_SERVE = frozenset(
    {
        *("listen", "serve", "start_server", "startServer", "serve_forever", "serveForever", "run_app", "run_simple"),
        *("run_forever", "start_polling", "run_polling", "infinity_polling", "start_consuming", "worker_main"),
        *("runserver", "bootstrap", "create_server", "createServer"),
    }
)
"""What is called to serve, whosever method it is."""
_PERHAPS_SERVE = frozenset({"run", "start", "launch"})
"""The same, on what is not known."""
_SERVING_PACKAGES = frozenset(
    {
        *("uvicorn", "hypercorn", "gunicorn", "waitress", "granian", "daphne", "bjoern", "meinheld", "cheroot"),
        *("tornado", "sanic", "gevent", "eventlet", "cherrypy", "bottle", "socketio", "flask_socketio", "grpc"),
    }
)
_RUNS_APP = frozenset(f"{api}().run" for framework in FRAMEWORKS for api in framework.serves)


class Starts:
    """`services`: the functions that (through others) serve; `by_hand`: the calls (file, index) that only a main guard
    makes that starts no service."""

    def __init__(self, graph: CallGraph) -> None:
        self._graph = graph
        self._serving: dict[str, bool] = {}
        """Whether what an access path leads to serves."""
        self.services = self._services()
        self._by_hand: dict[int, list[int]] = defaultdict(list)
        calls: set[tuple[int, int]] = set()
        for file in graph.resolver.files:
            for region in self._guards(file):
                inside = self._calls_in(file, region)
                if not any(self._starts(site) for site in inside):
                    self._by_hand[file.index].append(region)
                    calls.update((file.index, site.index) for site in inside)
        self.by_hand: Set[tuple[int, int]] = calls

    def is_by_hand(self, file: File, region: int) -> bool:
        """Whether a region of a module's own code runs only when somebody starts the file, and starts no service."""
        fact = file.facts.regions[region]
        return any(_is_inside(file, fact.start, guard) for guard in self._by_hand.get(file.index, ()))

    def has_hand(self, file: File) -> bool:
        """Whether a file is one that somebody can start by hand for something else than a service."""
        return file.index in self._by_hand

    def _services(self) -> Set[int]:
        callers: dict[int, list[int]] = defaultdict(list)
        for caller, edges in self._graph.edges.items():
            for edge in edges:
                callers[edge.callee].append(caller)
        found: set[int] = set()
        for file in self._graph.resolver.files:
            regions = file.facts.regions
            for index, call in enumerate(file.facts.calls):
                function = regions[call.region].function
                if function != 0 and self._serves(file, index):
                    found.add(file.fn_base + function)
        waiting = deque(found)
        while waiting:
            for caller in callers.get(waiting.popleft(), ()):
                if caller not in found:
                    found.add(caller)
                    waiting.append(caller)
        return found

    def _serves(self, file: File, index: int) -> bool:
        targets = self._graph.targets[file.index][index]
        text = file.facts.values[file.facts.calls[index].callee].text
        if text in _SERVE or (not targets and text in _PERHAPS_SERVE):
            return True
        for target in targets:
            if isinstance(target, Api):
                serves = self._serving.get(target.path)
                if serves is None:
                    serves = self._serving[target.path] = _is_serving(target.path)
                if serves:
                    return True
        return False

    def _starts(self, site: CallSite) -> bool:
        if self._serves(site.file, site.index):
            return True
        caller = site.file.function_at(site.call.region)
        return any(
            edge.file == site.file.index and edge.call == site.index and edge.callee in self.services
            for edge in self._graph.edges.get(caller, ())
        )

    def _guards(self, file: File) -> Iterator[int]:
        """The regions that run when a file is the one that is started: `if __name__ == "__main__"`,
        `if (require.main === module)`."""
        for number, fact in enumerate(file.facts.regions):
            if fact.kind is RegionKind.THEN and fact.function == 0 and fact.values:
                test = file.facts.values[fact.values[0]]
                if test.kind is ValueKind.OP and any(_tells_main(file, item) for item in test.items):
                    yield number

    def _calls_in(self, file: File, guard: int) -> list[CallSite]:
        return [
            CallSite(file, index)
            for index, call in enumerate(file.facts.calls)
            if _is_inside(file, call.start, guard) and file.facts.regions[call.region].function == 0
        ]


def _is_serving(path: str) -> bool:
    return path in SERVERS or path in _RUNS_APP or path.split(".")[0] in _SERVING_PACKAGES


def _is_inside(file: File, offset: int, region: int) -> bool:
    return file.facts.regions[region].start <= offset < file.facts.regions[region].end


def _tells_main(file: File, value: int) -> bool:
    fact = file.facts.values[value] if value != NONE else Value(ValueKind.UNKNOWN)
    if file.is_python:
        return fact.kind is ValueKind.GLOBAL and fact.text == "__name__"
    return (
        fact.kind is ValueKind.MEMBER
        and fact.text == "main"
        and file.facts.values[fact.ref].text in ("require", "meta")
    )

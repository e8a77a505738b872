"""What becomes of an exception, a promise, a process inside a function: the questions that several rules share.

All answers are about every path unless they say otherwise, and are memoised per function.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from prodlint.facts import NONE, Call, ExitKind, FunctionKind, ParamKind, RegionKind, Use, Value, ValueKind
from prodlint.lazy_regex import regex
from prodlint.models.frameworks.node import BUILTIN_MODULES
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite, File
from prodlint.program.linking.targets import Api, Cls, Fn, Module, Targets

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

_ENDS = frozenset(
    {
        "process.exit",
        "process.abort",
        "process.kill",
        "process.reallyExit",
        "sys.exit",
        "os._exit",
        "os.abort",
        "os.kill",
        "builtins.exit",
        "builtins.quit",
        "sys.__excepthook__",
        "threading.__excepthook__",
    }
)
_THIS = (ValueKind.SELF, ValueKind.RECEIVER)
_ENDING_NAMES = frozenset({"exit", "abort", "shutdown", "gracefulShutdown", "terminate", "die", "panic", "exitProcess"})
_LOG_METHODS = frozenset(
    {
        "debug",
        "info",
        "warn",
        "warning",
        "error",
        "exception",
        "critical",
        "fatal",
        "log",
        "trace",
        "verbose",
        "notice",
        "captureException",
        "capture_exception",
        "captureError",
        "notify",
        "report",
        "print_exc",
        "print_exception",
        "notifyError",
        "reportError",
        "logError",
        "log_exception",
        "handleError",
        "default_exception_handler",
    }
)
CHAINS = frozenset({"then", "catch", "finally"})
"""Methods of promises that answer a further one."""
_CANNOT_THROW = _LOG_METHODS | CHAINS
_COLLECTS = frozenset({"Promise.all", "Promise.allSettled", "Promise.race", "Promise.any"})
_NEVER_REJECTS = frozenset(
    {
        *("setTimeout", "timers/promises.setTimeout"),
        *("await-to-js", "await-to-js.to", "await-to-js.default"),  # answers `[error, result]`
    }
)
_PROMISIFIES = frozenset({"util.promisify", "bluebird.promisify"})
_DEEP = 6
_FARTHEST_THROW = 1
_OF_REQUEST = frozenset({"query", "body", "params", "headers", "cookies"})
_PLAIN_METHODS = frozenset(
    (
        "map filter find findIndex some every reduce slice splice concat join includes indexOf push pop shift sort "
        "flat reverse flatMap keys values entries has split replace replaceAll trim toLowerCase toUpperCase "
        "startsWith endsWith toString toFixed padStart padEnd substring substr match test exec toISOString getTime "
        "format json send end status render redirect sendStatus sendFile type set header cookie write next bind on "
        "once emit toJSON toObject parse stringify reply code view html text"
    ).split()
)
"""Methods of arrays, texts, dates and answers, which answer no promise."""
_NO_PROMISES = frozenset(
    {"lodash", "underscore", "ramda", "uuid", "nanoid", "moment", "dayjs", "luxon", "chalk", "qs", "express", "events"}
)
_ECMASCRIPT = frozenset(
    (
        "Array Object String Number Boolean Math JSON Date RegExp Map Set WeakMap Symbol Reflect Promise Intl Error "
        "Buffer URL URLSearchParams parseInt parseFloat encodeURIComponent decodeURIComponent process console "
        "structuredClone"
    ).split()
)
_RAN_UNCONDITIONALLY = (RegionKind.BODY, RegionKind.TRY, RegionKind.FINALLY, RegionKind.WITH)

_COMMANDS = (
    "get|set|setex|del|hget|hset|hgetall|hdel|incr|decr|expire|exists|keys|lpush|rpush|lpop|rpop|lrange|sadd|srem|smembers|"
    "zadd|zrem|zrange|publish|flushdb|flushall|mget|mset|ttl"
)
_PROMISE_API = regex(
    r"(?:fs\.promises|fs/promises|fs-extra|dns\.promises|dns/promises|timers/promises|stream/promises)\.(?!\w*Sync$)[a-z]\w*"
    r"|axios(?:\.create\(\))?(?:\.(?:get|post|put|patch|delete|head|request))?|node-fetch|fetch|undici\.(?:request|fetch)"
    r"|got(?:\.(?:get|post|put|patch|delete|head))?|request-promise(?:-native)?(?:\.\w+)?|mongoose\.connect"
    r"|Promise\.(?:all|race|any|reject)|(?:bluebird|q)\.(?:all|map|each|try|nfcall|fcall|nfapply|ninvoke)"
    r"|redbean-node\.R\.(?:store|storeAll|trash|trashAll|exec|load|find|findAll|findOne|getAll|getRow|getCell|count)"
    rf"|ioredis\(\)\.(?:{_COMMANDS})"
)
"""Calls that answer a promise. Of fs-extra all asynchronous functions do, unless they are given a callback."""


class Flow:
    """Answers about functions of one program."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._calls: dict[int, list[CallSite]] = defaultdict(list)
        for site, _ in program.calls:
            self._calls[site.file.function_at(site.call.region)].append(site)
        self._catching: dict[int, dict[int, list[int]]] = {}
        self._rejects: dict[int, bool] = {}
        self._ends: dict[int, bool] = {}

    def calls_in(self, function: int) -> list[CallSite]:
        """The calls that stand in a function itself (not in functions inside it)."""
        return self._calls.get(function, [])

    def targets(self, site: CallSite) -> Targets:
        """What a call's callee can be, with the function in the place of a module that is one (`module.exports =
        function …`)."""
        return self._program.targets_of(site)

    # ------------------------------------------------------------------ processes

    def ends_process(self, function: int, depth: int = 0) -> bool:
        """Whether a function surely ends the process or throws, on every path; exiting in a callback that it hands on
        (`logger.flush(() => process.exit(1))`) counts."""
        if function in self._ends:
            return self._ends[function]
        self._ends[function] = False
        file, fact = self._program.function(function)
        places = [region for region, _ in self._ending_events(function, depth)]
        self._ends[function] = self._covers(file, fact.region, places)
        return self._ends[function]

    def may_end_process(self, function: int) -> bool:
        """Whether a function ends the process or throws on some path."""
        return any(True for _ in self._ending_events(function, 0))

    def ends_in(self, file: File, region: int) -> bool:
        """Whether a call in a region itself ends the process."""
        return any(
            site.call.region == region and self._call_ends(site, 0) for site in self.calls_in(file.function_at(region))
        )

    def _ending_events(self, function: int, depth: int) -> Iterator[tuple[int, int]]:
        """(region, offset) of what ends the process inside a function."""
        file, _ = self._program.function(function)
        for site in self.calls_in(function):
            if self._call_ends(site, depth):
                yield site.call.region, site.call.start
        for exit_ in file.facts.exits:
            if exit_.kind is ExitKind.THROW and file.function_at(exit_.region) == function:
                yield exit_.region, exit_.start

    def _call_ends(self, site: CallSite, depth: int) -> bool:
        targets = self.targets(site)
        facts = site.file.facts
        for target in targets:
            if isinstance(target, Api) and target.path in _ENDS:
                return True
            if isinstance(target, Fn) and depth < 4 and self.ends_process(target.id, depth + 1):
                return True
        callee = facts.values[site.call.callee]
        if not any(isinstance(target, Fn) for target in targets) and callee.text in _ENDING_NAMES:
            return True
        for argument in site.call.args:
            inner = facts.values[argument]
            if inner.kind is ValueKind.FUNCTION and depth < 4:
                if self.ends_process(site.file.fn_base + inner.ref, depth + 1):
                    return True
            elif inner.kind is ValueKind.MEMBER and self._program.resolver.api_of(site.file, argument) in _ENDS:
                return True
        return False

    def _covers(self, file: File, body: int, places: Iterable[int]) -> bool:
        """Whether events in `places` (regions) happen on every path through the region `body`."""
        facts = file.facts
        done = set(places)
        branches: dict[int, set[RegionKind]] = defaultdict(set)
        while done:
            region = done.pop()
            while True:
                if region == body:
                    return True
                fact = facts.regions[region]
                if (
                    fact.kind in _RAN_UNCONDITIONALLY
                    and fact.parent != NONE
                    and fact.function == facts.regions[body].function
                ):
                    region = fact.parent
                    continue
                if fact.kind is RegionKind.THEN and self._tests_a_flag(file, fact.values):
                    region = fact.parent
                    continue
                if fact.kind in (RegionKind.THEN, RegionKind.ELSE):
                    first = region if fact.partner == NONE else fact.partner
                    branches[first].add(fact.kind)
                    if len(branches[first]) == 2:
                        done.add(fact.parent)
                break
        return False

    def _tests_a_flag(self, file: File, tests: list[int]) -> bool:
        """Whether a branch only keeps something from being done twice: `if (!stopping)`."""
        for test in tests:
            value = file.facts.values[test]
            inner = file.facts.values[value.items[0]] if value.kind is ValueKind.OP and value.text == "!" else value
            of_this = inner.kind is ValueKind.MEMBER and file.facts.values[inner.ref].kind in _THIS
            if not of_this and inner.kind is not ValueKind.BINDING:
                return False
        return bool(tests)

    # ------------------------------------------------------------------ logging

    def logs(self, function: int, depth: int = 0) -> bool:
        """Whether a function says anything of what happened: it logs, prints, or reports to a service, itself or
        through a function that it calls."""
        file, _ = self._program.function(function)
        for site in self.calls_in(function):
            callee = file.facts.values[site.call.callee]
            if callee.text in _LOG_METHODS or callee.text.lower().startswith(("log", "report", "notify")):
                return True
            for target in self.targets(site):
                if isinstance(target, Api) and (
                    target.path in ("builtins.print", "sys.stderr.write")
                    or target.path.startswith(("traceback.", "console."))
                ):
                    return True
                if isinstance(target, Fn) and depth < 2 and self.logs(target.id, depth + 1):
                    return True
        return False

    # ------------------------------------------------------------------ promises

    def catches(self, file: File, region: int) -> list[int]:
        """The CATCH regions of the innermost `try` that guards a region in its own function; [] if none does."""
        table = self._catching.get(file.index)
        if table is None:
            table = defaultdict(list)
            for number, fact in enumerate(file.facts.regions):
                if fact.kind is RegionKind.CATCH:
                    table[fact.partner].append(number)
            self._catching[file.index] = table
        for at in self._program.regions_up(file, region):
            if file.facts.regions[at].kind is RegionKind.TRY and at in table:
                return table[at]
        return []

    def can_reject(self, function: int) -> bool:
        """Whether the promise that a function answers can be rejected: in an async function something that can fail
        stands outside every `try` that catches; another function does not only answer `Promise.resolve(…)`. Logging,
        answering and `next` count as what does not fail."""
        if function not in self._rejects:
            self._rejects[function] = False
            is_async = self.is_async(function)
            self._rejects[function] = self._rejects_now(function) if is_async else not self._only_resolves(function)
        return self._rejects[function]

    def _only_resolves(self, function: int) -> bool:
        file, _ = self._program.function(function)
        returned = file.returns.get(function - file.fn_base, [])
        return bool(returned) and all(self._is_resolved(file, file.facts.values[value]) for value in returned)

    def _is_resolved(self, file: File, value: Value) -> bool:
        """Whether a value is `Promise.resolve(…)` of what is no promise itself, a promise that nothing rejects, a chain
        that ends in `.catch(…)`, or what functions of the program answer whose promises are not rejected."""
        if value.kind is ValueKind.BINDING:
            assigned = file.facts.bindings[value.ref].values
            first = file.facts.values[assigned[0]] if len(assigned) == 1 else value
            return first.kind is ValueKind.CALL and self._is_resolved(file, first)
        if value.kind is ValueKind.OP and value.text == "?:":
            return all(self._is_resolved(file, file.facts.values[item]) for item in value.items[1:])
        if value.kind is not ValueKind.CALL:
            return False
        site = CallSite(file, value.ref)
        if self.is_caught(site):
            return True
        if site.call.is_new and self.targets(site) == (Api("Promise"),):
            return not self._rejects_new(site)
        own = [target.id for target in self.targets(site) if isinstance(target, Fn)]
        if own and len(own) == len(self.targets(site)):
            return not any(self.can_reject(fn) for fn in own)
        plain = all(file.facts.values[argument].kind is not ValueKind.CALL for argument in site.call.args)
        return plain and self.targets(site) == (Api("Promise.resolve"),)

    def _rejects_now(self, function: int) -> bool:
        file, _ = self._program.function(function)
        for exit_ in file.facts.exits:
            if file.function_at(exit_.region) != function:
                continue
            is_thrown = exit_.kind is ExitKind.THROW and not self.catches(file, exit_.region)
            if is_thrown and not self._is_asked_to_throw(file, exit_.region):
                return True
        for site in self.calls_in(function):
            is_guarded = self.catches(file, site.call.region) or self._only_cleans_up(file, site.call.region)
            if site.call.use is Use.AWAITED and not is_guarded and self.can_fail(site):
                return True
            if site.call.use is Use.RETURNED and self._returns_rejection(site, is_guarded=bool(is_guarded)):
                return True
            if not is_guarded and self._throws_at_once(site):
                return True
        return self._awaits_a_value(file, function) or self._iterates(file, function)

    def _returns_rejection(self, site: CallSite, *, is_guarded: bool) -> bool:
        """Whether an async function that answers a call's result passes a rejection on: one of a promise (no `try`
        catches that), or, outside `try`, of what nobody knows."""
        if self.returns_promise(site):
            return self.can_fail(site)
        if is_guarded or self.is_caught(site):
            return False
        name = site.file.facts.values[site.call.callee].text
        if name in _CANNOT_THROW or name in _PLAIN_METHODS or site.call.is_new:
            return False
        targets = self.targets(site)
        if not targets:
            return site.file.facts.values[site.call.callee].kind is ValueKind.MEMBER
        return all(isinstance(target, Api) and _is_of_package(target.path) for target in targets)

    def _throws_at_once(self, site: CallSite) -> bool:
        """Whether a call can throw before it answers: of a function of the program that does, or `JSON.parse` of a part
        of a request."""
        targets = self.targets(site)
        if targets == (Api("JSON.parse"),) and site.call.args:
            return self._is_from_client(site.file, site.call.args[0])
        return any(
            isinstance(target, (Fn, Cls)) and not self._throwing.isdisjoint(self._program.resolver.callables(target))
            for target in targets
        )

    def _is_from_client(self, file: File, value: int) -> bool:
        """Whether a value is a part of a request."""
        fact = file.facts.values[value]
        while fact.kind is ValueKind.MEMBER and fact.text not in _OF_REQUEST:
            fact = file.facts.values[fact.ref]
        return fact.kind is ValueKind.MEMBER and file.facts.values[fact.ref].kind is ValueKind.PARAM

    def can_throw(self, function: int) -> bool:
        """Whether calling a JavaScript function of the program can throw to its caller: a `throw` stands outside of
        `try` in it or in a function that it calls. What an async function throws rejects its promise."""
        return function in self._throwing

    @cached_property
    def _throwing(self) -> Set[int]:
        """The functions of `can_throw`."""
        found = {
            file.function_at(exit_.region)
            for file in self._program.files
            if not file.is_python
            for exit_ in file.facts.exits
            if exit_.kind is ExitKind.THROW
            and self._is_plain(file.function_at(exit_.region))
            and not self.catches(file, exit_.region)
            and not self._is_asked_to_throw(file, exit_.region)
        }
        called_by: dict[int, list[CallSite]] = defaultdict(list)
        for site, targets in self._program.calls if found else ():
            if not site.file.is_python:
                for target in targets:
                    if isinstance(target, (Fn, Cls, Module)):
                        for function in self._program.resolver.callables(target):
                            called_by[function].append(site)
        latest = found
        for _ in range(_FARTHEST_THROW):
            latest = {
                caller
                for function in latest
                for site in called_by.get(function, ())
                if (caller := site.file.function_at(site.call.region)) not in found
                and self._is_plain(caller)
                and not self.catches(site.file, site.call.region)
            }
            found |= latest
        return found

    def _is_plain(self, function: int) -> bool:
        """Whether what a function throws is thrown to its caller at once."""
        fact = self._program.function(function)[1]
        return not (fact.is_async or fact.is_generator or fact.kind is FunctionKind.MODULE)

    def _iterates(self, file: File, function: int) -> bool:
        """Whether `for await` stands outside of `try`: what it goes through fails when its source does."""
        return any(
            region.kind is RegionKind.LOOP
            and region.flag == 1
            and file.function_at(number) == function
            and not self.catches(file, number)
            for number, region in enumerate(file.facts.regions)
        )

    def _only_cleans_up(self, file: File, region: int) -> bool:
        """Whether a region is, or is in, the `finally` of a `try` that catches: what is awaited there closes what was
        opened, when the request is answered."""
        for at in self._program.regions_up(file, region):
            fact = file.facts.regions[at]
            if fact.kind is RegionKind.FINALLY:
                return any(
                    other.kind is RegionKind.CATCH and other.partner == fact.partner for other in file.facts.regions
                )
        return False

    def _is_asked_to_throw(self, file: File, region: int) -> bool:
        """Whether what a `catch` throws again depends on more than the error: `if (options.throws) throw err`."""
        facts = file.facts
        asked = False
        for at in self._program.regions_up(file, region):
            fact = facts.regions[at]
            if fact.kind is RegionKind.CATCH:
                return asked
            if fact.kind in (RegionKind.THEN, RegionKind.ELSE):
                asked = asked or not any(_reads_error(file, test) for test in fact.values)
        return False

    def _awaits_a_value(self, file: File, function: int) -> bool:
        """`return await promise` (no call) outside `try`."""
        return any(
            exit_.value != NONE
            and file.facts.values[exit_.value].kind is ValueKind.AWAIT
            and file.facts.values[file.facts.values[exit_.value].ref].kind is not ValueKind.CALL
            and not self.catches(file, exit_.region)
            for exit_ in file.facts.exits
            if file.function_at(exit_.region) == function
        )

    def can_fail(self, site: CallSite) -> bool:
        """Whether the promise of a call can be rejected: not if it ends in `.catch(…)`, is that of an async function of
        the program that cannot, or of several such, or merely waits."""
        if self.is_caught(site):
            return False
        targets = self.targets(site)
        if site.call.is_new and targets == (Api("Promise"),):
            return self._rejects_new(site)
        if any(isinstance(target, Api) and target.path in _COLLECTS for target in targets):
            inner = [number for number, call in enumerate(site.file.facts.calls) if call.user == site.index]
            if inner and not any(self.can_fail(CallSite(site.file, number)) for number in inner):
                return False
        own = [target.id for target in targets if isinstance(target, Fn)]
        if own and len(own) == len(targets):
            return any(self.can_reject(fn) or (self.is_async(fn) and self._calls_unguarded(fn)) for fn in own)
        return not any(isinstance(target, Api) and target.path in _NEVER_REJECTS for target in targets)

    def _calls_unguarded(self, function: int) -> bool:
        """Whether a function calls anything but a logger or what answers a promise outside of `try`: nearly everything
        can throw."""
        file, _ = self._program.function(function)
        return any(
            file.facts.values[site.call.callee].text not in _CANNOT_THROW
            and not self.catches(file, site.call.region)
            and not self.returns_promise(site)
            for site in self.calls_in(function)
        )

    def leaves_open(self, function: int) -> bool:
        """Whether a JavaScript function answers, on some path, a promise that can be rejected: it is async and can
        reject, or returns a chain without an end."""
        if self.is_async(function):
            return self.can_reject(function)
        return not self._program.function(function)[1].is_generator and any(
            site.call.use is Use.RETURNED and self.returns_promise(site) and self.can_fail(site)
            for site in self.calls_in(function)
        )

    def is_async(self, function: int) -> bool:
        """Whether a function is declared `async` (and is no generator)."""
        fact = self._program.function(function)[1]
        return fact.is_async and not fact.is_generator

    def chain_end(self, site: CallSite) -> CallSite:
        """The last call of the chain that a call starts: `f().then(g).catch(h)` → the call of `catch`."""
        while site.call.use is Use.RECEIVER and site.call.user != NONE:
            site = CallSite(site.file, site.call.user)
        return site

    def is_caught(self, site: CallSite) -> bool:
        """Whether the promise chain that ends in `site` handles rejections itself: `.catch(f)` or `.then(f, g)`."""
        facts = site.file.facts
        call: Call | None = site.call
        behind: list[int] = []
        while call is not None:
            callee = facts.values[call.callee]
            if callee.kind is not ValueKind.MEMBER:
                return False
            if callee.text in ("asCallback", "nodeify", "fail", "done", "allSettled"):
                return True
            handler = call.args[:1] if callee.text == "catch" else call.args[1:2] if callee.text == "then" else ()
            if self._takes_rejections(site.file, handler):
                return not (
                    self._answers_nothing(site.file, handler[0])
                    and any(self._needs_result(site.file, each) for each in behind)
                )
            if callee.text == "then":
                behind += call.args[:1]
            receiver = facts.values[callee.ref]
            call = facts.calls[receiver.ref] if receiver.kind is ValueKind.CALL else None
        return False

    def is_caught_too_early(self, site: CallSite) -> bool:
        """Whether a chain has a `.catch(…)`, behind which it goes on with a result that is then missing."""
        _, *before = links(site)
        callees = (site.file.facts.values[link.call.callee] for link in before)
        return any(callee.kind is ValueKind.MEMBER and callee.text == "catch" for callee in callees)

    def _answers_nothing(self, file: File, handler: int) -> bool:
        """Whether what takes a rejection surely answers `undefined`: Express's `next`, or a function that returns
        nothing."""
        fact = file.facts.values[handler]
        if fact.kind is ValueKind.PARAM:
            return self._program.resolver.resolve(file, handler) == (Api("express.next"),)
        return fact.kind is ValueKind.FUNCTION and not file.returns.get(fact.ref)

    def _needs_result(self, file: File, handler: int) -> bool:
        """Whether a function reads members of its first parameter, and nowhere tests it."""
        fact = file.facts.values[handler]
        if fact.kind is not ValueKind.FUNCTION:
            return False
        params = file.facts.functions[fact.ref].params
        given = file.parameters.get((fact.ref, 0), NONE)
        if not params or params[0].kind is not ParamKind.NORMAL or params[0].default != NONE or given == NONE:
            return False
        made = [file.facts.values[each] for each in file.users_of.get(given, ())]
        if any(each.kind is ValueKind.OP for each in made) or any(given in each.values for each in file.facts.regions):
            return False
        return any(each.kind is ValueKind.MEMBER for each in made)

    def _takes_rejections(self, file: File, handler: Sequence[int]) -> bool:
        """Whether an argument of `catch` (or the second of `then`) takes the rejection: there is one, and it is no
        function that surely throws it again, or rejects."""
        if not handler or file.facts.values[handler[0]].kind is ValueKind.NULL:
            return False
        fact = file.facts.values[handler[0]]
        return fact.kind is not ValueKind.FUNCTION or not self._throws_again(file, fact.ref)

    def _throws_again(self, file: File, function: int) -> bool:
        """Whether a function of a file throws, or answers `Promise.reject(…)`, on every path."""
        places = [
            exit_.region
            for exit_ in file.facts.exits
            if file.facts.regions[exit_.region].function == function
            and not self.catches(file, exit_.region)
            and (exit_.kind is ExitKind.THROW or self._is_rejection(file, exit_.value))
        ]
        return bool(places) and self._covers(file, file.facts.functions[function].region, places)

    def _is_rejection(self, file: File, value: int) -> bool:
        """Whether a value is `Promise.reject(…)`."""
        fact = file.facts.values[value] if value != NONE else None
        return (
            fact is not None
            and fact.kind is ValueKind.CALL
            and self.targets(CallSite(file, fact.ref)) == (Api("Promise.reject"),)
        )

    def returns_promise(self, site: CallSite) -> bool:
        """Whether a JavaScript call surely answers a promise."""
        facts = site.file.facts
        callee = facts.values[site.call.callee]
        targets = self.targets(site)
        if callee.kind is ValueKind.MEMBER and callee.text in CHAINS:
            receiver = facts.values[callee.ref]
            if receiver.kind is ValueKind.CALL and self.returns_promise(CallSite(site.file, receiver.ref)):
                return True
            if callee.text != "catch" and site.call.args:
                first = facts.values[site.call.args[0]]
                return first.kind in (ValueKind.FUNCTION, ValueKind.BINDING, ValueKind.MEMBER, ValueKind.PARAM)
        if self._is_promisified(site):
            return True
        if site.call.is_new:
            return self._may_reject_new(site)
        if not targets:
            return False
        with_callback = bool(site.call.args) and facts.values[site.call.args[-1]].kind is ValueKind.FUNCTION
        if all(isinstance(target, Fn) for target in targets):
            return any(self._target_promises(target) for target in targets)
        return all(
            self._target_promises(target) and not (with_callback and isinstance(target, Api)) for target in targets
        )

    def surely_returns_promise(self, site: CallSite) -> bool:
        """Whether all that a call's callee can be answers a promise: `returns_promise` is content with one of several
        functions of the program."""
        return self.returns_promise(site) and all(
            not isinstance(target, Fn) or self.promises(target.id) for target in self.targets(site)
        )

    def _is_promisified(self, site: CallSite) -> bool:
        """Whether the callee was made by `util.promisify`."""
        resolver = self._program.resolver
        return any(
            fact.kind is ValueKind.CALL and resolver.api_of(owner, owner.facts.calls[fact.ref].callee) in _PROMISIFIES
            for owner, value in resolver.origins(site.file, site.call.callee)
            if (fact := owner.facts.values[value])
        )

    def _may_reject_new(self, site: CallSite) -> bool:
        """Whether a call is `new Promise(…)` with a function that uses `reject`."""
        if not site.call.args or not any(target == Api("Promise") for target in self.targets(site)):
            return False
        executor = site.file.facts.values[site.call.args[0]]
        if executor.kind is not ValueKind.FUNCTION:
            return False
        params = site.file.facts.functions[executor.ref].params
        return len(params) > 1 and params[1].used

    def _rejects_new(self, site: CallSite) -> bool:
        """Whether what `new Promise(…)` makes can be rejected: its function uses `reject`, throws, or is not known. A
        rejection inside an async function is not passed on to the promise that it is to settle."""
        executor = site.file.facts.values[site.call.args[0]] if site.call.args else None
        if executor is None or executor.kind is not ValueKind.FUNCTION or self._may_reject_new(site):
            return True
        function = site.file.fn_base + executor.ref
        return not self.is_async(function) and any(
            exit_.kind is ExitKind.THROW
            and site.file.function_at(exit_.region) == function
            and not self.catches(site.file, exit_.region)
            for exit_ in site.file.facts.exits
        )

    def _target_promises(self, target: object) -> bool:
        if isinstance(target, Fn):
            return self.promises(target.id)
        if isinstance(target, Api):
            return _PROMISE_API.fullmatch(target.path) is not None
        return False

    def promises(self, function: int, depth: int = 0) -> bool:
        """Whether every call of a JavaScript function answers a promise: it is async, or each of its returns is one."""
        file, fact = self._program.function(function)
        if file.is_python or fact.is_generator or fact.kind is FunctionKind.CONSTRUCTOR:
            return False
        if fact.is_async:
            return True
        returned = file.returns.get(function - file.fn_base, [])
        if not returned or depth > 3:
            return False
        return all(self._value_promises(file, value, depth) for value in returned)

    def _value_promises(self, file: File, value: int, depth: int) -> bool:
        fact = file.facts.values[value]
        if fact.kind is ValueKind.BINDING and depth < 3:
            assigned = file.facts.bindings[fact.ref].values
            return len(assigned) == 1 and self._value_promises(file, assigned[0], depth + 1)
        if fact.kind is ValueKind.OP and fact.text == "?:" and depth < 3:
            return all(self._value_promises(file, item, depth + 1) for item in fact.items[1:])
        if fact.kind is not ValueKind.CALL:
            return False
        site = CallSite(file, fact.ref)
        targets = self.targets(site)
        callee = file.facts.values[site.call.callee]
        if callee.kind is ValueKind.MEMBER and callee.text in ("then", "catch", "finally"):
            return True
        if any(
            isinstance(target, Api) and target.path in ("Promise", "Promise.all", "Promise.resolve")
            for target in targets
        ):
            return True
        return bool(targets) and all(
            self.promises(target.id, depth + 1) if isinstance(target, Fn) else self._target_promises(target)
            for target in targets
        )


def links(site: CallSite) -> Iterator[CallSite]:
    """Yield the calls of a chain of promises, from the one given to the one that the chain begins with."""
    values = site.file.facts.values
    while True:
        yield site
        callee = values[site.call.callee]
        if callee.kind is not ValueKind.MEMBER or callee.text not in CHAINS:
            return
        receiver = values[callee.ref]
        if receiver.kind is not ValueKind.CALL:
            return
        site = CallSite(site.file, receiver.ref)


def _is_of_package(path: str) -> bool:
    """Whether an API is that of an installed package which may answer promises."""
    root = path.partition("(")[0].partition(".")[0].partition("/")[0]
    return root not in BUILTIN_MODULES and root not in _ECMASCRIPT and root not in _NO_PROMISES


def _reads_error(file: File, value: int, depth: int = 0) -> bool:
    """Whether an expression has something to do with a caught error."""
    if value == NONE or depth > _DEEP:
        return False
    facts = file.facts
    fact = facts.values[value]
    if fact.kind is ValueKind.CATCH:
        return True
    inner = [*fact.items]
    if fact.kind is ValueKind.CALL:
        call = facts.calls[fact.ref]
        inner += [call.callee, *call.args]
    elif fact.kind is ValueKind.BINDING:
        inner += facts.bindings[fact.ref].values
    elif fact.kind in (ValueKind.MEMBER, ValueKind.SUBSCRIPT, ValueKind.AWAIT):
        inner.append(fact.ref)
    return any(_reads_error(file, each, depth + 1) for each in inner)


@query
def control_flow(program: Program) -> Flow:
    """What becomes of exceptions, promises and the process inside functions."""
    return Flow(program)

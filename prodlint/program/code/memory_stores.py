"""Libraries that keep in the memory of one process what belongs to all: sessions, rate limits, caches.

Sources: the documentation of express-session ("Compatible Session Stores", "Warning: MemoryStore"), @fastify/session,
express-rate-limit ("Data stores"), Flask-Session, Flask-Caching, Flask-Limiter ("Configuring a storage backend"), and
Django ("How to use sessions", "Local-memory caching").
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from prodlint.facts import NONE, Call, ValueKind
from prodlint.findings import Confidence
from prodlint.lazy_regex import regex
from prodlint.program.code.control_flow import control_flow
from prodlint.program.linking.queries import query
from prodlint.program.linking.resolver import CallSite, File, keyword_of
from prodlint.program.linking.targets import Api, Fn, Obj
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program


class Kept(Enum):
    """What is kept in memory."""

    SESSIONS = "sessions"
    LIMITS = "rate limits"
    CACHE = "cached values"


class MemoryStore(msgspec.Struct, frozen=True):
    """A place where a library is left with (or told to use) the memory of the process."""

    file: File
    start: int
    end: int
    kept: Kept
    library: str
    instead: str
    """What to use for it."""
    confidence: Confidence
    leaks: bool = True
    """Whether it hurts a single process too."""
    is_on_disk: bool = False
    """Whether the processes of one machine share it."""


class _Option(msgspec.Struct, frozen=True):
    """A library that is called with options, and the option that gives it a store."""

    kept: Kept
    instead: str
    names: tuple[str, ...] = ("store",)
    leaks: bool = False


_SESSIONS = _Option(Kept.SESSIONS, "`store: new RedisStore(…)` of `connect-redis`", leaks=True)
_LIMITS = _Option(Kept.LIMITS, "`store: new RedisStore(…)` of `rate-limit-redis`")
_CALLED = {
    "express-session": _SESSIONS,
    # Of Express 2 and 3, which had it from Connect 1 and 2.
    "express.session": _SESSIONS,
    "connect.session": _SESSIONS,
    "koa-generic-session": _Option(Kept.SESSIONS, "`store: redisStore()` of `koa-redis`", leaks=True),
    "express-rate-limit": _LIMITS,
    "express-rate-limit.rateLimit": _LIMITS,
}
_REGISTERED = {
    "@fastify/session": _SESSIONS,
    "fastify-session": _SESSIONS,
    "@fastify/rate-limit": _Option(Kept.LIMITS, "its option `redis`", ("redis", "store")),
}
"""Fastify's plugins."""

_ONCE = frozenset({"install", "installer", "setup", "wizard"})

_LEAKING = frozenset(
    {
        "express-session.MemoryStore()",
        "koa-generic-session.MemoryStore()",
        "express.session.MemoryStore()",
        "connect.session.MemoryStore()",
    }
)
_IN_MEMORY = _LEAKING | {"memorystore()()", "session-memory-store()()", "express-rate-limit.MemoryStore()"}


@query
def memory_stores_in(program: Program) -> list[MemoryStore]:
    """What libraries keep in the memory of one process, in the code of services."""
    return list(_stores(program))


def _stores(program: Program) -> Iterator[MemoryStore]:
    for path, option in _CALLED.items():
        for site in program.api_calls.get(path, ()):
            yield from _with_options(program, site, 0, path.partition(".")[0], option)
    for site in program.api_calls.get("fastify().register", ()):
        plugin = program.resolver.api_of(site.file, site.call.args[0]) if site.call.args else ""
        if plugin in _REGISTERED:
            yield from _with_options(program, site, 1, plugin, _REGISTERED[plugin])
    yield from _flask(program)
    yield from _django(program)


def _with_options(
    program: Program, site: CallSite, position: int, library: str, option: _Option
) -> Iterator[MemoryStore]:
    confidence = _confidence(program, site)
    leaks = _leaks(program, site, position, option) if confidence is not None else None
    if leaks is not None and confidence is not None:
        start, end = site.call.start, site.call.end
        yield MemoryStore(site.file, start, end, option.kept, library, option.instead, confidence, leaks)


def _confidence(program: Program, site: CallSite) -> Confidence | None:
    """Whether a service makes the call. Who sets up sessions serves, even if only a command line tool is seen to start
    it; but an installer does so for one visitor, once."""
    file = site.file
    confidence = program.server_code(file, site.call.region)
    if confidence is None and program.roles[file.index] is FileRole.SOURCE:
        confidence = program.is_loaded(file) if not program.dev_only(file, site.call.region) else None
    names = {part.partition(".")[0] for part in file.path.lower().split("/")}
    return Confidence.LIKELY if confidence is not None and names & _ONCE else confidence


def _leaks(program: Program, site: CallSite, position: int, option: _Option) -> bool | None:
    """Whether the store that a call uses leaks; None where it is not surely in memory."""
    if len(site.call.args) <= position:
        return option.leaks
    answers = [_store_of(program, target, option) for target in _options(program, site.file, site.call.args[position])]
    if not answers or None in answers:
        return None
    return any(answers)


def _options(program: Program, file: File, argument: int) -> list[Obj | None]:
    """The literals that options can be; None for what is not known."""
    found: list[Obj | None] = []
    for owner, item in program.resolver.origins(file, argument):
        fact = owner.facts.values[item]
        is_made = fact.kind is ValueKind.CALL and all(
            isinstance(target, Fn) for target in control_flow(program).targets(CallSite(owner, fact.ref))
        )
        targets = program.resolver.resolve(owner, item) if is_made or fact.kind is ValueKind.OBJECT else ()
        found += [target if isinstance(target, Obj) else None for target in targets] or [None]
    return found


def _store_of(program: Program, options: Obj | None, option: _Option) -> bool | None:
    if options is None:
        return None
    literal = program.files[options.file].facts.values[options.value]
    if literal.kind is not ValueKind.OBJECT or "..." in literal.names or "[]" in literal.names:
        return None
    leaks = option.leaks
    for name in option.names:
        for owner, value in program.resolver.definitions(options, name):
            for where, item in program.resolver.origins(owner, value):
                if where.facts.values[item].kind is ValueKind.NULL:
                    continue
                paths = {
                    target.path if isinstance(target, Api) else "" for target in program.resolver.resolve(where, item)
                }
                if not paths or not paths <= _IN_MEMORY:
                    return None
                leaks = leaks and paths <= _LEAKING
    return leaks


# --- Flask ------------------------------------------------------------------------------------------------------------

_SIMPLE = frozenset({"simple", "simplecache", "flask_caching.backends.simplecache", "flask_caching.backends.simple"})
_FILES = frozenset({"filesystem", "cachelib"})
_DEVELOPMENT = regex(r"(?:^|[^a-z])(?:dev|develop|development|local|test|tests|testing|debug|ci|example)(?:$|[^a-z])")


class _Configured(msgspec.Struct, frozen=True):
    """A value that a configuration gives to a name."""

    file: File
    start: int
    end: int
    value: int

    def text(self) -> str | None:
        """The literal that it is."""
        value = self.file.facts.values[self.value]
        return value.text if value.kind is ValueKind.STRING else None


def _flask(program: Program) -> Iterator[MemoryStore]:
    sessions = _calls(program, "flask_session.Session")
    if sessions:
        yield from _configured_as(
            program, ("SESSION_TYPE",), _FILES, Kept.SESSIONS, "Flask-Session", '`SESSION_TYPE = "redis"`'
        )
    for site in _calls(program, "flask_caching.Cache"):
        given = keyword_of(site.call, "config")
        literal = program.value(site.file, given)
        if literal.kind is ValueKind.OBJECT and "CACHE_TYPE" in literal.names:
            text = program.value(site.file, literal.items[literal.names.index("CACHE_TYPE")]).text
            if text.lower() in _SIMPLE:
                yield _of_call(program, site, Kept.CACHE, "Flask-Caching", "`RedisCache`")
        elif given == NONE:
            yield from _configured_as(program, ("CACHE_TYPE",), _SIMPLE, Kept.CACHE, "Flask-Caching", "`RedisCache`")
    for site in _calls(program, "flask_limiter.Limiter"):
        given = keyword_of(site.call, "storage_uri")
        uri = program.value(site.file, given)
        elsewhere = _configured(program, ("RATELIMIT_STORAGE_URI", "RATELIMIT_STORAGE_URL"))
        if "**" in site.call.keywords or (given == NONE and any(not _is_memory(each.text()) for each in elsewhere)):
            continue
        if given == NONE or (uri.kind is ValueKind.STRING and _is_memory(uri.text)):
            yield _of_call(program, site, Kept.LIMITS, "Flask-Limiter", '`storage_uri="redis://…"`')


def _is_memory(uri: str | None) -> bool:
    return uri is not None and uri.startswith("memory://")


def _calls(program: Program, path: str) -> list[CallSite]:
    found = program.api_calls.get(path, [])
    return [site for site in found if program.server_code(site.file, site.call.region) is not None]


def _of_call(program: Program, site: CallSite, kept: Kept, library: str, instead: str) -> MemoryStore:
    confidence = program.server_code(site.file, site.call.region) or Confidence.LIKELY
    return MemoryStore(site.file, site.call.start, site.call.end, kept, library, instead, confidence, leaks=False)


def _configured_as(
    program: Program,
    names: tuple[str, ...],
    values: frozenset[str],
    kept: Kept,
    library: str,
    instead: str,
) -> Iterator[MemoryStore]:
    """Where a setting has one of some values, if it has no other for production."""
    found = _configured(program, names)
    if found and all((each.text() or "").lower() in values for each in found):
        each = found[0]
        on_disk = values is _FILES
        yield MemoryStore(
            each.file, each.start, each.end, kept, library, instead, Confidence.CERTAIN, leaks=False, is_on_disk=on_disk
        )


def _configured(program: Program, names: tuple[str, ...]) -> list[_Configured]:
    """What configurations for production give to a name: by `app.config[…] =`, as a member of a class of settings, as
    a variable of a module of settings, as an argument of `config.update` or `from_mapping`."""
    found: list[_Configured] = []
    for file in program.files:
        if not file.is_python or program.is_loaded(file) is None or _is_for_development(file.path):
            continue
        facts = file.facts
        for store in facts.stores:
            if store.name in names and not program.dev_only(file, store.region):
                found.append(_Configured(file, store.start, store.end, store.value))
        for cls in facts.classes:
            if not _is_for_development(re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.name)):
                found += [
                    _Configured(file, cls.start, cls.start, member)
                    for name, member in zip(cls.names, cls.members, strict=False)
                    if name in names
                ]
        found += [
            _Configured(file, binding.start, binding.end, value)
            for binding in facts.bindings
            if binding.function == 0 and binding.name in names
            for value in binding.values
        ]
        found += [each for call in facts.calls for each in _in_call(program, file, call, names)]
    return found


def _in_call(program: Program, file: File, call: Call, names: tuple[str, ...]) -> Iterator[_Configured]:
    if file.facts.values[call.callee].text in ("update", "from_mapping") and not program.dev_only(file, call.region):
        for name in names:
            value = keyword_of(call, name)
            if value != NONE:
                yield _Configured(file, call.start, call.end, value)


def _is_for_development(path: str) -> bool:
    return _DEVELOPMENT.search(path.lower()) is not None


# --- Django -----------------------------------------------------------------------------------------------------------

_IN_CACHE = frozenset({"django.contrib.sessions.backends.cache", "django.contrib.sessions.backends.cached_db"})
_LOCMEM = "django.core.cache.backends.locmem.LocMemCache"


def _django(program: Program) -> Iterator[MemoryStore]:
    """Sessions and the default cache in the memory of the process, by the settings for production."""
    caches = list(_configured_settings(program, "CACHES"))
    if not all(_is_local(found) and not _is_changed(found) for found in caches):
        return
    engines = list(_configured_settings(program, "SESSION_ENGINE"))
    for engine in engines[:1]:
        complete = "INSTALLED_APPS" in {binding.name for binding in engine.file.facts.bindings}
        if (caches or complete) and all((each.text() or "") in _IN_CACHE for each in engines):
            yield MemoryStore(
                engine.file,
                engine.start,
                engine.end,
                Kept.SESSIONS,
                "Django's `LocMemCache`",
                "`django.core.cache.backends.redis.RedisCache`",
                Confidence.CERTAIN,
            )
            return
    for cache in caches[:1]:
        yield MemoryStore(
            cache.file,
            cache.start,
            cache.end,
            Kept.CACHE,
            "Django's `LocMemCache`",
            "`django.core.cache.backends.redis.RedisCache`",
            Confidence.CERTAIN,
            leaks=False,
        )


def _configured_settings(program: Program, name: str) -> Iterator[_Configured]:
    """What modules of Django settings give to a name."""
    for file in program.files:
        stem = posixpath.splitext(posixpath.basename(file.path))[0]
        is_settings = "settings" in file.path.lower() or stem in ("production", "prod", "base", "common")
        if file.is_python and is_settings and not _is_for_development(file.path):
            for binding in file.facts.bindings:
                if binding.function == 0 and binding.name == name:
                    yield from (_Configured(file, binding.start, binding.end, value) for value in binding.values)


def _is_local(found: _Configured) -> bool:
    """Whether `CACHES` has the memory of the process as its default."""
    facts = found.file.facts
    caches = facts.values[found.value]
    if caches.kind is not ValueKind.OBJECT or "default" not in caches.names:
        return False
    default = facts.values[caches.items[caches.names.index("default")]]
    if default.kind is not ValueKind.OBJECT or "BACKEND" not in default.names:
        return False
    backend = facts.values[default.items[default.names.index("BACKEND")]]
    return backend.kind is ValueKind.STRING and backend.text == _LOCMEM


def _is_changed(found: _Configured) -> bool:
    """Whether the module changes the setting afterwards: `CACHES["default"] = …`."""
    facts = found.file.facts
    targets = (facts.values[store.target] for store in facts.stores)
    return any(
        target.kind is ValueKind.BINDING and facts.bindings[target.ref].start == found.start for target in targets
    )

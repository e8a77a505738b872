"""How a framework is described: which of its APIs run your functions, and where they run them.

A framework module holds one `FRAMEWORK` and no logic. API names are access paths as `Api` in
`prodlint.program.linking.targets` has them: `express().get` is the member `get` of what calling `express` returns.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Context(IntEnum):
    """Where a function can run. One function can run in several."""

    REQUEST = 0
    """For a request, on the event loop: whoever blocks here stalls every other request."""
    REQUEST_THREAD = 1
    """For a request, in a thread pool or a synchronous worker: blocks one request only."""
    STARTUP = 2
    """Once, before requests are served: module level, `main`, lifespan, `listen` callbacks."""
    BACKGROUND = 3
    """On the event loop, outside any request: intervals, tasks, queue consumers, event listeners."""
    BACKGROUND_THREAD = 4
    """Outside any request, in a thread or a worker process."""
    SCRIPT = 5
    """Command line tools, migrations, build and config files."""


class Role(IntEnum):
    """What the framework uses a function for."""

    HANDLER = 0
    MIDDLEWARE = 1
    ERROR_HANDLER = 2
    DEPENDENCY = 3
    LIFESPAN = 4
    PLUGIN = 5
    """Is handed the app (or a scope of it) at start-up, to register more."""
    EVENT = 6
    """Called for each message or event of a connection."""
    TASK = 7
    COMMAND = 8


class Registers(msgspec.Struct, frozen=True):
    """Calling one of `apis` hands functions to the framework.

    They are the positional arguments `[first, last)` (arrays are looked into), the arguments named in `keywords`, and
    the `properties` (dotted; `*` stands for each) of arguments that are objects; or, where `decorates`, the function or
    class that is decorated. `event` limits it to calls whose first argument is that string. `params` are the APIs of
    the function's parameters ("" for one of no interest).
    """

    apis: tuple[str, ...]
    first: int = 0
    last: int | None = None
    keywords: tuple[str, ...] = ()
    properties: tuple[str, ...] = ()
    decorates: bool = False
    role: Role = Role.HANDLER
    context: Context = Context.REQUEST
    thread: Context | None = None
    """The context of a plain `def` (Python), where it differs."""
    params: tuple[str, ...] = ()
    event: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    """Where a class is handed over: the methods that are run."""
    receiver: str = ""
    """The API of what `this` is in the function."""


class Subclasses(msgspec.Struct, frozen=True):
    """The framework runs `methods` of classes that derive from one of `bases` (or carry one of `decorators`).

    A base that ends in `*` is a prefix. Without `methods`, those that carry one of `method_decorators` are meant.
    """

    bases: tuple[str, ...] = ()
    methods: tuple[str, ...] = ()
    decorators: tuple[str, ...] = ()
    method_decorators: tuple[str, ...] = ()
    role: Role = Role.HANDLER
    context: Context = Context.REQUEST
    thread: Context | None = None
    params: tuple[str, ...] = ()


class Exports(msgspec.Struct, frozen=True):
    """The framework runs what files export that lie where it looks for them.

    `files` is a regular expression over a path relative to the folder of the package, which depends on the framework's
    `package`. `names` are the exports, dotted (`default.handle`: a method of the class or object that is exported; `*`
    stands for each). `directive` asks for a prologue instead of a place: the functions are meant that the module
    exports under it, and those that begin with it.
    """

    names: tuple[str, ...] = ()
    files: str = ""
    directive: str = ""
    role: Role = Role.HANDLER
    context: Context = Context.REQUEST
    params: tuple[str, ...] = ()
    certain: bool = True
    """Whether it surely runs for requests, and not when the service is built."""


class Offloads(msgspec.Struct, frozen=True):
    """Calling one of `apis` runs a function somewhere else: the argument `position` or the keyword `keyword`.

    `names` match a method of that name on anything unknown (`loop.run_in_executor`). `wraps` says that the API
    returns a function that does so (`sync_to_async(f)`); it holds for the use as a decorator too.
    """

    apis: tuple[str, ...]
    context: Context
    position: int = 0
    keyword: str = ""
    names: tuple[str, ...] = ()
    wraps: bool = False


class When(IntEnum):
    """When a function runs that is handed to an API which leaves it on the thread of its caller."""

    NOW = 0
    """Before the call returns."""
    LATER = 1
    """From the event loop, once; the same request waits for it, or has caused it."""
    NEVER = 2
    """Not because of this call: it is only looked at or kept, or runs when the process ends."""
    ITERATES = 3
    """It is no function that is run, but an iterator that is gone through."""


class Calls(msgspec.Struct, frozen=True):
    """Calling one of `apis`, or a method named in `names` of anything that the program does not have, runs functions
    that it is handed: the argument `position` or the keyword `keyword`, each of them where `position` is None.

    An API that ends in `*` is a prefix. `wraps` says that the API answers a function, and that calling this one runs
    them. What stands behind `position` is handed on to that function.
    """

    apis: tuple[str, ...] = ()
    when: When = When.NOW
    position: int | None = None
    keyword: str = ""
    names: tuple[str, ...] = ()
    wraps: bool = False


class Slots(msgspec.Struct, frozen=True):
    """Objects of a framework in which a program keeps things under names of its own, to have them elsewhere.

    What is stored in a member of one of `holders` (by access path) is what that member is from then on, but for the
    framework's own members, `own`. `sets` are APIs that store it when they are called with a name and a value, `gets`
    those that answer what is stored under a name; both are about the first holder.
    """

    holders: tuple[str, ...]
    own: frozenset[str] = frozenset()
    sets: tuple[str, ...] = ()
    gets: tuple[str, ...] = ()


class Shape(msgspec.Struct, frozen=True):
    """The parameters by which a handler is known whose registration cannot be followed: each is called as one of
    `names` says, and there are at most `most` of them."""

    registered_by: str
    """The API that such a handler is taken to be registered by."""
    names: tuple[frozenset[str], ...]
    most: int = 255


class Closing(msgspec.Struct, frozen=True):
    """The app of a framework closes its server and all else by its method `method`, if `listens` started it. `hooks`:
    the method that has it do so when the process is told to end; "" if there is none."""

    listens: str
    method: str
    hooks: str = ""


class BadRequest(msgspec.Struct, frozen=True):
    """How a handler answers 400: the name to import from a module, and the statement with that name for `{}`."""

    module: str
    name: str
    statement: str


class Caught(msgspec.Struct, frozen=True):
    """What a handler of errors is given: so many parameters, of which `error` is the error. `is_logged`: the framework
    logs what such a handler is given for all exceptions."""

    parameters: int
    error: str
    is_logged: bool = False


class Framework(msgspec.Struct, frozen=True):
    """What prodlint knows of one framework (or of one part of a runtime)."""

    name: str
    language: str
    """"javascript" (TypeScript included) or "python"; "" for both."""
    package: str = ""
    """The package whose version is the framework's; "" for a part of the runtime."""
    serves: tuple[str, ...] = ()
    """APIs whose call makes this a service: creating the app, listening."""
    aliases: tuple[tuple[str, str], ...] = ()
    """Access paths that are the same thing under another name: (other, canonical)."""
    registers: tuple[Registers, ...] = ()
    subclasses: tuple[Subclasses, ...] = ()
    exports: tuple[Exports, ...] = ()
    slots: tuple[Slots, ...] = ()
    instantiates: tuple[str, ...] = ()
    """APIs that answer an instance of the class that they are given."""
    offloads: tuple[Offloads, ...] = ()
    calls: tuple[Calls, ...] = ()
    awaits_since: int | None = None
    """The first major version that looks at the promise which a handler returns, 0 where all do; None where that is not
    known, or none does."""
    callback_at: int = 0
    """With so many parameters a handler is given a callback and must not be async; 0 where that makes no difference."""
    patches: frozenset[str] = frozenset()
    """Packages that make older versions look at it."""
    awaiting_apps: tuple[str, ...] = ()
    """Apps with the same interface that look at it in any version, and those that never do."""
    dropping_apps: tuple[str, ...] = ()
    shapes: tuple[Shape, ...] = ()
    closing: Closing | None = None
    bad_request: BadRequest | None = None
    caught: Caught | None = None
    responses: tuple[str, ...] = ()
    """What a handler answers with."""
    debug_settings: tuple[str, ...] = ()
    """Settings whose member `DEBUG` shows visitors what goes on inside."""
    own_servers: tuple[str, ...] = ()
    """APIs that run the framework's own server, which is made for development."""
    route_decorator: str = ""
    """What a decorator such as `@x.get("/path")` is taken for where nothing says what `x` is, in a file that imports
    the framework."""
    injects: tuple[str, ...] = ()
    """APIs that, as the default of a parameter, have it given what a function returns."""
    fills_parameters: bool = False
    """Whether the parameters of a handler are what the client sent, by their annotations."""


def members(base: str, names: str) -> tuple[str, ...]:
    """`base.name` for each of the blank-separated `names`."""
    return tuple(f"{base}.{name}" for name in names.split())


def each(bases: tuple[str, ...], names: str) -> tuple[str, ...]:
    """`members` of every base."""
    return tuple(path for base in bases for path in members(base, names))

"""What a value can turn out to be once all files are known: the answers of `Resolver.resolve`.

An `Api` is named by its access path from the module that provides it: `fs.readFileSync`, `express().get` (a member of
what calling `express` returns), `requests.Session().get`. Constructing counts as calling, awaiting changes nothing.
Node's globals stand alone (`console.log`), Python's builtins under `builtins.`.
"""

from __future__ import annotations

import msgspec


class Target(msgspec.Struct, frozen=True, gc=False):
    """Base of all answers; compared and hashed by type and content."""


class Api(Target, frozen=True, gc=False):
    """Something that an installed package, the standard library or the runtime provides."""

    path: str


class Grown(Api, frozen=True, gc=False):
    """An `Api` whose path was lengthened by a value that it depends on itself. Only while that is worked out."""


class Fn(Target, frozen=True, gc=False):
    """A function of the program, by its program-wide id."""

    id: int


class FnMember(Target, frozen=True, gc=False):
    """`f.bind`, `f.call`, `f.prototype`, `f.delay`: a member of a function that nothing in the program sets."""

    id: int
    name: str


class Cls(Target, frozen=True, gc=False):
    """A class of the program, by its program-wide id."""

    id: int


class Inst(Target, frozen=True, gc=False):
    """An instance of a class of the program."""

    id: int


class New(Target, frozen=True, gc=False):
    """What `new F()` makes of an ordinary function of the program (prototype-style classes)."""

    id: int


class Module(Target, frozen=True, gc=False):
    """A source file's namespace, by file index."""

    file: int


class Obj(Target, frozen=True, gc=False):
    """An object, dict, array or list literal: values[`value`] of the file `file`."""

    file: int
    value: int


class Top(Target, frozen=True, gc=False):
    """Anything: beside other targets, that there are more of them than these; see `TOP`."""


TOP = Top()
"""The only `Top`."""

Targets = tuple[Target, ...]

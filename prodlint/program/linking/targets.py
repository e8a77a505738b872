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


def spoken(path: str) -> str:
    """An access path as a reader would say it, for the beginning of a sentence. What begins at a function or a class is
    named whole (`fs.readFileSync`, `threading.Thread.join`); of what comes in several calls, the last member is."""
    path = path.removeprefix("builtins.")
    root, *calls = path.removesuffix("()").split("()")
    if not calls or (len(calls) == 1 and root.rpartition(".")[2][:1].isupper() and calls[0].count(".") == 1):
        return f"`{path.replace('()', '')}`"
    last = calls[-1] or calls[-2]
    if _QUERIES & set(path.replace("()", "").split(".")):
        return f"This query (`{last}()`)"
    return f"This `{path.partition('.')[0]}` call (`{last}()`)"


_QUERIES = frozenset({"query", "filter", "select", "execute", "exec", "prepare", "fetchall", "fetchone", "fetchmany"})
"""Members by which databases are asked."""


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


class Typed(Target, frozen=True, gc=False):
    """A container, an iterator or the like that is declared (`dict[str, Job]`): the type values[`value`] of a file."""

    file: int
    value: int


class Generated(Target, frozen=True, gc=False):
    """What calling a generator function of the program answers."""

    id: int


class Bound(Target, frozen=True, gc=False):
    """The member `name` of a collection (`Obj`, `Typed`) of Python, or what calling one answers: `items()` are pairs,
    each of them `()`."""

    of: Target
    name: str


class Top(Target, frozen=True, gc=False):
    """Anything: beside other targets, that there are more of them than these; see `TOP`."""


TOP = Top()
"""The only `Top`."""

Targets = tuple[Target, ...]

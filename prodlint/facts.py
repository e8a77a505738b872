"""The vocabulary of facts: what is in ONE file, before anybody asks what it means.

Extraction (`prodlint.extract`) turns the bytes of one file into a `FileFacts`; linking
(`prodlint.program`) joins all of them. Facts know no rule, no setting and no other file, so they can be cached by
content, made in worker processes and shipped between machines.

Everything refers to everything else by index into the lists of the same `FileFacts`; -1 (`NONE`) means "none".
Offsets are byte offsets. The structs are arrays on the wire: add fields at the end, with a default.

Source code is described by three things:

*values*: what an expression denotes, as far as it can be written without running anything: an import, a member of
another value, the result of a call, a parameter, a literal. `const {readFileSync: r} = require('node:fs'); r(p)` has
the callee `MEMBER(IMPORT "node:fs", "readFileSync")`. Values are interned: equal ones share an index, but for literal
objects and arrays.

*regions*: the nesting of bodies, branches, loops, `try`, `catch`, `with`: where a call stands, and under what.

*events*: calls, stores, returns, throws; each names the region that it stands in.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import msgspec

NONE = -1

JAVASCRIPT = frozenset({"javascript", "typescript", "tsx"})
"""The kinds of files in JavaScript and its dialects."""

SOURCE = JAVASCRIPT | {"python"}
"""The kinds of source files; all others are deployment files."""


class _Fact(msgspec.Struct, array_like=True, gc=False):
    """Base of all facts: an array on the wire, untracked by the garbage collector."""


class ValueKind(IntEnum):
    """What a `Value` is. The comments say which of `ref`, `text`, `items`, `names` are in use."""

    UNKNOWN = 0
    IMPORT = 1
    """The module `text` itself (a namespace object, `module.exports`, a Python module). A relative Python import keeps
    its dots: `.crud`, `..models`. `import a.b` binds `a` to IMPORT "a"; `a.b.f` is a chain of MEMBERs;
    `import a.b as m` and `from a import b` give MEMBER(IMPORT "a", "b"), `from . import x` MEMBER(IMPORT ".", "x")."""
    MEMBER = 2
    """`text` of value `ref`: `a.b`, `a['b']`, `getattr(a, 'b')`, a destructured name. An ES default import is
    MEMBER(IMPORT m, "default"); `import * as ns` is IMPORT m; named imports are MEMBER(IMPORT m, imported name)."""
    CALL = 3
    """The result of calls[`ref`] (also `new X()`)."""
    FUNCTION = 4
    """functions[`ref`]: an inline function, or a name that is bound once, to a function declaration."""
    CLASS = 5
    """classes[`ref`]."""
    PARAM = 6
    """The parameter `items[0]` (its position) of functions[`ref`]; `text` is its name. What is destructured from it
    is MEMBER of this."""
    SELF = 7
    """`this` / `self` inside a method of classes[`ref`]; `ref` NONE for `this` outside of any function. The class
    itself, in a class method of Python, has the `text` "cls"."""
    SUPER = 8
    """`super` / `super()` inside a method of classes[`ref`]."""
    BINDING = 9
    """The variable bindings[`ref`]. Names that are only ever bound to an import, function, class or parameter are NOT
    wrapped: they are that value itself."""
    GLOBAL = 10
    """A name `text` that no scope of the file binds: `process`, `require`, `module`, `exports`, `open`, `__name__`."""
    STRING = 11
    """A literal string, `text` its value (cut at 200 characters). JS templates without substitutions too."""
    NUMBER = 12
    """A literal number, `text` as written."""
    BOOL = 13
    """`text` is "true" or "false" in both languages."""
    NULL = 14
    """`null`, `undefined`, `None`."""
    TEMPLATE = 15
    """A string with substitutions; `text` is its static beginning, `items` the substituted values."""
    OBJECT = 16
    """An object or dict literal: `names[i]` has the value `items[i]`. A spread has the name "...", a computed key "[]".
    A method is a FUNCTION. Of an empty one in Python, `text` is the offset: each is another."""
    ARRAY = 17
    """An array, list, tuple or set literal: `items`; a spread element is SPREAD. `text` as for OBJECT."""
    SPREAD = 18
    """`...ref`, `*ref`, `**ref`."""
    AWAIT = 19
    """`await ref`."""
    OP = 20
    """An operator `text` over `items`: "||", "&&", "??", "!", "===", "!==", "==", "!=", "+", "<", "typeof", "in", "is",
    "?:" (test, then, else) ...; Python's `or`, `and`, `not`, `x if t else y` are written "||", "&&", "!", "?:"."""
    SUBSCRIPT = 21
    """`ref[items[0]]` where the index is no string literal."""
    ELEMENT = 22
    """Some element of `ref`: a loop variable, or an array-destructured name, whose position `text` is ("" where a part
    of unknown length stands before it)."""
    INSTANCE = 23
    """An instance of the type that value `ref` denotes (a declared type of a variable, field or parameter)."""
    YIELDED = 24
    """What `with ref as x` binds to x (`items[0]` is 1 for `async with`)."""
    CATCH = 25
    """The exception bound by the CATCH region `ref`."""
    RECEIVER = 26
    """`this` in functions[`ref`], which is no method of a class."""


class Value(_Fact):
    """What an expression denotes; see `ValueKind`."""

    kind: ValueKind
    ref: int = NONE
    text: str = ""
    items: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


class RegionKind(IntEnum):
    """Why a stretch of code is a region of its own."""

    BODY = 0
    """A function's body (the module's for regions[0]); for an arrow with an expression, the expression."""
    THEN = 1
    """Runs only if `values[0]` holds (also the right side of `a && b`, the second of `?:`)."""
    ELSE = 2
    """Runs only if `values[0]` does not hold (also the right side of `a || b` and `a ?? b`)."""
    LOOP = 3
    """`values` holds what is iterated over, if that is known. `flag` is 1 for `for await` / `async for`."""
    TRY = 4
    """The guarded body. Its handlers are the CATCH/FINALLY regions whose `partner` is this region."""
    CATCH = 5
    """`values`: the caught types (empty: everything). See `param`, `uses_param`, `has_comment`."""
    FINALLY = 6
    CASE = 7
    """One arm of `switch` / `match`."""
    WITH = 8
    """`values`: the context managers. `flag` is 1 for `async with`."""
    CLASS = 9
    """A class body (runs where the class statement runs)."""


class Region(_Fact):
    """A stretch of code `[start, end)` inside the region `parent`, in functions[`function`]."""

    kind: RegionKind
    start: int
    end: int
    parent: int
    function: int
    values: list[int] = []
    partner: int = NONE
    """THEN and ELSE of one `if` name the first of them; CATCH and FINALLY name their TRY."""
    param: str = ""
    """CATCH: the name that the exception is bound to ("" for none)."""
    uses_param: bool = False
    """CATCH: whether that name is read in the body."""
    has_comment: bool = False
    """CATCH: whether a comment stands in the body. BODY (JavaScript): whether it begins with one that speaks of
    errors; THEN of an `if` (JavaScript): whether it begins with one."""
    is_empty: bool = False
    """Whether the body holds no statement (Python: nothing but `pass`, `...` or a docstring)."""
    flag: int = 0


class FunctionKind(IntEnum):
    """How a function is written."""

    MODULE = 0
    FUNCTION = 1
    """A declaration or a `def`."""
    EXPRESSION = 2
    """A function expression or a lambda."""
    ARROW = 3
    METHOD = 4
    """A method of a class or an object literal."""
    CONSTRUCTOR = 5
    """`constructor`, `__init__`."""
    ACCESSOR = 6
    """A getter, setter or property."""


class ParamKind(IntEnum):
    """How a parameter takes its argument."""

    NORMAL = 0
    REST = 1
    """`...args`, `*args`."""
    KEYWORDS = 2
    """`**kwargs`."""
    PATTERN = 3
    """A destructuring pattern: `name` is "", `names` what it binds."""
    KEYWORD_ONLY = 4


class Param(_Fact):
    """A parameter; Python's `self`/`cls` of a method is NOT in the list."""

    name: str
    start: int
    end: int
    kind: ParamKind = ParamKind.NORMAL
    default: int = NONE
    """Value of the default (`db=Depends(get_db)`), or NONE."""
    annotation: int = NONE
    """Value of the declared type (a reference to a class or an import), or NONE. Of `Annotated[T, x]` it is T and the
    metadata is in `metadata`; of `Optional[T]`, `T | null`, `T | None` it is T."""
    names: list[str] = []
    used: bool = True
    """Whether the name is read anywhere in the function."""
    metadata: list[int] = []
    """Values of the further arguments of `Annotated[T, ...]`; in TypeScript the parameter's decorators."""


class Function(_Fact):
    """A function, or the module itself at index 0.

    `start`..`end` is the whole definition (decorators not included), `name_start`..`name_end` its name (or the
    keyword, or the parameter list of an arrow): what a finding about the function points at.
    """

    name: str
    kind: FunctionKind
    start: int
    end: int
    name_start: int
    name_end: int
    region: int
    """Its BODY region."""
    parent: int = NONE
    """The function that it is written in (0 for the module; NONE only for the module itself)."""
    cls: int = NONE
    """The class that it is a method of."""
    is_async: bool = False
    is_generator: bool = False
    params: list[Param] = []
    decorators: list[int] = []
    """Values of the decorators, first written first (`@app.get("/")` is a CALL)."""
    is_static: bool = False
    has_arguments_object: bool = False
    """JS: the body reads `arguments`."""
    result: int = NONE
    """Value of the declared type of what it answers, or NONE; of `Promise<T>` it is T."""


class Class(_Fact):
    """A class; `members` are its methods (FUNCTION) and fields: the initial value, else INSTANCE of the declared type,
    or the PARAM that a constructor's parameter property of TypeScript is. An interface of TypeScript is one, too, with
    its properties."""

    name: str
    start: int
    end: int
    function: int
    """The function that the class statement stands in."""
    region: int
    """The region that the class statement stands in."""
    bases: list[int] = []
    decorators: list[int] = []
    names: list[str] = []
    members: list[int] = []
    implements: list[int] = []
    """The interfaces that it says to implement."""
    is_abstract: bool = False
    """Whether nobody constructs it: an abstract class, an interface."""


class BindingKind(IntEnum):
    """How a name came into being."""

    VARIABLE = 0
    """`var`, `let`, or a Python assignment."""
    CONST = 1
    PARAM = 2
    FUNCTION = 3
    CLASS = 4
    IMPORT = 5
    CATCH = 6
    OTHER = 7
    """Loop targets, `with` targets, `del`, `global`..."""


class Binding(_Fact):
    """A name in a scope, and every value that is ever assigned to it."""

    name: str
    kind: BindingKind
    function: int
    """The function whose scope (or a block of it) holds the name."""
    start: int
    end: int
    values: list[int] = []
    """Indices into values, one per assignment or declaration that has a value."""
    annotation: int = NONE
    is_read: bool = True
    """Whether anything reads it, in its function or in those inside (False only where that is sure)."""


class Use(IntEnum):
    """What becomes of a call's result. Parentheses, `a && f()`, `t ? f() : g()`, `f() || x`, `f() as T`, array and
    object literals are looked through: in `await Promise.all([f()])`, f() is an ARGUMENT of `all`."""

    OTHER = 0
    STATEMENT = 1
    """Dropped: an expression statement."""
    AWAITED = 2
    RETURNED = 3
    """Returned, or the expression of an arrow function or lambda."""
    ASSIGNED = 4
    """Stored in a variable, member or field (`user` is the binding where it is one)."""
    ARGUMENT = 5
    """Passed to calls[`user`]."""
    RECEIVER = 6
    """calls[`user`] is a method call on it: `f().then(g)`."""
    VOIDED = 7
    """`void f()`."""
    CALLEE = 8
    """Itself called: `f()()`; calls[`user`]."""
    YIELDED = 9
    CONDITION = 10
    """Tested: `if (f())`."""
    CONTEXT = 11
    """The context manager of a `with`."""
    ITERATED = 12
    DECORATOR = 13
    TESTED = 14
    """Tested in an expression that is a statement: `f() && g()`."""


class Call(_Fact):
    """A call (or `new`): `[start, end)` spans all of it, `name_start`..`name_end` the last name of the callee."""

    start: int
    end: int
    name_start: int
    name_end: int
    callee: int
    region: int
    args: tuple[int, ...] = ()
    keywords: tuple[str, ...] = ()
    """Python: names of the last len(keywords) arguments in `args`; "**" for an unpacked one."""
    use: Use = Use.OTHER
    user: int = NONE
    is_new: bool = False
    is_optional: bool = False
    """`f?.()` or `a?.f()`."""
    args_start: int = NONE
    """Offset of the opening parenthesis (NONE for `new X`)."""
    arg_spans: tuple[int, ...] = ()
    """start, end of each argument in turn (2 * len(args); of a keyword argument, its whole `k=v`)."""


class Store(_Fact):
    """`target.name = value`, `target[name] = value`, `target.name += value`, `del target.name`, `++target.name`."""

    target: int
    name: str
    """"" where the key is computed."""
    value: int
    start: int
    end: int
    region: int
    op: str = "="
    """"=", "+=", "||=", "??=", "++", "del" ..."""


class ExitKind(IntEnum):
    """How control leaves."""

    RETURN = 0
    THROW = 1
    """`throw`, `raise` (a bare `raise` has the value NONE)."""
    YIELD = 2
    BREAK = 3
    CONTINUE = 4


class Exit(_Fact):
    """A `return`, `throw`, `yield`, `break` or `continue`; an arrow's expression is a RETURN."""

    kind: ExitKind
    start: int
    end: int
    region: int
    value: int = NONE


class ImportKind(IntEnum):
    """How a module is asked for."""

    IMPORT = 0
    """`import`, `from x import y`."""
    REQUIRE = 1
    DYNAMIC = 2
    """`import(x)`, `importlib.import_module(x)`."""
    REEXPORT = 3
    """`export … from x`."""
    TYPE = 4
    """`import type`, or under `if TYPE_CHECKING:`; gone at run time."""


class Import(_Fact):
    """One request for a module, at `[start, end)` (the whole statement; the call for `require` and `import()`)."""

    kind: ImportKind
    module: str
    """As written; "" where it is computed."""
    start: int
    end: int
    region: int
    names: list[str] = []
    """Imported names ("default", "*" for the namespace; Python: "" where the module itself is bound)."""
    locals: list[str] = []
    """The local name of each of `names`."""


class Export(_Fact):
    """`name` can be had from this file.

    JS: "default", a name, "=" for `module.exports = v`, "*" for `export * from m` (value is IMPORT m).
    `exports.a = v` and `module.exports.a = v` are exports named "a". Every export is also visible as it is written (a
    Store or an assignment is not repeated in `stores`). Python: every module-level name, with BINDING, FUNCTION,
    CLASS, IMPORT or MEMBER as value; `from m import *` is "*".
    """

    name: str
    value: int
    start: int
    end: int


class DirectiveKind(IntEnum):
    """What an ignore comment covers."""

    IGNORE = 0
    """The finding's line: a comment at the end of the line, or alone on the line above it."""
    IGNORE_FILE = 1


class Directive(_Fact):
    """`prodlint: ignore[rule-a, rule-b] reason` in a comment. `rules` is empty for a bare `prodlint: ignore`: all.
    `line` is the line (from 1) that it covers; 0 for the whole file. `[start, end)` is the comment itself."""

    kind: DirectiveKind
    rules: list[str]
    reason: str
    start: int
    end: int
    line: int
    own_line: bool = False
    """Whether the comment stands alone on its line."""


class SyntaxProblem(_Fact):
    """A stretch of the file that could not be read (a syntax error). The sound parts still gave facts."""

    message: str
    start: int
    end: int


class Setting(_Fact):
    """One setting of a deployment file, in one flat namespace for every format (`env.NODE_ENV`, `restart`, `user`...).

    `value` None means present but unknown here (passed through from outside, interpolated, a secret).
    """

    key: str
    value: str | None
    start: int
    end: int
    template: str = ""
    """The text as written, if it has variables in it: `value` then holds what their defaults in this file make of it,
    and whoever knows more (build arguments, `.env`) can expand it anew."""


class Artefact(_Fact):
    """One declaration in a deployment file that starts, builds or feeds a process: a Dockerfile stage, a compose
    service, a systemd unit, a Procfile line, a `package.json` script.

    `name` is unique among the artefacts of one file and kind. `anchor`..`anchor_end` is what a finding about something
    missing points at (the compose service's key, the last CMD, the unit's ExecStart=). `refs` are (kind, text) pairs
    flattened: ["build", "./api", "dockerfile", "Dockerfile.prod", "env_file", ".env"].
    """

    kind: str
    name: str
    start: int
    end: int
    anchor: int
    anchor_end: int
    settings: list[Setting] = []
    refs: list[str] = []
    parent: str = ""
    """The artefact of the same file that it builds on (Dockerfile: the stage named in FROM; compose: `extends`)."""


class Access(_Fact):
    """A read of a member of `process.env` / `os.environ` (`value` is the MEMBER), outside a store's target."""

    value: int
    start: int
    end: int
    region: int


class Prologue(_Fact):
    """JS: a directive in functions[`function`] (0: in the file), in a file that says where it runs: "use server"."""

    function: int
    text: str


class NameUse(IntEnum):
    """What is done with a name that no scope of the file binds."""

    READ = 0
    WRITE = 1
    """Assigned where that makes a global variable: in sloppy JavaScript."""
    STRICT_WRITE = 2
    """Assigned where that throws: in a module, a class, or under "use strict"."""
    TESTED = 3
    """Asked for in a way that bears its absence: `typeof x`, or where a NameError is caught."""


class Unbound(_Fact):
    """A name that the file uses and no scope of it binds, and that is none of the language's own. Left out is what can
    be bound without the file saying so: what stands in a `with` statement or in a TypeScript namespace."""

    name: str
    places: list[int] = []
    """The first uses in turn: where each starts, the region that it stands in, its `NameUse`. See `uses`."""

    def uses(self) -> Iterator[tuple[int, int, NameUse]]:
        """Yield where each use starts, the region that it stands in, and what it is."""
        for index in range(0, len(self.places), 3):
            start, region, use = self.places[index : index + 3]
            yield start, region, NameUse(use)

    @property
    def is_tested(self) -> bool:
        """Whether the file anywhere sees to it that the name may be missing."""
        return NameUse.TESTED in self.places[2::3]


class Outline(_Fact):
    """What is needed of the facts of every file at once. Encoded `FileFacts` are decoded as this, too."""

    kind: str
    functions: msgspec.Raw = msgspec.Raw()
    classes: msgspec.Raw = msgspec.Raw()
    values: msgspec.Raw = msgspec.Raw()
    bindings: msgspec.Raw = msgspec.Raw()
    regions: msgspec.Raw = msgspec.Raw()
    calls: msgspec.Raw = msgspec.Raw()
    stores: msgspec.Raw = msgspec.Raw()
    exits: msgspec.Raw = msgspec.Raw()
    imports: list[Import] = []
    exports: msgspec.Raw = msgspec.Raw()
    directives: msgspec.Raw = msgspec.Raw()
    problems: list[SyntaxProblem] = []


class FileFacts(_Fact):
    """All that is known of one file. Source files fill the first half, deployment files `artefacts`."""

    kind: str
    """`javascript`, `typescript`, `tsx`, `python`, or a deployment format: `dockerfile`, `compose`, `systemd`..."""
    functions: list[Function] = []
    classes: list[Class] = []
    values: list[Value] = []
    bindings: list[Binding] = []
    regions: list[Region] = []
    calls: list[Call] = []
    stores: list[Store] = []
    exits: list[Exit] = []
    imports: list[Import] = []
    exports: list[Export] = []
    directives: list[Directive] = []
    problems: list[SyntaxProblem] = []
    shebang: str = ""
    """The first line, if it starts with `#!`."""
    artefacts: list[Artefact] = []
    line_starts: list[int] = []
    """Byte offset of the start of each line (so that output needs no second look at the file for lines)."""
    accesses: list[Access] = []
    unbound: list[Unbound] = []
    """In the order of their first uses."""
    ambient: list[str] = []
    """JS: names that the file makes known to all files: `declare global`, or, in a script that is no module, what it
    declares at its top level."""
    announced: list[str] = []
    """JS: the names that comments declare for this file (`/* global a, b */`), and the environments that they name,
    each behind a colon: `/* eslint-env browser */` is ":browser"."""
    makes_names: bool = False
    """Whether names can come to be in the file that nothing in it spells: `from m import *`, `exec(code)`,
    `globals()[name] = value`, JavaScript's `eval`."""
    reads: list[int] = []
    """Python: the expressions that may run a method of a class without calling it: members that are read (a property),
    what is taken by a key, operators. Value, start and end of each in turn; of equal ones in a function the first.
    What `calls` call is not among them."""
    prologues: list[Prologue] = []
    early: list[Access] = []
    """JS: reads of a `const` or a class in its own function before it is declared, which throws."""

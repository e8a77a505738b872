"""Which file a module specifier means: Node's rules for JavaScript and TypeScript, the import system's for Python.

Sources: Node's documentation, "Modules: CommonJS modules" (all together) and "Modules: Packages" (exports, imports);
TypeScript's handbook on `paths` and `baseUrl`; the Python reference, section 5, "The import system".
"""

from __future__ import annotations

import posixpath
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

from prodlint.extract.deployment.package_json import PackageInfo
from prodlint.extract.deployment.tsconfig import PathAlias, path_aliases
from prodlint.facts import FileFacts, ImportKind, Outline, ValueKind

_DEEPEST_PATH = 12
_EXTENSIONS = (".js", ".ts", ".tsx", ".mjs", ".cjs", ".mts", ".cts", ".jsx")
_WRITTEN_AS = {".js": (".ts", ".tsx", ".jsx"), ".mjs": (".mts",), ".cjs": (".cts",), ".jsx": (".tsx",)}
_MOST_COMPUTED = 60
"""More modules than this that a computed path can mean are none."""
_CONDITIONS = ("source", "node", "import", "require", "default")


def _join(folder: str, relative: str) -> str:
    """`folder/relative`, normalised; "" is the project root. Paths that leave the root keep their leading `..`."""
    joined = posixpath.normpath(posixpath.join(folder, relative))
    return "" if joined == "." else joined


def aliases_in(files: Mapping[str, FileFacts]) -> Iterator[PathAlias]:
    """What the tsconfig files among the facts of `files` call other than it is."""
    for path, facts in files.items():
        if facts.kind == "tsconfig":
            yield from path_aliases(path, facts)


def requested(facts: FileFacts | Outline) -> Iterator[str]:
    """The modules that a source file asks for when it runs, as they are written: those that its imports name, and in
    Python what they import from them, which may be modules, too."""
    for request in facts.imports:
        if request.kind is not ImportKind.TYPE:
            yield request.module
            if facts.kind == "python":
                dot = "" if request.module.endswith(".") else "."
                yield from (f"{request.module}{dot}{name}" for name in request.names if name)


class NodeModules:
    """Resolves JavaScript and TypeScript specifiers within the project."""

    def __init__(
        self, paths: Iterable[str], packages: Mapping[str, PackageInfo], aliases: Iterable[PathAlias] = ()
    ) -> None:
        """`paths`: the source files; `packages`: folder → its package.json; `aliases`: from tsconfig files."""
        self._paths = frozenset(paths)
        self._packages = packages
        self._aliases = sorted(aliases, key=lambda alias: -len(alias.scope))
        self._by_name = {info.name: folder for folder, info in packages.items() if info.name}
        self._memo: dict[tuple[str, str], str | None] = {}

    def resolve(self, importer: str, specifier: str) -> str | None:
        """The file that `specifier` means in the file `importer`, or None where it is not in the project."""
        key = (importer.rpartition("/")[0], specifier)
        if key not in self._memo:
            self._memo[key] = self._resolve(*key)
        return self._memo[key]

    def _resolve(self, folder: str, specifier: str) -> str | None:
        if not specifier or specifier.startswith("node:"):
            return None
        if specifier.startswith(("./", "../")) or specifier in (".", ".."):
            return self._file_or_folder(_join(folder, specifier))
        if specifier.startswith("#"):
            return self._subpath_import(folder, specifier)
        return self._alias(folder, specifier) or self._workspace(specifier)

    def at(self, path: str) -> Sequence[str]:
        """The file that a path from the project's root means, if there is one."""
        found = self._file_or_folder(path)
        return (found,) if found is not None else ()

    def starting_with(self, prefix: str) -> Sequence[str]:
        """The modules that a path can mean which begins so: the files of its last folder, and the folders in there that
        are modules. Nothing where these are too many to say anything."""
        folder, _, stem = prefix.rpartition("/")
        found = [
            path
            for path in self._in_folder.get(folder, ())
            if posixpath.basename(path).startswith(stem)
            or (posixpath.dirname(path) != folder and posixpath.basename(posixpath.dirname(path)).startswith(stem))
        ]
        return found if len(found) <= _MOST_COMPUTED else ()

    @cached_property
    def _in_folder(self) -> Mapping[str, Sequence[str]]:
        """The modules of each folder: its files, and the `index` files of the folders in it."""
        found: dict[str, list[str]] = defaultdict(list)
        for path in sorted(self._paths):
            folder, _, name = path.rpartition("/")
            found[folder].append(path)
            if name.partition(".")[0] == "index" and folder:
                found[posixpath.dirname(folder)].append(path)
        return found

    def from_package_root(self, importer: str, specifier: str) -> str | None:
        """As `resolve`, but relative to the folder of the nearest package.json (`require.main.require('./x')`)."""
        return self._file_or_folder(_join(self._package_folder(posixpath.dirname(importer)), specifier))

    def _file_or_folder(self, path: str, depth: int = 0) -> str | None:
        return self._file(path) or self._folder(path, depth)

    def _file(self, path: str) -> str | None:
        if path in self._paths:
            return path
        for extension in _EXTENSIONS:
            if path + extension in self._paths:
                return path + extension
        stem, extension = posixpath.splitext(path)
        for written in _WRITTEN_AS.get(extension, ()):
            if stem + written in self._paths:
                return stem + written
        return None

    def _folder(self, path: str, depth: int) -> str | None:
        info = self._packages.get(path)
        if info is not None and info.main and depth < 4:
            main = self._source_of(path, info.main) or self._file_or_folder(_join(path, info.main), depth + 1)
            if main:
                return main
        return self._file(f"{path}/index" if path else "index")

    def _source_of(self, folder: str, built: str) -> str | None:
        """A built entry (`dist/index.js`) that is not in the tree stands for its source (`src/index.ts`)."""
        path = _join(folder, built)
        if self._file(path):
            return self._file(path)
        parts = built.removeprefix("./").split("/")
        if len(parts) > 1 and parts[0] in ("dist", "build", "lib", "out", "output"):
            rest = "/".join(parts[1:])
            for candidate in (f"src/{rest}", rest):
                if found := self._file(_join(folder, candidate)):
                    return found
        return None

    def _package_folder(self, folder: str) -> str:
        while folder and folder not in self._packages:
            folder = posixpath.dirname(folder)
        return folder

    def _subpath_import(self, folder: str, specifier: str) -> str | None:
        home = self._package_folder(folder)
        info = self._packages.get(home)
        return self._exported(home, info.imports, specifier) if info else None

    def _workspace(self, specifier: str) -> str | None:
        parts = specifier.split("/")
        size = 2 if specifier.startswith("@") else 1
        name, rest = "/".join(parts[:size]), "/".join(parts[size:])
        folder = self._by_name.get(name)
        if folder is None:
            return None
        info = self._packages[folder]
        if info.exports is not None:
            exports = info.exports
            if not isinstance(exports, dict) or not any(key.startswith(".") for key in exports):
                exports = {".": exports}
            if found := self._exported(folder, exports, f"./{rest}" if rest else "."):
                return found
        return self._file_or_folder(_join(folder, rest)) if rest else self._folder(folder, 0)

    def _exported(self, folder: str, table: Any, key: str) -> str | None:
        """Look `key` up in an `exports` or `imports` table, `*` patterns and conditions included."""
        if not isinstance(table, dict):
            return None
        for pattern, target in table.items():
            head, star, tail = pattern.partition("*")
            if star and key.startswith(head) and key.endswith(tail) and len(key) >= len(head) + len(tail):
                middle = key[len(head) : len(key) - len(tail)]
            elif pattern == key:
                middle = ""
            else:
                continue
            for path in _leaves(target):
                if found := self._source_of(folder, path.replace("*", middle)):
                    return found
        return None

    def _alias(self, folder: str, specifier: str) -> str | None:
        for alias in self._aliases:
            if alias.scope and folder != alias.scope and not folder.startswith(alias.scope + "/"):
                continue
            head, star, tail = alias.pattern.partition("*")
            if star:
                if not (specifier.startswith(head) and specifier.endswith(tail)):
                    continue
                middle = specifier[len(head) : len(specifier) - len(tail)]
            elif alias.pattern == specifier:
                middle = ""
            else:
                continue
            for target in alias.targets:
                if found := self._file_or_folder(posixpath.normpath(target.replace("*", middle))):
                    return found
        return None


def _leaves(target: Any) -> Iterable[str]:
    """The paths of an `exports` target, in the order of conditions that a service would meet."""
    if isinstance(target, str):
        yield target
    elif isinstance(target, dict):
        for condition in (*_CONDITIONS, *(key for key in target if key not in _CONDITIONS and key != "types")):
            if condition in target:
                yield from _leaves(target[condition])
    elif isinstance(target, list):
        for item in target:
            yield from _leaves(item)


class PythonModules:
    """Resolves Python module names within the project, `src/` layouts and several roots included."""

    def __init__(self, paths: Iterable[str], roots: Iterable[str] = ()) -> None:
        """`paths`: the Python source files; `roots`: the folders that the program itself puts on Python's path."""
        self._paths = frozenset(paths)
        self._roots = frozenset(roots)
        self._packages = {posixpath.dirname(path) for path in self._paths if path.endswith("__init__.py")}
        self._by_tail: dict[str, list[str]] = defaultdict(list)
        for path in self._paths:
            self._by_tail[_dotted(path).rpartition(".")[2]].append(path)
        self._memo: dict[tuple[str, str], str | None] = {}

    def resolve(self, importer: str, module: str) -> str | None:
        """The file of `module` (dots lead a relative one) as `importer` sees it, or None."""
        folder = importer.rpartition("/")[0]
        key = (folder, module)
        if key not in self._memo:
            self._memo[key] = self._relative(folder, module) if module.startswith(".") else self._absolute(*key)
        return self._memo[key]

    def _relative(self, folder: str, module: str) -> str | None:
        name = module.lstrip(".")
        for _ in range(len(module) - len(name) - 1):
            folder = posixpath.dirname(folder)
        return self._at(_join(folder, name.replace(".", "/")) if name else folder)

    def submodule(self, path: str, name: str) -> str | None:
        """The submodule `name` of the package whose `__init__.py` is `path`."""
        return self._at(_join(posixpath.dirname(path), name)) if path.endswith("__init__.py") else None

    def _at(self, stem: str) -> str | None:
        for path in (f"{stem}.py" if stem else "__init__.py", _join(stem, "__init__.py")):
            if path in self._paths:
                return path
        return None

    def _absolute(self, folder: str, module: str) -> str | None:
        first, _, rest = module.partition(".")
        is_standard = first in sys.stdlib_module_names
        if is_standard and not rest:
            return None
        candidates = []
        inside_package = []
        for path in self._by_tail.get(module.rpartition(".")[2], ()):
            dotted = _dotted(path)
            if dotted != module and not dotted.endswith("." + module):
                continue
            root = path[: len(path) - len(_relative_path(path, module))].rstrip("/")
            found = (_common(root, folder), -root.count("/"), path)
            is_around = folder == root or not root or folder.startswith(root + "/")
            if root in self._roots:
                candidates.append(found)
            elif is_standard and not is_around:
                continue
            elif root not in self._packages:
                if rest or self._is_root(root, folder, path):
                    candidates.append(found)
            elif rest and is_around and not is_standard:
                # Nothing but the folder of a package that is started as a root has a module of that whole name.
                inside_package.append(found)
        candidates = candidates or inside_package
        return max(candidates)[2] if candidates else None

    def _is_root(self, root: str, folder: str, path: str) -> bool:
        """Whether a top-level module may be imported from `root`: a package, a script's own folder, the project's or
        an enclosing one. Any other folder is on nobody's path."""
        return path.endswith("__init__.py") or folder == root or root in ("", "src") or folder.startswith(root + "/")


def roots_in(files: Mapping[str, FileFacts]) -> Iterator[str]:
    """The folders that Python files put on the path: `sys.path.insert(0, os.path.dirname(__file__))`."""
    for path, facts in files.items():
        for call in facts.calls if facts.kind == "python" else ():
            callee = facts.values[call.callee]
            if callee.text not in ("insert", "append") or callee.kind is not ValueKind.MEMBER or not call.args:
                continue
            holder = facts.values[callee.ref]
            if holder.kind is ValueKind.MEMBER and holder.text == "path" and facts.values[holder.ref].text == "sys":
                folder = _folder(path, facts, call.args[-1], 0)
                if folder is not None and not folder.startswith(".."):
                    yield folder


def _folder(path: str, facts: FileFacts, value: int, depth: int) -> str | None:
    """The path that an expression makes of a file's own (`os.path.dirname(__file__)`, `Path(__file__).parent`), "" for
    the project's root; None for any other."""
    fact = facts.values[value]
    if depth > _DEEPEST_PATH:
        return None
    if fact.kind is ValueKind.GLOBAL:
        return path if fact.text == "__file__" else None
    if fact.kind is ValueKind.BINDING:
        assigned = facts.bindings[fact.ref].values
        return _folder(path, facts, assigned[0], depth + 1) if len(assigned) == 1 else None
    if fact.kind is ValueKind.MEMBER and fact.text == "parent":
        return _above(_folder(path, facts, fact.ref, depth + 1))
    if fact.kind is ValueKind.SUBSCRIPT and facts.values[fact.ref].text == "parents":
        inner = _folder(path, facts, facts.values[fact.ref].ref, depth + 1)
        index = facts.values[fact.items[0]].text
        for _ in range(int(index) + 1 if index.isdigit() and len(index) < 2 else 0):
            inner = _above(inner)
        return inner if index.isdigit() else None
    if fact.kind is ValueKind.OP and fact.text == "/":
        return _below(facts, _folder(path, facts, fact.items[0], depth + 1), fact.items[1:])
    if fact.kind is not ValueKind.CALL:
        return None
    call = facts.calls[fact.ref]
    callee = facts.values[call.callee]
    if callee.text in ("dirname", "abspath", "realpath", "normpath", "join", "str", "Path", "fspath") and call.args:
        inner = _folder(path, facts, call.args[0], depth + 1)
        if callee.text == "dirname":
            return _above(inner)
        return _below(facts, inner, call.args[1:]) if callee.text == "join" else inner
    if callee.text in ("resolve", "absolute", "joinpath") and callee.kind is ValueKind.MEMBER:
        return _below(facts, _folder(path, facts, callee.ref, depth + 1), call.args)
    return None


def _above(path: str | None) -> str | None:
    return posixpath.dirname(path) if path else None


def _below(facts: FileFacts, folder: str | None, parts: Iterable[int]) -> str | None:
    for part in parts:
        fact = facts.values[part]
        if folder is None or fact.kind is not ValueKind.STRING:
            return None
        folder = _join(folder, fact.text)
    return folder


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _relative_path(path: str, module: str) -> str:
    """The end of `path` that spells `module`."""
    tail = module.replace(".", "/")
    return f"{tail}/__init__.py" if path.endswith("/__init__.py") else f"{tail}.py"


def _common(left: str, right: str) -> int:
    """How many leading folders two paths share."""
    count = 0
    for one, other in zip(left.split("/"), right.split("/"), strict=False):
        if one != other:
            break
        count += 1
    return count

"""How a JavaScript file would write the import of another file of the project."""

from __future__ import annotations

import posixpath
import re

from prodlint.facts import ImportKind
from prodlint.lazy_regex import regex
from prodlint.program.linking.resolver import File

_SUFFIX = regex(r"\.([cm]?)([jt])sx?$")


def specifier(file: File, other: File) -> str:
    """`./lib/log` or `./lib/log.js`, whichever the relative imports of `file` look like; without any, what Node
    needs."""
    path = posixpath.relpath(other.path, posixpath.dirname(file.path) or ".")
    path = path if path.startswith(".") else f"./{path}"
    written = [request.module for request in file.facts.imports if request.module.startswith(".")]
    suffixes = [suffix for module in written if (suffix := _SUFFIX.search(module))]
    if suffixes:
        if not any(suffix[2] == "t" for suffix in suffixes):
            path = _SUFFIX.sub(r".\1js", path)
        return path
    is_module = any(request.kind is ImportKind.IMPORT for request in file.facts.imports)
    if not written and is_module and file.facts.kind == "javascript":
        return path
    return re.sub(r"(?<=[^.])/index$", "", _SUFFIX.sub("", path))

"""Whether an application's responses are compressed: by itself (middleware wherever it is registered, a framework that
does so), or by the platform in front of it.

`Compression` answers with what the rule `no-compression` knows of packages; `may_compress` by names alone, for who has
to keep silent at the slightest sign.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prodlint.facts import FileFacts, ValueKind
from prodlint.lazy_regex import regex
from prodlint.program.linking.resolver import File
from prodlint.program.services import services_of
from prodlint.program.web.web_apps import web_apps_in
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program
    from prodlint.program.services import Service

SOUNDS_SO = regex(r"compress|gzip|brotli|deflate|(?<![a-z])shrink", re.IGNORECASE)
"""What middleware is called that compresses."""

_MIDDLEWARE_CLASS = regex(
    r"\b(?:(?!gzip|compress|brotli|zstd)\w)*+(?:gzip|compress|brotli|zstd)(?:(?!middleware)\w)*+middleware"
    r"|(?<!\S)(?:(?!middleware)\S)*+middleware(?:(?!\b(?:gzip|compress|brotli))\S)*+\b(?:gzip|compress|brotli)",
    re.I,
)
_PACKAGES = regex(
    r"(?:@[\w-]++/)?(?=[\w.-]++\Z)(?:[\w-]+-)?(?:compress(?:ion|ible)?|shrink-ray(?:-current)?|brotli-asgi"
    r"|brotli_asgi|flask_compress|compression_middleware|starlette_compress|gzip-?static|serve-static-gzip|zlib)"
    r"(?:[-_.].*)?"
)
_NAMES = regex(r"GZip\w*|Brotli\w*|Zstd\w*|Compress(?:ion)?\w*|enable_compression|gzip_page|.*\.gzip\.GZipMiddleware.*")


def may_compress(program: Program, service: Service) -> bool:
    """Whether anything in what a service runs looks as if it compressed responses: a package for it, a middleware of
    that name. A name is enough, as this is asked to keep silent."""
    if any(_PACKAGES.fullmatch(name) for name in service.dependencies):
        return True
    for file in program.files:
        if program.roles[file.index] is FileRole.BROWSER:
            continue
        services = services_of(program, file.path)
        if (not services or service in services) and _has_sign(file.facts):
            return True
    return False


def _has_sign(facts: FileFacts) -> bool:
    if any(_PACKAGES.fullmatch(request.module) for request in facts.imports):
        return True
    kinds = (ValueKind.MEMBER, ValueKind.STRING, ValueKind.GLOBAL)
    return any(value.kind in kinds and _NAMES.fullmatch(value.text) for value in facts.values)


class Compression:
    """Answers for the packages of one program."""

    def __init__(self, program: Program, known: Mapping[str, Any]) -> None:
        """`known`: what the rule `no-compression` knows: `modules`, `methods`, `headers`, `platforms`."""
        self._program = program
        self._modules = frozenset(known["modules"])
        self._prefixes = tuple(f"{module}{end}" for module in self._modules for end in "/.")
        self._methods = frozenset(known["methods"])
        self._headers = frozenset(known["headers"])
        self._platforms = frozenset(known["platforms"])

    def is_provided(self, files: Sequence[File]) -> bool:
        """Whether something compresses what the app in these files answers, or may do so."""
        if any(self._by_file(file) for file in files):
            return True
        return any(self._is_module(name) for file in files for name in self._required(file))

    def is_platforms(self, path: str) -> bool:
        """Whether the platform that runs a source file compresses, or may do so."""
        services = services_of(self._program, path)
        return any(source.name in self._platforms for service in services for source in service.platforms)

    def _is_module(self, name: str) -> bool:
        return name in self._modules or name.startswith(self._prefixes)

    def _required(self, file: File) -> Iterator[str]:
        """What the manifests above a file require at run time."""
        if file.is_python:
            return
        for folder, info in self._program.versions.packages.items():
            if not folder or file.path.startswith(folder + "/"):
                yield from info.dependencies

    def _by_file(self, file: File) -> bool:
        facts = file.facts
        for request in facts.imports:
            module = request.module.removeprefix("node:")
            if self._is_module(module) or any(self._is_module(f"{module}.{name}") for name in request.names):
                return True
            if SOUNDS_SO.search(module.rpartition("/")[2]) and module.startswith((".", "@/", "~")):
                return True
        for value in facts.values:
            if value.kind is ValueKind.STRING and self._is_telling(value.text):
                return True
            if value.kind is ValueKind.MEMBER and value.text in self._methods:
                return True
        return False

    def _is_telling(self, text: str) -> bool:
        """A header that is set by hand or by a network in front, or the name of a class in a list."""
        if text.lower() in self._headers or _MIDDLEWARE_CLASS.search(text) is not None:
            return True
        return "." in text and self._is_module(text)


def files_of(program: Program, path: str) -> list[File]:
    """The source files that make up the app that is made in `path`: those of its package, and what they load."""
    made = program.by_path[path]
    home = web_apps_in(program).home(made)
    return [
        file
        for file in program.files
        if program.roles[file.index] is not FileRole.BROWSER
        and (web_apps_in(program).home(file) == home or program.loads(path, file))
    ]

"""Whether an application compresses its responses itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from prodlint.facts import FileFacts, ValueKind
from prodlint.program.roles import FileRole

if TYPE_CHECKING:
    from prodlint.program import Program
    from prodlint.program.services import Service

_PACKAGES = re.compile(
    r"(?:@[\w-]+/)?(?:[\w-]+-)?(?:compress(?:ion|ible)?|shrink-ray(?:-current)?|brotli-asgi|brotli_asgi|flask_compress"
    r"|compression_middleware|starlette_compress|gzip-?static|serve-static-gzip|zlib)(?:[-_.]\w+)*"
)
_NAMES = re.compile(
    r"GZip\w*|Brotli\w*|Zstd\w*|Compress(?:ion)?\w*|enable_compression|gzip_page|.*\.gzip\.GZipMiddleware.*"
)


def may_compress(program: Program, service: Service) -> bool:
    """Whether anything in what a service runs looks as if it compressed responses: a package for it, a middleware of
    that name. A name is enough, as this is asked to keep silent."""
    if any(_PACKAGES.fullmatch(name) for name in service.dependencies):
        return True
    for file in program.files:
        if program.roles[file.index] in (FileRole.TEST, FileRole.BROWSER):
            continue
        services = program.services_of(file.path)
        if (not services or service in services) and _has_sign(file.facts):
            return True
    return False


def _has_sign(facts: FileFacts) -> bool:
    if any(_PACKAGES.fullmatch(request.module) for request in facts.imports):
        return True
    kinds = (ValueKind.MEMBER, ValueKind.STRING, ValueKind.GLOBAL)
    return any(value.kind in kinds and _NAMES.fullmatch(value.text) for value in facts.values)

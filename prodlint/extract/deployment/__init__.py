"""Extraction of deployment files: one module per format, each `extract(data, path)`: bytes of one file → `FileFacts`.

Nothing here looks at another file, and nothing raises for what a file holds: what cannot be read is a `SyntaxProblem`,
what cannot be known is a `Setting` whose value is None.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from typing import Protocol, cast

from prodlint.facts import FileFacts
from prodlint.lazy_regex import regex


class Reader(Protocol):
    """A module that reads one format."""

    def extract(self, data: bytes, path: str) -> FileFacts:
        """The facts of one file; `path` for formats in which a name is part of what a file says."""
        ...


_MODULES = (
    "caddyfile",
    "compose",
    "dockerfile",
    "dotenv",
    "forever",
    "gunicorn",
    "haproxy",
    "kubernetes",
    "makefile",
    "nginx",
    "package_json",
    "platform",
    "pm2",
    "procfile",
    "python_requirements",
    "shell",
    "supervisord",
    "systemd",
    "tsconfig",
    "upstart",
    "uwsgi",
    "vcl",
    "workflow",
)


class _Readers(Mapping[str, Reader]):
    """The reader of each kind of file. A module, with its grammar, is imported when it is first asked for."""

    def __getitem__(self, kind: str) -> Reader:
        if kind not in _MODULES:
            raise KeyError(kind)
        return cast(Reader, importlib.import_module(f"{__name__}.{kind}"))

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)


READERS: Mapping[str, Reader] = _Readers()
"""The reader of each kind that `classify` gives."""

_EXACT = {
    "package.json": "package_json",
    "tsconfig.json": "tsconfig",
    "tsconfig.base.json": "tsconfig",
    "jsconfig.json": "tsconfig",
    "pyproject.toml": "python_requirements",
    "Pipfile": "python_requirements",
    "GNUmakefile": "makefile",
    "Makefile": "makefile",
    "rc.local": "shell",
    "makefile": "makefile",
    ".gitlab-ci.yml": "workflow",
    "action.yaml": "workflow",
    "action.yml": "workflow",
    "app.json": "platform",
    "app.yaml": "platform",
    "fly.toml": "platform",
    "kustomization.yaml": "kubernetes",
    "kustomization.yml": "kubernetes",
    "heroku.yml": "platform",
    "manifest.yml": "platform",
    "netlify.toml": "platform",
    "railway.json": "platform",
    "railway.toml": "platform",
    "render.yaml": "platform",
    "values.yaml": "kubernetes",
    "values.yml": "kubernetes",
    "vercel.json": "platform",
}

_TEMPLATE = r"(?:\.(?:erb|in|j2|jinja2?|template|tmpl|tpl))?"
_GUNICORN = r"gunicorn(?=[._-])[\w-]*(?:\.[\w-]+)*"
_PATTERNS = (
    ("gunicorn", rf"{_GUNICORN}\.py"),
    ("forever", r"forever(?:[._-][\w.-]*)?\.json"),
    ("pm2", r"(?:ecosystem|pm2|process(?:es)?)(?:[._-][\w.-]*)?(?:\.config\.[cm]?js|\.json5?|\.ya?ml)"),
    ("dockerfile", r"(?:.*[._-])?(?:docker|container)file(?:[._-].*)?(?<!\.sh)"),
    ("compose", rf"(?:.*[._-])?compose(?:[._-].*)?\.ya?ml{_TEMPLATE}"),
    ("systemd", rf".+\.service{_TEMPLATE}"),
    ("procfile", r"procfile(?:[._-].*)?(?<!\.sh)"),
    ("shell", r".+\.(?:sh|bash)|\.(?:bash_profile|bash_login|bashrc|profile|zshrc|zprofile|zshenv)"),
    ("dotenv", r"(?:\.env(?:[._-].*)?|.*\.env|env[._-](?:example|sample|template|dist)(?:[._-].*)?)"),
    ("python_requirements", r"(?:.*[._-])?requirements(?:[._-].*)?\.(?:txt|in)"),
    ("caddyfile", r"(?:.*[._-])?caddyfile(?:[._-].*)?"),
    ("haproxy", rf"haproxy(?:[._-].*)?\.(?:cfg|conf){_TEMPLATE}"),
    ("vcl", rf".+\.vcl{_TEMPLATE}"),
    ("nginx", rf"nginx(?:[._-].*)?\.conf{_TEMPLATE}|.+\.nginx{_TEMPLATE}|(?:fastcgi|proxy|scgi|uwsgi)_params"),
)
_BY_NAME = regex("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS), re.IGNORECASE)
_FOREIGN = regex(
    r"\.(?:bak|dockerignore|go|html?|java|json|lock|log|md|orig|patch|php|rb|rej|rs|rst|swp|toml|zip)$"
    r"|(?:docker|container|proc)file.*\.(?:txt|ya?ml)$",
    re.IGNORECASE,
)

_CONFIGURATION = regex(
    rf"(?:ecosystem|pm2|process(?:es)?)(?:[._-][\w.-]*)?\.config\.[cm]?js|{_GUNICORN}\.py", re.IGNORECASE
)


def is_configuration(name: str) -> bool:
    """Whether a file of a programming language is a deployment file by its name."""
    return _CONFIGURATION.fullmatch(name) is not None


def classify(path: str) -> str | None:
    """The kind of the deployment file `path` by its name and, where that says more, its folder; None if it is none."""
    folder, _, name = path.rpartition("/")
    if name in _EXACT:
        return _EXACT[name]
    if folder.endswith(".github/workflows"):
        return "workflow" if _YAML.search(name) else None
    if folder.endswith(".service.d") and name.endswith(".conf"):
        return "systemd"
    if name.endswith(".txt") and folder.rpartition("/")[2] == "requirements":
        return "python_requirements"
    match = _BY_NAME.fullmatch(name)
    if match is None or (match.lastgroup not in ("pm2", "forever") and _FOREIGN.search(name)):
        return None
    return match.lastgroup


_FOLDERS = regex(r"(?:^|/)(?:[^/]*nginx[^/]*|sites-(?:available|enabled)|conf\.d|snippets)(?:/|$)", re.IGNORECASE)

_START_SCRIPT = regex(
    r"(?:docker-?)?(?:entry-?point|run|start|serve|boot)(?:[-_](?:app|server|service|web|worker|prod|production))?"
)
"""What scripts that start a service are called where they have no extension."""
_SHEBANG = regex(rb"#!.*\b(?:ba|da|a)?sh\b")

_YAML = regex(r"\.ya?ml$", re.IGNORECASE)


def may_be(path: str) -> bool:
    """Whether a file that `classify` does not know may be a deployment file: `classify_content` can tell."""
    folder, _, name = path.rpartition("/")
    if _YAML.search(name):
        return not name.startswith(".") and not folder.endswith((".github", ".github/workflows"))
    if re.search(r"\.(?:conf|cfg|vhost|inc|ini|upstart)\b", name, re.IGNORECASE):
        return not _FOREIGN.search(name)
    if _START_SCRIPT.fullmatch(name):
        return True
    return "." not in name and _FOLDERS.search(folder) is not None


def classify_content(path: str, beginning: bytes) -> str | None:
    """The kind of a file that `may_be` one, by the first bytes of what is in it."""
    if _YAML.search(path):
        from prodlint.extract.deployment import compose, kubernetes

        if kubernetes.looks_like(beginning):
            return "kubernetes"
        return "compose" if compose.looks_like(beginning) else None
    if _START_SCRIPT.fullmatch(path.rpartition("/")[2]):
        return "shell" if _SHEBANG.match(beginning) else None
    from prodlint.extract.deployment import haproxy, nginx, supervisord, upstart, uwsgi

    readers = {"uwsgi": uwsgi, "supervisord": supervisord, "upstart": upstart, "nginx": nginx, "haproxy": haproxy}
    return next((kind for kind, reader in readers.items() if reader.looks_like(beginning)), None)

"""What the rule pages show of nginx, HAProxy and Varnish, as files that the real programs take.

Names of containers become this machine's address, ports are free ones, certificates are left out, and what is a part of
a configuration gets the rest around it. Nothing else is changed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from prodlint.analysis.session import Session
from tests.engines.processes import free_port
from tests.pages import DEEP_CASES, ROOT, RULES, Mark, read_page

PRACTICES = ("compression", "caching", "load-balancing", "reverse-proxy")
_THIRD_PARTY = re.compile(r"\b(?:brotli|zstd|sticky)\b|_by_lua|^stream\b", re.MULTILINE)
"""What takes modules that Debian's nginx-light has not."""
_LOCAL = "127.0.0.1"


@dataclass(frozen=True)
class Configuration:
    """The files of one section of a page, and the one to start with."""

    title: str
    files: Mapping[str, str]
    main: str
    is_flagged: bool
    """Whether the page's rule has something to say about it."""


def configurations(kind: str) -> list[Configuration]:
    """All that the pages show of one kind, before and after the fix."""
    return list(_configurations(kind))


def _configurations(kind: str) -> Iterator[Configuration]:
    pages = [path for practice in PRACTICES for path in sorted((RULES / practice).glob("*.md"))]
    pages += [path for page in list(pages) if (path := DEEP_CASES / page.name).exists()]
    for path in pages:
        for section in read_page(path).projects:
            before = section.texts()
            after = before | {name: file.text for name, file in section.after.items()}
            for state, files in (("before", before), ("after", after)):
                if state == "before" or section.after:
                    title = f"{path.relative_to(ROOT)}: {section.title} ({state})"
                    yield from _of_section(kind, title, files, section.marks if state == "before" else [])


def _of_section(kind: str, title: str, files: Mapping[str, str], marks: Sequence[Mark]) -> Iterator[Configuration]:
    facts = Session.from_memory(files).facts
    own = {path: files[path] for path, each in facts.items() if each.kind == kind}
    included = {word for text in own.values() for word in re.findall(r"include\s+(\S+);", text)}
    if any(re.search(r"\{\{|\{%", text) or _THIRD_PARTY.search(text) for text in own.values()):
        return
    for path in own:
        if not any(_means(word, path) for word in included):
            missing = [word for word in included if not any(_means(word, other) for other in own)]
            if all(word in ("mime.types", "uwsgi_params", "proxy_params") for word in missing):
                yield Configuration(title, own, path, any(mark.path == path for mark in marks))


def _means(include: str, path: str) -> bool:
    """Whether an `include` may mean a file."""
    pattern = re.escape(include.removeprefix("/etc/nginx/")).replace(r"\*", "[^/]*")
    return re.search(rf"(?:^|/){pattern}$", path) is not None


def write_nginx(configuration: Configuration, folder: Path, port: int) -> Path:
    """Writes the files; returns the one for `nginx -c`."""
    for path, text in configuration.files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(_for_nginx(text, folder, port), encoding="utf-8")
    for name in ("mime.types", "uwsgi_params", "proxy_params"):
        for parent in {(folder / path).parent for path in configuration.files}:
            (parent / name).write_text("", encoding="utf-8")
    main = folder / configuration.main
    text = main.read_text(encoding="utf-8")
    if not re.search(r"^\s*(?:http|stream)\s*\{", text, re.MULTILINE):
        text = f"http {{\n{text}\n}}\n"
    if not re.search(r"^\s*events\s*\{", text, re.MULTILINE):
        text = f"events {{}}\n{text}"
    main.write_text(f"user root;\npid {folder}/nginx.pid;\nerror_log stderr;\n{text}", encoding="utf-8")
    return main


def _for_nginx(text: str, folder: Path, port: int) -> str:
    upstreams = set(re.findall(r"upstream\s+(\S+)", text))

    def local(match: re.Match[str]) -> str:
        host = match[2]
        return match[0] if host in upstreams or host.startswith(("$", "unix", "10.")) else f"{match[1]}{_LOCAL}"

    text = re.sub(r"listen\s+\d+(?: ssl)?;", f"listen {_LOCAL}:{port};", text)
    text = re.sub(r"(_pass\s+(?:\w+://)?)([\w.$-]+)", local, text)
    text = re.sub(r"(^\s*server\s+)([\w.-]+)(?=[:;])", local, text, flags=re.MULTILINE)
    text = text.replace("/var/cache/nginx", str(folder / "cache")).replace(
        "/etc/nginx/conf.d", str(folder / "nginx/conf.d")
    )
    text = re.sub(r"(proxy_cache_path )/([ab]) ", rf"\1{folder}/\2 ", text)
    return re.sub(r"include (snippets|locations)/", rf"include {folder}/nginx/\1/", text)


def for_haproxy(text: str) -> str:
    """The text with names of containers taken for this machine."""
    text = re.sub(r"(^\s*server\s+\S+\s+)[a-z]\w*(?=:)", rf"\g<1>{_LOCAL}", text, flags=re.MULTILINE)
    text = re.sub(r"(^\s*server-template\s+\S+\s+\S+\s+)\w+(?=:)", rf"\g<1>{_LOCAL}", text, flags=re.MULTILINE)
    if not re.search(r"^\s*bind\b", text, re.MULTILINE):
        text += f"\nlisten other\n    bind {_LOCAL}:{free_port()}\n"
    if "resolvers docker" in text:
        text += f"\nresolvers docker\n    nameserver dns {_LOCAL}:53\n"
    return text


def for_varnish(text: str) -> str:
    """The text with names of containers taken for this machine."""
    return re.sub(r'\.host = "[^"]*"', f'.host = "{_LOCAL}"', text)

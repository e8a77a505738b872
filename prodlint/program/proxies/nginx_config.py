"""nginx configuration as nginx sees it: includes put in place, and what is in force in each block.

Sources: nginx's documentation ("Configuration file's structure", ngx_http_proxy_module, ngx_http_gzip_module) and the
merge functions of its modules: a directive that a block says itself replaces what the blocks around it say, and of one
that may be there several times (`proxy_set_header`, `add_header`) all that is inherited is gone as soon as the block
has one of its own.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

import msgspec

from prodlint.facts import Artefact, FileFacts
from prodlint.findings import Location
from prodlint.lazy_regex import regex

_DEEPEST = 20
_MOST_INCLUDED = 2_000
"""How many includes are put in place in one project: files that include each other many times could go on for ever."""
_SAYS_NOTHING = regex(
    r"(?:^|/)(?:mime\.types|(?:fastcgi|scgi|uwsgi)_params|fastcgi\.conf|koi-utf|koi-win|win-utf"
    r"|options-ssl-nginx\.conf|ssl-dhparams\.pem|modules-enabled/.*|modules/.*)$"
)
"""Files that nginx, Debian and certbot bring along, in which is nothing about headers, compression or caching."""
_PROXY_PARAMS = {
    "Host": "$http_host",
    "X-Real-IP": "$remote_addr",
    "X-Forwarded-For": "$proxy_add_x_forwarded_for",
    "X-Forwarded-Proto": "$scheme",
}
"""What Debian's /etc/nginx/proxy_params sets."""


class Directive(msgspec.Struct, frozen=True):
    """A directive without a block. `args` is None where a template fills them in."""

    name: str
    args: tuple[str, ...] | None
    location: Location

    @property
    def value(self) -> str:
        """The first argument, "" where there is none or it is not known."""
        return self.args[0] if self.args else ""


class Block(msgspec.Struct, eq=False):
    """A block, or a file that no other includes (its `name` is "file"), with what its includes bring in."""

    name: str
    args: tuple[str, ...] | None
    location: Location
    """From its name to its closing brace."""
    anchor: Location
    """Its name and arguments."""
    parent: Block | None = None
    directives: list[Directive] = []
    blocks: list[Block] = []
    gaps: list[Directive] = []
    """The includes of what is not here: the block may hold anything besides."""
    hosts: list[Block] = []
    """Of a file without an `http` block: the `http` blocks of other files that may include it for all that is known."""

    @property
    def title(self) -> str:
        """The block as it is written: `location /api`."""
        return " ".join((self.name, *(self.args or ())))

    @property
    def path(self) -> str:
        """The file that it is written in."""
        return self.location.path

    @property
    def is_whole(self) -> bool:
        """Whether all that it holds is known."""
        return not self.gaps

    def around(self) -> Iterator[Block]:
        """The block itself and those around it, innermost first."""
        block: Block | None = self
        while block is not None:
            yield block
            block = block.parent

    def enclosing(self, name: str) -> Block | None:
        """The nearest block of a name, the block itself included."""
        return next((block for block in self.around() if block.name == name), None)

    def below(self) -> Iterator[Block]:
        """The block itself and all blocks in it."""
        yield self
        for block in self.blocks:
            yield from block.below()

    def own(self, name: str) -> list[Directive]:
        """The directives of a name that the block says itself."""
        return [directive for directive in self.directives if directive.name == name]

    def in_force(self, name: str) -> list[Directive] | None:
        """The directives of a name that count in this block: its own, else those of the nearest block around it that
        has some. None where a file that is not here may say something else."""
        for block in self.around():
            found = block.own(name)
            if found:
                return None if block.gaps and name in _REPEATABLE else found
            if block.gaps or any(host.own(name) for host in block.hosts):
                return None
        return []

    def value(self, name: str) -> str | None:
        """The first argument of a directive that can be there once, "" where nothing says it, None where that is not
        known."""
        found = self.in_force(name)
        if found is None:
            return None
        return (None if found[-1].args is None else found[-1].value) if found else ""


_REPEATABLE = frozenset({"proxy_set_header", "add_header", "server", "proxy_cache_valid", "error_page"})


class Nginx:
    """All nginx configuration of a project."""

    def __init__(self, files: Mapping[str, FileFacts]) -> None:
        """`files`: all facts by path; those of other formats are left alone."""
        self._files = {path: facts for path, facts in sorted(files.items()) if facts.kind == "nginx"}
        self._included: set[str] = set()
        self._budget = _MOST_INCLUDED
        trees = {path: self._file(path, ()) for path in self._files}
        self.files = [tree for path, tree in trees.items() if tree is not None and path not in self._included]
        """The files that no other one includes."""
        open_ = [block for tree in self.files for block in tree.below() if block.name == "http" and block.gaps]
        for tree in self.files:
            if all(block.name != "http" for block in tree.blocks):
                tree.hosts = open_

    def servers(self) -> Iterator[Block]:
        """All `server` blocks of HTTP, wherever they stand."""
        for tree in self.files:
            for block in tree.below():
                around = block.parent.name if block.parent is not None else ""
                if block.name == "server" and around in ("file", "http"):
                    yield block

    def upstream(self, name: str, near: Block) -> Block | None:
        """The `upstream` of a name: in the same tree if there is one, else in any other file of the project."""
        root = list(near.around())[-1]
        for tree in (root, *(tree for tree in self.files if tree is not root)):
            for block in tree.below():
                if block.name == "upstream" and block.args == (name,):
                    return block
        return None

    def _file(self, path: str, including: tuple[str, ...]) -> Block | None:
        facts = self._files[path]
        if not facts.artefacts:
            return None
        top = facts.artefacts[0]
        whole = Location(path, 0, top.end)
        root = Block("file", (), whole, Location(path, 0, 0))
        blocks = {top.name: root}
        children: dict[str, list[Artefact]] = {}
        for artefact in facts.artefacts[1:]:
            children.setdefault(artefact.parent, []).append(artefact)
        for artefact in facts.artefacts:
            block = blocks[artefact.name]
            for child in children.get(artefact.name, ()):
                inner = _block(path, child)
                inner.parent = block
                blocks[child.name] = inner
                block.blocks.append(inner)
            for setting in artefact.settings:
                if setting.key == "args":
                    continue
                args = None if setting.value is None else tuple(json.loads(setting.value))
                directive = Directive(setting.key, args, Location(path, setting.start, setting.end))
                if setting.key == "include":
                    self._include(block, directive, (*including, path))
                else:
                    block.directives.append(directive)
        return root

    def _include(self, block: Block, directive: Directive, including: tuple[str, ...]) -> None:
        wanted = directive.value
        paths = self._matching(wanted, including[-1]) if wanted else []
        paths = [path for path in paths if path not in including]
        for path in paths:
            self._included.add(path)
            self._budget -= 1
            tree = self._file(path, including) if len(including) < _DEEPEST and self._budget > 0 else None
            if tree is None:
                block.gaps.append(directive)
                continue
            block.directives += tree.directives
            block.gaps += tree.gaps
            for inner in tree.blocks:
                inner.parent = block
                block.blocks.append(inner)
        if paths or _SAYS_NOTHING.search(wanted):
            return
        if posixpath.basename(wanted) == "proxy_params":
            for name, value in _PROXY_PARAMS.items():
                block.directives.append(Directive("proxy_set_header", (name, value), directive.location))
        else:
            block.gaps.append(directive)

    def _matching(self, wanted: str, path: str) -> list[str]:
        """The files of the project that an `include` in the file `path` means. nginx's folder is not known here, so
        it is the end of the path that has to fit: the longer, the better."""
        folder = posixpath.dirname(path)
        exact = posixpath.normpath(posixpath.join(folder, wanted))
        found = [each for each in self._files if fnmatchcase(each, exact)]
        parts = wanted.strip("/").split("/")
        for skip in range(len(parts)):
            if found:
                break
            tail = "/".join(parts[skip:])
            if len(parts) - skip == 1 and "*" in tail:
                break  # `*.conf` alone could be any file
            found = [each for each in self._files if fnmatchcase(each, tail) or fnmatchcase(each, f"*/{tail}")]
        return found


def _block(path: str, artefact: Artefact) -> Block:
    args = artefact.settings[0].value
    return Block(
        artefact.kind,
        None if args is None else tuple(json.loads(args)),
        Location(path, artefact.start, artefact.end),
        Location(path, artefact.anchor, artefact.anchor_end),
    )

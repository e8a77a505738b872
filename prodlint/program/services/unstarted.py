"""Servers that nothing in the project starts: an app that listens, without a start script, a unit or an image.

They are services all the same: what stands in front of them and what their code does can be said. How they are started
is unknown, and so is everything that a start decides about.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence

from prodlint.models.frameworks.packages import SERVING
from prodlint.program.services.environment import Environment
from prodlint.program.services.environment_evidence import is_dev_path
from prodlint.program.services.launches import Launch
from prodlint.program.services.layers import layer_of
from prodlint.program.services.model import Variant
from prodlint.program.services.project import Project
from prodlint.program.services.setting_values import Source

KIND = "source"
_REASON = "nothing here says how it is started"
_USUAL = {
    "node": ("server", "index", "app", "main", "www"),
    "python": ("main", "app", "server", "wsgi", "asgi", "application", "api"),
}
"""What files that a server starts from are called, likeliest first."""


def unstarted_variants(project: Project, started: Sequence[Variant]) -> Iterator[Variant]:
    """One for each package with a framework for the web, and for a Python project, of which nothing starts anything."""
    launches = [variant.launch for variant in started]
    for package, info in sorted(project.view.packages.items()):
        is_started = any(launch.package == package and launch.language != "python" for launch in launches)
        if not is_started and not info.bin and SERVING & info.dependencies.keys():
            own = [path for path in project.view.servers if not path.endswith(".py") and project.owns(package, path)]
            yield from _variant("node", package, own, info.main)
    if not any(launch.language != "node" for launch in launches):
        own = [path for path in project.view.servers if path.endswith(".py") and project.owns("", path)]
        yield from _variant("python", "", own, "")


def _variant(language: str, package: str, servers: Sequence[str], main: str) -> Iterator[Variant]:
    entry = _entry(language, [path for path in servers if not is_dev_path(path)], posixpath.join(package, main))
    if entry:
        source = Source.of_file(KIND, entry)
        env = Environment()
        env.mark_unknown(source, _REASON)
        folder = package if language == "node" else posixpath.dirname(entry)
        launch = Launch(language, entry, posixpath.basename(entry), folder, env)
        yield Variant(KIND, (layer_of(source, ()),), launch, {}, opaque=_REASON)


def _entry(language: str, servers: Sequence[str], main: str) -> str:
    """The file that a server most likely starts from; "" where that is not clear."""
    if main in servers or len(servers) == 1:
        return main if main in servers else servers[0]

    def worth(path: str) -> tuple[int, int]:
        stem = posixpath.splitext(posixpath.basename(path))[0]
        return path.count("/"), _USUAL[language].index(stem)

    usual = [path for path in servers if posixpath.splitext(posixpath.basename(path))[0] in _USUAL[language]]
    return min(usual, key=worth, default="")

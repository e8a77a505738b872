"""Which folder a Dockerfile is built in, where nothing says so."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator

from prodlint.program.services.deployment_files import DeploymentFiles
from prodlint.project.paths import joined


def context_of(files: DeploymentFiles, path: str) -> str:
    """The folder that a Dockerfile is most likely built in: its own, or one above with more of what it copies."""
    folder = posixpath.dirname(path)
    candidates = [folder]
    while candidates[-1]:
        candidates.append(posixpath.dirname(candidates[-1]))
    wanted = [
        source
        for setting in (setting for artefact in files.files[path].artefacts for setting in artefact.settings)
        if setting.key == "copy" and setting.value
        for source in _context_sources(setting.value)
    ]

    def worth(candidate: str) -> tuple[int, bool, int]:
        found = sum(files.exists(joined(candidate, source)) for source in wanted)
        return found, bool(wanted) or files.has_code(candidate), len(candidate)

    return max(candidates, key=worth)


def _context_sources(copied: str) -> Iterator[str]:
    """What a COPY takes from the build context, as far as it tells one folder from another."""
    what = json.loads(copied)
    if not what["from"]:
        for source in what["sources"]:
            path = posixpath.normpath(source.lstrip("/"))
            if path not in (".", "") and "$" not in path:
                yield path

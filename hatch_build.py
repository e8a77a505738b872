"""The build hook: puts the rulebook's index, made from the pages under `rules/`, and the manual page into the wheel.

A source checkout and an editable install read the pages themselves, so nothing generated is ever committed or stale.
"""

from __future__ import annotations

import runpy
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class RulebookHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds `prodlint/_rulebook.msgpack` and prodlint(1) into standard wheels."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Adds them to the files of the wheel; `version` is "standard" or "editable"."""
        if version != "standard":
            return
        root = Path(self.root)
        sys.path.insert(0, str(root))
        try:
            from prodlint.rulebook import INDEX_NAME, encode_index, read_pages
        finally:
            sys.path.remove(str(root))
        self._scratch = tempfile.TemporaryDirectory()
        index = Path(self._scratch.name) / INDEX_NAME
        index.write_bytes(encode_index(read_pages(root / "rules")))
        build_data["force_include"][str(index)] = f"prodlint/{INDEX_NAME}"
        manual = Path(self._scratch.name) / "prodlint.1"
        manual.write_text(runpy.run_path(str(root / "scripts" / "build_man.py"))["manual"](), encoding="utf-8")
        build_data["shared_data"][str(manual)] = "share/man/man1/prodlint.1"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Removes the scratch copies."""
        if version == "standard":
            self._scratch.cleanup()

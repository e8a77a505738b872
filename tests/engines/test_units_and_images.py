"""What the rule pages show of units and Dockerfiles, before and after their fixes, read by systemd and Docker themselves.

A fix may take complaints away and must not bring any; what it changes is what it names, and nothing else.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pages import DEEP_CASES, ROOT, RULES, Section, read_page

PRACTICES = ("environment", "restart")


def _sections() -> Iterator[tuple[str, Section]]:
    for practice in PRACTICES:
        for page in sorted((RULES / practice).glob("*.md")):
            for path in (page, DEEP_CASES / page.name):
                for section in read_page(path).projects if path.exists() else ():
                    yield f"{path.relative_to(ROOT)}: {section.title}", section


def _texts(is_wanted: re.Pattern[str]) -> list[tuple[str, str, str]]:
    """Title, text and mended text ("" where a section shows none) of the files that are wanted."""
    return [
        (f"{title}: {name}", file.text, section.after[name].text if name in section.after else "")
        for title, section in _sections()
        for name, file in section.files.items()
        if is_wanted.search(name)
    ]


def _mended(is_wanted: re.Pattern[str]) -> pytest.MarkDecorator:
    found = [(title, before, after) for title, before, after in _texts(is_wanted) if after]
    values = [(before, after) for _, before, after in found]
    return pytest.mark.parametrize(("before", "after"), values, ids=[title for title, _, _ in found])


# --- systemd ----------------------------------------------------------------------------------------------------------

_UNITS = re.compile(r"\.service$")
systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
_PROGRAM = re.compile(r"(?m)^(ExecStart(?:Pre)?=)(\S+)")


def _complaints(text: str, folder: Path) -> Counter[str]:
    """What `systemd-analyze verify` says of a unit whose programs are here, without lines and places."""
    (folder / "shop.service").write_text(_PROGRAM.sub(r"\g<1>/bin/true", text), encoding="utf-8")
    (folder / "app.socket").write_text("[Socket]\nListenStream=8000\nService=shop.service\n", encoding="utf-8")
    (folder / "worker.service").write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(folder / "shop.service")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    lines = (re.sub(r"^\S*?:\d+: ", "", line) for line in result.stderr.splitlines())
    return Counter(line for line in lines if "worker.service" not in line and line)


@systemd
@_mended(_UNITS)
def test_mended_units_bring_no_complaint(before: str, after: str, tmp_path: Path) -> None:
    old, new = _complaints(before, tmp_path), _complaints(after, tmp_path)
    assert new <= old


@systemd
def test_what_the_rules_call_obsolete_is_what_systemd_complains_of(tmp_path: Path) -> None:
    complaints = " ".join(
        _complaints(
            "[Unit]\nDescription=x\n[Service]\nExecStart=/bin/true\nStandardOutput=syslog\nMemoryLimit=1G\nUser=nobody\n"
            "StartLimitIntervalSec=5\nEnvironment=NODE_ENV production\n",
            tmp_path,
        )
    )
    for part in ("syslog is obsolete", "use MemoryMax=", "nobody", "'StartLimitIntervalSec'", "environment assignment"):
        assert part in complaints


# --- Docker -----------------------------------------------------------------------------------------------------------

_DOCKERFILES = re.compile(r"Dockerfile$")


def _instructions(text: str) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
    """A Dockerfile as Docker's own parser reads it."""
    dockerfile = pytest.importorskip("dockerfile")
    return [(each.cmd.upper(), each.flags, each.value, each.json) for each in dockerfile.parse_string(text)]


@pytest.mark.skipif(sys.platform != "linux", reason="Docker's parser is built for Linux only")
@_mended(_DOCKERFILES)
def test_mended_dockerfiles_differ_in_one_kind_of_instruction(before: str, after: str) -> None:
    old, new = Counter(_instructions(before)), Counter(_instructions(after))
    gone, come = old - new, new - old
    assert {name for name, *_ in gone} <= {name for name, *_ in come} or not come
    assert len({name for name, *_ in (*gone, *come)}) <= 1


@pytest.mark.skipif(sys.platform != "linux", reason="Docker's parser is built for Linux only")
def test_every_dockerfile_of_the_pages_is_one() -> None:
    for title, text, _ in _texts(_DOCKERFILES):
        assert any(name == "FROM" for name, *_ in _instructions(text)), title

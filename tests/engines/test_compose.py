"""Docker Compose itself reads what prodlint reads: files that are merged, extended, interpolated and mended."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from prodlint.analysis.session import Session
from prodlint.program.services import services_in
from prodlint.program.services.setting_values import State
from tests.engines.processes import run
from tests.pages import deep_case_files, read_page, rule_pages

pytestmark = pytest.mark.needs("docker-compose", package="docker-compose")

APP = {
    "package.json": '{"name": "shop", "dependencies": {"express": "4"}}',
    "server.js": "require('express')().listen(3000);\n",
    "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
}


def compose(folder: Path, texts: Mapping[str, str], *names: str) -> Mapping[str, Any]:
    """The services as Compose understands the files that are named, or those that it takes by itself."""
    for path, text in texts.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    options = [word for name in names for word in ("-f", str(folder / name))]
    result = run("docker-compose", "--project-directory", str(folder), *options, "config")
    assert result.returncode == 0, result.stderr
    services: Mapping[str, Any] = yaml.safe_load(result.stdout)["services"]
    return services


# --- what the files of several mean together --------------------------------------------------------------------------

SETS = {
    "an override": (
        {
            "docker-compose.yml": "services:\n  web:\n    build: .\n    restart: always\n    environment: {A: '1', B: '2'}\n",
            "docker-compose.override.yml": "services:\n  web:\n    environment: ['B=3', 'NODE_ENV=production']\n    user: node\n",
        },
        ["docker-compose.yml", "docker-compose.override.yml"],
    ),
    "two files that a script names": (
        {
            "docker-compose.yml": "services:\n  web:\n    build: .\n    restart: 'no'\n    init: false\n",
            "docker-compose.prod.yml": "services:\n  web:\n    restart: unless-stopped\n    init: true\n    environment:\n      NODE_ENV: production\n",
            "deploy.sh": "docker compose -f docker-compose.yml -f docker-compose.prod.yml up -d\n",
        },
        ["docker-compose.yml", "docker-compose.prod.yml"],
    ),
    "extends in another file": (
        {
            "docker-compose.yml": "services:\n  web:\n    extends: {file: common.compose.yml, service: base}\n    environment: {B: '2'}\n",
            "common.compose.yml": "services:\n  base:\n    build: .\n    restart: on-failure\n    user: '1000'\n    environment: {A: '1', B: '1'}\n",
        },
        ["docker-compose.yml"],
    ),
    "anchors and merge keys": (
        {
            "docker-compose.yml": "x-env: &env\n  A: '1'\n  NODE_ENV: production\nx-base: &base\n  restart: always\n  user: node\n"
            "services:\n  web:\n    <<: *base\n    build: .\n    user: '1000'\n    environment:\n      <<: *env\n      A: '2'\n",
        },
        ["docker-compose.yml"],
    ),
    "env_file, and the environment that wins": (
        {
            "docker-compose.yml": "services:\n  web:\n    build: .\n    env_file: [a.env, b.env]\n    environment: {C: '3'}\n",
            "a.env": "A=1\nB=1\nC=1\nNODE_ENV=development\n",
            "b.env": "# more\nB=2\nNODE_ENV=production\n",
        },
        ["docker-compose.yml"],
    ),
    "interpolation": (
        {
            "docker-compose.yml": "services:\n  web:\n    build: .\n    restart: ${RESTART:-always}\n    user: ${UID_OF_APP}\n"
            "    environment: ['NODE_ENV=${MODE-production}', 'A=${B:-b}-$$x', 'C=${D}']\n",
            ".env": "UID_OF_APP=1000\nD=d\nMODE=\n",
        },
        ["docker-compose.yml"],
    ),
    "values that YAML gives a type": (
        {
            "docker-compose.yml": "services:\n  web:\n    build: .\n    restart: \"no\"\n    environment: {A: 1, B: 'true', C: '1.50', D: ''}\n",
        },
        ["docker-compose.yml"],
    ),
}


@pytest.mark.parametrize("name", SETS)
def test_prodlint_merges_as_compose_does(name: str, tmp_path: Path) -> None:
    texts, names = SETS[name]
    texts = {**APP, **texts}
    expected = compose(tmp_path, texts, *names)["web"]
    (service,) = services_in(Session.from_memory(texts).program)
    (variant,) = (each for each in service.variants if {layer.source.path for layer in each.layers} & {names[-1]})
    for key, ours in {"restart": "restart", "user": "user", "init": "init"}.items():
        answer = variant.setting(ours)
        assert _text(expected.get(key)) == (answer.value if answer.state is State.SET else ""), key
    env = {key: answer.value for key, answer in variant.launch.env.known.items() if answer.state is State.SET}
    assert env == {key: _text(value).replace("$$", "$") for key, value in expected["environment"].items()} | {
        key: value for key, value in env.items() if key not in expected["environment"] and not value
    }


def _text(value: object) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


# --- fixes ------------------------------------------------------------------------------------------------------------

_NEWER = re.compile(r"^ +restart: true$", re.MULTILINE)
"""What Debian's Compose of 2021 does not know."""


def _mended() -> Iterator[str]:
    for page in [*rule_pages(), *deep_case_files()]:
        for section in read_page(page).projects:
            yield from (each.text for name, each in section.after.items() if re.search(r"compose[\w.-]*\.ya?ml$", name))


def test_compose_takes_what_is_mended(tmp_path: Path) -> None:
    """All at once, each laid over the one before: Compose checks every single one of them."""
    texts = [text for text in _mended() if not _NEWER.search(text)]
    assert len(texts) > 5
    names = {word: "" for text in texts for word in re.findall(r"env_file:\s*\[?([\w./-]+)", text)}
    files = {f"{number}.yml": text for number, text in enumerate(texts)}
    assert compose(tmp_path, names | files, *files)


def test_compose_refuses_what_is_none(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="restart"):
        compose(tmp_path, {"0.yml": "services:\n  web:\n    image: x\n    restart: [always]\n"}, "0.yml")

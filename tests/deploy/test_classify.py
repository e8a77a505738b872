"""Which file is read by whom."""

from __future__ import annotations

import pytest

from prodlint.extract.deployment import READERS, classify


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Dockerfile", "dockerfile"),
        ("docker/dockerfile", "dockerfile"),
        ("Dockerfile.prod", "dockerfile"),
        ("Dockerfile_light", "dockerfile"),
        ("Dockerfile-alpine", "dockerfile"),
        ("api.Dockerfile", "dockerfile"),
        (".gitpod.Dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        ("Dockerfile.j2", "dockerfile"),
        ("Dockerfile.dockerignore", None),
        ("Dockerfile.md", None),
        ("dockerfile.yml", None),
        ("docker-compose.yml", "compose"),
        ("compose.yaml", "compose"),
        ("deploy/docker-compose.prod.yaml", "compose"),
        ("local.compose.yml", "compose"),
        ("composer.yml", None),
        ("compose.json", None),
        ("shop.service", "systemd"),
        ("shop@.service", "systemd"),
        ("shop.service.in", "systemd"),
        ("etc/shop.service.d/10-env.conf", "systemd"),
        ("etc/shop.conf", None),
        ("user.service.ts", None),
        ("package.json", "package_json"),
        ("package-lock.json", None),
        ("Procfile", "procfile"),
        ("Procfile.dev", "procfile"),
        ("Procfile.sh", "shell"),
        (".env", "dotenv"),
        (".env.production", "dotenv"),
        ("deploy/shop.env", "dotenv"),
        (".envrc", None),
        ("start.sh", "shell"),
        ("requirements.txt", "python_requirements"),
        ("requirements-dev.txt", "python_requirements"),
        ("requirements/base.txt", "python_requirements"),
        ("pyproject.toml", "python_requirements"),
        ("kustomization.yaml", "kubernetes"),
        ("chart/values.yaml", "kubernetes"),
        ("tsconfig.json", "tsconfig"),
        ("vercel.json", "platform"),
        ("fly.toml", "platform"),
        ("README.md", None),
    ],
)
def test_files_are_known_by_their_names(path: str, kind: str | None) -> None:
    assert classify(path) == kind


@pytest.mark.parametrize("kind", READERS)
@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"\n\n", b"{", b"]", b'"', b"\\", b"a: &a [*a]", b"\xef\xbb\xbf"]
)
def test_no_reader_fails(kind: str, data: bytes) -> None:
    path = {"platform": "app.json"}.get(kind, "file")
    facts = READERS[kind].extract(data, path)
    assert facts.kind == kind
    assert all(0 <= problem.start <= problem.end <= len(data) for problem in facts.problems)


def test_a_kind_that_is_none() -> None:
    with pytest.raises(KeyError):
        READERS["nonsense"]

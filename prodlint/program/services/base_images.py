"""Well-known images that others are built from: what they start by themselves, as which user, and with which shell.

Sources: the Dockerfiles of the images. An image that is not here may set anything.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from prodlint.lazy_regex import regex

_REGISTRIES = (
    "docker.io/", "index.docker.io/", "registry-1.docker.io/", "public.ecr.aws/docker/",
    "public.ecr.aws/amazonlinux/", "mirror.gcr.io/", "library/",
    "registry.access.redhat.com/", "registry.redhat.io/",
)  # fmt: skip
_PLATFORM = regex(r"(?:amd64|arm32v[5-7]|arm64v8|i386|ppc64le|s390x)/")
_ROOTLESS_TAG = regex(r"nonroot|rootless")


class BaseImage(msgspec.Struct, frozen=True):
    """What is known of an image."""

    user: str = "root"
    """Who its processes run as, "root" for everybody's right."""
    shell: str = ""
    """What /bin/sh is: `dash`, `ash` (busybox), `bash`; "" where there is none, or it depends."""
    starts: tuple[tuple[str, ...], ...] = ()
    """What it starts if nothing else is said: the first of these whose program is in the project."""
    is_entrypoint: bool = False
    """Whether that is its ENTRYPOINT, before any other command."""
    env: tuple[tuple[str, str], ...] = ()
    """The variables that it sets, of those that matter to applications."""
    has_health_check: bool = False


_DASH, _ASH, _BASH = BaseImage(shell="dash"), BaseImage(shell="ash"), BaseImage(shell="bash")
_GUNICORN = ("gunicorn", "-w", "auto", "-k", "uvicorn.workers.UvicornWorker")
_ASGI = BaseImage(shell="dash", starts=tuple((*_GUNICORN, f"{module}:app") for module in ("app.main", "main")))
"""gunicorn with a worker for each core, on `main.py` or `app/main.py` of /app."""
_WSGI = BaseImage(
    shell="dash", starts=tuple(("gunicorn", "-w", "auto", f"{module}:app") for module in ("app.main", "main"))
)
_UWSGI = BaseImage(
    shell="dash",
    starts=(("uwsgi", "--ini", "/app/uwsgi.ini"), ("uwsgi", "main:app"), ("uwsgi", "app.main:app")),
)
_PM2 = BaseImage(
    shell="ash",
    starts=(("pm2-runtime", "start", "pm2.json"), ("pm2-runtime", "start", "ecosystem.config.js")),
)
_INIT = BaseImage(shell="dash")
"""Phusion's: an init that runs what lies in /etc/service."""

_IMAGES: dict[str, BaseImage] = {
    **dict.fromkeys(
        (
            "node", "python", "pypy", "debian", "ubuntu", "buildpack-deps", "oven/bun", "denoland/deno", "ruby",
            "golang", "openjdk", "eclipse-temurin", "php", "nginx", "httpd", "perl", "rust", "continuumio/miniconda3",
            "continuumio/anaconda3", "condaforge/miniforge3", "nvidia/cuda", "pytorch/pytorch", "tensorflow/tensorflow",
            "mcr.microsoft.com/playwright", "mcr.microsoft.com/playwright/python", "nikolaik/python-nodejs",
            "mcr.microsoft.com/devcontainers/python", "mcr.microsoft.com/devcontainers/javascript-node",
            "mcr.microsoft.com/devcontainers/typescript-node", "ghcr.io/astral-sh/uv",
        ),
        _DASH,
    ),
    **dict.fromkeys(("phusion/baseimage", "phusion/passenger-nodejs", "phusion/passenger-full"), _INIT),
    **dict.fromkeys(("alpine", "busybox", "mhart/alpine-node", "docker", "lsiobase/alpine"), _ASH),
    **dict.fromkeys(
        (
            "fedora", "centos", "rockylinux", "almalinux", "amazonlinux", "archlinux", "oraclelinux", "ubi7/ubi",
            "ubi8/ubi", "ubi8/ubi-minimal", "ubi9/ubi", "ubi9/ubi-minimal", "ubi8", "ubi9", "ubi8-minimal",
            "ubi9-minimal", "opensuse/leap", "quay.io/centos/centos",
        ),
        _BASH,
    ),
    "scratch": BaseImage(),
    **dict.fromkeys(
        (
            "tiangolo/uvicorn-gunicorn-fastapi", "tiangolo/uvicorn-gunicorn-starlette", "tiangolo/uvicorn-gunicorn",
            "tiangolo/uvicorn-gunicorn-machine-learning",
        ),
        _ASGI,
    ),
    **dict.fromkeys(("tiangolo/meinheld-gunicorn", "tiangolo/meinheld-gunicorn-flask"), _WSGI),
    **dict.fromkeys(("tiangolo/uwsgi-nginx", "tiangolo/uwsgi-nginx-flask"), _UWSGI),
    "keymetrics/pm2": _PM2,
    # These give their processes a user of their own.
    **dict.fromkeys(
        (f"ubi{number}/{name}" for number in (7, 8, 9, 10) for name in (
            "nodejs-14", "nodejs-16", "nodejs-18", "nodejs-20", "nodejs-22", "nodejs-18-minimal", "nodejs-20-minimal",
            "nodejs-22-minimal", "python-36", "python-38", "python-39", "python-311", "python-312",
        )),
        BaseImage(user="1001", shell="bash"),
    ),
    "ghcr.io/puppeteer/puppeteer": BaseImage(user="pptruser", shell="dash"),
    "mambaorg/micromamba": BaseImage(user="mambauser", shell="dash"),
    "zenika/alpine-chrome": BaseImage(user="chrome", shell="ash"),
    "apache/airflow": BaseImage(user="airflow", shell="dash"),
    "cgr.dev/chainguard/node": BaseImage(user="node", starts=(("node",),), is_entrypoint=True),
    "cgr.dev/chainguard/python": BaseImage(user="nonroot", starts=(("python",),), is_entrypoint=True),
    "directus/directus": BaseImage(user="node", shell="ash", env=(("NODE_ENV", "production"),)),
    "n8nio/n8n": BaseImage(user="node", shell="ash", env=(("NODE_ENV", "production"),)),
    "nodered/node-red": BaseImage(user="node-red", shell="ash", has_health_check=True),
}  # fmt: skip


def base_image(image: str) -> BaseImage | None:
    """What is known of the image with a name: `node:22-alpine`, `docker.io/library/python`; None for nothing."""
    name, tag = _parts(image)
    if name.startswith("gcr.io/distroless/"):
        program = "node" if "nodejs" in name else "python" if "python" in name else ""
        user = "nonroot" if _ROOTLESS_TAG.search(tag) else "root"
        return BaseImage(user=user, starts=((program,),) if program else (), is_entrypoint=bool(program))
    known = _IMAGES.get(name)
    if known is None:
        return None
    user = "nonroot" if _ROOTLESS_TAG.search(tag) else known.user
    shell = _shell_by_tag(tag) or known.shell
    return msgspec.structs.replace(known, user=user, shell=shell)


def starts_of(image: str) -> Iterator[tuple[str, ...]]:
    """The commands that an image may start by itself, likeliest first."""
    known = base_image(image)
    yield from known.starts if known is not None else ()


def is_plain_base(image: str) -> bool:
    """Whether a base image is one of those that are known to set nothing that matters to an application, and to run as
    root."""
    known = base_image(image)
    return known is not None and known.user == "root" and not known.env and not known.has_health_check


def _parts(image: str) -> tuple[str, str]:
    """Name and tag, without the registries of which everybody takes the same images."""
    name = image.partition("@")[0]
    for prefix in _REGISTRIES:
        name = name.removeprefix(prefix)
    name = _PLATFORM.sub("", name, count=1) if _PLATFORM.match(name) else name
    head, _, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return posixpath.join(head, last), tag


def _shell_by_tag(tag: str) -> str:
    if "alpine" in tag:
        return "ash"
    if re.search(r"ubi\d|rocky|centos|fedora|amazonlinux|oracle", tag):
        return "bash"
    return "dash" if re.search(r"ubuntu|debian|bookworm|bullseye|trixie|buster|slim", tag) else ""

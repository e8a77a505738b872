"""Which Dockerfile of the project an image is built from, by the name of the image.

Looked at in this order: what says so (a compose service that builds the image and names it, Skaffold, `docker build -t`
in a script), then what images are commonly called: as their folder, or as the package in it.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property

from prodlint.extract.deployment.commands import split
from prodlint.lazy_regex import regex
from prodlint.program.services.build_contexts import context_of
from prodlint.program.services.deployment_files import DeploymentFiles
from prodlint.program.services.environment_evidence import name_evidence
from prodlint.project.paths import joined

_VARIABLE = regex(r"\$?\{\{(?:[^}\n]|\}(?!\}))*+(?:\}\})?|\$\([^)]*+\)?|\$\{[^}]*+\}?|\$\w++")
_OFFICIAL = frozenset(
    {
        "adminer", "alpine", "amazonlinux", "busybox", "caddy", "cassandra", "centos", "consul", "couchdb", "debian",
        "drupal", "eclipse-mosquitto", "elasticsearch", "emqx", "fedora", "fluentd", "ghost", "golang", "grafana",
        "haproxy", "httpd", "influxdb", "keycloak", "kibana", "kong", "localstack", "mailhog", "mailpit", "mariadb",
        "matomo", "mediawiki", "memcached", "minio", "mongo", "mysql", "nats", "neo4j", "nextcloud", "nginx", "node",
        "openjdk", "php", "phpmyadmin", "postgres", "python", "rabbitmq", "redis", "registry", "ruby", "solr",
        "sonarqube", "telegraf", "traefik", "ubuntu", "varnish", "vault", "wordpress", "zookeeper",
    }
)  # fmt: skip
"""Names of images that are somebody else's, whatever the project's folders are called."""
_FOREIGN = regex(
    r"^(?:bitnami(?:legacy)?|prom|grafana|hashicorp|confluentinc|docker\.elastic\.co|elastic|minio|jaegertracing|dpage|"
    r"library|linuxserver|apache|bitnamicharts|otel|opentelemetry|traefik|envoyproxy|istio|k8s|sig-storage|ingress-nginx|"
    r"jetstack|oauth2-proxy|mailhog|axllent|selenium|browserless|timescale|postgis|pgvector|supabase|qdrant|chromadb|"
    r"milvusdb|semitechnologies|cloudflare|tailscale|getmeili|typesense|mysql|mcr|microsoft|mssql|google_containers|"
    r"google-containers|distroless|gcr|localstack|nginxinc|nginx|haproxytech|redis|redislabs|mongodb|clickhouse|vectorim|"
    r"ollama|vllm|wurstmeister|phpmyadmin|sonatype|containrrr|portainer|certbot|metabase|amazon|aws|rancher|busybox)/"
    r"|(?:^|[/_-])(?:exporter|postgres(?:ql)?|redis|rabbitmq|mongo(?:db)?|mysql|mariadb|kafka|zookeeper|kubectl|"
    r"prometheus|alertmanager|keycloak|pgbouncer|pgadmin4?|minio|mailhog|mailpit|jaeger|elasticsearch|opensearch|"
    r"phpmyadmin|memcached|nats|etcd|loki|promtail|tempo|cadvisor|watchtower|cloudflared|coturn|letsencrypt|proxysql)$"
)
"""Organisations that publish images for everybody, and names of what others make."""


_COMMON = frozenset(
    {
        "api",
        "app",
        "apps",
        "backend",
        "config",
        "core",
        "lib",
        "server",
        "src",
        "tests",
        "test",
        "utils",
        "web",
        "worker",
    }
)
"""Names of packages that tell one project from another no more than `src` does."""
_BUILDERS = frozenset({"docker", "podman", "buildah"})
_DEEPEST = 2
"""How many folders down a Dockerfile may be that an image's name is taken to end in the folder of."""


def _plain(name: str) -> str:
    """A name as it is compared where some write `-`, some `_`, and some nothing."""
    return re.sub(r"[-_.]", "", name.lower())


def repository_of(image: str) -> str:
    """An image's name without registry, tag, digest and what variables stand for: `org/name`."""
    name = _VARIABLE.sub("", image).partition("@")[0].strip("/:- ")
    head, slash, last = name.rpartition("/")
    parts = f"{head}{slash}{last.partition(':')[0]}".lower().split("/")
    if len(parts) > 1 and (re.search(r"[.:]", parts[0]) or parts[0] == "localhost"):
        parts = parts[1:]
    return "/".join(part for part in parts if part)


def _tagged(image: str) -> str:
    """An image's repository and tag; "" where variables make a part of the tag."""
    tag = image.rpartition("/")[2].partition("@")[0].partition(":")[2] or "latest"
    return "" if _VARIABLE.search(tag) else f"{repository_of(image)}:{tag}"


def is_foreign(image: str) -> bool:
    """Whether an image is known to be somebody else's, by its name."""
    repository = repository_of(image)
    return posixpath.basename(repository) in _OFFICIAL or _FOREIGN.search(repository) is not None


class BuiltImages:
    """The images that a project builds."""

    def __init__(self, files: DeploymentFiles) -> None:
        self._files = files
        self._said: dict[str, set[str]] = defaultdict(set)
        self._tagged: dict[str, set[str]] = defaultdict(set)
        self._targets: dict[str, str] = {}
        for image, dockerfile in (*self._by_compose(), *self._by_artifacts(), *self._by_commands()):
            self._said[repository_of(image)].add(dockerfile)
            self._tagged[_tagged(image)].add(dockerfile)
        self._called: dict[str, set[str]] = defaultdict(set)
        for dockerfile in files.by_kind["dockerfile"]:
            if not name_evidence(dockerfile):
                for name in self._names(dockerfile):
                    self._called[name].add(dockerfile)

    def dockerfile(self, image: str) -> str | None:
        """The Dockerfile that an image is built from, if that is clear."""
        repository = repository_of(image)
        last = posixpath.basename(repository)
        said = self._tagged.get(_tagged(image), set())
        if len(said) == 1:  # one repository may hold several images, each with a tag of its own
            return next(iter(said))
        found = self._said.get(repository) or {
            dockerfile for name, files in self._said.items() if posixpath.basename(name) == last for dockerfile in files
        }
        if not found and last and ("/" in image or last not in _OFFICIAL):
            found = (
                self._called.get(last)
                or self._called.get(_plain(last))
                or {
                    dockerfile
                    for name, files in self._called.items()
                    if re.search(rf"[-_.]{re.escape(name)}$", last)
                    for dockerfile in files
                    if dockerfile.count("/") <= _DEEPEST
                }
            )
        if not found and image and not is_foreign(image):
            return self._sole(image)
        return next(iter(found)) if len(found) == 1 else None

    def is_open(self, image: str) -> bool:
        """Whether an image may be built here for all that is known: it is nobody else's, and no Dockerfile is known to
        be its own."""
        return bool(repository_of(image) or image) and not is_foreign(image) and self.dockerfile(image) is None

    @cached_property
    def unclaimed(self) -> list[str]:
        """The Dockerfiles for production that no compose file builds and no image that is run is known to be of."""
        known = {self.dockerfile(image) for image in self._run}
        files = (path for path in self._files.by_kind["dockerfile"] if not name_evidence(path))
        return [path for path in files if path not in known and path not in self._built]

    def _sole(self, image: str) -> str | None:
        """The only Dockerfile of the project for the only image that it runs and that is nobody else's."""
        files = [path for path in self._files.by_kind["dockerfile"] if not name_evidence(path)]
        if len(files) != 1 or files[0] in self._built or {repository_of(image)} != self._unnamed:
            return None
        return files[0]

    @cached_property
    def _built(self) -> set[str]:
        """The Dockerfiles that compose files build."""
        return {file for _, file in self._by_compose(needs_image=False)}

    @cached_property
    def _unnamed(self) -> set[str]:
        """The repositories of the images that are run and are nobody else's."""
        return {repository_of(image) for image in self._run if not is_foreign(image)}

    @cached_property
    def _run(self) -> set[str]:
        """The images that manifests and compose files run without building them."""
        found = set()
        for kind in ("kubernetes", "compose"):
            for path in self._files.by_kind[kind]:
                for artefact in self._files.files[path].artefacts:
                    values = {setting.key: setting.value or setting.template for setting in artefact.settings}
                    is_run = artefact.kind in ("container", "service", "template") and "build.context" not in values
                    image = values.get("image", "") if is_run else ""
                    if image:
                        found.add(image)
        return found

    def target(self, image: str) -> str:
        """The stage that the command which builds this very image, tag and all, names: `--target release`."""
        return self._targets.get(_tagged(image), "")

    def _names(self, dockerfile: str) -> Iterator[str]:
        """What the image of a Dockerfile may be called."""
        artefacts = self._files.files[dockerfile].artefacts
        if not artefacts:
            return
        for folder in {context_of(self._files, dockerfile), posixpath.dirname(dockerfile)}:
            if folder:
                yield posixpath.basename(folder).lower()
            info = self._files.view.packages.get(folder)
            if info is not None and info.name:
                yield posixpath.basename(info.name).lower()
            yield from self._python_packages(folder)

    def _python_packages(self, folder: str) -> Iterator[str]:
        """The Python packages in a folder, as far as their names say more than what they are made of."""
        inside = f"{folder}/" if folder else ""
        for path in self._files.view.paths:
            name, slash, rest = path.removeprefix(inside).partition("/")
            if path.startswith(inside) and slash and rest == "__init__.py" and name not in _COMMON:
                yield _plain(name)

    def _file(self, context: str, dockerfile: str) -> Iterator[str]:
        path = joined(context, dockerfile or "Dockerfile")
        if path in self._files.files:
            yield path

    def _by_compose(self, *, needs_image: bool = True) -> Iterator[tuple[str, str]]:
        for path in self._files.by_kind["compose"]:
            for artefact in self._files.files[path].artefacts:
                values = {setting.key: setting.value or setting.template for setting in artefact.settings}
                if ("image" in values or not needs_image) and "build.context" in values:
                    context = joined(posixpath.dirname(path), values["build.context"])
                    for file in self._file(context, values.get("build.dockerfile", "")):
                        yield values.get("image", ""), file

    def _by_artifacts(self) -> Iterator[tuple[str, str]]:
        """What Skaffold and workflows build. Skaffold looks for a Dockerfile in its context, others at the top."""
        for kind in ("kubernetes", "workflow"):
            for path in self._files.by_kind[kind]:
                for artefact in self._files.files[path].artefacts:
                    for setting in artefact.settings if artefact.kind in ("skaffold", "job") else ():
                        image, context, dockerfile = (
                            json.loads(setting.value or "[]") if setting.key == "artifact" else ("", "", "")
                        )
                        if not image:
                            continue
                        if artefact.kind == "skaffold":
                            yield from (
                                (image, file)
                                for file in self._file(joined(posixpath.dirname(path), context), dockerfile)
                            )
                        else:
                            place = (
                                self._file("", dockerfile)
                                if dockerfile
                                else self._file(joined("", context.lstrip("/")), "")
                            )
                            yield from ((image, file) for file in place)

    def _by_commands(self) -> Iterator[tuple[str, str]]:
        for kind in ("shell", "package_json", "makefile", "workflow"):
            for path in self._files.by_kind[kind]:
                for artefact in self._files.files[path].artefacts:
                    for setting in artefact.settings:
                        text = setting.value if setting.key == "command.shell" else None
                        if text and any(builder in text for builder in _BUILDERS):
                            for command in split(text):
                                yield from self._by_command(path, command.folder, command.words)

    def _by_command(self, path: str, folder: str, words: Sequence[str]) -> Iterator[tuple[str, str]]:
        """`docker build -t NAME -f FILE CONTEXT`, run beside the script or at the top of the project."""
        # `node env2arg.js docker build …`: what runs a command with other arguments may stand in front.
        first = next((at for at, word in enumerate(words) if posixpath.basename(word) in _BUILDERS), len(words))
        words = words[first:]
        if "build" not in words[1:3]:
            return
        images: list[str] = []
        file = context = target = ""
        rest = list(words[words.index("build") + 1 :])
        while rest:
            option, equals, value = rest.pop(0).partition("=")
            if not option.startswith("-"):
                context = option
            elif option in ("-t", "--tag"):
                images.append(value if equals else rest.pop(0) if rest else "")
            elif option in ("-f", "--file"):
                file = value if equals else rest.pop(0) if rest else ""
            elif option == "--target":
                target = value if equals else rest.pop(0) if rest else ""
            elif not equals and rest and not rest[0].startswith("-") and len(rest) > 1:
                rest.pop(0)
        for start in (joined(posixpath.dirname(path), folder), joined("", folder.lstrip("/"))):
            found = [*self._file(start, file)] if file else [*self._file(joined(start, context), "")]
            if found and context:
                self._targets.update((_tagged(image), target) for image in images if target)
                yield from ((image, found[0]) for image in images)
                return

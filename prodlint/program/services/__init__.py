"""The deployable services of a project: everything that starts, builds and feeds one of them, joined.

A *variant* is one way in which a service is deployed: a unit on a host, a compose service with the image that it
builds, a Dockerfile alone, a line of a Procfile. Each is followed to what it starts in the end; variants that start the
same source file, or are built from the same image, are one *service*. Variants for development or tests are known as
such: they provide nothing and are blamed for nothing.

Every question has three answers: set, absent, and unknown, where a file that is not here or a value from outside
decides.
"""

from __future__ import annotations

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from msgspec.structs import replace

from prodlint.extract.deployment.commands import PYTHON_SERVERS
from prodlint.facts import FileFacts, ValueKind
from prodlint.lazy_regex import regex
from prodlint.program.linking.program import SOURCE_KINDS
from prodlint.program.linking.queries import query
from prodlint.program.services.compose import compose_variants
from prodlint.program.services.containers import dockerfile_variants
from prodlint.program.services.environment_evidence import BY_CONTENT, is_for_development, name_evidence
from prodlint.program.services.kubernetes import kubernetes_variants
from prodlint.program.services.launches import Launch
from prodlint.program.services.layers import Layer
from prodlint.program.services.model import Service, SourceView, Variant
from prodlint.program.services.platforms import platform_variants
from prodlint.program.services.pm2 import pm2_variants
from prodlint.program.services.project import Project
from prodlint.program.services.scripts import procfile_variants, script_variants, shell_variants
from prodlint.program.services.supervised import supervised_variants
from prodlint.program.services.systemd_units import unit_variants
from prodlint.program.services.unstarted import unstarted_variants
from prodlint.program.services.worker_counts import Count, Processes
from prodlint.project.file_roles import FileRole

if TYPE_CHECKING:
    from prodlint.program.linking.program import Program

__all__ = [
    "Count",
    "Layer",
    "Processes",
    "Service",
    "SourceView",
    "Variant",
    "build_services",
    "forks",
    "is_for_development",
    "service_of",
    "services_in",
    "services_of",
]


"""Kinds of artefacts that are called as the service is."""


_GENERIC = regex(
    r"(?:bin|build|ci|cli|cmd|config|deploy|deployment|docker|dockerfiles?|etc|images?|infra|ops|apps?|packages|services"
    r"|src|lib|code|python[\d.]*|node[\d.]*|opt|usr|local)",
    re.IGNORECASE,
)
"""Names of folders that tell nobody which service it is."""


def build_services(files: Mapping[str, FileFacts], view: SourceView) -> list[Service]:
    """The services that the deployment files (facts by path) describe, by id."""
    return list(_told_apart(sorted(_services(Project(files, view)), key=lambda service: service.id)))


def _services(project: Project) -> Iterator[Service]:
    variants = [*unit_variants(project), *compose_variants(project), *kubernetes_variants(project)]
    variants += platform_variants(project)
    variants += dockerfile_variants(project, variants)
    variants += procfile_variants(project)
    variants = [each for variant in variants for each in (variant, *_beside(project, variant))]
    # What a container starts is not started on a host, too.
    used = {layer.source.path for variant in variants for layer in variant.layers}
    variants += [*pm2_variants(project, used), *supervised_variants(project, used)]
    groups = _grouped(variants, project.view.servers)
    for package in sorted(project.view.packages):
        scripts = list(script_variants(project, package))
        if scripts and not _is_served(project, package, groups):
            groups = _grouped([*scripts, *(each for group in groups for each in group)], project.view.servers)
    for variant in shell_variants(project, [variant for group in groups for variant in group]):
        groups = _grouped([variant, *(each for group in groups for each in group)], project.view.servers)
    unstarted = list(unstarted_variants(project, [variant for group in groups for variant in group]))
    for group in [*groups, *([variant] for variant in unstarted)]:
        service = _service(project, group)
        if service is not None:
            yield service


def _beside(project: Project, variant: Variant) -> Iterator[Variant]:
    """The variants for what is started beside a variant, in the same container: each is told as the first is, but for
    what leads to it."""
    scripts = {(source.path, source.name) for source in variant.launch.through}
    around = [layer for layer in variant.layers if (layer.source.path, layer.source.name) not in scripts]
    for other in variant.launch.others:
        launch = project.finished(other)
        dev = {**variant.dev, **name_evidence("", *(source.name for source in launch.through))}
        yield replace(variant, launch=launch, layers=(*around, *project.script_layers(launch)), dev=dev)


def _is_served(project: Project, package: str, groups: list[list[Variant]]) -> bool:
    """Whether something else than its scripts starts what is in a package."""
    return any(
        variant.launch.package == package and variant.launch.language != "python" and variant.dev_score < 1
        for group in groups
        for variant in group
    )


def _service(project: Project, group: list[Variant]) -> Service | None:
    # What answers requests gives a service its name, and not the worker beside it.
    first = sorted(group, key=lambda variant: variant.launch.is_worker)
    launches = [variant.launch for variant in first]
    launch = next((launch for launch in launches if launch.language and launch.entry), None)
    launch = launch or next((launch for launch in launches if launch.language), None)
    if launch is None:
        return None
    package = launch.package
    info = project.view.packages.get(package)
    name = (info.name if info and launch.language == "node" else "") or next(_names(first), "")
    group = [variant if variant.launch.language else _as_unknown(variant, launch) for variant in group]
    forks = {path: count for path, count in project.view.forks.items() if project.owns(package, path)}
    group = [replace(variant, forks=forks) for variant in group] if forks else group
    if len(group) == 1:
        group = [_only_one(group[0])]
    return Service(
        id=launch.entry or f"{package or '.'} {launch.target}",
        name=name or _python_project(project, launch, group[0]) or _called(launch, group[0]),
        language=launch.language,
        entry=launch.entry,
        package=package,
        variants=tuple(group),
        dependencies=frozenset(info.dependencies) | _hoisted(project, package) if info else frozenset(),
        reads_node_env=any(project.owns(package, path) for path in project.view.reads_node_env),
        platforms=tuple(project.platforms(package)),
    )


def _names(variants: Sequence[Variant]) -> Iterator[str]:
    """What the artefacts call a service that are named as it is; not after what it runs on."""
    for variant in variants:
        name = variant.outer.name.removesuffix(".service")
        if variant.format.names_services and name not in PYTHON_SERVERS:
            yield name


def _python_project(project: Project, launch: Launch, variant: Variant) -> str:
    """The name in the nearest `pyproject.toml` above what is started, or above the file that starts it."""
    if launch.language != "python":
        return ""
    code = posixpath.dirname(launch.entry) if launch.entry else launch.package
    for at in (code, posixpath.dirname(variant.outer.path)):
        for folder in (at, *map(str, PurePosixPath(at).parents)):
            facts = project.files.get(posixpath.normpath(posixpath.join(folder, "pyproject.toml")))
            for artefact in facts.artefacts if facts is not None else ():
                for setting in artefact.settings:
                    if setting.key == "name" and setting.value:
                        return setting.value
    return ""


def _called(launch: Launch, variant: Variant) -> str:
    """What to call a service that nothing gives a name: after its folder, its entry, or the file that starts it."""
    above = (launch.package, posixpath.dirname(launch.entry), posixpath.dirname(variant.outer.path))
    folders = [folder for path in above for folder in reversed(path.split("/"))]
    name = next((folder for folder in folders if folder and not _GENERIC.fullmatch(folder)), "")
    return name or posixpath.basename(launch.entry) or variant.outer.path


def _told_apart(services: Sequence[Service]) -> Iterator[Service]:
    """The services, those with the same name also by what is named only once: an artefact, the entry, the file that
    starts them."""
    same: dict[str, list[Service]] = {}
    for service in services:
        same.setdefault(service.name, []).append(service)
    for service in services:
        others = same[service.name]
        for tell in (_own_name, _entry, _outer_path) if len(others) > 1 else ():
            told = [tell(each) for each in others]
            if all(told) and len(set(told)) == len(told):
                own = tell(service)
                yield service if own == service.name else replace(service, name=f"{service.name} ({own})")
                break
        else:
            yield service


def _own_name(service: Service) -> str:
    names = (variant.outer.name for variant in service.variants if not variant.outer.name.isdigit())
    return next(_names(service.variants), "") or next(names, "")


def _entry(service: Service) -> str:
    return service.entry


def _outer_path(service: Service) -> str:
    return service.variants[0].outer.path


def _hoisted(project: Project, package: str) -> frozenset[str]:
    """What the packages of the project that `package` requires require themselves."""
    by_name = {info.name: info for info in project.view.packages.values() if info.name}
    seen: set[str] = set()
    found: set[str] = set()
    stack = list(project.view.packages[package].dependencies)
    while stack:
        name = stack.pop()
        if name in by_name and name not in seen:
            seen.add(name)
            found |= by_name[name].dependencies.keys()
            stack += by_name[name].dependencies
    return frozenset(found)


def _as_unknown(variant: Variant, launch: Launch) -> Variant:
    """A variant that cannot be followed to its end, as one of a service that others can be followed to."""
    seen = launch.language, launch.entry, launch.package
    own = replace(variant.launch, language=seen[0], entry=seen[1], package=seen[2])
    return replace(variant, launch=own)


def _only_one(variant: Variant) -> Variant:
    """The only variant of a service: what it runs does not make it one for development, as nothing else is there for
    production. Its name and the source code mounted into it still do."""
    return replace(variant, dev={reason: weight for reason, weight in variant.dev.items() if weight != BY_CONTENT})


def _grouped(variants: Sequence[Variant], servers: frozenset[str]) -> list[list[Variant]]:
    """The variants that start the same file, or run the same image, together. An image that several servers are started
    from (`servers`: the files that listen) is that of several services."""
    entries: dict[str, set[str]] = defaultdict(set)
    for variant in variants:
        entries[_image_of(variant)] |= {variant.launch.entry} & servers
    groups: list[list[Variant]] = []
    keys: list[set[str]] = []
    for variant in variants:
        launch = variant.launch
        image = _image_of(variant)
        is_shared = len(entries[image]) > 1 and launch.entry in servers
        own = {f"{image} {launch.entry}" if is_shared else image} if image else set()
        if variant.format.is_package_script:
            own.add(f"scripts of {launch.package}")
        own.add(f"{launch.language} {launch.entry or f'{launch.package} {launch.target}'}")
        joint = [at for at, known in enumerate(keys) if known & own]
        group = [other for at in joint for other in groups[at]] + [variant]
        own = own.union(*(keys[at] for at in joint))
        groups = [each for at, each in enumerate(groups) if at not in joint] + [group]
        keys = [each for at, each in enumerate(keys) if at not in joint] + [own]
    return _with_developers(_with_opaque(groups))


def _image_of(variant: Variant) -> str:
    return variant.image.partition("#")[0]


def _with_developers(groups: list[list[Variant]]) -> list[list[Variant]]:
    """Servers for development that name no file (`nest start --watch`, `vite`) belong to the service of their package,
    if it has one."""
    found = list(groups)
    for group in groups:
        if any(variant.launch.entry or variant.dev_score < 1 for variant in group):
            continue
        package = group[0].launch.package
        owners = [
            each
            for each in found
            if each is not group
            and any(variant.dev_score < 1 and variant.launch.language == "node" for variant in each)
            and all(variant.launch.package == package for variant in (*each, *group))
        ]
        if len(owners) == 1:
            owners[0] += group
            found = [each for each in found if each is not group]
    return found


def _with_opaque(groups: list[list[Variant]]) -> list[list[Variant]]:
    """Variants of which nobody can see what they start belong to the services of the package that they are in."""
    opaque = [group for group in groups if not any(variant.launch.language for variant in group)]
    seen = [group for group in groups if group not in opaque]
    for group in opaque:
        for other in seen:
            if other[0].launch.package == group[0].launch.package:
                other += group
    return seen + [group for group in opaque if not any(group[0] in other for other in seen)]


@query
def services_in(program: Program) -> list[Service]:
    """The deployable services that the project's files describe."""
    deploy = {path: facts for path, facts in program.facts.items() if facts.kind not in SOURCE_KINDS}
    return build_services(deploy, _source_view(program))


def services_of(program: Program, path: str) -> tuple[Service, ...]:
    """The services that run a source file: those whose entry imports it, if only through others. Where no entry
    does, the service of the package that it is in, if that has but one."""
    file = program.by_path.get(path)
    if file is None:
        return ()
    found = [service for service in services_in(program) if file.index in program.run_by(service.entry)]
    if not found and program.is_loaded(file) is not None:
        home = program.home(file.index)
        language = "python" if file.is_python else "node"
        found = [
            service
            for service in services_in(program)
            if service.language == language
            and (not service.entry or program.home(program.by_path[service.entry].index) == home)
            and (service.entry or service.package == program.versions.package_folder(path))
        ]
        found = found if len(found) == 1 else []
    return tuple(found)


def service_of(program: Program, path: str) -> Service | None:
    """The service that runs a source file, None if there is none or several do."""
    found = services_of(program, path)
    return found[0] if len(found) == 1 else None


def forks(program: Program) -> Iterator[tuple[str, str]]:
    """The source files that start worker processes, with how many ("" for several)."""
    for api in ("cluster.fork", "throng", "throng.default"):
        for site in program.api_calls.get(api, ()):
            if program.roles[site.file.index] is FileRole.SOURCE:
                yield site.file.path, ""
    for site in program.api_calls.get("uvicorn.run", ()):
        names = dict(zip(reversed(site.call.keywords), reversed(site.call.args), strict=False))
        if "workers" in names:
            value = program.value(site.file, names["workers"])
            yield site.file.path, value.text if value.kind is ValueKind.NUMBER else "an expression"


def _source_view(program: Program) -> SourceView:
    reads, sets = set(), {}
    for file in program.files:
        if any(file.facts.values[access.value].text == "NODE_ENV" for access in file.facts.accesses):
            reads.add(file.path)
        for store in file.facts.stores:
            target = program.value(file, store.target)
            if store.name == "NODE_ENV" and target.kind is ValueKind.MEMBER and target.text == "env":
                assigned = program.value(file, store.value)
                if assigned.kind is ValueKind.OP and assigned.text in ("||", "??"):
                    assigned = program.value(file, assigned.items[-1])  # the default, if nothing sets it
                sets[file.path] = assigned.text if assigned.kind is ValueKind.STRING else ""
    return SourceView(
        paths=frozenset(program.by_path),
        servers=frozenset(program.files[index].path for index in program.serving),
        reads_node_env=frozenset(reads),
        sets_node_env=sets,
        packages=program.versions.packages,
        forks=dict(forks(program)),
    )

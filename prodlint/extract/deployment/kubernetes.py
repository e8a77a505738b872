"""Kubernetes manifests, and the kustomizations that put them together.

Sources: the Kubernetes API reference (Pod, Deployment, StatefulSet, DaemonSet, ReplicaSet, Job, CronJob, Service,
Ingress, HorizontalPodAutoscaler, ConfigMap), "Define a Command and Arguments for a Container" and "Define Environment
Variables for a Container" of the Kubernetes documentation, the kustomization file reference. A Helm template is no
manifest yet: it gives an artefact `template`, and whatever that deploys is unknown.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator

from prodlint.extract.deployment.compose import directives
from prodlint.extract.deployment.nodes import List, Map, Node, Pair, Scalar, text_of
from prodlint.extract.deployment.templates import has_parts, is_template
from prodlint.extract.deployment.yaml_nodes import parse
from prodlint.extract.ignore_comments import MARKER, line_starts_of
from prodlint.facts import Artefact, FileFacts, Setting
from prodlint.lazy_regex import regex

KIND = "kubernetes"

_WORKLOADS = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "DeploymentConfig": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where each kind of workload has its pod."""
_DEEPEST_VALUE = 6
_BEGINNING = regex(rb"(?m)^[\"']?apiVersion[\"']?:[ \t]*[\"']?[\w.{]")
_KIND_LINE = regex(rb"(?m)^[\"']?kind[\"']?:[ \t]*[\"']?[\w{]")
_TEMPLATE_KIND = regex(rf"(?m)^kind:[ \t]*[\"']?({'|'.join(_WORKLOADS)})\b")
_TEMPLATE_IMAGE = regex(r"(?m)^[ \t]+(?:-[ \t]+)?image:[ \t]*(?P<image>[^\n#]+)")
_VALUES_IMAGE = regex(r"(?m)^[ \t]*(?:repository|image|name):[ \t]*[\"']?(?P<image>[\w.-]+(?:[:/][\w./-]+)+)")


def looks_like(beginning: bytes) -> bool:
    """Whether the beginning of a YAML file is that of a manifest or of a template for some."""
    return _BEGINNING.search(beginning) is not None and _KIND_LINE.search(beginning) is not None


def extract(data: bytes, path: str) -> FileFacts:
    """One artefact for each of: `container` and `init_container` (named `kind/name`, and `/container` where there are
    several), `service`, `ingress`, `autoscaler`, `config_map`, `secret`, `kustomization`, `skaffold`; `template` for
    what is yet to be filled in, `values` of a chart."""
    facts = FileFacts(KIND, line_starts=line_starts_of(data))
    stream = parse(data)
    template = is_template(data)
    if MARKER in data:
        facts.directives = directives(data, stream, facts.line_starts)
    if re.fullmatch(r"values\.ya?ml", path.rpartition("/")[2]):
        facts.problems = []
        facts.artefacts += _values(data, stream.documents)
        return facts
    if template and (stream.problems or "/templates/" in f"/{path}"):
        facts.artefacts += _template(data)
        return facts
    if not template:
        facts.problems = stream.problems
    is_kustomization = re.fullmatch(r"(?:.*/)?kustomization(?:\.ya?ml)?", path, re.IGNORECASE) is not None
    for document in stream.documents:
        if not isinstance(document, Map):
            continue
        if is_kustomization or document.text("kind") in ("Kustomization", "Component"):
            facts.artefacts += _kustomization(document)
        else:
            for item in _items(document):
                facts.artefacts += _resource(item, template)
    facts.artefacts = _unique(facts.artefacts)
    return facts


def extract_patch(text: str, place: Scalar) -> list[Artefact]:
    """The artefacts of a patch that is written inside of a kustomization: everything in it is where the patch is."""
    stream = parse(text.encode())
    found: list[Artefact] = []
    for document in stream.documents:
        for item in _items(document) if isinstance(document, Map) else ():
            for artefact in _resource(item, False):
                settings = [Setting(each.key, each.value, place.start, place.end) for each in artefact.settings]
                span = (place.start, place.end, place.start, place.end)
                found.append(Artefact(artefact.kind, artefact.name, *span, settings, parent="patch"))
    return found


def _unique(artefacts: list[Artefact]) -> list[Artefact]:
    """The same with a number behind a name that is there already, as that of another namespace may be."""
    seen: Counter[tuple[str, str]] = Counter()
    for artefact in artefacts:
        key = (artefact.kind, artefact.name)
        seen[key] += 1
        if seen[key] > 1:
            artefact.name = f"{artefact.name}#{seen[key]}"
    return artefacts


def _items(document: Map) -> Iterator[Map]:
    """The resources of a document: itself, or those of a `List`."""
    items = document.get("items")
    if document.text("kind") == "List" and isinstance(items, List):
        yield from (item for item in items.items if isinstance(item, Map))
    else:
        yield document


def _template(data: bytes) -> Iterator[Artefact]:
    text = data.decode("latin-1")  # a character a byte
    kinds = _TEMPLATE_KIND.search(text)
    if kinds is None:
        return
    start, end = kinds.span()
    settings = [Setting("type", kinds.group(1), start, end)]
    for match in _TEMPLATE_IMAGE.finditer(text):
        image = match["image"].encode("latin-1").decode("utf-8", "replace").strip().strip("\"'")
        settings.append(Setting("image", None, *match.span("image"), image))
    yield Artefact("template", kinds.group(1), 0, len(data), start, end, settings)


# --- workloads --------------------------------------------------------------------------------------------------------


def _resource(item: Map, template: bool) -> Iterator[Artefact]:
    kind = item.text("kind") or ""
    metadata = item.map("metadata")
    name = (metadata.text("name") or metadata.text("generateName") if metadata else "") or ""
    if kind in _WORKLOADS:
        yield from _workload(item, kind, name, template)
    elif kind == "Service":
        yield _named(item, "service", name, _service_settings(item))
    elif kind in ("Ingress", "IngressRoute", "HTTPRoute", "VirtualService"):
        yield _named(item, "ingress", name, _ingress_settings(item))
    elif kind in ("HorizontalPodAutoscaler", "ScaledObject"):
        yield _named(item, "autoscaler", name, _autoscaler_settings(item))
    elif kind in ("ConfigMap", "Secret"):
        yield _named(item, "config_map" if kind == "ConfigMap" else "secret", name, _data_settings(item, template))
    elif kind == "Config" and (item.text("apiVersion") or "").startswith("skaffold/"):
        yield _named(item, "skaffold", name, _skaffold_settings(item))


def _named(item: Map, kind: str, name: str, settings: Iterator[Setting]) -> Artefact:
    metadata = item.map("metadata")
    anchor = (metadata.get("name") if metadata else None) or item.get("kind") or item
    return Artefact(kind, name, item.start, item.end, anchor.start, anchor.end, list(settings))


def _workload(item: Map, kind: str, name: str, template: bool) -> Iterator[Artefact]:
    pod: Map | None = item
    for key in _WORKLOADS[kind]:
        pod = pod.map(key) if pod is not None else None
    spec = pod.map("spec") if pod is not None else None
    own = item.map("spec")
    shared = list(_workload_settings(item, kind, own, pod, template))
    shared += _pod_settings(spec, template) if spec is not None else ()
    containers = _containers(spec, "containers")
    for container in containers:
        called = f"{kind.lower()}/{name}"
        if len(containers) > 1:
            called += f"/{container.text('name') or ''}"
        yield _container("container", called, container, shared, template)
    for container in _containers(spec, "initContainers"):
        called = f"{kind.lower()}/{name}/{container.text('name') or ''}"
        yield _container("init_container", called, container, shared, template)
    if not containers:  # a patch of a workload
        yield Artefact("container", f"{kind.lower()}/{name}", item.start, item.end, item.start, item.start, shared)


def _containers(spec: Map | None, key: str) -> list[Map]:
    containers = spec.get(key) if spec is not None else None
    return [item for item in containers.items if isinstance(item, Map)] if isinstance(containers, List) else []


def _workload_settings(item: Map, kind: str, own: Map | None, pod: Map | None, template: bool) -> Iterator[Setting]:
    place = item.get("kind") or item
    yield Setting("type", kind, place.start, place.end)
    metadata = item.map("metadata")
    if metadata is not None:
        yield from _text("namespace", metadata.get("namespace"), template)
    if own is not None:
        yield from _text("replicas", own.get("replicas"), template)
    labels = pod.map("metadata") if pod is not None else None
    table = labels.map("labels") if labels is not None else None
    for name, pair in table.merged.items() if table is not None else ():
        yield from _text(f"label.{name}", pair.value, template)


def _pod_settings(spec: Map, template: bool) -> Iterator[Setting]:
    yield from _text("restart", spec.get("restartPolicy"), template)
    yield from _text("stop_grace_period", spec.get("terminationGracePeriodSeconds"), template)
    context = spec.map("securityContext")
    if context is not None:
        yield from _security(context, template)


def _security(context: Map, template: bool) -> Iterator[Setting]:
    yield from _text("user", context.get("runAsUser"), template)
    yield from _text("run_as_non_root", context.get("runAsNonRoot"), template)
    yield from _text("privileged", context.get("privileged"), template)


def _container(kind: str, name: str, container: Map, shared: list[Setting], template: bool) -> Artefact:
    settings = [*shared, *_container_settings(container, template)]
    anchor = container.own.get("name") or container.own.get("image")
    start, end = (anchor.start, anchor.end) if anchor is not None else (container.start, container.start)
    return Artefact(kind, name, container.start, container.end, start, end, settings)


def _container_settings(container: Map, template: bool) -> Iterator[Setting]:
    yield from _text("name", container.get("name"), template)
    yield from _text("image", container.get("image"), template)
    yield from _text("workdir", container.get("workingDir"), template)
    yield from _words("entrypoint.exec", container.get("command"), template)
    yield from _words("command.exec", container.get("args"), template)
    for source in _maps(container.get("envFrom")):
        yield from _env_from(source)
    for variable in _maps(container.get("env")):
        yield from _variable(variable, template)
    for port in _maps(container.get("ports")):
        yield from _text("ports", port.get("containerPort"), template)
    for mount in _maps(container.get("volumeMounts")):
        yield Setting("volume", f"{mount.text('name') or ''}:{mount.text('mountPath') or ''}", mount.start, mount.end)
    yield from _probes(container)
    context = container.map("securityContext")
    if context is not None:
        yield from _security(context, template)
    resources = container.map("resources")
    for key, name in (("limits", "limit"), ("requests", "request")):
        table = resources.map(key) if resources is not None else None
        for resource, pair in table.merged.items() if table is not None else ():
            yield from _text(f"{name}.{resource}", pair.value, template)
    lifecycle = container.map("lifecycle")
    hook = lifecycle.get("preStop") if lifecycle is not None else None
    if hook is not None:
        yield Setting("stop_hook", "", hook.start, hook.end)


def _maps(node: Node | None) -> Iterator[Map]:
    return (item for item in (node.items if isinstance(node, List) else ()) if isinstance(item, Map))


def _text(key: str, node: Node | None, template: bool) -> Iterator[Setting]:
    if isinstance(node, Scalar) and not node.is_null:
        unknown = (template and has_parts(node.text)) or _is_variable(node.text)
        yield Setting(key, None if unknown else node.text, node.start, node.end, node.text if unknown else "")


def _is_variable(text: str) -> bool:
    """Whether something fills a value in before it gets here: `$TAG` and `${TAG}` by envsubst."""
    return re.search(r"(?<!\$)\$(?:\{?[A-Za-z_]|\()", text) is not None


def _words(key: str, node: Node | None, template: bool) -> Iterator[Setting]:
    if isinstance(node, List):
        words = [item.text for item in node.scalars()]
        unknown = template and any(has_parts(word) for word in words)
        yield Setting(key, None if unknown else json.dumps(words), node.start, node.end)


def _env_from(source: Map) -> Iterator[Setting]:
    """`env_from.config_map` and `env_from.secret`, with its name."""
    for key, name in (("configMapRef", "config_map"), ("secretRef", "secret")):
        reference = source.map(key)
        if reference is not None:
            yield Setting(f"env_from.{name}", reference.text("name"), source.start, source.end)


def _variable(variable: Map, template: bool) -> Iterator[Setting]:
    """`env.NAME`; where its value comes from a ConfigMap of which a key is named, `env_ref.NAME` says `name/key`."""
    name = variable.text("name")
    if name is None:
        return
    value = variable.get("value")
    if isinstance(value, Scalar):
        unknown = (template and has_parts(value.text)) or _is_variable(value.text)
        yield Setting(f"env.{name}", None if unknown else value.text, value.start, value.end)
        return
    yield Setting(f"env.{name}", None, variable.start, variable.end)
    source = variable.map("valueFrom")
    reference = source.map("configMapKeyRef") if source is not None else None
    if reference is not None:
        said = f"{reference.text('name') or ''}/{reference.text('key') or ''}"
        yield Setting(f"env_ref.{name}", said, reference.start, reference.end)


def _probes(container: Map) -> Iterator[Setting]:
    """`healthcheck.liveness` and the like: the path, the command or the port; `healthcheck` is one that restarts the
    container or takes it out of service."""
    found: list[Setting] = []
    for key, name in (("startupProbe", "startup"), ("livenessProbe", "liveness"), ("readinessProbe", "readiness")):
        probe = container.map(key)
        if probe is not None:
            setting = Setting(f"healthcheck.{name}", _probe(probe), probe.start, probe.end)
            found.append(setting)
            if name != "startup":
                found.append(Setting("healthcheck", setting.value, probe.start, probe.end))
    yield from found


def _probe(probe: Map) -> str:
    get, command = probe.map("httpGet"), probe.map("exec")
    if get is not None:
        return get.text("path") or "/"
    words = command.get("command") if command is not None else None
    if isinstance(words, List):
        return " ".join(item.text for item in words.scalars())
    socket = probe.map("tcpSocket") or probe.map("grpc")
    return (socket.text("port") or "") if socket is not None else ""


# --- what stands around workloads -------------------------------------------------------------------------------------


def _service_settings(item: Map) -> Iterator[Setting]:
    spec = item.map("spec")
    if spec is None:
        return
    selector = spec.map("selector")
    for name, pair in selector.merged.items() if selector is not None else ():
        yield from _text(f"selector.{name}", pair.value, False)
    yield from _text("type", spec.get("type"), False)
    yield from _text("session_affinity", spec.get("sessionAffinity"), False)
    for port in _maps(spec.get("ports")):
        target = port.text("targetPort") or port.text("port") or ""
        yield Setting("ports", f"{port.text('port') or ''}:{target}", port.start, port.end)


def _ingress_settings(item: Map) -> Iterator[Setting]:
    """`backend` for each service that it leads to, `annotation.*`."""
    metadata = item.map("metadata")
    annotations = metadata.map("annotations") if metadata is not None else None
    for name, pair in annotations.merged.items() if annotations is not None else ():
        yield from _text(f"annotation.{name}", pair.value, False)
    stack: list[Node | None] = [item.get("spec")]
    seen: set[int] = set()
    while stack:
        node = stack.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, List):
            stack += reversed(node.items)
        elif isinstance(node, Map):
            yield from _backend(node)
            stack += [pair.value for pair in reversed(node.merged.values())]


def _backend(table: Map) -> Iterator[Setting]:
    for key, pair in table.merged.items():
        if key in ("backend", "defaultBackend", "service", "destination") and isinstance(pair.value, Map):
            for name in ("serviceName", "name", "host"):
                yield from _text("backend", pair.value.get(name), False)
        elif key in ("services", "backendRefs"):
            for each in _maps(pair.value):
                yield from _text("backend", each.get("name"), False)


def _autoscaler_settings(item: Map) -> Iterator[Setting]:
    spec = item.map("spec")
    target = spec.map("scaleTargetRef") if spec is not None else None
    if spec is None or target is None:
        return
    name = f"{(target.text('kind') or 'Deployment').lower()}/{target.text('name') or ''}"
    yield Setting("target", name, target.start, target.end)
    for least in ("minReplicas", "minReplicaCount"):
        yield from _text("replicas.min", spec.get(least), False)
    for most in ("maxReplicas", "maxReplicaCount"):
        yield from _text("replicas.max", spec.get(most), False)


def _data_settings(item: Map, template: bool) -> Iterator[Setting]:
    table = item.map("data")
    is_secret = item.text("kind") == "Secret"
    for name, pair in table.merged.items() if table is not None else ():
        value = pair.value
        unknown = is_secret or not isinstance(value, Scalar) or (template and has_parts(value.text))
        text = None if unknown else text_of(value)
        place = value or pair.key
        yield Setting(f"env.{name}", text, place.start, place.end)


def _skaffold_settings(item: Map) -> Iterator[Setting]:
    """`artifact` for each image that is built: `image context dockerfile` as a JSON list."""
    build = item.map("build")
    for artifact in _maps(build.get("artifacts") if build is not None else None):
        docker = artifact.map("docker")
        dockerfile = (docker.text("dockerfile") if docker is not None else None) or "Dockerfile"
        said = [artifact.text("image") or "", artifact.text("context") or ".", dockerfile]
        yield Setting("artifact", json.dumps(said), artifact.start, artifact.end)


# --- kustomizations ---------------------------------------------------------------------------------------------------


def _kustomization(document: Map) -> Iterator[Artefact]:
    """An artefact `kustomization` with the settings `resource` (files and folders), `patch` (files), `changed`, `image`
    (the old and the new name), `replicas.NAME`, `generated.NAME` (`KEY=value`) and `generated_file.NAME`; then the
    artefacts of the patches that stand in it."""
    yield Artefact(
        "kustomization", "", document.start, document.end, document.start, document.start, list(_parts(document))
    )
    for pair in (document.merged.get("patches"), document.merged.get("patchesStrategicMerge")):
        for item in pair.value.items if pair is not None and isinstance(pair.value, List) else ():
            inline = item.get("patch") if isinstance(item, Map) else item
            if isinstance(inline, Scalar) and "\n" in inline.text.strip():
                yield from extract_patch(inline.text, inline)


def _parts(document: Map) -> Iterator[Setting]:
    for key in ("resources", "bases", "components"):
        for item in _scalars(document.merged.get(key)):
            yield Setting("resource", item.text, item.start, item.end)
    for item in _scalars(document.merged.get("patchesStrategicMerge")):
        yield Setting("patch", item.text, item.start, item.end)
    for key in ("patches", "patchesJson6902"):
        for patch in _maps(document.get(key)):
            yield from _text("patch", patch.get("path"), False)
            yield from _changes(patch)
    for image in _maps(document.get("images")):
        said = [image.text("name") or "", image.text("newName") or ""]
        yield Setting("image", json.dumps(said), image.start, image.end)
    for replicas in _maps(document.get("replicas")):
        yield from _text(f"replicas.{replicas.text('name') or ''}", replicas.get("count"), False)
    for generator in _maps(document.get("configMapGenerator")):
        name = generator.text("name") or ""
        for item in _scalars(generator.merged.get("literals")):
            yield Setting(f"generated.{name}", item.text, item.start, item.end)
        for item in [*_scalars(generator.merged.get("envs")), *_scalars(generator.merged.get("env"))]:
            yield Setting(f"generated_file.{name}", item.text, item.start, item.end)


def _changes(patch: Map) -> Iterator[Setting]:
    """`changed` for what a JSON patch changes: the target's `kind/name` and the path in it, as JSON."""
    text, target = patch.get("patch"), patch.map("target")
    if target is None or not isinstance(text, Scalar):
        return
    stream = parse(text.text.encode())
    name = f"{(target.text('kind') or '').lower()}/{target.text('name') or ''}"
    for document in stream.documents:
        for change in _maps(document):
            said = [name, change.text("path") or "", change.text("value")]
            yield Setting("changed", json.dumps(said), text.start, text.end)


def _scalars(pair: Pair | None) -> list[Scalar]:
    value = pair.value if pair is not None else None
    return list(value.scalars()) if isinstance(value, List) else [value] if isinstance(value, Scalar) else []


_IMAGE_PARTS = frozenset({"image", "name", "registry", "repo", "repository", "tag", "version"})


def _values(data: bytes, documents: list[Node | None]) -> Iterator[Artefact]:
    """The images that the values of a chart name: `image`; and the texts that templates may put into such a name:
    `value.PATH`."""
    text = data.decode("utf-8", "replace")
    settings = [Setting("image", match["image"], 0, 0) for match in _VALUES_IMAGE.finditer(text)]
    stack: list[tuple[str, Node | None]] = [("", document) for document in documents]
    while stack:
        path, node = stack.pop()
        for key, pair in node.merged.items() if isinstance(node, Map) and path.count(".") < _DEEPEST_VALUE else ():
            if isinstance(pair.value, Map):
                stack.append((f"{path}{key}.", pair.value))
            elif isinstance(pair.value, Scalar) and key in _IMAGE_PARTS:
                settings.append(Setting(f"value.{path}{key}", pair.value.text, pair.start, pair.end))
    if settings:
        yield Artefact("values", "", 0, len(data), 0, 0, settings)

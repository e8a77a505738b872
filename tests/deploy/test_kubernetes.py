"""Kubernetes manifests, alone and as part of services."""

from __future__ import annotations

from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.extract.deployment import classify, classify_content, may_be
from prodlint.program.services import Count, Service, Variant, services_in
from prodlint.program.services.setting_values import State
from tests.deploy.conftest import artefact, facts_of, values

DEPLOYMENT = """\
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      name: web
    spec:
      replicas: 3
      selector:
        matchLabels: {app: web}
      template:
        metadata:
          labels: {app: web}
        spec:
          terminationGracePeriodSeconds: 60
          securityContext:
            runAsUser: 1000
          containers:
            - name: web
              image: registry.example.org/team/web:1.2
              command: ["node"]
              args: [server.js]
              workingDir: /app
              ports: [{containerPort: 3000}]
              env:
                - name: NODE_ENV
                  value: production
                - name: TOKEN
                  valueFrom: {secretKeyRef: {name: web, key: token}}
                - name: HOST
                  value: $(POD_IP)
              envFrom:
                - configMapRef: {name: web-config}
              livenessProbe:
                httpGet: {path: /healthz, port: 3000}
              readinessProbe:
                tcpSocket: {port: 3000}
              resources:
                limits: {memory: 256Mi}
              lifecycle:
                preStop: {exec: {command: [sleep, "5"]}}
          initContainers:
            - name: migrate
              image: registry.example.org/team/web:1.2
"""
SOURCE = {
    "web/server.js": "require('express')().listen(3000);\n",
    "web/package.json": '{"name": "web", "dependencies": {"express": "4"}}',
    "web/Dockerfile": 'FROM node:22\nWORKDIR /app\nCOPY . .\nENV FROM_IMAGE=1\nCMD ["node", "server.js"]\n',
}


def service(files: dict[str, str]) -> Service:
    texts = {path: dedent(text) for path, text in {**SOURCE, **files}.items()}
    (found,) = services_in(Session.from_memory(texts).program)
    return found


def services(files: dict[str, str]) -> dict[str, Service]:
    texts = {path: dedent(text) for path, text in {**SOURCE, **files}.items()}
    return {each.entry: each for each in services_in(Session.from_memory(texts).program)}


def variant(files: dict[str, str]) -> Variant:
    (found,) = service(files).production
    return found


def env(found: Variant, name: str) -> str:
    answer = found.setting(f"env.{name}")
    return answer.value if answer.state is State.SET else answer.state.value


def workload(env_lines: str = "", kind: str = "Deployment", **names: str) -> str:
    """A manifest of one container, without anything that is not said."""
    image, name = names.get("image", "team/web"), names.get("name", "web")
    lines = [
        "apiVersion: apps/v1",
        f"kind: {kind}",
        f"metadata: {{name: {name}}}",
        "spec:",
        "  template:",
        "    metadata: {labels: {app: web}}",
        "    spec:",
        "      containers:",
        f"        - name: {name}",
        f"          image: {image}",
        *(f"          {line}" for line in env_lines.splitlines()),
    ]
    return "\n".join(lines) + "\n"


# --- one file ---------------------------------------------------------------------------------------------------------


def test_a_container_with_all_that_is_said_of_it() -> None:
    facts = facts_of("kubernetes", DEPLOYMENT)
    found = artefact(facts, "deployment/web")
    said = values(found)
    assert {
        key: said[key] for key in ("type", "replicas", "user", "stop_grace_period", "workdir", "ports", "name")
    } == {
        "type": "Deployment",
        "replicas": "3",
        "user": "1000",
        "stop_grace_period": "60",
        "workdir": "/app",
        "ports": "3000",
        "name": "web",
    }
    assert (said["entrypoint.exec"], said["command.exec"]) == ('["node"]', '["server.js"]')
    assert values(found, "env.") == {"NODE_ENV": "production", "TOKEN": None, "HOST": None}
    assert values(found, "healthcheck.") == {"liveness": "/healthz", "readiness": "3000"}
    assert (said["env_from.config_map"], said["limit.memory"], said["label.app"]) == ("web-config", "256Mi", "web")
    assert "stop_hook" in said
    assert [(each.kind, each.name) for each in facts.artefacts] == [
        ("container", "deployment/web"),
        ("init_container", "deployment/web/migrate"),
    ]
    text = dedent(DEPLOYMENT)
    assert text[found.anchor : found.anchor_end] == "name: web"


@pytest.mark.parametrize(
    ("text", "kind", "name"),
    [
        ("kind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b}]}\n", "container", "pod/a"),
        (
            "kind: CronJob\nmetadata: {name: a}\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{name: b}]}}}}}\n",
            "container",
            "cronjob/a",
        ),
        ("kind: List\nitems:\n  - {kind: Pod, metadata: {name: a}, spec: {containers: [{}]}}\n", "container", "pod/a"),
        ("kind: Service\nmetadata: {name: a}\n", "service", "a"),
        ("kind: ConfigMap\nmetadata: {name: a}\ndata: {A: '1'}\n", "config_map", "a"),
    ],
)
def test_kinds_of_resources(text: str, kind: str, name: str) -> None:
    found = artefact(facts_of("kubernetes", f"apiVersion: v1\n{text}"))
    assert (found.kind, found.name) == (kind, name)


def test_several_documents_and_a_name_that_is_there_twice() -> None:
    one = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: b}, {name: c}]}\n"
    names = [each.name for each in facts_of("kubernetes", f"{one}---\n{one}---\nnull\n---\n- 1\n").artefacts]
    assert names == ["pod/a/b", "pod/a/c", "pod/a/b#2", "pod/a/c#2"]


def test_a_manifest_is_known_by_its_content() -> None:
    assert classify("deploy/web.yaml") is None
    assert may_be("deploy/web.yaml")
    assert classify_content("web.yaml", b"# web\n---\napiVersion: apps/v1\nkind: Deployment\n") == "kubernetes"
    assert classify_content("web.yaml", b'{{- if .Values.x }}\nkind: "Pod"\napiVersion: {{ x }}\n') == "kubernetes"
    assert classify_content("web.yaml", b"openapi: 3.1.0\ninfo:\n  kind: x\n  apiVersion: 1\n") is None
    assert not may_be(".github/workflows/ci.yaml")


def test_a_helm_template_is_left_alone() -> None:
    text = "apiVersion: apps/v1\nkind: Deployment\n{{- if x }}\nspec:\n  - image: {{ .Values.image }}\n{{- end }}\n"
    facts = facts_of("kubernetes", text, "chart/templates/web.yaml")
    assert [(each.kind, each.name) for each in facts.artefacts] == [("template", "Deployment")]
    assert not facts.problems


def test_a_broken_manifest_is_a_problem() -> None:
    facts = facts_of("kubernetes", "apiVersion: v1\nkind: Pod\n\tx: 1\n")
    assert [problem.message for problem in facts.problems] == ["YAML allows no tabs for indentation"]


# --- joined -----------------------------------------------------------------------------------------------------------


def test_a_container_is_joined_with_the_dockerfile_of_its_image() -> None:
    found = variant({"k8s/web.yaml": DEPLOYMENT})
    assert [layer.source.path for layer in found.layers] == ["k8s/web.yaml", "web/Dockerfile"]
    assert (found.kind, found.launch.entry) == ("kubernetes", "web/server.js")
    assert (env(found, "NODE_ENV"), env(found, "FROM_IMAGE"), env(found, "TOKEN")) == ("production", "1", "unknown")
    assert found.setting("user").value == "1000"
    assert (found.processes.state, found.processes.text) == (Count.MANY, "3")


@pytest.mark.parametrize(
    ("image", "files"),
    [
        ("ghcr.io/team/web:2@sha256:00", {}),
        ("team/web", {}),
        ("team/shop-web", {}),
        ("${REGISTRY}/web:${TAG}", {}),
        (
            "team/front",
            {"compose.yaml": "services: {a: {build: web, image: 'team/front:1', command: [node, server.js]}}\n"},
        ),
        ("team/front", {"build.sh": "docker build -t team/front:$TAG -f web/Dockerfile web\n"}),
        ("front", {"build.sh": "cd web\ndocker build --build-arg A=1 -t front .\n"}),
        (
            "team/front",
            {
                "skaffold.yaml": "apiVersion: skaffold/v4\nkind: Config\nbuild: {artifacts: [{image: team/front, context: web}]}\n"
            },
        ),
    ],
)
def test_names_of_images(image: str, files: dict[str, str]) -> None:
    found = service({"k8s.yaml": workload(image=image), **files})
    assert found.entry == "web/server.js"
    assert "kubernetes" in {each.kind for each in found.variants}


def test_images_of_others_are_no_services_of_this_project() -> None:
    found = service({"k8s.yaml": workload(image="redis:7") + "---\n" + workload(image="grafana/grafana:11", name="b")})
    assert [each.kind for each in found.variants] == ["dockerfile"]


def test_the_only_image_that_may_be_built_here_is_the_only_one_that_is() -> None:
    for image in ("registry.example.com/team/backend:1.2", "IMAGE_PLACEHOLDER", "backend"):
        found = service({"k8s.yaml": workload(image="redis:7") + "---\n" + workload(image=image, name="b")})
        assert [each.kind for each in found.variants] == ["kubernetes"], image
        assert not found.variants[0].opaque


def test_an_image_that_may_be_built_here_makes_what_is_run_unknown() -> None:
    manifests = workload(image="team/one") + "---\n" + workload(image="team/two", name="b")
    found = service({"k8s.yaml": manifests})
    assert {each.opaque for each in found.variants} == {
        "team/one may be built from it",
        "team/two may be built from it",
    }
    assert found.setting("user").state is State.UNKNOWN


def test_a_dockerfile_that_is_built_elsewhere_is_nobody_elses_image() -> None:
    files = {"k8s.yaml": workload(image="team/other"), "compose.yaml": "services: {a: {build: web}}\n"}
    assert {each.kind for each in service(files).variants} == {"compose"}


BUILDS = """\
jobs:
  build:
    runs-on: ubuntu-latest
    env: {NAME: team/front}
    steps:
      - uses: actions/checkout@v4
      - id: meta
        uses: docker/metadata-action@v5
        with: {images: "ghcr.io/${{ env.NAME }}"}
      - uses: docker/build-push-action@v6
        with:
          context: web
          tags: TAGS
"""


@pytest.mark.parametrize(
    "files",
    [
        {"Makefile": "IMAGE := team/front\nbuild:\n\t@docker build -t $(IMAGE):$(TAG) web\n"},
        {".github/workflows/ci.yml": BUILDS.replace("TAGS", "${{ steps.meta.outputs.tags }}")},
        {".github/workflows/ci.yml": BUILDS.replace("TAGS", "ghcr.io/${{ env.NAME }}:latest,team/x:1")},
        {
            ".github/workflows/ci.yaml": "jobs: {b: {steps: [{run: 'docker buildx build --push -t team/front web'}]}}\n",
        },
        {".gitlab-ci.yml": "build:\n  variables: {I: team/front}\n  script:\n    - docker build -t $I:$CI_SHA web\n"},
    ],
)
def test_what_builds_an_image_under_another_name(files: dict[str, str]) -> None:
    other = {"api/Dockerfile": "FROM python:3.12\nCOPY . .\nCMD gunicorn a:app\n", "api/a.py": "app = 1\n"}
    manifests = {"k8s.yaml": workload(image="team/front:3")}
    found = services({**manifests, **files, **other})["web/server.js"]
    assert [each.opaque for each in found.variants if each.kind == "kubernetes"] == [""]
    assert [each.opaque for each in services({**manifests, **other})["web/server.js"].variants] != [""]


def test_config_maps() -> None:
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: web}\ndata: {NODE_ENV: production, B: '2'}\n"
    reference = "env: [{name: A, valueFrom: {configMapKeyRef: {name: web, key: B}}}]\n"
    files = {
        "k8s/web.yaml": workload(f"{reference}envFrom: [{{configMapRef: {{name: web}}}}]"),
        "k8s/config.yaml": config,
    }
    found = variant(files)
    assert (env(found, "NODE_ENV"), env(found, "A")) == ("production", "2")
    by = found.setting("env.NODE_ENV").by
    assert by is not None
    assert by.path == "k8s/config.yaml"
    missing = variant({"k8s/web.yaml": files["k8s/web.yaml"]})
    assert env(missing, "NODE_ENV") == "unknown"
    assert missing.setting("env.NODE_ENV").reason == "the ConfigMap web is not here"


def test_a_secret_may_set_anything() -> None:
    assert env(variant({"web.yaml": workload("envFrom: [{secretRef: {name: web}}]")}), "NODE_ENV") == "unknown"
    assert env(variant({"web.yaml": workload()}), "NODE_ENV") == "absent"


def test_what_stands_in_front_of_a_pod() -> None:
    files = {
        "k8s/web.yaml": workload(),
        "k8s/rest.yaml": """\
            apiVersion: v1
            kind: Service
            metadata: {name: front}
            spec: {selector: {app: web}, ports: [{port: 80, targetPort: 3000}]}
            ---
            apiVersion: v1
            kind: Service
            metadata: {name: other}
            spec: {selector: {app: other}}
            ---
            apiVersion: networking.k8s.io/v1
            kind: Ingress
            metadata: {name: public}
            spec: {rules: [{http: {paths: [{backend: {service: {name: front}}}]}}]}
            """,
    }
    assert [layer.source.name for layer in variant(files).fronts] == ["front", "public"]


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ("", Count.ONE),
        (
            "---\napiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata: {name: a}\n"
            "spec: {scaleTargetRef: {kind: Deployment, name: web}, maxReplicas: 5}\n",
            Count.MANY,
        ),
    ],
)
def test_replicas_and_autoscalers(more: str, state: Count) -> None:
    assert variant({"web.yaml": workload() + more}).processes.state is state


def test_a_daemon_set_is_many() -> None:
    assert variant({"web.yaml": workload(kind="DaemonSet")}).processes.state is Count.MANY


# --- kustomizations ---------------------------------------------------------------------------------------------------

BASE = {"k8s/base/web.yaml": workload(), "k8s/base/kustomization.yaml": "resources: [web.yaml]\n"}
OVERLAY = "k8s/overlays/live/kustomization.yaml"


@pytest.mark.parametrize(
    ("overlay", "patch"),
    [
        ("patches: [{path: patch.yaml}]\n", workload("env: [{name: NODE_ENV, value: production}]")),
        ("patchesStrategicMerge: [patch.yaml]\n", workload("env: [{name: NODE_ENV, value: production}]")),
        (
            "patches:\n  - patch: |\n"
            + "".join(
                f"      {line}\n" for line in workload("env: [{name: NODE_ENV, value: production}]").splitlines()
            ),
            "",
        ),
    ],
)
def test_a_patch_of_an_overlay_changes_the_base(overlay: str, patch: str) -> None:
    files = {**BASE, OVERLAY: f"resources: [../../base]\n{overlay}"}
    if patch:
        files["k8s/overlays/live/patch.yaml"] = patch
    found = variant(files)
    assert env(found, "NODE_ENV") == "production"
    by = found.setting("env.NODE_ENV").by
    assert by is not None
    assert by.path.startswith("k8s/overlays/live/")


def test_other_changes_of_an_overlay() -> None:
    overlay = """\
        resources: [../../base]
        images: [{name: team/x, newName: team/web}]
        replicas: [{name: web, count: 4}]
        configMapGenerator: [{name: web, literals: [NODE_ENV=production]}]
        """
    base = {**BASE, "k8s/base/web.yaml": workload("envFrom: [{configMapRef: {name: web}}]", image="team/x")}
    found = variant({**base, OVERLAY: overlay})
    assert (found.processes.text, env(found, "NODE_ENV")) == ("4", "production")


@pytest.mark.parametrize(
    "overlay",
    [
        "patches: [{path: missing.yaml}]\n",
        "patches:\n  - target: {kind: Deployment, name: web}\n    patch: |\n      - {op: add, path: /spec/x, value: 1}\n",
        "patches:\n  - patch: |\n      apiVersion: apps/v1\n      kind: Deployment\n      metadata: {name: other}\n",
    ],
)
def test_a_change_that_cannot_be_followed_makes_all_unknown(overlay: str) -> None:
    found = variant({**BASE, OVERLAY: f"resources: [../../base]\n{overlay}"})
    assert (env(found, "NODE_ENV"), found.setting("healthcheck").state) == ("unknown", State.UNKNOWN)


def test_a_json_patch_of_the_replicas() -> None:
    patch = "patches:\n  - target: {kind: Deployment, name: web}\n    patch: |\n      - {op: add, path: /spec/replicas, value: 5}\n"
    assert variant({**BASE, OVERLAY: f"resources: [../../base]\n{patch}"}).processes.text == "5"


def test_overlays_are_variants_of_one_service() -> None:
    overlay = "resources: [../../base]\n"
    files = {**BASE, OVERLAY: overlay, "k8s/overlays/dev/kustomization.yaml": overlay}
    found = service(files)
    assert [each.kind for each in found.variants] == ["kubernetes", "kubernetes"]
    assert len(found.production) == 1


def test_kustomizations_that_take_up_each_other_end() -> None:
    files = {
        **BASE,
        "k8s/base/kustomization.yaml": "resources: [web.yaml, ../b]\n",
        "k8s/b/kustomization.yaml": "resources: [../base]\n",
    }
    assert service(files).entry == "web/server.js"


# --- Helm -------------------------------------------------------------------------------------------------------------

TEMPLATE = (
    "apiVersion: apps/v1\nkind: Deployment\n{{- if x }}\nspec:\n  - image: {{ .Values.image.repository }}\n{{- end }}\n"
)


def test_a_chart_of_somebody_elses_image_deploys_nothing_of_this_project() -> None:
    text = TEMPLATE.replace("{{ .Values.image.repository }}", "redis:7")
    assert [each.kind for each in service({"chart/templates/redis.yaml": text}).variants] == ["dockerfile"]
    values = {"chart/values.yaml": "image:\n  repository: bitnami/redis\n"}
    found = service({"chart/templates/redis.yaml": TEMPLATE, **values})
    assert [each.kind for each in found.variants] == ["dockerfile"]


@pytest.mark.parametrize("chart", [{}, {"chart/values.yaml": "image:\n  repository: ghcr.io/team/web\n"}])
def test_what_a_chart_deploys_is_unknown(chart: dict[str, str]) -> None:
    found = variant({"chart/templates/web.yaml": TEMPLATE, **chart})
    assert found.opaque == "a Helm template decides"
    assert {found.setting(key).state for key in ("env.NODE_ENV", "user", "healthcheck", "replicas")} == {State.UNKNOWN}
    assert found.processes.state is Count.UNKNOWN

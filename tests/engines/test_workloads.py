"""What prodlint makes of Kubernetes manifests, the schemas of Kubernetes accept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from prodlint.analysis.session import Session
from tests.pages import ROOT, deep_case_files, find, fix, read_page, rule_pages

kubernetes = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
VERSION = "1.30"

APP = {
    "package.json": '{"name": "shop", "dependencies": {"express": "4"}}',
    "shop/server.js": "require('express')().listen(3000);\n",
    "shop/Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
    "shop/package.json": '{"name": "shop", "dependencies": {"express": "4"}}',
}
CONTAINER = """
      - name: shop
        image: example.org/shop:1
        ports:
          - containerPort: 3000
"""


def workload(kind: str, more: str = "", container: str = CONTAINER) -> str:
    """A workload of one container."""
    selector = "  selector:\n    matchLabels: {app: shop}\n" if kind != "Job" else ""
    more += "  serviceName: shop\n" if kind == "StatefulSet" else ""
    restart = "      restartPolicy: Never\n" if kind == "Job" else ""
    api = "batch/v1" if kind == "Job" else "apps/v1"
    return (
        f"apiVersion: {api}\nkind: {kind}\nmetadata:\n  name: shop\nspec:\n{more}{selector}  template:\n    metadata:\n"
        f"      labels: {{app: shop}}\n    spec:\n{restart}      containers:{container}"
    )


def validate(text: str, *, complete: bool = False) -> None:
    """Raises for a document that is none of the kind that it says it is. With `complete`, what a page leaves out for
    brevity is filled in: which pods a workload owns."""
    for document in yaml.safe_load_all(text):
        if document and complete and document["kind"] in ("Deployment", "StatefulSet", "DaemonSet"):
            document["spec"].setdefault("selector", {"matchLabels": {"app": "shop"}})
            document["spec"]["template"].setdefault("metadata", {"labels": {"app": "shop"}})
        if document:
            kubernetes.validate(document, VERSION, strict=True)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
@pytest.mark.parametrize(
    "container",
    [
        CONTAINER + "        env:\n          - name: A\n            value: b\n",
        CONTAINER + "        env:\n        - {name: A, value: b}\n",
        CONTAINER + "        env:\n          - name: NODE_ENV\n            value: development\n",
    ],
    ids=["env", "env at the level of its key", "another value"],
)
def test_a_mended_workload_is_one(kind: str, container: str) -> None:
    texts = {**APP, "deploy.yaml": "# ours\n" + workload(kind, container=container) + "---\n" + SERVICE}
    validate(texts["deploy.yaml"])
    found = {item.path for item in find(texts, {"select": ["production-env-unset"]})[0]}
    after, withheld = fix(texts, {"select": ["production-env-unset"]}, "production-env-unset")
    assert found == {"deploy.yaml"}
    assert not withheld
    validate(after["deploy.yaml"])
    first = next(yaml.safe_load_all(after["deploy.yaml"]))
    (mended,) = first["spec"]["template"]["spec"]["containers"]
    assert {"name": "NODE_ENV", "value": "production"} in mended["env"]


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec:\n  selector: {app: shop}\n  ports: [{port: 80, targetPort: 3000}]\n"


def test_what_prodlint_shows_is_valid() -> None:
    texts = list(_manifests())
    assert texts
    for title, text in texts:
        try:
            validate(text, complete=True)
        except kubernetes.ValidationError as error:
            raise AssertionError(f"{title}: {error.message}") from error


def _manifests() -> Iterator[tuple[str, str]]:
    for page in [*rule_pages(), *deep_case_files()]:
        for section in read_page(page).projects:
            facts = Session.from_memory(section.texts()).facts
            for path, each in facts.items():
                if each.kind == "kubernetes" and "{{" not in section.files[path].text:
                    title = f"{page.relative_to(ROOT)}: {section.title}: {path}"
                    yield title, section.files[path].text
                    if path in section.after:
                        yield title, section.after[path].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (workload("Deployment", "  replicas: 3\n"), {"replicas": "3", "ports": "3000", "image": "example.org/shop:1"}),
        (
            workload(
                "StatefulSet",
                container=CONTAINER
                + "        command: [node, server.js]\n        securityContext: {runAsUser: 1000}\n"
                + "        livenessProbe: {httpGet: {path: /healthz, port: 3000}}\n",
            ),
            {"user": "1000", "healthcheck.liveness": "/healthz", "entrypoint.exec": '["node", "server.js"]'},
        ),
    ],
)
def test_what_prodlint_reads_is_valid(text: str, expected: dict[str, Any]) -> None:
    validate(text)
    facts = Session.from_memory({"deploy.yaml": text}).facts["deploy.yaml"]
    settings = {setting.key: setting.value for each in facts.artefacts for setting in each.settings}
    assert settings.items() >= expected.items()

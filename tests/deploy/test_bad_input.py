"""Files that are broken, huge or hostile: every reader gives what it can make out, and never raises."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.analysis.session import Session
from prodlint.extract.deployment import READERS
from prodlint.extract.extraction import extract
from prodlint.facts import FileFacts
from prodlint.program.proxies import proxies_in
from prodlint.program.services import services_in

FILES = {
    "compose": ("compose.yaml", "x: &a\n  restart: always\nservices:\n  web:\n    <<: *a\n    build: {context: ., args: [A=1]}\n    environment: [A=b, C]\n    ports: ['80:80']\n"),
    "dockerfile": ("Dockerfile", "# syntax=x\nARG A=1\nFROM node:${A} AS build\nENV B=$A C='d e'\nRUN a && \\\n  # c\n  b\nCOPY <<EOF /x\nhi\nEOF\nCMD [\"node\", \"a.js\"]\n"),
    "dotenv": (".env", "A=b\nexport C='d'\nE=\"f ${A}\" # g\n"),
    "forever": ("forever.json", '[{"uid": "a", "script": "a.js", "args": ["b", 1], "env": {"A": "b"}, "max": 3}]'),
    "gunicorn": ("gunicorn.conf.py", "import os\nworkers = 2\nraw_env = ['A=b']\nif x:\n    bind = 'y'\n"),
    "kubernetes": ("web.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  template:\n    spec:\n      containers:\n        - name: a\n          env: [{name: A, value: b}]\n---\napiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec: {selector: {a: b}}\n"),
    "package_json": ("package.json", '{"name": "a", "scripts": {"start": "node ."}, "dependencies": {"b": "1"}}'),
    "platform": ("fly.toml", "app = 'a'\n[env]\nA = 'b'\n[[services]]\ninternal_port = 1\n"),
    "pm2": ("ecosystem.config.js", "const a = {b: 1};\nmodule.exports = {apps: [{...a, script: `${__dirname}/a.js`, env: {A: 'b'}}]};\n"),
    "procfile": ("Procfile", "web: node a.js\nworker: b\n"),
    "shell": ("a.sh", "#!/bin/sh\nset -e\nexport A=b\nexec node a.js \"$@\"\n"),
    "supervisord": ("a.conf", "[program:a]\ncommand=node a.js\nenvironment=A=\"b\",C=d\n  ,E=f\n"),
    "systemd": ("a.service", "[Unit]\nAfter=x\n[Service]\nExecStart=/bin/a \\\n  b\nEnvironment=\"A=b c\"\nRestart=\n"),
    "upstart": ("a.conf", "start on x\nscript\n  a\nend script\nenv A=\"b\"\nlimit nofile 1 2\nrespawn limit 1 2\n"),
    "uwsgi": ("uwsgi.ini", "[uwsgi]\nmodule = a:b\nprocesses = 2\nenv = A=b\n"),
    "nginx": ("nginx.conf", "http {\n  gzip on; # c\n  upstream a { server b:1 max_fails=0; }\n  server { location ~ \"^/[a-z]{2}\" { proxy_pass http://a$uri; proxy_set_header Host 'x'; } }\n}\n"),
    "haproxy": ("haproxy.cfg", "defaults\n  mode http\nbackend a # c\n  server b 'c d:1' check\n  http-request set-header X \"%[src]\"\n"),
    "vcl": ("default.vcl", 'vcl 4.1;\nbackend default { .host = "a"; .port = "1"; }\nsub vcl_recv {\n  # c\n  if (req.url ~ "^/x") { return (pass); }\n}\n'),
    "caddyfile": ("Caddyfile", "(s) {\n  encode gzip\n}\nexample.com {\n  import s\n  handle /x* {\n    reverse_proxy a:1 {\n      to b:2\n    }\n  }\n}\n"),
    "python_requirements": ("requirements.txt", "flask==1\n-r other.txt\n"),
    "makefile": ("Makefile", "A = b\nrun: build # c\n\t@node a.js $(A) \\\n\t  --b\nbuild:\n\tnpm ci\n"),
    "workflow": (".github/workflows/deploy.yml", "on: push\nenv: {A: b}\njobs:\n  a:\n    runs-on: x\n    steps:\n      - uses: actions/checkout@v4\n      - run: |\n          docker build -t a .\n          ssh b node a.js\n        env: {C: d}\n"),
    "tsconfig": ("tsconfig.json", '{"compilerOptions": {"paths": {"@/*": ["src/*"]}}}'),
}  # fmt: skip
OTHER_PLATFORMS = {
    "app.json": '{"env": {"A": {"value": "b"}}, "formation": {"web": {"quantity": 1}}}',
    "render.yaml": "services:\n  - {type: web, envVars: [{key: A, value: b}]}\n",
    "railway.json": '{"deploy": {"startCommand": "a", "numReplicas": 2}}',
    "heroku.yml": "build: {docker: {web: Dockerfile}}\nrun: {web: a}\n",
}
SAMPLES = [(kind, path, text) for kind, (path, text) in FILES.items()] + [
    ("platform", path, text) for path, text in OTHER_PLATFORMS.items()
]


def read(kind: str, data: bytes, path: str) -> FileFacts:
    """The facts, whose places all have to be in the file."""
    facts = extract(data, kind, path)
    for artefact in facts.artefacts:
        assert 0 <= artefact.anchor <= artefact.anchor_end <= len(data) + 1
        for setting in artefact.settings:
            assert 0 <= setting.start <= setting.end <= len(data) + 1
    return facts


def mutants(text: str, seed: int) -> Iterator[bytes]:
    """The text cut off, with a stretch missing, twice or elsewhere, and with odd bytes in it."""
    data = text.encode()
    chance = random.Random(seed)
    for _ in range(6):
        start, end = sorted((chance.randrange(len(data) + 1), chance.randrange(len(data) + 1)))
        yield data[:start]
        yield data[:start] + data[end:]
        yield data[:end] + data[start:]
        odd = chance.choice(
            [b"\0", b"\xff\xfe", b"\t", b"\r", b"{{ x }}", b"\\", b"'", b'"', b"[", b"{", b": ", b"&a *a"]
        )
        yield data[:start] + odd + data[start:]


@pytest.mark.parametrize(("kind", "path", "text"), SAMPLES, ids=[f"{kind}-{path}" for kind, path, _ in SAMPLES])
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_broken_files(kind: str, path: str, text: str, seed: int) -> None:
    for data in mutants(text, seed):
        read(kind, data, path)


def test_there_is_a_sample_for_each_reader() -> None:
    assert set(FILES) == set(READERS)


@pytest.mark.parametrize(("kind", "path", "text"), SAMPLES, ids=[f"{kind}-{path}" for kind, path, _ in SAMPLES])
@settings(max_examples=10)
@given(data=st.binary(max_size=300))
def test_any_bytes(kind: str, path: str, text: str, data: bytes) -> None:
    read(kind, data, path)


@pytest.mark.parametrize(("kind", "path", "text"), SAMPLES, ids=[f"{kind}-{path}" for kind, path, _ in SAMPLES])
@pytest.mark.parametrize("filler", ["a: b\n", "x" * 1000, "# no\n", "[", "\\\n", "    ", "A='"], ids=repr)
def test_long_files(kind: str, path: str, text: str, filler: str) -> None:
    read(kind, (text + filler * (300_000 // len(filler))).encode(), path)


# --- hostile ----------------------------------------------------------------------------------------------------------

_BOMB = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 40))
_MERGES = "m0: &m0 {k: v}\n" + "".join(
    f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}], k{n}: v}}\n" for n in range(1, 40)
)


@pytest.mark.parametrize("bomb", [_BOMB, _MERGES], ids=["lists", "merge keys"])
@pytest.mark.parametrize("name", ["a39", "m39"])
def test_aliases_stay_shared(bomb: str, name: str) -> None:
    if f"{name}:" not in bomb:
        name = "m39" if name == "a39" else "a39"
    end = f"services:\n  web:\n    image: x\n    environment: *{name}\n    ports: *{name}\n    labels: *{name}\n    deploy: *{name}\n"
    (found,) = (each for each in read("compose", (bomb + end).encode(), "compose.yaml").artefacts if each.name == "web")
    assert found.name == "web"
    ingress = f"apiVersion: v1\nkind: Ingress\nmetadata: {{name: x}}\nspec: *{name}\n"
    read("kubernetes", (bomb + ingress).encode(), "x.yaml")
    read("kubernetes", (bomb + ingress.replace("Ingress", "Deployment")).encode(), "x.yaml")
    read("pm2", (bomb + f"apps: [{{script: a.js, env: *{name}, args: *{name}}}]\n").encode(), "ecosystem.yml")
    read("platform", (bomb + f"services: [{{envVars: *{name}}}]\n").encode(), "render.yaml")


def test_a_node_that_contains_itself() -> None:
    read("compose", b"services: &s\n  web: *s\n", "compose.yaml")
    read("kubernetes", b"apiVersion: v1\nkind: Ingress\nspec: &s {a: *s, b: [*s]}\n", "x.yaml")


def test_names_that_stand_for_each_other() -> None:
    objects = "const a0 = {x: 1, y: 2};\n" + "".join(
        f"const a{n} = {{...a{n - 1}, ...a{n - 1}}};\n" for n in range(1, 50)
    )
    texts = "const b0 = 'xy';\n" + "".join(f"const b{n} = b{n - 1} + b{n - 1};\n" for n in range(1, 50))
    code = f"{objects}{texts}module.exports = {{apps: [{{script: b49, env: a49}}]}};\n"
    (app,) = read("pm2", code.encode(), "ecosystem.config.js").artefacts
    keys = {setting.key: setting.value for setting in app.settings}
    assert keys["command.exec"] is None
    assert len(keys) <= 3


@pytest.mark.parametrize("kind", ["compose", "kubernetes", "platform", "pm2", "package_json", "tsconfig"])
@pytest.mark.parametrize("nested", ["[", "{a: ", '{"a": '])
def test_deep_nesting(kind: str, nested: str) -> None:
    path = {"platform": "render.yaml", "pm2": "ecosystem.config.js"}.get(kind, "x.yaml")
    for text in (nested * 5000, f"services: {nested * 3000}", f"module.exports = {nested * 3000}"):
        read(kind, text.encode(), path)


def test_duplicate_keys_count_once() -> None:
    text = b"services:\n  web:\n    image: a\n    image: b\n  web:\n    image: c\n"
    (found,) = read("compose", text, "compose.yaml").artefacts
    assert [setting.value for setting in found.settings] == ["c"]


def test_one_clear_message_for_tabs() -> None:
    facts = read("compose", b"services:\n\tweb:\n\t\timage: x\n", "compose.yaml")
    assert [problem.message for problem in facts.problems] == ["YAML allows no tabs for indentation"]


def test_a_dockerfile_that_ends_in_a_continuation() -> None:
    facts = read("dockerfile", b"FROM node:22\nCMD node \\\n", "Dockerfile")
    assert facts.artefacts[0].settings[-1].key == "command.shell"


def test_a_very_long_haproxy_file() -> None:
    servers = "backend a\n" + "".join(f"  server s{n} 10.0.0.1:{n % 60_000} check\n" for n in range(50_000))
    assert len(read("haproxy", servers.encode(), "haproxy.cfg").artefacts[-1].settings) == 50_000


def test_a_map_of_five_megabytes() -> None:
    lines = [f"    /old/{n:06d}/the-name-of-a-page /new/{n:06d};\n" for n in range(120_000)]
    files = {
        "nginx.conf": "http {\n  include redirects.conf;\n  server {\n    location / {\n      proxy_pass http://127.0.0.1:3000;\n    }\n  }\n}\n",
        "redirects.conf": f"map $uri $new {{\n{''.join(lines)}}}\n",
        "app.js": "require('express')().listen(3000);\n",
        "package.json": '{"name": "shop", "scripts": {"start": "node app.js"}, "dependencies": {"express": "4"}}',
    }
    assert len(files["redirects.conf"]) > 5_000_000
    session = Session.from_memory(files, {"select": ["proxy-gzip-off"]})
    assert [finding.location.path for finding in session.analysis.findings] == ["nginx.conf"]
    assert not session.analysis.errors


def test_a_block_that_is_never_closed_and_an_include_that_is_missing() -> None:
    files = {
        "nginx.conf": "http {\n  include missing.conf;\n  include nginx.conf;\n  server {\n    location / {\n      proxy_pass http://web:1;\n",
        "haproxy.cfg": "frontend a\n  default_backend missing\nbackend b\n  server c 'd:1\n",
        "default.vcl": 'vcl 4.1;\ninclude "missing.vcl";\nsub vcl_recv {\n  if (req.url) {\n',
        "Caddyfile": "import missing/*\nexample.com {\n  reverse_proxy web:1\n",
    }
    session = Session.from_memory(files)
    assert isinstance(proxies_in(session.program).all, list)
    assert not any(error.is_failure for error in session.analysis.errors)
    messages = [(error.path, error.message) for error in session.analysis.errors]
    assert [path for path, _ in messages].count("nginx.conf") == 1, messages


def test_files_that_refer_to_each_other_for_ever() -> None:
    files = {
        "compose.yaml": "include: [b.compose.yaml]\nservices:\n  a:\n    extends: {file: b.compose.yaml, service: a}\n",
        "b.compose.yaml": "include: [compose.yaml]\nservices:\n  a:\n    extends: {file: compose.yaml, service: a}\n",
        "ecosystem.config.js": "module.exports = {apps: [{name: 'a', script: 'pm2 start ecosystem.config.js'}]};\n",
        "a.sh": "exec ./b.sh\n",
        "b.sh": "exec ./a.sh\n",
        "Dockerfile": "FROM node:22\nCOPY . .\nCMD ./a.sh\n",
        "shop.service": "[Service]\nExecStart=/srv/a.sh\n",
        "package.json": '{"name": "a", "scripts": {"start": "npm run x", "x": "npm start"}}',
        "server.js": "require('express')().listen(1);\n",
    }
    assert isinstance(services_in(Session.from_memory(files).program), list)

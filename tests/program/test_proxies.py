"""Which proxies a project has, whom they are in front of, and what they do for it."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import dedent

import pytest

from prodlint.analysis.session import Session
from prodlint.program.proxies import Compression, Proxies, Proxy, proxies_in
from prodlint.program.proxies.nginx_config import Block
from prodlint.program.services import services_in

SERVICE = {
    "server.js": "require('express')().listen(3000);\n",
    "package.json": '{"name": "shop", "dependencies": {"express": "4"}, "scripts": {"start": "node server.js"}}',
    "Dockerfile": 'FROM node:22\nCOPY . .\nCMD ["node", "server.js"]\n',
}
COMPOSE = "services:\n  web:\n    build: .\n  db:\n    image: postgres\n"


def proxies(files: Mapping[str, str]) -> Proxies:
    return proxies_in(Session.from_memory({path: dedent(text) for path, text in files.items()}).program)


def only(files: Mapping[str, str]) -> Proxy:
    (proxy,) = proxies(files).all
    return proxy


def server(inside: str, http: str = "") -> dict[str, str]:
    return {"nginx.conf": f"http {{ {http} server {{ {inside} }} }}"}


# --- what a proxy does ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("http", "location", "state"),
    [
        ("", "", Compression.NONE),
        ("gzip on;", "", Compression.HTML_ONLY),
        ("gzip on; gzip_types application/json;", "", Compression.FULL),
        ("gzip_types application/json;", "gzip on;", Compression.FULL),
        ("gzip on;", "gzip off;", Compression.NONE),
        ("brotli on; brotli_types *;", "", Compression.FULL),
        ("include /etc/nginx/gzip.conf;", "", Compression.UNKNOWN),
        ("include /etc/nginx/mime.types;", "", Compression.NONE),
        ("include /etc/nginx/more.conf;", "gzip off;", Compression.UNKNOWN),
        ("include /etc/nginx/more.conf; gzip on; gzip_types text/css;", "", Compression.FULL),
    ],
)
def test_compression(http: str, location: str, state: Compression) -> None:
    files = server(f"location / {{ {location} proxy_pass http://x; }}", http)
    assert only(files).compression is state


def test_the_least_compressed_location_counts() -> None:
    inside = "location / { proxy_pass http://x; } location /raw { gzip off; proxy_pass http://x; }"
    assert only(server(inside, "gzip on; gzip_types text/css;")).compression is Compression.NONE


def test_headers_of_a_block_replace_all_that_is_inherited() -> None:
    host = "proxy_set_header Host $host;"
    proxy = only(server(f"{host} location / {{ proxy_pass http://x; }}"))
    assert proxy.headers == {"host": "$host"}
    proxy = only(server(f"{host} location / {{ proxy_set_header X-Real-IP $remote_addr; proxy_pass http://x; }}"))
    assert proxy.headers == {"x-real-ip": "$remote_addr"}
    proxy = only(server(f"{host} location / {{ include proxy.conf; proxy_pass http://x; }}"))
    assert proxy.headers is None


def test_headers_that_all_locations_share() -> None:
    inside = (
        "location /a { proxy_set_header Host $host; proxy_set_header X-A 1; proxy_pass http://x; }"
        "location /b { proxy_set_header Host $host; proxy_pass http://x; }"
    )
    assert only(server(inside)).headers == {"host": "$host"}


def test_the_files_that_debian_brings_along() -> None:
    proxy = only(server("location / { include proxy_params; proxy_pass http://x; }"))
    assert proxy.headers is not None
    assert sorted(proxy.headers) == ["host", "x-forwarded-for", "x-forwarded-proto", "x-real-ip"]


@pytest.mark.parametrize(
    ("location", "caches"),
    [("", False), ("proxy_cache main;", True), ("proxy_cache off;", False), ("include x.conf;", None)],
)
def test_caching(location: str, caches: bool | None) -> None:
    assert only(server(f"location / {{ {location} proxy_pass http://x; }}")).caches is caches


@pytest.mark.parametrize(
    ("upstream", "affinity"),
    [("server a;", False), ("ip_hash; server a; server b;", True), ("hash $remote_addr consistent; server a;", True)],
)
def test_affinity(upstream: str, affinity: bool) -> None:
    proxy = only(server("location / { proxy_pass http://app; }", f"upstream app {{ {upstream} }}"))
    assert proxy.affinity is affinity


# --- where it hands requests on to ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("directive", "target"),
    [
        ("proxy_pass http://web:3000/api/;", ("web", "3000", "")),
        ("proxy_pass https://web;", ("web", "", "")),
        ("proxy_pass http://[::1]:80;", ("[::1]", "80", "")),
        ("proxy_pass http://unix:/run/app.sock:/x;", ("", "", "/run/app.sock")),
        ("uwsgi_pass web:9000;", ("web", "9000", "")),
        ("set $to web:1; proxy_pass http://$to;", ("web", "1", "")),
        ("proxy_pass http://web:1$request_uri;", ("web", "1", "")),
        ("proxy_pass http://$to;", ("", "", "")),
        ("proxy_pass ${API_URL};", ("", "", "")),
        ("proxy_pass http://inner;", ("", "", "/run/x.sock")),
    ],
)
def test_targets(directive: str, target: tuple[str, str, str]) -> None:
    upstream = "upstream inner { server unix:/run/x.sock; }"
    assert only(server(f"location / {{ {directive} }}", upstream)).targets[0][:3] == target


def test_an_upstream_of_another_file() -> None:
    files = {
        "conf.d/upstreams.conf": "upstream app { server web:3000; server web2:3000; }",
        "conf.d/site.conf": "server { location / { proxy_pass http://app; } }",
    }
    assert [target.host for target in only(files).targets] == ["web", "web2"]


# --- includes ---------------------------------------------------------------------------------------------------------


def test_includes_are_put_in_place() -> None:
    files = {
        "nginx/nginx.conf": "http { gzip on; gzip_types text/css; include /etc/nginx/conf.d/*.conf; }",
        "nginx/conf.d/site.conf": "server { location / { include snippets/proxy.conf; proxy_pass http://web; } }",
        "nginx/snippets/proxy.conf": "proxy_set_header Host $host;",
    }
    proxy = only(files)
    assert proxy.location.path == "nginx/conf.d/site.conf"
    assert proxy.compression is Compression.FULL
    assert proxy.headers == {"host": "$host"}


def test_a_site_that_an_open_http_block_may_include() -> None:
    files = {
        "nginx.conf": "http { gzip on; gzip_types text/css; include /etc/nginx/sites-enabled/*; }",
        "deploy/shop.conf": "server { location / { proxy_pass http://web; } }",
    }
    assert only(files).compression is Compression.UNKNOWN


def test_files_that_include_each_other() -> None:
    files = {
        "nginx.conf": "http { include a.conf; server { location / { proxy_pass http://x; } } }",
        "a.conf": "include b.conf; gzip on;",
        "b.conf": "include a.conf; include nginx.conf;",
    }
    assert len(proxies(files).all) == 1


def test_files_that_include_each_other_very_often() -> None:
    files = {f"conf.d/{number}.conf": f"include conf.d/{number + 1}.conf;" * 9 + "gzip on;" for number in range(15)}
    assert proxies(files).all == []


# --- whom it is in front of -------------------------------------------------------------------------------------------


def fronts(files: Mapping[str, str]) -> list[tuple[str, bool]]:
    session = Session.from_memory({path: dedent(text) for path, text in files.items()})
    (service,) = services_in(session.program)
    return [(front.proxy.name, front.is_certain) for front in proxies_in(session.program).in_front_of(service)]


def test_a_proxy_that_names_the_service() -> None:
    assert fronts(
        {**SERVICE, "docker-compose.yml": COMPOSE, **server("location / { proxy_pass http://web:3000; }")}
    ) == [("server", True)]


@pytest.mark.parametrize(
    "address", ["http://localhost:3000", "http://unix:/run/x.sock", "http://$to", "http://10.0.0.1"]
)
def test_a_proxy_before_the_only_service(address: str) -> None:
    inside = f"server_name shop.example www.shop.example; location / {{ proxy_pass {address}; }}"
    assert fronts({**SERVICE, **server(inside)}) == [("server shop.example", False)]


def test_a_worker_is_behind_no_proxy() -> None:
    files = {**SERVICE, "worker.service": "[Service]\nExecStart=/usr/bin/celery -A shop worker\n"}
    found = proxies({**files, **server("location / { proxy_pass http://localhost:3000; }")})
    assert [service.name for service in found.services_behind(found.all[0])] == ["shop"]


def test_a_proxy_before_something_else() -> None:
    assert fronts({**SERVICE, "docker-compose.yml": COMPOSE, **server("location / { proxy_pass http://db; }")}) == []


def test_a_proxy_for_development() -> None:
    files = {**SERVICE, "nginx.dev.conf": "server { location / { proxy_pass http://localhost:3000; } }"}
    assert [proxy.is_dev for proxy in proxies(files).all] == [True]
    assert fronts(files) == []


def test_compression_for_a_service() -> None:
    files = {
        **SERVICE,
        "a.conf": "server { location / { proxy_pass http://localhost:3000; } }",
        "b.conf": "server { gzip on; location / { proxy_pass http://localhost:3000; } }",
    }
    session = Session.from_memory(files)
    (service,) = services_in(session.program)
    answer = proxies_in(session.program).compression_for(service)
    assert answer is not None
    assert (answer.state, answer.by.location.path, answer.is_certain) == (Compression.HTML_ONLY, "b.conf", False)


def test_a_block_says_where_it_is() -> None:
    (site,) = proxies(server("location /x { proxy_pass http://x; }")).all
    block = site.passes[0].block
    assert isinstance(block, Block)
    assert block.title == "location /x"
    enclosing = block.enclosing("server")
    assert enclosing is not None
    assert enclosing.anchor == site.location
    assert block.is_whole


# --- other proxies ----------------------------------------------------------------------------------------------------

HAPROXY = """\
defaults
    mode http
    {defaults}
frontend www
    bind *:80
    default_backend app
backend app
    {backend}
    server web1 web1:3000 check cookie a
    server web2 unix@/run/web2.sock
"""


def haproxy(defaults: str = "", backend: str = "") -> Proxy:
    return only({"haproxy.cfg": HAPROXY.format(defaults=defaults, backend=backend)})


def test_haproxy() -> None:
    proxy = haproxy()
    assert (proxy.kind, proxy.name) == ("haproxy", "frontend www")
    assert [target[:3] for target in proxy.targets] == [("web1", "3000", ""), ("", "", "/run/web2.sock")]
    assert (proxy.compression, proxy.caches, proxy.affinity) == (Compression.NONE, False, False)
    assert proxy.headers is not None
    assert sorted(proxy.headers) == ["host"]


def test_what_haproxy_does() -> None:
    proxy = haproxy("option forwardfor\n    compression algo gzip", "balance source")
    assert proxy.compression is Compression.FULL
    assert proxy.affinity
    assert proxy.headers is not None
    assert "x-forwarded-for" in proxy.headers
    assert haproxy(backend="cookie id insert").affinity
    assert haproxy(backend="http-request cache-use main").caches


def test_haproxy_for_tcp_is_no_proxy_here() -> None:
    assert proxies({"haproxy.cfg": "listen db\n  mode tcp\n  bind :1\n  server a a:1\n"}).all == []


def test_a_backend_that_is_not_here() -> None:
    proxy = only({"haproxy.cfg": "frontend www\n  mode http\n  bind :80\n  use_backend %[path] if x\n"})
    assert proxy.headers is None
    assert not proxy.targets[0].is_known


VARNISH = 'vcl 4.1;\nbackend default {{ .host = "web"; .port = "3000"; }}\nsub vcl_recv {{ {recv} }}\n'


@pytest.mark.parametrize(
    ("recv", "caches"),
    [
        ("", True),
        ("return (pass);", False),
        ('if (req.url ~ "^/api") { return (pass); }', True),
        ('if (req.url ~ "^/static") { return (hash); } return (pass);', True),
        ("set req.url = req.url; return(pipe);", False),
    ],
)
def test_varnish(recv: str, caches: bool) -> None:
    proxy = only({"default.vcl": VARNISH.format(recv=recv)})
    assert (proxy.kind, proxy.caches, proxy.compression) == ("varnish", caches, Compression.NONE)
    assert [target[:2] for target in proxy.targets] == [("web", "3000")]


@pytest.mark.parametrize(
    ("inside", "state"),
    [
        ("encode gzip\n", Compression.FULL),
        ("", Compression.NONE),
        ("import here\n", Compression.FULL),
        ("import elsewhere\n", Compression.UNKNOWN),
    ],
)
def test_caddy(inside: str, state: Compression) -> None:
    proxy = only(
        {
            "Caddyfile": f"(here) {{\n encode zstd\n}}\nshop.example {{\n {inside} reverse_proxy /api/* web:3000 :8080\n}}\n"
        }
    )
    assert (proxy.kind, proxy.name, proxy.compression) == ("caddy", "shop.example", state)
    assert [target[:2] for target in proxy.targets] == [("web", "3000"), ("localhost", "8080")]


@pytest.mark.parametrize(
    ("labels", "state"),
    [
        ("", Compression.NONE),
        (
            "- traefik.http.routers.web.middlewares=small\n      - traefik.http.middlewares.small.compress=true",
            Compression.FULL,
        ),
        ("- traefik.http.routers.web.middlewares=all@file", Compression.UNKNOWN),
    ],
)
def test_traefik(labels: str, state: Compression) -> None:
    compose = f"""\
services:
  web:
    build: .
    labels:
      - traefik.http.routers.web.rule=Host(`shop.example`)
      - traefik.http.services.web.loadbalancer.server.port=3000
      {labels}
"""
    files = {**SERVICE, "docker-compose.yml": compose}
    proxy = only(files)
    assert (proxy.kind, proxy.name, proxy.compression) == ("traefik", "router web", state)
    assert fronts(files) == [("router web", True)]


def test_a_container_that_traefik_does_not_serve() -> None:
    compose = "services:\n  web:\n    build: .\n    labels:\n      traefik.enable: 'false'\n      traefik.http.routers.web.rule: x\n"
    assert proxies({**SERVICE, "docker-compose.yml": compose}).all == []

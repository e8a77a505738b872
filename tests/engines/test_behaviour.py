"""What the rules say that a proxy does, it does; and after prodlint's fix it does not any more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.engines.processes import Service, free_port, get, running, service
from tests.pages import fix

APP = {
    "app.js": "require('express')().listen(3000);\n",
    "package.json": '{"name": "shop", "dependencies": {"express": "4"}, "scripts": {"start": "node app.js"}}',
}


def fixed(rule: str, path: str, text: str) -> str:
    """A file after the fixes of a rule, which have to change it."""
    settings: Mapping[str, object] = {"select": [rule]}
    files, withheld = fix({**APP, path: text}, settings, rule)
    assert not withheld
    assert files[path] != text
    return files[path]


def nginx_text(port: int, upstream: Service, folder: Path, http: str = "", server: str = "", location: str = "") -> str:
    return f"""\
daemon off;
user root;
pid {folder}/nginx.pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    {http}
    server {{
        listen 127.0.0.1:{port};
        {server}
        location / {{
            {location}
            proxy_pass http://127.0.0.1:{upstream.port};
        }}
    }}
}}
"""


def encodings(text: str, port: int, folder: Path) -> tuple[str | None, ...]:
    """How nginx with this configuration sends a page, JSON, and JSON to a client behind another proxy."""
    path = folder / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    with running(port, "nginx", "-p", str(folder), "-c", str(path)):
        answers = get(port, "/page"), get(port), get(port, Via="1.1 cdn")
    return tuple(answer.getheader("Content-Encoding") for answer in answers)


@pytest.mark.needs("nginx", package="nginx-light")
def test_nginx_compresses_nothing_unless_told(tmp_path: Path) -> None:
    port = free_port()
    with service() as upstream:
        text = nginx_text(port, upstream, tmp_path)
        assert encodings(text, port, tmp_path) == (None, None, None)
        assert encodings(fixed("proxy-gzip-off", "nginx.conf", text), port, tmp_path) == ("gzip", "gzip", "gzip")


@pytest.mark.needs("nginx", package="nginx-light")
def test_gzip_alone_is_for_html(tmp_path: Path) -> None:
    port = free_port()
    with service() as upstream:
        text = nginx_text(port, upstream, tmp_path, http="gzip on;")
        assert encodings(text, port, tmp_path) == ("gzip", None, None)
        assert encodings(fixed("gzip-types-missing", "nginx.conf", text), port, tmp_path) == ("gzip", "gzip", None)


def seen_by_the_service(text: str, port: int, upstream: Service, folder: Path) -> dict[str, str]:
    """What a service gets to see of a client that a trusted proxy at 192.0.2.7 hands on."""
    path = folder / "nginx.conf"
    path.write_text(text, encoding="utf-8")
    with running(port, "nginx", "-p", str(folder), "-c", str(path)):
        get(port, X_Forwarded_For="192.0.2.7")
    names = ("host", "x-forwarded-for", "x-tenant")
    return {name: value for name, value in upstream.requests[-1].items() if name in names}


@pytest.mark.needs("nginx", package="nginx-light")
def test_nginx_says_nothing_about_the_client_unless_told(tmp_path: Path) -> None:
    port = free_port()
    with service() as upstream:
        address = f"127.0.0.1:{upstream.port}"
        text = nginx_text(port, upstream, tmp_path)
        assert seen_by_the_service(text, port, upstream, tmp_path)["host"] == address
        text = fixed("missing-proxy-headers", "nginx.conf", text)
        assert seen_by_the_service(text, port, upstream, tmp_path) == {
            "host": "shop.example",
            "x-forwarded-for": "192.0.2.7, 127.0.0.1",
        }


@pytest.mark.needs("nginx", package="nginx-light")
def test_one_header_drops_all_that_are_inherited(tmp_path: Path) -> None:
    port = free_port()
    outer = "proxy_set_header Host $host; proxy_set_header X-Forwarded-For $remote_addr;"
    with service() as upstream:
        plain = nginx_text(port, upstream, tmp_path, server=outer)
        wanted = {"host": "shop.example", "x-forwarded-for": "127.0.0.1"}
        assert seen_by_the_service(plain, port, upstream, tmp_path) == wanted
        text = nginx_text(port, upstream, tmp_path, server=outer, location="proxy_set_header X-Tenant a;")
        assert seen_by_the_service(text, port, upstream, tmp_path) == {
            "host": f"127.0.0.1:{upstream.port}",
            "x-forwarded-for": "192.0.2.7",
            "x-tenant": "a",
        }
        text = fixed("proxy-headers-dropped", "nginx.conf", text)
        assert seen_by_the_service(text, port, upstream, tmp_path) == {**wanted, "x-tenant": "a"}


@pytest.mark.needs("haproxy", package="haproxy")
def test_haproxy_sends_requests_to_servers_that_are_down(tmp_path: Path) -> None:
    port, dead = free_port(), free_port()
    path = tmp_path / "haproxy.cfg"
    with service() as upstream:
        text = f"""\
defaults
    mode http
    timeout connect 1s
    timeout client 5s
    timeout server 5s
    retries 0
listen app
    bind 127.0.0.1:{port}
    server web1 127.0.0.1:{dead} inter 50ms fall 1
    server web2 127.0.0.1:{upstream.port} inter 50ms
"""
        path.write_text(text, encoding="utf-8")
        with running(port, "haproxy", "-db", "-f", str(path)):
            assert {get(port).status for _ in range(6)} == {200, 503}
        path.write_text(fixed("no-backend-check", "haproxy.cfg", text), encoding="utf-8")
        with running(port, "haproxy", "-db", "-f", str(path)):
            statuses = [get(port).status for _ in range(2)]
            while 503 in statuses[-2:] and len(statuses) < 2000:
                statuses.append(get(port).status)
            assert [get(port).status for _ in range(6)] == [200] * 6


@pytest.mark.needs("varnishd", package="varnish")
@pytest.mark.parametrize(
    ("recv", "asked"), [("return (pass);", 3), ('if (req.url ~ "^/account/") { return (pass); }', 1)]
)
def test_varnish_keeps_nothing_of_what_is_passed(recv: str, asked: int, tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "default.vcl"
    with service() as upstream:
        backend = f'backend default {{ .host = "127.0.0.1"; .port = "{upstream.port}"; }}'
        path.write_text(f"vcl 4.1;\n{backend}\nsub vcl_recv {{ {recv} }}\n", encoding="utf-8")
        command = (
            "varnishd",
            "-F",
            "-j",
            "none",
            "-f",
            str(path),
            "-a",
            f"127.0.0.1:{port}",
            "-n",
            str(tmp_path / "work"),
        )
        with running(port, *command):
            for _ in range(3):
                assert get(port).status == 200
        assert len(upstream.requests) == asked


@pytest.mark.needs("nginx", package="nginx-light")
@pytest.mark.parametrize(("buffering", "asked"), [("off", 3), ("on", 1)])
def test_nginx_keeps_nothing_without_buffering(buffering: str, asked: int, tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "nginx.conf"
    with service() as upstream:
        zone = f"proxy_cache_path {tmp_path}/cache keys_zone=pages:1m;"
        inside = f"proxy_cache pages; proxy_buffering {buffering};"
        path.write_text(nginx_text(port, upstream, tmp_path, http=zone, location=inside), encoding="utf-8")
        with running(port, "nginx", "-p", str(tmp_path), "-c", str(path)):
            for _ in range(3):
                assert get(port).status == 200
        assert len(upstream.requests) == asked

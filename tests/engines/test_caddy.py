"""Caddy reads Caddyfiles as prodlint does, and does for the service behind it what prodlint takes for granted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prodlint.analysis.session import Session
from prodlint.program.proxies import Compression, proxies_in
from tests.engines.processes import free_port, get, run, running, service

CADDYFILES = {
    "a site without braces": "shop.example\n\nreverse_proxy web:3000\n",
    "snippets and matchers": """\
{
    email admin@shop.example
}

(compressed) {
    encode zstd gzip # both
}

shop.example, www.shop.example {
    import compressed
    @api path /api/*
    handle @api {
        reverse_proxy api:8000 api2:8000 {
            lb_policy ip_hash
            health_uri /healthz
        }
    }
    header X-Robots-Tag "no index"
    reverse_proxy /static/* files:80
    reverse_proxy web:3000
}
""",
    "several sites": """\
one.example {
    reverse_proxy unix//run/one.sock
}

two.example {
    encode gzip
    route /app/* {
        uri strip_prefix /app
        reverse_proxy localhost:8080
    }
}

:8081 {
    respond `{"a": 1}`
}
""",
    "to in a block": "shop.example {\n    reverse_proxy {\n        to web:3000 web2:3000\n    }\n}\n",
    "a policy that is no cookie": "shop.example {\n    reverse_proxy a:1 b:1 {\n        lb_policy round_robin\n    }\n}\n",
}
STICKY = {"ip_hash", "client_ip_hash", "cookie", "header", "uri_hash"}


def adapted(text: str, folder: Path) -> Any:
    """What Caddy makes of a Caddyfile."""
    path = folder / "Caddyfile"
    path.write_text(text, encoding="utf-8")
    result = run("caddy", "adapt", "--adapter", "caddyfile", "--config", str(path))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def handlers(data: Any, name: str) -> Iterator[Any]:
    """All handlers of a name, wherever they are."""
    if isinstance(data, dict):
        if data.get("handler") == name:
            yield data
        data = list(data.values())
    for each in data if isinstance(data, list) else ():
        yield from handlers(each, name)


@pytest.mark.needs("caddy", package="caddy")
@pytest.mark.parametrize("title", CADDYFILES)
def test_caddy_passes_on_where_prodlint_says(title: str, tmp_path: Path) -> None:
    text = CADDYFILES[title]
    servers = adapted(text, tmp_path)["apps"]["http"]["servers"].values()
    sites = [route for server in servers for route in server["routes"]]
    real = sorted(
        (
            sorted(each["dial"] for found in handlers(site, "reverse_proxy") for each in found["upstreams"]),
            any(handlers(site, "encode")),
            any(
                found.get("load_balancing", {}).get("selection_policy", {}).get("policy") in STICKY
                for found in handlers(site, "reverse_proxy")
            ),
        )
        for site in sites
        if any(handlers(site, "reverse_proxy"))
    )
    proxies = proxies_in(Session.from_memory({"Caddyfile": text}).program).all
    ours = sorted(
        (
            sorted(
                f"unix/{each.socket}" if each.socket else f"{each.host}:{each.port}"
                for each in proxy.targets
                if each.is_known
            ),
            proxy.compression is Compression.FULL,
            bool(proxy.affinity),
        )
        for proxy in proxies
    )
    assert ours == real


@pytest.mark.needs("caddy", package="caddy")
@pytest.mark.parametrize("encode", ["encode gzip", ""])
def test_caddy_tells_about_the_client_and_compresses_if_told(encode: str, tmp_path: Path) -> None:
    port = free_port()
    path = tmp_path / "Caddyfile"
    with service() as upstream:
        site = f"http://shop.example:{port}"
        text = f"{site} {{\n{encode}\nreverse_proxy 127.0.0.1:{upstream.port}\n}}\n"
        path.write_text(f"{{\nadmin off\n}}\n{text}", encoding="utf-8")
        command = ("caddy", "run", "--adapter", "caddyfile", "--config", str(path))
        with running(port, *command, HOME=str(tmp_path), XDG_DATA_HOME=str(tmp_path)):
            answers = get(port, "/page", Host=f"shop.example:{port}"), get(port, Host=f"shop.example:{port}")
        assert [answer.status for answer in answers] == [200, 200]
        (proxy,) = proxies_in(Session.from_memory({"Caddyfile": text}).program).all
        wanted = "gzip" if proxy.compression is Compression.FULL else None
        assert [answer.getheader("Content-Encoding") for answer in answers] == [wanted, wanted]
        seen = upstream.requests[-1]
        assert seen["host"] == f"shop.example:{port}"
        assert seen["x-forwarded-for"] == "127.0.0.1"
        assert seen["x-forwarded-proto"] == "http"
        assert proxy.headers is not None
        assert set(proxy.headers) <= set(seen)

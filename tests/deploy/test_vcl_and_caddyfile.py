"""Varnish's and Caddy's configuration: what the readers see of it; and files that are broken."""

from __future__ import annotations

import pytest

from prodlint.extract.deployment import classify
from tests.deploy.conftest import artefact, facts_of, values

VCL = """\
vcl 4.1;
import std;
include "devices.vcl";

// the app
backend web {
    .host = "app";
    .port = "3000";
    .probe = { .url = "/"; .interval = 5s; }
}

sub vcl_recv {
    if (req.url ~ "^/api/") { # not these
        return (pass);
    }
    unset req.http.Cookie;
    /* all } others */
    return (hash);
}

sub vcl_backend_response {
    set beresp.ttl = 1h;
}
"""


def test_vcl() -> None:
    facts = facts_of("vcl", VCL)
    assert [(each.kind, each.name) for each in facts.artefacts] == [
        ("file", ""),
        ("backend", "backend web"),
        ("sub", "sub vcl_recv"),
        ("sub", "sub vcl_backend_response"),
    ]
    assert values(artefact(facts, "")) == {"include": "devices.vcl"}
    assert values(artefact(facts, "backend web")) == {"host": "app", "port": "3000"}
    assert [(setting.key, setting.value) for setting in artefact(facts, "sub vcl_recv").settings] == [
        ("perhaps", "return(pass)"),
        ("statement", "unset req.http.Cookie"),
        ("statement", "return(hash)"),
    ]


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00", b"sub vcl_recv {", b'"', b'{"', b"/*", b"}", b";", b"backend", b"C{ int x; }C", b"\xef\xbb\xbf"],
)
def test_broken_vcl_does_not_make_it_fail(data: bytes) -> None:
    facts_of("vcl", data)


def test_vcl_without_an_end_is_said() -> None:
    facts = facts_of("vcl", 'sub vcl_recv {\n  set req.url = "/";\n  return (pass')
    assert [problem.message for problem in facts.problems] == ["`sub` does not end"]


CADDYFILE = """\
{
    email admin@example.org
}

(compressed) {
    encode zstd gzip
}

shop.example.org, www.shop.example.org {
    import compressed # as all sites
    handle /api/* {
        reverse_proxy web:3000 {
            lb_policy ip_hash
        }
    }
    header "X-Robots-Tag" `no index`
}
"""


def test_caddyfile() -> None:
    facts = facts_of("caddyfile", CADDYFILE)
    assert [(each.kind, each.name) for each in facts.artefacts] == [
        ("options", ""),
        ("snippet", "(compressed)"),
        ("site", "shop.example.org, www.shop.example.org"),
    ]
    assert values(artefact(facts)) == {
        "import": '["compressed"]',
        "handle": '["/api/*"]',
        "reverse_proxy": '["web:3000"]',
        "lb_policy": '["ip_hash"]',
        "header": '["X-Robots-Tag", "no index"]',
    }


def test_a_caddyfile_without_braces() -> None:
    facts = facts_of("caddyfile", "example.org\n\nreverse_proxy localhost:3000\nencode gzip\n")
    assert values(artefact(facts, "example.org")) == {"reverse_proxy": '["localhost:3000"]', "encode": '["gzip"]'}


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"{", b"}", b'"', b"`", b"a {", b"a {\n b {\n", b"\xef\xbb\xbfa", b"}}}\n{"]
)
def test_broken_caddyfiles_do_not_make_it_fail(data: bytes) -> None:
    facts_of("caddyfile", data)


def test_files() -> None:
    assert classify("varnish/default.vcl") == "vcl"
    assert classify("Caddyfile") == "caddyfile"
    assert classify("Caddyfile.prod") == "caddyfile"
    assert classify("Caddyfile.md") is None

"""HAProxy configuration: sections, words, places; and files that are broken."""

from __future__ import annotations

import pytest

from prodlint.extract.deployment import classify, classify_content
from tests.deploy.conftest import artefact, facts_of, values


def test_sections() -> None:
    text = """\
        global
            maxconn 100
        defaults
            mode http
            timeout client 30s # half a minute
        frontend www
            bind *:80
            default_backend app
        backend app
            server web1 web1:3000 check
            server web2 "web 2":3000
        """
    facts = facts_of("haproxy", text)
    assert [(each.kind, each.name, each.parent) for each in facts.artefacts] == [
        ("global", "global", ""),
        ("defaults", "defaults", ""),
        ("frontend", "frontend www", "defaults"),
        ("backend", "backend app", "defaults"),
    ]
    assert values(artefact(facts, "defaults")) == {"mode": '["http"]', "timeout": '["client", "30s"]'}
    assert [setting.value for setting in artefact(facts, "backend app").settings] == [
        '["web1", "web1:3000", "check"]',
        '["web2", "web 2:3000"]',
    ]


def test_defaults_hand_down_to_what_follows_or_names_them() -> None:
    text = "defaults a\n mode http\ndefaults b from a\n retries 1\nlisten x\n bind :1\nlisten y from a\n bind :2\n"
    facts = facts_of("haproxy", text)
    assert [(each.name, each.parent) for each in facts.artefacts] == [
        ("defaults a", ""),
        ("defaults b", "defaults a"),
        ("listen x", "defaults b"),
        ("listen y", "defaults a"),
    ]


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (r"a b\ c", '["b c"]'),
        ("a 'b # c'", '["b # c"]'),
        ('a "b \\"c\\""', '["b \\"c\\""]'),
        ("a b#c", '["b"]'),
        ("a b #c", '["b"]'),
    ],
)
def test_words(line: str, value: str) -> None:
    facts = facts_of("haproxy", f"listen x\n  {line}\n")
    assert values(artefact(facts))["a"] == value


def test_templates_are_unknown() -> None:
    facts = facts_of("haproxy", "backend app\n  server web {{ host }}:80 check\n  balance roundrobin\n")
    assert values(artefact(facts)) == {"server": None, "balance": '["roundrobin"]'}


def test_ignore_comments() -> None:
    facts = facts_of("haproxy", "backend app # prodlint: ignore[no-backend-check] tests\n  server a a:1\n")
    assert [(each.rules, each.line) for each in facts.directives] == [(["no-backend-check"], 1)]


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"\xef\xbb\xbf", b"'", b'backend "', b"\\", b"backend\r\n  server\r\n", b"{{"]
)
def test_nothing_makes_it_fail(data: bytes) -> None:
    facts_of("haproxy", data)


def test_windows_line_endings_and_a_byte_order_mark() -> None:
    facts = facts_of("haproxy", b"\xef\xbb\xbfbackend app\r\n  server web web:1 check\r\n")
    assert values(artefact(facts, "backend app")) == {"server": '["web", "web:1", "check"]'}


def test_files() -> None:
    assert classify("haproxy/haproxy.cfg") == "haproxy"
    assert classify("haproxy.prod.cfg.j2") == "haproxy"
    assert classify_content("x.cfg", b"defaults\n  mode http\n\nfrontend www\n  bind *:80\n") == "haproxy"
    assert classify_content("x.cfg", b"[flake8]\nmax-line-length = 100\n") is None

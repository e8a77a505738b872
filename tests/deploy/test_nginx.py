"""nginx configuration: tokens, blocks, places; and files that are broken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from prodlint.extract.deployment import classify, classify_content, may_be, nginx
from prodlint.project.discovery import kind_of
from prodlint.project.vfs import FileSystem
from tests.deploy.conftest import artefact, facts_of, values


def read(text: str | bytes) -> list[tuple[str, ...]]:
    data = text.encode() if isinstance(text, str) else text
    return [(directive.name, *(word.text for word in directive.args)) for directive in nginx.scan(data).directives]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gzip on;", [("gzip", "on")]),
        ("a 'b c' \"d;{}#\";", [("a", "b c", "d;{}#")]),
        (r'a "say \"hi\"" it\ s;', [("a", 'say "hi"', r"it\ s")]),
        ("a b # c;\n d;", [("a", "b", "d")]),
        ("a b#c;", [("a", "b#c")]),
        ("a ${host}x $host;", [("a", "${host}x", "$host")]),
        ("a b}c;", [("a", "b}c")]),
        ("location ~ \\.php$ { a; }", [("location", "~", r"\.php$"), ("a",)]),
        ('location ~ "^/[a-z]{2}/" { }', [("location", "~", "^/[a-z]{2}/")]),
        ("log_format x '$a '\n  '$b';", [("log_format", "x", "$a ", "$b")]),
        ("a\r\n  b;\r\n", [("a", "b")]),
        ("a\tb;c d;", [("a", "b"), ("c", "d")]),
        ("\ufeffa b;", [("a", "b")]),
    ],
)
def test_words_are_those_that_nginx_reads(text: str, expected: list[tuple[str, ...]]) -> None:
    assert read(text) == expected


def test_lua_is_read_over() -> None:
    text = (
        'content_by_lua_block {\n  -- }\n  local t = {a = "}", b = [[ } ]]}\n  if t then ngx.say("{") end\n}\ngzip on;'
    )
    assert [name for name, *_ in read(text)] == ["content_by_lua_block", "gzip"]


def test_places() -> None:
    text = "http {\n  server { # x\n    gzip 'on';\n  }\n}\n"
    found = nginx.scan(text.encode()).directives
    assert [text[each.start : each.end] for each in found] == [
        text.strip(),
        "server { # x\n    gzip 'on';\n  }",
        "gzip 'on';",
    ]
    assert [text[each.start : each.head_end] for each in found] == ["http", "server", "gzip 'on'"]
    assert [each.parent for each in found] == [-1, 0, 1]
    assert found[1].body is not None
    assert text[slice(*found[1].body)] == " # x\n    gzip 'on';\n  "
    (word,) = found[2].args
    assert text[word.start : word.end] == "'on'"


# --- facts ------------------------------------------------------------------------------------------------------------


def test_blocks_become_artefacts() -> None:
    facts = facts_of("nginx", "http { gzip on; server { location / { a b 'c d'; } location /x { } } server { } }")
    assert [(each.kind, each.name, each.parent) for each in facts.artefacts] == [
        ("file", "", ""),
        ("http", "http", ""),
        ("server", "http/server", "http"),
        ("location", "http/server/location", "http/server"),
        ("location", "http/server/location#2", "http/server"),
        ("server", "http/server#2", "http"),
    ]
    assert values(artefact(facts, "http")) == {"args": "[]", "gzip": '["on"]'}
    assert values(artefact(facts, "http/server/location")) == {"args": '["/"]', "a": '["b", "c d"]'}


def test_tables_are_data() -> None:
    facts = facts_of("nginx", "map $a $b { include x; default 1; } gzip on;")
    assert values(artefact(facts, "map")) == {"args": '["$a", "$b"]'}
    assert values(artefact(facts, "")) == {"gzip": '["on"]'}


def test_templates_are_unknown() -> None:
    text = "server {\n  {% if tls %}\n  listen 443;\n  {% endif %}\n  server_name {{ name }} x;\n  proxy_pass http://{{ a }}:{{ b }};\n}\n"
    facts = facts_of("nginx", text)
    assert not facts.problems
    settings = [(setting.key, setting.value) for setting in artefact(facts, "server").settings]
    assert ("listen", '["443"]') in settings
    assert ("server_name", None) in settings
    assert ("proxy_pass", None) in settings
    assert settings.count(("include", None)) == 2


def test_a_variable_in_place_of_directives_may_bring_anything() -> None:
    facts = facts_of("nginx", "server { ${EXTRA}; listen ${PORT}; }")
    assert [(setting.key, setting.value) for setting in artefact(facts, "server").settings] == [
        ("args", "[]"),
        ("include", None),
        ("listen", '["${PORT}"]'),
    ]


def test_ignore_comments() -> None:
    facts = facts_of("nginx", "server {\n  # prodlint: ignore[proxy-gzip-off] small\n  listen 80;\n}\n")
    assert [(each.rules, each.line) for each in facts.directives] == [(["proxy-gzip-off"], 3)]


# --- broken files -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("http {\n  server {\n    listen 80;\n", "the block of `http` is not closed"),
        ("a 'b;\nserver { }\n", "a quote is not closed"),
        ("server { listen 80 }", "`listen` does not end with a semicolon"),
        ("server { } }", "a closing brace without a block"),
        ("{ }", "a block without a name"),
        ("gzip on", "`gzip` does not end with a semicolon"),
    ],
)
def test_what_is_broken_is_said(text: str, message: str) -> None:
    facts = facts_of("nginx", text)
    assert message in [problem.message for problem in facts.problems]
    for problem in facts.problems:
        assert 0 <= problem.start <= problem.end <= len(text)


@pytest.mark.parametrize(
    "data", [b"", b"\x00", b"a\x00b;", b"\xff\xfe;", b"\\", b"'", b'"\\', b"${", b"{{", b"{%", b";;;", b"}" * 9]
)
def test_nothing_makes_it_fail(data: bytes) -> None:
    facts_of("nginx", data)


def test_blocks_without_end() -> None:
    facts = facts_of("nginx", b"a {" * 50_000)
    assert len(facts.artefacts) <= 102


def test_a_very_long_map() -> None:
    data = b"map $uri $new {\n" + b"  /old/page/of/the/site /new/page;\n" * 150_000 + b"}\nserver { listen 80; }\n"
    assert len(data) > 5_000_000
    facts = facts_of("nginx", data)
    assert [each.kind for each in facts.artefacts] == ["file", "map", "server"]


# --- which files ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path", ["nginx.conf", "deploy/nginx.prod.conf", "nginx.conf.template", "shop.nginx", "etc/proxy_params"]
)
def test_files_known_by_name(path: str) -> None:
    assert classify(path) == "nginx"


SERVER = b"# shop\nserver {\n    listen 80;\n    location / {\n        proxy_pass http://app:3000;\n    }\n}\n"


@pytest.mark.parametrize(
    "path",
    [
        "conf.d/shop.conf",
        "default.conf",
        "default.conf.template",
        "etc/sites-available/shop",
        "nginx/shop",
        "shop.vhost",
    ],
)
def test_files_known_by_content(path: str) -> None:
    assert classify(path) is None
    assert may_be(path)
    assert kind_of(path, FileSystem(None, {path: SERVER})) == "nginx"
    assert kind_of(path, FileSystem(None, {path: b"[mysqld]\nport = 3306\n"})) is None


@pytest.mark.parametrize("path", ["shop/readme", "notes.txt", "conf.d/readme.md", "nginx/Makefile.am"])
def test_files_that_nobody_opens(path: str) -> None:
    assert not may_be(path)


@pytest.mark.parametrize(
    "text",
    [
        b"[Unit]\nDescription=x\n",
        b"<VirtualHost *:80>\n  ProxyPass / http://localhost:3000/\n</VirtualHost>\n",
        b"server = example.org\nproxy_pass = x\n",
        b"input { beats { port => 5044 } }\nfilter {\n}\n",
    ],
)
def test_other_configuration_is_none(text: bytes) -> None:
    assert classify_content("x.conf", text) is None


CONFIGURATIONS = [
    SERVER.decode(),
    "http { map $a $b { default 1; '~^x{2}' 2; } server { if ($a = 'b c') { return 301 \"https://$host\"; } } }",
    "events{}\nhttp{gzip on;\n#x\nlog_format m '{\"a\":\"$b\"}' # y\n 'z';}\n",
    "a \"b\" 'c' d'e' f\\ g;\r\nd {\r\n}\r\n",
    "stream { upstream db { server db:5432; } server { listen 1; proxy_pass db; } }",
]


@pytest.mark.parametrize("text", CONFIGURATIONS)
def test_the_reader_agrees_with_crossplane(text: str, tmp_path: Path) -> None:
    crossplane = pytest.importorskip(
        "crossplane", reason="nginx's own parser in Python (`crossplane`) is not installed"
    )
    path = tmp_path / "nginx.conf"
    path.write_bytes(text.encode())
    result = crossplane.parse(str(path), single=True, check_ctx=False, check_args=False)
    assert result["status"] == "ok"
    assert list(_flat(result["config"][0]["parsed"])) == [_comparable(*each) for each in read(text)]


def _flat(block: list[dict[str, Any]]) -> Iterator[tuple[str, ...]]:
    for directive in (each for each in block if each["directive"] != "#"):
        yield _comparable(directive["directive"], *directive["args"])
        yield from _flat(directive.get("block", []))


def _comparable(name: str, *args: str) -> tuple[str, ...]:
    """A directive; crossplane takes the parentheses off the arguments of `if`."""
    if name != "if":
        return (name, *args)
    return (name, " ".join(args).removeprefix("(").removesuffix(")").strip())

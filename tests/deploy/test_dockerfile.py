"""The Dockerfile reader, checked against Docker's own parser."""

from __future__ import annotations

import json
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.extract.deployment.dockerfile import scan
from tests.deploy.conftest import artefact, facts_of, values


def official() -> Any:
    return pytest.importorskip("dockerfile", reason="Docker's own parser (the package `dockerfile`) is not installed")


FILES = [
    "FROM node:22\nCMD node x\n",
    'FROM node\nRUN a && \\\n    b \\\n# comment\n\n    c\nCMD ["x"]',
    "# escape=`\nFROM x\nRUN a `\n b\nCOPY a\\ b c\n",
    "#syntax=docker/dockerfile:1\n# escape = `\n\nFROM x\nRUN dir `\n  c:\\\n",
    "# a comment ends the directives\n# escape=`\nFROM x\nRUN a \\\n b\n",
    "FROM x\nENV A=1 B=\"two words\" C='x' \\\n  D=e\\ f\nENV OLD some value here\n",
    "FROM x\nRUN <<EOF\nFROM y\nCMD z\nEOF\nCMD a\n",
    "FROM x\nRUN <<-'EOT' cat >f && echo b\n\tFROM y\n\tEOT\nCMD a\n",
    "FROM x\nCOPY <<one <<two /t/\nhello\none\nthere\ntwo\nUSER a\n",
    'FROM x\nRUN echo "<<EOF"\nUSER a\n',
    "FROM x\nRUN cat <<< word\nUSER a\n",
    "FROM --platform=linux/amd64 node AS b\nCOPY --from=a --chown=a:b x y\nHEALTHCHECK --interval=5s CMD curl x\n",
    "ARG V=1\nFROM node:$V\nARG V\nEXPOSE 80 81/udp\n",
    "from node\r\nrun a \\\r\n  b\r\ncmd x\r\n",
    "  FROM x\n\tRUN y\n   # indented comment\n  CMD z\n",
    "FROM x\nONBUILD RUN <<EOF\nUSER y\nEOF\nUSER z\n",
    "FROM x\nRUN a \\   \n  b\nUSER c\n",
    "\ufeffFROM x\nUSER y\n",
    "FROM x\nRUN a \\\n",
    "FROM x\nRUN a \\",
    "FROM x\nENV\tA\tb\n",
]


def told(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(each.name, each.line, each.flags) for each in scan(text.encode())]


def told_officially(text: str) -> list[tuple[str, int, tuple[str, ...]]]:
    return [(each.cmd.upper(), each.start_line, tuple(each.flags)) for each in official().parse_string(text)]


@pytest.mark.parametrize("text", FILES)
def test_instructions_are_those_of_the_official_parser(text: str) -> None:
    assert told(text) == told_officially(text)


_LINES = st.sampled_from(
    [
        "RUN a", "RUN a \\", "  b \\", "# comment", "", "    ", "ENV A=b C=d", "ENV A b c", "COPY a b",
        "CMD [\"x\", \"y\"]",
        "CMD x y", "RUN <<EOF", "EOF", "RUN cat <<-'END' | sh", "\tEND", "END", "FROM node AS b", "ARG X=\"1 2\"",
        "RUN echo '<<EOF'", "ENTRYPOINT [ \"a\" ]", "USER ü", "EXPOSE 80", "RUN x <<A <<B", "A", "B", "ENV X='a b' \\",
    ]
)  # fmt: skip


@settings(max_examples=400)
@given(st.lists(_LINES, max_size=12), st.booleans())
def test_generated_files(lines: list[str], ends: bool) -> None:
    parser = official()
    text = "\n".join(["FROM node", *lines]) + "\n" * ends
    try:
        expected = told_officially(text)
    except parser.GoParseError:
        scan(text.encode())
        return
    assert told(text) == expected


@settings(max_examples=200)
@given(st.lists(st.text("ab \"'\\$=", max_size=8), min_size=1, max_size=3))
def test_generated_env_values(texts: list[str]) -> None:
    parser = official()
    text = "FROM x\nENV " + " ".join(f"K{number}={value}" for number, value in enumerate(texts)) + "\n"
    try:
        expected = next(each for each in parser.parse_string(text) if each.cmd.upper() == "ENV").value[::2]
    except (parser.GoParseError, StopIteration):
        return
    stage = artefact(facts_of("dockerfile", text.encode()))
    assert [setting.key for setting in stage.settings if setting.key.startswith("env.")] == [
        f"env.{name}" for name in expected
    ]


@given(st.binary(max_size=80))
def test_any_bytes(data: bytes) -> None:
    for each in scan(b"FROM x\n" + data):
        assert 0 <= each.start <= each.end <= len(data) + 7


def test_offsets() -> None:
    data = 'FROM nöde\nENV A=ä \\\n  # comment\n  NODE_ENV="production"\nCMD x\n'.encode()
    (stage,) = facts_of("dockerfile", data).artefacts
    places = {setting.key: data[setting.start : setting.end].decode() for setting in stage.settings}
    assert places["env.A"] == "ä"
    assert places["env.NODE_ENV"] == '"production"'
    assert places["base_image"] == "nöde"
    assert data[stage.anchor : stage.anchor_end] == b"CMD x"


def test_the_last_of_cmd_and_entrypoint_is_the_anchor() -> None:
    data = b'FROM x\nCMD ["a"]\nENTRYPOINT ["b"]\nUSER y\n'
    stage = artefact(facts_of("dockerfile", data))
    assert data[stage.anchor : stage.anchor_end] == b'ENTRYPOINT ["b"]'


def test_stages_and_what_they_set() -> None:
    facts = facts_of(
        "dockerfile",
        """
        ARG VERSION=22
        FROM node:${VERSION}-slim AS base
        ARG MODE=production
        ENV NODE_ENV=$MODE PORT="80" GREETING='a $MODE' ESCAPED=\\$MODE
        WORKDIR /app

        FROM base
        ENV NEXT=$PORT OPEN=$UNKNOWN
        COPY --from=base --chown=node a b/ /c/
        USER node
        EXPOSE 80/tcp 81
        HEALTHCHECK NONE
        ENTRYPOINT ["tini", "--"]
        CMD npm start
        """,
    )
    base, last = facts.artefacts
    assert (base.name, base.parent, last.name, last.parent) == ("base", "", "1", "base")
    assert values(base) == {
        "base_image": "node:22-slim",
        "arg.MODE": "production",
        "env.NODE_ENV": "production",
        "env.PORT": "80",
        "env.GREETING": "a $MODE",
        "env.ESCAPED": "$MODE",
        "workdir": "/app",
    }
    found = values(last)
    assert (found["env.NEXT"], found["env.OPEN"], found["user"], found["healthcheck"]) == ("80", None, "node", "NONE")
    assert json.loads(found["entrypoint.exec"] or "") == ["tini", "--"]
    assert found["command.shell"] == "npm start"
    assert json.loads(found["copy"] or "") == {"from": "base", "sources": ["a", "b/"], "to": "/c/"}
    assert [setting.value for setting in last.settings if setting.key == "ports"] == ["80/tcp", "81"]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ('CMD ["a", "b"]', "exec"),
        ("CMD ['a', 'b']", "shell"),
        ("CMD [ -f x ] && y", "shell"),
        ("CMD a b", "shell"),
        ("CMD [\n", "shell"),
        ('CMD ["a", \\\n  "b"]', "exec"),
    ],
)
def test_exec_and_shell_form(text: str, form: str) -> None:
    stage = artefact(facts_of("dockerfile", f"FROM x\n{text}\n"))
    assert [setting.key for setting in stage.settings if setting.key.startswith("command")] == [f"command.{form}"]


def test_what_is_no_dockerfile() -> None:
    facts = facts_of("dockerfile", b"RUN x\n")
    assert [problem.message for problem in facts.problems] == ["a Dockerfile starts with FROM"]


def test_a_template_is_not_read_for_more_than_it_says() -> None:
    facts = facts_of("dockerfile", "FROM {{ base }}\nENV NODE_ENV={{ mode }} PORT=80\nCMD x\n")
    assert facts.problems == []
    assert values(artefact(facts), "env.") == {"NODE_ENV": None, "PORT": "80"}


def test_ignore_comments() -> None:
    text = dedent(
        """\
        FROM x
        # prodlint: ignore[production-env-unset] set by the host
        CMD y
        """
    )
    (directive,) = facts_of("dockerfile", text).directives
    assert (directive.rules, directive.line, directive.reason) == (["production-env-unset"], 3, "set by the host")

"""Edits of compose files: the style in use, and what is not edited."""

from __future__ import annotations

from textwrap import dedent

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from prodlint.fixes.text import edited
from prodlint.fixes.yaml import delete_variable, set_variable


def after(text: str, service: str = "web") -> str | None:
    source = dedent(text).encode()
    edits = set_variable("c.yml", source, service, "NODE_ENV", "production")
    return None if edits is None else edited(source, edits).decode()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("environment:\n      A: b", "environment:\n      A: b\n      NODE_ENV: production"),
        ("environment:\n      - A=b", "environment:\n      - A=b\n      - NODE_ENV=production"),
        ("environment:\n    - 'A=b'", "environment:\n    - 'A=b'\n    - 'NODE_ENV=production'"),
        ('environment:\n      -   "A=b"', 'environment:\n      -   "A=b"\n      -   "NODE_ENV=production"'),
        ("environment:\n      A: |\n        x\n        y", "environment:\n      A: |\n        x\n        y\n      NODE_ENV: production"),
        ("environment:\n      NODE_ENV: 'dev'", "environment:\n      NODE_ENV: 'production'"),
        ("environment:\n      NODE_ENV:", "environment:\n      NODE_ENV: production"),
        ("environment:\n      - NODE_ENV=dev # x", "environment:\n      - NODE_ENV=production # x"),
        ("environment:\n      - NODE_ENV", "environment:\n      - NODE_ENV=production"),
        ("environment:", "environment:\n      NODE_ENV: production"),
        ("ports:\n      - 80:80 # x", "ports:\n      - 80:80 # x\n    environment:\n      NODE_ENV: production"),
        ("restart: always # x", "restart: always # x\n    environment:\n      NODE_ENV: production"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("rest", ["\n", "", "\n\n  # the database\n  db:\n    image: x\n", "\nvolumes:\n  a:\n"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_variable_is_set_in_the_style_in_use(before: str, expected: str, rest: str, newline: str) -> None:
    head = "# c\nservices:\n  web:\n    image: x\n    "
    text = f"{head}{before}{rest}".replace("\n", newline)
    source = text.encode()
    edits = set_variable("c.yml", source, "web", "NODE_ENV", "production")
    assert edits is not None
    result = edited(source, edits).decode()
    assert result.count("\n") == result.count(newline)
    assert result.replace("\r\n", "\n") == f"{head}{expected}{rest}"


@pytest.mark.parametrize(
    "comment", ["# {{ ansible_managed }}", "  # see {{ image }}", "# docker ps --format '{{.Names}}' {{ x }}"]
)
def test_a_template_s_mark_in_a_comment_makes_no_template(comment: str) -> None:
    text = f"{comment}\nservices:\n  web:\n    image: x # was {{{{ image }}}}\n"
    assert set_variable("c.yml", text.encode(), "web", "NODE_ENV", "production") is not None


@pytest.mark.parametrize(
    "text",
    [
        "# {{ if .Values.web }}\nservices:\n  web:\n    image: x\n# {{ end }}\n",
        "#{% if web %}\nservices:\n  web:\n    image: x\n#{% endif %}\n",
        "services:\n  web:\n    image: '# {{ x }}'\n",
        "services:\n  web:\n    image: x#{{ x }}\n",
        "services:\n  web: {build: .}\n",
        "services: {web: {build: .}}\n",
        "services:\n  web:\n    environment: {A: b}\n",
        "services:\n  web:\n    environment: [A=b]\n",
        "x: &e {A: b}\nservices:\n  web:\n    environment: *e\n",
        "services:\n  web:\n    environment: &e\n      A: b\n  other:\n    environment: *e\n",
        "x: &x\n  environment:\n    A: b\nservices:\n  web:\n    <<: *x\n    image: y\n",
        "x: &x\n  image: y\nservices:\n  web: *x\n",
        "services:\n  web:\n    image: {{ x }}\n",
        "services:\n  web:\n    image: x\r\n    user: y\n",
        "services:\n  other:\n    image: x\n",
        "services:\n  web:\n",
        "[",
    ],
)
def test_what_is_not_edited(text: str) -> None:
    assert after(text) is None


def test_merged_services_that_have_an_environment_of_their_own_are_edited() -> None:
    text = """\
        x: &x
          image: y
        services:
          web:
            <<: *x
            environment:
              A: b
        """
    assert yaml.safe_load(after(text) or "")["services"]["web"]["environment"] == {"A": "b", "NODE_ENV": "production"}


_NAMES = st.sampled_from(["A", "B", "NODE_ENV", "PORT"])
_VALUES = st.sampled_from(["x", "two words", "", "5", "a: b", "#", "'", "ä", "true"])
_ENVIRONMENTS = (
    st.none()
    | st.dictionaries(_NAMES, _VALUES, min_size=1)
    | st.lists(st.builds("{}={}".format, _NAMES, _VALUES), min_size=1, unique_by=lambda item: item.partition("=")[0])
)


@settings(max_examples=200)
@given(
    st.dictionaries(st.sampled_from(["web", "api", "db"]), _ENVIRONMENTS, min_size=1), st.booleans(), st.integers(2, 6)
)
def test_nothing_else_changes(environments: dict[str, object], sort: bool, indent: int) -> None:
    services = {
        name: {"image": "x", **({"environment": environment} if environment is not None else {}), "user": "1"}
        for name, environment in environments.items()
    }
    text = yaml.safe_dump({"services": services}, sort_keys=sort, indent=indent, allow_unicode=True)
    name = next(iter(services))
    edits = set_variable("c.yml", text.encode(), name, "NODE_ENV", "production")
    assert edits is not None
    found = yaml.safe_load(edited(text.encode(), edits))
    environment = found["services"][name].pop("environment")
    pairs = environment if isinstance(environment, dict) else dict(item.split("=", 1) for item in environment)
    before = services[name].pop("environment", {})
    expected = before if isinstance(before, dict) else dict(item.split("=", 1) for item in before)  # type: ignore[attr-defined]
    assert pairs == {**expected, "NODE_ENV": "production"}
    assert found == {"services": services}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("environment:\n      A: b\n      X: y # z\n", "environment:\n      A: b\n"),
        ("environment:\n      - X=y\n      - A=b\n", "environment:\n      - A=b\n"),
        ("environment:\n      X: y\n", None),
        ("environment: {A: b, X: y}\n", None),
        ("image: x\n", None),
    ],
)
def test_a_variable_is_taken_away(text: str, expected: str | None) -> None:
    head = "services:\n  web:\n    "
    source = f"{head}{text}".encode()
    edits = delete_variable("c.yml", source, "web", "X")
    assert (edits and edited(source, edits).decode()) == (expected and f"{head}{expected}")

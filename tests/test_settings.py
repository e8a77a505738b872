"""Settings: what is found, what is merged, and what a mistake in a configuration is answered with."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from prodlint.findings import Severity
from prodlint.project.hints import Hints
from prodlint.project.settings import (
    DEFAULT_EXCLUDE,
    Choice,
    ConfigError,
    Settings,
    chosen_rules,
    find_config,
    locate,
    parse_settings,
    read_settings,
)
from prodlint.rulebook import Rule


def _rule(name: str, practice: str, status: str = "stable", **data: Any) -> Rule:
    return Rule(name, practice, "Says so.", Severity.WARNING, ("python",), "none", "0.1.0", status, "# page", data)


RULES = {
    rule.name: rule
    for rule in (
        _rule("blocking-call", "blocking", apis={"time.sleep": "asyncio.sleep"}, patterns=["*Sync"], deep=True),
        _rule("require-in-handler", "blocking"),
        _rule("console-logging", "logging"),
        _rule("new-rule", "logging", "preview"),
    )
}


def _read(folder: Path, text: str, name: str = "prodlint.toml") -> Settings:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return read_settings(path, RULES)


def test_defaults(tmp_path: Path) -> None:
    assert _read(tmp_path, "") == Settings(path=tmp_path / "prodlint.toml")
    assert Settings().fail_on is Severity.WARNING


def test_every_key(tmp_path: Path) -> None:
    settings = _read(
        tmp_path,
        """
        [tool.prodlint]
        select = ["blocking"]
        extend-select = ["console-logging"]
        ignore = ["require-in-handler"]
        preview = true
        exclude = ["old/"]
        extend-exclude = ["*.gen.js"]
        fail-on = "error"

        [tool.prodlint.per-file-ignores]
        "tools/**" = ["all"]

        [tool.prodlint.severity]
        console-logging = "advice"

        [tool.prodlint.project]
        handlers = ["shop.http.endpoint"]
        offloaders = ["shop.aio.offload"]
        tests = ["checks/**"]

        [tool.prodlint.blocking-call.apis]
        "legacydb.query_sync" = "legacydb.query"

        [tool.other]
        key = 1
        """,
        "pyproject.toml",
    )
    assert settings == Settings(
        path=tmp_path / "pyproject.toml",
        choice=Choice(("blocking",), ("console-logging",), ("require-in-handler",)),
        preview=True,
        exclude=("old/", "*.gen.js"),
        per_file_ignores=(("tools/**", ("all",)),),
        severity={"console-logging": Severity.ADVICE},
        fail_on=Severity.ERROR,
        rule_data={"blocking-call": {"apis": {"legacydb.query_sync": "legacydb.query"}}},
        hints=Hints(handlers=("shop.http.endpoint",), offloaders=("shop.aio.offload",), tests=("checks/**",)),
    )


def test_excludes_are_added_to_the_defaults() -> None:
    assert parse_settings({"extend-exclude": ["x"]}, RULES).exclude == (*DEFAULT_EXCLUDE, "x")


# --- mistakes ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('ignore = []\nslect = ["blocking"]\n', 2, 'unknown key "slect"; did you mean "select"?'),
        ("[blocking-cal.apis]\n", 1, 'unknown key "blocking-cal"; did you mean "blocking-call"?'),
        ("\nselect = 'blocking'\n", 2, "`select` must be a list of strings, not a string"),
        ("select = [\n  'blocking',\n  1,\n]\n", 1, "`select` must be a list of strings, but has a number"),
        ("select = ['blockin']\n", 1, 'no rule or practice is called "blockin"; did you mean "blocking"?'),
        ("ignore = ['zzz']\n", 1, 'no rule or practice is called "zzz"'),
        ("preview = 'yes'\n", 1, "`preview` must be true or false, not a string"),
        ("fail-on = 'warn'\n", 1, 'must be "error", "warning" or "advice", not "warn"; did you mean "warning"?'),
        ("extend = 1\n", 1, "`extend` must be a string, not a number"),
        ("exclude = ['!']\n", 1, 'has a glob that is none: "!"'),
        ("severity = 'error'\n", 1, "`severity` must be a table, not a string"),
        ("\n[severity]\nblocking-call = 'bad'\n", 3, '`severity.blocking-call` must be "error"'),
        ("[severity]\nblocking = 'error'\n", 2, 'no rule is called "blocking"'),
        ("[per-file-ignores]\n'a/**' = ['blocking-cll']\n", 2, 'did you mean "blocking-call"?'),
        ("[per-file-ignores]\n'a/**' = 'blocking'\n", 2, "must be a list of strings, not a string"),
        ("[project]\n\nhandler = []\n", 3, 'has no key "handler"; did you mean "handlers"?'),
        ("[project]\nhandlers = 'f'\n", 2, "`project.handlers` must be a list of strings, not a string"),
        ("[blocking-call]\nlimit = 1\n", 2, 'the rule blocking-call has no key "limit"; it has apis, patterns, deep'),
        ("[blocking-call]\napis = ['a']\n", 2, "`blocking-call.apis` must be a table, not a list"),
        ("[blocking-call.apis]\n'a.b' = 1\n", 2, "`blocking-call.apis.a.b` must be a string, not a number"),
        ("[blocking-call]\npatterns = [1]\n", 2, "`blocking-call.patterns` must hold what is a string, not a number"),
        ("console-logging = 1\n", 1, "`console-logging` must be a table, not a number"),
        ("[blocking-call]\ndeep = 1\n", 2, "`blocking-call.deep` must be a boolean, not a number"),
        ("a = \n", 1, "not valid TOML: Invalid value"),
        ("ignore = [\n  'x',\n", 3, "not valid TOML"),
        ("extend = 'base.toml'\n", 1, "no such file: base.toml"),
        ("extend = 'prodlint.toml'\n", 1, '"prodlint.toml" extends this file again'),
        ('preview = true\nextend = "\\u0000"\n', 2, "no such file: "),
        ("\nextend = '~nobody-of-that-name/x'\n", 2, "no such file: ~nobody-of-that-name/x"),
        (f"\nextend = '{'a' * 5_000}'\n", 2, f"no such file: {'a' * 200}…"),
        (f"\n{'a' * 5_000} = 1\n", 2, f'unknown key "{"a" * 200}…"'),
        (f"\nignore = ['{'a' * 5_000}']\n", 2, f'called "{"a" * 200}…"'),
        (f"\npreview = {'9' * 5_000}\n", 2, "not valid TOML: a number has more than 64 bits"),
        (f"\npreview = -{'9' * 20}\n", 2, "not valid TOML: a number has more than 64 bits"),
        (f"\n[blocking-call]\ndeep = 0x{'f' * 17}\n", 3, "not valid TOML: a number has more than 64 bits"),
        (f"\n\n{'a.' * 30_000}a = 1\n", 3, "not valid TOML: it is nested too deeply"),
        ("preview = 2020-99-99\n", 1, "not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_key_and_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text)
    assert message in caught.value.message
    assert str(caught.value).startswith(f"{tmp_path / 'prodlint.toml'}:{line}: ")


def test_a_mistake_in_pyproject_is_found_in_its_table(tmp_path: Path) -> None:
    text = '[project]\nname = "x"\nhandlers = 1\n[tool.prodlint.project]\nname = "x"\n'
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, text, "pyproject.toml")
    assert caught.value.line == 5


def test_a_mistake_in_what_is_extended_is_found_there(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("\npreview = 1\n")
    with pytest.raises(ConfigError) as caught:
        _read(tmp_path, "extend = 'base.toml'\n")
    assert (caught.value.path, caught.value.line) == (tmp_path / "base.toml", 2)


@pytest.mark.parametrize(
    ("data", "line", "message"),
    [(b"# ok\n# \xff\n", 2, "not UTF-8"), (b"\xef\xbb\xbfpreview = 1\n", 1, "true or false")],
)
def test_encodings(tmp_path: Path, data: bytes, line: int, message: str) -> None:
    (tmp_path / "prodlint.toml").write_bytes(data)
    with pytest.raises(ConfigError, match=message) as caught:
        read_settings(tmp_path / "prodlint.toml", RULES)
    assert caught.value.line == line


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 50_000,
        f"{'a.' * 120}a = 1",
        f"[{'a.' * 60}a]\n{'b.' * 60}c = 1",
        "x = " + "".join(f"{{{'a.' * 50}a = " for _ in range(3)) + "1" + "}" * 3,
    ],
)
def test_nesting_without_end(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="nested too deeply"):
        _read(tmp_path, text)


def test_a_link_that_leads_to_itself(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(ConfigError, match=r"no such file: loop/base\.toml"):
        _read(tmp_path, "extend = 'loop/base.toml'")


def test_no_more_is_read_than_a_configuration_can_have(tmp_path: Path) -> None:
    with (tmp_path / "prodlint.toml").open("wb") as file:
        file.truncate(3_000_000_000)
    with pytest.raises(ConfigError, match="is larger than 1 MB"):
        read_settings(tmp_path / "prodlint.toml", RULES)
    with pytest.raises(ConfigError, match="cannot be read: embedded null byte"):
        read_settings(Path("\0"), RULES)


@pytest.mark.parametrize("line", [" " * 100_000 + "x", "#" * 100_000 + '"', "a-" * 50_000, "'a' " * 30_000])
def test_a_place_is_looked_for_in_one_pass(line: str) -> None:
    start = time.process_time()
    assert locate(f'x = """\n{line}\n"""\npreview = 1\n', ["preview"]) == 4
    assert time.process_time() - start < 5  # with the square of its length it would take minutes


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no such file or directory"):
        read_settings(tmp_path / "missing.toml", RULES)


def test_mistakes_in_memory_have_no_line() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_settings({"previw": True}, RULES)
    assert str(caught.value) == 'unknown key "previw"; did you mean "preview"?'


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("a",), 1),
        (("t", "x y"), 4),
        (("t", "sub", "k"), 6),
        (("t", "sub", "missing"), 5),
        (("q", "r"), 9),
        (("d", "e", "f"), 2),
        (("nowhere",), 1),
    ],
)
def test_locate(keys: tuple[str, ...], line: int) -> None:
    text = "a = 1\nd.e.f = 2\n[t] # [q]\n'x y' = 1\n[t.sub]\n \"k\" = '''\nnothing\n'''\n[[q.r]]\nz = 1\n"
    assert locate(text, keys) == line


# --- where it is ------------------------------------------------------------------------------------------------------


def test_the_nearest_configuration_counts_and_prodlint_toml_before_pyproject(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").write_text("[tool.prodlint]\n")
    assert find_config(inner) == tmp_path / "pyproject.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.other]\nname = '[tool.prodlint]'\n")
    assert find_config(inner) == tmp_path / "pyproject.toml"
    (tmp_path / "prodlint.toml").touch()
    assert find_config(inner) == tmp_path / "prodlint.toml"
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.prodlint.severity]\n")
    assert find_config(inner) == tmp_path / "a" / "pyproject.toml"
    assert find_config(inner, stop=inner) is None


def test_extend(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "base.toml").write_text(
        "select = ['logging']\nextend-exclude = ['a/']\nfail-on = 'error'\n[severity]\nblocking-call = 'advice'\n"
    )
    settings = _read(
        tmp_path,
        "extend = 'shared/base.toml'\nselect = ['blocking']\nextend-exclude = ['b/']\n"
        "[severity]\nconsole-logging = 'error'\n",
    )
    assert settings.choice.select == ("blocking",)
    assert settings.exclude[-2:] == ("a/", "b/")
    assert settings.fail_on is Severity.ERROR
    assert settings.severity == {"blocking-call": Severity.ADVICE, "console-logging": Severity.ERROR}


# --- choosing ---------------------------------------------------------------------------------------------------------

STABLE = ["blocking-call", "require-in-handler", "console-logging"]


@pytest.mark.parametrize(
    ("table", "choice", "chosen"),
    [
        ({}, None, STABLE),
        ({"preview": True}, None, [*STABLE, "new-rule"]),
        ({"select": ["blocking"]}, None, ["blocking-call", "require-in-handler"]),
        ({"select": []}, None, []),
        ({"select": ["all"]}, None, STABLE),
        ({"select": ["logging"]}, None, ["console-logging"]),
        ({"select": ["new-rule"]}, None, ["new-rule"]),
        ({"extend-select": ["new-rule"]}, None, [*STABLE, "new-rule"]),
        ({"ignore": ["blocking"]}, None, ["console-logging"]),
        ({"ignore": ["blocking"], "extend-select": ["blocking-call"]}, None, ["blocking-call", "console-logging"]),
        ({"ignore": ["blocking-call"], "select": ["blocking"]}, None, ["require-in-handler"]),
        ({"ignore": ["blocking-call"], "select": ["blocking-call"]}, None, []),
        ({"ignore": ["blocking"]}, Choice(select=("blocking",)), ["blocking-call", "require-in-handler"]),
        ({"select": ["blocking"]}, Choice(ignore=("blocking-call",)), ["require-in-handler"]),
        ({"select": ["blocking-call"]}, Choice(extend_select=("logging",)), ["blocking-call", "console-logging"]),
        ({"preview": True}, Choice(select=("logging",)), ["console-logging", "new-rule"]),
        ({}, Choice(ignore=("all",)), []),
    ],
)
def test_chosen_rules(table: dict[str, Any], choice: Choice | None, chosen: list[str]) -> None:
    assert list(chosen_rules(RULES, parse_settings(table, RULES), choice)) == chosen


def test_a_choice_of_something_unknown() -> None:
    with pytest.raises(ConfigError, match='did you mean "console-logging"'):
        chosen_rules(RULES, Settings(), Choice(ignore=("console-loging",)))


def test_chosen_rules_have_the_users_severity_and_data() -> None:
    table = {
        "severity": {"blocking-call": "error"},
        "blocking-call": {"apis": {"db.query_sync": "db.query"}, "patterns": ["*Blocking", "*Sync"], "deep": False},
    }
    rule = chosen_rules(RULES, parse_settings(table, RULES))["blocking-call"]
    assert rule.severity is Severity.ERROR
    assert rule.data == {
        "apis": {"time.sleep": "asyncio.sleep", "db.query_sync": "db.query"},
        "patterns": ["*Sync", "*Blocking"],
        "deep": False,
    }
    assert RULES["blocking-call"].data["apis"] == {"time.sleep": "asyncio.sleep"}

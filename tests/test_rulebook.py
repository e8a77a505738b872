"""The rulebook: pages in, rules out, the same from the pages and from the built index, and from other packages."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import pytest

from prodlint import rulebook
from prodlint.findings import Severity
from prodlint.rulebook import PRACTICES, Rule, RulebookError, encode_index, load_rules, read_page, read_pages
from tests.pages import ROOT

PAGE = """\
---
name: slow-call
summary: "A call: it waits."
severity: warning
languages: [python, javascript]
fix: unsafe
since: 0.1.0
status: preview
---

# slow-call

## Why
"""


def _page(folder: Path, text: str = PAGE, practice: str = "blocking", name: str = "slow-call") -> Path:
    path = folder / practice / f"{name}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text), encoding="utf-8")
    return path


def test_a_page_and_its_data(tmp_path: Path) -> None:
    page = _page(tmp_path)
    page.with_suffix(".toml").write_text('[apis]\n"time.sleep" = "asyncio.sleep"\n')
    assert read_page(page) == Rule(
        name="slow-call",
        practice="blocking",
        summary="A call: it waits.",
        severity=Severity.WARNING,
        languages=("python", "javascript"),
        fix="unsafe",
        since="0.1.0",
        status="preview",
        page="# slow-call\n\n## Why\n",
        data={"apis": {"time.sleep": "asyncio.sleep"}},
    )


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("---\nname", "name", "slow-call.md:1: a page starts with front matter"),
        ("status: preview\n---", "status: preview", "slow-call.md:1: a page starts with front matter"),
        ("since: 0.1.0\n", "", "slow-call.md:1: the front matter has no since"),
        ("since: 0.1.0\n", "since 0.1.0\n", "slow-call.md:7: expected one `key: value`"),
        ("since: 0.1.0\n", "since:\n", "slow-call.md:7: expected one `key: value`"),
        ("since: 0.1.0\n", "author: me\n", "slow-call.md:7: expected one `key: value`"),
        ("since: 0.1.0\n", "fix: safe\n", "slow-call.md:7: expected one `key: value`"),
        ("severity: warning", "severity: bad", "`severity` is 'bad', expected error or warning or advice"),
        ("fix: unsafe", "fix: maybe", "`fix` is 'maybe', expected safe or unsafe or none"),
        ("status: preview", "status: new", "`status` is 'new', expected stable or preview"),
        ("languages: [python, javascript]", "languages: python", "`languages` is a list"),
        ("name: slow-call", "name: slow", "`name` is 'slow', expected slow-call"),
    ],
)
def test_a_page_that_is_not_as_it_has_to_be(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    with pytest.raises(RulebookError) as caught:
        read_page(_page(tmp_path, PAGE.replace(old, new)))
    assert complaint in str(caught.value)


def test_broken_data(tmp_path: Path) -> None:
    page = _page(tmp_path)
    page.with_suffix(".toml").write_text("[apis\n")
    with pytest.raises(RulebookError, match=r"slow-call\.toml"):
        read_page(page)


def test_no_pages_is_an_error_and_not_an_empty_rulebook(tmp_path: Path) -> None:
    with pytest.raises(RulebookError, match="no rule pages"):
        read_pages(tmp_path)


# --- prodlint's own ---------------------------------------------------------------------------------------------------


def test_rules_are_in_the_order_of_their_practices() -> None:
    rules = list(load_rules().values())
    practices = [rule.practice for rule in rules]
    assert practices == sorted(practices, key=PRACTICES.index)
    for practice in set(practices):
        names = [rule.name for rule in rules if rule.practice == practice]
        assert names == sorted(names)


def test_no_rule_is_called_like_a_practice_or_a_key_of_the_settings() -> None:
    from prodlint.project.settings import _CHECKS

    assert not set(load_rules()) & {*PRACTICES, *_CHECKS, "all"}


def test_every_rule_has_its_module() -> None:
    for rule in load_rules().values():
        module = rule.check_module()
        assert callable(module.check)
        assert hasattr(module, "fix") == (rule.fix != "none"), rule.name


def test_the_built_index_holds_the_same_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = read_pages(ROOT / "rules")
    (tmp_path / rulebook.INDEX_NAME).write_bytes(encode_index(pages))
    monkeypatch.setattr(rulebook, "__file__", str(tmp_path / "rulebook.py"))
    assert list(load_rules().values()) == sorted(pages, key=lambda rule: (PRACTICES.index(rule.practice), rule.name))


# --- rules of other packages ------------------------------------------------------------------------------------------


def _install(site: Path, rule: str = "slow-call") -> None:
    """A distribution `extra` with one rule, as pip would leave it."""
    package = site / "prodlint_extra"
    _page(package / "rules", PAGE.replace("slow-call", rule), "our-house", rule)
    checks = package / "checks" / "our_house"
    checks.mkdir(parents=True)
    (package / "__init__.py").touch()
    (checks / f"{rule.replace('-', '_')}.py").write_text("def check(program, rule): return iter(['found'])\n")
    metadata = site / "extra-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[prodlint.rules]\nextra = prodlint_extra\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on the import path."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_a_rule_pack(site: Path) -> None:
    _install(site)
    own = set(load_rules()) - {"slow-call"}
    rules = load_rules()
    assert set(rules) == own | {"slow-call"}
    assert list(rules)[-1] == "slow-call"
    rule = rules["slow-call"]
    assert (rule.package, rule.practice) == ("prodlint_extra", "our-house")
    assert list(rule.check_module().check(None, rule)) == ["found"]
    for name in [name for name in sys.modules if name.startswith("prodlint_extra")]:
        del sys.modules[name]


def test_two_rules_of_one_name(site: Path) -> None:
    _install(site, "unused-ignore")
    with pytest.raises(RulebookError, match="unused-ignore is in prodlint and in prodlint_extra"):
        load_rules()


def test_a_rule_pack_that_is_none(site: Path) -> None:
    _install(site)
    (site / "extra-1.0.dist-info" / "entry_points.txt").write_text("[prodlint.rules]\nextra = no_such.package\n")
    with pytest.raises(RulebookError, match=r"'extra' is no package: no_such\.package"):
        load_rules()


def test_a_rule_pack_that_ends_the_process_when_it_is_imported(site: Path) -> None:
    _install(site)
    (site / "prodlint_extra" / "__init__.py").write_text("raise SystemExit(0)\n")
    (site / "extra-1.0.dist-info" / "entry_points.txt").write_text("[prodlint.rules]\nextra = prodlint_extra.sub\n")
    with pytest.raises(RulebookError, match="'extra' is no package"):
        load_rules()


@pytest.mark.parametrize("name", ["slow-call.md", "slow-call.toml"])
def test_a_page_or_data_that_is_no_utf8(site: Path, name: str) -> None:
    _install(site)
    (site / "prodlint_extra" / "rules" / "our-house" / name).write_bytes(b"\xff")
    with pytest.raises(RulebookError, match=rf"{name}: is not UTF-8"):
        load_rules()


def test_data_with_a_number_that_is_too_long(site: Path) -> None:
    _install(site)
    (site / "prodlint_extra" / "rules" / "our-house" / "slow-call.toml").write_text(f"a = 1\nb = {'9' * 5_000}\n")
    with pytest.raises(RulebookError, match=r"slow-call\.toml:2: not valid TOML: a number has more than 64 bits"):
        load_rules()

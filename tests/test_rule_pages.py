"""Every example of every rule page and deep-case file is true, and pages, modules and deep cases match one to one."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import yaml

from prodlint import rulebook
from tests.pages import (
    DEEP_CASES,
    ROOT,
    RULES,
    Page,
    PageError,
    Section,
    deep_case_files,
    failures,
    read_page,
    rule_pages,
)

CHECKS = ROOT / "prodlint" / "checks"
LANGUAGES = {"javascript", "typescript", "python", "deployment"}
LONGEST_SUMMARY = 100
FEWEST_NEGATIVES = 4


UNREADABLE: list[PageError] = []


def _pages(paths: list[Path]) -> dict[str, Page]:
    """The pages by rule; one that cannot be read fails its own test below, not everybody's."""
    pages = {}
    for path in paths:
        try:
            pages[path.stem] = read_page(path)
        except PageError as error:
            UNREADABLE.append(error)
    return pages


PAGES = _pages(rule_pages())
DEEP = _pages(deep_case_files())
PROJECTS = [
    pytest.param(section, id=f"{section.rule}{suffix}: {section.title}")
    for pages, suffix in ((PAGES, ""), (DEEP, " (deep)"))
    for page in pages.values()
    for section in page.projects
]

each_page = pytest.mark.parametrize("page", [pytest.param(page, id=name) for name, page in PAGES.items()])


@pytest.mark.parametrize("section", PROJECTS)
def test_section(section: Section) -> None:
    if difference := failures(section):
        pytest.fail(difference, pytrace=False)


@each_page
def test_front_matter(page: Page) -> None:
    rule = rulebook.read_page(page.path)
    assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", rule.name)
    assert rule.practice in rulebook.PRACTICES
    assert rule.summary.endswith(".")
    assert len(rule.summary) <= LONGEST_SUMMARY
    assert re.fullmatch(r"\d+\.\d+\.\d+", rule.since)
    assert rule.languages
    assert set(rule.languages) <= LANGUAGES


@each_page
def test_front_matter_is_yaml_for_those_who_show_it(page: Page) -> None:
    rule = rulebook.read_page(page.path)
    _, matter, _ = page.path.read_text(encoding="utf-8").split("---\n", 2)
    shown = yaml.safe_load(matter)
    assert (shown["name"], shown["summary"], shown["languages"]) == (rule.name, rule.summary, list(rule.languages))


@each_page
def test_page_and_deep_cases_have_what_a_reader_needs(page: Page) -> None:
    titles = [section.title for section in page.sections]
    assert titles[:1] == ["Why"]
    assert any(title.startswith("Bad") for title in titles), "no `## Bad` section"
    assert any(title.startswith("Good") for title in titles), "no `## Good` section"
    deep = DEEP.get(page.rule)
    if deep is None:
        pytest.fail(f"no deep cases: write tests/rules/{page.rule}.md", pytrace=False)
    sections = page.projects + deep.projects
    negatives = [section.title for section in sections if section.is_negative]
    assert len(negatives) >= FEWEST_NEGATIVES, f"{page.rule} shows too little of what it leaves alone: {negatives}"


@pytest.mark.parametrize("page", [pytest.param(p, id=p.path.stem) for p in (*PAGES.values(), *DEEP.values())])
def test_titles(page: Page) -> None:
    titles = [section.title for section in page.sections]
    assert len(titles) == len(set(titles)), "two sections have the same title"
    for section in page.projects:
        if section.title.startswith("Bad"):
            assert section.marks, f"{section.where}: a Bad section in which nothing is flagged"
        if section.title.startswith("Good"):
            assert not section.marks, f"{section.where}: a Good section in which something is flagged"


@each_page
def test_module_has_check_and_promised_fix(page: Page) -> None:
    practice = page.path.parent.name.replace("-", "_")
    module = CHECKS / practice / f"{page.rule.replace('-', '_')}.py"
    assert module.is_file(), f"{page.rule} has a page and no module"
    names = {node.name for node in ast.parse(module.read_text()).body if isinstance(node, ast.FunctionDef)}
    promises_fix = rulebook.read_page(page.path).fix != "none"
    shows_fix = any(section.after for section in page.projects)
    assert "check" in names
    assert promises_fix == ("fix" in names), (
        "`fix:` in the front matter, and fix() in the module: one without the other"
    )
    assert promises_fix == shows_fix, "`fix:` in the front matter, and an `after` fence: one without the other"
    has_safety = any(section.title == "Fix safety" for section in page.sections)
    assert has_safety or not promises_fix, "a fix without a `## Fix safety` section"


def test_every_module_has_a_page() -> None:
    modules = {
        f"{path.parent.name}/{path.stem}".replace("_", "-")
        for path in CHECKS.glob("*/*.py")
        if not path.name.startswith("_")
    }
    pages = {f"{page.path.parent.name}/{page.rule}" for page in PAGES.values()}
    assert modules == pages


def test_every_deep_case_file_and_data_file_has_a_page() -> None:
    assert set(DEEP) <= set(PAGES), f"files in {DEEP_CASES.relative_to(ROOT)} without a page"
    beside = {path.stem for path in RULES.glob("*/*") if path.suffix != ".md"}
    assert beside <= set(PAGES)


def test_all_pages_can_be_read() -> None:
    assert not UNREADABLE, "\n".join(map(str, UNREADABLE))
    assert PAGES
    assert len(PAGES) == len(rule_pages()), "two rules have the same name"

"""The harness for rule pages reads pages as its own documentation says, and notices every kind of untruth."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from prodlint.findings import AnalysisError
from tests import pages
from tests.pages import Found, Mark, Page, PageError, Section, parse_page


def _page(text: str) -> Page:
    return parse_page(Path("some-rule.md"), dedent(text).lstrip("\n"))


def _section(text: str) -> Section:
    (section,) = _page(text).projects
    return section


FLAGGED = """
    ## Bad: a call

    ```js
    start();
    a(); // flagged: some-rule
    b();
    ```
    """


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[Any]]:
    """An engine that finds what a test puts into `found`, and has the `errors` that it puts there."""
    state: dict[str, list[Any]] = {"found": [], "errors": []}
    monkeypatch.setattr(pages, "find", lambda files, settings: (state["found"], state["errors"]))
    return state


def test_front_matter_is_passed_over() -> None:
    section = _section("---\nname: some-rule\n## x: y\n---\n## Good\n```js\na();\n```\n")
    assert (section.title, section.files["app.js"].page_line) == ("Good", 7)


def test_files_marks_and_settings_of_a_section() -> None:
    section = _section("""
        ## Why

        Prose with `code`: no file.

        ## Bad: two modules

        Some words.

        `src/a.js`:

        ```js
        const b = require('./b');
        b(); // flagged: some-rule, other-rule
        ```

        `src/b.js`:

        ```js
        c(); // likely: some-rule
        d(); // todo flagged: some-rule
        ```

        ```toml
        select = ["errors"]
        ```
        """)
    assert section.title == "Bad: two modules"
    assert section.texts() == {"src/a.js": "const b = require('./b');\nb();\n", "src/b.js": "c();\nd();\n"}
    assert section.marks == [
        Mark("src/a.js", 2, "flagged", "some-rule"),
        Mark("src/a.js", 2, "flagged", "other-rule"),
        Mark("src/b.js", 1, "likely", "some-rule"),
        Mark("src/b.js", 2, "todo flagged", "some-rule"),
    ]
    assert pages.settings_of(section) == {"select": ["errors"]}
    assert section.files["src/a.js"].page_line == 12


@pytest.mark.parametrize(
    ("language", "name"),
    [
        ("js", "app.js"),
        ("ts", "app.ts"),
        ("python", "app.py"),
        ("dockerfile", "Dockerfile"),
        ("json", "package.json"),
        ("yaml", "docker-compose.yml"),
        ("ini", "app.service"),
        ("procfile", "Procfile"),
    ],
)
def test_a_fence_without_a_path_line_has_its_languages_usual_name(language: str, name: str) -> None:
    section = _section(f"## Bad\n```{language}\nx # flagged: some-rule\n```\n")
    assert section.texts() == {name: "x\n"}
    assert section.marks == [Mark(name, 1, "flagged", "some-rule")]
    assert pages.settings_of(section) == {"select": ["some-rule"]}


def test_an_after_fence_belongs_to_the_fence_before_it_or_to_its_path_line() -> None:
    section = _section("""
        ## Bad

        ```js
        a();
        ```

        ```js after
        b();
        ```

        `log.js`:

        ```js after
        c();
        ```
        """)
    assert section.texts() == {"app.js": "a();\n"}
    assert {path: file.text for path, file in section.after.items()} == {"app.js": "b();\n", "log.js": "c();\n"}


def test_a_longer_fence_may_hold_a_shorter_one_and_prose_fences_are_no_files() -> None:
    section = _section("""
        ## Good

        ````js
        // ```
        // ## not a heading
        ````

        ```console
        $ prodlint check
        ```
        """)
    assert section.texts() == {"app.js": "// ```\n// ## not a heading\n"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("## Bad\n```js\na();\n", "never closed"),
        ("## Bad\n```js\na();\n```\n```js\nb();\n```\n", "two fences for `app.js`"),
        ("## Bad\n```cobol\nSTOP RUN.\n```\n", "needs a path line"),
        ("## Bad\n`a.js`:\nWords.\n```js\na();\n```\n", "followed by its fence"),
        ("## Bad\n```js\na();\n```\n```js after\nb(); // flagged: x\n```\n", "no marks"),
        ("```js\na();\n```\n", "before the first"),
    ],
)
def test_a_page_that_cannot_be_understood_is_an_error(text: str, complaint: str) -> None:
    with pytest.raises(PageError, match=complaint):
        parse_page(Path("some-rule.md"), text)


def test_all_as_marked(engine: dict[str, list[Any]]) -> None:
    engine["found"] = [Found("app.js", 2, "flagged", "some-rule", "It waits.")]
    assert pages.failures(_section(FLAGGED)) == ""


def test_a_mark_without_a_finding(engine: dict[str, list[Any]]) -> None:
    assert pages.failures(_section(FLAGGED)) == (
        "\n"
        "some-rule.md:1: ## Bad: a call\n"
        "\n"
        "  app.js\n"
        "       4 │ start();\n"
        "  ✗    5 │ a();\n"
        "         │     ✗ marked, not found: flagged: some-rule\n"
        "       6 │ b();"
    )


def test_a_finding_without_a_mark(engine: dict[str, list[Any]]) -> None:
    fine = Found("app.js", 2, "flagged", "some-rule", "It waits.")
    engine["found"] = [fine, Found("app.js", 3, "flagged", "some-rule", "It waits\nfor long.")]
    assert pages.failures(_section(FLAGGED)) == (
        "\n"
        "some-rule.md:1: ## Bad: a call\n"
        "\n"
        "  app.js\n"
        "       4 │ start();\n"
        "  ·    5 │ a();\n"
        "  ✗    6 │ b();\n"
        "         │     ✗ found, not marked: flagged: some-rule\n"
        "         │     It waits\n"
        "         │     for long."
    )


def test_one_mark_stands_for_one_finding(engine: dict[str, list[Any]]) -> None:
    engine["found"] = [Found("app.js", 2, "flagged", "some-rule", "It waits.")] * 2
    assert "found, not marked" in pages.failures(_section(FLAGGED))


def test_likely_and_flagged_are_different(engine: dict[str, list[Any]]) -> None:
    engine["found"] = [Found("app.js", 2, "likely", "some-rule", "It waits.")]
    assert "found as `likely`, marked `flagged`" in pages.failures(_section(FLAGGED))


def test_a_known_miss_is_fine_until_it_is_found(engine: dict[str, list[Any]]) -> None:
    section = _section(FLAGGED.replace("flagged:", "todo flagged:"))
    assert pages.failures(section) == ""
    engine["found"] = [Found("app.js", 2, "flagged", "some-rule", "It waits.")]
    assert "drop its `todo`" in pages.failures(section)


def test_a_finding_outside_the_sections_files_is_shown(engine: dict[str, list[Any]]) -> None:
    engine["found"] = [Found("other.js", 1, "flagged", "some-rule", "It waits.")]
    assert "other.js   (not a file of this section)" in pages.failures(_section(FLAGGED))


def test_errors_are_shown_and_syntax_errors_have_to_be_announced(engine: dict[str, list[Any]]) -> None:
    text = "## Good\n```js\na();\nb(;\n```\n"
    engine["errors"] = [AnalysisError("app.js", 2, "a syntax error", is_failure=False)]
    assert pages.failures(_section(text)).endswith("app.js: some-rule.md:4: a syntax error")
    assert pages.failures(_section(text.replace("Good", "A syntax error"))) == ""
    engine["errors"] = [AnalysisError("", 0, "the rule some-rule failed: KeyError")]
    assert "all files: the rule some-rule failed" in pages.failures(_section(text.replace("Good", "A syntax error")))


FIXED = """
    ## Bad: a call

    ```js
    aSync();
    ```

    ```js after
    await a();
    ```

    `other.js`:

    ```js
    bSync();
    ```
    """


@pytest.mark.parametrize(
    ("once", "twice", "complaint"),
    [
        ({"app.js": "await a();\n"}, {}, ""),
        ({}, {}, "app.js: the fix gives something else"),
        ({"app.js": "await a();\n", "other.js": "await b();\n"}, {}, "other.js: the fix gives something else"),
        ({"app.js": "await a();\n", "new.js": "x\n"}, {}, "new.js: the fix gives something else"),
        ({"app.js": "await a();\n"}, {"app.js": "await await a();\n"}, "app.js: fixing again changes the file"),
    ],
)
def test_fixes(
    engine: dict[str, list[Any]],
    monkeypatch: pytest.MonkeyPatch,
    once: dict[str, str],
    twice: dict[str, str],
    complaint: str,
) -> None:
    outcomes = iter([once, twice])

    def fix(files: Mapping[str, str], settings: Mapping[str, object], rule: str) -> tuple[dict[str, str], list[str]]:
        return dict(files) | next(outcomes), []

    monkeypatch.setattr(pages, "fix", fix)
    difference = pages.failures(_section(FIXED))
    assert complaint in difference
    assert bool(difference) == bool(complaint)


def test_a_withheld_fix_is_told_and_a_difference_shown_as_a_diff(
    engine: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "fix", lambda files, settings, rule: (dict(files), ["It parses worse."]))
    difference = pages.failures(_section(FIXED))
    assert "not fixed: It parses worse." in difference
    assert difference.endswith(
        "    --- on the page\n    +++ after the fix\n    @@ -1 +1 @@\n    -await a();\n    +aSync();"
    )

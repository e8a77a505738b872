"""Rule pages in the terminal."""

from __future__ import annotations

import re
from textwrap import dedent

from prodlint.output import Options
from prodlint.output.markdown import render_page

PAGE = dedent(
    """\
    # blocking-call
    <!-- for editors -->

    ## Why

    Node runs all requests on **one** thread. While `f[a](b)` waits for the disk, [nobody](https://example.org)
    else is served.

    - the first point, which is so long that it has to go on
      in the next line
    - the second

    1. one

    ## Bad: a helper

    `routes/report.js`:

    ```js
    const page = `
      ${a}`; // flagged: blocking-call

    // not flagged
    ```

    ```js after
    x();
    ```

    | a | b |
    |---|---|
    """
)

PLAIN = dedent(
    """\
    # blocking-call

    ## Why

    Node runs all requests on one thread. While `f[a](b)` waits
    for the disk, nobody else is served.

    - the first point, which is so long that it has to go on in
      the next line
    - the second

    1. one

    ## Bad: a helper

    `routes/report.js`:

      const page = `
        ${a}`;  ← blocking-call

      // not flagged

    after the fix:

      x();

    | a | b |
    |---|---|
    """
)


def test_plain() -> None:
    assert "".join(render_page(PAGE, Options(width=60))) == PLAIN


def test_colour_changes_only_the_colours() -> None:
    colored = "".join(render_page(PAGE, Options(width=60, color=True)))
    plain = re.sub(r"\x1b\[[0-9;]*m", "", colored)
    assert plain == re.sub(r"^#+ ", "", PLAIN, flags=re.MULTILINE)
    assert "\x1b[35mconst\x1b[0m" in colored


def test_an_open_fence_ends_with_the_page() -> None:
    assert "".join(render_page("```\na\n", Options())) == "  a\n"


def test_pages_cannot_reach_the_terminal() -> None:
    assert "\x1b" not in "".join(render_page("\x1b[2J\n\n# \x1b[2J\n\n```\n\x1b[2J\n```\n\n| \x1b |\n", Options()))

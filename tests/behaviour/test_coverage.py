"""Every rule has been seen at work, or it is said why it cannot be."""

from __future__ import annotations

from tests.behaviour.coverage import proofs, unobserved
from tests.pages import rule_pages

RULES = {path.stem for path in rule_pages()}


def test_every_rule_is_proven_or_it_is_said_why_not() -> None:
    missing = sorted(RULES - proofs().keys() - unobserved().keys())
    assert not missing, (
        f"nothing shows what these rules say: {', '.join(missing)}. Write a test that runs a program and is marked "
        '@pytest.mark.proves("<rule>") (see tests/behaviour/README.md), or say in tests/behaviour/unobserved.toml why '
        "it cannot be seen; then run scripts/build_docs.py."
    )


def test_nothing_is_said_about_rules_that_do_not_exist_or_that_are_proven() -> None:
    assert proofs().keys() <= RULES
    assert unobserved().keys() <= RULES
    assert not unobserved().keys() & proofs().keys()

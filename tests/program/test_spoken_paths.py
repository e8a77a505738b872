"""Access paths as readers say them."""

from __future__ import annotations

import pytest

from prodlint.program.linking.targets import spoken


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("fs.readFileSync", "`fs.readFileSync`"),
        ("builtins.open", "`open`"),
        ("threading.Thread().join", "`threading.Thread.join`"),
        ("requests.Session().get", "`requests.Session.get`"),
        ("pathlib.Path().read_text", "`pathlib.Path.read_text`"),
        ("sqlalchemy.orm.Session().query().filter().filter().order_by().first", "This query (`.first()`)"),
        ("psycopg2.connect().cursor().execute", "This query (`.execute()`)"),
        ("psycopg2.connect().commit", "This `psycopg2` call (`.commit()`)"),
        ("docker.from_env().images.get", "This `docker` call (`.images.get()`)"),
        ("redis.from_url().llen", "This `redis` call (`.llen()`)"),
    ],
)
def test_long_paths_are_shortened(path: str, said: str) -> None:
    assert spoken(path) == said

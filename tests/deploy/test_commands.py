"""What a command starts, and with what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from prodlint.extract.deployment.commands import NOWHERE, Command, Start, StartKind, split, starts
from prodlint.extract.deployment.variables import expand


def last(text: str) -> Start:
    return starts([text], is_shell=True)[-1]


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("a b", [Command(("a", "b"))]),
        ("a 'b c' \"d $e\" f\\ g", [Command(("a", "b c", "d $e", "f g"))]),
        ("A=1 B='2 3' c", [Command(("c",), (("A", "1"), ("B", "2 3")))]),
        ("export A=1; b && c", [Command(("b",), (("A", "1"),)), Command(("c",), (("A", "1"),))]),
        ("set A=1&& b", [Command(("b",), (("A", "1"),))]),
        ("cd x && cd y; b", [Command(("b",), (), "x/y")]),
        ("a & b", [Command(("a",), (), "", True), Command(("b",))]),
        ("a > f 2>&1 < g | b >> h", [Command(("a",), is_piped=True), Command(("b",))]),
        ("a # comment\nb", [Command(("a",)), Command(("b",))]),
        ("if a; then b; else c; fi", [Command(("a",)), Command(("b",)), Command(("c",))]),
        ("f() { a; }", [Command(("f",)), Command(("a",))]),
        ("echo $(a; b) `c; d` ${E:-f g}", [Command(("echo", "$(a; b)", "`c; d`", "${E:-f g}"))]),
        ("a \\\n  b", [Command(("a", "b"))]),
        ("", []),
        ("A=1", []),
    ],
)
def test_split(text: str, commands: list[Command]) -> None:
    assert [replace(command, at=NOWHERE) for command in split(text)] == commands


@given(st.text("ab '\"\\$(){}&|;<>#=\n`", max_size=30))
def test_anything_is_split(text: str) -> None:
    for command in split(text):
        assert command.words
    starts([text], is_shell=True)


@pytest.mark.parametrize(
    ("text", "kind", "target"),
    [
        ("node server.js", StartKind.NODE, "server.js"),
        ("node .", StartKind.NODE, "."),
        (
            "/usr/local/bin/node --max-old-space-size=512 -r dotenv/config dist/main.js a",
            StartKind.NODE,
            "dist/main.js",
        ),
        ("exec tini -g -- gosu app node server", StartKind.NODE, "server"),
        ('exec setpriv --reuid "$PUID" --regid 1000 --clear-groups node server.js', StartKind.NODE, "server.js"),
        ("dumb-init node a.js", StartKind.NODE, "a.js"),
        ("sh -c 'exec node a.js'", StartKind.NODE, "a.js"),
        ("nice -n 5 nohup node a.js", StartKind.NODE, "a.js"),
        ("npx --yes ts-node src/main.ts", StartKind.NODE, "src/main.ts"),
        ("bun run src/index.ts", StartKind.NODE, "src/index.ts"),
        ("pm2-runtime start app.js -i max", StartKind.NODE, "app.js"),
        ("./node_modules/.bin/forever -m 5 server.js", StartKind.NODE, "server.js"),
        ("pm2-runtime ecosystem.config.js", StartKind.PROCESS_FILE, "ecosystem.config.js"),
        ("pm2 start npm -- run prod", StartKind.PACKAGE_SCRIPT, "prod"),
        ("./wait-for-it.sh db:1 -t 5 -- node a.js", StartKind.NODE, "a.js"),
        ("npm start", StartKind.PACKAGE_SCRIPT, "start"),
        ("npm run -s start:prod -- --x", StartKind.PACKAGE_SCRIPT, "start:prod"),
        ("yarn serve", StartKind.PACKAGE_SCRIPT, "serve"),
        ("yarn node a.js", StartKind.NODE, "a.js"),
        ("npm install", StartKind.OTHER, "npm"),
        ("npx next start -p 80", StartKind.NODE_TOOL, "next start"),
        ("next build", StartKind.OTHER, "next"),
        ("node -e 'x()'", StartKind.OTHER, "node"),
        ("python -m shop", StartKind.PYTHON, "shop"),
        ("python3.12 -u app.py", StartKind.PYTHON, "app.py"),
        ("gunicorn -w 4 -k uvicorn.workers.UvicornWorker shop.main:app", StartKind.PYTHON, "shop.main:app"),
        ("gunicorn 'shop:create_app()'", StartKind.PYTHON, "shop:create_app()"),
        ("gunicorn shop.wsgi -b 0.0.0.0:80", StartKind.PYTHON, "shop.wsgi"),
        ("uv run --no-dev uvicorn --host 0.0.0.0 shop:app", StartKind.PYTHON, "shop:app"),
        ("poetry run python -m uvicorn shop:app", StartKind.PYTHON, "shop:app"),
        ("celery -A shop.tasks worker", StartKind.PYTHON, "shop.tasks"),
        ("python manage.py migrate", StartKind.OTHER, "manage.py"),
        ("./bin/start.sh", StartKind.SHELL_SCRIPT, "./bin/start.sh"),
        ("bash run.sh", StartKind.SHELL_SCRIPT, "run.sh"),
        ("$APP", StartKind.OPAQUE, "$APP"),
        ("./server", StartKind.OPAQUE, "./server"),
        ("docker-entrypoint.sh node a.js", StartKind.NODE, "a.js"),
        ("nginx -g 'daemon off;'", StartKind.OTHER, "nginx"),
    ],
)
def test_what_is_started(text: str, kind: StartKind, target: str) -> None:
    found = last(text)
    assert (found.kind, found.target) == (kind, target)


@pytest.mark.parametrize(
    ("text", "is_dev"),
    [
        ("nodemon server.js", True),
        ("nodemon --exec ts-node src/main.ts", True),
        ("node --watch server.js", True),
        ("tsx watch src/main.ts", True),
        ("next dev", True),
        ("vite", True),
        ("vite preview", False),
        ("ng serve", True),
        ("nest start --watch", True),
        ("nest start", False),
        ("react-scripts start", True),
        ("npm run dev", True),
        ("npm run start:dev", True),
        ("npm run develop-something", True),
        ("npm run device", False),
        ("flask run", True),
        ("python manage.py runserver 0:80", True),
        ("uvicorn a:b --reload", True),
        ("uvicorn a:b", False),
        ("fastapi dev main.py", True),
        ("fastapi run main.py", False),
        ("pm2 start app.js --watch", True),
    ],
)
def test_servers_for_development(text: str, is_dev: bool) -> None:
    assert last(text).is_dev is is_dev


@pytest.mark.parametrize(
    ("text", "env"),
    [
        ("NODE_ENV=production node a.js", {"NODE_ENV": "production"}),
        ("cross-env NODE_ENV=production A=b node a.js", {"NODE_ENV": "production", "A": "b"}),
        ("env -i A=b node a.js", {"A": "b"}),
        ("sh -c 'export A=b; node a.js'", {"A": "b"}),
        ("set NODE_ENV=production && node a.js", {"NODE_ENV": "production"}),
        ("A=b; node a.js", {"A": "b"}),
        ("A=b c; node a.js", {}),
    ],
)
def test_variables(text: str, env: dict[str, str]) -> None:
    assert dict(last(text).env) == env


@pytest.mark.parametrize(
    ("text", "folder", "workspace"),
    [
        ("cd api && npm start", "api", ""),
        ("npm --prefix api start", "api", ""),
        ("npm start -w api", "", "api"),
        ("npm run start --workspace=api -- -w x", "", "api"),
        ("yarn start -w x", "", ""),
        ("npm -w api start", "", "api"),
        ("yarn workspace @shop/api start", "", "@shop/api"),
        ("pnpm --filter api run start", "", "api"),
        ("pnpm -r start", "", "*"),
        ("yarn --cwd api start", "api", ""),
    ],
)
def test_where_a_script_is_looked_for(text: str, folder: str, workspace: str) -> None:
    found = last(text)
    assert (found.folder.rstrip("/"), found.workspace) == (folder, workspace)
    assert found.target == "start"


def test_concurrently_starts_all() -> None:
    found = starts(["concurrently -n a,b 'npm:watch' \"node a.js\""], is_shell=True)
    assert [(each.kind, each.target) for each in found] == [
        (StartKind.PACKAGE_SCRIPT, "watch"),
        (StartKind.NODE, "a.js"),
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", "a"),
        ("$A-${A}", "1-1"),
        ("$B", None),
        ("${B:-x$A}", "x1"),
        ("${B-x}", "x"),
        ("${EMPTY:-x}", "x"),
        ("${A:-x}", "1"),
        ("${A:+y}", "y"),
        ("${B:?needed}", None),
        ("$$A", "$A"),
        ("\\$A", "$A"),
        ("$UNKNOWN", None),
        ("${UNKNOWN:-x}", None),
        ("$(date)", None),
        ("`date`", None),
        ("${A", "1"),
        ("${A%x}", None),
        ("100%", "100%"),
    ],
)
def test_variables_in_values(text: str, value: str | None) -> None:
    assert expand(text, {"A": "1", "EMPTY": "", "UNKNOWN": None}) == value


def test_defaults_within_defaults_end() -> None:
    assert expand("${A:-" * 500 + "}" * 500, {}) is None


def test_a_start_says_what_was_taken_off_and_where_it_stands():
    text = "set -e\nexec tini -- node --inspect app.js"
    start = last(text)
    assert start.wrappers == ("exec", "tini")
    assert start.words == ("node", "--inspect", "app.js")
    assert text[start.at :] == "exec tini -- node --inspect app.js"


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("a && A=1 b c", "A=1 b c"),
        ("if x; then y 'z'; fi", "y 'z'; fi"),
        ("a >out b; c>d", "c>d"),
        ('echo "a b"|cat', "cat"),
    ],
)
def test_commands_say_where_they_start(text: str, rest: str) -> None:
    assert text[split(text)[-1].at :] == rest


def test_what_stands_in_a_word_is_nowhere():
    assert [command.at for command in starts(["sh", "-c", "cd a && node b"])] == [-1]

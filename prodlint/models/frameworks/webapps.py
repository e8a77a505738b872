"""How the apps of each framework are made, served and filled: which calls do so.

Sources: the API references of Express, Koa (and `@koa/router`), Fastify (Server, Routes, Plugins), NestJS
(`INestApplication`), Starlette, FastAPI, Flask (`Flask.run`), aiohttp (`web.Application`, `web.run_app`); uvicorn's,
hypercorn's and waitress's documentation of serving from code.
"""

from __future__ import annotations

import msgspec

_VERBS = frozenset({"get", "post", "put", "patch", "delete", "head", "options", "all"})
_PYTHON_VERBS = _VERBS - {"all"}


class AppModel(msgspec.Struct, frozen=True):
    """One framework's apps. Names without a dot are methods of an app."""

    framework: str
    language: str
    """"javascript" (TypeScript included) or "python"."""
    makes: tuple[str, ...]
    """APIs whose call makes an app."""
    serves: frozenset[str] = frozenset()
    routes: frozenset[str] = frozenset()
    """Methods that register a handler for a path."""
    uses: frozenset[str] = frozenset()
    """Methods that add middleware, or a plug-in."""
    mounts: frozenset[str] = frozenset()
    """Methods that mount another app or router."""

    @property
    def prefixes(self) -> tuple[str, ...]:
        """How the access paths of an app's members begin."""
        return tuple(f"{api}()." for api in self.makes)


MODELS = (
    AppModel(
        framework="express",
        language="javascript",
        makes=("express",),
        serves=frozenset({"listen"}),
        routes=_VERBS,
        uses=frozenset({"use"}),
    ),
    AppModel(
        framework="koa",
        language="javascript",
        makes=("koa",),
        serves=frozenset({"listen", "callback"}),
        uses=frozenset({"use"}),
    ),
    AppModel(
        framework="fastify",
        language="javascript",
        makes=("fastify",),
        serves=frozenset({"listen"}),
        routes=_VERBS | {"route"},
        uses=frozenset({"register", "use"}),
    ),
    AppModel(
        framework="nest",
        language="javascript",
        makes=("@nestjs/core.NestFactory.create",),
        serves=frozenset({"listen"}),
        uses=frozenset({"use", "register"}),
        mounts=frozenset({"setGlobalPrefix", "listen"}),  # its routes are in the module that it is made of
    ),
    AppModel(
        framework="fastapi",
        language="python",
        makes=("fastapi.FastAPI",),
        routes=_PYTHON_VERBS | {"api_route", "route", "add_api_route", "add_route"},
        uses=frozenset({"add_middleware"}),
        mounts=frozenset({"mount", "include_router", "host"}),
    ),
    AppModel(
        framework="starlette",
        language="python",
        makes=("starlette.applications.Starlette",),
        routes=frozenset({"route", "add_route"}),
        uses=frozenset({"add_middleware"}),
        mounts=frozenset({"mount", "host"}),
    ),
    AppModel(
        framework="flask",
        language="python",
        makes=("flask.Flask",),
        serves=frozenset({"run"}),
        routes=_PYTHON_VERBS | {"route", "add_url_rule"},
        mounts=frozenset({"register_blueprint"}),
    ),
    AppModel(
        framework="aiohttp",
        language="python",
        makes=("aiohttp.web.Application",),
        mounts=frozenset({"add_routes", "add_subapp"}),
    ),
)

SERVERS = frozenset(
    {
        *("http.createServer", "http.Server", "https.createServer", "https.Server", "spdy.createServer"),
        *("http2.createServer", "http2.createSecureServer"),
        *("uvicorn.run", "uvicorn.Config", "waitress.serve", "hypercorn.asyncio.serve", "granian.Granian"),
        *("aiohttp.web.run_app", "aiohttp.web.AppRunner", "werkzeug.serving.run_simple", "gevent.pywsgi.WSGIServer"),
        *("wsgiref.simple_server.make_server", "bjoern.run", "cheroot.wsgi.Server", "eventlet.wsgi.server"),
        *("asgiref.wsgi.WsgiToAsgi", "a2wsgi.WSGIMiddleware", "socketio.ASGIApp", "mangum.Mangum"),
    }
)
"""APIs that serve the app that they are handed."""


class Mount(msgspec.Struct, frozen=True):
    """A method by which an app or router is put below another one: the position of what is mounted (all but the path
    where it is None), and the path that it stands below: by position, by keyword, or the property of an options object.
    `overrides` says that the path takes the place of the one that the mounted router was made with."""

    method: str
    child: int | None = 0
    path: int | None = None
    keyword: str = ""
    overrides: bool = False


class RouterModel(msgspec.Struct, frozen=True):
    """Apps and routers whose routes have the paths that are put together on the way from the outermost app."""

    apps: tuple[str, ...]
    routers: tuple[str, ...] = ()
    """What has routes only where it is mounted."""
    path: str = ""
    """The keyword, or the option, of the path that an object is made with."""
    mounts: tuple[Mount, ...] = ()


ROUTERS = (
    RouterModel(
        apps=("express", "connect", "polka", "restify.createServer"),
        routers=("express-promise-router", "router"),
        mounts=(Mount("use", child=None, path=0),),
    ),
    RouterModel(
        apps=("koa",),
        routers=("koa-router", "@koa/router", "@koa/router.Router"),
        path="prefix",
        mounts=(Mount("use", child=None, path=0),),
    ),
    RouterModel(
        apps=("hono.Hono", "@hono/zod-openapi.OpenAPIHono", "hono/quick.Hono", "hono/tiny.Hono"),
        mounts=(Mount("route", child=1, path=0), Mount("mount", child=1, path=0)),
    ),
    RouterModel(apps=("fastify", "fastify.fastify")),
    RouterModel(
        apps=("fastapi.FastAPI", "fastapi.applications.FastAPI", "starlette.applications.Starlette"),
        routers=("fastapi.APIRouter", "fastapi.routing.APIRouter", "starlette.routing.Router"),
        path="prefix",
        mounts=(Mount("include_router", keyword="prefix"), Mount("mount", child=1, path=0)),
    ),
    RouterModel(
        apps=("flask.Flask", "quart.Quart", "flask_openapi3.OpenAPI"),
        routers=("flask.Blueprint", "quart.Blueprint", "flask_openapi3.APIBlueprint", "flask_smorest.Blueprint"),
        path="url_prefix",
        mounts=(Mount("register_blueprint", keyword="url_prefix", overrides=True),),
    ),
    RouterModel(
        apps=("sanic.Sanic",),
        routers=("sanic.Blueprint",),
        path="url_prefix",
        mounts=(Mount("blueprint", keyword="url_prefix", overrides=True),),
    ),
    RouterModel(
        apps=("aiohttp.web.Application",),
        routers=("aiohttp.web.RouteTableDef",),
        mounts=(Mount("add_subapp", child=1, path=0), Mount("add_routes")),
    ),
    RouterModel(apps=("ninja.NinjaAPI",), routers=("ninja.Router",), mounts=(Mount("add_router", child=1, path=0),)),
    RouterModel(apps=(), routers=("rest_framework.routers.DefaultRouter", "rest_framework.routers.SimpleRouter")),
)
"""Sources beside those above: Hono's Routing, Flask's and Quart's `register_blueprint`, Sanic's Blueprints, aiohttp's
nested applications, Django Ninja's and REST framework's Routers."""

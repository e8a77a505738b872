"""aiohttp's server, and Tornado and Sanic: every handler runs on the event loop.

Source: aiohttp's web reference, Tornado's "Structure of a web application", Sanic's user guide.
"""

from prodlint.models.frameworks.model import (
    BadRequest,
    Context,
    Framework,
    Registers,
    Role,
    Slots,
    Subclasses,
    each,
    members,
)

_VERBS = "get post put patch delete head view"
_APP = "aiohttp.web.Application()"
_SANIC = ("sanic.Sanic()",)

_REQUEST = ("aiohttp.web.Request()",)
_OF_APP = frozenset("router on_startup on_cleanup on_shutdown cleanup_ctx loop logger middlewares".split())
_OF_REQUEST = frozenset(
    (
        "app match_info config_dict method path path_qs url rel_url headers query host remote scheme secure cookies"
        " content body_exists can_read_body content_type text json read post multipart transport protocol get clone"
        " version keep_alive charset loop task"
    ).split()
)

FRAMEWORK = Framework(
    name="aiohttp",
    language="python",
    package="aiohttp",
    route_decorator="aiohttp.web.RouteTableDef().get()",
    bad_request=BadRequest("aiohttp", "web", 'raise {}.HTTPBadRequest(text="Invalid JSON") from error'),
    serves=("aiohttp.web.Application", "tornado.web.Application", "sanic.Sanic", "aiohttp.web.RouteTableDef"),
    aliases=(
        ("aiohttp.web.Request().app", _APP),
        ("aiohttp.web.Request().config_dict", _APP),
        ("aiohttp.web_request.Request()", "aiohttp.web.Request()"),
        ("aiohttp.web.BaseRequest()", "aiohttp.web.Request()"),
        ("sanic.Request()", "sanic.request.Request()"),
        ("sanic.request.Request().app", "sanic.Sanic()"),
        ("sanic.Sanic.get_app()", "sanic.Sanic()"),
        ("sanic.Blueprint()", "sanic.Sanic()"),
    ),
    slots=(
        Slots((_APP,), own=_OF_APP),
        Slots(("aiohttp.web.Request()",), own=_OF_REQUEST),
        Slots(("sanic.Sanic().ctx",)),
        Slots(("sanic.request.Request().ctx",)),
    ),
    registers=(
        Registers(
            members(f"{_APP}.router", "add_get add_post add_put add_patch add_delete add_head add_view"),
            first=1,
            last=2,
            keywords=("handler",),
            params=("aiohttp.web.Request()",),
        ),
        Registers(members(f"{_APP}.router", "add_route"), first=2, last=3, keywords=("handler",), params=_REQUEST),
        Registers(members("aiohttp.web", _VERBS), first=1, last=2, keywords=("handler",), params=_REQUEST),
        Registers(("aiohttp.web.route",), first=2, last=3, params=_REQUEST),
        Registers(
            tuple(f"{api}()" for api in members("aiohttp.web.RouteTableDef()", _VERBS + " route")),
            decorates=True,
            params=("aiohttp.web.Request()",),
            methods=("get", "post", "put", "patch", "delete"),
        ),
        Registers(("aiohttp.web.middleware",), decorates=True, role=Role.MIDDLEWARE, params=_REQUEST),
        Registers(
            members(_APP, "on_startup.append on_cleanup.append on_shutdown.append cleanup_ctx.append"),
            role=Role.LIFESPAN,
            context=Context.STARTUP,
            params=(_APP,),
        ),
        Registers(
            tuple(f"{api}()" for api in each(_SANIC, "get post put patch delete route websocket")), decorates=True
        ),
        Registers(
            tuple(f"{api}()" for api in each(_SANIC, "listener before_server_start after_server_start")),
            decorates=True,
            role=Role.LIFESPAN,
            context=Context.STARTUP,
        ),
    ),
    subclasses=(
        Subclasses(bases=("aiohttp.web.View",), methods=("get", "post", "put", "patch", "delete", "head")),
        Subclasses(
            bases=(
                "tornado.web.RequestHandler",
                "tornado.websocket.WebSocketHandler",
                "jupyter_server.base.handlers.*",
            ),
            methods=("get", "post", "put", "patch", "delete", "head", "prepare", "on_message", "open", "on_close"),
        ),
    ),
)

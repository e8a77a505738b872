"""Hono, and Elysia, which has the same shape.

Source: Hono's documentation: Routing, Middleware, Context, Helpers (Factory, Streaming); Elysia's: Handler, Life Cycle.
"""

from prodlint.models.frameworks.model import Framework, Registers, Role, Slots, each, members

_APP = "hono.Hono()"
_METHODS = "get post put patch delete options head all"
_CONTEXT = ("hono.c", "hono.next")
_ELYSIA = "elysia.Elysia()"

FRAMEWORK = Framework(
    name="hono",
    language="javascript",
    package="hono",
    serves=("hono.Hono", "@hono/zod-openapi.OpenAPIHono", "@hono/node-server.serve", "elysia.Elysia"),
    aliases=(
        ("@hono/zod-openapi.OpenAPIHono()", _APP),
        ("hono/quick.Hono()", _APP),
        ("hono/tiny.Hono()", _APP),
        ("hono.Context()", "hono.c"),
        *((f"{_APP}.{name}()", _APP) for name in (*_METHODS.split(), "on", "use", "route", "basePath", "onError")),
        *((f"{_APP}.{name}()", _APP) for name in ("notFound", "mount", "openapi")),
        *((f"{_ELYSIA}.{name}()", _ELYSIA) for name in (*_METHODS.split(), "use", "group", "guard", "derive")),
        *((f"{_ELYSIA}.{name}()", _ELYSIA) for name in ("decorate", "state", "onError", "ws", "resolve")),
    ),
    slots=(Slots(("hono.c.var",), sets=("hono.c.set",), gets=("hono.c.get",)),),
    registers=(
        Registers(members(_APP, _METHODS), params=_CONTEXT),
        Registers(members(_APP, "on"), first=2, params=_CONTEXT),
        Registers(members(_APP, "openapi"), first=1, params=_CONTEXT),
        Registers(members(_APP, "use"), role=Role.MIDDLEWARE, params=_CONTEXT),
        Registers(members(_APP, "notFound"), params=_CONTEXT),
        Registers(members(_APP, "onError"), role=Role.ERROR_HANDLER, params=("", "hono.c")),
        Registers(
            ("hono/factory.createMiddleware", *members("hono/factory.createFactory()", "createMiddleware")),
            role=Role.MIDDLEWARE,
            params=_CONTEXT,
        ),
        Registers(members("hono/factory.createFactory()", "createHandlers"), params=_CONTEXT),
        Registers(each((_ELYSIA,), _METHODS), first=1),
        Registers(members(_ELYSIA, "derive resolve onBeforeHandle onAfterHandle onRequest"), role=Role.MIDDLEWARE),
    ),
)

"""Koa and its routers.

Source: Koa's API reference and the README of `@koa/router`.
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, each, members

_ROUTERS = ("koa-router()", "@koa/router()")
_METHODS = "get post put patch delete del head options all"

FRAMEWORK = Framework(
    name="koa",
    language="javascript",
    package="koa",
    serves=("koa",),
    aliases=(
        ("koa.Koa()", "koa()"),
        ("@koa/router.Router()", "@koa/router()"),
        *((f"{router}.{method}()", router) for router in _ROUTERS for method in ("use", *_METHODS.split())),
        ("koa().use()", "koa()"),
    ),
    registers=(
        Registers(members("koa()", "use"), role=Role.MIDDLEWARE, params=("koa.ctx", "koa.next")),
        Registers(each(_ROUTERS, _METHODS), first=1, params=("koa.ctx", "koa.next")),
        Registers(each(_ROUTERS, "use"), role=Role.MIDDLEWARE, params=("koa.ctx", "koa.next")),
        Registers(members("koa()", "listen"), role=Role.LIFESPAN, context=Context.STARTUP),
    ),
)

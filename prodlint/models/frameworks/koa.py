"""Koa and its routers.

Source: Koa's API reference and the README of `@koa/router`.
"""

from prodlint.models.frameworks.model import Context, Framework, Registers, Role, Shape, Slots, each, members

_ROUTERS = ("koa-router()", "@koa/router()")
_METHODS = "get post put patch delete del head options all"

FRAMEWORK = Framework(
    name="koa",
    language="javascript",
    package="koa",
    awaits_since=0,
    shapes=(Shape("koa().use", (frozenset({"ctx", "context"}),), most=2),),
    responses=("koa.ctx",),
    serves=("koa",),
    aliases=(
        ("koa.Koa()", "koa()"),
        ("@koa/router.Router()", "@koa/router()"),
        *((f"{router}.{method}()", router) for router in _ROUTERS for method in ("use", *_METHODS.split())),
        ("koa().use()", "koa()"),
        ("koa().context", "koa.ctx"),
        ("koa.ctx.app", "koa()"),
    ),
    slots=(
        Slots(("koa()",), own=frozenset("use listen callback on context keys proxy env middleware".split())),
        Slots(
            ("koa.ctx",),
            own=frozenset(
                (
                    "app req res request response state body status type length headers header method url originalUrl"
                    " path query querystring host hostname fresh stale socket protocol secure ip ips params cookies"
                    " throw assert respond get set redirect attachment message session"
                ).split()
            ),
        ),
        Slots(("koa.ctx.state",)),
    ),
    registers=(
        Registers(members("koa()", "use"), role=Role.MIDDLEWARE, params=("koa.ctx", "koa.next")),
        Registers(each(_ROUTERS, _METHODS), first=1, params=("koa.ctx", "koa.next")),
        Registers(each(_ROUTERS, "use"), role=Role.MIDDLEWARE, params=("koa.ctx", "koa.next")),
        Registers(members("koa()", "listen"), role=Role.LIFESPAN, context=Context.STARTUP),
    ),
)
